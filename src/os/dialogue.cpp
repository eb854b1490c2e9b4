#include "os/dialogue.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

// A killed process that a driver keeps from ending is left to the kernel.
constexpr std::chrono::seconds until_given_up{5};

}  // namespace

Result<std::unique_ptr<Dialogue>> Dialogue::start(Command command) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return errno_error(errno, "creating a pair of sockets");
    UniqueFd ours{ends[0]};
    UniqueFd const theirs{ends[1]};
    HAL0_TRY(loop, Loop::make());
    auto program = command.argv.empty() ? std::string{} : base_name(command.argv.front());
    std::unique_ptr<Dialogue> self{new Dialogue{std::move(program), std::move(loop), std::move(ours)}};
    command.in = command.out = theirs.get();
    HAL0_TRY(process, Process::spawn(*self->loop_, command, [raw = self.get()](ExitStatus status) {
                 raw->ended_ = status;
                 raw->loop_->stop();
             }));
    self->process_ = std::move(process);
    HAL0_CHECK(self->loop_->watch(self->socket_.get(), Ready::Read, Trigger::Level, *self));
    self->reading_ = true;
    return self;
}

Dialogue::~Dialogue() {
    stop_reading();
    if (!process_ || ended_) return;
    (void)process_->signal(SIGKILL);
    Timer patience{*loop_, [this] { loop_->stop(); }};
    patience.start(until_given_up);
    loop_->run();
}

Result<void> Dialogue::say(std::string_view line) {
    auto const text = format("{}\n", line);
    if (ended_) return ended_error();
    auto const sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == static_cast<ssize_t>(text.size())) return {};
    return Error{Errc::Unavailable, format("{} does not read what it is asked", program_)};
}

Result<std::string> Dialogue::hear(Duration longest) {
    bool waited_enough = false;
    Timer patience{*loop_, [&] {
                       waited_enough = true;
                       loop_->stop();
                   }};
    patience.start(longest);
    for (;;) {
        if (auto line = next_line()) return std::move(*line);
        if (heard_.size() > line_bytes_max)
            return Error{Errc::TooLarge, format("{} wrote a line of over {}", program_,
                                                human({static_cast<std::int64_t>(line_bytes_max)}))};
        if (ended_) {
            // What it wrote last may still be there to read.
            if (reading_ && read_some()) continue;
            return ended_error();
        }
        if (waited_enough)
            return Error{Errc::Timeout, format("{} has not answered within {} s", program_,
                                               std::chrono::ceil<std::chrono::seconds>(longest).count())};
        loop_->run();
    }
}

std::optional<std::string> Dialogue::next_line() {
    auto const end = heard_.find('\n');
    if (end == std::string::npos) return std::nullopt;
    auto line = heard_.substr(0, end);
    heard_.erase(0, end + 1);
    return line;
}

void Dialogue::on_ready(Ready) {
    read_some();
    loop_->stop();
}

bool Dialogue::read_some() {
    std::array<char, 16384> buffer{};
    auto const got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) heard_.append(buffer.data(), static_cast<std::size_t>(got));
    // At its end the socket would be ready for ever; the process's own end is what is waited for.
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) stop_reading();
    return got > 0;
}

void Dialogue::stop_reading() {
    if (reading_) loop_->unwatch(socket_.get(), *this);
    reading_ = false;
}

Error Dialogue::ended_error() const {
    return Error{Errc::Unavailable, format("{} {}", program_, describe(ended_.value_or(ExitStatus{})))};
}

}  // namespace hal0::os
