#pragma once
// Processes as the ledger knows them: a slot's worker with all that it started is one holder, others go by
// their names. Pure.
#include <cstdint>
#include <string>
#include <vector>

#include "hardware/machine.hpp"
#include "hardware/processes.hpp"

namespace hal0::memory {

struct SlotProcess {
    std::string slot{};
    int pid{0};      // of its worker
    Bytes mapped{};  // weights that it uses as they lie in a file that it maps
    bool operator==(SlotProcess const&) const = default;
};

// What a holder has of one GPU.
struct GpuShare {
    std::string pci{};
    Bytes vram{};
    Bytes gtt{};
    Bytes system{};
    // Of these, buffers that others have too.
    Bytes shared_vram{};
    Bytes shared_gtt{};
    // `system` is pages that the driver keeps in shared memory, where the system's counters have them.
    bool system_is_shared{false};
    bool operator==(GpuShare const&) const = default;
};

struct Holder {
    enum class Kind : std::uint8_t { Slot, Process } kind{Kind::Process};
    std::string name{};
    std::int64_t processes{0};
    Bytes anonymous{};
    Bytes file{};
    Bytes shared{};
    Bytes swapped{};
    bool exact{true};
    Bytes mapped{};  // a slot's: SlotProcess's
    std::vector<GpuShare> gpus{};
    std::vector<std::string> notes{};
    bool operator==(Holder const&) const = default;
    // Of `file`, what it needs where it lies: the system counts it as free, for it could be read again.
    [[nodiscard]] Bytes mapped_in_use() const;
    // Of the system's memory and all GPUs'.
    [[nodiscard]] Bytes total() const;
};

struct Holders {
    std::vector<Holder> all{};   // slots as they were given, also those that hold nothing; then by size
    std::int64_t closed{0};      // processes whose own memory this user may not look at in full
    std::int64_t closed_gpu{0};  // … and whose GPU memory
    // NVIDIA's memory of processes that aren't among those that can be seen.
    std::vector<GpuShare> elsewhere{};
    std::string unseen{};  // hardware::Processes'
};

// What a GPU has in use of the system's memory (GTT), by who holds it.
struct GttUse {
    Bytes own{};      // buffers that one holder has for itself
    Bytes buffers{};  // that several have: told by each, they are at most what is left of what is in use
    Bytes rest{};     // that none of the holders has; under 0 where more is told than is in use
};
GttUse gtt_use(std::vector<Holder> const& holders, std::string const& pci, Bytes in_use);

// A process belongs to a slot when the worker is among its parents, or when it is of the worker's session.
// NVIDIA's memory comes from `nvml`: its driver tells /proc nothing.
Holders holders(hardware::Processes const& processes, hardware::NvmlAnswer const& nvml,
                std::vector<SlotProcess> const& slots);

}  // namespace hal0::memory
