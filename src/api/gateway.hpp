#pragma once
// The data plane: one Gateway per loop answers what it can from its snapshot, relays to workers, and sends
// the rest to the control plane.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.hpp"
#include "api/endpoints.hpp"
#include "api/hop.hpp"
#include "api/request_ids.hpp"
#include "api/request_log.hpp"
#include "api/rerank.hpp"
#include "base/no_copy.hpp"
#include "dispatch/ports.hpp"
#include "http/server.hpp"
#include "os/inbox.hpp"
#include "os/pool.hpp"

namespace hal0::api {

class Gateway final : public http::Handler,
                      public http::Relayed,
                      public dispatch::LoopPort,
                      public AnswerPort,
                      NoCopy {
  public:
    // All of these outlive it. `inbox` is this loop's; the ports are the control plane's.
    struct World {
        std::uint32_t number{0};  // this loop's, as the dispatcher counts them
        os::Loop& loop;
        os::Inbox& inbox;
        os::Pool& pool;
        dispatch::ControlPort& control;
        AdminPort& admin;
        RecordPort& records;
        // A client that waits for a stream hears after so long, and again each time, that it still comes.
        Duration heartbeat{std::chrono::seconds{5}};
    };
    Gateway(World const& world, AccessRules access);
    ~Gateway();
    void attach(http::Server& server) { server_ = &server; }
    // What is gathered of requests that ended goes to the control plane at once: the loop is about to end.
    void hand_over_records() { log_.hand_over(); }

    // http::Handler
    void on_head(http::Exchange& exchange, Bytes& body_max) override;
    void on_request(http::Exchange& exchange) override;
    void on_gone(http::ExchangeId id) override;
    http::Response failure(http::ExchangeId id, http::OwnError const& error,
                           http::RequestHead const* head) override;
    // http::Relayed
    std::string cut_event(http::ExchangeId id, http::OwnError const& error) override;
    void on_passing(http::ExchangeId id, std::string_view content) override;
    void on_relay_end(http::ExchangeId id, http::RelayOutcome const& outcome) override;
    // dispatch::LoopPort, from any thread
    void publish(dispatch::RouteTable const& table, std::uint64_t version) override;
    void grant(dispatch::Ticket ticket) override;
    void refuse(dispatch::Ticket ticket, Error why) override;
    void forget_worker(os::Address worker) override;
    // AnswerPort, from any thread
    void respond(dispatch::Ticket ticket, http::Response response) override;
    void begin_stream(dispatch::Ticket ticket, http::Response head_and_first) override;
    void write(dispatch::Ticket ticket, std::string bytes) override;
    void finish(dispatch::Ticket ticket) override;

  private:
    // What is under way on one connection. By the connection's number: no allocation per request.
    struct Active {
        enum class State : std::uint8_t { None, Waiting, Relaying, Ranking, Admin } state{State::None};
        std::uint32_t generation{0};
        Endpoint const* endpoint{nullptr};  // once its head is let in
        dispatch::Lease lease{};
        dispatch::SlotGate* gate{nullptr};  // that it waits for; outlives all that wait
        TimePoint arrived{};
        TimePoint began{};                 // its way to the worker
        std::uint64_t number{0};           // what it is called in ids_, where its client brought no id
        std::string client_id{};           // empty: none
        history::AnswerFigures figures{};  // as far as they are told
        std::uint32_t served{0};           // in served_
        std::uint32_t in_flight{0};        // on its slot when it came there, itself with them
        bool streams{false};               // a stream of events is asked for
    };
    // What answers requests, by this loop's tables so far; few, and for as long as the loop lives.
    struct Served {
        std::string slot{};
        std::string model{};
        bool operator==(Served const&) const = default;
    };
    // How a request on a slot ended.
    struct End {
        dispatch::Outcome outcome{dispatch::Outcome::Ok};
        int status{0};
        std::optional<Duration> first_byte{};
        Duration total{};  // since its way to the worker began
        std::uint64_t answer_bytes{0};
    };
    struct Waiting {
        std::string slot{};
        TimePoint since{};
    };

    void begin(http::ExchangeId id, http::RequestHead const& head);
    void know_routes();
    void serve_models(http::Exchange& exchange);
    void serve_work(http::Exchange& exchange, Endpoint const& endpoint);
    void send(http::Exchange& exchange, Endpoint const& endpoint, dispatch::Route const& route);
    void rank(http::Exchange& exchange, Endpoint const& endpoint, dispatch::Route const& route);
    void serve_admin(http::Exchange& exchange);
    void answer_admin_options(http::Exchange& exchange);
    void wait(http::Exchange& exchange, dispatch::Route const& route);
    void tell_who_waits();
    void fail(http::Exchange& exchange, Error const& error);
    void answer(http::Exchange& exchange, http::Response response);
    // put(name, value) for each header that every answer has; `head` is null where it couldn't be read.
    template <class Put> void common_headers(http::ExchangeId id, http::RequestHead const* head, Put put);
    void add_common(http::ExchangeId id, http::RequestHead const* head, http::Response& response);
    [[nodiscard]] std::string_view id_of(http::ExchangeId id);
    void note_route(Active& slot, dispatch::Route const& route) const;
    void ended(Active& slot, End const& end);
    void record(Active const& slot, End const& end);
    Active& active(http::ExchangeId id);
    [[nodiscard]] dispatch::Ticket ticket(http::ExchangeId id) const;
    http::Exchange* live(dispatch::Ticket ticket, Active::State state);
    void end(http::ExchangeId id);

    World world_;
    AccessRules access_;
    http::Server* server_{nullptr};
    dispatch::RouteTable const* table_;
    std::unique_ptr<dispatch::RouteTable const> empty_table_;
    std::string models_body_{};
    RequestIds ids_{};
    RequestLog log_{world_.loop, world_.records};
    std::vector<Served> served_{};
    std::vector<std::uint32_t> served_of_route_{};  // by its place in table_
    std::string lines_{};                           // the common headers of one relay; kept for its memory
    std::vector<Active> active_{};
    std::map<http::ExchangeId, Waiting>
        waiting_streams_{};  // and some that no longer wait, until the next look
    os::Timer heartbeat_{world_.loop, [this] { tell_who_waits(); }};
    std::map<http::ExchangeId, std::unique_ptr<RerankJob>> rankings_{};
};

}  // namespace hal0::api
