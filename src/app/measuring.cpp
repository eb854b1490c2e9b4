#include "app/measuring.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/measured_store.hpp"
#include "app/probe_command.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "engines/planner.hpp"
#include "engines/spec_request.hpp"
#include "hardware/footprint.hpp"
#include "hardware/processes.hpp"
#include "memory/planned.hpp"
#include "memory/shape.hpp"
#include "models/gguf_model.hpp"
#include "os/file.hpp"
#include "os/process_info.hpp"
#include "slots/run_dir.hpp"

namespace hal0::app {
namespace {

constexpr Duration planner_patience = std::chrono::seconds{10};
constexpr Bytes command_line_max = 1_MiB;

// What the worker runs, as its slot has written it down; a restart may have written another meanwhile.
Result<engines::WorkerSpec> spec_of(os::Places const& places, WorkerReading const& worker) {
    HAL0_TRY(text, os::read_file(slots::run_dir(places, worker.slot).spec, slots::spec_max));
    HAL0_TRY(spec, engines::decode_spec(text));
    auto const running = os::read_file(format("/proc/{}/cmdline", worker.pid), command_line_max);
    std::string line;
    for (auto const& argument : spec.argv)
        line += argument + '\0';
    if (!running || *running != line)
        return Error{Errc::NotFound, format("process {} is not what slot {} runs", worker.pid, worker.slot)};
    return spec;
}

// Nothing where the engine has no planner, or it can't plan that: what was measured then counts for the same
// settings only.
std::optional<memory::PlannedLoad> plan_of(os::Places const& places, Library const& library,
                                           engines::WorkerSpec const& spec, models::GgufModel const& model,
                                           engines::PlanRequest const& request) {
    auto const shape = memory::model_shape(model);
    if (!shape) return std::nullopt;
    for (auto const& engine : library.engine_store().list()) {
        if (engine.program("llama-server") != spec.argv.front()) continue;
        engines::Planner planner{engine, places.cache, planner_patience};
        engines::PlannedModel planned;
        for (auto const& file : model.files)
            planned.files.push_back({.path = file});
        if (auto const plan = planner.plan(planned, request))
            return memory::planned_load(*plan, memory::checkpoints(*shape, request) + request.cache_ram);
    }
    return std::nullopt;
}

std::optional<Bytes> gpu_memory(hardware::Machine& machine, hardware::HardwareReport const& report,
                                std::string const& device, std::vector<int> const& pids) {
    auto const* const gpu = report.gpu(device);
    if (gpu == nullptr || !gpu->pci) return std::nullopt;
    return hardware::read_gpu_footprint(machine, pids, *gpu->pci);
}

// What of it only reading can tell.
Result<memory::Measurement> read(os::Places const& places, engines::WorkerSpec const& spec,
                                 WorkerReading const& worker, std::vector<std::string> const& names) {
    HAL0_TRY(machine, this_machine());
    auto const family = hardware::family_of(*machine, worker.pid);
    HAL0_TRY(footprint, hardware::read_footprint(*machine, family, names));
    memory::Measurement reading{.load = load_name(worker.pid),
                                .time = rfc3339(std::chrono::system_clock::now()),
                                .at = {.box = box_name(*machine),
                                       .engine = spec.engine,
                                       .version = spec.version,
                                       .backend = spec.backend},
                                .maps_model = footprint.maps_model};
    (worker.moment == Moment::Loaded ? reading.own_loaded : reading.own_used) = footprint.own;
    if (spec.device == "cpu") return reading;
    HAL0_TRY(report, box_report(places));
    reading.at.card = card_name(report, spec.device);
    reading.gpu = gpu_memory(*machine, report, spec.device, family);
    return reading;
}

}  // namespace

std::string load_name(int pid) { return format("{}-{}", pid, os::start_ticks(pid).value_or(0)); }

Result<std::string> measure(os::Places const& places, Library const& library, WorkerReading const& worker) {
    HAL0_TRY(spec, spec_of(places, worker));
    auto const request = engines::plan_request_of(spec);
    if (!request) return Error{Errc::Unsupported, "its extra_args may take memory that no plan of ours has"};
    auto const main_file = engines::model_file_of(spec);
    if (main_file.empty()) return Error{Errc::Unsupported, "its command line names no model"};
    HAL0_TRY(model, models::read_gguf_model(main_file));
    std::vector<std::string> names;
    names.reserve(model.files.size());
    for (auto const& file : model.files)
        names.push_back(os::base_name(file));
    HAL0_TRY(reading, read(places, spec, worker, names));
    reading.at.settings = memory::settings_name(*request);
    reading.planned = plan_of(places, library, spec, model, *request);
    return MeasuredStore{places}.add(main_file, reading);
}

void Measuring::look_at(WorkerReading worker) {
    if (std::ranges::find(waiting_, worker) != waiting_.end()) return;
    waiting_.push_back(std::move(worker));
    if (waiting_.size() == 1) next();
}

void Measuring::next() {
    pool_.run(
        inbox_, [this, worker = waiting_.front()] { return measure_(worker); },
        [this](Result<std::string> const& note) { told(note); });
}

void Measuring::told(Result<std::string> const& note) {
    auto const slot = std::move(waiting_.front().slot);
    waiting_.pop_front();
    if (!waiting_.empty()) next();
    if (note && !note->empty()) log_.warn("{}", *note);
    if (note) return;
    // A worker may have ended meanwhile, and one that is no model of ours can't be planned: nothing is amiss.
    bool const expected = note.error().kind == Errc::NotFound || note.error().kind == Errc::Unsupported ||
                          note.error().kind == Errc::Corrupt;
    if (expected)
        log_.debug("what slot {} takes isn't kept: {}", slot, note.error().message);
    else
        log_.warn("what slot {} takes can't be kept, and estimates go on without it: {}", slot,
                  note.error().message);
}

// The machine's id is not to be passed on: what is derived from it tells nobody which it is.
std::string box_name(hardware::Machine& machine) {
    auto const id = machine.files().read("/etc/machine-id", os::kernel_file_bytes_max);
    constexpr std::size_t enough = 16;
    return os::sha256_hex(format("hal0 measured {}", id ? trim(*id) : "")).substr(0, enough);
}

std::string card_name(hardware::HardwareReport const& report, std::string const& device) {
    auto const* const gpu = report.gpu(device);
    if (gpu == nullptr) return {};
    return format("{}, {} {}", gpu->name.value_or(gpu->device_id.value_or("?")), gpu->driver.value_or("?"),
                  gpu->driver_version.value_or("?"));
}

}  // namespace hal0::app
