#pragma once
// Reads what the kernel writes, believing nothing: a file that isn't there is unknown; one that holds
// nonsense is unknown and a warning. Never a guess, never a number that nobody wrote.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "os/file_system.hpp"

namespace hal0::hardware {

// The whole text as a decimal size of at least 0 and at most 2^62; so no sum of two overflows.
std::optional<Bytes> to_bytes(std::string_view text);
// "0x1002", or "1002": at most 8 digits.
std::optional<std::int64_t> from_hex(std::string_view text);
// "0-7,16,18-19" -> 11; nothing where it isn't such a list, 0 for an empty one.
std::optional<std::int64_t> count_of_list(std::string_view text);
// Bytes that are no text of one line are left out: it may be shown, and written as JSON.
std::string printable(std::string_view text);

class Reader {
  public:
    explicit Reader(os::FileSystem const& files) : files_{files} {}

    [[nodiscard]] os::FileSystem const& files() const { return files_; }
    // The file without white space at its ends; nothing where it can't be read or is empty.
    std::optional<std::string> text(std::string const& path, Bytes max = os::kernel_file_bytes_max);
    std::optional<Bytes> bytes(std::string const& path);
    // The same; a size over what can be is a warning.
    std::optional<Bytes> bytes_up_to(std::string const& path, std::optional<Bytes> most);
    std::optional<std::int64_t> number(std::string const& path);  // decimal
    std::optional<std::int64_t> hex(std::string const& path);
    // "Name:   123 kB" lines, as /proc/meminfo has them; the unit is kept.
    std::map<std::string, std::string, std::less<>> pairs(std::string const& path, char between);
    std::vector<std::string> names(std::string const& directory);

    void warn(std::string text);
    [[nodiscard]] std::vector<std::string> take_warnings() { return std::move(warnings_); }

  private:
    std::optional<std::string> maybe(std::string const& path, Bytes max);
    os::FileSystem const& files_;
    std::vector<std::string> warnings_{};
};

// "131006464 kB" -> bytes.
std::optional<Bytes> to_bytes_of_kib(std::string_view text);

}  // namespace hal0::hardware
