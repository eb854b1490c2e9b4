#include "app/doctor_command.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "app/host_desk.hpp"
#include "app/probe_command.hpp"
#include "app/serve.hpp"
#include "doctor/examine.hpp"
#include "hardware/recorded_machine.hpp"
#include "memory/ledger.hpp"
#include "os/file.hpp"
#include "proxmox/settings.hpp"

namespace hal0::app {
namespace {

// All that the doctor looks at, of one machine, read now: hardware.json may be older than what is wrong.
doctor::Facts facts_of(hardware::Machine& machine, hardware::ProbeInput const& input) {
    doctor::Facts facts{.report = hardware::probe(machine, input)};
    facts.counters = hardware::read_counters(machine, facts.report);
    facts.conditions = hardware::read_conditions(machine, facts.report);
    bool const has_gtt = std::ranges::any_of(
        facts.counters.gpus, [](hardware::GpuCounters const& gpu) { return gpu.gtt_used.has_value(); });
    if (!has_gtt) return facts;
    auto const unheld =
        memory::gtt_unattributed(facts.report, memory::read_ledger_facts(machine, facts.report));
    if (unheld) facts.gtt_unattributed = {unheld->bytes, unheld->all_seen};
    return facts;
}

// Of this home. Proxmox is asked, where it is set up: for 5 s at the most.
std::vector<doctor::Facts::OwnFile> own_files(os::Places const& places,
                                              hardware::PlatformReport const& platform) {
    std::vector<doctor::Facts::OwnFile> found;
    auto const is_closed = [](Error const& error) { return error.kind == Errc::Forbidden; };
    if (auto const settings = read_settings(places); !settings)
        found.push_back({.path = os::join_path(places.config, "hal0.toml"),
                         .fault = settings.error().message,
                         .fix = "# mend it: docs/settings.md has every key; or move it away",
                         .needed = !is_closed(settings.error())});  // the daemon's user may read it
    auto const report = kept_report(places);
    if (!report && report.error().kind != Errc::NotFound)
        found.push_back({.path = report_path(places),
                         .fault = report.error().message,
                         .fix = "hal0 probe  # writes it anew",
                         .needed = false});
    HostDesk host{places};
    host.begin(platform);
    auto const told = host.finish();
    if (told && !*told)
        found.push_back({.path = os::join_path(places.config, proxmox::settings_name),
                         .fault = told->error().message,
                         .fix = "# docs/proxmox.md has what stands in it, and who may read it",
                         .needed = false});
    return found;
}

Result<doctor::Facts> gather(cli::Arguments const& arguments, cli::Context const& context) {
    if (arguments.has("root")) {
        HAL0_TRY(machine, hardware::RecordedMachine::open(arguments.text("root")));
        return facts_of(*machine, {.time = context.now(), .store = "/models"});
    }
    HAL0_TRY(machine, this_machine());
    HAL0_TRY(places, context.places());
    auto facts = facts_of(*machine, probe_input(places));
    facts.own_files = own_files(places, facts.report.platform);
    return facts;
}

}  // namespace

Result<int> doctor_command(cli::Arguments const& arguments, cli::Context& context) {
    HAL0_TRY(facts, gather(arguments, context));
    auto const findings = doctor::examine(facts);
    context.terminal.out(arguments.has("json") ? wire::encode(findings) + "\n" : doctor::shown(findings));
    return doctor::has_error(findings) ? cli::exit_failed : cli::exit_ok;
}

}  // namespace hal0::app
