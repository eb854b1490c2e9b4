#include "http/server.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/limits.hpp"
#include "http/test_peer.hpp"

namespace hal0::http {
namespace {

using namespace std::chrono_literals;

// ---- requests and answers

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

TEST(Server, KnowsWhichRequestsCameOverTheUnixSocket) {
    World world;
    world.handler.serve = [](Exchange& exchange) {
        exchange.respond({.body = exchange.over_unix_socket() ? "unix" : "tcp"});
    };
    auto const by_unix = world.connect_unix();
    auto const by_tcp = world.connect();
    for (auto const* client : {&by_unix, &by_tcp})
        (*client)->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(world.until([&] { return by_unix->has("unix") && by_tcp->has("tcp"); }));
}

TEST(Server, ReadsRequestsCutAtEveryByte) {
    World world;
    auto const client = world.connect();
    std::string const request =
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    for (char const c : request) {
        client->send({&c, 1});
        world.loop->run_once(0ms);
    }
    ASSERT_TRUE(world.until([&] { return client->has("POST /a "); }));
    EXPECT_EQ(body_of(client->received), "POST /a abcde");
}

TEST(Server, ReadsTwoRequestsCutAnywhereBetween) {
    World world;
    std::string const requests =
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /b HTTP/1.1\r\nHost: x\r\n\r\n";
    for (std::size_t cut = 1; cut < requests.size(); ++cut) {
        auto const client = world.connect();
        client->send(requests.substr(0, cut));
        world.settle();
        client->send(requests.substr(cut));
        ASSERT_TRUE(world.until([&] { return client->has("GET /b ") || client->over(); }));
        EXPECT_TRUE(client->has("POST /a abHTTP/1.1 200 OK")) << cut << client->received;
    }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
    World world;
    auto const client = world.connect();
    std::string requests;
    std::string wanted;
    for (int i = 0; i < 300; ++i) {
        auto const body = std::to_string(i);
        requests += "POST /" + body +
                    " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                    body;
        wanted += "POST /" + body + " " + body + ";";
    }
    client->send(requests);
    auto const bodies = [&client] {
        std::string all;
        for (std::size_t at = 0; (at = client->received.find("POST", at)) != std::string::npos; ++at)
            all += client->received.substr(at, client->received.find("HTTP", at) - at) + ";";
        return all;
    };
    ASSERT_TRUE(world.until([&] { return client->has("POST /299 299"); }));
    EXPECT_EQ(bodies(), wanted);
    EXPECT_EQ(world.server->counters().requests, 300U);
}

TEST(Server, APipelinedRequestWaitsForTheAnswerBeforeIt) {
    World world;
    ExchangeId first{};
    world.handler.serve = [&](Exchange& exchange) {
        if (exchange.head().path == "/slow")
            first = exchange.id();
        else
            exchange.respond(TestHandler::echo(exchange));
    };
    auto const client = world.connect();
    client->send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /fast HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return world.server->find(first) != nullptr; }));
    world.settle();
    EXPECT_EQ(client->received, "");
    world.server->find(first)->respond({.body = "slow"});
    ASSERT_TRUE(world.until([&] { return client->has("/fast"); }));
    EXPECT_LT(client->received.find("slow"), client->received.find("/fast"));
}

TEST(Server, RequestsBeforeAHalfCloseAreAnswered) {
    World world;
    auto const client = world.connect();
    client->send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    client->end_sending();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->has("GET /1"));
    EXPECT_TRUE(client->has("GET /2"));
    EXPECT_TRUE(client->ended);
}

TEST(Server, HeadHasAllButTheBody) {
    World world;
    EXPECT_EQ(
        world.ask("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 8\r\nconnection: close\r\n\r\n");
}

TEST(Server, AnAnswerWithoutContentHasNoLength) {
    World world;
    world.handler.serve = [](Exchange& exchange) {
        exchange.respond({.status = 204, .headers = {{"allow", "GET"}}});
    };
    EXPECT_EQ(world.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              "HTTP/1.1 204 No Content\r\nallow: GET\r\nconnection: close\r\n\r\n");
}

TEST(Server, Http10ClosesUnlessAskedToKeep) {
    World world;
    EXPECT_EQ(world.ask("GET /a HTTP/1.0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 7\r\n"
              "connection: close\r\n\r\nGET /a ");
    auto const client = world.connect();
    client->send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("GET /a "); }));
    EXPECT_TRUE(client->has("connection: keep-alive"));
    client->send("GET /b HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(world.until([&] { return client->has("GET /b ") && client->ended; }));
}

TEST(Server, AHeadersValueCantBeginALineOfItsOwn) {
    World world;
    world.handler.serve = [](Exchange& exchange) {
        exchange.respond({.headers = {{"x-bad", "a\r\nset-cookie: b"}, {"x-good", "c"}}});
    };
    auto const answer = world.ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(answer.find("set-cookie"), std::string::npos);
    EXPECT_NE(answer.find("x-good: c"), std::string::npos);
}

TEST(Server, ALargeAnswerWaitsForASlowReader) {
    World world;
    auto const size = std::size_t{8} << 20;
    world.handler.serve = [size](Exchange& exchange) { exchange.respond({.body = std::string(size, 'x')}); };
    auto const client = world.connect();
    client->stop_reading();
    client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    world.settle();
    client->read_again();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->ended);
    EXPECT_GT(client->received.size(), 2 * size);
}

// ---- bodies

TEST(Server, LargeBodiesAreHandedOverUnchanged) {
    World world;
    std::string got;
    world.handler.serve = [&got](Exchange& exchange) {
        got = exchange.body();
        exchange.respond({.body = "ok"});
    };
    std::string body;
    while (body.size() < (std::size_t{5} << 20))
        body += std::to_string(body.size()) + ",";
    auto const plain = world.connect();
    plain->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
    ASSERT_TRUE(world.until([&] { return plain->has("ok"); }));
    EXPECT_TRUE(got == body);
    got.clear();
    auto const chunked = world.connect();
    chunked->send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (std::size_t at = 0; at < body.size(); at += 300'000) {
        auto const piece = body.substr(at, 300'000);
        std::array<char, 16> size{};
        (void)std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
        chunked->send(size.data() + piece + "\r\n");
    }
    chunked->send("0\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return chunked->has("ok"); }));
    EXPECT_TRUE(got == body);
    EXPECT_EQ(world.server->counters().bodies_held.count, 0);
}

TEST(Server, ExpectIsAnsweredWhenTheHeadIsAccepted) {
    World world;
    auto const client = world.connect();
    client->send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("\r\n\r\n"); }));
    EXPECT_EQ(client->received, "HTTP/1.1 100 Continue\r\n\r\n");
    client->send("hello");
    EXPECT_TRUE(world.until([&] { return client->has("POST / hello"); }));
}

TEST(Server, ExpectIsAnsweredFinallyWhenTheHeadIsRefused) {
    World world;
    world.handler.head_hook = [](Exchange& exchange, Bytes&) { exchange.respond({.status = 401}); };
    auto const answer =
        world.ask("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 401 Unauthorized");
    EXPECT_NE(answer.find("connection: close"), std::string::npos);
}

TEST(Server, ASmallUnwantedBodyIsSkipped) {
    World world;
    world.handler.head_hook = [](Exchange& exchange, Bytes&) {
        if (exchange.head().path == "/no") exchange.respond({.status = 404});
    };
    auto const client = world.connect();
    client->send("POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("404"); }));
    client->send(std::string(20000, 'b') + "GET /yes HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(world.until([&] { return client->has("GET /yes"); }));
}

TEST(Server, ALargeUnwantedBodyEndsTheConnectionAfterTheAnswer) {
    World world;
    world.handler.head_hook = [](Exchange& exchange, Bytes&) { exchange.respond({.status = 404}); };
    // All of it is sent though it is refused: the answer must arrive all the same.
    auto const answer = world.ask("POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" +
                                  std::string(3'000'000, 'b'));
    EXPECT_EQ(status_of(answer), "HTTP/1.1 404 Not Found");
    EXPECT_NE(answer.find("connection: close"), std::string::npos);
}

TEST(Server, TheHandlerSetsHowLargeABodyMayBe) {
    World world;
    world.handler.head_hook = [](Exchange&, Bytes& body_max) { body_max = Bytes{4}; };
    EXPECT_EQ(status_of(world.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")),
              "HTTP/1.1 413 Content Too Large");
    EXPECT_EQ(status_of(world.ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")),
              "HTTP/1.1 413 Content Too Large");
}

TEST(Server, BodiesHeldTogetherAreBounded) {
    World world{{.body_max = 50_KiB, .bodies_in_flight_max = 10_KiB}};  // two of body_max go before
    world.handler.head_hook = [](Exchange&, Bytes& body_max) { body_max = 90_KiB; };
    world.handler.serve = [](Exchange&) {};  // waits
    auto const holder = world.connect();
    holder->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 80000\r\n\r\n" + std::string(80'000, 'x'));
    ASSERT_TRUE(world.until([&] { return world.server->counters().bodies_held.count == 80'000; }));
    auto const length = world.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n");
    EXPECT_EQ(status_of(length), "HTTP/1.1 503 Service Unavailable");
    auto const chunked =
        world.ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7530\r\n" +
                  std::string(30'000, 'x'));
    EXPECT_EQ(status_of(chunked), "HTTP/1.1 503 Service Unavailable");
    holder->close();
    ASSERT_TRUE(world.until([&] { return world.server->counters().bodies_held.count == 0; }));
}

TEST(Server, ABodyThatIsTakenIsHeldOnceAndCounts) {
    World world;
    ExchangeId id{};
    std::string taken;
    world.handler.serve = [&](Exchange& exchange) {
        id = exchange.id();
        taken = exchange.take_body();
        EXPECT_EQ(exchange.body(), "");
    };
    auto const client = world.connect();
    client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 80000\r\n\r\n" + std::string(80'000, 'x'));
    ASSERT_TRUE(world.until([&] { return !taken.empty(); }));
    EXPECT_EQ(taken, std::string(80'000, 'x'));
    EXPECT_EQ(world.server->counters().bodies_held.count, 80'000);
    world.server->find(id)->respond({.body = "ok"});
    EXPECT_EQ(world.server->counters().bodies_held.count, 0);
}

// ---- answers in pieces

TEST(Stream, IsChunked) {
    World world;
    ExchangeId id{};
    world.handler.serve = [&id](Exchange& exchange) {
        id = exchange.id();
        exchange.begin_stream({.content_type = "text/event-stream", .body = "data: 1\n\n"});
        exchange.write("");  // no end
        exchange.write("data: 2\n\n");
    };
    auto const client = world.connect();
    client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("data: 2"); }));
    world.server->find(id)->write("data: 3\n\n");
    world.server->find(id)->finish();
    EXPECT_EQ(world.server->find(id), nullptr);
    ASSERT_TRUE(world.until([&] { return client->has("0\r\n\r\n"); }));
    EXPECT_EQ(client->received,
              "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
              "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n9\r\ndata: 3\n\n\r\n0\r\n\r\n");
    EXPECT_TRUE(world.handler.gone.empty());
}

TEST(Stream, EndsByCloseForHttp10AndHasNoBodyForHead) {
    World world;
    world.handler.serve = [](Exchange& exchange) {
        exchange.begin_stream({.content_type = "text/plain", .body = "a"});
        exchange.write("b");
        exchange.finish();
    };
    EXPECT_EQ(world.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
              "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nab");
    EXPECT_EQ(body_of(world.ask("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), "");
}

TEST(Stream, AClientThatLeavesIsTold) {
    World world;
    ExchangeId id{};
    world.handler.serve = [&id](Exchange& exchange) {
        id = exchange.id();
        exchange.begin_stream({.body = "a"});
    };
    auto const client = world.connect();
    client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->has("a"); }));
    client->close();
    ASSERT_TRUE(world.until([&] { return !world.handler.gone.empty(); }));
    EXPECT_EQ(world.handler.gone[0], id);
    EXPECT_EQ(world.server->find(id), nullptr);
}

TEST(Stream, AClientThatTakesNothingIsCutAtTheBacklogsBound) {
    World world;
    ExchangeId id{};
    world.handler.serve = [&id](Exchange& exchange) {
        id = exchange.id();
        exchange.begin_stream({.content_type = "text/event-stream"});
    };
    auto const client = world.connect();
    client->stop_reading();
    client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return world.server->find(id) != nullptr; }));
    std::string const piece(100'000, 'x');
    for (int i = 0; i < 200; ++i)
        world.server->find(id)->write(piece);
    EXPECT_TRUE(world.handler.gone.empty());  // never from within write()
    ASSERT_TRUE(world.until([&] { return !world.handler.gone.empty(); }));
    client->read_again();
    EXPECT_TRUE(world.until([&] { return client->was_reset; }));
}

TEST(Stream, ASlowClientGetsAllOfABacklogWithinTheBound) {
    World world;
    ExchangeId id{};
    world.handler.serve = [&id](Exchange& exchange) {
        id = exchange.id();
        exchange.begin_stream({.content_type = "text/event-stream"});
        exchange.write(std::string(stream_backlog_max - 1, 'x'));
        exchange.finish();
    };
    auto const client = world.connect();
    client->stop_reading();
    client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return id.generation > 0; }));
    world.settle();
    client->read_again();
    ASSERT_TRUE(world.until([&] { return client->has("0\r\n\r\n"); }));
    EXPECT_GT(client->received.size(), stream_backlog_max);
}

// ---- who waits and who leaves

TEST(Server, AClientThatLeavesWhileItWaitsIsTold) {
    for (bool const half : {false, true}) {
        World world;
        ExchangeId id{};
        world.handler.serve = [&id](Exchange& exchange) { id = exchange.id(); };
        auto const client = world.connect();
        client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_TRUE(world.until([&] { return world.server->find(id) != nullptr; }));
        half ? client->end_sending() : client->close();
        ASSERT_TRUE(world.until([&] { return !world.handler.gone.empty(); }));
        EXPECT_EQ(world.handler.gone[0], id);
        EXPECT_EQ(world.server->find(id), nullptr);
        EXPECT_EQ(world.server->counters().connections, 0U);
    }
}

TEST(Server, AnExchangesNameIsNeverAnothers) {
    World world;
    std::vector<ExchangeId> ids;
    world.handler.serve = [&ids](Exchange& exchange) { ids.push_back(exchange.id()); };
    auto first = world.connect();
    first->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return ids.size() == 1; }));
    first->close();
    ASSERT_TRUE(world.until([&] { return world.server->counters().connections == 0; }));
    auto const second = world.connect();
    second->send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return ids.size() == 2; }));
    EXPECT_EQ(ids[0].connection, ids[1].connection);  // the place is used again
    EXPECT_EQ(world.server->find(ids[0]), nullptr);
    world.server->find(ids[1])->respond({});
    ASSERT_TRUE(world.until([&] { return ids.size() == 3; }));
    EXPECT_EQ(world.server->find(ids[1]), nullptr);
    EXPECT_NE(world.server->find(ids[2]), nullptr);
}

}  // namespace
}  // namespace hal0::http
