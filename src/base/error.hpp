#pragma once
// What can go wrong, as a kind to branch on and words to show. Callers decide by Errc, never by the words;
// the kind becomes an HTTP status and an exit code in one place each (api/, cli/).
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hal0 {

enum class Errc : std::uint8_t {
    Invalid,       // the caller's input is wrong: say what and how to mend it
    NotFound,      // the named thing does not exist
    Exists,        // it is there already
    Conflict,      // it exists but its present state forbids this
    Forbidden,     // permission, ownership, access rules
    Unauthorized,  // a key is needed, or the given one is wrong
    TooLarge,      // over a stated limit
    Busy,          // a bounded resource is full; the same call may work later
    Unavailable,   // a peer or worker can't answer now
    Timeout,       // a deadline passed
    Unsupported,   // understood, and not something this build, engine or box can do
    Corrupt,       // data that fails its check: hash, format, schema
    NoSpace,       // disk or memory
    Io,            // any other failure of the operating system
    Cancelled,     // who asked went away
    Internal,      // a bug
};

// The kind's stable name, as it stands in API errors ("not_found").
std::string_view errc_name(Errc kind);
// The kind of that name, as another process of ours said it; `otherwise` for a name from a newer one.
Errc errc_from_name(std::string_view name, Errc otherwise);

// One fact beside the message, for programs ("slot" -> "primary").
struct Detail {
    std::string name{};
    std::string value{};
    bool operator==(Detail const&) const = default;
};

struct Error {
    Errc kind{Errc::Internal};
    std::string
        message{};  // what happened, to what, what to do next; a full sentence without a final newline
    std::vector<Detail> details{};

    Error with(std::string name, std::string value) && {
        details.push_back({std::move(name), std::move(value)});
        return std::move(*this);
    }
    bool operator==(Error const&) const = default;
};

// The same error with what was being done put in front: "reading slots/primary.toml: …".
Error in_context(std::string_view doing, Error error);

}  // namespace hal0
