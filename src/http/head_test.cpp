#include "http/head.hpp"

#include <gtest/gtest.h>

#include "http/limits.hpp"

namespace hal0::http {
namespace {

using State = HeadProgress::State;

struct BadCase {
    char const* what;
    std::string bytes;
    int status;
};

std::vector<BadCase> bad_requests() {
    std::string const host = "Host: h\r\n";
    return {
        {"both framings",
         "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"two lengths that differ",
         "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
        {"the same length twice",
         "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
        {"a list of lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3, 3\r\n\r\n", 400},
        {"a negative length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
        {"a signed length", "POST / HTTP/1.1\r\n" + host + "Content-Length: +1\r\n\r\n", 400},
        {"a hex length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x10\r\n\r\n", 400},
        {"an empty length", "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\n", 400},
        {"a huge length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
        {"an unknown coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"identity", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n", 501},
        {"a coding that looks chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n",
         501},
        {"chunked twice",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"chunked in 1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", 400},
        {"a folded header", "GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n", 400},
        {"a folded first header", "GET / HTTP/1.1\r\n " + host + "\r\n", 400},
        {"a space before the colon", "GET / HTTP/1.1\r\n" + host + "A : b\r\n\r\n", 400},
        {"no colon", "GET / HTTP/1.1\r\n" + host + "A\r\n\r\n", 400},
        {"an empty name", "GET / HTTP/1.1\r\n" + host + ": b\r\n\r\n", 400},
        {"a bare LF after the request line", "GET / HTTP/1.1\n" + host + "\r\n", 400},
        {"a bare LF after a header", "GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
        {"a bare CR in a value", "GET / HTTP/1.1\r\n" + host + "A: b\rc\r\n\r\n", 400},
        {"a NUL in a value", "GET / HTTP/1.1\r\n" + host + std::string{"A: b\0c\r\n\r\n", 10}, 400},
        {"a NUL in a name", "GET / HTTP/1.1\r\n" + host + std::string{"A\0: b\r\n\r\n", 9}, 400},
        {"a NUL in the target", std::string{"GET /\0 HTTP/1.1\r\n", 17} + host + "\r\n", 400},
        {"no Host in 1.1", "GET / HTTP/1.1\r\n\r\n", 400},
        {"Host twice", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
        {"a Host of two", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"HTTP/0.9", "GET /\r\n\r\n", 400},
        {"no version with a space", "GET / \r\n\r\n", 400},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"HTTP/3", "GET / HTTP/3.0\r\n\r\n", 505},
        {"a version in small letters", "GET / http/1.1\r\n" + host + "\r\n", 400},
        {"a version with more", "GET / HTTP/1.10\r\n" + host + "\r\n", 400},
        {"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a space in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a fragment", "GET /a#b HTTP/1.1\r\n" + host + "\r\n", 400},
        {"authority-form", "CONNECT h:80 HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a relative target", "GET a HTTP/1.1\r\n" + host + "\r\n", 400},
        {"the asterisk with GET", "GET * HTTP/1.1\r\n" + host + "\r\n", 400},
        {"another scheme", "GET ftp://h/ HTTP/1.1\r\n" + host + "\r\n", 400},
        {"another host in the target", "GET http://other/ HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a bad method", "G(T / HTTP/1.1\r\n" + host + "\r\n", 400},
        {"an unknown expectation", "POST / HTTP/1.1\r\n" + host + "Expect: 42\r\n\r\n", 417},
        {"a long target", "GET /" + std::string(target_bytes_max, 'a') + " HTTP/1.1\r\n" + host + "\r\n",
         414},
        {"a long target without end", "GET /" + std::string(target_bytes_max + 20, 'a'), 414},
        {"a long header", "GET / HTTP/1.1\r\n" + host + "A: " + std::string(head_bytes_max, 'a') + "\r\n\r\n",
         431},
        {"a long header without end", "GET / HTTP/1.1\r\n" + host + "A: " + std::string(head_bytes_max, 'a'),
         431},
        {"a TLS hello", std::string{"\x16\x03\x01\x02\x00", 5}, 400},
    };
}

TEST(RequestHead, RefusesWhatTwoParsersCouldReadDifferently) {
    for (auto const& c : bad_requests()) {
        RequestHead head;
        auto const progress = parse_request_head(c.bytes, head);
        EXPECT_EQ(progress.state, State::Bad) << c.what;
        EXPECT_EQ(progress.fault.status, c.status) << c.what << ": " << progress.fault.reason;
    }
}

TEST(RequestHead, RefusesTheSameWhenCutAtEveryPlace) {
    for (auto const& c : bad_requests()) {
        if (c.bytes.size() > 1000) continue;
        RequestHead head;
        for (std::size_t size = 0; size < c.bytes.size(); ++size) {
            auto const progress = parse_request_head(std::string_view{c.bytes}.substr(0, size), head);
            EXPECT_NE(progress.state, State::Done) << c.what << " at " << size;
            if (progress.state == State::Bad) {
                EXPECT_EQ(progress.fault.status, c.status) << c.what << " at " << size;
            }
        }
    }
}

TEST(RequestHead, TooManyHeadersAre431) {
    std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (std::size_t i = 0; i < header_count_max; ++i)
        bytes += "a: b\r\n";
    RequestHead head;
    EXPECT_EQ(parse_request_head(bytes + "\r\n", head).fault.status, 431);
}

TEST(RequestHead, ReadsARequestCutAtEveryPlace) {
    std::string const bytes =
        "POST /v1/chat/completions?a=b&c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nX-Empty:\r\n"
        "content-LENGTH:  12 \r\nAccept: text/event-stream, */*\r\nExpect: 100-Continue\r\n\r\n";
    RequestHead head;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(parse_request_head(std::string_view{bytes}.substr(0, size), head).state, State::More)
            << size;
    auto const whole = bytes + "{\"more\": true}";
    auto const progress = parse_request_head(whole, head);
    ASSERT_EQ(progress.state, State::Done);
    EXPECT_EQ(progress.size, bytes.size());
    EXPECT_EQ(head.method, Method::Post);
    EXPECT_EQ(head.target, "/v1/chat/completions?a=b&c");
    EXPECT_EQ(head.path, "/v1/chat/completions");
    EXPECT_EQ(head.query, "a=b&c");
    EXPECT_EQ(head.minor, 1);
    EXPECT_EQ(head.content_length, 12U);
    EXPECT_EQ(head.header("ACCEPT"), "text/event-stream, */*");
    EXPECT_EQ(head.header("x-empty"), "");
    EXPECT_EQ(head.headers.size(), 5U);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_TRUE(head.expect_continue);
    EXPECT_FALSE(head.chunked);
}

TEST(RequestHead, AbsoluteFormIsTakenByItsPath) {
    RequestHead head;
    ASSERT_EQ(parse_request_head("GET http://h:1/v1/models?x HTTP/1.1\r\nHost: h:1\r\n\r\n", head).state,
              State::Done);
    EXPECT_EQ(head.target, "/v1/models?x");
    ASSERT_EQ(parse_request_head("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", head).state, State::Done);
    EXPECT_EQ(head.target, "/");
}

TEST(RequestHead, AsteriskIsForOptions) {
    RequestHead head;
    ASSERT_EQ(parse_request_head("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", head).state, State::Done);
    EXPECT_EQ(head.path, "*");
}

TEST(RequestHead, KeepAliveFollowsTheVersionAndConnection) {
    RequestHead head;
    auto const kept = [&head](std::string const& bytes) {
        EXPECT_EQ(parse_request_head(bytes, head).state, State::Done);
        return head.keep_alive;
    };
    EXPECT_TRUE(kept("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_FALSE(kept("GET / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n"));
    EXPECT_FALSE(kept("GET / HTTP/1.0\r\n\r\n"));
    EXPECT_TRUE(kept("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
    EXPECT_FALSE(kept("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"));
}

TEST(RequestHead, OneEmptyLineBeforeIsLetPass) {
    RequestHead head;
    auto const progress = parse_request_head("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", head);
    ASSERT_EQ(progress.state, State::Done);
    EXPECT_EQ(progress.size, 29U);
    EXPECT_EQ(parse_request_head("\r\n\r\nGET / HTTP/1.1\r\n", head).state, State::Bad);
}

TEST(RequestHead, UnknownMethodKeepsItsText) {
    RequestHead head;
    ASSERT_EQ(parse_request_head("BREW / HTTP/1.1\r\nHost: h\r\n\r\n", head).state, State::Done);
    EXPECT_EQ(head.method, Method::Other);
    EXPECT_EQ(head.method_text, "BREW");
}

TEST(ResponseHead, ReadsAnAnswerCutAtEveryPlace) {
    std::string const bytes =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    ResponseHead head;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(parse_response_head(std::string_view{bytes}.substr(0, size), head).state, State::More)
            << size;
    ASSERT_EQ(parse_response_head(bytes, head).state, State::Done);
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(head.chunked);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_EQ(head.header("content-type"), "text/event-stream");
}

TEST(ResponseHead, RefusesWhatIsNoAnswer) {
    for (auto const* bytes :
         {"SSH-2.0", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 999 OK\r\n\r\n",
          "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: a\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n",
          "HTTP/1.1 2000 OK\r\n\r\n"}) {
        ResponseHead head;
        auto const progress = parse_response_head(bytes, head);
        EXPECT_EQ(progress.state, State::Bad) << bytes;
        EXPECT_EQ(progress.fault.status, 502) << bytes;
    }
}

TEST(ResponseHead, TheReasonMayBeMissing) {
    ResponseHead head;
    ASSERT_EQ(parse_response_head("HTTP/1.0 204\r\n\r\n", head).state, State::Done);
    EXPECT_EQ(head.status, 204);
    EXPECT_FALSE(head.keep_alive);
}

TEST(Percent, DecodesOrRefuses) {
    EXPECT_EQ(percent_decode("a%2Fb%c3%A9"), "a/b\xc3\xa9");
    EXPECT_EQ(percent_decode("a+b"), "a+b");
    EXPECT_FALSE(percent_decode("%"));
    EXPECT_FALSE(percent_decode("%2"));
    EXPECT_FALSE(percent_decode("%zz"));
    EXPECT_FALSE(percent_decode("a%00"));
}

}  // namespace
}  // namespace hal0::http
