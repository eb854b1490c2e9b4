#include "http/body.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/limits.hpp"
#include "http/sse.hpp"

namespace hal0::http {
namespace {

struct Read {
    std::string data;
    std::size_t used{0};
    bool ended{false};
    bool bad{false};
};

// Feeds `bytes` in pieces of `piece` bytes.
Read read_chunked(std::string_view bytes, std::size_t piece) {
    Read read;
    BodyTracker tracker{Framing::Chunked, 0};
    while (read.used < bytes.size() && !tracker.ended() && !tracker.bad())
        read.used += tracker.consume(bytes.substr(read.used, piece),
                                     [&read](std::string_view run) { read.data += run; });
    read.ended = tracker.ended();
    read.bad = tracker.bad();
    return read;
}

TEST(Chunked, IsReadWhereverItIsCut) {
    std::string const message =
        "5\r\nhello\r\n6;name=\"v\"\r\n world\r\n00a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    for (std::size_t piece = 1; piece <= message.size() + 4; ++piece) {
        auto const read = read_chunked(message + "NEXT", piece);
        EXPECT_EQ(read.data, "hello world0123456789") << piece;
        EXPECT_TRUE(read.ended) << piece;
        EXPECT_EQ(read.used, message.size()) << piece;
    }
}

TEST(Chunked, RefusesEverythingElse) {
    for (std::string const& bytes : std::vector<std::string>{
             "\r\n", "g\r\n", "-1\r\n", "5\nhello", "5\rhello", "5 \r\nhello", "5\r\nhelloX", "5\r\nhello\n",
             "5\r\nhello\rX", "1000000000000000\r\n", ";x\r\n", "0x5\r\nhello", "5;a\nhello", "0\r\n\n",
             "0\r\n\rX", "0\r\nA: b\n\r\n", "5;" + std::string(chunk_extension_bytes_max + 1, 'a'),
             "0\r\nA: " + std::string(trailer_bytes_max, 'a')}) {
        for (std::size_t const piece : {std::size_t{1}, bytes.size()})
            EXPECT_TRUE(read_chunked(bytes, piece).bad) << bytes.substr(0, 40) << " by " << piece;
    }
}

TEST(Chunked, KnowsWhereAChunkOfOursCouldStand) {
    std::string_view const message = "5\r\nhello\r\n3\r\nabc\r\n";
    for (std::size_t size = 0; size <= message.size(); ++size) {
        BodyTracker tracker{Framing::Chunked, 0};
        tracker.consume(message.substr(0, size), [](std::string_view) {});
        EXPECT_EQ(tracker.at_boundary(), size == 0 || size == 10 || size == 18) << size;
    }
}

TEST(BodyTracker, LengthEndsWhereItSays) {
    BodyTracker tracker{Framing::Length, 5};
    std::string data;
    auto const collect = [&data](std::string_view run) { data += run; };
    EXPECT_EQ(tracker.consume("hel", collect), 3U);
    EXPECT_FALSE(tracker.ended());
    EXPECT_EQ(tracker.consume("loNEXT", collect), 2U);
    EXPECT_TRUE(tracker.ended());
    EXPECT_EQ(tracker.consume("NEXT", collect), 0U);
    EXPECT_EQ(data, "hello");
    EXPECT_TRUE((BodyTracker{Framing::Length, 0}.ended()));
    EXPECT_TRUE((BodyTracker{Framing::None, 7}.ended()));
}

TEST(Framing, FollowsTheStatusAndTheRequest) {
    ResponseHead head;
    head.status = 200;
    EXPECT_EQ(framing_of(head, false), Framing::UntilClose);
    head.content_length = 5;
    EXPECT_EQ(framing_of(head, false), Framing::Length);
    EXPECT_EQ(framing_of(head, true), Framing::None);
    head.status = 304;
    EXPECT_EQ(framing_of(head, false), Framing::None);
    head.status = 204;
    EXPECT_EQ(framing_of(head, false), Framing::None);
    head = ResponseHead{};
    head.status = 200;
    head.chunked = true;
    EXPECT_EQ(framing_of(head, false), Framing::Chunked);
}

TEST(EventBoundary, IsWhereABlankLineCameLast) {
    struct Case {
        std::string text;
        bool between;
    };
    for (auto const& c : std::vector<Case>{{"", true},
                                           {"data: a\n\n", true},
                                           {"data: a\r\n\r\n", true},
                                           {"data: a\r\r", true},
                                           {"data: a\n", false},
                                           {"data: a", false},
                                           {"data: a\r\n", false},
                                           {"d", false}}) {
        for (std::size_t piece = 1; piece <= c.text.size() + 1; ++piece) {
            EventBoundary boundary;
            for (std::size_t at = 0; at < c.text.size(); at += piece)
                boundary.feed(std::string_view{c.text}.substr(at, piece));
            EXPECT_EQ(boundary.between_events(), c.between) << c.text << " by " << piece;
        }
    }
}

TEST(Sse, WhatIsWrittenIsReadWhereverItIsCut) {
    std::vector<SseEvent> const events{
        {"1", "", "a"}, {"e-2", "state", "two\nlines"}, {"e-2", "", ""}, {"e-2", "", " b"}};
    std::string text = sse_comment("ping");
    for (auto event : events) {
        if (event.id == "e-2" && event.type.empty()) event.id.clear();  // stays the last id
        text += encode(event);
    }
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        SseReader reader;
        std::vector<SseEvent> got;
        for (std::size_t at = 0; at < text.size(); at += piece)
            reader.feed(std::string_view{text}.substr(at, piece),
                        [&got](SseEvent const& event) { got.push_back(event); });
        EXPECT_EQ(got, events) << piece;
    }
}

TEST(Sse, ReadsEveryLineEndAndSkipsTheRest) {
    SseReader reader;
    std::vector<std::string> got;
    reader.feed(
        "\xef\xbb\xbf"
        "data:a\rdata: b\r\n\n:c\nretry: 5\nfoo\ndata\n\nevent: lost\n\ndata: cut",
        [&got](SseEvent const& event) { got.push_back(event.type + event.data); });
    EXPECT_EQ(got, (std::vector<std::string>{"a\nb", ""}));
}

TEST(Sse, AnEventOverTheLimitIsDroppedWhole) {
    std::string const half = "data: " + std::string(sse_event_bytes_max / 2, 'x') + "\n";
    for (std::string const& large :
         {"data: " + std::string(sse_event_bytes_max, 'x') + "\ndata: rest\n", half + half + "data: rest\n",
          "data: begin\n: " + std::string(sse_event_bytes_max, 'x') + "\n"}) {
        SseReader reader;
        std::vector<std::string> got;
        auto const feed = [&](std::string_view bytes) {
            reader.feed(bytes, [&got](SseEvent const& event) { got.push_back(event.data); });
        };
        feed("data: before\n\n");
        for (std::size_t at = 0; at < large.size(); at += 1'000'000)
            feed(std::string_view{large}.substr(at, 1'000'000));
        feed("\ndata: after\n\n");
        EXPECT_EQ(got, (std::vector<std::string>{"before", "after"}));
    }
}

TEST(Sse, NewlinesCannotBeSmuggledIntoIdOrType) {
    EXPECT_EQ(encode({"1\ndata: x", "t\r\nid: 2", "d"}), "id: 1\nevent: t\ndata: d\n\n");
}

}  // namespace
}  // namespace hal0::http
