#pragma once
// The box that a command asks about: this one, or a recorded one; with its memory as it is now.
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "hardware/counters.hpp"
#include "hardware/report.hpp"
#include "memory/pools.hpp"
#include "memory/verdict.hpp"

namespace hal0::app {

struct Box {
    hardware::HardwareReport report{};
    std::vector<memory::Pool> pools{};
};

// `root`: a recorded box's folder. Else this machine, by hardware.json where there is one, by a probe where
// not; nothing is written.
Result<Box> look_at_box(cli::Context& context, std::optional<std::string> const& root);

struct Device {
    memory::Target target{};
    std::string backend{};
};
// `name`: "cpu" or a GPU's id; nothing: what the report recommends. NotFound names those there are.
Result<Device> device_of(hardware::HardwareReport const& report, std::optional<std::string> const& name);

}  // namespace hal0::app
