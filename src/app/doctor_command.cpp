#include "app/doctor_command.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "app/probe_command.hpp"
#include "doctor/examine.hpp"
#include "hardware/recorded_machine.hpp"
#include "memory/ledger.hpp"

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

Result<doctor::Facts> gather(cli::Arguments const& arguments, cli::Context const& context) {
    if (arguments.has("root")) {
        HAL0_TRY(machine, hardware::RecordedMachine::open(arguments.text("root")));
        return facts_of(*machine, {.time = context.now(), .store = "/models"});
    }
    HAL0_TRY(machine, this_machine());
    HAL0_TRY(places, context.places());
    return facts_of(*machine, probe_input(places));
}

}  // namespace

Result<int> doctor_command(cli::Arguments const& arguments, cli::Context& context) {
    HAL0_TRY(facts, gather(arguments, context));
    auto const findings = doctor::examine(facts);
    context.terminal.out(arguments.has("json") ? wire::encode(findings) + "\n" : doctor::shown(findings));
    return doctor::has_error(findings) ? cli::exit_failed : cli::exit_ok;
}

}  // namespace hal0::app
