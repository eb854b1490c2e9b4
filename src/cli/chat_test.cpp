#include "cli/chat.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>

#include "cli/answer.hpp"
#include "cli/test_house.hpp"
#include "wire/status.hpp"

namespace hal0::cli {
namespace {

using namespace std::chrono_literals;
using Connection = TestPeer::Connection;
using Request = TestPeer::Request;

os::Typed line(std::string text) { return {os::Typed::Kind::Line, std::move(text)}; }

std::string piece(std::string const& text) {
    return R"({"choices":[{"delta":{"content":")" + text + R"("}}]})";
}

void answer_well(Connection const& to) {
    to.begin_events();
    to.event(R"({"choices":[{"delta":{"role":"assistant","content":null}}]})");
    to.event(piece("Hel"));
    to.event(piece("lo."));
    to.event(R"({"choices":[],"usage":{"completion_tokens":7}})");
    to.event("[DONE]");
}

std::vector<std::string> chats_of(TestHouse& house) {
    std::vector<std::string> bodies;
    for (auto const& asked : house.daemon->asked()) {
        if (asked.starts_with("POST /v1/chat/completions ")) bodies.push_back(asked.substr(26));
    }
    return bodies;
}

TEST(Chat, AsksOnceAndGivesTheAnswerAlone) {
    TestHouse house;
    house.serve([](Request const&, Connection const& to) { answer_well(to); });
    EXPECT_EQ(house.type({"chat", "--slot", "primary", "--system", "Be brief.", "Say", "hello"}), 0);
    EXPECT_EQ(house.terminal.said, "Hello.\n");
    EXPECT_EQ(house.terminal.complained, "");
    EXPECT_EQ(
        chats_of(house).at(0),
        R"({"model":"hal0/primary","messages":[{"role":"system","content":"Be brief."},)"
        R"({"role":"user","content":"Say hello"}],"stream":true,"stream_options":{"include_usage":true}})");
}

TEST(Chat, AsksWhatAPipeBrings) {
    TestHouse house;
    house.serve([](Request const&, Connection const& to) { answer_well(to); });
    house.terminal.piped = "some text\n";
    EXPECT_EQ(house.type({"chat"}), 0);
    EXPECT_EQ(house.type({"chat", "Summarise:", "-"}), 0);
    EXPECT_EQ(house.type({"chat", "just this"}), 0);  // the pipe may never end: it isn't read
    auto const chats = chats_of(house);
    EXPECT_TRUE(has(chats.at(0), R"("content":"some text")")) << chats.at(0);
    EXPECT_TRUE(has(chats.at(1), R"("content":"Summarise: \n\nsome text")")) << chats.at(1);
    EXPECT_TRUE(has(chats.at(2), R"("content":"just this")")) << chats.at(2);
    house.terminal.piped = "  \n";
    EXPECT_EQ(house.type({"chat"}), 1);
    EXPECT_EQ(house.type({"chat", "--slot", "a", "--model", "b", "x"}), 2);
}

TEST(Chat, RemembersWhatWasSaidUntilToldToForget) {
    TestHouse house;
    house.serve([](Request const&, Connection const& to) { answer_well(to); });
    house.terminal.tty = true;
    house.terminal.typed = {line("one"), line(""), line("two"), line("/new"), line("three")};
    EXPECT_EQ(house.type({"chat"}), 0);
    auto const chats = chats_of(house);
    ASSERT_EQ(chats.size(), 3U);
    EXPECT_TRUE(has(chats[1], R"("messages":[{"role":"user","content":"one"},)"
                              R"({"role":"assistant","content":"Hello."},{"role":"user","content":"two"}])"))
        << chats[1];
    EXPECT_TRUE(has(chats[2], R"("messages":[{"role":"user","content":"three"}])")) << chats[2];
    EXPECT_TRUE(has(house.terminal.complained, "7 tokens")) << house.terminal.complained;
    EXPECT_TRUE(has(house.terminal.complained, "the first after 0."));
}

TEST(Chat, TakesAQuestionOfSeveralLines) {
    TestHouse house;
    house.serve([](Request const&, Connection const& to) { answer_well(to); });
    house.terminal.tty = true;
    house.terminal.typed = {
        line("\"\"\""), line("Summarise:"), line(""),         line("  a"),
        line("\"\"\""), line("\"\"\""),     line("given up"), {os::Typed::Kind::Interrupted, ""},
        line("b")};
    EXPECT_EQ(house.type({"chat"}), 0);
    auto const chats = chats_of(house);
    ASSERT_EQ(chats.size(), 2U);
    EXPECT_TRUE(has(chats[0], R"("content":"Summarise:\n\n  a")")) << chats[0];
    EXPECT_TRUE(has(chats[1], R"("content":"b")")) << chats[1];
}

TEST(Chat, WhatTheTerminalCutIsNotAsked) {
    TestHouse house;
    house.serve([](Request const&, Connection const& to) { answer_well(to); });
    house.terminal.tty = true;
    std::string const all_that_comes(4095, 'x');
    house.terminal.typed = {line(all_that_comes), line("\"\"\""), line(all_that_comes), line("tail"),
                            line("\"\"\"")};
    EXPECT_EQ(house.type({"chat"}), 0);
    EXPECT_TRUE(chats_of(house).empty());
    EXPECT_TRUE(has(house.terminal.complained, "cut a line of that at 4095 bytes"))
        << house.terminal.complained;
}

TEST(Chat, AConversationThatIsTooLongSaysHowToGoOn) {
    TestHouse house;
    std::atomic<int> asked{0};
    house.serve([&](Request const& request, Connection const& to) {
        if (request.line == "GET /health") return to.answer(200, "{}");
        if (asked++ == 1) return answer_well(to);
        to.answer(400, R"({"error":{"code":400,"message":"the request exceeds the available context size",)"
                       R"("type":"exceed_context_size_error"}})");
    });
    house.terminal.tty = true;
    house.terminal.typed = {line("a long first one"), line("one"), line("two")};
    EXPECT_EQ(house.type({"chat"}), 0);
    auto const& told = house.terminal.complained;
    constexpr std::string_view hint = "/new begins another";
    EXPECT_EQ(told.find(hint), told.rfind(hint)) << "it can't help the first question: " << told;
    EXPECT_TRUE(has(told,
                    "the request exceeds the available context size; the conversation has become too long "
                    "for this model: /new begins another\n"))
        << told;
}

TEST(Chat, CtrlCStopsTheAnswerNotTheProgram) {
    TestHouse house;
    house.serve([](Request const& request, Connection const& to) {
        if (has(request.body, "again") || has(request.head, "/health")) return answer_well(to);
        to.begin_events();
        to.event(piece("Once upon"));
        to.until_closed();  // the client has to leave
    });
    house.terminal.tty = true;
    house.terminal.typed = {line("a story"), {os::Typed::Kind::Interrupted, ""}, line("again")};
    house.terminal.on_output = [&] {
        if (!has(house.terminal.said, "Once upon")) return;
        house.terminal.on_output = {};
        ASSERT_EQ(::raise(SIGINT), 0);
    };
    EXPECT_EQ(house.type({"chat"}), 0);
    EXPECT_TRUE(has(house.terminal.complained, "stopped after 1 token")) << house.terminal.complained;
    EXPECT_TRUE(has(chats_of(house).at(1), R"({"role":"assistant","content":"Once upon"})"));
    EXPECT_TRUE(has(house.terminal.said, "Hello."));
}

TEST(Chat, SaysWhyThereIsNoAnswer) {
    TestHouse house;
    house.serve([](Request const&, Connection const& to) {
        to.answer(404, wire::openai_error_body({Errc::NotFound, "there is no model 'x'; there is primary"}));
    });
    EXPECT_EQ(house.type({"chat", "--model", "x", "hi"}), 1);
    EXPECT_EQ(house.terminal.complained, "hal0: there is no model 'x'; there is primary\n");
    house.daemon.reset();
    house.serve([](Request const&, Connection const& to) {
        to.begin_events();
        to.event(piece("Well"));
        to.event(R"({"error":{"message":"the worker ended","type":"server_error"}})");
    });
    EXPECT_EQ(house.type({"chat", "hi"}), 1);
    EXPECT_EQ(house.terminal.said, "Well\n");
    EXPECT_EQ(house.terminal.complained, "hal0: the answer broke off: the worker ended\n");
    house.daemon.reset();
    EXPECT_EQ(house.type({"chat", "hi"}), 1);
    EXPECT_TRUE(has(house.terminal.complained, "no hal0 daemon is running"));
}

TEST(Chat, ThoughtsAreForPeople) {
    EXPECT_EQ(read_delta(R"({"choices":[{"delta":{"reasoning_content":"Hm"}}]})"),
              (Delta{.reasoning = "Hm"}));
    EXPECT_EQ(read_delta("[DONE]"), Delta{});
    for (bool const tty : {false, true}) {
        TestHouse house;
        house.serve([](Request const&, Connection const& to) {
            to.begin_events();
            to.event(R"({"choices":[{"delta":{"reasoning_content":"Hm"}}]})");
            to.event(piece("Yes"));
        });
        house.terminal.tty = tty;
        EXPECT_EQ(house.type({"chat", "hi"}), 0);
        EXPECT_EQ(house.terminal.said, tty ? "Hm\n\nYes\n" : "Yes\n");
    }
}

TEST(Chat, MeasuresWhatAPersonWaitedFor) {
    EXPECT_EQ(measures_of({.tokens = 84, .first = 210ms, .writing = 2s}),
              "84 tokens, 41.5 tok/s, the first after 0.21 s");
    EXPECT_EQ(measures_of({.stopped = true}), "stopped");
    EXPECT_EQ(measures_of({.tokens = 1, .first = 1s}), "1 token, the first after 1.00 s");
}

}  // namespace
}  // namespace hal0::cli
