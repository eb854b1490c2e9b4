#include "models/watched_run.hpp"

#include <chrono>
#include <csignal>

#include "os/file.hpp"
#include "os/loop.hpp"

namespace hal0::models {
namespace {

constexpr std::chrono::milliseconds between_looks{250};
constexpr std::chrono::seconds until_killed{5};

}  // namespace

Result<os::ExitStatus> run_watched(os::Command command, std::string const& log,
                                   std::function<Look()> const& look) {
    HAL0_CHECK(os::remove_file(log));
    HAL0_TRY(output, os::open_append(log));
    HAL0_TRY(loop, os::Loop::make());
    command.out = command.err = output.get();
    os::ExitStatus status;
    HAL0_TRY(process, os::Process::spawn(*loop, command, [&loop, &status](os::ExitStatus ended) {
                 status = ended;
                 loop->stop();
             }));
    os::Timer kill{*loop, [&process] { (void)process->signal(SIGKILL); }};
    std::function<void()> tick;
    os::Timer next{*loop, [&tick] { tick(); }};
    tick = [&] {
        if (look() == Look::GoOn) return next.start(between_looks);
        (void)process->signal(SIGTERM);
        kill.start(until_killed);
    };
    next.start(between_looks);
    loop->run();
    return status;
}

}  // namespace hal0::models
