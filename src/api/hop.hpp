#pragma once
// How an admin request crosses from a data loop to the control plane and its answer back. Every call may come
// from any thread; implementations post.
#include <string>

#include "dispatch/scheduler.hpp"
#include "http/server.hpp"

namespace hal0::api {

struct AdminRequest {
    dispatch::Ticket ticket{};
    http::Method method{http::Method::Get};
    std::string method_text{};  // as it was sent
    std::string path{};         // "/api/slots/primary/load", still percent-encoded
    std::string query{};
    std::string body{};
    std::string last_event_id{};
    bool over_unix_socket{false};  // by this user, then: nobody else can open it
};

// The control plane's side.
class AdminPort {
  public:
    virtual void request(AdminRequest request) = 0;
    virtual void gone(dispatch::Ticket ticket) = 0;  // its client left; answers to it go nowhere from now on

  protected:
    ~AdminPort() = default;
};

// The loop's side. After respond() or finish() the ticket is over.
class AnswerPort {
  public:
    virtual void respond(dispatch::Ticket ticket, http::Response response) = 0;
    virtual void begin_stream(dispatch::Ticket ticket, http::Response head_and_first) = 0;
    virtual void write(dispatch::Ticket ticket, std::string bytes) = 0;
    virtual void finish(dispatch::Ticket ticket) = 0;

  protected:
    ~AnswerPort() = default;
};

}  // namespace hal0::api
