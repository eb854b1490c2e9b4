#include "cli/answer.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "base/format.hpp"
#include "cli/chat.hpp"
#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "http/sse.hpp"
#include "os/signals.hpp"

namespace hal0::cli {
namespace {

// A long question may take minutes before its first token, and a slot that has to be loaded too.
constexpr Duration answer_silence_max = std::chrono::minutes{30};
constexpr Duration waiting_interval = std::chrono::seconds{1};

class Listener final : NoCopy {
  public:
    Listener(os::Loop& loop, Terminal& terminal)
        : loop_{loop}, terminal_{terminal}, line_{terminal}, timer_{loop, [this] { wait(); }} {}

    Result<Heard> run(Api const& api, std::string const& body) {
        HAL0_TRY(interrupts, os::Interrupts::make(loop_, [this] {
                     heard_.stopped = true;
                     loop_.stop();
                 }));
        auto request = api.request(http::Method::Post, "/v1/chat/completions", body);
        request.deadline = answer_silence_max;
        asked_ = loop_.now();
        timer_.start(waiting_interval);
        auto const call = http::Call::start(
            loop_, std::move(request),
            [this, &api](Result<http::ClientAnswer> answer) { at_end(api, std::move(answer)); },
            [this](std::string_view bytes) {
                reader_.feed(bytes, [this](http::SseEvent const& event) { take(read_delta(event.data)); });
            });
        loop_.run();
        line_.clear();
        end_thinking();
        if (fault_) {
            if (!heard_.content.empty()) terminal_.out("\n");
            return *fault_;
        }
        heard_.tokens = std::max(heard_.tokens, pieces_);
        return std::move(heard_);
    }

  private:
    // On a terminal only: a pipe has no use for the news that nothing came yet.
    void wait() {
        if (!terminal_.is_tty(Stream::Err)) return;
        line_.show({.step = "waiting for the model"}, loop_.now());
        timer_.start(waiting_interval);
    }

    void take(Delta const& delta) {
        if (!delta.fault.empty()) fault_ = Error{Errc::Io, format("the answer broke off: {}", delta.fault)};
        heard_.tokens = std::max(heard_.tokens, delta.tokens);
        if (delta.content.empty() && delta.reasoning.empty()) return;
        if (!heard_.first) {
            heard_.first = loop_.now() - asked_;
            timer_.stop();
            line_.clear();
        }
        heard_.writing = loop_.now() - asked_ - *heard_.first;
        ++pieces_;
        if (!delta.reasoning.empty()) think(delta.reasoning);
        if (!delta.content.empty()) speak(delta.content);
    }

    // Thoughts are shown to people and not to programs.
    void think(std::string_view text) {
        if (!terminal_.is_tty(Stream::Out)) return;
        thinking_ = true;
        terminal_.out(painted(terminal_, Stream::Out, printable(text), Style::Dim));
    }

    void end_thinking() {
        if (std::exchange(thinking_, false)) terminal_.out("\n\n");
    }

    void speak(std::string const& text) {
        end_thinking();
        heard_.content += text;
        terminal_.out(terminal_.is_tty(Stream::Out) ? printable(text) : text);
    }

    void at_end(Api const& api, Result<http::ClientAnswer> answer) {
        auto outcome =
            heard_.first && !answer ? Result<std::string>{answer.error()} : api.outcome(std::move(answer));
        if (!outcome && !fault_) fault_ = std::move(outcome).error();
        loop_.stop();
    }

    os::Loop& loop_;
    Terminal& terminal_;
    ProgressLine line_;
    os::Timer timer_;
    http::SseReader reader_{};
    TimePoint asked_{};
    std::int64_t pieces_{0};
    bool thinking_{false};
    Heard heard_{};
    std::optional<Error> fault_{};
};

}  // namespace

std::string measures_of(Heard const& heard) {
    if (!heard.first) return heard.stopped ? "stopped" : "no answer";
    auto out = format("{}{}", heard.stopped ? "stopped after " : "",
                      plural(static_cast<std::size_t>(heard.tokens), "token"));
    if (heard.tokens > 1 && in_seconds(heard.writing) > 0)
        out += format(", {:.1f} tok/s", static_cast<double>(heard.tokens - 1) / in_seconds(heard.writing));
    return out + format(", the first after {:.2f} s", in_seconds(*heard.first));
}

Result<Heard> hear(Terminal& terminal, Api const& api, std::string const& request) {
    HAL0_TRY(loop, os::Loop::make());
    Listener listener{*loop, terminal};
    return listener.run(api, request);
}

}  // namespace hal0::cli
