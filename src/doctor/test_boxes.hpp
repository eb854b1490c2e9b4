#pragma once
// For tests: a recorded box, and the facts of it.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/format.hpp"
#include "doctor/facts.hpp"
#include "doctor/finding.hpp"
#include "hardware/probe.hpp"
#include "hardware/recorded_machine.hpp"
#include "os/file.hpp"

namespace hal0::doctor {

inline std::string directory_of_box(std::string const& name) { return "tests/boxes/" + name; }

inline std::vector<std::string> box_names() {
    std::vector<std::string> names;
    for (auto& name : os::list_directory("tests/boxes").value_or({})) {
        if (os::exists(format("{}/{}", directory_of_box(name), hardware::recorded_files_name)))
            names.push_back(std::move(name));
    }
    return names;
}

inline std::unique_ptr<hardware::RecordedMachine> recorded_box(std::string const& name) {
    return std::move(hardware::RecordedMachine::open(directory_of_box(name))).value();
}

inline Facts facts_of(hardware::Machine& machine) {
    Facts facts{.report = hardware::probe(machine, {.store = "/models"})};
    facts.counters = hardware::read_counters(machine, facts.report);
    facts.conditions = hardware::read_conditions(machine, facts.report);
    return facts;
}

// "error gpu-node-group", as findings.json has them.
inline std::string in_short(Finding const& finding) { return format("{} {}", finding.severity, finding.id); }

}  // namespace hal0::doctor
