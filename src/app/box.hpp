#pragma once
// The box that a question is about: this one, or a recorded one; with its memory as it is now.
#include <optional>
#include <string>
#include <vector>

#include "app/host_desk.hpp"
#include "cli/context.hpp"
#include "hardware/counters.hpp"
#include "hardware/report.hpp"
#include "memory/holders.hpp"
#include "memory/pools.hpp"
#include "memory/verdict.hpp"
#include "slots/workers.hpp"

namespace hal0::app {

struct Box {
    hardware::HardwareReport report{};
    std::vector<memory::Pool> pools{};
    std::string name{};  // what measured figures know it by; empty: a recorded one, of which there are none
    std::vector<slots::LivingWorker> workers{};
    memory::Holders holders{};         // of these workers alone
    std::vector<std::string> notes{};  // what to know of the pools

    // What slots hold of the target's memory, in the order in which they would go.
    [[nodiscard]] std::vector<memory::Resident> residents(memory::Target const& target) const;
};

// This machine, by hardware.json where there is one, by a probe where not; in a container also by what its
// host says. Blocks.
Result<Box> look_at_this_box(os::Places const& places, HostDesk& host);
// `root`: a recorded box's folder; no slot lives there. Else this machine.
Result<Box> look_at_box(cli::Context& context, std::optional<std::string> const& root);

struct Device {
    memory::Target target{};
    std::string backend{};
};
// `name`: "cpu" or a GPU's id; nothing: what the report recommends. NotFound names those there are.
Result<Device> device_of(hardware::HardwareReport const& report, std::optional<std::string> const& name);

}  // namespace hal0::app
