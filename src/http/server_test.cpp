#include "http/server.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/test_peer.hpp"

namespace hal0::http {
namespace {

using namespace std::chrono_literals;

TEST(Server, AnswersAndKeepsTheConnection) {
    World world;
    auto const client = world.connect();
    client->send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    ASSERT_TRUE(world.until([&] { return client->has("hello"); }));
    EXPECT_EQ(client->received,
              "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nPOST /a hello");
    client->received.clear();
    client->send("GET /b?c HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("GET /b?c "); }));
    EXPECT_EQ(world.server->counters().accepted, 1U);
    EXPECT_EQ(world.server->counters().requests, 2U);
}

}  // namespace
}  // namespace hal0::http
