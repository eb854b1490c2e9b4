#include "hardware/drivers.hpp"

namespace hal0::hardware {

std::optional<std::string> answer_role(std::string_view role) {
    if (role == "vulkan") return wire::encode(ask_vulkan());
    if (role == "nvml") return wire::encode(ask_nvml());
    return std::nullopt;
}

}  // namespace hal0::hardware
