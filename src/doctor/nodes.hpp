#pragma once
// Why a device node doesn't open, and what opens it: the same for GPUs, for KFD and for the NPU.
#include <string>

#include "doctor/facts.hpp"
#include "doctor/remedies.hpp"

namespace hal0::doctor {

enum class Closed {
    Open,
    Missing,       // it isn't there
    DeviceRules,   // a container's device cgroup
    Nobody,        // its group has no number in this container
    ForeignGroup,  // its group is another in this container
    Group,         // this user isn't in its group
    Confined,      // its mode would let this user in: AppArmor, SELinux
    Fault,         // the driver's own answer
};
Closed closed_by(Facts const& facts, hardware::NodeAnswer const& node);

std::string seen_of(Facts const& facts, hardware::NodeAnswer const& node);
Lines way_to_open(Facts const& facts, hardware::NodeAnswer const& node);
// All that a container of this box should be given.
Lines nodes_to_pass(Facts const& facts);

}  // namespace hal0::doctor
