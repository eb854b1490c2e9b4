#pragma once
// What the doctor finds.
#include <string>
#include <string_view>
#include <vector>

#include "wire/codec.hpp"

namespace hal0::doctor {

// Error: something that hal0 is for doesn't work. Warning: it works, and worse than this box can. Info: worth
// knowing.
enum class Severity { Error, Warning, Info };
std::string_view to_string(Severity severity);

struct Finding {
    static constexpr wire::BodyTitle title{"Finding", "Something about the box that should be mended."};
    std::string id{};
    std::string severity{};
    std::string headline{};
    std::string evidence{};
    std::string why{};
    std::vector<std::string> fix{};
    std::string reference{};
    bool operator==(Finding const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "of its rule: the same on every box, in every version");
        f("severity", self.severity,
          "`error`: something doesn't work; `warning`: it works, worse than it could; `info`");
        f("title", self.headline, "in one line");
        f("evidence", self.evidence, "what was seen");
        f("why", self.why, "why it matters");
        f("fix", self.fix, "lines for a shell; those that begin with # are for people");
        f("reference", self.reference, "where this is known from");
    }
};

}  // namespace hal0::doctor
