#pragma once
// Facts to findings.
#include <vector>

#include "doctor/facts.hpp"
#include "doctor/finding.hpp"

namespace hal0::doctor {

// Errors first, then warnings; of one severity, what must be mended first.
std::vector<Finding> examine(Facts const& facts);

bool has_error(std::vector<Finding> const& findings);

// For a terminal; says so where there is nothing to mend.
std::string shown(std::vector<Finding> const& findings);

}  // namespace hal0::doctor
