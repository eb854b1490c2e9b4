#include "http/connection.hpp"

#include <algorithm>
#include <cassert>

#include "base/format.hpp"
#include "base/text.hpp"
#include "http/limits.hpp"
#include "http/shared.hpp"
#include "os/net.hpp"

namespace hal0::http {
namespace {

constexpr OwnError too_many_bodies{
    503, "busy", "too many large requests are held at the moment; send this one again in a few seconds"};
constexpr OwnError too_many_heads{
    503, "busy", "too many large headers are held at the moment; send this request again in a few seconds"};
constexpr OwnError slow_head{408, "timeout", "the request's header took too long to arrive"};
constexpr OwnError slow_body{408, "timeout", "the request's body stopped arriving"};
constexpr OwnError bad_chunks{400, "invalid", "the request's body is not in the chunked coding it promises"};

}  // namespace

Connection::~Connection() {
    if (client_.is_open()) shared_.loop.unwatch(client_.fd(), *this);
}

Result<void> Connection::open(os::UniqueFd fd, Via via) {
    HAL0_CHECK(shared_.loop.watch(fd.get(), os::Ready::Read | os::Ready::Write | os::Ready::Hangup,
                                  os::Trigger::Edge, *this));
    client_.open(std::move(fd));
    via_ = via;
    readable_ = hung_up_ = broken_ = false;
    state_ = State::Idle;
    renew_deadline();
    return {};
}

void Connection::close() {
    if (state_ == State::Closed) return;
    shared_.loop.unwatch(client_.fd(), *this);
    client_.close();
    leftover_.clear();
    release_inbound();
    state_ = State::Closed;
    renew_deadline();
    shared_.owner.on_closed(*this);
}

// ---- time

// How long the present state may last. Called on entering a state, and after each step that may have got it
// further. While the client has something to take, its time counts, from the last bytes it took; else whose
// turn it is.
void Connection::renew_deadline() {
    auto& wheel = shared_.wheel;
    auto const& limits = shared_.limits;
    switch (state_) {
        case State::Idle: return wheel.set(*this, limits.idle_timeout);
        case State::Head: return wheel.set(*this, limits.head_timeout);
        case State::Body:
        case State::Skipping: return wheel.set(*this, limits.body_silence);
        case State::Lingering: return wheel.set(*this, linger_timeout);
        case State::Streaming:
        case State::Relaying:
        case State::Flushing:
            if (client_.pending()) {
                if (client_.got_further()) wheel.set(*this, limits.write_stall);
                return;
            }
            if (state_ == State::Relaying) return wheel.set(*this, relay_.patience());
            [[fallthrough]];
        case State::Waiting:
        case State::Closed: return wheel.clear(*this);
    }
}

// ---- events

void Connection::on_ready(os::Ready ready) {
    if (has(ready, os::Ready::Fault)) return gone(Ending::ClientGone);
    if (has(ready, os::Ready::Read)) readable_ = true;
    if (has(ready, os::Ready::Hangup)) hung_up_ = true;
    if (has(ready, os::Ready::Write) && client_.pending()) {
        if (!client_.flush()) return gone(Ending::ClientGone);
        client_took();
    }
    proceed();
}

// … of what was pending.
void Connection::client_took() {
    bool const all = !client_.pending();
    if (all && state_ == State::Flushing) return after_answer();
    if (!all || state_ != State::Relaying) return renew_deadline();
    relay_.proceed();
    after_relay_step();
}

void Connection::on_upstream(os::Ready ready) {
    relay_.on_upstream(ready);
    after_relay_step();
}

void Connection::take_turn() {
    queued_ = false;
    if (state_ == State::Relaying && relay_.wants_turn()) {
        relay_.proceed();
        return after_relay_step();
    }
    proceed();
}

void Connection::on_deadline() {
    switch (state_) {
        case State::Head: return refuse(slow_head);
        case State::Body: return refuse(slow_body);
        case State::Streaming: return gone(Ending::Stalled);
        case State::Relaying:
            if (client_.pending()) return gone(Ending::Stalled);
            relay_.on_silence();
            return after_relay_step();
        case State::Flushing: tell(Ending::Stalled); return abort();
        case State::Idle:
        case State::Skipping:
        case State::Lingering: return close();
        case State::Waiting:
        case State::Closed: return;
    }
}

// ---- reading

void Connection::proceed() {
    assert(!proceeding_);  // what the handler answers meanwhile is gone on with by the loop below
    proceeding_ = true;
    int reads = reads_per_turn_max;
    while (step(reads)) {
    }
    proceeding_ = false;
}

bool Connection::step(int& reads) {
    switch (state_) {
        case State::Closed:
        case State::Flushing: return false;
        case State::Relaying:
            if (relay_.over()) {
                end_relay();
                return true;
            }
            [[fallthrough]];
        case State::Waiting:
        case State::Streaming:
            // A client that closes its sending side after a request is taken for gone, as nginx and
            // llama-server do: nobody reads what a model would go on computing.
            if (hung_up_ || broken_) gone(broken_ ? Ending::Stalled : Ending::ClientGone);
            return false;
        case State::Idle:
        case State::Head:
        case State::Body:
        case State::Skipping:
        case State::Lingering: return take_input(reads);
    }
    return false;
}

bool Connection::reading() const {
    return state_ == State::Idle || state_ == State::Head || state_ == State::Body ||
           state_ == State::Skipping || state_ == State::Lingering;
}

bool Connection::take_input(int& reads) {
    if (!leftover_.empty()) {
        auto const used = use(leftover_.view());
        if (state_ != State::Closed) leftover_.drop_front(used);
        return true;
    }
    if (!readable_) return false;
    if (reads-- == 0) {
        shared_.later(*this);
        return false;
    }
    // A long body is read to where it belongs, a short one together with what follows it.
    if (state_ == State::Body && inbound_->tracker.framing() == Framing::Length &&
        body_bytes_missing(*inbound_) >= scratch_bytes)
        return read_into_body();
    auto& scratch = shared_.scratch;
    auto const io = os::read_some(client_.fd(), scratch.data(), scratch.size());
    if (io.again) readable_ = false;
    if (io.closed) end_of_input();
    if (io.count == 0) return false;
    // Less than was asked for is all there is: what comes later is an event of its own.
    if (io.count < scratch.size() && !hung_up_) readable_ = false;
    std::string_view const bytes{scratch.data(), io.count};
    auto const used = use(bytes);
    if (state_ != State::Closed) leftover_.append(bytes.substr(used));
    return true;
}

bool Connection::read_into_body() {
    auto& body = inbound_->body;
    // Grown with what comes, not by what is promised.
    auto const missing = body_bytes_missing(*inbound_);
    if (body.room() == 0)
        body.reserve(body.size() + std::min(missing, std::max(body.size(), body_first_bytes)));
    auto const asked = std::min({missing, body.room(), body_read_bytes_max});
    auto const io = os::read_some(client_.fd(), body.end(), asked);
    if (io.again) readable_ = false;
    if (io.closed) end_of_input();
    if (io.count == 0) return false;
    if (io.count < asked && !hung_up_) readable_ = false;
    inbound_->tracker.consume({body.end(), io.count}, [](std::string_view) {});
    body.commit(io.count);
    body_grew(io.count);
    return true;
}

void Connection::end_of_input() {
    readable_ = false;
    close();
}

// How many of `bytes` were used before an answer has to be waited for.
std::size_t Connection::use(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && reading())
        used += feed(bytes.substr(used));
    return used;
}

std::size_t Connection::feed(std::string_view bytes) {
    if (state_ == State::Lingering) return bytes.size();
    if (state_ == State::Body) return feed_body(bytes);
    if (state_ == State::Skipping) {
        auto const used = inbound_->tracker.consume(bytes, [](std::string_view) {});
        if (inbound_->tracker.ended()) become_idle();
        return used;
    }
    return feed_head(bytes);
}

std::size_t Connection::feed_head(std::string_view bytes) {
    if (!inbound_) inbound_ = shared_.inbounds.take();
    std::size_t used = 0;
    auto const progress = read_head(*inbound_, bytes, used);
    count_head();
    switch (progress.state) {
        case HeadProgress::State::More:
            if (shared_.counters.heads_held > shared_.limits.heads_in_flight_max) {
                refuse(too_many_heads);
                break;
            }
            if (state_ == State::Head) break;
            state_ = State::Head;
            renew_deadline();
            break;
        case HeadProgress::State::Done: head_is_there(); break;
        case HeadProgress::State::Bad: {
            std::string const message = "the request can't be read: " + std::string{progress.fault.reason};
            refuse({progress.fault.status, "invalid", message});
            break;
        }
    }
    return used;
}

void Connection::count_head() {
    auto const size = inbound_->head_bytes.size();
    Bytes const counted{static_cast<std::int64_t>(size - std::min(size, head_bytes_uncounted))};
    shared_.counters.heads_held += counted - inbound_->head_counted;
    inbound_->head_counted = counted;
}

void Connection::head_is_there() {
    auto const& head = inbound_->head;
    ++generation_;
    ++shared_.counters.requests;
    keep_alive_ = head.keep_alive && !shared_.draining;
    head_request_ = head.method == Method::Head;
    begun_ = false;
    minor_ = static_cast<std::uint8_t>(head.minor);
    begin_body(*inbound_);
    state_ = State::Waiting;
    renew_deadline();
    auto const generation = generation_;
    auto body_max = shared_.limits.body_max;
    shared_.handler.on_head(*this, body_max);
    if (state_ == State::Waiting && generation_ == generation) begin_reading_body(body_max);
}

void Connection::begin_reading_body(Bytes body_max) {
    if (inbound_->tracker.ended()) return request_is_there();
    inbound_->body_max = body_max;
    auto const length = Bytes{static_cast<std::int64_t>(inbound_->head.content_length.value_or(0))};
    if (length > body_max) return refuse_size(body_max);
    if (shared_.counters.bodies_held + length > shared_.bodies_held_max) return refuse(too_many_bodies);
    if (inbound_->head.expect_continue && !client_.send({"HTTP/1.1 100 Continue\r\n\r\n"})) return close();
    state_ = State::Body;
    renew_deadline();
}

void Connection::refuse_size(Bytes body_max) {
    auto const message = format("the request's body is over the {} allowed here{}", human(body_max),
                                body_max == shared_.limits.body_max ? " (limits.body_max in hal0.toml)" : "");
    refuse({413, "too_large", message});
}

std::size_t Connection::feed_body(std::string_view bytes) {
    auto& body = inbound_->body;
    auto const before = body.size();
    auto const used = inbound_->tracker.consume(bytes, [&body](std::string_view run) { body.append(run); });
    body_grew(body.size() - before);
    return used;
}

void Connection::count_body(Bytes more) {
    shared_.counters.bodies_held += more;
    inbound_->body_counted += more;
}

void Connection::body_grew(std::size_t count) {
    count_body({static_cast<std::int64_t>(count)});
    if (inbound_->tracker.bad()) return refuse(bad_chunks);
    if (Bytes{static_cast<std::int64_t>(inbound_->body.size())} > inbound_->body_max)
        return refuse_size(inbound_->body_max);
    if (shared_.counters.bodies_held > shared_.bodies_held_max) return refuse(too_many_bodies);
    if (inbound_->tracker.ended()) return request_is_there();
    renew_deadline();
}

void Connection::request_is_there() {
    state_ = State::Waiting;
    renew_deadline();
    shared_.handler.on_request(*this);
}

void Connection::release_inbound() {
    if (!inbound_) return;
    shared_.counters.bodies_held -= inbound_->body_counted;
    shared_.counters.heads_held -= inbound_->head_counted;
    shared_.inbounds.give_back(std::move(inbound_));
}

}  // namespace hal0::http
