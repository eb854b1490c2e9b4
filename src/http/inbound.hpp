#pragma once
// A request while it is read and until its answer begins: its bytes, and what is made of them.
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "http/body.hpp"
#include "http/buffer.hpp"
#include "http/head.hpp"
#include "http/limits.hpp"

namespace hal0::http {

struct Inbound {
    Buffer head_bytes{};
    Bytes head_counted{};  // of them, in what the server holds
    RequestHead head{};    // views into head_bytes
    Buffer body{};         // decoded
    Bytes body_counted{};  // of it, in what the server holds
    BodyTracker tracker{};
    Bytes body_max{};
    // Of a relay: the head that goes to the worker, the lines added to its answer's, and that while it waits
    // for the first of its body.
    Buffer worker_head{};
    Buffer added{};
    Buffer answer_head{};

    [[nodiscard]] std::size_t memory() const {
        return head_bytes.capacity() + body.capacity() + worker_head.capacity() + added.capacity() +
               answer_head.capacity();
    }
    void clear();
};

// Takes bytes of a head, at most up to its end; `used` says how many. More: all were taken and it goes on.
HeadProgress read_head(Inbound& inbound, std::string_view bytes, std::size_t& used);
// Sets the tracker to what the head says of the body.
void begin_body(Inbound& inbound);
// Bytes of a body of known length that are missing.
std::size_t body_bytes_missing(Inbound const& inbound);

// Requests come and go all the time; their memory is used again.
class InboundSpares {
  public:
    std::unique_ptr<Inbound> take();
    void give_back(std::unique_ptr<Inbound> inbound);

  private:
    std::vector<std::unique_ptr<Inbound>> spares_{};
};

}  // namespace hal0::http
