#include "os/signals.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "os/file.hpp"

namespace hal0::os {

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

Result<std::unique_ptr<StopSignals>> StopSignals::make(Loop& loop, std::function<void(int)> told) {
    ignore_broken_pipes();
    sigset_t wanted;
    sigemptyset(&wanted);
    for (int const number : {SIGTERM, SIGINT})
        sigaddset(&wanted, number);
    // nohup(1) ignores SIGHUP for us; a signalfd would be told of it nevertheless.
    struct sigaction hangup{};
    ::sigaction(SIGHUP, nullptr, &hangup);
    if (hangup.sa_handler != SIG_IGN) sigaddset(&wanted, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
    UniqueFd fd{::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!fd.open()) return errno_error(errno, "receiving signals (signalfd)");
    std::unique_ptr<StopSignals> signals{new StopSignals{loop, std::move(fd), std::move(told)}};
    HAL0_CHECK(loop.watch(signals->fd_.get(), Ready::Read, Trigger::Level, *signals));
    return signals;
}

StopSignals::~StopSignals() { loop_.unwatch(fd_.get(), *this); }

void StopSignals::on_ready(Ready) {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) == sizeof info) told_(static_cast<int>(info.ssi_signo));
}

Result<std::unique_ptr<Interrupts>> Interrupts::make(Loop& loop, std::function<void()> told) {
    std::unique_ptr<Interrupts> interrupts{new Interrupts{loop, std::move(told)}};
    sigset_t wanted;
    sigset_t before;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &wanted, &before);
    interrupts->blocked_here_ = sigismember(&before, SIGINT) == 0;
    interrupts->fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!interrupts->fd_.open()) return errno_error(errno, "receiving Ctrl-C (signalfd)");
    HAL0_CHECK(loop.watch(interrupts->fd_.get(), Ready::Read, Trigger::Level, *interrupts));
    return interrupts;
}

Interrupts::~Interrupts() {
    if (fd_.open()) loop_.unwatch(fd_.get(), *this);
    if (!blocked_here_) return;
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    ::pthread_sigmask(SIG_UNBLOCK, &wanted, nullptr);
}

void Interrupts::on_ready(Ready) {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) == sizeof info) told_();
}

}  // namespace hal0::os
