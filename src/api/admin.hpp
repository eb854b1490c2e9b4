#pragma once
// The admin API: takes requests from the data loops to their handlers on the control loop, and their answers
// back.
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/admin_routes.hpp"
#include "api/errors.hpp"
#include "api/hop.hpp"
#include "api/house.hpp"
#include "base/no_copy.hpp"
#include "history/event_stream.hpp"
#include "history/history.hpp"
#include "jobs/jobs.hpp"
#include "os/inbox.hpp"
#include "os/loop.hpp"
#include "wire/codec.hpp"

namespace hal0::api {

inline constexpr std::size_t admin_streams_max = 256;

// An answer that goes on. Destroyed when its client leaves or the daemon stops.
class AdminStream : NoCopy {
  public:
    virtual ~AdminStream() = default;
    // What to write now and then, so that a connection without news isn't taken for a dead one.
    [[nodiscard]] virtual std::string heartbeat() const { return {}; }
};

class Admin final : public AdminPort, NoCopy {
  public:
    // All of these outlive it; `loop` and `inbox` are the control plane's.
    struct World {
        os::Loop& loop;
        os::Inbox& inbox;
        House& house;
        jobs::Jobs& jobs;
        history::EventStream& events;
        history::History& history;
        Duration heartbeat{std::chrono::seconds{15}};
    };
    explicit Admin(World const& world);
    ~Admin();

    void add_loop(AnswerPort& port) { loops_.push_back(&port); }  // in the order of their numbers
    // The daemon stops: ends every stream properly, so that its client may ask the next one for the rest, and
    // tells `why` to each request that still waits for its answer.
    void end(Error const& why);

    // AdminPort, from any thread
    void request(AdminRequest request) override;
    void gone(dispatch::Ticket ticket) override;

    // ---- for the handlers, on the control loop
    [[nodiscard]] os::Loop& loop() const { return world_.loop; }
    [[nodiscard]] House& house() const { return world_.house; }
    [[nodiscard]] jobs::Jobs& jobs() const { return world_.jobs; }
    [[nodiscard]] history::EventStream& events() const { return world_.events; }
    [[nodiscard]] history::History& history() const { return world_.history; }

    // Nobody hears a second answer, or one whose client has left.
    void respond(dispatch::Ticket ticket, http::Response response);
    [[nodiscard]] bool unanswered(dispatch::Ticket ticket) const { return unanswered_.contains(ticket); }
    void fail(dispatch::Ticket ticket, Error const& error) {
        respond(ticket, error_response("/api/", error));
    }
    // With a body of wire/ or a list of them.
    template <class T> void answer(dispatch::Ticket ticket, T const& body, int status = 200) {
        respond(ticket, {.status = status, .body = wire::encode(body)});
    }
    // Answers with what comes, or why it doesn't.
    template <class T> void answer(dispatch::Ticket ticket, Result<T> const& body, int status = 200) {
        body.ok() ? answer(ticket, body.value(), status) : fail(ticket, body.error());
    }
    template <class T> std::function<void(Result<T>)> answering(dispatch::Ticket ticket, int status = 200) {
        return [this, ticket, status](Result<T> const& body) { answer(ticket, body, status); };
    }
    // `stream` writes from now on. Busy at admin_streams_max.
    void begin_stream(dispatch::Ticket ticket, http::Response head_and_first,
                      std::unique_ptr<AdminStream> stream);
    void write(dispatch::Ticket ticket, std::string bytes) { port(ticket).write(ticket, std::move(bytes)); }

  private:
    void handle(AdminRequest& request);
    void beat();
    [[nodiscard]] AnswerPort& port(dispatch::Ticket ticket) const { return *loops_.at(ticket.loop); }

    World world_;
    std::vector<AnswerPort*> loops_{};
    std::set<dispatch::Ticket> unanswered_{};
    std::map<dispatch::Ticket, std::unique_ptr<AdminStream>> streams_{};
    os::Timer heartbeat_;
};

}  // namespace hal0::api
