#include "app/probe_command.hpp"

#include <utility>

#include "app/library.hpp"
#include "app/serve.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/drivers.hpp"
#include "hardware/record.hpp"
#include "hardware/recorded_machine.hpp"
#include "os/file.hpp"
#include "os/process_info.hpp"

namespace hal0::app {
namespace {

constexpr Bytes report_bytes_max = 4_MiB;

using hardware::GpuReport;
using hardware::HardwareReport;

std::string size_of(std::optional<Bytes> size) { return size ? human(*size) : "unknown"; }

std::string memory_of(HardwareReport const& report, GpuReport const& gpu) {
    if (!gpu.has_own_memory()) return "the system's";
    if (gpu.unified != true) return size_of(gpu.vram_total);
    return format("{} carve-out, and up to {} of the system's", size_of(gpu.vram_total),
                  size_of(hardware::gtt_cap(gpu.gtt_total, report.software.ttm_pages_limit)));
}

std::string gpu_lines(HardwareReport const& report, GpuReport const& gpu) {
    auto const name = gpu.name.value_or(format("{} {}", gpu.vendor, gpu.device_id.value_or("")));
    auto out = format("{:<12}{}{}\n", gpu.id, name, gpu.gfx ? format(" ({})", *gpu.gfx) : "");
    out += format("{:<12}memory: {}\n", "", memory_of(report, gpu));
    if (gpu.why_not) out += format("{:<12}{}\n", "", *gpu.why_not);
    if (!gpu.vulkan.empty()) out += format("{:<12}Vulkan: {}\n", "", join(gpu.vulkan, ", "));
    return out;
}

std::string npu_lines(hardware::NpuReport const& npu) {
    auto out = format("{:<12}{}, firmware {}\n", "npu", npu.name.value_or("unknown"),
                      npu.firmware.value_or("unknown"));
    if (npu.why_not) out += format("{:<12}{}\n", "", *npu.why_not);
    return out;
}

// What a person wants to see at once; --json has all of it.
std::string shown(HardwareReport const& report) {
    auto const& memory = report.memory;
    auto const& platform = report.platform;
    std::string out;
    if (report.board.product)
        out += format("{:<12}{} {}\n", "box", report.board.vendor.value_or(""), *report.board.product);
    auto const in = platform.container ? platform.container : platform.vm;
    out += format("{:<12}{}{}\n", "platform", platform.kind, in ? format(" ({})", *in) : "");
    out += format("{:<12}{}, {} threads usable\n", "cpu", report.cpu.model.value_or(report.cpu.architecture),
                  report.cpu.usable ? std::to_string(*report.cpu.usable) : "unknown");
    out += format("{:<12}{} visible to Linux", "memory", size_of(memory.total));
    if (memory.unified == true && memory.carve_out != Bytes{})
        out += format(", {} set aside for the GPU", size_of(memory.carve_out));
    if (memory.limit && (!memory.total || *memory.limit < *memory.total))
        out += format(", limited to {}", human(*memory.limit));
    out += "\n";
    for (auto const& gpu : report.gpus)
        out += gpu_lines(report, gpu);
    if (report.npu) out += npu_lines(*report.npu);
    out += format("{:<12}{}\n", "kernel", report.software.kernel);
    for (auto const& warning : report.warnings)
        out += format("{:<12}{}\n", "warning", warning);
    auto const& best = report.recommended;
    out += format("{:<12}{} with {} on {}: {}\n", "recommended", best.engine, best.backend, best.device,
                  best.reason);
    return out;
}

Result<int> show(cli::Arguments const& arguments, cli::Context& context, HardwareReport const& report) {
    context.terminal.out(arguments.has("json") ? wire::encode(report) + "\n" : shown(report));
    return cli::exit_ok;
}

Result<HardwareReport> probe_now(os::Places const& places) {
    HAL0_TRY(machine, this_machine());
    return hardware::probe(*machine, probe_input(places));
}

Result<void> write_report(os::Places const& places, HardwareReport const& report) {
    HAL0_CHECK(os::make_directories(places.config));
    return os::atomic_write(report_path(places), wire::encode(report) + "\n");
}

// Where it can't be written (another user's configuration, a full disk), the next question probes anew.
Result<HardwareReport> probe_and_keep(os::Places const& places) {
    HAL0_TRY(report, probe_now(places));
    (void)write_report(places, report);
    return report;
}

}  // namespace

Result<std::unique_ptr<hardware::LiveMachine>> this_machine() {
    return hardware::LiveMachine::open({.argv = {os::own_program(), "driver"}});
}

hardware::ProbeInput probe_input(os::Places const& places) {
    hardware::ProbeInput input{.time = std::chrono::system_clock::now()};
    auto const settings = read_settings(places);
    if (!settings) return input;  // a fault of hal0.toml is 'serve's to tell
    Library const library{places, settings->settings.model_roots};
    input.store = settings->settings.model_roots.front();
    for (auto const& engine : library.engines()) {
        if (engine.state == "installed") input.engines.push_back({engine.id, engine.version, engine.backend});
    }
    return input;
}

std::string report_path(os::Places const& places) { return os::join_path(places.config, "hardware.json"); }

Result<HardwareReport> kept_report(os::Places const& places) {
    HAL0_TRY(text, os::read_file(report_path(places), report_bytes_max));
    auto report = hardware::decode_report(text);
    if (!report) return in_context(format("reading {}", report_path(places)), std::move(report).error());
    return report;
}

Result<HardwareReport> box_report(os::Places const& places) {
    auto report = kept_report(places);
    if (report) return report;
    auto const kind = report.error().kind;
    if (kind == Errc::Corrupt) (void)os::rename_path(report_path(places), report_path(places) + ".bad");
    if (kind == Errc::Corrupt || kind == Errc::NotFound) return probe_and_keep(places);
    return report;
}

Result<int> probe_command(cli::Arguments const& arguments, cli::Context& context) {
    if (arguments.has("root") && arguments.has("record"))
        return cli::misused(context, "--root reads a recorded box and --record makes one: give one of them");
    if (arguments.has("root")) {
        HAL0_TRY(machine, hardware::RecordedMachine::open(arguments.text("root")));
        return show(arguments, context, hardware::probe(*machine, {.time = context.now()}));
    }
    HAL0_TRY(machine, this_machine());
    if (arguments.has("record")) {
        HAL0_CHECK(hardware::record(*machine, arguments.text("record")));
        context.terminal.out(format("recorded in {}\n", arguments.text("record")));
        return cli::exit_ok;
    }
    HAL0_TRY(places, context.places());
    HAL0_TRY(report, probe_now(places));
    HAL0_CHECK(write_report(places, report));
    return show(arguments, context, report);
}

Result<int> driver_command(cli::Arguments const& arguments, cli::Context& context) {
    auto const answer = hardware::answer_role(arguments.text("ROLE"));
    if (!answer) return cli::misused(context, format("there is no driver '{}'", arguments.text("ROLE")));
    context.terminal.out(*answer + "\n");
    return cli::exit_ok;
}

}  // namespace hal0::app
