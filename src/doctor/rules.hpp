#pragma once
// The table of rules: docs/doctor.md is made of it, examine() goes through it.
#include <string>
#include <string_view>
#include <vector>

#include "doctor/facts.hpp"
#include "doctor/finding.hpp"

namespace hal0::doctor {

// What one rule saw. What is empty is as its rule has it.
struct Symptom {
    Severity severity{Severity::Warning};
    std::string headline{};
    std::string evidence{};
    std::string why{};
    std::vector<std::string> fix{};
};
using Symptoms = std::vector<Symptom>;

struct Rule {
    std::string_view id{};
    std::string_view headline{};
    std::string_view why{};
    std::string_view seen{};    // how it is recognised, for docs/doctor.md
    std::string_view remedy{};  // what to do, the same
    std::string_view reference{};
    Symptoms (*look)(Facts const&){nullptr};
};

// In the order in which things must be mended: a rule comes before those whose symptoms its own causes.
std::vector<Rule> rules();

// One list per subject, in that order.
std::vector<Rule> kernel_rules();
std::vector<Rule> node_rules();
std::vector<Rule> container_rules();
std::vector<Rule> graphics_rules();
std::vector<Rule> memory_rules();
std::vector<Rule> rocm_rules();
std::vector<Rule> npu_rules();
std::vector<Rule> power_rules();
std::vector<Rule> room_rules();

}  // namespace hal0::doctor
