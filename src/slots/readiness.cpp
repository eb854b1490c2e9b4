#include "slots/readiness.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/format.hpp"
#include "http/client.hpp"
#include "slots/sanity.hpp"

namespace hal0::slots {
namespace {

// A sixteenth of the time it has taken so far: a load is known to be over when it has taken a little longer,
// and one of minutes isn't asked a hundred times a second.
constexpr Duration pause_least = std::chrono::milliseconds{5};
constexpr Duration pause_max = std::chrono::milliseconds{250};
constexpr int pauses_in_all = 16;
constexpr Duration for_its_end = std::chrono::milliseconds{250};
constexpr Duration probe_deadline = std::chrono::seconds{5};
constexpr int ok = 200;
constexpr int not_yet = 503;

}  // namespace

Readiness::Readiness(os::Loop& loop, std::string socket, std::function<void(Said)> said)
    : loop_{loop}, socket_{std::move(socket)}, said_{std::move(said)}, timer_{loop, [this] { next_(); }} {}

Readiness::~Readiness() = default;

void Readiness::ask() {
    begun_ = loop_.now();
    probe();
}

void Readiness::after(Duration pause, std::function<void()> next) {
    next_ = std::move(next);
    timer_.start(pause);
}

void Readiness::probe() {
    auto const answered = [this](Result<http::ClientAnswer> const& answer) {
        if (answer && answer->status == ok) return said_(Said::Ready);
        auto const pause = std::clamp((loop_.now() - begun_) / pauses_in_all, pause_least, pause_max);
        after(pause, [this] { probe(); });
        if (answer && answer->status == not_yet) said_(Said::Loading);
    };
    question_ = http::Call::start(loop_,
                                  {.peer = os::UnixAddress{socket_},
                                   .target = "/health",
                                   .deadline = probe_deadline,
                                   .answer_max = 64_KiB},
                                  answered);
}

void Readiness::check(models::Kind kind, std::string const& key, Duration deadline,
                      std::function<void(Finding)> found) {
    auto question = sanity_question(kind).value_or(SanityQuestion{});
    auto answered = [this, kind, deadline,
                     found = std::move(found)](Result<http::ClientAnswer> const& answer) {
        if (answer) return found({sanity_fault(kind, answer->status, answer->body)});
        if (answer.error().kind == Errc::Timeout)
            return found({format("it doesn't answer a small question within {} s",
                                 std::chrono::duration_cast<std::chrono::seconds>(deadline).count()),
                          false});
        // Of a worker that has died of the question, its end is what is to be told.
        auto const fault = format("it breaks off when asked something small: {}", answer.error().message);
        after(for_its_end, [found, fault] { found({fault}); });
    };
    question_ = http::Call::start(
        loop_,
        {.peer = os::UnixAddress{socket_},
         .method = http::Method::Post,
         .target = std::move(question.target),
         .headers = {{"Authorization", "Bearer " + key}, {"Content-Type", "application/json"}},
         .body = std::move(question.body),
         .deadline = deadline,
         .answer_max = 4_MiB},
        std::move(answered));
}

void Readiness::stop() {
    timer_.stop();
    question_.reset();
}

}  // namespace hal0::slots
