#pragma once
// What a worker runs with, held against what its slot's file makes of it now. Pure.
#include <optional>
#include <string>
#include <vector>

#include "engines/worker_spec.hpp"

namespace hal0::slots {

struct SettingDiff {
    std::string what{};                       // "model", "engine", or an option: "--ctx-size"
    std::optional<std::string> running{};     // nothing: it runs without
    std::optional<std::string> configured{};  // nothing: the next worker is without
    bool operator==(SettingDiff const&) const = default;
};
// Of options by all their names; where and by what key they are said makes no difference.
std::vector<SettingDiff> settings_diff(engines::WorkerSpec const& running,
                                       engines::WorkerSpec const& configured);

}  // namespace hal0::slots
