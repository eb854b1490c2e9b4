#include "http/relay.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/limits.hpp"
#include "http/test_peer.hpp"

namespace hal0::http {
namespace {

using namespace std::chrono_literals;

// A world whose requests all go to one worker.
struct Relays : World {
    explicit Relays(ServerLimits const& limits = {}) : World{limits} { relay_all(); }
    // Sends `request` and waits for it at the worker.
    std::unique_ptr<Peer> begin(std::string_view request = question) {
        auto client = connect();
        client->send(request);
        EXPECT_TRUE(until([&] { return !worker.peers.empty() && worker.last().has("\r\n\r\n"); }));
        return client;
    }
    // What the client has of it when the worker answers with `answer`.
    std::string through(std::string_view answer, std::string_view end, std::string_view request = question) {
        auto const client = begin(request);
        worker.last().send(answer);
        EXPECT_TRUE(until([&] { return client->has(end) || client->over(); })) << client->received;
        settle();
        return client->received;
    }
    RelayOutcome outcome() {
        EXPECT_TRUE(until([&] { return !handler.outcomes.empty(); }));
        return handler.outcomes.empty() ? RelayOutcome{} : handler.outcomes.back();
    }
    Stand worker{*loop, worker_address};
};

// ---- what it costs

TEST(Relay, AWorkerThatReadsItsRequestWakesNobody) {
    Relays world;
    (void)world.through("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "\r\n\r\nx");
    auto& worker = world.worker.last();
    worker.received.clear();
    worker.stop_reading();
    auto const client = world.connect();
    client->send(question);
    world.settle();
    worker.read_again();
    ASSERT_TRUE(worker.has("{}"));
    bool slept = false;
    os::Timer timer{*world.loop, [&slept] { slept = true; }};
    timer.start(20ms);
    world.loop->run_once(1h);
    EXPECT_TRUE(slept) << "something else ended the turn";
}

TEST(Relay, ARequestThatMeetsAFullSocketGoesOn) {
    Relays world;
    for (int i = 0; i < 2; ++i) {  // over one connection, which is told of room only while that is missing
        auto const client = world.connect();
        std::string const body(std::size_t{4} << 20, 'b');
        client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\n\r\n" + body);
        ASSERT_TRUE(world.until([&] {
            return !world.worker.peers.empty() && body_of(world.worker.last().received).size() == body.size();
        }));
        world.worker.last().received.clear();
        world.worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\nx"); }));
        world.settle();
    }
    EXPECT_EQ(world.worker.peers.size(), 1U);
}

// ---- what passes

TEST(Relay, PassesRequestAndAnswer) {
    Relays world;
    auto const client = world.begin(
        "POST /v1/x?y HTTP/1.1\r\nHost: me\r\nAuthorization: Bearer mine\r\nAccept: */*\r\n"
        "Content-Type: application/json\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\n"
        "Keep-Alive: 5\r\nUpgrade: h2c\r\nOrigin: http://x\r\nCookie: a=b\r\nX-Conversation-Id: 7\r\n"
        "x-api-key: k\r\nProxy-Authorization: x\r\nX-Stainless-Lang: python\r\nContent-Length: 2\r\n\r\n{}");
    EXPECT_EQ(world.worker.last().received,
              "POST /v1/x?y HTTP/1.1\r\nhost: localhost\r\nAccept: */*\r\nContent-Type: application/json\r\n"
              "X-Stainless-Lang: python\r\nauthorization: Bearer worker-key\r\ncontent-length: 2\r\n\r\n{}");
    world.worker.last().send(
        "HTTP/1.1 200 OK\r\nServer: w\r\nContent-Length: 4\r\nKeep-Alive: timeout=5, max=100\r\n"
        "Connection: X-Own\r\nX-Own: 1\r\nAccess-Control-Allow-Origin: *\r\nX-Request-Id: w\r\n\r\nabcd");
    ASSERT_TRUE(world.until([&] { return client->has("abcd"); }));
    EXPECT_EQ(client->received,
              "HTTP/1.1 200 OK\r\nServer: w\r\nContent-Length: 4\r\nx-request-id: r1\r\n\r\nabcd");
    auto const outcome = world.outcome();
    EXPECT_EQ(outcome.ending, Ending::Complete);
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.body_bytes, 4U);
    EXPECT_LE(outcome.first_byte, outcome.total);
}

TEST(Relay, ThePlanMayReplaceThePath) {
    Relays world;
    world.handler.serve = [&world](Exchange& exchange) {
        exchange.relay({.upstream = world.worker_address, .path = "/tokenize"}, world.handler);
    };
    auto const client = world.begin();
    EXPECT_EQ(world.worker.last().received,
              "POST /tokenize HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}");
    EXPECT_EQ(world.server->counters().bodies_held.count, 2);
    world.worker.last().send("HTTP/1.1 204 No Content\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("204"); }));
    EXPECT_EQ(world.server->counters().bodies_held.count, 0);
}

TEST(Relay, AChunkedRequestReachesTheWorkerWithItsLength) {
    Relays world;
    auto const client = world.begin(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n1\r\n!\r\n0\r\n\r\n");
    EXPECT_EQ(world.worker.last().received,
              "POST / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer worker-key\r\n"
              "content-length: 3\r\n\r\n{}!");
}

TEST(Relay, ALargeRequestReachesASlowWorkerWhole) {
    Relays world;
    std::string const body(std::size_t{3} << 20, 'b');
    auto const client = world.connect();
    client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                 body);
    ASSERT_TRUE(world.until([&] { return !world.worker.peers.empty(); }));
    world.worker.last().stop_reading();
    ASSERT_TRUE(world.until([&] { return client->sent_all(); }));
    world.settle();
    world.worker.last().read_again();
    ASSERT_TRUE(world.until([&] { return world.worker.last().received.size() > body.size(); }));
    EXPECT_TRUE(body_of(world.worker.last().received) == body);
}

TEST(Relay, ChunksPassAsTheyCome) {
    Relays world;
    std::string const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string const body = "5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n";
    auto const client = world.begin();
    for (char const c : head + body) {
        world.worker.last().send({&c, 1});
        world.loop->run_once(0ms);
    }
    ASSERT_TRUE(world.until([&] { return client->has("X-T: 1\r\n\r\n"); }));
    EXPECT_EQ(client->received,
              "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-request-id: r1\r\n\r\n" + body);
    EXPECT_EQ(world.outcome().body_bytes, 6U);
    EXPECT_EQ(world.server->counters().upstream_idle, 1U);
}

TEST(Relay, AnEventLeavesBeforeTheNextIsThere) {
    Relays world;
    auto const client = world.begin();
    world.worker.last().send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
        "chunked\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\n"); }));  // a stream's head doesn't wait
    world.worker.last().send("9\r\ndata: 1\n\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("data: 1\n\n\r\n"); }));
}

TEST(Relay, AHeadWaitsForABodyThatIsSureToCome) {
    Relays world;
    auto const client = world.begin();
    world.worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    world.settle();
    EXPECT_EQ(client->received, "");
    world.worker.last().send("a");
    ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\na"); }));
    world.worker.last().send("b");
    ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\nab"); }));
}

TEST(Relay, InterimAnswersAreSkipped) {
    Relays world;
    EXPECT_EQ(body_of(world.through("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                                    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                                    "\r\n\r\nx")),
              "x");
}

TEST(Relay, AnswersToHeadHaveNoBody) {
    Relays world;
    auto const client = world.begin("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(world.worker.last().received.substr(0, 17), "HEAD / HTTP/1.1\r\n");
    world.worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\n"); }));
    EXPECT_TRUE(client->has("Content-Length: 10"));
    EXPECT_EQ(world.outcome().ending, Ending::Complete);
    EXPECT_EQ(world.server->counters().upstream_idle, 1U);
}

TEST(Relay, Http10ClientsGetChunksDecodedAndTheEndByClose) {
    Relays world;
    auto const got = world.through(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "!",
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}");
    EXPECT_EQ(got, "HTTP/1.1 200 OK\r\nx-request-id: r1\r\nconnection: close\r\n\r\nhello!");
    EXPECT_EQ(world.server->counters().connections, 0U);
    EXPECT_EQ(world.server->counters().upstream_idle, 1U);  // the worker's connection isn't the client's
}

TEST(Relay, AnAnswerThatEndsByCloseEndsSoForTheClient) {
    Relays world;
    auto const client = world.begin();
    world.worker.last().send("HTTP/1.1 200 OK\r\n\r\nabc");
    ASSERT_TRUE(world.until([&] { return client->has("abc"); }));
    world.worker.last().send("def");
    world.worker.last().close();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->ended);
    EXPECT_EQ(client->received, "HTTP/1.1 200 OK\r\nx-request-id: r1\r\nconnection: close\r\n\r\nabcdef");
    EXPECT_EQ(world.outcome().ending, Ending::Complete);
}

TEST(Relay, PipelinedRequestsAreRelayedInTurn) {
    Relays world;
    auto const client = world.connect();
    client->send(std::string{question} + std::string{question});
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(
            world.until([&] { return !world.worker.peers.empty() && world.worker.last().has("{}"); }));
        EXPECT_EQ(world.worker.last().received.find("POST", 1), std::string::npos);
        world.worker.last().received.clear();
        world.worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(i));
        ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\n" + std::to_string(i)); }));
    }
    EXPECT_EQ(world.worker.peers.size(), 1U);
}

TEST(Relay, StalledClientsStopTheWorker) {
    Relays world;
    auto const client = world.begin();
    client->stop_reading();
    auto& worker = world.worker.last();
    worker.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string const chunk = "3e8\r\n" + std::string(1000, 'x') + "\r\n";
    std::string all;
    for (int i = 0; i < 8000; ++i)
        all += chunk;
    worker.send(all + "0\r\n\r\n");
    std::size_t before = 0;
    do {  // as long as anything moves
        before = worker.unsent();
        world.settle();
    } while (worker.unsent() < before);
    // What the kernel holds for the two sockets; the worker computes no more for a client that doesn't read.
    EXPECT_LT(all.size() - worker.unsent(), std::size_t{1} << 20);
    client->read_again();
    ASSERT_TRUE(world.until([&] { return client->has("\r\n0\r\n\r\n"); }));
    EXPECT_TRUE(body_of(client->received) == all + "0\r\n\r\n");
    EXPECT_EQ(world.outcome().ending, Ending::Complete);
}

// ---- the worker's connections

TEST(UpstreamPool, AConnectionIsUsedAgain) {
    Relays world;
    auto const client = world.begin();
    for (int i = 0; i < 3; ++i) {
        client->received.clear();
        world.worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\nx"); }));
        world.worker.last().received.clear();
        client->send(question);
        ASSERT_TRUE(world.until([&] { return world.worker.last().has("{}"); }));
    }
    EXPECT_EQ(world.worker.peers.size(), 1U);
    EXPECT_EQ(world.server->counters().upstream_open, 1U);
}

TEST(UpstreamPool, KeepsOnlyWhatCanServeAgain) {
    for (std::string const answer : {
             "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
             "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=1\r\nContent-Length: 1\r\n\r\nx",
             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx and more",
             "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
         }) {
        Relays world;
        EXPECT_EQ(body_of(world.through(answer, "\r\n\r\nx")), "x");
        EXPECT_EQ(world.server->counters().upstream_open, 0U) << answer;
    }
}

TEST(UpstreamPool, DoesntKeepWhatMayHoldUnreadBytes) {
    Relays world;
    std::string const head = "HTTP/1.1 200 OK\r\nContent-Length: 65000\r\n\r\n";
    // The answer fills the read that ends it to the last byte: what follows is not seen by it.
    std::string const interim =
        "HTTP/1.1 103 x\r\nX: " + std::string(scratch_bytes - head.size() - 65'000 - 23, 'x') + "\r\n\r\n";
    ASSERT_EQ(interim.size() + head.size() + 65'000, scratch_bytes);
    auto const got = world.through(interim + head + std::string(65'000, 'x') + "HTTP/1.1 200 Forged", "xxx");
    ASSERT_TRUE(world.until([&] { return !world.handler.outcomes.empty(); }));
    EXPECT_EQ(world.server->counters().upstream_open, 0U);
}

TEST(UpstreamPool, TakesTheConnectionUsedLast) {
    Relays world;
    auto const first = world.begin();
    auto const second = world.connect();
    second->send(question);
    ASSERT_TRUE(world.until([&] { return world.worker.peers.size() == 2 && world.worker.last().has("{}"); }));
    for (auto const& peer : world.worker.peers) {
        peer->send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        ASSERT_TRUE(world.until([&] { return world.server->counters().upstream_idle > 0; }));
        world.settle();
        peer->received.clear();
    }
    first->send(question);
    EXPECT_TRUE(world.until([&] { return world.worker.last().has("{}"); }));
    EXPECT_EQ(world.server->counters().upstream_idle, 1U);
}

TEST(UpstreamPool, AClosedConnectionLeavesIt) {
    Relays world;
    (void)world.through("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "\r\n\r\nx");
    ASSERT_EQ(world.server->counters().upstream_idle, 1U);
    world.worker.last().close();
    world.settle();
    EXPECT_EQ(world.server->counters().upstream_open, 0U);  // at once, not when its time is over
}

TEST(UpstreamPool, AWorkerSaysHowLongItWaits) {
    Relays world;
    (void)world.through("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 1\r\n\r\nx",
                        "\r\n\r\nx");
    EXPECT_TRUE(world.until([&] { return world.server->counters().upstream_open == 0; }));
    EXPECT_TRUE(world.until([&] { return world.worker.last().ended; }));
}

TEST(UpstreamPool, AForgottenWorkersConnectionsAreClosed) {
    Relays world;
    (void)world.through("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "\r\n\r\nx");
    auto const busy = world.begin();  // over the pooled connection
    auto const second = world.connect();
    second->send(question);
    ASSERT_TRUE(world.until([&] { return world.worker.peers.size() == 2; }));
    world.server->forget_upstream(world.worker_address);
    for (auto const& peer : world.worker.peers)
        peer->send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny");
    ASSERT_TRUE(world.until([&] { return busy->has("\r\n\r\ny") && second->has("\r\n\r\ny"); }));
    EXPECT_EQ(world.server->counters().upstream_open, 0U);
}

// ---- clients that are kept waiting

// Its request is at the worker after it was told twice that it waits.
struct KeptWaiting : Relays {
    explicit KeptWaiting(ServerLimits const& limits = {}) : Relays{limits} {
        handler.serve = [this](Exchange& exchange) {
            Response const head{.content_type = "text/event-stream", .headers = {{"x-request-id", "r1"}}};
            EXPECT_FALSE(exchange.kept_waiting());
            exchange.keep_waiting(head, ": one\n\n");
            EXPECT_TRUE(exchange.kept_waiting());
            exchange.keep_waiting(head, ": two\n\n");
            exchange.relay({.upstream = worker_address, .bearer = "worker-key"}, handler);
        };
    }
};
constexpr std::string_view begun =
    "HTTP/1.1 200 OK\r\nx-request-id: r1\r\ncontent-type: text/event-stream\r\ntransfer-encoding: "
    "chunked\r\n\r\n7\r\n: one\n\n\r\n7\r\n: two\n\n\r\n";

TEST(Relay, AStreamGoesOnWhereItHadBegun) {
    std::string const event = "data: {\"a\":1}\n\n";
    std::string const ours = "f\r\n" + event + "\r\n0\r\n\r\n";
    for (std::string const answer :
         {"Transfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n7\r\n{\"a\":1}\r\n2\r\n\n\n\r\n0\r\n\r\n",
          "Content-Length: 15\r\n\r\ndata: {\"a\":1}\n\n"}) {
        KeptWaiting world;
        auto const got =
            world.through("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + answer, "0\r\n\r\n");
        EXPECT_TRUE(got.starts_with(begun)) << got;
        EXPECT_EQ(got.substr(begun.size()), ours);
        EXPECT_EQ(world.outcome().ending, Ending::Complete);
        EXPECT_EQ(world.outcome().body_bytes, event.size());
    }
}

TEST(Relay, AnAnswerThatIsNoStreamBecomesAnEventOfOneThatHadBegun) {
    KeptWaiting world;
    auto const client = world.begin();
    world.worker.last().send(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\n \"a\":");
    world.settle();
    world.worker.last().send("\r\n1}");
    ASSERT_TRUE(world.until([&] { return client->has("0\r\n\r\n"); })) << client->received;
    EXPECT_EQ(client->received.substr(begun.size()),
              "6\r\ndata: \r\n7\r\n{  \"a\":\r\n4\r\n  1}\r\n2\r\n\n\n\r\n0\r\n\r\n");
    EXPECT_EQ(world.outcome().status, 400);
    client->send(question);  // over the same connection
    EXPECT_TRUE(world.until([&] { return client->received.find("HTTP/1.1 200", 10) != std::string::npos; }));
}

TEST(Relay, AWorkerThatDiesTellsSoInAStreamThatHadBegun) {
    for (bool const in_events : {false, true}) {
        KeptWaiting world;
        auto const client = world.begin();
        if (in_events)
            world.worker.last().send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
                "chunked\r\n\r\n5\r\n: x\n\n\r\n3");
        world.settle();
        world.worker.last().close();
        ASSERT_TRUE(world.until([&] { return client->has("0\r\n\r\n"); })) << client->received;
        EXPECT_TRUE(client->has("event: cut\ndata: worker_died\n\n\r\n0\r\n\r\n")) << client->received;
        EXPECT_EQ(world.outcome().ending, in_events ? Ending::UpstreamCut : Ending::UpstreamRefused);
        EXPECT_FALSE(client->over());
    }
    KeptWaiting world;
    world.worker.stop_listening();
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return client->has("0\r\n\r\n"); })) << client->received;
    EXPECT_TRUE(client->has("event: cut\ndata: worker_unreachable\n\n")) << client->received;
    EXPECT_TRUE(world.handler.failed.empty());
}

TEST(Relay, OneThatCantBeToldIsCut) {
    KeptWaiting world;
    auto const client = world.begin();
    world.worker.last().send("HTTP/1.1 500 Oh\r\nContent-Length: 12\r\n\r\n{");
    world.settle();
    world.worker.last().close();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_FALSE(client->has("0\r\n\r\n"));
    EXPECT_TRUE(client->was_reset);
}

TEST(Relay, AnOldClientThatWaitsHasNoChunks) {
    KeptWaiting world;
    auto const got = world.through(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n: "
        "x\n\n\r\n0\r\n\r\n",
        ": x\n\n", "POST /v1/x HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}");
    EXPECT_EQ(body_of(got), ": one\n\n: two\n\n: x\n\n");
}

TEST(Relay, WhoIsKeptWaitingMayGoAway) {
    World world;
    Exchange* waiting = nullptr;
    world.handler.serve = [&](Exchange& exchange) {
        waiting = &exchange;
        exchange.keep_waiting({.content_type = "text/event-stream"}, ": one\n\n");
    };
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return client->has(": one"); }));
    client->close();
    EXPECT_TRUE(world.until([&] { return !world.handler.gone.empty(); }));
    auto const other = world.connect();
    other->send(question);
    ASSERT_TRUE(world.until([&] { return other->has(": one"); }));
    waiting->end_events("data: no\n\n");
    EXPECT_TRUE(world.until([&] { return other->has("a\r\ndata: no\n\n\r\n0\r\n\r\n"); })) << other->received;
}

}  // namespace
}  // namespace hal0::http
