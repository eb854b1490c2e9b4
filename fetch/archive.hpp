#pragma once
// Files out of archives. The archives are foreign: their hash was checked, what they name was not.
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "fetch/report.hpp"

struct archive;
struct archive_entry;

namespace hal0::fetch {

// An archive being read from its beginning to its end.
class ArchiveReader {
  public:
    static Result<ArchiveReader> open(std::string const& path);

    // The next member's entry, which stays the reader's; null after the last.
    Result<archive_entry*> next();
    // The next bytes of that member, empty at its end; valid until the next call.
    Result<std::string_view> read();
    [[nodiscard]] Bytes consumed() const;  // of the archive's own bytes
    [[nodiscard]] Bytes size() const { return size_; }
    [[nodiscard]] std::string const& path() const { return path_; }

  private:
    struct Close {
        void operator()(archive* handle) const;
    };
    ArchiveReader(std::string path, Bytes size, std::unique_ptr<archive, Close> handle);
    [[nodiscard]] Error fault() const;

    std::string path_;
    Bytes size_;
    std::unique_ptr<archive, Close> handle_;
    std::string buffer_;
};

// A member's name without "./" in front; empty for one that can't be told.
std::string name_of(archive_entry* entry);

struct Member {
    std::string archive{};
    std::string name{};  // empty: the file itself, which needn't be an archive
};
// The members one after the other become `target`, all or nothing. NotFound: an archive without that member.
Result<void> extract(std::vector<Member> const& members, std::string const& target, Report& report);

// All below `prefix` into `directory`, made when needed; modes become 0644 or 0755. Corrupt: a member or a
// link that would lead outside, a device. NotFound: nothing below `prefix`.
Result<void> unpack(std::string const& archive, std::string const& prefix, std::string const& directory,
                    Report& report);

}  // namespace hal0::fetch
