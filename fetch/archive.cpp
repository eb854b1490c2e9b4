#include "fetch/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include "base/format.hpp"
#include "fetch/output_file.hpp"
#include "os/file.hpp"

namespace hal0::fetch {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{256} << 10;

Result<void> append_whole(std::string const& path, OutputFile& file, Report& report) {
    HAL0_TRY(fd, os::open_read(path));
    for (Bytes at{};; at.count += static_cast<std::int64_t>(buffer_bytes)) {
        HAL0_TRY(bytes, os::read_at(fd, at, {static_cast<std::int64_t>(buffer_bytes)}));
        if (bytes.empty()) return {};
        HAL0_CHECK(file.write(bytes));
        report.progress(file.size(), {});
    }
}

Result<void> append(Member const& member, OutputFile& file, Report& report) {
    if (member.name.empty()) return append_whole(member.archive, file, report);
    HAL0_TRY(reader, ArchiveReader::open(member.archive));
    while (true) {
        HAL0_TRY(entry, reader.next());
        if (entry == nullptr) break;
        if (name_of(entry) != member.name) continue;
        if (archive_entry_filetype(entry) != AE_IFREG) break;
        while (true) {
            HAL0_TRY(bytes, reader.read());
            if (bytes.empty()) return {};
            HAL0_CHECK(file.write(bytes));
            report.progress(file.size(), {});
        }
    }
    return Error{Errc::NotFound, format("{} has no file '{}' in it", member.archive, member.name)};
}

}  // namespace

void ArchiveReader::Close::operator()(archive* handle) const { archive_read_free(handle); }

ArchiveReader::ArchiveReader(std::string path, Bytes size, std::unique_ptr<archive, Close> handle)
    : path_{std::move(path)}, size_{size}, handle_{std::move(handle)}, buffer_(buffer_bytes, '\0') {}

Result<ArchiveReader> ArchiveReader::open(std::string const& path) {
    HAL0_TRY(status, os::status(path));
    ArchiveReader reader{path, status.size, std::unique_ptr<archive, Close>{archive_read_new()}};
    auto* const handle = reader.handle_.get();
    archive_read_support_format_zip(handle);
    archive_read_support_format_tar(handle);
    archive_read_support_filter_gzip(handle);
    archive_read_support_filter_bzip2(handle);
    archive_read_support_filter_xz(handle);
    archive_read_support_filter_zstd(handle);
    if (archive_read_open_filename(handle, path.c_str(), buffer_bytes) != ARCHIVE_OK) return reader.fault();
    return reader;
}

Error ArchiveReader::fault() const {
    char const* const said = archive_error_string(handle_.get());
    return {Errc::Corrupt, format("{} can't be read as an archive: {}", path_, said != nullptr ? said : "?")};
}

Result<archive_entry*> ArchiveReader::next() {
    archive_entry* entry = nullptr;
    auto const got = archive_read_next_header(handle_.get(), &entry);
    if (got == ARCHIVE_EOF) return static_cast<archive_entry*>(nullptr);
    if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return fault();
    return entry;
}

Result<std::string_view> ArchiveReader::read() {
    auto const got = archive_read_data(handle_.get(), buffer_.data(), buffer_.size());
    if (got < 0) return fault();
    return std::string_view{buffer_}.substr(0, static_cast<std::size_t>(got));
}

Bytes ArchiveReader::consumed() const { return {archive_filter_bytes(handle_.get(), -1)}; }

std::string name_of(archive_entry* entry) {
    char const* const raw = archive_entry_pathname(entry);
    std::string_view name{raw != nullptr ? raw : ""};
    while (name.starts_with("./"))
        name.remove_prefix(2);
    return std::string{name};
}

Result<void> extract(std::vector<Member> const& members, std::string const& target, Report& report) {
    HAL0_TRY(file, OutputFile::open(target, OutputFile::Begin::Anew));
    auto filled = [&]() -> Result<void> {
        for (auto const& member : members)
            HAL0_CHECK(append(member, file, report));
        return file.finish();
    }();
    if (!filled) (void)os::remove_file(target + ".part");
    return filled;
}

}  // namespace hal0::fetch
