#include "app/fit_desk.hpp"

#include <optional>
#include <utility>

#include "base/format.hpp"
#include "wire/status.hpp"

namespace hal0::app {
namespace {

// To us a file that is no GGUF is corrupt data; to who named it in a question, the question is wrong.
Error as_asked(Error fault) {
    if (fault.kind == Errc::Corrupt && !wire::detail_of(fault, file_detail).empty())
        fault.kind = Errc::Invalid;
    return fault;
}

}  // namespace

struct FitDesk::Held {
    explicit Held(os::Places const& places) : host{places} {}

    HostDesk host;
    std::optional<Box> box{};
    TimePoint looked_at{};
    std::unique_ptr<Fit> fit{};

    Result<wire::FitView> answer(wire::FitQuestion const& question, World const& world) {
        auto const now = Clock::now();
        if (!box || now - looked_at >= fit_box_age_max) {
            HAL0_TRY(seen, look_at_this_box(world.places, host));
            box = std::move(seen);
            looked_at = now;
        }
        if (!fit || !fit->holds(question, box->report)) {
            fit.reset();  // its planner ends before the next one begins
            auto opened = Fit::open(question, world.places, world.library, box->report, fit_patience);
            if (!opened) return as_asked(std::move(opened).error());
            fit = std::move(*opened);
        }
        auto answered = fit->answer(question, *box);
        if (!answered) return as_asked(std::move(answered).error());
        return answered;
    }
};

FitDesk::FitDesk(World world)
    : world_{world}, held_{std::make_shared<Held>(world.places)}, forget_{world.loop, [this] {
                                                                              if (asked_.empty()) let_go();
                                                                          }} {}
FitDesk::~FitDesk() = default;

void FitDesk::ask(wire::FitQuestion question, Answer answer) {
    if (asked_.size() >= fits_waiting_max)
        return answer(Error{Errc::Busy, format("{} questions about models' memory wait already; ask again "
                                               "in a second",
                                               asked_.size())});
    asked_.push_back({std::move(question), std::move(answer)});
    if (asked_.size() == 1) next();
}

// A planner that is let go is waited for: no work for the loop.
void FitDesk::let_go() {
    auto held = std::exchange(held_, std::make_shared<Held>(world_.places));
    world_.pool.run(
        world_.inbox,
        [held = std::move(held)]() mutable {
            held.reset();
            return true;
        },
        [](bool) {});
}

void FitDesk::next() {
    if (std::exchange(stale_, false)) let_go();
    world_.pool.run(
        world_.inbox,
        [held = held_, question = asked_.front().question, world = world_] {
            return held->answer(question, world);
        },
        [this](Result<wire::FitView> view) { told(std::move(view)); });
}

void FitDesk::told(Result<wire::FitView> view) {
    auto const asked = std::move(asked_.front());
    asked_.pop_front();
    if (asked_.empty())
        forget_.start(fit_held_for);
    else
        next();
    asked.answer(std::move(view));
}

}  // namespace hal0::app
