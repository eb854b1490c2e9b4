#pragma once
// Finds out what a box is. Asks a Machine and nothing else, runs no program of the box's, needs no right that
// its user hasn't.
#include <string>
#include <vector>

#include "hardware/machine.hpp"
#include "hardware/report.hpp"

namespace hal0::hardware {

// What only the caller knows.
struct ProbeInput {
    WallTime time{};
    std::string store{};  // where models are kept; need not be there
    std::vector<InstalledReport> engines{};
    std::vector<InstalledReport> toolboxes{};
};

// Takes as long as the machine's drivers do, which have a deadline of their own; the rest is milliseconds.
HardwareReport probe(Machine& machine, ProbeInput const& input);

}  // namespace hal0::hardware
