#include "hardware/hardware_docs.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/format.hpp"
#include "hardware/conditions.hpp"
#include "hardware/counters.hpp"
#include "hardware/report.hpp"

namespace hal0::hardware {
namespace {

constexpr std::string_view opening = R"(# What hal0 knows of a box

<!-- Made by `build/dev/bin/hal0-hardware-docs` from src/hardware: don't edit it here. -->

`hal0 probe` finds out what the box is and writes `hardware.json` into the configuration directory (`hal0 places`). It
needs no daemon and no root, runs no program of the box's, and is to be run again after a change of the BIOS, the kernel
or the graphics drivers. `--root DIR` reads a [recorded box](../tests/boxes/README.md) instead; `--record DIR` makes one,
without serial numbers, UUIDs and names of hosts and users: the best thing to add to a report of a fault.

## What unknown means

`null` is unknown, and nothing is put in its place. A file that isn't there, or that this user may not read, leaves its
members `null`. One that holds nonsense (no number, 2^64, a negative size, 200 GB of "VRAM" on a chip whose boxes end at
128 GiB) does so too, and is told of in `warnings`.

- **Whether a GPU can be used, opening its node says**: not its group, not its mode, not whether a container is
  privileged. `EACCES` is the node's mode, `EPERM` a container's device rules, `ENOENT` that the container wasn't given
  it; anything else is the driver's own answer.
- **Unified memory is what the driver says**: amdgpu's FUSION flag through the render node where that opens, else the PCI
  id. Sizes are never compared for it: carve-outs of 0.5 to 96 GiB are all of one kind.
- **GTT is a cap, not memory**: `gtt_total` is how much of the system's memory the GPU may take. It is no part of what is
  installed, and what is left under it may be in use by others.
- **The carve-out is beside `total`**: the firmware took it away before Linux started. What the firmware keeps for itself
  (`hidden`) is known only where root could read the memory modules.
- **In an LXC** /proc/meminfo is lxcfs's view of the container, while the GPU's counters are the whole host's. What the
  host has left is unknown (`host_known` is false) unless Proxmox is asked.
- **Vulkan and NVML run foreign drivers**: a child asks them, and is killed when it hasn't answered in 2 s. `unknown` is
  then no verdict against the GPU.

## hardware.json

)";

constexpr std::string_view on_counters = R"(## Counters

Read each time somebody looks, never kept.

)";

constexpr std::string_view on_conditions = R"(## Conditions

What `hal0 doctor` looks at beside the report and the counters ([doctor.md](doctor.md)).

)";

class Bodies {
  public:
    void add(wire::BodyDoc const& doc) {
        auto const known = [&doc](wire::BodyDoc const& other) { return other.name == doc.name; };
        if (std::any_of(all_.begin(), all_.end(), known)) return;
        all_.push_back(doc);
        for (auto const& field : doc.fields) {
            if (field.body != nullptr) add(field.body());
        }
    }
    [[nodiscard]] std::string text() const {
        std::string out;
        for (auto const& body : all_) {
            out += format("### {}\n\n{}\n\n| member | type | what it is |\n|---|---|---|\n", body.name,
                          body.what);
            for (auto const& field : body.fields)
                out += format("| `{}` | {} | {} |\n", field.name, field.type, field.meaning);
            out += "\n";
        }
        return out;
    }

  private:
    std::vector<wire::BodyDoc> all_{};
};

template <wire::Body T> std::string bodies_of() {
    Bodies bodies;
    bodies.add(wire::describe<T>());
    return bodies.text();
}

}  // namespace

std::string render_hardware_docs() {
    auto out = std::string{opening} + bodies_of<HardwareReport>() + std::string{on_counters} +
               bodies_of<MemoryCounters>() + std::string{on_conditions} + bodies_of<Conditions>();
    out.pop_back();
    return out;
}

}  // namespace hal0::hardware
