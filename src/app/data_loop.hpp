#pragma once
// One data loop: a thread with its own epoll loop, HTTP server and gateway. All of them are alike and share
// nothing but the listening sockets.
#include <functional>
#include <memory>
#include <vector>

#include "api/gateway.hpp"
#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "http/server.hpp"
#include "os/inbox.hpp"
#include "os/loop.hpp"
#include "os/loop_thread.hpp"
#include "os/pool.hpp"

namespace hal0::app {

class DataLoop final : NoCopy {
  public:
    struct World {  // all of it outlives the loop
        std::uint32_t number{0};
        std::vector<int> const& listeners;
        os::Pool& pool;
        dispatch::ControlPort& control;
        api::AdminPort& admin;
        api::RecordPort& records;
        api::AccessRules access;
        http::ServerLimits limits;
    };
    static Result<std::unique_ptr<DataLoop>> make(World const& world);
    // Requests still in progress when it is destroyed are cut: drain() first.

    void start();  // once; the gateway answers from now on
    // From the control thread. Both are called on the loop's own thread, and may only post: `deaf` once it
    // accepts no more and has no use for the listeners, `done` once no connection is left.
    void drain(std::function<void()> deaf, std::function<void()> done);

    [[nodiscard]] api::Gateway& gateway() { return *gateway_; }
    // Of clients, open now; from any thread.
    [[nodiscard]] std::int64_t connections() const;

  private:
    DataLoop() = default;

    // In the order of making: what is later uses what is earlier.
    std::unique_ptr<os::Loop> loop_{};
    std::unique_ptr<os::Inbox> inbox_{};
    std::unique_ptr<api::Gateway> gateway_{};
    std::unique_ptr<http::Server> server_{};
    std::unique_ptr<os::LoopThread> thread_{};
};

}  // namespace hal0::app
