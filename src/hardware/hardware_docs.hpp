#pragma once
// docs/hardware.md, from the declarations of the report and the counters.
#include <string>

namespace hal0::hardware {

std::string render_hardware_docs();

}  // namespace hal0::hardware
