// The part of fetch/archive.hpp that writes a tree. Paths are checked here and once more by libarchive, which
// follows no symbolic link on its way to a file.
#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/format.hpp"
#include "base/text.hpp"
#include "fetch/archive.hpp"
#include "os/file.hpp"

namespace hal0::fetch {
namespace {

constexpr int flags = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                      ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;

struct CloseDisk {
    void operator()(archive* handle) const { archive_write_free(handle); }
};
using Disk = std::unique_ptr<archive, CloseDisk>;

bool stays_inside(std::string_view name) {
    if (name.empty() || name.starts_with('/')) return false;
    for (auto const step : split(name, '/')) {
        if (step == "..") return false;
    }
    return true;
}

// Whether a link at `name` leads to a place inside. ".." may stand in front only: after a name, which could
// itself be a link, nobody can tell from the text where it leads.
bool leads_inside(std::string_view name, std::string_view target) {
    auto depth = static_cast<std::ptrdiff_t>(split(name, '/').size()) - 1;
    while (target.starts_with("../") || target == "..") {
        if (--depth < 0) return false;
        target.remove_prefix(std::min<std::size_t>(3, target.size()));
    }
    return target.empty() || stays_inside(target);
}

class Unpacker {
  public:
    Unpacker(ArchiveReader& reader, std::string prefix)
        : reader_{reader}, prefix_{std::move(prefix)}, disk_{archive_write_disk_new()} {
        archive_write_disk_set_options(disk_.get(), flags);
    }

    // Into the present directory: libarchive's check for symbolic links looks at every step of a path, and
    // those above the directory are the user's own.
    Result<void> run(Report& report) {
        bool any = false;
        while (true) {
            HAL0_TRY(entry, reader_.next());
            if (entry == nullptr) break;
            auto const name = below_prefix(name_of(entry));
            if (!name) continue;
            any = true;
            HAL0_CHECK(prepare(entry, *name));
            HAL0_CHECK(write(entry));
            report.progress(reader_.consumed(), reader_.size());
        }
        if (archive_write_close(disk_.get()) != ARCHIVE_OK) return disk_fault("its directories");
        if (!any) return Error{Errc::NotFound, format("{} has nothing below '{}'", reader_.path(), prefix_)};
        return {};
    }

  private:
    [[nodiscard]] std::optional<std::string> below_prefix(std::string_view name) const {
        if (!name.starts_with(prefix_)) return std::nullopt;
        name.remove_prefix(prefix_.size());
        while (name.ends_with('/'))
            name.remove_suffix(1);
        if (name.empty()) return std::nullopt;
        return std::string{name};
    }

    Result<void> prepare(archive_entry* entry, std::string const& name) {
        auto const kind = archive_entry_filetype(entry);
        char const* const hard = archive_entry_hardlink(entry);
        char const* const soft = archive_entry_symlink(entry);
        if (!stays_inside(name)) return refuse(name, "would land outside");
        if (hard == nullptr && kind != AE_IFREG && kind != AE_IFDIR && kind != AE_IFLNK) {
            return refuse(name, "is neither file, directory nor link");
        }
        if (kind == AE_IFLNK && (soft == nullptr || !leads_inside(name, soft))) {
            return refuse(name, "is a link that leads outside");
        }
        if (hard != nullptr) {
            auto const target = below_prefix(hard);
            if (!target || !stays_inside(*target)) return refuse(name, "is a link that leads outside");
            archive_entry_copy_hardlink(entry, target->c_str());
        }
        archive_entry_copy_pathname(entry, name.c_str());
        bool const open = kind == AE_IFDIR || (archive_entry_perm(entry) & 0111U) != 0;
        archive_entry_set_perm(entry, open ? 0755 : 0644);
        return {};
    }

    Result<void> write(archive_entry* entry) {
        std::string const name = name_of(entry);
        if (archive_write_header(disk_.get(), entry) != ARCHIVE_OK) return disk_fault(name);
        bool const has_content =
            archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr;
        while (has_content) {
            HAL0_TRY(bytes, reader_.read());
            if (bytes.empty()) break;
            if (archive_write_data(disk_.get(), bytes.data(), bytes.size()) < 0) return disk_fault(name);
        }
        if (archive_write_finish_entry(disk_.get()) != ARCHIVE_OK) return disk_fault(name);
        return {};
    }

    [[nodiscard]] Error refuse(std::string const& name, std::string_view why) const {
        return {Errc::Corrupt,
                format("{} is refused: its member '{}{}' {}", reader_.path(), prefix_, name, why)};
    }
    [[nodiscard]] Error disk_fault(std::string const& name) const {
        char const* const said = archive_error_string(disk_.get());
        auto error =
            os::errno_error(archive_errno(disk_.get()), format("unpacking {} of {}", name, reader_.path()));
        if (said != nullptr) error.message = format("unpacking {} of {}: {}", name, reader_.path(), said);
        return error;
    }

    ArchiveReader& reader_;
    std::string prefix_;
    Disk disk_;
};

}  // namespace

Result<void> unpack(std::string const& archive, std::string const& prefix, std::string const& directory,
                    Report& report) {
    HAL0_TRY(reader, ArchiveReader::open(archive));
    HAL0_CHECK(os::make_directories(directory));
    if (::chdir(directory.c_str()) != 0) return os::errno_error(errno, format("going to {}", directory));
    return Unpacker{reader, prefix}.run(report);
}

}  // namespace hal0::fetch
