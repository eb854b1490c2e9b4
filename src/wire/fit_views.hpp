#pragma once
// The bodies of `hal0 fit` and `hal0 loadout`: what a model would take, and whether a box has it.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/codec.hpp"

namespace hal0::wire {

// "model.gguf", or anything with a '/': a path, and no model's name.
inline bool names_a_file(std::string_view name) {
    return name.ends_with(".gguf") || name.find('/') != std::string_view::npos;
}

// Asked in the query of GET /api/fit, and by the flags of `hal0 fit`. What is left out has a slot's default.
struct FitQuestion {
    std::string model{};
    std::optional<std::int64_t> context{};
    std::optional<std::int64_t> parallel{};
    std::optional<std::int64_t> ubatch{};
    std::optional<std::int64_t> cache_ram_mib{};
    std::optional<std::string> kv_type{};
    std::optional<std::string> flash_attention{};
    std::optional<std::string> device{};
    std::optional<std::string> engine{};
    std::optional<std::string> mmproj{};  // a file
    std::optional<std::string> draft{};   // a model, as `model`
    std::optional<bool> mtp{};
    bool operator==(FitQuestion const&) const = default;
};

struct FitTerm {
    static constexpr BodyTitle title{"FitTerm", "One thing that memory is taken for."};
    std::string name{};
    Bytes bytes{};
    std::string exactness{};
    std::string source{};
    bool operator==(FitTerm const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name,
          "`weights`, `token embeddings`, `context`, `compute buffer`, `output buffer`, `context "
          "checkpoints`, `prompt cache`, `mmproj`, `mmproj compute buffer`, `process`, `driver context`; "
          "with "
          "`draft ` in front "
          "those of a draft model, with `MTP ` those of the model's own layers that draft");
        f("bytes", self.bytes, "how much");
        f("exactness", self.exactness,
          "`exact`; `bound`: not less than what will be taken; or `least`: more may come, as `source` says");
        f("source", self.source, "where the figure comes from");
    }
};

struct FitDevice {
    static constexpr BodyTitle title{"FitDevice", "What is taken on one device."};
    std::string device{};
    Bytes total{};
    std::vector<FitTerm> terms{};
    bool operator==(FitDevice const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("device", self.device, "`host`, or a GPU's id in the report of `hal0 probe`");
        f("total", self.total, "sum of the terms");
        f("terms", self.terms, "one by one");
    }
};

struct FitSettings {
    static constexpr BodyTitle title{"FitSettings", "What the plan was made for."};
    std::int64_t context{0};
    std::int64_t parallel{1};
    std::string kv_type{};
    std::int64_t ubatch{0};
    std::string flash_attention{};
    std::string device{};
    std::string backend{};
    std::string engine{};
    bool operator==(FitSettings const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("context", self.context, "tokens that one request can use, as a slot has it");
        f("parallel", self.parallel, "requests served at a time");
        f("kv_type", self.kv_type, "of the cache: `f16`, `q8_0`, …");
        f("ubatch", self.ubatch, "tokens evaluated in one piece");
        f("flash_attention", self.flash_attention, "`on`, `off` or `auto`");
        f("device", self.device, "`cpu`, or a GPU's id");
        f("backend", self.backend, "what it computes with: `cpu`, `vulkan`, `rocm` or `cuda`");
        f("engine", self.engine, "the engine and its version; empty where none is installed");
    }
};

struct FitPool {
    static constexpr BodyTitle title{"FitPool",
                                     "The memory that it would go into, as the counters tell now."};
    std::string id{};
    std::optional<Bytes> total{};
    std::optional<Bytes> used{};
    std::optional<Bytes> free{};
    std::optional<Bytes> carve_out{};
    std::optional<Bytes> cap{};
    std::optional<Bytes> cap_used{};
    bool host_known{true};
    bool operator==(FitPool const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "`system`, `unified`, or the GPU whose own it is");
        f("total", self.total, "all of it: of a unified pool what Linux sees, and the carve-out");
        f("used", self.used, "by anybody");
        f("free", self.free, "what can be had");
        f("carve_out", self.carve_out, "what of it the firmware set aside for the GPU");
        f("cap", self.cap, "the most that the GPU takes of the rest (GTT): no memory of its own");
        f("cap_used", self.cap_used, "of that, now");
        f("host_known", self.host_known, "false in an LXC: what its host has left is unknown then");
    }
};

struct FitVerdict {
    static constexpr BodyTitle title{"FitVerdict", "Whether there is room."};
    std::string verdict{};
    std::optional<std::string> limit{};
    std::optional<Bytes> need{};
    std::optional<Bytes> free{};
    std::optional<Bytes> capacity{};
    std::optional<Bytes> headroom{};
    std::vector<std::string> evict{};
    std::vector<std::string> stays{};
    std::string sentence{};
    bool operator==(FitVerdict const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("verdict", self.verdict,
          "`fits`; `tight`: little is left; `needs eviction`; `pages`: others hold what it needs; `never`; "
          "or "
          "`unknown`");
        f("limit", self.limit,
          "what decided: the `pool`, the `cap` on what the GPU may take, the `carve-out` where it has that "
          "alone, the `processor limit` of this "
          "process's cgroup or container, or the `allocation` that the driver gives at a time");
        f("need", self.need, "what is needed under that limit");
        f("free", self.free, "what there is under it now");
        f("capacity", self.capacity, "what there is under it with nothing else loaded");
        f("headroom", self.headroom, "what is left under it afterwards; under 0: what is missing");
        f("evict", self.evict, "slots that would have to go, in that order");
        f("stays", self.stays, "slots that hold memory now and would stay");
        f("sentence", self.sentence, "all that for people");
    }
};

struct FitView {
    static constexpr BodyTitle title{"FitView", "What a model would take, and whether this box has it."};
    std::string model{};
    std::string from{};
    Bytes size{};
    FitSettings settings{};
    std::optional<std::string> mmproj{};
    std::optional<std::string> draft{};
    bool mtp{false};
    std::string exactness{};
    std::string planned_by{};
    std::vector<FitDevice> devices{};
    Bytes total{};
    FitPool pool{};
    FitVerdict fit{};
    std::optional<std::string> fault{};
    std::optional<std::int64_t> context_max{};
    std::optional<std::int64_t> context_that_fits{};
    std::optional<std::int64_t> context_beside_all{};
    std::vector<std::string> notes{};
    bool operator==(FitView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("model", self.model, "its id, its name, or its file");
        f("from", self.from,
          "`store`, `file`, `url`: by the header that 'hal0 fit' has read there, or `loadout`: sized without "
          "its file");
        f("size", self.size, "of its files");
        f("settings", self.settings, "what the plan was made for");
        f("mmproj", self.mmproj, "the projector for images and sound that is loaded with it; null: none");
        f("draft", self.draft, "the model that drafts for it; null: none");
        f("mtp", self.mtp, "whether its own further layers draft (MTP)");
        f("exactness", self.exactness,
          "`exact`: as the engine that will run it allocates, to the byte, but for `process`, `driver "
          "context` "
          "and what grows up to a limit; else `bound`, or `least` where something is counted that more may "
          "come of");
        f("planned_by", self.planned_by, "the engine's planner, or hal0's own formulas and why");
        f("devices", self.devices, "the host's first");
        f("total", self.total, "on all devices");
        f("pool", self.pool, "where its largest part would go");
        f("fit", self.fit, "whether there is room");
        f("fault", self.fault,
          "why it wouldn't load as its files are, whatever room there is; null: not known");
        f("context_max", self.context_max, "what it was trained for; null where it doesn't say");
        f("context_that_fits", self.context_that_fits,
          "the most tokens of one request with these settings: with those of `fit.evict` gone where the "
          "verdict counts on that, else beside what is loaded now; 0: not even the fewest; null where nobody "
          "can tell");
        f("context_beside_all", self.context_beside_all,
          "the same with nobody gone; null where the verdict lets nobody go, or nobody can tell");
        f("notes", self.notes, "what else there is to know");
    }
};

struct LoadoutSlotView {
    static constexpr BodyTitle title{"LoadoutSlotView", "One slot of a loadout's tier."};
    std::string slot{};
    std::string model{};
    std::string kind{};
    std::int64_t context{0};
    Bytes size{};
    Bytes stated{};
    std::optional<std::string> note{};
    std::optional<Bytes> total{};
    bool operator==(LoadoutSlotView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("slot", self.slot, "its name");
        f("model", self.model, "what it serves");
        f("kind", self.kind, "`chat`, `embed`, `stt` or `tts`");
        f("context", self.context, "tokens of one request; 0: it has no context");
        f("size", self.size, "of its file, added up from its tensors");
        f("stated", self.stated, "of its file, as it is said");
        f("note", self.note, "where that is off, and why");
        f("total", self.total, "what it takes on this box, loaded; null where that wasn't asked");
    }
};

struct LoadoutTierView {
    static constexpr BodyTitle title{"LoadoutTierView", "One tier of a loadout."};
    std::string id{};
    std::vector<LoadoutSlotView> slots{};
    std::vector<std::string> alternatives{};
    std::optional<std::string> smaller{};
    Bytes size{};
    std::optional<Bytes> total{};
    std::optional<FitVerdict> fit{};
    std::optional<std::int64_t> context_that_fits{};
    bool operator==(LoadoutTierView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "`small`, `mid`, `large`, …");
        f("slots", self.slots, "all of them loaded at a time");
        f("alternatives", self.alternatives, "other models for it");
        f("smaller", self.smaller,
          "the model to take for the first slot where the tier doesn't fit: where that was asked one that "
          "goes, or null");
        f("size", self.size, "of all files");
        f("total", self.total, "what all of it takes on this box; null where that wasn't asked");
        f("fit", self.fit, "whether there is room; null where that wasn't asked");
        f("context_that_fits", self.context_that_fits,
          "where it doesn't fit: the most tokens of the first slot with which it does, beside what is loaded "
          "now or with slots gone; 0: none");
    }
};

struct LoadoutView {
    static constexpr BodyTitle title{"LoadoutView", "Which models make a box good at something."};
    std::string id{};
    std::string name{};
    std::string about{};
    std::vector<LoadoutTierView> tiers{};
    bool operator==(LoadoutView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "what it is called by");
        f("name", self.name, "for people");
        f("about", self.about, "in a sentence");
        f("tiers", self.tiers, "from small to large");
    }
};

}  // namespace hal0::wire
