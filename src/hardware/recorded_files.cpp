#include "hardware/recorded_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::hardware {
namespace {

constexpr std::string_view mark = "== ";

struct Fault {
    std::string_view name;
    int number;
};
constexpr std::array faults{Fault{"EACCES", EACCES}, Fault{"EPERM", EPERM}, Fault{"EINVAL", EINVAL},
                            Fault{"ENODEV", ENODEV}, Fault{"ESRCH", ESRCH}, Fault{"EIO", EIO}};

Error fault_of(std::string_view name, std::string const& path) {
    for (auto const& fault : faults) {
        if (fault.name == name) return os::errno_error(fault.number, format("reading {}", path));
    }
    return {Errc::Io, format("reading {}: {}", path, name)};
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// Nothing for an escape that is none.
std::optional<std::string> unescaped(std::string_view line) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '\\') {
            out += line[i];
        } else if (i + 1 < line.size() && line[i + 1] == '\\') {
            out += line[++i];
        } else {
            bool const whole = i + 3 < line.size() && line[i + 1] == 'x';
            int const high = whole ? hex_digit(line[i + 2]) : -1;
            int const low = whole ? hex_digit(line[i + 3]) : -1;
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 3;
        }
    }
    return out;
}

std::string escaped(std::string_view line) {
    if (line.starts_with("==")) return "\\x3d" + escaped(line.substr(1));
    bool const text = valid_utf8(line);
    std::string out;
    for (char const c : line) {
        auto const byte = static_cast<unsigned char>(c);
        bool const plain = c == '\t' || (byte >= 0x20 && byte != 0x7f && (byte < 0x80 || text));
        if (c == '\\')
            out += "\\\\";
        else if (plain)
            out += c;
        else
            out += format("\\x{:02x}", byte);
    }
    return out;
}

struct Heading {
    std::string path{};
    RecordedFile file{};
    bool cut{false};  // its last line has no end
};

Heading heading_of(std::string_view line) {
    line.remove_prefix(mark.size());
    auto const space = line.find(' ');
    Heading heading{.path = std::string{line.substr(0, space)}};
    auto const rest = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
    if (rest.starts_with("-> "))
        heading.file = {RecordedFile::Kind::Link, std::string{rest.substr(3)}};
    else if (rest.starts_with("! "))
        heading.file = {RecordedFile::Kind::Fault, std::string{rest.substr(2)}};
    else if (!heading.path.ends_with('/') || heading.path == "/")
        heading.file.kind = RecordedFile::Kind::Text;
    if (heading.path.size() > 1 && heading.path.ends_with('/')) heading.path.pop_back();
    heading.cut = rest == "~";
    return heading;
}

Error not_there(std::string const& path) { return os::errno_error(ENOENT, format("reading {}", path)); }

}  // namespace

Result<std::unique_ptr<RecordedFiles>> RecordedFiles::parse(std::string_view text) {
    auto files = std::make_unique<RecordedFiles>();
    std::optional<Heading> open;
    auto const close = [&files, &open] {
        if (!open) return;
        if (open->cut && open->file.text.ends_with('\n')) open->file.text.pop_back();
        files->set(open->path, std::move(open->file));
        open.reset();
    };
    std::size_t number = 0;
    auto const wrong = [&number](std::string_view what) {
        return Error{Errc::Corrupt, format("line {}: {}", number, what)};
    };
    if (text.ends_with('\n')) text.remove_suffix(1);
    for (auto const line : split(text, '\n')) {
        ++number;
        if (line.starts_with(mark)) {
            close();
            open = heading_of(line);
            if (!open->path.starts_with('/')) return wrong("a path begins with /");
        } else if (open && open->file.kind == RecordedFile::Kind::Text) {
            auto const content = unescaped(line);
            if (!content) return wrong("a backslash is written \\\\, a byte \\xHH");
            open->file.text += *content + "\n";
        } else if (open && !line.empty()) {
            return wrong("only a file has lines");
        }
    }
    close();
    return files;
}

Result<std::string> RecordedFiles::read(std::string const& path, Bytes max) const {
    auto const found = files_.find(path);
    if (found == files_.end()) return not_there(path);
    auto const& file = found->second;
    if (file.kind == RecordedFile::Kind::Fault) return fault_of(file.text, path);
    if (file.kind != RecordedFile::Kind::Text) return not_there(path);
    if (static_cast<std::int64_t>(file.text.size()) > max.count)
        return Error{Errc::TooLarge, format("{} is larger than {}", path, human(max))};
    return file.text;
}

Result<std::vector<std::string>> RecordedFiles::list(std::string const& path) const {
    if (auto const own = files_.find(path);
        own != files_.end() && own->second.kind == RecordedFile::Kind::Fault)
        return fault_of(own->second.text, path);
    auto const prefix = path + "/";
    std::set<std::string> names;
    for (auto at = files_.lower_bound(prefix); at != files_.end() && at->first.starts_with(prefix); ++at) {
        auto const rest = std::string_view{at->first}.substr(prefix.size());
        names.emplace(rest.substr(0, rest.find('/')));
    }
    if (names.empty() && !files_.contains(path)) return not_there(path);
    return std::vector<std::string>{names.begin(), names.end()};
}

std::optional<std::string> RecordedFiles::link(std::string const& path) const {
    auto const found = files_.find(path);
    if (found == files_.end() || found->second.kind != RecordedFile::Kind::Link) return std::nullopt;
    return found->second.text;
}

bool RecordedFiles::exists(std::string const& path) const {
    if (files_.contains(path)) return true;
    auto const below = files_.lower_bound(path + "/");
    return below != files_.end() && below->first.starts_with(path + "/");
}

std::string RecordedFiles::to_text() const {
    std::string out;
    for (auto const& [path, file] : files_) {
        out += format("{}{}", mark, path);
        switch (file.kind) {
            case RecordedFile::Kind::Link: out += format(" -> {}\n", file.text); break;
            case RecordedFile::Kind::Fault: out += format(" ! {}\n", file.text); break;
            case RecordedFile::Kind::Present: out += "/\n"; break;
            case RecordedFile::Kind::Text:
                out += file.text.empty() || file.text.ends_with('\n') ? "\n" : " ~\n";
                for (std::string_view left = file.text; !left.empty();) {
                    auto const end = std::min(left.find('\n'), left.size());
                    out += escaped(left.substr(0, end)) + "\n";
                    left.remove_prefix(std::min(end + 1, left.size()));
                }
        }
    }
    return out;
}

}  // namespace hal0::hardware
