#pragma once
// Makes a recorded box of a machine: all that the probe and the counters asked, and what came. Serial
// numbers, UUIDs and names of the host and its users are not among it, or are taken out.
#include <memory>
#include <string>
#include <vector>

#include "hardware/machine.hpp"
#include "hardware/recorded_machine.hpp"
#include "hardware/report.hpp"

namespace hal0::hardware {

// Passes each question on, and keeps the answer.
class RecordingMachine final : public Machine {
  public:
    explicit RecordingMachine(Machine& machine);
    ~RecordingMachine() override;

    [[nodiscard]] os::FileSystem const& files() const override;
    SystemAnswer system() override;
    NodeAnswer node(std::string const& path) override;
    VulkanAnswer vulkan() override;
    NvmlAnswer nvml() override;
    std::optional<SpaceAnswer> space(std::string const& path) override;
    void expect_vulkan() override { machine_.expect_vulkan(); }
    void expect_nvml() override { machine_.expect_nvml(); }

    [[nodiscard]] RecordedFiles& recorded_files();
    [[nodiscard]] MachineFacts const& facts() const { return facts_; }

  private:
    class Files;
    Machine& machine_;
    std::unique_ptr<Files> files_;
    MachineFacts facts_{};
};

// Probes the machine and writes the folder, which is made where it isn't there. Exists where a recording is
// in it.
Result<void> record(Machine& machine, std::string const& directory);

// Of a file's text, what a recording keeps: of long lists only the lines that the probe looked for, of DMI
// tables the part without strings.
std::string scrubbed(std::string const& path, std::string const& text, std::vector<GpuReport> const& gpus);

}  // namespace hal0::hardware
