#pragma once
// One client connection: reads requests in order, hands each to the handler, and sends its answer, one at a
// time. Its place and memory are used again by later connections; the generation tells their requests apart.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/downstream.hpp"
#include "http/heads.hpp"
#include "http/inbound.hpp"
#include "http/relay.hpp"
#include "http/server.hpp"
#include "http/timer_wheel.hpp"
#include "http/upstream_pool.hpp"
#include "os/loop.hpp"

namespace hal0::http {

struct Shared;

enum class Via : std::uint8_t { Tcp, UnixSocket };

class Connection final : public Exchange, public os::FdHandler, public Deadline, public RelayOwner {
  public:
    Connection(Shared& shared, std::uint32_t number) : shared_{shared}, number_{number} {}
    ~Connection();

    Result<void> open(os::UniqueFd fd, Via via);
    // The request is waiting for its answer, or for more of it.
    [[nodiscard]] bool answerable(std::uint32_t generation) const;
    [[nodiscard]] std::uint32_t number() const { return number_; }
    // Nothing is asked of us: it is between two requests, or in the middle of the next one's head.
    [[nodiscard]] bool is_unasked() const { return state_ == State::Idle || state_ == State::Head; }
    // Nothing is said: for connections without a request under way.
    void close();
    void take_turn();

    // Exchange
    [[nodiscard]] ExchangeId id() const override { return {number_, generation_}; }
    [[nodiscard]] RequestHead const& head() const override { return inbound_->head; }
    [[nodiscard]] std::string_view body() const override { return inbound_->body.view(); }
    std::string take_body() override;
    [[nodiscard]] bool over_unix_socket() const override { return via_ == Via::UnixSocket; }
    void respond(Response const& response) override;
    void begin_stream(Response const& head_and_first) override;
    void write(std::string_view bytes) override;
    void finish() override;
    void relay(RelayPlan const& plan, Relayed& told) override;
    void keep_waiting(Response const& head, std::string_view comment) override;
    [[nodiscard]] bool kept_waiting() const override { return begun_; }
    void end_events(std::string_view last) override;

  private:
    enum class State : std::uint8_t {
        Closed,
        Idle,       // before a request's first byte
        Head,       // a part of its head is there
        Body,       // its body is being read
        Waiting,    // the handler has it
        Streaming,  // the handler answers in pieces
        Relaying,   // a worker answers
        Flushing,   // the answer is over but for what the client hasn't taken
        Skipping,   // the answer is out; the rest of a body nobody wanted is read
        Lingering,  // our last words are out; the client gets time to read them
    };

    // os::FdHandler, Deadline, RelayOwner
    void on_ready(os::Ready ready) override;
    void on_deadline() override;
    void on_upstream(os::Ready ready) override;
    std::string cut_event(OwnError const& error) override { return told_->cut_event(id(), error); }
    void on_passing(std::string_view content) override { told_->on_passing(id(), content); }

    // Reading
    void proceed();
    bool step(int& reads);
    bool take_input(int& reads);
    bool read_into_body();
    void end_of_input();
    [[nodiscard]] bool reading() const;
    std::size_t use(std::string_view bytes);
    std::size_t feed(std::string_view bytes);
    std::size_t feed_head(std::string_view bytes);
    std::size_t feed_body(std::string_view bytes);
    void count_head();
    void head_is_there();
    void begin_reading_body(Bytes body_max);
    void count_body(Bytes more);
    void body_grew(std::size_t count);
    void request_is_there();
    void refuse(OwnError const& error);
    void refuse_size(Bytes body_max);
    void release_inbound();

    // Answering
    [[nodiscard]] ClientTerms terms() const;
    void settle_unread_body();
    void send_whole(Response const& response);
    bool send_piece(std::string_view bytes);
    void answer_ends(bool sent);
    void after_answer();
    void become_idle();
    void part();
    void client_took();
    void after_relay_step();
    void end_relay();
    void tell(Ending ending);
    void gone(Ending why);
    void abort();
    void cut_later(Ending why);
    void renew_deadline();

    Shared& shared_;
    std::uint32_t number_;
    std::uint32_t generation_{0};
    Downstream client_{};
    ByteQueue leftover_{};  // read, and not yet used: of the next request
    std::unique_ptr<Inbound> inbound_{};
    Relayed* told_{nullptr};
    State state_{State::Closed};
    Via via_{Via::Tcp};
    std::uint8_t minor_{1};
    bool keep_alive_ : 1 {true};  // after this answer
    bool head_request_ : 1 {false};
    bool begun_ : 1 {false};     // by keep_waiting()
    bool readable_ : 1 {false};  // the socket has, or may have, something to read
    bool hung_up_ : 1 {false};   // the client sends nothing beyond that
    bool broken_ : 1 {false};    // the client is to be cut at the next turn
    bool proceeding_ : 1 {false};
    bool queued_ : 1 {false};  // for a turn
    Relay relay_{shared_, client_, *this};

    friend struct Shared;
};

}  // namespace hal0::http
