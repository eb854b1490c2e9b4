#include "cli/follow.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "base/format.hpp"
#include "os/signals.hpp"

namespace hal0::cli {
namespace {

// The event stream says when to look; the timer is for what has no event, and for a stream that ended.
constexpr Duration look_interval = std::chrono::seconds{1};

class Follower final : NoCopy {
  public:
    Follower(os::Loop& loop, Context& context, Api const& api, Work const& work)
        : loop_{loop}, api_{api}, work_{work}, line_{context.terminal}, timer_{loop, [this] { tick(); }} {}

    Result<std::string> run() {
        HAL0_TRY(interrupts, os::Interrupts::make(loop_, [this] {
                     end(Error{Errc::Cancelled,
                               format("{} goes on in the daemon; 'hal0 status' shows how far it is",
                                      work_.subject)});
                 }));
        if (work_.call) {
            auto request = *work_.call;
            request.deadline = stream_silence_max;
            call_ = http::Call::start(loop_, std::move(request), [this](Result<http::ClientAnswer> answer) {
                end(api_.outcome(std::move(answer)));
            });
        }
        auto request = api_.request(http::Method::Get, "/api/events");
        request.deadline = stream_silence_max;
        auto const events = http::Call::start(
            loop_, std::move(request), [](Result<http::ClientAnswer> const&) {},
            [this](std::string_view) { look(); });
        tick();
        loop_.run();
        line_.clear();
        return std::move(outcome_);
    }

  private:
    void tick() {
        timer_.start(look_interval);
        look();
    }

    // One look at a time; what happens during one is seen by another.
    void look() {
        again_ = looking_;
        if (looking_ || ended_) return;
        looking_ = true;
        look_call_ =
            http::Call::start(loop_, api_.request(http::Method::Get, work_.look_at),
                              [this](Result<http::ClientAnswer> answer) { seen(std::move(answer)); });
    }

    void seen(Result<http::ClientAnswer> answer) {
        looking_ = false;
        auto body = api_.outcome(std::move(answer));
        auto const look_now = body ? work_.read(*body) : Result<Look>{body.error()};
        // Where a call tells the end, looking is only for the progress.
        if (!look_now) return work_.call ? void() : end(look_now.error());
        Look const& now = *look_now;
        line_.notes(now.notes);
        if (now.fault) return end(*now.fault);
        if (now.stage == Look::Stage::Done) return end(std::move(body));
        if (!ended_) line_.show(now.progress, loop_.now());
        if (std::exchange(again_, false)) look();
    }

    void end(Result<std::string> outcome) {
        if (!std::exchange(ended_, true)) outcome_ = std::move(outcome);
        loop_.stop();
    }

    os::Loop& loop_;
    Api const& api_;
    Work const& work_;
    ProgressLine line_;
    os::Timer timer_;
    std::unique_ptr<http::Call> call_{};
    std::unique_ptr<http::Call> look_call_{};
    bool looking_{false};
    bool again_{false};
    bool ended_{false};
    Result<std::string> outcome_{Error{Errc::Internal, "the work was not followed to its end"}};
};

}  // namespace

Result<std::string> follow(Context& context, Api const& api, Work const& work) {
    HAL0_TRY(loop, os::Loop::make());
    Follower follower{*loop, context, api, work};
    return follower.run();
}

}  // namespace hal0::cli
