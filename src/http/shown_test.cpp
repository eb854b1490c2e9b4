// What a relay shows of the answers that pass.
#include <gtest/gtest.h>

#include <string>

#include "http/test_peer.hpp"

namespace hal0::http {
namespace {

using Pieces = std::vector<std::string>;

struct Showing : World {
    Showing() { relay_all(); }
    // The worker sends these one after the other, each once the one before has passed.
    Pieces shown(Pieces const& sent, std::string_view end) {
        auto const client = connect();
        client->send(question);
        EXPECT_TRUE(until([&] { return !worker.peers.empty() && worker.last().has("\r\n\r\n"); }));
        for (auto const& piece : sent) {
            worker.last().send(piece);
            settle();
        }
        EXPECT_TRUE(until([&] { return client->has(end) || client->over(); })) << client->received;
        settle();
        return handler.passing;
    }
    Stand worker{*loop, worker_address};
};

std::string const events_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(Shown, AnAnswerThatComesAtOnceIsShownOnce) {
    Showing world;
    EXPECT_EQ(world.shown({"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd"}, "abcd"), (Pieces{"abcd"}));
}

TEST(Shown, OfOneInPiecesTheBeginningAndTheEnd) {
    Showing world;
    auto const pieces = world.shown({"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nabc", "de", "fgh"}, "fgh");
    EXPECT_EQ(pieces, (Pieces{"abc", "abcdefgh"}));
}

TEST(Shown, OfALongOneABoundedEnd) {
    Showing world;
    std::string const body(300'000, 'a');
    auto const pieces =
        world.shown({"HTTP/1.1 200 OK\r\nContent-Length: 300003\r\n\r\n", body, "xyz"}, "xyz");
    ASSERT_GE(pieces.size(), 2U);
    EXPECT_EQ(pieces.back().size(), shown_bytes_max);
    EXPECT_TRUE(pieces.back().ends_with("axyz"));
}

TEST(Shown, OfOneUntilCloseItsEnd) {
    Showing world;
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(
        world.until([&] { return !world.worker.peers.empty() && world.worker.last().has("\r\n\r\n"); }));
    world.worker.last().send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
    world.settle();
    world.worker.last().close();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_EQ(world.handler.passing, (Pieces{"abc", "abc"}));
}

TEST(Shown, EventsAsTheyCome) {
    Showing world;
    EXPECT_EQ(
        world.shown({events_head + "9\r\ndata: a\n\n\r\n", "9\r\ndata: b\n\n\r\n", "0\r\n\r\n"}, "0\r\n\r\n"),
        (Pieces{"data: a\n\n", "data: b\n\n"}));
}

TEST(Shown, AnEventThatComesInPiecesIsShownWhole) {
    Showing world;
    EXPECT_EQ(
        world.shown({events_head + "9\r\nda", "ta: a\n", "\n\r\n9\r\ndata: b\n\n\r\n0\r\n\r\n"}, "0\r\n\r\n"),
        (Pieces{"data: a\n\n", "data: b\n\n"}));
}

TEST(Shown, AnAnswerWithoutABodyShowsNothing) {
    Showing world;
    EXPECT_EQ(world.shown({"HTTP/1.1 204 No Content\r\n\r\n"}, "204"), Pieces{});
}

}  // namespace
}  // namespace hal0::http
