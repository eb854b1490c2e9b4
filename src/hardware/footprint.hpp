#pragma once
// What one worker holds at this moment, told apart so that it can be held against a plan: its own pages, and
// those of the files that it has mapped, which the page cache has anyway.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hardware/machine.hpp"

namespace hal0::hardware {

struct Footprint {
    Bytes own{};     // anonymous and shared memory, resident or swapped, and the program's own files
    Bytes mapped{};  // resident of the model's files
    bool maps_model{false};
    bool operator==(Footprint const&) const = default;
    Footprint& operator+=(Footprint const& other) {
        own += other.own;
        mapped += other.mapped;
        maps_model = maps_model || other.maps_model;
        return *this;
    }
};

// Of all of these together; `model_files` are names without directories. Forbidden where the kernel keeps a
// process from this user, NotFound when none is there any more.
Result<Footprint> read_footprint(Machine& machine, std::vector<int> const& pids,
                                 std::vector<std::string> const& model_files);

// GPU memory of these processes, on the GPU with that PCI address. Nothing where the driver doesn't tell:
// that is not 0.
std::optional<Bytes> read_gpu_footprint(Machine& machine, std::vector<int> const& pids,
                                        std::string const& pci);

// The text of /proc/PID/smaps.
Footprint parse_smaps(std::string_view text, std::vector<std::string> const& model_files);

}  // namespace hal0::hardware
