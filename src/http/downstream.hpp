#pragma once
// The client's end of a connection: what is sent to it, and what it doesn't take yet.
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "http/buffer.hpp"
#include "os/net.hpp"
#include "os/unique_fd.hpp"

namespace hal0::http {

class Downstream {
  public:
    void open(os::UniqueFd fd) {
        fd_ = std::move(fd);
        buffer_is_small_ = false;
    }
    void close();
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] bool is_open() const { return fd_.open(); }

    // In one call to the kernel where nothing is pending. False: the client is gone.
    [[nodiscard]] bool send(std::initializer_list<std::string_view> parts);
    [[nodiscard]] bool pending() const { return !pending_.empty(); }
    [[nodiscard]] std::size_t pending_bytes() const { return pending_.size(); }
    // Sends what is pending as far as the client takes it. False: the client is gone.
    [[nodiscard]] bool flush();
    // From now on the kernel holds little of what the client doesn't read.
    void keep_buffer_small();
    // Since this was asked last: the client took something, or has something to take for the first time.
    [[nodiscard]] bool got_further() { return std::exchange(got_further_, false); }

  private:
    os::UniqueFd fd_{};
    ByteQueue pending_{};
    bool got_further_{false};
    bool buffer_is_small_{false};
};

}  // namespace hal0::http
