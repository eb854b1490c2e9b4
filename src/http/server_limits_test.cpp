// What the server refuses, and what it bears.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

#include "http/connection.hpp"
#include "http/limits.hpp"
#include "http/test_peer.hpp"
#include "os/descriptor_limit.hpp"

namespace hal0::http {
namespace {

using namespace std::chrono_literals;

std::string many_headers(std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += "a: b\r\n";
    return all;
}

struct Refused {
    std::string_view what;
    std::string bytes;
    std::string_view status;
    std::string_view says;
};

TEST(BadInput, IsAnsweredAndTheConnectionEnds) {
    std::string const get = "GET / HTTP/1.1\r\nHost: x\r\n";
    std::string const post = "POST / HTTP/1.1\r\nHost: x\r\n";
    std::string const bad = "400 Bad Request";
    for (auto const& each : std::vector<Refused>{
             {"a TLS hello", std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}, bad,
              "not an HTTP"},
             {"words", "hello world, how are you?\r\n\r\n", bad, "not an HTTP"},
             {"LF alone", "GET / HTTP/1.1\nHost: x\n\n", bad, "without CR"},
             {"no Host", "GET / HTTP/1.1\r\n\r\n", bad, "Host is missing"},
             {"two Hosts", get + "Host: y\r\n\r\n", bad, "Host is there twice"},
             {"a folded line", get + "a: b\r\n c\r\n\r\n", bad, "folded"},
             {"a space before the colon", get + "a : b\r\n\r\n", bad, "header name"},
             {"a control character", get + "a: b\x01\r\n\r\n", bad, "control"},
             {"length and coding", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", bad,
              "both"},
             {"two lengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", bad, "twice"},
             {"a length that is none", post + "Content-Length: 3x\r\n\r\n", bad, "not a number"},
             {"a negative length", post + "Content-Length: -3\r\n\r\n", bad, "not a number"},
             {"bad chunks", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", bad, "chunked"},
             {"another coding", post + "Transfer-Encoding: gzip\r\n\r\n", "501 Not Implemented", "chunked"},
             {"another expectation", post + "Expect: wonders\r\n\r\n", "417 Expectation Failed",
              "100-continue"},
             {"another version", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505 HTTP Version Not Supported",
              "HTTP/1.1"},
             {"a long target", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n", "414 URI Too Long",
              "target"},
             {"a large head", get + "a: " + std::string(70'000, 'x'), "431 Request Header", "64 kB"},
             {"many headers", get + many_headers(101) + "\r\n", "431 Request Header", "too many"},
             {"a large body", post + "Content-Length: 67108865\r\n\r\n", "413 Content Too Large", "64.0 MiB"},
         }) {
        World world;
        auto const answer = world.ask(each.bytes);
        EXPECT_EQ(answer.substr(0, 9 + each.status.size()), "HTTP/1.1 " + std::string{each.status})
            << each.what;
        EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos) << each.what;
        auto const body = body_of(answer);
        EXPECT_TRUE(body.ends_with("(the end)")) << body;
        EXPECT_NE(body.find(each.says), std::string::npos) << each.what << ": " << body;
        EXPECT_EQ(world.server->counters().bad_requests, 1U) << each.what;
        EXPECT_TRUE(world.until([&] { return world.server->counters().connections == 0; })) << each.what;
    }
}

TEST(BadInput, IsAnsweredAsTheHandlerSays) {
    World world{{.body_silence = 20ms}};
    EXPECT_EQ(world.ask("GET / HTTP/1.1\r\n\r\n"),
              "HTTP/1.1 400 Bad Request\r\nx-own: 1\r\ncontent-type: text/plain\r\ncontent-length: 61\r\n"
              "connection: close\r\n\r\ninvalid: the request can't be read: Host is missing (the end)");
    std::string const post = "POST /a?b HTTP/1.1\r\nHost: x\r\n";
    (void)world.ask(post + "Content-Length: 67108865\r\n\r\n");
    (void)world.ask(post + "Content-Length: 2\r\n\r\n{");
    EXPECT_EQ(world.handler.failed, (std::vector<std::string>{"?", "/a", "/a"}));
}

TEST(BadInput, WhatCameBeforeItIsAnswered) {
    World world;
    auto const answers =
        world.ask("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n");
    EXPECT_NE(answers.find("GET /1"), std::string::npos);
    EXPECT_NE(answers.find("400 Bad Request"), std::string::npos);
}

TEST(BadInput, IsRefusedAlsoWhenItWaitedForAnAnswerBeforeIt) {
    World world;
    ExchangeId first{};
    world.handler.serve = [&first](Exchange& exchange) { first = exchange.id(); };
    auto const client = world.connect();
    client->send(
        "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return world.server->find(first) != nullptr; }));
    world.settle();
    world.server->find(first)->respond({.body = "one"});
    ASSERT_TRUE(world.until([&] { return client->ended; }));
    EXPECT_TRUE(client->has("one"));
    EXPECT_TRUE(client->has("Host is missing"));
    EXPECT_EQ(world.server->counters().requests, 1U);
}

TEST(BadInput, WhatFollowsItIsReadAndForgotten) {
    World world;
    auto const client = world.connect();
    client->send("GET / HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->ended; }));
    // Closing now would reset the connection as soon as more comes, and take the answer from a slow reader.
    client->send(std::string(1'000'000, 'x'));
    ASSERT_TRUE(world.until([&] { return client->sent_all(); }));
    world.settle();
    EXPECT_FALSE(client->was_reset);
    EXPECT_EQ(world.server->counters().connections, 1U);
    client->close();
    world.settle();
    EXPECT_EQ(world.server->counters().connections, 0U);
}

// ---- time

TEST(Deadlines, ASlowHeadIsAnswered408) {
    World world{{.head_timeout = 60ms}};
    EXPECT_EQ(status_of(world.ask("GET / HTTP/1.1\r\nHo")), "HTTP/1.1 408 Request Timeout");
}

TEST(Deadlines, AHeadThatTricklesIsSlowToo) {
    World world{{.head_timeout = 200ms}};
    auto const client = world.connect();
    os::Timer drip{*world.loop, [&] {
                       if (client->over()) return;
                       client->send("x");
                       drip.start(20ms);
                   }};
    client->send("GET /");
    drip.start(20ms);
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_EQ(status_of(client->received), "HTTP/1.1 408 Request Timeout");
}

TEST(Deadlines, ASilentBodyIsAnswered408) {
    World world{{.body_silence = 60ms}};
    EXPECT_EQ(status_of(world.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe")),
              "HTTP/1.1 408 Request Timeout");
}

TEST(Deadlines, ABodyThatKeepsComingIsNot) {
    World world{{.body_silence = 150ms}};
    auto const client = world.connect();
    int left = 20;
    os::Timer drip{*world.loop, [&] {
                       client->send("x");
                       if (--left > 0) drip.start(20ms);
                   }};
    client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n");
    drip.start(20ms);
    ASSERT_TRUE(world.until([&] { return client->has("POST / x") || client->over(); }));
    EXPECT_EQ(status_of(client->received), "HTTP/1.1 200 OK");
}

TEST(Deadlines, AnIdleConnectionIsClosedWithoutAWord) {
    World world{{.idle_timeout = 60ms}};
    auto const fresh = world.connect();
    auto const used = world.connect();
    used->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return fresh->over() && used->over(); }));
    EXPECT_EQ(fresh->received, "");
    EXPECT_TRUE(fresh->ended);
    EXPECT_EQ(body_of(used->received), "GET / ");
}

TEST(Deadlines, AClientThatTakesNothingIsCut) {
    World world{{.write_stall = 60ms}};
    world.handler.serve = [](Exchange& exchange) {
        exchange.respond({.body = std::string(std::size_t{16} << 20, 'x')});
    };
    auto const client = world.connect();
    client->stop_reading();
    client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return world.server->counters().connections == 1; }));
    ASSERT_TRUE(world.until([&] { return world.server->counters().connections == 0; }));
    client->read_again();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->was_reset);
}

// ---- many

TEST(Many, AConnectionIsSmall) {
    // What an open stream costs here, its connection to the worker included; buffers come and go.
    EXPECT_LE(sizeof(Connection) + sizeof(Upstream), std::size_t{800});
}

TEST(Many, HalfSentRequestsDisturbNobody) {
    ASSERT_GT(os::raise_descriptor_limit(), 2100U);
    World world;
    std::vector<std::unique_ptr<Peer>> held;
    for (int i = 0; i < 1000; ++i) {
        held.push_back(world.connect());
        held.back()->send(i % 2 == 0 ? "POST / HTTP/1.1\r\nHost: x\r\nContent-Le"
                                     : "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\nx");
        if (i % 50 == 0) world.loop->run_once(0ms);
    }
    ASSERT_TRUE(world.until([&] { return world.server->counters().requests == 500; }));
    EXPECT_EQ(world.server->counters().connections, 1000U);
    EXPECT_EQ(world.server->counters().bodies_held.count, 500);  // what came, not what was promised
    auto const answer = world.ask("GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(body_of(answer), "GET /me ");
    for (auto const& each : held)
        EXPECT_EQ(each->received, "");
}

TEST(Many, LargeHeadsTogetherAreBounded) {
    World world{{.heads_in_flight_max = 100_KiB}};
    std::string const start = "GET / HTTP/1.1\r\nHost: x\r\na: ";
    auto const holder = world.connect();
    holder->send(start + std::string(60'000, 'x'));
    ASSERT_TRUE(world.until([&] { return world.server->counters().heads_held > 50_KiB; }));
    EXPECT_EQ(status_of(world.ask(start + std::string(60'000, 'x'))), "HTTP/1.1 503 Service Unavailable");
    // Heads of a usual size count for nothing.
    auto const small = world.connect();
    small->send(start + std::string(3'000, 'x'));
    world.settle();
    small->send("\r\n\r\n");
    EXPECT_TRUE(world.until([&] { return small->has("GET / "); }));
    holder->send("\r\n\r\n");
    EXPECT_TRUE(world.until([&] { return holder->has("GET / "); }));
    EXPECT_EQ(world.server->counters().heads_held, Bytes{});
}

TEST(Many, ConnectionsBeyondTheLimitWaitForAPlace) {
    World world{{.connections_max = 2}};
    auto const first = world.connect();
    auto const second = world.connect();
    ASSERT_TRUE(world.until([&] { return world.server->counters().connections == 2; }));
    auto const third = world.connect();
    third->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    world.settle();
    EXPECT_EQ(third->received, "");
    first->close();
    EXPECT_TRUE(world.until([&] { return third->has("GET / "); }));
    EXPECT_EQ(world.server->counters().connections, 2U);
}

TEST(Many, OutOfDescriptorsIsNoEndOfAccepting) {
    World world;
    // Everything is called once before: UBSan wants a descriptor to look at an object for the first time.
    auto const early = world.connect();
    early->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return early->has("GET / "); }));
    auto const client = world.connect();
    client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 3;  // whatever is open stays so
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    world.settle();
    EXPECT_EQ(world.server->counters().connections, 1U);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(world.until([&] { return client->has("GET / "); }));
}

// ---- the end

TEST(Drain, FinishesWhatIsAnsweredAndTakesNothingNew) {
    World world;
    ExchangeId id{};
    world.handler.serve = [&id](Exchange& exchange) { id = exchange.id(); };
    auto const idle = world.connect();
    auto const waiting = world.connect();
    waiting->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return world.server->counters().connections == 2 && id.generation > 0; }));
    bool done = false;
    world.server->drain([&done] { done = true; });
    auto const late = world.connect();
    ASSERT_TRUE(world.until([&] { return idle->ended; }));
    world.settle();
    EXPECT_FALSE(done);
    EXPECT_EQ(world.server->counters().connections, 1U);
    world.server->find(id)->respond({.body = "done"});
    ASSERT_TRUE(world.until([&] { return done && waiting->over(); }));
    EXPECT_TRUE(waiting->has("connection: close"));
    EXPECT_TRUE(waiting->has("done"));
}

TEST(Drain, ARelayUnderWayEndsItsConnection) {
    World world;
    world.relay_all();
    Stand worker{*world.loop, world.worker_address};
    auto const client = world.connect();
    client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return !worker.peers.empty() && worker.last().has("GET"); }));
    bool done = false;
    world.server->drain([&done] { done = true; });
    worker.last().send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
    ASSERT_TRUE(world.until([&] { return done && client->over(); }));
    EXPECT_TRUE(client->has("connection: close\r\n\r\nab"));
}

TEST(Drain, IsToldEvenIfNobodyIsThere) {
    World world;
    bool done = false;
    world.server->drain([&done] { done = true; });
    EXPECT_FALSE(done);  // never from within
    EXPECT_TRUE(world.until([&] { return done; }));
}

}  // namespace
}  // namespace hal0::http
