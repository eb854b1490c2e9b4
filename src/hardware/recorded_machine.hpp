#pragma once
// A box that was recorded: a folder with `files.txt` (recorded_files.hpp) and `facts.json` (what is no file).
// It answers what was recorded; of all else it knows nothing.
#include <memory>
#include <string>
#include <vector>

#include "hardware/machine.hpp"
#include "hardware/recorded_files.hpp"

namespace hal0::hardware {

struct MachineFacts {
    static constexpr BodyTitle title{"MachineFacts", "Of a recorded box, what is no file."};
    std::optional<SystemAnswer> system{};
    std::vector<NodeAnswer> nodes{};
    std::optional<VulkanAnswer> vulkan{};
    std::optional<NvmlAnswer> nvml{};
    std::optional<SpaceAnswer> space{};
    bool operator==(MachineFacts const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("system", self.system, "the kernel and the process that asks");
        f("nodes", self.nodes, "device nodes that were opened; others are not there");
        f("vulkan", self.vulkan, "what the Vulkan loader said");
        f("nvml", self.nvml, "what NVML said");
        f("space", self.space, "the file system of the model store");
    }
};

inline constexpr std::string_view recorded_files_name = "files.txt";
inline constexpr std::string_view recorded_facts_name = "facts.json";

class RecordedMachine final : public Machine {
  public:
    RecordedMachine(std::unique_ptr<RecordedFiles> files, MachineFacts facts)
        : files_{std::move(files)}, facts_{std::move(facts)} {}
    static Result<std::unique_ptr<RecordedMachine>> open(std::string const& directory);

    [[nodiscard]] os::FileSystem const& files() const override { return *files_; }
    SystemAnswer system() override { return facts_.system.value_or(SystemAnswer{}); }
    NodeAnswer node(std::string const& path) override;
    VulkanAnswer vulkan() override { return facts_.vulkan.value_or(VulkanAnswer{.fault = "not recorded"}); }
    NvmlAnswer nvml() override { return facts_.nvml.value_or(NvmlAnswer{.fault = "not recorded"}); }
    std::optional<SpaceAnswer> space(std::string const&) override { return facts_.space; }

    // For tests, which change single things.
    [[nodiscard]] RecordedFiles& recorded_files() { return *files_; }
    [[nodiscard]] MachineFacts& facts() { return facts_; }

  private:
    std::unique_ptr<RecordedFiles> files_;
    MachineFacts facts_;
};

}  // namespace hal0::hardware
