#pragma once
// The files of a recorded box: what was asked for and what came, as one text that people can read and write.
//
//     == /proc/meminfo
//     MemTotal:       131006464 kB
//     == /sys/class/drm/card1 -> ../../devices/pci0000:00/0000:00:08.1/0000:c3:00.0/drm/card1
//     == /proc/1/environ ! EACCES
//     == /sys/class/drm/card1-HDMI-A-1/
//
// A file with its lines; one whose last line has no end is marked `== PATH ~`; a symlink; what could not be
// read, with the errno; something that is there, and nothing more is known of it. Directories are there with
// what is in them. Lines before the first `==` are for people. In lines of files, bytes that are no text are
// written \xHH, a backslash \\, and a line that begins with `==` \x3d=.
#include <map>
#include <string>
#include <string_view>

#include "os/file_system.hpp"

namespace hal0::hardware {

struct RecordedFile {
    enum class Kind { Text, Link, Fault, Present } kind{Kind::Present};
    std::string text{};  // the content, the target, the errno's name
    bool operator==(RecordedFile const&) const = default;
};

// Paths are looked up as they stand: a link and what was read through it are kept beside each other.
class RecordedFiles final : public os::FileSystem {
  public:
    RecordedFiles() = default;
    // Corrupt, with the line, when it isn't such a text.
    static Result<std::unique_ptr<RecordedFiles>> parse(std::string_view text);

    [[nodiscard]] Result<std::string> read(std::string const& path, Bytes max) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string const& path) const override;
    [[nodiscard]] std::optional<std::string> link(std::string const& path) const override;
    [[nodiscard]] bool exists(std::string const& path) const override;

    void set(std::string const& path, RecordedFile file) { files_[path] = std::move(file); }
    [[nodiscard]] std::map<std::string, RecordedFile, std::less<>>& all() { return files_; }
    [[nodiscard]] std::string to_text() const;

  private:
    std::map<std::string, RecordedFile, std::less<>> files_{};
};

}  // namespace hal0::hardware
