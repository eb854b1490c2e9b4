#pragma once
// What the child does that LiveMachine starts: ask one foreign driver, and write its answer as JSON.
#include <optional>
#include <string>
#include <string_view>

#include "hardware/machine.hpp"

namespace hal0::hardware {

VulkanAnswer ask_vulkan();
NvmlAnswer ask_nvml();

// The answer of the role of that name ("vulkan", "nvml") as JSON; nothing for another name. The drivers may
// write to the error stream, crash, or never return.
std::optional<std::string> answer_role(std::string_view role);

}  // namespace hal0::hardware
