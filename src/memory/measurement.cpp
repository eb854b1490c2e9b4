#include "memory/measurement.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"

namespace hal0::memory {
namespace {

// More than any machine has; and sums of such don't overflow.
constexpr Bytes size_max = 65'536_GiB;

// The backend's plain memory, into which the engine maps a file's tensors where it can. What has another name
// (CPU_REPACK, AMX) holds copies.
bool is_plain(std::string_view buffer) { return buffer == "CPU" || buffer.ends_with("_Host"); }

bool plausible(std::optional<Bytes> size) { return !size || (*size >= Bytes{} && *size <= size_max); }

bool plausible(PlannedLoad const& planned) {
    return std::ranges::all_of(std::initializer_list<Bytes>{planned.context, planned.copied, planned.mappable,
                                                            planned.later, planned.gpu},
                               [](Bytes size) { return plausible(std::optional{size}); });
}

bool plausible(Measurement const& load) {
    return plausible(load.own_loaded) && plausible(load.own_used) && plausible(load.gpu) &&
           (!load.planned || plausible(*load.planned));
}

void raise(std::optional<Bytes>& known, std::optional<Bytes> reading) {
    if (reading) known = std::max(known.value_or(*reading), *reading);
}

void drop_oldest(std::vector<Measurement>& loads) {
    auto const& last = loads.back();
    auto const same = [&last](Measurement const& load) { return load.at == last.at; };
    if (std::ranges::count_if(loads, same) > static_cast<std::ptrdiff_t>(loads_kept_each))
        loads.erase(std::ranges::find_if(loads, same));
    if (loads.size() > loads_kept_max) loads.erase(loads.begin());
}

bool counts(Measurement const& load, Circumstances const& now) {
    auto const& at = load.at;
    return at.box == now.box && at.engine == now.engine && at.version == now.version &&
           at.backend == now.backend;
}

// As settings_name() writes them.
std::int64_t sequences_of(Circumstances const& at) {
    constexpr std::string_view key = "parallel=";
    auto const found = at.settings.find(key);
    if (found == std::string::npos) return 1;
    auto const begin = found + key.size();
    return to_int(std::string_view{at.settings}.substr(begin, at.settings.find(' ', begin) - begin))
        .value_or(1);
}

// What the process took beside its plan; nothing where that can't be told.
std::optional<Bytes> process_bytes(Measurement const& load) {
    if (!load.planned || !load.own_loaded) return std::nullopt;
    auto const& planned = *load.planned;
    auto const held = planned.context + planned.copied + (load.maps_model ? Bytes{} : planned.mappable);
    auto const loaded = *load.own_loaded - held;
    // Less than it holds by its plan: this engine doesn't do as is thought here, and teaches nothing.
    if (loaded <= Bytes{}) return std::nullopt;
    return std::max(loaded, load.own_used.value_or(Bytes{}) - held - planned.later);
}

std::optional<Bytes> driver_bytes(Measurement const& load) {
    if (!load.planned || !load.gpu || *load.gpu < load.planned->gpu) return std::nullopt;
    return *load.gpu - load.planned->gpu;
}

// What was reckoned on top of a load, and for how many sequences that it hadn't.
struct OnTop {
    Bytes bytes{};
    std::int64_t sequences{0};
};

// The largest of some loads, and how it became known.
class Largest {
  public:
    void take(std::optional<Bytes> bytes, Measurement const& load, OnTop const& on_top = {}) {
        if (!bytes) return;
        if (loads_ == 0 || *bytes + on_top.bytes > bytes_) on_top_ = on_top;
        ++loads_;
        bytes_ = std::max(bytes_, *bytes + on_top.bytes);
        time_ = std::max(time_, load.time);
    }
    [[nodiscard]] bool any() const { return loads_ > 0; }
    [[nodiscard]] std::optional<LearnedBytes> with(Bytes margin, std::string_view of) const {
        if (loads_ == 0) return std::nullopt;
        constexpr std::size_t date = 10;  // of "2026-11-25T20:00:00Z"
        return LearnedBytes{
            bytes_ + margin,
            format("measured on this box on {}, {} load{} of {}: {} at the most{}, and {} for what use adds",
                   time_.substr(0, date), loads_, loads_ == 1 ? "" : "s", of, human(bytes_ - on_top_.bytes),
                   on_top_text(), human(margin))};
    }

  private:
    [[nodiscard]] std::string on_top_text() const {
        if (on_top_.sequences == 0) return {};
        return format(", {} for {} sequence{} more than it had then", human(on_top_.bytes), on_top_.sequences,
                      on_top_.sequences == 1 ? "" : "s");
    }

    int loads_{0};
    Bytes bytes_{};
    OnTop on_top_{};
    std::string time_{};
};

}  // namespace

PlannedLoad planned_load(engines::Plan const& plan, Bytes growing) {
    PlannedLoad load{.later = plan.output.value_or(Bytes{}) + growing};
    for (auto const& buffer : plan.buffers) {
        if (buffer.device != engines::planned_host) {
            load.gpu += buffer.model + buffer.context + buffer.compute;
            continue;
        }
        (is_plain(buffer.buffer) ? load.mappable : load.copied) += buffer.model;
        load.context += buffer.context;
        load.later += buffer.compute;
    }
    return load;
}

std::string settings_name(engines::PlanRequest const& request) {
    return format("{} cache_ram={} checkpoints={}", engines::question(request, request.context),
                  request.cache_ram.count, request.checkpoints);
}

std::string encode(MeasuredLoads const& measured) { return wire::encode(measured) + "\n"; }

Result<MeasuredLoads> decode_measured(std::string_view text) {
    auto const value = json::parse(text);
    if (!value) return Error{Errc::Corrupt, value.error().message};
    auto const* const schema = value->find("schema");
    auto const* const number = schema == nullptr ? nullptr : std::get_if<std::int64_t>(&schema->data);
    if (number != nullptr && *number > measured_schema)
        return Error{Errc::Unsupported, format("schema {} is newer than this hal0 knows", *number)};
    auto measured = wire::decode<MeasuredLoads>(text);
    if (!measured) return Error{Errc::Corrupt, measured.error().message};
    if (!std::ranges::all_of(measured->loads, [](auto const& load) { return plausible(load); }))
        return Error{Errc::Corrupt, "it has sizes that no machine has"};
    return measured;
}

bool add(MeasuredLoads& measured, Measurement const& reading) {
    auto const known = std::ranges::find_if(measured.loads, [&reading](Measurement const& load) {
        return load.load == reading.load && load.at == reading.at;
    });
    if (known == measured.loads.end()) {
        measured.loads.push_back(reading);
        drop_oldest(measured.loads);
        return true;
    }
    auto load = *known;
    // Of a load that is known, whatever comes is a later reading.
    raise(load.own_used, reading.own_used);
    raise(load.own_used, reading.own_loaded);
    raise(load.gpu, reading.gpu);
    if (!load.planned) load.planned = reading.planned;
    if (load == *known) return false;
    load.time = reading.time;
    *known = std::move(load);
    return true;
}

Learned learn(std::vector<Measurement> const& of_model, std::vector<Measurement> const& of_others,
              Circumstances const& now, Bytes of_sequence) {
    auto const sequences = sequences_of(now);
    Largest process;
    Largest of_more;
    Largest driver;
    Largest others;
    Largest total;
    for (auto const& load : of_model) {
        if (!counts(load, now)) continue;
        auto const fewer = sequences - sequences_of(load.at);
        auto const bytes = process_bytes(load);
        if (fewer < 0) of_more.take(bytes, load);
        if (fewer >= 0) process.take(bytes, load, {Bytes{of_sequence.count * fewer}, fewer});
        if (load.at.card != now.card) continue;
        driver.take(driver_bytes(load), load);
        if (load.at.settings == now.settings) total.take(load.gpu, load);
    }
    for (auto const& load : of_others) {
        if (counts(load, now) && load.at.card == now.card) others.take(driver_bytes(load), load);
    }
    Learned learned{.process = process.any() ? process.with(process_margin, "this model")
                                             : of_more.with(process_margin, "this model with more sequences"),
                    .driver = driver.with(driver_margin, "this model"),
                    .gpu_total = total.with(driver_margin, "this model with these settings")};
    if (!learned.driver) learned.driver = others.with(driver_margin, "other models");
    return learned;
}

}  // namespace hal0::memory
