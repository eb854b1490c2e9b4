#pragma once
// One request's way to a worker and the answer's way back, as bytes as they come. A leaf: it is driven by its
// connection, which asks after each step whether it is over().
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/body.hpp"
#include "http/buffer.hpp"
#include "http/downstream.hpp"
#include "http/heads.hpp"
#include "http/inbound.hpp"
#include "http/server.hpp"
#include "http/upstream_pool.hpp"

namespace hal0::http {

struct Shared;

// Whose relay it is.
class RelayOwner : public UpstreamUser {
  public:
    virtual std::string cut_event(OwnError const& error) = 0;  // as Relayed has it
    virtual void on_passing(std::string_view content) = 0;     // as Relayed has it

  protected:
    ~RelayOwner() = default;
};

class Relay {
  public:
    Relay(Shared& shared, Downstream& client, RelayOwner& owner)
        : shared_{shared}, client_{client}, owner_{owner} {}

    // `request` is whole and stays until may_forget_request().
    void start(RelayPlan const& plan, Inbound& request, ClientTerms const& terms);
    void on_upstream(os::Ready ready);
    // Reads on: the client took what was pending, or it is this relay's turn again.
    void proceed();
    // patience() is over.
    void on_silence();
    // The client is gone or cut: closes the request to the worker.
    void abandon(Ending ending) { finish(ending, After::Abort); }

    [[nodiscard]] bool over() const { return phase_ == Phase::Over; }
    [[nodiscard]] bool wants_turn() const { return wants_turn_; }
    [[nodiscard]] bool may_forget_request() const { return request_ == nullptr; }
    // How long to wait for the next sign of the worker's.
    [[nodiscard]] Duration patience() const;

    // When it is over: what to answer instead, if no answer began, else what becomes of the connection.
    enum class After : std::uint8_t { KeepAlive, Close, Abort };
    [[nodiscard]] OwnError const* refusal() const { return refusal_; }
    [[nodiscard]] After after() const { return after_; }
    [[nodiscard]] Ending ending() const { return outcome_.ending; }
    [[nodiscard]] RelayOutcome outcome(Ending ending) const;

  private:
    enum class Phase : std::uint8_t { Over, Connecting, Head, Body };

    void connect();
    void send_request();
    [[nodiscard]] bool request_sent() const;
    void forget_request_if_done();
    void read_once();
    void upstream_ended(bool fault);
    void take_head(std::string_view bytes);
    void keep_for_later(std::string_view bytes);
    void begin_answer(ResponseHead const& head, std::string_view rest);
    void begin_body(std::string_view head, std::string_view bytes);
    void go_on_with(std::string_view bytes);
    void complete();
    [[nodiscard]] std::string& one_line(std::string& text) const;
    void pass_on(std::string_view head, std::string_view bytes);
    void show(std::string_view run);
    void show_events(std::string_view run);
    void keep_end(std::string_view run);
    [[nodiscard]] OwnError const& never_began() const;
    void refuse(OwnError const& error, Ending ending);
    void cut(OwnError const& error, Ending ending);
    bool tell_cut(OwnError const& error);
    // To a client whose stream has begun: a piece of it, and its end with one more.
    bool go_on(std::string_view bytes);
    bool end_begun(std::string_view last);
    void finish(Ending ending, After after);

    Shared& shared_;
    Downstream& client_;
    RelayOwner& owner_;
    Inbound* request_{nullptr};
    Worker* worker_{nullptr};
    std::unique_ptr<Upstream> upstream_{};
    OwnError const* refusal_{nullptr};
    std::size_t sent_{0};  // of the request
    Buffer partial_{};     // of the worker's head
    Buffer end_{};         // of an answer that comes in pieces: what is to be shown of it, once it is there
    BodyTracker body_{};
    EventBoundary events_{};
    RelayOutcome outcome_{};
    TimePoint started_{};
    TimePoint connecting_since_{};
    Duration upstream_idle_{};
    ClientTerms terms_{};
    Phase phase_{Phase::Over};
    After after_{After::Close};
    bool reused_ : 1 {false};       // the connection served before: it may have been closed meanwhile
    bool second_try_ : 1 {false};   // its first may have reached the worker: that failed with it
    bool heard_ : 1 {false};        // a byte came from the worker
    bool readable_ : 1 {false};     // the worker's socket has, or may have, something to read
    bool hung_up_ : 1 {false};      // nothing comes after what can be read
    bool events_only_ : 1 {false};  // the answer is a stream of server-sent events
    bool head_waits_ : 1 {false};   // in answer_head, for the first of its body
    bool decode_ : 1 {false};       // the chunked coding ends here
    bool shown_ : 1 {false};        // how the answer begins
    bool keep_upstream_ : 1 {false};
    bool wants_turn_ : 1 {false};
};

}  // namespace hal0::http
