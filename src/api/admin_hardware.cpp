// The box itself, as the probe found it.
#include <array>
#include <limits>
#include <optional>
#include <string>

#include "api/admin.hpp"
#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::api {
namespace {

void show_hardware(Admin& admin, AdminCall const& call) {
    admin.house().hardware(admin.answering<hardware::HardwareReport>(call.ticket));
}

void show_memory(Admin& admin, AdminCall const& call) {
    admin.house().memory(admin.answering<wire::MemoryView>(call.ticket));
}

std::optional<std::string> text_of(AdminCall const& call, std::string_view name) {
    auto const* const value = call.value(name);
    return value != nullptr ? std::optional{*value} : std::nullopt;
}

// Whether a number is in its range is the house's to say.
Result<std::optional<std::int64_t>> number_of(AdminCall const& call, std::string_view name) {
    if (call.value(name) == nullptr) return std::optional<std::int64_t>{};
    HAL0_TRY(number, call.number(name, 0, std::numeric_limits<std::int64_t>::max()));
    return std::optional{number};
}

Result<std::optional<bool>> flag_of(AdminCall const& call, std::string_view name) {
    auto const* const value = call.value(name);
    if (value == nullptr) return std::optional<bool>{};
    if (*value == "true" || *value == "false") return std::optional{*value == "true"};
    return Error{Errc::Invalid, format("{} is true or false, not '{}'", name, clipped(*value))};
}

Result<wire::FitQuestion> fit_question(AdminCall const& call) {
    auto const model = text_of(call, "model");
    if (!model || model->empty())
        return Error{Errc::Invalid, "which model? ?model=ID: of the store, of a loadout, or a GGUF file"};
    HAL0_TRY(context, number_of(call, "context"));
    HAL0_TRY(parallel, number_of(call, "parallel"));
    HAL0_TRY(ubatch, number_of(call, "ubatch"));
    HAL0_TRY(cache_ram, number_of(call, "cache_ram_mib"));
    HAL0_TRY(mtp, flag_of(call, "mtp"));
    return wire::FitQuestion{.model = *model,
                             .context = context,
                             .parallel = parallel,
                             .ubatch = ubatch,
                             .cache_ram_mib = cache_ram,
                             .kv_type = text_of(call, "kv_type"),
                             .flash_attention = text_of(call, "flash_attention"),
                             .device = text_of(call, "device"),
                             .engine = text_of(call, "engine"),
                             .mmproj = text_of(call, "mmproj"),
                             .draft = text_of(call, "draft"),
                             .mtp = mtp};
}

void show_fit(Admin& admin, AdminCall const& call) {
    auto const question = fit_question(call);
    if (!question) return admin.fail(call.ticket, question.error());
    // Else whoever may ask could find out which files there are.
    bool const has_path = wire::names_a_file(question->model) || question->mmproj ||
                          wire::names_a_file(question->draft.value_or(""));
    if (has_path && !call.over_unix_socket) {
        return admin.fail(call.ticket, {Errc::Forbidden,
                                        "paths of files are not taken over TCP: 'hal0 fit FILE' on this "
                                        "machine tells, or ask for a model by its id"});
    }
    admin.house().fit(*question, admin.answering<wire::FitView>(call.ticket));
}

constexpr std::array fit_query{
    QueryDoc{"model",
             "a model of the store, a model of a loadout, or the path of a GGUF file, or its address once "
             "'hal0 fit' has read the header there (both over the unix socket only)"},
    QueryDoc{"context", "tokens that one request can use; else the model's own, up to 4096"},
    QueryDoc{"parallel", "requests served at a time; else 1"},
    QueryDoc{"ubatch", "tokens evaluated in one piece; else 512, of an embedder its context"},
    QueryDoc{"cache_ram_mib", "prompt cache in host memory, in MiB; else 0"},
    QueryDoc{"kv_type", "of the cache: `f16` (the default), `q8_0`, `q4_0`, …"},
    QueryDoc{"flash_attention", "`on`, `off` or `auto` (the default)"},
    QueryDoc{"device", "`cpu`, or a GPU's id; else what the report recommends"},
    QueryDoc{"engine", "that is asked to plan; else `llama.cpp`"},
    QueryDoc{"mmproj",
             "the path of a projector for images and sound to load with it (over the unix "
             "socket only)"},
    QueryDoc{"draft", "a model to draft for it, named like `model`"},
    QueryDoc{"mtp", "`true`: its own further layers draft"}};

using Shape = AnswerDoc::Shape;

constexpr std::array hardware_rows{
    AdminRoute{.path = "/api/hardware",
               .summary =
                   "What the box is: hardware.json, as the last `hal0 probe` wrote it. docs/hardware.md "
                   "says how each is found.",
               .answer = {Shape::One, &wire::describe<hardware::HardwareReport>},
               .handle = &show_hardware},
    AdminRoute{.path = "/api/memory",
               .summary =
                   "Who holds the memory of the box. Read when it is asked for; an answer serves all who ask "
                   "within a second.",
               .answer = {Shape::One, &wire::describe<wire::MemoryView>},
               .handle = &show_memory},
    AdminRoute{.path = "/api/fit",
               .summary = "What a model would take, and whether there is room for it beside what runs. "
                          "Nothing is loaded.",
               .query = fit_query,
               .answer = {Shape::One, &wire::describe<wire::FitView>},
               .handle = &show_fit},
};

}  // namespace

std::span<AdminRoute const> hardware_routes() { return hardware_rows; }

}  // namespace hal0::api
