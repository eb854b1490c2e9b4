#pragma once
// docs/slots.md: the state machine as a picture and as tables, both found by asking step() itself.
#include <string>

namespace hal0::slots {

std::string render_state_docs();

}  // namespace hal0::slots
