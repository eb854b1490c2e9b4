// How a connection answers: connection.cpp is how it reads.
#include <cassert>

#include "http/connection.hpp"
#include "http/limits.hpp"
#include "http/shared.hpp"
#include "os/net.hpp"

namespace hal0::http {
namespace {

constexpr std::string_view last_chunk = "0\r\n\r\n";

bool is_event_stream(Response const& response) {
    return response.content_type.starts_with("text/event-stream");
}

}  // namespace

bool Connection::answerable(std::uint32_t generation) const {
    return generation_ == generation && (state_ == State::Waiting || state_ == State::Streaming);
}

ClientTerms Connection::terms() const {
    return {.minor = minor_, .keep_alive = keep_alive_, .head_request = head_request_, .begun = begun_};
}

std::string Connection::take_body() {
    assert(state_ == State::Waiting && inbound_->tracker.ended());
    std::string taken{inbound_->body.view()};
    inbound_->body.release();
    return taken;
}

// ---- whole answers

void Connection::respond(Response const& response) {
    assert(state_ == State::Waiting);
    settle_unread_body();
    send_whole(response);
}

// A request that can't be served: the answer, then the end of the connection.
void Connection::refuse(OwnError const& error) {
    ++shared_.counters.bad_requests;
    keep_alive_ = false;
    bool const head_is_read = state_ != State::Idle && state_ != State::Head;
    if (!head_is_read) {  // there is no telling what it asks, or where it ends
        minor_ = 1;
        head_request_ = false;
        inbound_->tracker = BodyTracker{Framing::UntilClose, 0};
    }
    send_whole(shared_.handler.failure(id(), error, head_is_read ? &inbound_->head : nullptr));
}

// An answer given before the body was read: a short rest is skipped, for a long one the connection ends. So
// it does where the client may or may not send its body (Expect), and where nobody knows how long it is.
void Connection::settle_unread_body() {
    if (inbound_->tracker.ended()) return;
    bool const short_rest = inbound_->tracker.framing() == Framing::Length &&
                            body_bytes_missing(*inbound_) <= skipped_body_bytes_max;
    if (!short_rest || inbound_->head.expect_continue) keep_alive_ = false;
}

void Connection::send_whole(Response const& response) {
    if (shared_.draining) keep_alive_ = false;
    auto& text = shared_.head_text;
    text.clear();
    put_answer_head(text, response, OwnBody::Whole, terms());
    bool const with_body = !head_request_ && may_have_body(response.status);
    answer_ends(client_.send({text, with_body ? std::string_view{response.body} : std::string_view{}}));
}

// The answer is written, though the client may not have taken all of it.
void Connection::answer_ends(bool sent) {
    if (!sent) {
        tell(Ending::ClientGone);
        return close();
    }
    if (!client_.pending()) return after_answer();
    state_ = State::Flushing;
    renew_deadline();
}

void Connection::after_answer() {
    tell(Ending::Complete);
    if (!keep_alive_ || shared_.draining) return part();
    if (inbound_ && !inbound_->tracker.ended()) {
        state_ = State::Skipping;
        renew_deadline();
    } else {
        become_idle();
    }
    // Else the loop in proceed() goes on with it.
    if (!proceeding_ && (readable_ || !leftover_.empty())) shared_.later(*this);
}

void Connection::become_idle() {
    release_inbound();
    state_ = State::Idle;
    renew_deadline();
}

// Closing while bytes of the client's are unread would reset the connection and take our answer from it: what
// it sends is read and forgotten for a while.
void Connection::part() {
    bool const all_read = inbound_ == nullptr || inbound_->tracker.ended();
    if (all_read && !readable_ && leftover_.empty()) return close();
    os::end_sending(client_.fd());
    release_inbound();
    state_ = State::Lingering;
    renew_deadline();
    if (!proceeding_ && (readable_ || !leftover_.empty())) shared_.later(*this);
}

// ---- answers in pieces

void Connection::begin_stream(Response const& head_and_first) {
    assert(state_ == State::Waiting);
    settle_unread_body();
    if (!terms().knows_chunks() || shared_.draining) keep_alive_ = false;
    if (is_event_stream(head_and_first)) client_.keep_buffer_small();
    auto& text = shared_.head_text;
    text.clear();
    put_answer_head(text, head_and_first, OwnBody::Stream, terms());
    state_ = State::Streaming;
    std::string_view const first = head_request_ ? std::string_view{} : head_and_first.body;
    bool sent = false;
    if (first.empty() || !terms().knows_chunks()) {
        sent = client_.send({text, first});
    } else {
        text.append(chunk_head(first.size(), shared_.body_text));
        sent = client_.send({text, first, "\r\n"});
    }
    if (!sent) cut_later(Ending::ClientGone);
    renew_deadline();
}

void Connection::write(std::string_view bytes) {
    assert(state_ == State::Streaming);
    if (hung_up_ || broken_ || head_request_ || bytes.empty()) return;
    if (client_.pending_bytes() + bytes.size() > stream_backlog_max) return cut_later(Ending::Stalled);
    if (!send_piece(bytes)) return cut_later(Ending::ClientGone);
    renew_deadline();
}

bool Connection::send_piece(std::string_view bytes) {
    if (!terms().knows_chunks()) return client_.send({bytes});
    return client_.send({chunk_head(bytes.size(), shared_.head_text), bytes, "\r\n"});
}

void Connection::finish() {
    assert(state_ == State::Streaming);
    if (hung_up_ || broken_) return abort();
    bool const ends_with_chunk = terms().knows_chunks() && !head_request_;
    answer_ends(client_.send({ends_with_chunk ? last_chunk : std::string_view{}}));
}

// ---- answers that begin before anybody answers

void Connection::keep_waiting(Response const& head, std::string_view comment) {
    assert(state_ == State::Waiting && inbound_->tracker.ended() && !head_request_);
    if (hung_up_ || broken_) return;
    bool sent = true;
    if (!begun_) {
        begun_ = true;
        if (!terms().knows_chunks() || shared_.draining) keep_alive_ = false;
        client_.keep_buffer_small();
        auto& text = shared_.head_text;
        text.clear();
        put_answer_head(text, head, OwnBody::Stream, terms());
        sent = client_.send({text});
    }
    if (!sent || !send_piece(comment)) cut_later(Ending::ClientGone);
}

void Connection::end_events(std::string_view last) {
    assert(state_ == State::Waiting && begun_);
    if (hung_up_ || broken_) return abort();
    bool const sent = send_piece(last);
    answer_ends(sent && client_.send({terms().knows_chunks() ? last_chunk : std::string_view{}}));
}

// Found out in a call of the handler's, which is told after it returned.
void Connection::cut_later(Ending why) {
    if (why == Ending::Stalled)
        broken_ = true;
    else
        hung_up_ = true;
    shared_.later(*this);
}

// ---- relays

void Connection::relay(RelayPlan const& plan, Relayed& told) {
    assert(state_ == State::Waiting && inbound_->tracker.ended());
    ++shared_.counters.relayed;
    told_ = &told;
    state_ = State::Relaying;
    if (shared_.draining) keep_alive_ = false;
    relay_.start(plan, *inbound_, terms());
    renew_deadline();
    // `told` isn't called from within here.
    if (relay_.over() || relay_.wants_turn()) shared_.later(*this);
}

void Connection::after_relay_step() {
    if (relay_.over()) return end_relay();
    if (inbound_ && relay_.may_forget_request()) release_inbound();
    if (relay_.wants_turn()) shared_.later(*this);
    renew_deadline();
}

void Connection::end_relay() {
    if (relay_.ending() == Ending::ClientGone) return gone(Ending::ClientGone);
    if (auto const* refusal = relay_.refusal()) {
        tell(relay_.ending());
        return send_whole(shared_.handler.failure(id(), *refusal, &inbound_->head));
    }
    if (relay_.ending() != Ending::Complete) tell(relay_.ending());
    if (relay_.after() == Relay::After::Abort) return abort();
    keep_alive_ = relay_.after() == Relay::After::KeepAlive;
    answer_ends(true);
}

void Connection::tell(Ending ending) {
    if (told_ == nullptr) return;
    auto& told = *std::exchange(told_, nullptr);
    told.on_relay_end(id(), relay_.outcome(ending));
}

// ---- the end

// The client went away, or is cut for taking nothing: an answer under way is over.
void Connection::gone(Ending why) {
    auto const exchange = id();
    bool const handler_waits = answerable(generation_);
    if (!relay_.over()) relay_.abandon(why);
    tell(why);
    if (why == Ending::Stalled) os::reset_on_close(client_.fd());
    close();
    if (handler_waits) shared_.handler.on_gone(exchange);
}

// So that no client takes a cut answer for a whole one.
void Connection::abort() {
    os::reset_on_close(client_.fd());
    close();
}

}  // namespace hal0::http
