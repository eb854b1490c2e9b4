#include <gtest/gtest.h>

#include <string>

#include "http/server.hpp"
#include "http/test_peer.hpp"

namespace hal0::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view question =
    "POST /v1/x HTTP/1.1\r\nHost: me\r\nAuthorization: Bearer mine\r\nAccept: */*\r\nContent-Length: "
    "2\r\n\r\n{}";

TEST(Relay, PassesRequestAndAnswer) {
    World world;
    world.relay_all();
    Stand worker{*world.loop, world.worker_address};
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return !worker.peers.empty() && worker.last().has("{}"); }));
    EXPECT_EQ(worker.last().received,
              "POST /v1/x HTTP/1.1\r\nhost: localhost\r\nAccept: */*\r\n"
              "authorization: Bearer worker-key\r\ncontent-length: 2\r\n\r\n{}");
    worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nKeep-Alive: timeout=5, max=100\r\n\r\nabcd");
    ASSERT_TRUE(world.until([&] { return client->has("abcd"); }));
    EXPECT_EQ(client->received, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nx-request-id: r1\r\n\r\nabcd");
    ASSERT_EQ(world.handler.outcomes.size(), 1U);
    EXPECT_EQ(world.handler.outcomes[0].ending, Ending::Complete);
    EXPECT_EQ(world.server->counters().upstream_idle, 1U);
}

}  // namespace
}  // namespace hal0::http
