#pragma once
// The conditions that a box works under: what its users may do, how it is set up, what its power management
// does at this moment. Nothing here says what the box is: that is its report.
#include <optional>
#include <string>
#include <vector>

#include "hardware/machine.hpp"
#include "hardware/report.hpp"

namespace hal0::hardware {

struct GpuConditions {
    static constexpr BodyTitle title{"GpuConditions", "What the power management of one GPU does now."};
    std::string id{};
    std::optional<std::string> performance_level{};
    std::optional<std::int64_t> clock_mhz{};
    std::optional<std::int64_t> clock_min_mhz{};
    std::optional<std::int64_t> clock_max_mhz{};
    std::optional<std::int64_t> busy_percent{};
    std::optional<std::string> mes_firmware{};
    bool operator==(GpuConditions const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "the report's");
        f("performance_level", self.performance_level,
          "`power_dpm_force_performance_level`: `auto`, `low`, …");
        f("clock_mhz", self.clock_mhz, "of its cores now (`pp_dpm_sclk`)");
        f("clock_min_mhz", self.clock_min_mhz, "the least of its levels");
        f("clock_max_mhz", self.clock_max_mhz, "the greatest of its levels");
        f("busy_percent", self.busy_percent, "`gpu_busy_percent`");
        f("mes_firmware", self.mes_firmware, "version of its scheduler's firmware (`mes_fw_version`)");
    }
};

struct GroupFact {
    static constexpr BodyTitle title{"GroupFact", "A group of /etc/group that devices belong to."};
    std::string name{};
    std::int64_t number{0};
    bool has_service_user{false};
    bool operator==(GroupFact const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name, "`render` or `video`");
        f("number", self.number, "its number on this box, or in this container");
        f("has_service_user", self.has_service_user, "whether the user `hal0` is in it");
    }
};

struct ModuleOption {
    static constexpr BodyTitle title{"ModuleOption",
                                     "A line of modprobe's configuration about a GPU or NPU driver."};
    std::string file{};
    std::string line{};
    bool operator==(ModuleOption const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("file", self.file, "where it stands");
        f("line", self.line, "`options ttm pages_limit=…`, `blacklist amdgpu`, …");
    }
};

struct Conditions {
    static constexpr BodyTitle title{"Conditions", "The conditions that the box works under."};
    std::int64_t user{0};
    std::vector<std::string> user_groups{};
    std::vector<GroupFact> groups{};
    bool service_user{false};
    std::vector<NodeAnswer> nodes{};
    std::vector<GpuConditions> gpus{};
    std::optional<std::string> platform_profile{};
    std::vector<std::string> platform_profiles{};
    std::optional<bool> on_mains{};
    std::vector<ModuleOption> module_options{};
    std::string ttm_module{"ttm"};
    std::vector<std::string> environment{};
    std::vector<std::string> boot{};
    std::vector<std::string> swap{};
    std::vector<std::string> warnings{};
    bool operator==(Conditions const&) const = default;
    [[nodiscard]] NodeAnswer const* node(std::string const& path) const;
    [[nodiscard]] GroupFact const* group(std::string_view name) const;
    // Of an environment variable; nothing where it isn't set.
    [[nodiscard]] std::optional<std::string> variable(std::string_view name) const;
    [[nodiscard]] bool boots_with(std::string_view way) const;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("user", self.user, "the number of the user who asks");
        f("user_groups", self.user_groups, "the numbers of all groups of that user");
        f("groups", self.groups, "`render` and `video`, where /etc/group has them");
        f("service_user", self.service_user, "whether there is a user `hal0`");
        f("nodes", self.nodes, "what opening the nodes of the GPUs, of KFD and of the NPU gave");
        f("gpus", self.gpus, "those of AMD's driver that are awake");
        f("platform_profile", self.platform_profile, "the firmware's: `balanced`, `low-power`, …");
        f("platform_profiles", self.platform_profiles, "those it offers");
        f("on_mains", self.on_mains, "whether it is on mains; null where no power supply tells");
        f("module_options", self.module_options,
          "of /etc/modprobe.d, /run/modprobe.d and /usr/lib/modprobe.d");
        f("ttm_module", self.ttm_module, "`ttm`, or `amdttm`, of AMD's own package of the driver");
        f("environment", self.environment,
          "variables of the process that asks, of those that change which GPU or driver is used");
        f("boot", self.boot,
          "how it boots, of what can be seen: `grub`, `kernel-cmdline`, `systemd-boot`, `proxmox-boot`, "
          "`kernelstub`, `ostree`");
        f("swap", self.swap, "the areas in which something lies (/proc/swaps): `/dev/zram0`, `/swapfile`, …");
        f("warnings", self.warnings, "what was found and makes no sense: it counts as unknown");
    }
};

// `report`: this machine's. Opens device nodes; wakes no GPU that sleeps.
Conditions read_conditions(Machine& machine, HardwareReport const& report);

// "0: 600Mhz *\n1: 2900Mhz": the levels of a clock, in MHz.
struct ClockLevels {
    std::optional<std::int64_t> now{};
    std::int64_t min{0};
    std::int64_t max{0};
};
std::optional<ClockLevels> parse_clock_levels(std::string_view text);

// Of /proc/swaps, those in which something lies. lxcfs's names "none", which is no area.
std::vector<std::string> parse_swaps(std::string_view text);

// Of the files above, what is read: for the reading, and for recordings, which hold no more.
bool matters_of_environment(std::string_view variable);
bool matters_of_modprobe(std::string_view line);
// A line's words, however many blanks and tabs stand between them.
std::vector<std::string> words_of_line(std::string_view line);

}  // namespace hal0::hardware
