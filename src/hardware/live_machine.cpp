#include "hardware/live_machine.hpp"

#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/device_node.hpp"
#include "os/system_info.hpp"

namespace hal0::hardware {

Result<std::unique_ptr<LiveMachine>> LiveMachine::open(DriverChild child) {
    HAL0_TRY(files, os::RootedFiles::open("/"));
    return std::unique_ptr<LiveMachine>{new LiveMachine{std::move(files), std::move(child)}};
}

SystemAnswer LiveMachine::system() {
    auto const info = os::system_info();
    SystemAnswer answer{.kernel = info.kernel,
                        .architecture = info.architecture,
                        .user = info.user,
                        .allowed_cpus = info.allowed_cpus,
                        .memlock = info.memlock,
                        .memlock_unlimited = !info.memlock.has_value(),
                        .hypervisor = info.hypervisor,
                        .page_size = info.page_size};
    for (auto const group : info.groups)
        answer.groups.push_back(std::to_string(group));
    return answer;
}

NodeAnswer LiveMachine::node(std::string const& path) {
    auto const status = os::try_node(path);
    NodeAnswer answer{.path = path,
                      .verdict = status.verdict,
                      .owner_user = status.owner_user,
                      .owner_group = status.owner_group,
                      .major = status.major,
                      .minor = status.minor};
    if (status.mode) answer.mode = format("{:04o}", *status.mode);
    if (!answer.opens() || !(path.starts_with("/dev/dri/") || path.starts_with("/dev/accel/"))) return answer;
    if (auto const drm = os::ask_drm(path)) {
        answer.driver = drm->name;
        answer.driver_version = format("{}.{}.{}", drm->major, drm->minor, drm->patch);
        answer.fusion = drm->fusion;
    }
    return answer;
}

void LiveMachine::begin(Asked& asked, std::string const& role) const {
    if (asked.program || child_.argv.empty()) return;
    auto argv = child_.argv;
    argv.push_back(role);
    asked.deadline = Clock::now() + child_.patience;
    auto started = os::AskedProgram::start({.argv = std::move(argv)});
    if (started)
        asked.program = std::move(started).value();
    else
        asked.fault = started.error().message;
}

template <class Answer> Answer LiveMachine::finish(Asked& asked) const {
    auto const unknown = [](std::string const& fault) { return Answer{.state = "unknown", .fault = fault}; };
    if (!asked.program) return unknown(asked.fault.empty() ? "nobody asked" : std::exchange(asked.fault, {}));
    auto const said = asked.program->answer(asked.deadline);
    asked.program.reset();  // the next question is asked anew
    if (!said) return unknown(said.error().message);
    // A driver may have written something of its own first: the answer is the last line.
    auto const text = trim(*said);
    auto answer = wire::decode<Answer>(text.substr(text.rfind('\n') + 1));
    if (!answer) return unknown(answer.error().message);
    return std::move(answer).value();
}

VulkanAnswer LiveMachine::vulkan() {
    expect_vulkan();
    return finish<VulkanAnswer>(vulkan_);
}

NvmlAnswer LiveMachine::nvml() {
    expect_nvml();
    return finish<NvmlAnswer>(nvml_);
}

std::optional<SpaceAnswer> LiveMachine::space(std::string const& path) {
    auto const space = os::file_system_space(path);
    if (!space) return std::nullopt;
    return SpaceAnswer{.type = space->type, .total = space->total, .available = space->available};
}

}  // namespace hal0::hardware
