#include "app/measured_store.hpp"

#include <optional>
#include <utility>

#include "base/format.hpp"
#include "models/beside.hpp"
#include "os/file.hpp"

namespace hal0::app {
namespace {

constexpr Bytes measured_max = 1_MiB;
constexpr Bytes sidecar_max = 1_MiB;

// The record of the model whose first file this is; nothing outside the store.
std::optional<models::ModelRecord> record_of(std::string const& main_file) {
    auto const path = os::join_path(os::directory_of(main_file), models::sidecar_name);
    auto const text = os::read_file(path, sidecar_max);
    auto record = text ? models::decode_model(*text, path) : Result<models::ModelRecord>{text.error()};
    if (!record || record->files.front().name != os::base_name(main_file)) return std::nullopt;
    return std::move(*record);
}

// Names the bytes: by the hash that the store has, else by size and time.
std::string name_of(std::string const& main_file) {
    if (auto const record = record_of(main_file)) return record->files.front().sha256;
    auto const status = os::status(main_file);
    return status ? format("{} bytes of {}", status->size.count, status->modified_ns) : std::string{};
}

Result<memory::MeasuredLoads> read(std::string const& path) {
    HAL0_TRY(text, os::read_file(path, measured_max));
    return memory::decode_measured(text);
}

}  // namespace

std::string MeasuredStore::beside(std::string const& main_file) const {
    return record_of(main_file) ? os::join_path(os::directory_of(main_file), models::measured_name)
                                : apart(main_file);
}

std::string MeasuredStore::apart(std::string const& main_file) const {
    constexpr std::size_t enough = 16;
    return format("{}/{}.json", elsewhere_, os::sha256_hex(main_file).substr(0, enough));
}

std::vector<memory::Measurement> MeasuredStore::of(std::string const& main_file) const {
    for (auto const& path : {apart(main_file), beside(main_file)}) {
        auto measured = read(path);
        if (measured && measured->model == name_of(main_file)) return std::move(measured->loads);
    }
    return {};
}

std::vector<memory::Measurement> MeasuredStore::of_others(models::ModelStore const& models,
                                                          std::string const& main_file) const {
    std::vector<memory::Measurement> all;
    for (auto const& model : models.list()) {
        if (!model.readable || model.main_file() == main_file) continue;
        for (auto& load : of(model.main_file()))
            all.push_back(std::move(load));
    }
    return all;
}

Result<std::string> MeasuredStore::add(std::string const& main_file,
                                       memory::Measurement const& reading) const {
    auto path = os::exists(apart(main_file)) ? apart(main_file) : beside(main_file);
    auto present = read(path);
    std::string note;
    if (!present && present.error().kind == Errc::Unsupported) return in_context(path, present.error());
    if (!present && present.error().kind != Errc::NotFound)
        note = format("{} could not be read ({}) and was begun anew", path, present.error().message);
    auto const name = name_of(main_file);
    memory::MeasuredLoads measured{.model = name};
    if (present && present->model == name) measured = std::move(*present);
    if (!memory::add(measured, reading)) return note;
    if (path == apart(main_file)) HAL0_CHECK(os::make_directories(elsewhere_));
    auto written = os::atomic_write(path, memory::encode(measured));
    if (!written && written.error().kind == Errc::Forbidden && path != apart(main_file)) {
        HAL0_CHECK(os::make_directories(elsewhere_));
        written = os::atomic_write(apart(main_file), memory::encode(measured));
    }
    if (!written) return std::move(written).error();
    return note;
}

}  // namespace hal0::app
