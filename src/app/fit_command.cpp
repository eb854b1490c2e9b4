#include "app/fit_command.hpp"

#include <utility>

#include "app/serve.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/fit_text.hpp"

namespace hal0::app {
namespace {

constexpr std::int64_t context_asked_max = std::int64_t{1} << 30;

Result<SizingSettings> settings_of(cli::Arguments const& arguments) {
    SizingSettings settings;
    struct Number {
        std::string_view flag;
        std::int64_t most;
        std::int64_t value{0};
    };
    Number numbers[]{{"ctx", context_asked_max}, {"parallel", 64}, {"ub", 1 << 20}};
    for (auto& number : numbers) {
        auto const asked = arguments.number(number.flag);
        if (asked && (*asked < 1 || *asked > number.most)) {
            return Error{Errc::Invalid,
                         format("--{} must be 1 to {}, not {}", number.flag, number.most, *asked)};
        }
        number.value = asked.value_or(0);
    }
    settings.context = {numbers[0].value};
    settings.parallel = numbers[1].value > 0 ? static_cast<std::int32_t>(numbers[1].value) : 1;
    settings.ubatch = {numbers[2].value};
    if (auto const type = arguments.maybe("kv-type")) {
        auto const known = engines::kv_type_from(*type);
        if (!known) {
            return Error{Errc::Invalid, format("--kv-type can't be '{}': f32, f16, bf16, q8_0, q5_1, q5_0, "
                                               "q4_1, q4_0 or iq4_nl",
                                               clipped(*type))};
        }
        settings.kv_type = *known;
    }
    auto const flash = arguments.maybe("fa").value_or("auto");
    if (flash != "on" && flash != "off" && flash != "auto")
        return Error{Errc::Invalid, format("--fa is 'on', 'off' or 'auto', not '{}'", clipped(flash))};
    using engines::FlashAttention;
    settings.flash_attention = flash == "on"    ? FlashAttention::On
                               : flash == "off" ? FlashAttention::Off
                                                : FlashAttention::Auto;
    return settings;
}

std::vector<wire::FitDevice> views_of(memory::MemoryEstimate const& estimate) {
    std::vector<wire::FitDevice> devices;
    for (auto const& share : estimate.shares) {
        auto& device = devices.emplace_back(wire::FitDevice{.device = share.device, .total = share.total()});
        for (auto const& term : share.terms)
            device.terms.push_back(
                {term.name, term.bytes, std::string{memory::to_string(term.exactness)}, term.source});
    }
    return devices;
}

wire::FitPool view_of(memory::Pool const& pool, std::string const& device) {
    wire::FitPool view{.id = pool.id,
                       .total = pool.total(),
                       .used = pool.used(),
                       .free = pool.free(),
                       .host_known = pool.host_known};
    if (auto const* const carved = pool.part(memory::PoolPart::Kind::CarveOut, device))
        view.carve_out = carved->total;
    if (auto const* const cap = pool.cap(device)) {
        view.cap = cap->total;
        view.cap_used = cap->used;
    }
    return view;
}

// What the command works with.
struct Desk {
    os::Places places;
    Library library;
    Box box;
    SizingPlace place;
};

Result<Desk> open_desk(cli::Arguments const& arguments, cli::Context& context) {
    HAL0_TRY(places, context.places());
    HAL0_TRY(settings, read_settings(places));
    Library library{places, settings.settings.model_roots};
    HAL0_TRY(box, look_at_box(context, arguments.maybe("root")));
    HAL0_TRY(device, device_of(box.report, arguments.maybe("device")));
    SizingPlace place{.target = device.target, .backend = device.backend, .cache = places.cache};
    auto const engine = library.engine_store().find(arguments.maybe("engine").value_or("llama.cpp"));
    if (engine) place.engine = *engine;
    if (!engine && arguments.has("engine")) return engine.error();
    return Desk{places, std::move(library), std::move(box), std::move(place)};
}

wire::FitSettings view_of(Subject const& subject, SizingSettings const& settings, SizingPlace const& place) {
    auto const request = plan_request(subject, settings);
    bool const on_host = place.target.device == memory::host_device;
    return {.context = context_of(subject, settings).count,
            .parallel = request.parallel,
            .kv_type = std::string{engines::to_string(settings.kv_type)},
            .ubatch = request.ubatch.count,
            .flash_attention = std::string{engines::to_string(settings.flash_attention)},
            .device = on_host ? "cpu" : place.target.device,
            .backend = place.backend,
            .engine = place.engine ? format("{} {}", place.engine->id, place.engine->version) : ""};
}

Result<wire::FitView> fit(Subject const& subject, SizingSettings const& settings, Desk const& desk) {
    Sizing sizing{subject, desk.place};
    HAL0_TRY(estimate, sizing.estimate(settings));
    HAL0_TRY(demand, sizing.demand(settings));
    auto const& pools = desk.box.pools;
    auto const& target = desk.place.target;
    auto const judgement = memory::judge(demand, pools, target);
    wire::FitView view{.model = subject.name,
                       .from = subject.from,
                       .size = subject.size,
                       .settings = view_of(subject, settings, desk.place),
                       .exactness = std::string{memory::to_string(estimate.exactness)},
                       .devices = views_of(estimate),
                       .total = estimate.total(),
                       .fit = app::view_of(judgement, target),
                       .notes = subject.notes};
    if (auto const* const pool = memory::pool_of(pools, target.device))
        view.pool = view_of(*pool, target.device);
    if (judgement.verdict != memory::Verdict::Unknown) {
        HAL0_TRY(largest, sizing.largest_context(settings, pools));
        view.context_that_fits = largest.count;
    }
    view.planned_by = sizing.planned_by();
    if (subject.shape.context_trained.count > 0) view.context_max = subject.shape.context_trained.count;
    return view;
}

}  // namespace

wire::FitVerdict view_of(memory::Judgement const& judgement, memory::Target const& target) {
    wire::FitVerdict view{.verdict = std::string{memory::to_string(judgement.verdict)},
                          .headroom = judgement.headroom,
                          .evict = judgement.evicted,
                          .sentence = memory::sentence(judgement, target)};
    if (auto const& bound = judgement.decisive) {
        view.limit = std::string{memory::to_string(bound->limit)};
        view.need = bound->need;
        view.free = bound->free;
        view.capacity = bound->capacity;
    }
    return view;
}

Result<int> fit_command(cli::Arguments const& arguments, cli::Context& context) {
    auto const settings = settings_of(arguments);
    if (!settings) return cli::misused(context, settings.error().message);
    HAL0_TRY(desk, open_desk(arguments, context));
    HAL0_TRY(subject, find_subject(arguments.text("MODEL"), desk.library));
    HAL0_TRY(view, fit(subject, *settings, desk));
    context.terminal.out(arguments.has("json") ? wire::encode(view) + "\n"
                                               : cli::fit_text(context.terminal, view));
    return cli::exit_ok;
}

}  // namespace hal0::app
