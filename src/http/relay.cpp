#include "http/relay.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "http/limits.hpp"
#include "http/shared.hpp"
#include "http/worker_errors.hpp"
#include "os/net.hpp"

namespace hal0::http {
namespace {

bool is_interim(int status) { return status >= 100 && status < 200; }

bool is_event_stream(ResponseHead const& head) {
    constexpr std::string_view type = "text/event-stream";
    auto const value = head.header("content-type");
    return equal_fold(value.substr(0, type.size()), type);
}

}  // namespace

void Relay::start(RelayPlan const& plan, Inbound& request, ClientTerms const& terms) {
    request_ = &request;
    terms_ = terms;
    refusal_ = nullptr;
    sent_ = 0;
    events_ = {};
    outcome_ = {};
    started_ = shared_.loop.now();
    connecting_since_ = started_;
    second_try_ = heard_ = readable_ = hung_up_ = head_waits_ = wants_turn_ = keep_upstream_ = shown_ = false;
    put_worker_head(request.worker_head, request.head, plan, request.body.size());
    request.added.append(plan.add_lines);
    worker_ = &shared_.upstreams.worker(plan.upstream);
    upstream_ = shared_.upstreams.take(*worker_, owner_);
    reused_ = upstream_ != nullptr;
    if (!reused_) return connect();
    phase_ = Phase::Head;
    send_request();
}

void Relay::connect() {
    auto opened = shared_.upstreams.open(*worker_, owner_);
    if (opened) {
        upstream_ = std::move(opened).value();
        phase_ = Phase::Head;
        return send_request();
    }
    // A worker that is busy accepting gets some time; patience() says when to try again.
    phase_ = Phase::Connecting;
    bool const in_time = shared_.loop.now() - connecting_since_ < connect_timeout;
    if (opened.error().kind != Errc::Busy || !in_time) refuse(never_began(), Ending::UpstreamRefused);
}

// A worker that was there a moment ago, had the request, and now isn't: that is its death, and its log says
// more.
OwnError const& Relay::never_began() const {
    return second_try_ ? worker_errors::died : worker_errors::unreachable;
}

bool Relay::request_sent() const {
    return request_ == nullptr || sent_ == request_->worker_head.size() + request_->body.size();
}

void Relay::send_request() {
    auto const head = request_->worker_head.view();
    auto const body = request_->body.view();
    while (!request_sent()) {
        std::array<os::Slice, 2> slices{};
        std::size_t count = 0;
        if (sent_ < head.size()) slices.at(count++) = {head.data() + sent_, head.size() - sent_};
        auto const of_body = sent_ < head.size() ? 0 : sent_ - head.size();
        if (of_body < body.size()) slices.at(count++) = {body.data() + of_body, body.size() - of_body};
        auto const io = os::write_some(upstream_->fd(), slices.data(), count);
        sent_ += io.count;
        if (io.again) return upstream_->await_room();
        if (io.closed) {  // its last words, an early answer perhaps, may still be there to read
            readable_ = true;
            wants_turn_ = true;
            return;
        }
    }
    forget_request_if_done();
}

// Until the answer begins the request may have to be sent once more.
void Relay::forget_request_if_done() {
    if (phase_ == Phase::Body && request_sent()) request_ = nullptr;
}

void Relay::on_upstream(os::Ready ready) {
    if (has(ready, os::Ready::Write) && !request_sent()) send_request();
    if (has(ready, os::Ready::Hangup) || has(ready, os::Ready::Fault)) hung_up_ = true;
    if (has(ready, os::Ready::Read) || hung_up_) readable_ = true;
    proceed();
}

void Relay::proceed() {
    wants_turn_ = false;
    // Only while the client takes what it gets: what it doesn't take is to stop the worker, not to pile up.
    for (int reads = 0; readable_ && !over() && upstream_ && !client_.pending(); ++reads) {
        if (reads == reads_per_turn_max) {
            wants_turn_ = true;
            return;
        }
        read_once();
    }
}

void Relay::read_once() {
    auto& scratch = shared_.scratch;
    auto const io = os::read_some(upstream_->fd(), scratch.data(), scratch.size());
    if (io.again) {
        readable_ = false;
        return;
    }
    if (io.closed) return upstream_ended(io.fault);
    // Less than was asked for is all there is: what comes later is an event of its own.
    if (io.count < scratch.size() && !hung_up_) readable_ = false;
    if (!heard_) outcome_.first_byte = shared_.loop.now() - started_;
    heard_ = true;
    std::string_view const bytes{scratch.data(), io.count};
    phase_ == Phase::Head ? take_head(bytes) : pass_on({}, bytes);
}

void Relay::upstream_ended(bool fault) {
    if (phase_ == Phase::Body) {
        if (body_.framing() == Framing::UntilClose && !fault) return complete();
        return cut(worker_errors::died, Ending::UpstreamCut);
    }
    bool const never_connected = sent_ == 0;
    upstream_.reset();
    if (reused_ && !heard_) {  // it was closed while it waited in the pool: once more, on one of its own
        reused_ = readable_ = hung_up_ = false;
        second_try_ = !never_connected;
        sent_ = 0;
        connecting_since_ = shared_.loop.now();
        return connect();
    }
    refuse(never_connected ? never_began() : worker_errors::died, Ending::UpstreamRefused);
}

void Relay::take_head(std::string_view bytes) {
    if (head_waits_) return begin_body(request_->answer_head.view(), bytes);
    if (!partial_.empty()) {
        partial_.append(bytes);
        bytes = partial_.view();
    }
    auto& head = shared_.response_head;
    while (true) {
        auto const progress = parse_response_head(bytes, head);
        if (progress.state == HeadProgress::State::Bad)
            return refuse(worker_errors::bad_answer, Ending::UpstreamRefused);
        if (progress.state == HeadProgress::State::More) return keep_for_later(bytes);
        auto const rest = bytes.substr(progress.size);
        if (!is_interim(head.status)) return begin_answer(head, rest);
        // We never ask for another protocol.
        if (head.status == 101) return refuse(worker_errors::bad_answer, Ending::UpstreamRefused);
        bytes = rest;
    }
}

// `bytes` are the end of what came: of `partial_`, where there is one.
void Relay::keep_for_later(std::string_view bytes) {
    if (partial_.empty())
        partial_.append(bytes);
    else
        partial_.drop_front(partial_.size() - bytes.size());
}

void Relay::begin_answer(ResponseHead const& head, std::string_view rest) {
    auto const framing = framing_of(head, terms_.head_request);
    body_ = BodyTracker{framing, head.content_length.value_or(0)};
    decode_ = terms_.begun || (framing == Framing::Chunked && !terms_.knows_chunks());
    bool const own_end = !terms_.begun && (framing == Framing::UntilClose || decode_);
    if (own_end || shared_.draining) terms_.keep_alive = false;
    events_only_ = is_event_stream(head);
    if (events_only_) client_.keep_buffer_small();
    auto const allowed = keep_alive_of(head);
    upstream_idle_ = allowed.idle;
    keep_upstream_ =
        head.keep_alive && framing != Framing::UntilClose && upstream_->served() + 1 < allowed.requests_max;
    outcome_.status = head.status;
    auto& text = shared_.head_text;
    text.clear();
    if (terms_.begun) return go_on_with(rest);
    put_relayed_head(text, head, request_->added.view(), decode_ ? Chunks::Decoded : Chunks::Kept, terms_);
    // A head whose body is sure to follow waits for it: both leave in one packet.
    head_waits_ = framing == Framing::Length && !body_.ended() && rest.empty();
    if (head_waits_)
        request_->answer_head.append(text);
    else
        begin_body(text, rest);
    partial_.release();
}

// The client has its head already.
void Relay::go_on_with(std::string_view bytes) {
    phase_ = Phase::Body;
    bool const sent = events_only_ || go_on("data: ");
    if (!sent) return finish(Ending::ClientGone, After::Abort);
    pass_on({}, bytes);
    partial_.release();
    if (!over()) forget_request_if_done();
}

void Relay::begin_body(std::string_view head, std::string_view bytes) {
    phase_ = Phase::Body;
    pass_on(head, bytes);
    if (!over()) forget_request_if_done();
}

void Relay::pass_on(std::string_view head, std::string_view bytes) {
    auto& decoded = shared_.body_text;
    decoded.clear();
    auto const used = body_.consume(bytes, [this, &decoded](std::string_view run) {
        outcome_.body_bytes += run.size();
        events_only_ ? show_events(run) : show(run);
        if (decode_) decoded.append(run);
    });
    auto const payload = decode_ ? std::string_view{decoded} : bytes.substr(0, used);
    bool const sent = terms_.begun ? go_on(one_line(decoded)) : client_.send({head, payload});
    if (!sent) return finish(Ending::ClientGone, After::Abort);
    if (body_.bad()) return cut(worker_errors::died, Ending::UpstreamCut);
    if (!body_.ended()) return;
    // Bytes beyond the end, seen or perhaps still unread, would be taken for the next answer.
    bool const surplus = used < bytes.size() || readable_;
    if (surplus || !request_sent()) keep_upstream_ = false;
    complete();
}

// A stream's events come whole, nearly always: nothing of them is copied then.
void Relay::show_events(std::string_view run) {
    events_.feed(run);
    bool const whole = events_.between_events();
    if (whole && end_.empty()) return owner_.on_passing(run);
    keep_end(run);
    if (!whole) return;
    owner_.on_passing(end_.view());
    end_.release();
}

// Most answers come in one piece: it is shown as it is, and nothing of it is copied.
void Relay::show(std::string_view run) {
    bool const only = !shown_ && body_.ended();
    if (!shown_) owner_.on_passing(run);
    shown_ = true;
    if (!only) keep_end(run);
}

void Relay::keep_end(std::string_view run) {
    if (run.size() > shown_bytes_max) run.remove_prefix(run.size() - shown_bytes_max);
    auto const size = end_.size() + run.size();
    if (size > shown_bytes_max) end_.drop_front(size - shown_bytes_max);
    end_.append(run);
}

void Relay::complete() {
    if (!events_only_ && !end_.empty()) owner_.on_passing(end_.view());
    bool const told = !terms_.begun || end_begun(events_only_ ? "" : "\n\n");
    if (!told) return finish(Ending::ClientGone, After::Abort);
    finish(Ending::Complete, terms_.keep_alive ? After::KeepAlive : After::Close);
}

// A line of an event's data: of JSON, where a line's end is a blank like any other.
std::string& Relay::one_line(std::string& text) const {
    if (!events_only_) std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return text;
}

bool Relay::go_on(std::string_view bytes) {
    if (bytes.empty()) return true;
    if (!terms_.knows_chunks()) return client_.send({bytes});
    return client_.send({chunk_head(bytes.size(), shared_.head_text), bytes, "\r\n"});
}

bool Relay::end_begun(std::string_view last) {
    return go_on(last) && (!terms_.knows_chunks() || client_.send({"0\r\n\r\n"}));
}

void Relay::on_silence() {
    if (phase_ == Phase::Connecting) return connect();
    if (phase_ == Phase::Body) return cut(worker_errors::silent, Ending::Stalled);
    if (sent_ == 0) return refuse(never_began(), Ending::UpstreamRefused);
    refuse(worker_errors::silent, Ending::Stalled);
}

Duration Relay::patience() const {
    if (phase_ == Phase::Connecting) return connect_retry_pause;
    if (phase_ == Phase::Head && sent_ == 0) return connect_timeout;
    return shared_.limits.upstream_silence;
}

void Relay::refuse(OwnError const& error, Ending ending) {
    if (!terms_.begun) {
        refusal_ = &error;
        return finish(ending, After::KeepAlive);
    }
    auto const event = owner_.cut_event(error);
    if (event.empty() || !end_begun(event)) return finish(ending, After::Abort);
    finish(ending, terms_.keep_alive ? After::KeepAlive : After::Close);
}

void Relay::cut(OwnError const& error, Ending ending) {
    bool const told = tell_cut(error);
    keep_upstream_ = false;
    if (!told) return finish(ending, After::Abort);
    finish(ending, terms_.keep_alive ? After::KeepAlive : After::Close);
}

// An answer that is cut must not be taken for a whole one: a last event says so where one can be put, else
// the connection is aborted.
bool Relay::tell_cut(OwnError const& error) {
    bool const at_boundary = terms_.begun || (!body_.bad() && body_.at_boundary());
    if (!events_only_ || !at_boundary || !events_.between_events()) return false;
    auto const event = owner_.cut_event(error);
    if (event.empty()) return false;
    if (terms_.begun) return end_begun(event);
    if (body_.framing() != Framing::Chunked || decode_) return client_.send({event});
    auto const size = chunk_head(event.size(), shared_.head_text);
    return client_.send({size, event, "\r\n0\r\n\r\n"});
}

void Relay::finish(Ending ending, After after) {
    outcome_.ending = ending;
    after_ = after;
    phase_ = Phase::Over;
    wants_turn_ = false;
    request_ = nullptr;
    partial_.release();
    end_.release();
    bool const whole = ending == Ending::Complete && keep_upstream_;
    if (whole) shared_.upstreams.give_back(std::move(upstream_), upstream_idle_);
    upstream_.reset();
}

RelayOutcome Relay::outcome(Ending ending) const {
    auto told = outcome_;
    told.ending = ending;
    told.total = shared_.loop.now() - started_;
    return told;
}

}  // namespace hal0::http
