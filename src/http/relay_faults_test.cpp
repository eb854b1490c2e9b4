// Workers that die and clients that leave.
#include <gtest/gtest.h>

#include <string>

#include "http/limits.hpp"
#include "http/test_peer.hpp"

namespace hal0::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view one_event = "9\r\ndata: 1\n\n\r\n";

struct Faults : World {
    explicit Faults(ServerLimits const& limits = {}) : World{limits} { relay_all(); }
    std::unique_ptr<Peer> begin() {
        auto client = connect();
        auto const before = worker.peers.size();
        client->send(question);
        EXPECT_TRUE(until([&] { return worker.peers.size() > before && worker.last().has("{}"); }));
        return client;
    }
    // Leaves one idle connection in the pool.
    void warm_up() {
        auto const client = begin();
        worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        EXPECT_TRUE(until([&] { return client->has("\r\n\r\nx"); }));
        worker.last().received.clear();
        handler.outcomes.clear();
    }
    Ending ending() {
        EXPECT_TRUE(until([&] { return !handler.outcomes.empty(); }));
        return handler.outcomes.empty() ? Ending::Complete : handler.outcomes.back().ending;
    }
    Stand worker{*loop, worker_address};
};

// ---- before the first byte

TEST(WorkerFaults, NobodyListens) {
    World world;
    world.relay_all();
    for (os::Address const& nobody :
         {os::Address{os::UnixAddress{world.dir / "none"}}, os::Address{os::InetAddress{"127.0.0.1", 1}}}) {
        world.worker_address = nobody;
        world.handler.outcomes.clear();
        auto const client = world.connect();
        client->send(question);
        ASSERT_TRUE(world.until([&] { return client->has("(the end)"); }));
        EXPECT_EQ(status_of(client->received), "HTTP/1.1 502 Bad Gateway");
        EXPECT_TRUE(client->has("\r\n\r\nworker_unreachable: "));
        ASSERT_EQ(world.handler.outcomes.size(), 1U);
        EXPECT_EQ(world.handler.outcomes[0].ending, Ending::UpstreamRefused);
        EXPECT_EQ(world.handler.outcomes[0].status, 0);
        client->received.clear();
        client->send(question);  // the client's connection goes on
        EXPECT_TRUE(world.until([&] { return client->has("worker_unreachable"); }));
    }
}

TEST(WorkerFaults, DeathBeforeTheAnswerIs502AtOnce) {
    for (std::string const last_words :
         {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}) {
        Faults world;
        auto const client = world.begin();
        world.worker.last().send(last_words);
        world.worker.last().close();
        ASSERT_TRUE(world.until([&] { return client->has("(the end)"); }));
        EXPECT_EQ(status_of(client->received), "HTTP/1.1 502 Bad Gateway");
        EXPECT_TRUE(client->has("worker_died: ")) << client->received;
        EXPECT_EQ(world.ending(), Ending::UpstreamRefused);
        EXPECT_EQ(world.worker.peers.size(), 1U);  // a fresh connection isn't tried again
    }
}

TEST(WorkerFaults, WhatIsNoAnswerIs502) {
    for (std::string const nonsense :
         {"hello", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        Faults world;
        auto const client = world.begin();
        world.worker.last().send(nonsense);
        ASSERT_TRUE(world.until([&] { return client->has("(the end)"); }));
        EXPECT_TRUE(client->has("worker_bad_answer: ")) << client->received;
        EXPECT_EQ(world.server->counters().upstream_open, 0U);
    }
}

TEST(WorkerFaults, AStaleConnectionIsReplacedOnce) {
    Faults world;
    world.warm_up();
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return world.worker.last().has("{}"); }));
    world.worker.last().close();  // as a worker does whose idle time ended when the request was on its way
    ASSERT_TRUE(world.until([&] { return world.worker.peers.size() == 2 && world.worker.last().has("{}"); }));
    EXPECT_EQ(client->received, "");
    world.worker.last().close();
    ASSERT_TRUE(world.until([&] { return client->has("worker_died"); }));
    EXPECT_EQ(world.worker.peers.size(), 2U);
    EXPECT_EQ(world.handler.outcomes.size(), 1U);
}

// It had the request and was alive: that it now can't be reached is its death.
TEST(WorkerFaults, AWorkerThatDiesOfARequestOverAReusedConnectionHasDied) {
    Faults world;
    world.warm_up();
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return world.worker.last().has("{}"); }));
    world.worker.stop_listening();
    world.worker.last().close();
    EXPECT_TRUE(world.until([&] { return client->has("worker_died"); })) << client->received;
}

TEST(WorkerFaults, AReplacedConnectionsAnswerPasses) {
    Faults world;
    world.warm_up();
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return world.worker.last().has("{}"); }));
    world.worker.last().reset();
    ASSERT_TRUE(world.until([&] { return world.worker.peers.size() == 2 && world.worker.last().has("{}"); }));
    world.worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny");
    EXPECT_TRUE(world.until([&] { return client->has("\r\n\r\ny"); }));
    EXPECT_EQ(world.ending(), Ending::Complete);
}

TEST(WorkerFaults, AReusedConnectionThatAnsweredIsNotTriedAgain) {
    Faults world;
    world.warm_up();
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return world.worker.last().has("{}"); }));
    world.worker.last().send("HTTP/1.1 2");
    world.settle();
    world.worker.last().close();
    ASSERT_TRUE(world.until([&] { return client->has("worker_died"); }));
    EXPECT_EQ(world.worker.peers.size(), 1U);
}

TEST(WorkerFaults, AFullBacklogIsWaitedFor) {
    World world;
    world.relay_all();
    auto listener = os::listen_on(world.worker_address, 0).value();
    std::vector<os::UniqueFd> filling;
    while (auto one = os::connect_to(world.worker_address))
        filling.push_back(std::move(one).value());
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return world.server->counters().relayed == 1; }));
    world.settle();
    EXPECT_EQ(client->received, "");
    while (os::accept_one(listener.get())->open()) {
    }
    std::unique_ptr<Peer> worker;
    ASSERT_TRUE(world.until([&] {
        auto fd = os::accept_one(listener.get()).value();
        if (fd.open()) worker = std::make_unique<Peer>(*world.loop, std::move(fd));
        return worker && worker->has("{}");
    }));
    worker->send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny");
    EXPECT_TRUE(world.until([&] { return client->has("\r\n\r\ny"); }));
}

TEST(WorkerFaults, SilenceBeforeTheAnswerIs504) {
    Faults world{{.upstream_silence = 60ms}};
    auto const client = world.begin();
    ASSERT_TRUE(world.until([&] { return client->has("(the end)"); }));
    EXPECT_EQ(status_of(client->received), "HTTP/1.1 504 Gateway Timeout");
    EXPECT_TRUE(client->has("worker_silent"));
    EXPECT_EQ(world.ending(), Ending::Stalled);
    EXPECT_TRUE(world.until([&] { return world.worker.last().over(); }));
}

TEST(WorkerFaults, AnEarlyAnswerIsPassedThoughTheRequestIsUnread) {
    Faults world;
    auto const client = world.connect();
    client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" +
                 std::string(3'000'000, 'b'));
    ASSERT_TRUE(world.until([&] { return !world.worker.peers.empty(); }));
    world.worker.last().stop_reading();
    world.worker.last().send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\nbig"); }));
    EXPECT_EQ(world.server->counters().upstream_open, 0U);  // its connection can't be used again
}

// ---- in the middle of the answer

TEST(WorkerFaults, ACutBetweenEventsEndsWithAnErrorEvent) {
    Faults world;
    auto const client = world.begin();
    world.worker.last().send(std::string{stream_head} + std::string{one_event});
    ASSERT_TRUE(world.until([&] { return client->has(one_event); }));
    world.worker.last().close();
    ASSERT_TRUE(world.until([&] { return client->has("\r\n0\r\n\r\n"); }));
    auto const body = body_of(client->received);
    auto const event = body.substr(one_event.size());
    auto const size = std::stoul(event.substr(0, event.find('\r')), nullptr, 16);
    auto const data = event.substr(event.find('\n') + 1, size);
    EXPECT_EQ(event.substr(event.find('\n') + 1 + size), "\r\n0\r\n\r\n");
    EXPECT_EQ(data, "event: cut\ndata: worker_died\n\n");
    EXPECT_EQ(world.ending(), Ending::UpstreamCut);
    world.handler.serve = nullptr;
    client->send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");  // it was a proper end
    EXPECT_TRUE(world.until([&] { return client->has("GET /next"); }));
}

TEST(WorkerFaults, ACutAnywhereElseAbortsTheConnection) {
    struct Case {
        std::string_view what;
        std::string answer;
        bool tells_cuts;
    };
    std::string const head{stream_head};
    for (auto const& each : std::vector<Case>{
             {"in a chunk's data", head + "9\r\ndata: ", true},
             {"in a chunk's size", head + "9\r\ndata: 1\n\n\r\n1", true},
             {"between chunks, in an event", head + "8\r\ndata: 1\n\r\n", true},
             {"no events", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n", true},
             {"a body of known length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", true},
             {"nobody wants the event", head + std::string{one_event}, false},
             {"bad chunks", head + "9\r\ndata: 1\n\nxx", true},
         }) {
        Faults world;
        world.handler.tells_cuts = each.tells_cuts;
        auto const client = world.begin();
        world.worker.last().send(each.answer);
        world.settle();
        world.worker.last().close();
        ASSERT_TRUE(world.until([&] { return client->over(); })) << each.what;
        EXPECT_TRUE(client->was_reset) << each.what;
        EXPECT_FALSE(client->has("event: cut")) << each.what;
        EXPECT_EQ(world.ending(), Ending::UpstreamCut) << each.what;
    }
}

TEST(WorkerFaults, AResetIsNoEndOfAnAnswerThatEndsByClose) {
    Faults world;
    world.worker_address = os::bound_address(world.tcp.get()).value();
    Stand tcp_worker{*world.loop, os::InetAddress{"127.0.0.1", 0}};
    world.worker_address = os::bound_address(tcp_worker.fd()).value();
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return !tcp_worker.peers.empty() && tcp_worker.last().has("{}"); }));
    tcp_worker.last().send("HTTP/1.1 200 OK\r\n\r\nabc");
    ASSERT_TRUE(world.until([&] { return client->has("abc"); }));
    tcp_worker.last().reset();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->was_reset);
    EXPECT_EQ(world.ending(), Ending::UpstreamCut);
}

TEST(WorkerFaults, SilenceInTheMiddleIsACut) {
    Faults world{{.upstream_silence = 60ms}};
    auto const client = world.begin();
    world.worker.last().send(std::string{stream_head} + std::string{one_event});
    ASSERT_TRUE(world.until([&] { return client->has("\r\n0\r\n\r\n"); }));
    EXPECT_TRUE(client->has("worker_silent"));
    EXPECT_EQ(world.ending(), Ending::Stalled);
}

// ---- clients

TEST(ClientFaults, LeavingClosesTheWorkersRequestInTheSameTurn) {
    for (bool const streaming : {false, true}) {
        for (bool const half : {false, true}) {
            Faults world;
            auto const client = world.begin();
            if (streaming) {
                world.worker.last().send(std::string{stream_head} + std::string{one_event});
                ASSERT_TRUE(world.until([&] { return client->has(one_event); }));
            }
            ASSERT_EQ(world.server->counters().upstream_open, 1U);
            half ? client->end_sending() : client->close();
            ASSERT_TRUE(world.until([&] { return world.server->counters().connections == 0; }));
            EXPECT_EQ(world.server->counters().upstream_open, 0U);
            EXPECT_EQ(world.ending(), Ending::ClientGone);
            EXPECT_TRUE(world.until([&] { return world.worker.last().over(); }));
            EXPECT_TRUE(world.handler.gone.empty());  // that is not for relays
        }
    }
}

TEST(ClientFaults, LeavingWhileTheWorkersBacklogIsFullEndsIt) {
    World world;
    world.relay_all();
    auto const listener = os::listen_on(world.worker_address, 0).value();
    std::vector<os::UniqueFd> filling;
    while (auto one = os::connect_to(world.worker_address))
        filling.push_back(std::move(one).value());
    auto const client = world.connect();
    client->send(question);
    ASSERT_TRUE(world.until([&] { return world.server->counters().relayed == 1; }));
    client->close();
    ASSERT_TRUE(world.until([&] { return !world.handler.outcomes.empty(); }));
    EXPECT_EQ(world.handler.outcomes[0].ending, Ending::ClientGone);
}

TEST(ClientFaults, TakingNothingEndsTheRelay) {
    Faults world{{.write_stall = 60ms}};
    auto const client = world.begin();
    client->stop_reading();
    world.worker.last().send("HTTP/1.1 200 OK\r\n\r\n" + std::string(std::size_t{32} << 20, 'x'));
    EXPECT_EQ(world.ending(), Ending::Stalled);
    EXPECT_TRUE(world.until([&] { return world.worker.last().over(); }));
    client->read_again();
    EXPECT_TRUE(world.until([&] { return client->was_reset; }));
}

// Workers over TCP, which hold more than one turn of reads can take.
struct TcpFaults : World {
    explicit TcpFaults(ServerLimits const& limits) : World{limits} {
        worker_address = os::bound_address(worker.fd()).value();
        relay_all();
    }
    void begin(Peer& client) {
        auto const before = worker.peers.size();
        client.stop_reading();
        client.send(question);
        EXPECT_TRUE(until([&] { return worker.peers.size() > before && worker.last().has("{}"); }));
    }
    Stand worker{*loop, os::InetAddress{"127.0.0.1", 0}};
};

TEST(ClientFaults, TakingNothingIsNoticedWhereverItBegins) {
    // An answer passes in reads that its events begin and in turns of its own: each of these may be the one
    // that fills the client's buffers.
    TcpFaults world{{.write_stall = 60ms}};
    std::vector<std::unique_ptr<Peer>> clients;
    for (int i = 0; i < 6; ++i) {
        clients.push_back(world.connect());
        world.begin(*clients.back());
    }
    for (auto const& worker : world.worker.peers)
        worker->send("HTTP/1.1 200 OK\r\n\r\n" + std::string(std::size_t{8} << 20, 'x'));
    ASSERT_TRUE(world.until([&] { return world.handler.outcomes.size() == clients.size(); }));
    for (auto const& outcome : world.handler.outcomes)
        EXPECT_EQ(outcome.ending, Ending::Stalled);
}

TEST(ClientFaults, TakingLittleAtATimeIsNone) {
    // A unix socket's small buffer is full at once. Whenever the client reads, it gets all that was held for
    // it, and the worker has more: it is behind for several times the limit, and never stands still.
    constexpr auto stall = 150ms;
    TcpFaults world{{.write_stall = stall}};
    auto const client = world.connect_unix();
    world.begin(*client);
    world.worker.last().send("HTTP/1.1 200 OK\r\n\r\n");
    os::Timer flow{*world.loop, [&] {
                       constexpr std::size_t ahead = std::size_t{1} << 20;
                       if (world.worker.last().unsent() < ahead)
                           world.worker.last().send(std::string(ahead, 'x'));
                       client->read_a_little(std::size_t{64} << 10);
                       flow.start(10ms);
                   }};
    flow.start(0ms);
    auto const enough = Clock::now() + 5 * stall;
    ASSERT_TRUE(world.until([&] { return Clock::now() > enough || client->over(); }));
    EXPECT_FALSE(client->over());
    EXPECT_TRUE(world.handler.outcomes.empty());
}

}  // namespace
}  // namespace hal0::http
