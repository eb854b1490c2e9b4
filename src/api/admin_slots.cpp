// Slots: what they are and what they do.
#include <algorithm>
#include <array>

#include "api/admin.hpp"
#include "os/file.hpp"
#include "os/tail.hpp"

namespace hal0::api {
namespace {

void list_slots(Admin& admin, AdminCall const& call) { admin.answer(call.ticket, admin.house().slots()); }

void show_slot(Admin& admin, AdminCall const& call) {
    admin.answer(call.ticket, admin.house().slot(call.params.at(0)));
}

void explain_slot(Admin& admin, AdminCall const& call) {
    admin.answer(call.ticket, admin.house().explain_slot(call.params.at(0)));
}

void show_argv(Admin& admin, AdminCall const& call) {
    admin.answer(call.ticket, admin.house().slot_argv(call.params.at(0)));
}

void show_diff(Admin& admin, AdminCall const& call) {
    admin.answer(call.ticket, admin.house().slot_diff(call.params.at(0)));
}

void reload_slots(Admin& admin, AdminCall const& call) {
    if (auto const done = admin.house().reload_slots(); !done) return admin.fail(call.ticket, done.error());
    admin.answer(call.ticket, admin.house().slots());
}

void create_slot(Admin& admin, AdminCall const& call) {
    auto const request = wire::decode_request<wire::SlotCreate>(call.body);
    if (!request) return admin.fail(call.ticket, request.error());
    // An engine's arguments name files to write and ports to open: as good as a shell of this user's.
    if (request->extra_args && !call.over_unix_socket) {
        return admin.fail(call.ticket, {Errc::Forbidden,
                                        "extra_args are not taken over TCP: make the slot with 'hal0 slot "
                                        "create' on this machine, or write them into its file"});
    }
    admin.house().create_slot(*request, admin.answering<wire::SlotView>(call.ticket, 201));
}

// What a worker's end does to the requests it serves: ?force=true.
Result<slots::InFlight> in_flight(AdminCall const& call) {
    HAL0_TRY(force, call.flag("force", false));
    return force ? slots::InFlight::CutOff : slots::InFlight::Finish;
}

void remove_slot(Admin& admin, AdminCall const& call) {
    auto const requests = in_flight(call);
    if (!requests) return admin.fail(call.ticket, requests.error());
    admin.house().remove_slot(
        call.params.at(0), *requests, [&admin, ticket = call.ticket](Result<void> const& done) {
            done.ok() ? admin.respond(ticket, {.status = 204}) : admin.fail(ticket, done.error());
        });
}

// What takes its time is answered when it is over, or with ?wait=false at once with 202 and the slot as it is
// then; it goes on in either case when the client leaves. `start` is given what to call at its end.
template <class Start> void operate(Admin& admin, AdminCall const& call, Start start) {
    auto const wait = call.flag("wait", true);
    if (!wait) return admin.fail(call.ticket, wait.error());
    auto const& name = call.params.at(0);
    if (*wait) return start(name, admin.answering<wire::SlotView>(call.ticket));
    if (auto const slot = admin.house().slot(name); !slot) return admin.fail(call.ticket, slot.error());
    // What was found wrong before anything began would show nowhere else; how the rest goes shows in the
    // slot.
    start(name, [&admin, ticket = call.ticket](Result<wire::SlotView> const& done) {
        if (!done.ok()) admin.fail(ticket, done.error());
    });
    if (admin.unanswered(call.ticket)) admin.answer(call.ticket, admin.house().slot(name), 202);
}

void load_slot(Admin& admin, AdminCall const& call) {
    operate(admin, call, [&admin](std::string const& name, House::SlotDone done) {
        admin.house().load_slot(name, std::move(done));
    });
}

template <void (House::*Operation)(std::string const&, slots::InFlight, House::SlotDone)>
void take_down(Admin& admin, AdminCall const& call) {
    auto const requests = in_flight(call);
    if (!requests) return admin.fail(call.ticket, requests.error());
    operate(admin, call, [&](std::string const& name, House::SlotDone done) {
        (admin.house().*Operation)(name, *requests, std::move(done));
    });
}

void swap_model(Admin& admin, AdminCall const& call) {
    auto const request = wire::decode_request<wire::SlotSwap>(call.body);
    if (!request) return admin.fail(call.ticket, request.error());
    operate(admin, call, [&](std::string const& name, House::SlotDone done) {
        admin.house().swap_slot(name, request->model, std::move(done));
    });
}

// ---- logs

constexpr Bytes log_bytes_max = 4_MiB;  // of what is there already
constexpr std::int64_t log_lines = 200, log_lines_max = 100'000;

std::string_view last_lines(std::string_view text, std::int64_t count) {
    auto at = text.size();
    if (at > 0 && text.ends_with('\n')) --at;  // the last line's own end
    for (; count > 0 && at > 0 && at != std::string_view::npos; --count)
        at = text.rfind('\n', at - 1);
    if (count > 0 || at == std::string_view::npos) return text;
    return text.substr(std::min(at + 1, text.size()));
}

http::Response log_answer(std::string_view text) {
    return {.content_type = "text/plain; charset=utf-8", .body = std::string{text}};
}

class LogStream final : public AdminStream {
  public:
    LogStream(Admin& admin, dispatch::Ticket ticket) : admin_{admin}, ticket_{ticket} {}

    Result<void> open(std::string const& path) {
        HAL0_CHECK(os::make_directories(os::directory_of(path)));  // of a slot that never ran
        HAL0_TRY(tail, os::Tail::make(admin_.loop(), path, log_bytes_max, [this] { hand_on(); }));
        tail_ = std::move(tail);
        return {};
    }
    std::string first(std::int64_t lines) {
        return std::string{last_lines(tail_->read(log_bytes_max), lines)};
    }

  private:
    void hand_on() {
        for (auto text = tail_->read(log_bytes_max); !text.empty(); text = tail_->read(log_bytes_max))
            admin_.write(ticket_, std::move(text));
    }

    Admin& admin_;
    dispatch::Ticket ticket_;
    std::unique_ptr<os::Tail> tail_{};
};

void tell_log(Admin& admin, AdminCall const& call) {
    auto const lines = call.number("lines", log_lines, log_lines_max);
    if (!lines) return admin.fail(call.ticket, lines.error());
    auto const follow = call.flag("follow", false);
    if (!follow) return admin.fail(call.ticket, follow.error());
    auto const path = admin.house().slot_log(call.params.at(0));
    if (!path) return admin.fail(call.ticket, path.error());
    if (!*follow || call.method == http::Method::Head) {
        auto const text = os::read_tail(*path, log_bytes_max);
        if (!text && text.error().kind != Errc::NotFound) return admin.fail(call.ticket, text.error());
        return admin.respond(call.ticket, log_answer(text ? last_lines(*text, *lines) : std::string_view{}));
    }
    auto stream = std::make_unique<LogStream>(admin, call.ticket);
    if (auto const opened = stream->open(*path); !opened) return admin.fail(call.ticket, opened.error());
    auto answer = log_answer(stream->first(*lines));
    admin.begin_stream(call.ticket, std::move(answer), std::move(stream));
}

// ---- the rows

constexpr std::array wait_query{
    QueryDoc{"wait", "`false`: answer 202 at once; else when it is over, with the error when it failed"}};
constexpr QueryDoc force{
    "force",
    "`true`: the requests in flight are cut off; else they are finished, as long as its file grants"};
constexpr std::array force_query{force};
constexpr std::array down_query{wait_query.front(), force};
constexpr std::array log_query{
    QueryDoc{"lines", "how many of the last lines; 200 when absent"},
    QueryDoc{"follow", "`true`: go on with what is written from now on, until the client leaves"}};

using http::Method;
using Shape = AnswerDoc::Shape;
constexpr AnswerDoc one_slot{Shape::One, &wire::describe<wire::SlotView>};
constexpr AnswerDoc one_slot_or_202{Shape::One, &wire::describe<wire::SlotView>,
                                    "200, or 202 with `wait=false`"};

constexpr std::array slot_rows{
    AdminRoute{.path = "/api/slots",
               .summary = "All slots, by name.",
               .answer = {Shape::List, &wire::describe<wire::SlotView>},
               .handle = &list_slots},
    AdminRoute{.method = Method::Post,
               .path = "/api/slots",
               .summary = "Make a slot: writes its file. One that is `enabled` is then loaded.",
               .request = &wire::describe<wire::SlotCreate>,
               .answer = {Shape::One, &wire::describe<wire::SlotView>, "201"},
               .handle = &create_slot},
    AdminRoute{.path = "/api/slots/{name}", .summary = "One slot.", .answer = one_slot, .handle = &show_slot},
    AdminRoute{.method = Method::Delete,
               .path = "/api/slots/{name}",
               .summary = "Unload a slot and remove its file. Its model stays.",
               .query = force_query,
               .answer = {Shape::Nothing, nullptr, "204"},
               .handle = &remove_slot},
    AdminRoute{.method = Method::Post,
               .path = "/api/slots/{name}/load",
               .summary = "Bring a slot up.",
               .query = wait_query,
               .answer = one_slot_or_202,
               .handle = &load_slot},
    AdminRoute{.method = Method::Post,
               .path = "/api/slots/{name}/unload",
               .summary = "Take a slot down once its requests in flight are answered.",
               .query = down_query,
               .answer = one_slot_or_202,
               .handle = &take_down<&House::unload_slot>},
    AdminRoute{.method = Method::Post,
               .path = "/api/slots/{name}/restart",
               .summary = "Take a slot down and bring it up again, with the settings that its file has now.",
               .query = down_query,
               .answer = one_slot_or_202,
               .handle = &take_down<&House::restart_slot>},
    AdminRoute{.method = Method::Post,
               .path = "/api/slots/{name}/swap",
               .summary = "Give a slot another model: changes its file and, when it is up, loads it.",
               .query = wait_query,
               .request = &wire::describe<wire::SlotSwap>,
               .answer = one_slot_or_202,
               .handle = &swap_model},
    AdminRoute{.path = "/api/slots/{name}/explain",
               .summary = "Why a slot is as it is.",
               .answer = {Shape::One, &wire::describe<wire::SlotExplain>},
               .handle = &explain_slot},
    AdminRoute{.path = "/api/slots/{name}/argv",
               .summary = "What exactly it runs, or would run, and who says each argument.",
               .answer = {Shape::One, &wire::describe<wire::SlotArgv>},
               .handle = &show_argv},
    AdminRoute{.path = "/api/slots/{name}/diff",
               .summary = "What its file wants otherwise than its worker runs; empty where they agree, or "
                          "none runs.",
               .answer = {Shape::List, &wire::describe<wire::SettingDiffView>},
               .handle = &show_diff},
    AdminRoute{.method = Method::Post,
               .path = "/api/reload",
               .summary = "Read every slot's file now. Those whose settings changed are restarted once they "
                          "have finished what they serve; the answer is how all are at that moment.",
               .answer = {Shape::List, &wire::describe<wire::SlotView>},
               .handle = &reload_slots},
    AdminRoute{.path = "/api/slots/{name}/logs",
               .summary = "What its worker wrote.",
               .query = log_query,
               .answer = {Shape::Text},
               .handle = &tell_log},
};

}  // namespace

std::span<AdminRoute const> slot_routes() { return slot_rows; }

}  // namespace hal0::api
