#include "http/client.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "os/test_dir.hpp"

namespace hal0::http {
namespace {

using namespace std::chrono_literals;

// A peer that takes one connection and speaks raw bytes: when `request_end` has come it says `answer` and,
// where it `closes`, hangs up.
class ScriptedPeer final : NoCopy {
  public:
    ScriptedPeer(os::Loop& loop, os::Address const& address)
        : loop_{loop}, listener_{os::listen_on(address).value()}, accepting_{*this}, talking_{*this} {
        EXPECT_TRUE(loop_.watch(listener_.get(), os::Ready::Read, os::Trigger::Level, accepting_));
    }
    ~ScriptedPeer() {
        hang_up();
        loop_.unwatch(listener_.get(), accepting_);
    }

    [[nodiscard]] os::Address tcp_address() const { return os::bound_address(listener_.get()).value(); }
    void say(std::string_view bytes) {
        os::Slice const slice{bytes.data(), bytes.size()};
        EXPECT_EQ(os::write_some(fd_.get(), &slice, 1).count, bytes.size());
    }
    void hang_up() {
        if (fd_.open()) loop_.unwatch(fd_.get(), talking_);
        fd_.reset();
    }
    void reset() {
        os::reset_on_close(fd_.get());
        hang_up();
    }

    std::string request_end{"\r\n\r\n"};
    std::string answer{};
    bool closes{false};
    std::function<void()> on_request{};
    std::function<void()> on_gone{};
    std::string received{};

  private:
    struct Accepting final : os::FdHandler {
        explicit Accepting(ScriptedPeer& owner) : peer{owner} {}
        void on_ready(os::Ready) override { peer.accept(); }
        ScriptedPeer& peer;
    };
    struct Talking final : os::FdHandler {
        explicit Talking(ScriptedPeer& owner) : peer{owner} {}
        void on_ready(os::Ready) override { peer.listen(); }
        ScriptedPeer& peer;
    };

    void accept() {
        fd_ = os::accept_one(listener_.get()).value();
        ASSERT_TRUE(fd_.open());
        EXPECT_TRUE(loop_.watch(fd_.get(), os::Ready::Read, os::Trigger::Level, talking_));
    }
    void listen() {
        std::array<char, 65536> buffer{};
        auto const io = os::read_some(fd_.get(), buffer.data(), buffer.size());
        received.append(buffer.data(), io.count);
        if (io.closed) {
            hang_up();
            if (on_gone) on_gone();
        } else if (!asked_ && received.find(request_end) != std::string::npos) {
            asked_ = true;
            reply();
        }
    }
    void reply() {
        if (!answer.empty()) say(answer);
        if (closes) hang_up();
        if (on_request) on_request();
    }

    os::Loop& loop_;
    os::UniqueFd listener_;
    os::UniqueFd fd_{};
    Accepting accepting_;
    Talking talking_;
    bool asked_{false};
};

class ClientTest : public testing::Test {
  protected:
    [[nodiscard]] ClientRequest get(std::string target = "/") const {
        return {.peer = address, .target = std::move(target)};
    }
    void start(ClientRequest request, Call::Piece piece = {}) {
        call = Call::start(
            *loop, std::move(request),
            [this](Result<ClientAnswer> answer) {
                result = std::move(answer);
                call.reset();  // a caller may
                loop->stop();
            },
            std::move(piece));
        EXPECT_FALSE(result.has_value()) << "done was called from within start()";
    }
    Result<ClientAnswer> ask(ClientRequest request, Call::Piece piece = {}) {
        start(std::move(request), std::move(piece));
        loop->run();
        return *std::exchange(result, {});
    }
    // What a call gives to whom the peer says `answer` and hangs up.
    Result<ClientAnswer> ask_for(std::string answer) {
        ScriptedPeer peer{*loop, address};
        peer.answer = std::move(answer);
        peer.closes = true;
        return ask(get());
    }
    void expect_error(Result<ClientAnswer> const& got, Errc kind, std::string const& words) const {
        ASSERT_FALSE(got.ok());
        EXPECT_EQ(got.error().kind, kind) << got.error().message;
        EXPECT_NE(got.error().message.find(os::to_string(address)), std::string::npos) << got.error().message;
        EXPECT_NE(got.error().message.find(words), std::string::npos) << got.error().message;
    }

    os::TestDir dir{};
    os::Address address{os::UnixAddress{dir / "s"}};
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<Call> call{};
    std::optional<Result<ClientAnswer>> result{};
};

TEST_F(ClientTest, SendsOneRequestOverTcp) {
    ScriptedPeer peer{*loop, os::InetAddress{"127.0.0.1", 0}};
    address = peer.tcp_address();
    peer.request_end = "{\"a\":1}";
    peer.answer = "HTTP/1.1 201 Created\r\nX-One: 1\r\nContent-Length: 5\r\n\r\nhello";
    auto const got = ask({.peer = address,
                          .method = Method::Post,
                          .target = "/v1/x?y=1",
                          .headers = {{"Content-Type", "application/json"}},
                          .body = "{\"a\":1}"});
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->status, 201);
    EXPECT_EQ(got->header("x-one"), "1");
    EXPECT_EQ(got->header("x-two"), "");
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(peer.received, "POST /v1/x?y=1 HTTP/1.1\r\nHost: " + os::to_string(address) +
                                 "\r\nConnection: close\r\nContent-Length: 7\r\n"
                                 "Content-Type: application/json\r\n\r\n{\"a\":1}");
}

TEST_F(ClientTest, CollectsEveryKindOfBody) {
    struct Case {
        std::string answer;
        std::string body;
    };
    for (auto const& [answer, body] : std::vector<Case>{
             {"Content-Length: 2\r\n\r\nhi and more", "hi"},
             {"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n6\r\n there\r\n0\r\n\r\n", "hi there"},
             {"\r\nuntil the end", "until the end"},
             {"\r\n", ""}}) {
        auto const got = ask_for("HTTP/1.1 200 OK\r\n" + answer);
        ASSERT_TRUE(got.ok()) << got.error().message;
        EXPECT_EQ(got->body, body);
    }
}

TEST_F(ClientTest, ReadsAnAnswerThatComesByteByByte) {
    ScriptedPeer peer{*loop, address};
    std::string const answer =
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n";
    std::size_t at = 0;
    os::Timer next{*loop, [&] {
                       peer.say(std::string_view{answer}.substr(at++, 1));
                       if (at < answer.size()) next.start(Duration::zero());
                   }};
    peer.on_request = [&] { next.start(Duration::zero()); };
    auto const got = ask(get());
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(got->header("link"), "");
    EXPECT_EQ(got->body, "abc");
}

TEST_F(ClientTest, AnAnswerToHeadHasNoBody) {
    ScriptedPeer peer{*loop, address};
    peer.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    auto const got = ask({.peer = address, .method = Method::Head});
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->header("content-length"), "5");
}

TEST_F(ClientTest, ACutAnswerIsNotTakenForAWholeOne) {
    for (auto const* cut :
         {"Content-Length: 9\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
          "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"})
        expect_error(ask_for(std::string{"HTTP/1.1 200 OK\r\n"} + cut), Errc::Unavailable, "ended early");
    expect_error(ask_for(""), Errc::Unavailable, "before it answered");
    expect_error(ask_for("HTTP/1.1 200 OK\r\nContent-"), Errc::Unavailable, "before it answered");
}

TEST_F(ClientTest, AResetIsNotTheEndOfABody) {
    ScriptedPeer peer{*loop, os::InetAddress{"127.0.0.1", 0}};
    address = peer.tcp_address();
    peer.answer = "HTTP/1.1 200 OK\r\n\r\nhalf of it";
    expect_error(ask(get(), [&peer](std::string_view) { peer.reset(); }), Errc::Unavailable, "ended early");
}

TEST_F(ClientTest, WhatIsNotHttpIsCorrupt) {
    expect_error(ask_for("SSH-2.0-OpenSSH_9.2\r\n"), Errc::Corrupt, "not an HTTP answer");
    expect_error(ask_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello"), Errc::Corrupt,
                 "chunked");
}

TEST_F(ClientTest, NobodyThereIsUnavailable) {
    expect_error(ask(get()), Errc::Unavailable, "No such file");
    {
        auto const gone = os::listen_on(address).value();
    }
    expect_error(ask(get()), Errc::Unavailable, "refused");
    {
        auto const gone = os::listen_on(os::InetAddress{"127.0.0.1", 0}).value();
        address = os::bound_address(gone.get()).value();
    }
    expect_error(ask(get()), Errc::Unavailable, "refused");
}

TEST_F(ClientTest, NothingIsSmuggledIntoTheRequest) {
    EXPECT_EQ(ask(get("/a HTTP/1.1\r\nX: y")).error().kind, Errc::Invalid);
    EXPECT_EQ(ask(get("a")).error().kind, Errc::Invalid);
    auto request = get();
    request.headers = {{"X", "y\r\nZ: z"}};
    EXPECT_EQ(ask(std::move(request)).error().kind, Errc::Invalid);
}

TEST_F(ClientTest, ALargeBodyGoesOutWhileThePeerTakesIt) {
    ScriptedPeer peer{*loop, address};
    peer.request_end = "END";
    peer.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    std::string const body = std::string(std::size_t{4} << 20, 'x') + "END";
    auto const got = ask({.peer = address, .method = Method::Post, .body = body});
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_TRUE(peer.received.ends_with("\r\n\r\n" + body));
}

TEST_F(ClientTest, AnAnswerThatComesBeforeTheBodyIsSentIsHeard) {
    ScriptedPeer peer{*loop, address};
    peer.answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!";
    peer.closes = true;
    auto const got =
        ask({.peer = address, .method = Method::Post, .body = std::string(std::size_t{4} << 20, 'x')});
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->status, 413);
    EXPECT_EQ(got->body, "no!");
}

TEST_F(ClientTest, AnAnswerOverTheLimitIsTooLarge) {
    ScriptedPeer peer{*loop, address};
    peer.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(1025, 'x');
    auto request = get();
    request.answer_max = 1_KiB;
    expect_error(ask(std::move(request)), Errc::TooLarge, "1.0 KiB");
}

TEST_F(ClientTest, ASilentPeerTimesOut) {
    ScriptedPeer peer{*loop, address};
    auto request = get();
    request.deadline = 20ms;
    expect_error(ask(request), Errc::Timeout, "20 ms");
    auto const listener = os::listen_on(os::InetAddress{"127.0.0.1", 0}).value();
    request.peer = address = os::bound_address(listener.get()).value();
    expect_error(ask(std::move(request)), Errc::Timeout, "20 ms");  // nobody accepts
}

TEST_F(ClientTest, PiecesAreHandedOnAsTheyCome) {
    ScriptedPeer peer{*loop, address};
    peer.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
    std::vector<std::string> pieces;
    auto request = get();
    request.answer_max = 4_KiB;  // is not for streams
    auto const got = ask(std::move(request), [&](std::string_view piece) {
        pieces.emplace_back(piece);
        // The peer goes on only when the piece before has arrived.
        peer.say(pieces.size() == 1 ? "2000\r\n" + std::string(0x2000, 'x') + "\r\n" : "0\r\n\r\n");
    });
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->body, "");
    EXPECT_EQ(pieces, (std::vector<std::string>{"one", std::string(0x2000, 'x')}));
}

TEST_F(ClientTest, AnErrorIsCollectedThoughAStreamWasWanted) {
    ScriptedPeer peer{*loop, address};
    peer.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nwhat?";
    auto const got = ask(get(), [](std::string_view) { ADD_FAILURE() << "handed on"; });
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->body, "what?");
}

TEST_F(ClientTest, AStreamsDeadlineIsBetweenTwoPieces) {
    ScriptedPeer peer{*loop, address};
    peer.answer = "HTTP/1.1 200 OK\r\n\r\none";
    auto request = get();
    request.deadline = 400ms;
    os::Timer later{*loop, [&peer] { peer.say("two"); }};
    peer.on_request = [&later] { later.start(200ms); };
    std::string all;
    auto const begin = Clock::now();
    expect_error(ask(std::move(request), [&all](std::string_view piece) { all += piece; }), Errc::Timeout,
                 "in the middle");
    EXPECT_EQ(all, "onetwo");
    EXPECT_GE(Clock::now() - begin, 600ms);
}

TEST_F(ClientTest, DestroyingItCancelsTheCall) {
    ScriptedPeer peer{*loop, address};
    peer.on_request = [this] { call.reset(); };
    peer.on_gone = [this] { loop->stop(); };  // the connection is closed, else this never ends
    start(get());
    loop->run();
    EXPECT_FALSE(result.has_value());
}

TEST_F(ClientTest, APieceMayCancelTheCall) {
    ScriptedPeer peer{*loop, address};
    peer.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n";
    peer.on_gone = [this] { loop->stop(); };
    start(get(), [this, kept = std::string(100, 'x')](std::string_view piece) {
        call.reset();
        EXPECT_EQ(piece, "one");
        EXPECT_EQ(kept.size(), 100U);  // what is called lives until it returns
    });
    loop->run();
    EXPECT_FALSE(result.has_value());
}

TEST_F(ClientTest, FetchBringsItsOwnLoop) {
    ScriptedPeer peer{*loop, address};
    peer.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    peer.on_gone = [this] { loop->stop(); };
    std::jthread const elsewhere{[this] { loop->run(); }};
    auto const got = fetch(get());
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->body, "hi");
}

}  // namespace
}  // namespace hal0::http
