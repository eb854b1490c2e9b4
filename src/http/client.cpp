#include "http/client.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "http/body.hpp"
#include "http/head.hpp"
#include "http/limits.hpp"

namespace hal0::http {
namespace {

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// A line break in any of these would let whoever chose it write headers, or a second request, of their own.
Result<void> check(ClientRequest const& request) {
    auto const& target = request.target;
    if (!target.starts_with('/') || has_control(target) || target.find(' ') != std::string::npos)
        return Error{Errc::Invalid,
                     format("'{}' is not a request target; it begins with / and has no spaces", target)};
    for (auto const& [name, value] : request.headers)
        if (name.empty() || has_control(name) || has_control(value))
            return Error{Errc::Invalid, format("the header '{}' has control characters", name)};
    return {};
}

std::string head_of(ClientRequest const& request) {
    bool const on_unix = std::holds_alternative<os::UnixAddress>(request.peer);
    // One call, one connection: the peer need not keep it.
    auto head = format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", method_name(request.method),
                       request.target, on_unix ? "localhost" : os::to_string(request.peer));
    bool const may_have_body =
        request.method == Method::Post || request.method == Method::Put || request.method == Method::Patch;
    if (may_have_body || !request.body.empty()) head += format("Content-Length: {}\r\n", request.body.size());
    for (auto const& [name, value] : request.headers)
        head += format("{}: {}\r\n", name, value);
    return head + "\r\n";
}

os::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

std::string_view ClientAnswer::header(std::string_view name) const {
    for (auto const& field : headers)
        if (equal_fold(field.name, name)) return field.value;
    return {};
}

class Call::Impl final : public os::FdHandler, NoCopy {
  public:
    Impl(os::Loop& loop, ClientRequest request, Done done, Piece piece);
    ~Impl();
    void start();
    void on_ready(os::Ready ready) override;
    [[nodiscard]] bool connected() const { return connected_; }

  private:
    Result<void> connect();
    void send();
    void receive();
    void take(std::string_view bytes);
    void begin_body(ResponseHead const& head);
    void take_body(std::string_view bytes);
    bool hand_on();
    void at_close(bool fault);
    void at_deadline();
    void fail(Errc kind, std::string_view what);
    void finish(Result<ClientAnswer> result);
    void disconnect();

    os::Loop& loop_;
    ClientRequest request_;
    Done done_;
    Piece piece_;
    os::Timer timer_;
    std::optional<Error> not_started_{};  // told by the timer, for start() may not call `done`
    os::UniqueFd fd_{};
    std::string head_{};  // of the request
    std::size_t sent_{0};
    bool connected_{false};
    bool sending_{true};
    std::string head_bytes_{};  // of the answer, until its head is whole
    bool in_body_{false};
    bool streaming_{false};
    BodyTracker body_{};
    ClientAnswer answer_{};
    bool* destroyed_{nullptr};  // set while `piece_` runs: where to say that it destroyed this
};

Call::Impl::Impl(os::Loop& loop, ClientRequest request, Done done, Piece piece)
    : loop_{loop},
      request_{std::move(request)},
      done_{std::move(done)},
      piece_{std::move(piece)},
      timer_{loop, [this] { at_deadline(); }} {}

Call::Impl::~Impl() {
    if (destroyed_ != nullptr) *destroyed_ = true;
    disconnect();
}

void Call::Impl::start() {
    auto connecting = connect();
    if (!connecting) not_started_ = std::move(connecting).error();
    timer_.start(not_started_ ? Duration::zero() : request_.deadline);
}

Result<void> Call::Impl::connect() {
    HAL0_CHECK(check(request_));
    head_ = head_of(request_);
    auto fd = os::connect_to(request_.peer);
    // Whatever keeps us from the peer (no socket file, nobody listens), to the caller it can't answer now.
    auto const kept = fd ? Errc::Unavailable : fd.error().kind;
    if (!fd && kept != Errc::Invalid && kept != Errc::Forbidden) fd.error().kind = Errc::Unavailable;
    if (!fd) return std::move(fd).error();
    fd_ = std::move(fd).value();
    return loop_.watch(fd_.get(), os::Ready::Read | os::Ready::Write, os::Trigger::Level, *this);
}

void Call::Impl::on_ready(os::Ready ready) {
    if (!connected_) {
        if (auto const result = os::connect_result(fd_.get()); !result)
            return fail(Errc::Unavailable, format("can't be reached, {}", result.error().message));
        connected_ = true;
    }
    if (sending_ && os::has(ready, os::Ready::Write)) send();
    if (os::has(ready, os::Ready::Read) || os::has(ready, os::Ready::Hangup) ||
        os::has(ready, os::Ready::Fault))
        receive();
}

void Call::Impl::send() {
    auto const head_sent = std::min(sent_, head_.size());
    std::array const slices{slice(std::string_view{head_}.substr(head_sent)),
                            slice(std::string_view{request_.body}.substr(sent_ - head_sent))};
    auto const io = os::write_some(fd_.get(), slices.data(), slices.size());
    sent_ += io.count;
    // A peer that takes no more may have answered already (413 …): reading will tell.
    if (!io.closed && sent_ < head_.size() + request_.body.size()) return;
    sending_ = false;
    loop_.rewatch(fd_.get(), os::Ready::Read, os::Trigger::Level, *this);
}

void Call::Impl::receive() {
    std::array<char, scratch_bytes> buffer;
    auto const io = os::read_some(fd_.get(), buffer.data(), buffer.size());
    if (io.count > 0) return take({buffer.data(), io.count});
    if (io.closed) at_close(io.fault);
}

void Call::Impl::take(std::string_view bytes) {
    if (in_body_) return take_body(bytes);
    head_bytes_ += bytes;
    ResponseHead head;
    auto progress = parse_response_head(head_bytes_, head);
    while (progress.state == HeadProgress::State::Done && head.status < 200) {  // 100, 103: not yet it
        head_bytes_.erase(0, progress.size);
        progress = parse_response_head(head_bytes_, head);
    }
    if (progress.state == HeadProgress::State::Bad)
        return fail(Errc::Corrupt, format("gave no HTTP answer that can be read: {}", progress.fault.reason));
    if (progress.state == HeadProgress::State::More) return;
    begin_body(head);
    take_body(std::string_view{head_bytes_}.substr(progress.size));
}

void Call::Impl::begin_body(ResponseHead const& head) {
    in_body_ = true;
    answer_.status = head.status;
    for (auto const& [name, value] : head.headers)
        answer_.headers.push_back({std::string{name}, std::string{value}});
    body_ = BodyTracker{framing_of(head, request_.method == Method::Head), head.content_length.value_or(0)};
    streaming_ = piece_ != nullptr && head.status < 300;
    if (streaming_) timer_.start(request_.deadline);
}

void Call::Impl::take_body(std::string_view bytes) {
    body_.consume(bytes, [this](std::string_view run) { answer_.body += run; });
    if (streaming_) {
        if (!hand_on()) return;
    } else if (answer_.body.size() > static_cast<std::size_t>(request_.answer_max.count)) {
        return fail(Errc::TooLarge, format("answered with more than {}", human(request_.answer_max)));
    }
    if (body_.bad()) return fail(Errc::Corrupt, "answered with a body that is not the chunked coding");
    if (body_.ended()) finish(std::move(answer_));
}

// False when the call is over: `piece` destroyed it.
bool Call::Impl::hand_on() {
    if (answer_.body.empty()) return true;
    timer_.start(request_.deadline);
    // The function and its bytes are held here while it runs, for it may destroy what they stand in.
    bool destroyed = false;
    destroyed_ = &destroyed;
    auto piece = std::move(piece_);
    auto bytes = std::exchange(answer_.body, {});
    piece(bytes);
    if (destroyed) return false;
    destroyed_ = nullptr;
    piece_ = std::move(piece);
    bytes.clear();
    answer_.body = std::move(bytes);  // for its memory
    return true;
}

void Call::Impl::at_close(bool fault) {
    if (!in_body_) return fail(Errc::Unavailable, "closed the connection before it answered");
    if (body_.framing() == Framing::UntilClose && !fault) return finish(std::move(answer_));
    fail(Errc::Unavailable, "closed the connection in the middle of its answer: it ended early");
}

void Call::Impl::at_deadline() {
    if (not_started_) return finish(std::move(*not_started_));
    auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(request_.deadline).count();
    fail(Errc::Timeout, streaming_ ? format("sent nothing for {} ms in the middle of its answer", ms)
                                   : format("did not answer within {} ms", ms));
}

// The peer's address is the sentence's subject: `what` goes on from there.
void Call::Impl::fail(Errc kind, std::string_view what) {
    finish(Error{kind, format("{} {}", os::to_string(request_.peer), what)});
}

void Call::Impl::finish(Result<ClientAnswer> result) {
    disconnect();
    auto const done = std::move(done_);
    done(std::move(result));  // may destroy this
}

void Call::Impl::disconnect() {
    timer_.stop();
    if (fd_.open()) loop_.unwatch(fd_.get(), *this);
    fd_.reset();
}

std::unique_ptr<Call> Call::start(os::Loop& loop, ClientRequest request, Done done, Piece piece) {
    auto impl = std::make_unique<Impl>(loop, std::move(request), std::move(done), std::move(piece));
    impl->start();
    return std::unique_ptr<Call>{new Call{std::move(impl)}};
}

Call::Call(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Call::~Call() = default;

bool Call::connected() const { return impl_->connected(); }

Result<ClientAnswer> fetch(ClientRequest request, Call::Piece piece) {
    HAL0_TRY(loop, os::Loop::make());
    std::optional<Result<ClientAnswer>> answer;
    auto const call = Call::start(
        *loop, std::move(request), [&answer](Result<ClientAnswer> result) { answer = std::move(result); },
        std::move(piece));
    while (!answer)
        loop->run_once(Duration::max());
    return *std::move(answer);
}

}  // namespace hal0::http
