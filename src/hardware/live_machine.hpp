#pragma once
// This machine. Vulkan and NVML load foreign drivers, which may crash, hang or take their time: both are
// asked by a child, a run of this same program, that is killed when its time is up.
#include <memory>
#include <string>
#include <vector>

#include "hardware/machine.hpp"
#include "os/child.hpp"

namespace hal0::hardware {

struct DriverChild {
    std::vector<std::string>
        argv{};  // followed by a DriverRole's name it runs answer_role(); empty: nobody asks
    Duration patience{std::chrono::seconds{2}};
};

class LiveMachine final : public Machine {
  public:
    static Result<std::unique_ptr<LiveMachine>> open(DriverChild child);

    [[nodiscard]] os::FileSystem const& files() const override { return *files_; }
    SystemAnswer system() override;
    NodeAnswer node(std::string const& path) override;
    VulkanAnswer vulkan() override;
    NvmlAnswer nvml() override;
    std::optional<SpaceAnswer> space(std::string const& path) override;
    void expect_vulkan() override { begin(vulkan_, "vulkan"); }
    void expect_nvml() override { begin(nvml_, "nvml"); }

  private:
    struct Asked {
        std::unique_ptr<os::AskedProgram> program{};
        TimePoint deadline{};
        std::string fault{};
    };
    LiveMachine(std::unique_ptr<os::RootedFiles> files, DriverChild child)
        : files_{std::move(files)}, child_{std::move(child)} {}
    void begin(Asked& asked, std::string const& role) const;
    template <class Answer> Answer finish(Asked& asked) const;

    std::unique_ptr<os::RootedFiles> files_;
    DriverChild child_;
    Asked vulkan_{};
    Asked nvml_{};
};

}  // namespace hal0::hardware
