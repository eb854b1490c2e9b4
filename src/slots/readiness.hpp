#pragma once
// Asks one worker whether it is ready, and what its output is like. On its loop; one question at a time.
#include <functional>
#include <memory>
#include <string>

#include "base/no_copy.hpp"
#include "models/kind.hpp"
#include "os/loop.hpp"

namespace hal0::http {
class Call;
}

namespace hal0::slots {

class Readiness final : NoCopy {
  public:
    enum class Said { Loading, Ready };
    // `socket`: the worker's.
    Readiness(os::Loop& loop, std::string socket, std::function<void(Said)> said);
    ~Readiness();

    // Asks at once and then again and again, less and less often: `said` is called with each answer, until it
    // is Ready.
    void ask();
    struct Finding {
        std::string fault{};  // empty: none
        bool lasting{true};   // false: it may only have been busy
    };
    // Asks once what sanity.hpp has for this kind; no answer within `deadline` is a fault. `found` is never
    // called from within check().
    void check(models::Kind kind, std::string const& key, Duration deadline,
               std::function<void(Finding)> found);
    void stop();

  private:
    void probe();
    void after(Duration pause, std::function<void()> next);

    os::Loop& loop_;
    std::string const socket_;
    std::function<void(Said)> const said_;
    std::unique_ptr<http::Call> question_{};
    TimePoint begun_{};
    std::function<void()> next_{};  // when the timer is due
    os::Timer timer_;
};

}  // namespace hal0::slots
