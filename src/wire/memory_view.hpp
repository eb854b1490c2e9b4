#pragma once
// The body of the memory ledger: who holds what of each pool.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/codec.hpp"
#include "wire/host_view.hpp"

namespace hal0::wire {

struct HolderView {
    static constexpr BodyTitle title{"HolderView", "Who, or what, holds memory of a pool."};
    std::string kind{};
    std::string name{};
    Bytes bytes{};
    Bytes gives_way{};
    std::optional<Bytes> anonymous{};
    std::optional<Bytes> file{};
    std::optional<Bytes> shared{};
    std::optional<Bytes> gpu{};
    std::optional<Bytes> swapped{};
    std::optional<std::int64_t> processes{};
    bool exact{true};
    std::vector<std::string> notes{};
    bool operator==(HolderView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("kind", self.kind,
          "`slot`: a worker with its children; `process`: processes of one name; `processes`: the rest of "
          "them; `outside`: processes that can't be looked at; `nobody`: GPU memory that none of the "
          "processes has that can be looked at; "
          "`driver`: a GPU driver's own; `cache`, `shared`, `kernel`");
        f("name", self.name, "the slot's, the process's, or what it is");
        f("bytes", self.bytes, "of this pool");
        f("gives_way", self.gives_way, "of that, what the kernel takes back when others want memory");
        f("anonymous", self.anonymous, "of processes: their own memory");
        f("file", self.file, "of processes: their share of mapped files, as models are");
        f("shared", self.shared, "of processes: their share of mapped shared memory");
        f("gpu", self.gpu, "of processes: what GPUs hold for them in this pool");
        f("swapped", self.swapped, "of processes: what is in swap, and so not in the pool");
        f("processes", self.processes, "how many");
        f("exact", self.exact, "false: the kernel keeps the exact figure from this user; it isn't more");
        f("notes", self.notes, "what to know of it");
    }
};

struct PoolPartView {
    static constexpr BodyTitle title{"PoolPartView", "What one counter counts of a pool, and no other does."};
    std::string kind{};
    std::string device{};
    std::optional<Bytes> total{};
    std::optional<Bytes> free{};
    std::optional<Bytes> held{};
    std::optional<Bytes> unexplained{};
    bool operator==(PoolPartView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("kind", self.kind,
          "`system memory`, `carve-out`, `VRAM`; where the machine's memory isn't known (LXC), `container` "
          "and `GPU pages` (GTT in use, the whole host's)");
        f("device", self.device, "`host`, or the GPU");
        f("total", self.total, "held, free and unexplained together; null: not known");
        f("free", self.free, "held by nobody, not even as cache");
        f("held", self.held, "by the holders of the pool");
        f("unexplained", self.unexplained,
          "what no source explains; under 0 where something is counted twice");
    }
};

struct PoolCapView {
    static constexpr BodyTitle title{"PoolCapView",
                                     "The most that a GPU takes of the system's memory (GTT)."};
    std::string device{};
    std::optional<Bytes> total{};
    std::optional<Bytes> used{};
    bool operator==(PoolCapView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("device", self.device, "the GPU");
        f("total", self.total, "a limit inside the pool, no memory of its own");
        f("used", self.used, "of that, by everybody");
    }
};

struct PoolView {
    static constexpr BodyTitle title{"PoolView", "A pool of memory, and who holds it."};
    std::string id{};
    std::vector<std::string> devices{};
    std::optional<Bytes> total{};
    std::optional<Bytes> free{};
    std::optional<Bytes> unexplained{};
    std::vector<PoolPartView> parts{};
    std::vector<PoolCapView> caps{};
    std::vector<HolderView> holders{};
    bool operator==(PoolView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "`system`; `unified`, where a GPU computes in the system's memory; or the GPU's");
        f("devices", self.devices, "that compute in it");
        f("total", self.total, "all holders, free and unexplained together; null: not known");
        f("free", self.free, "held by nobody, not even as cache");
        f("unexplained", self.unexplained,
          "what no source explains; under 0 where something is counted twice");
        f("parts", self.parts, "it is made of");
        f("caps", self.caps, "of its GPUs");
        f("holders", self.holders, "slots first, then processes, then the rest; the largest of a kind first");
    }
};

struct MemoryView {
    static constexpr BodyTitle title{"MemoryView", "Who holds the memory of the box."};
    std::string time{};
    std::vector<PoolView> pools{};
    std::optional<Bytes> swap_total{};
    std::optional<Bytes> swap_used{};
    std::optional<HostView> host{};
    std::vector<std::string> warnings{};
    bool operator==(MemoryView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("time", self.time, "when it was read");
        f("pools", self.pools, "that in which the processor computes first, then those of GPUs");
        f("swap_total", self.swap_total, "room in swap");
        f("swap_used", self.swap_used, "of that, in use by everybody");
        f("host", self.host,
          "the Proxmox node underneath; null without proxmox.json, and where a warning says that it didn't "
          "tell");
        f("warnings", self.warnings, "what is worth a look, and what was found and makes no sense");
    }
};

}  // namespace hal0::wire
