#include "slots/worker_files.hpp"

#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"

namespace hal0::slots {
namespace {

constexpr std::size_t key_bytes = 32;

// One that is there stays: a worker that a dying daemon has just spawned may be about to read it.
Result<void> make_key(std::string const& path) {
    if (auto const present = os::read_file(path, 1_KiB); present && present->size() == 2 * key_bytes)
        return {};
    return os::atomic_write(path, os::random_hex(key_bytes), 0600);
}

}  // namespace

Result<void> put_worker_files(RunDir const& run, engines::WorkerSpec const& spec) {
    HAL0_CHECK(os::make_directories(run.directory, 0700));
    HAL0_CHECK(make_key(run.key));
    HAL0_CHECK(os::atomic_write(run.spec, engines::encode(spec), 0600));
    return os::make_directories(os::directory_of(run.log));
}

std::optional<engines::WorkerSpec> spec_in(RunDir const& run) {
    auto const text = os::read_file(run.spec, spec_max);
    if (!text || !os::exists(run.key)) return std::nullopt;
    auto spec = engines::decode_spec(*text);
    return spec ? std::optional{std::move(spec).value()} : std::nullopt;
}

Result<void> remove_worker_files(RunDir const& run, std::string const& slot) {
    HAL0_TRY(holder, os::LockFile::holder(run.lock));
    if (holder)
        return Error{Errc::Conflict,
                     format("{} stays: process {} still runs as slot '{}'", run.directory, *holder, slot)};
    return os::remove_tree(run.directory);
}

}  // namespace hal0::slots
