#pragma once
// The admin API as the tests ask it: a house with nothing behind it, and a recorder in the data loops' place.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/admin.hpp"
#include "api/fake_house.hpp"
#include "os/test_dir.hpp"
#include "wire/status.hpp"

namespace hal0::api {

// What a data loop would have sent to its clients, by ticket.
class Recorder final : public AnswerPort {
  public:
    struct Answer {
        std::optional<http::Response> head{};
        std::string streamed{};  // after the head's own body
        bool streaming{false};
        bool finished{false};
    };
    std::map<dispatch::Ticket, Answer> answers{};

    void respond(dispatch::Ticket ticket, http::Response response) override {
        EXPECT_FALSE(answers[ticket].head.has_value()) << "answered twice";
        answers[ticket].head = std::move(response);
        answers[ticket].finished = true;
    }
    void begin_stream(dispatch::Ticket ticket, http::Response head_and_first) override {
        answers[ticket].head = std::move(head_and_first);
        answers[ticket].streaming = true;
    }
    void write(dispatch::Ticket ticket, std::string bytes) override {
        EXPECT_TRUE(answers[ticket].streaming);
        answers[ticket].streamed += bytes;
    }
    void finish(dispatch::Ticket ticket) override {
        answers[ticket].streaming = false;
        answers[ticket].finished = true;
    }
};

class AdminTest : public testing::Test {
  protected:
    AdminTest() {
        admin.add_loop(port);
        house.all_slots.resize(2);
        house.all_slots[0].name = "embed";
        house.all_slots[1].name = "primary";
        house.log = dir / "primary.log";
    }
    dispatch::Ticket send(http::Method method, std::string const& target, std::string body = "",
                          std::string last_event_id = "") {
        auto const mark = std::min(target.find('?'), target.size());
        dispatch::Ticket const ticket{.loop = 0, .connection = 1, .generation = ++generation};
        admin.request({.ticket = ticket,
                       .method = method,
                       .method_text = std::string{http::method_name(method)},
                       .path = target.substr(0, mark),
                       .query = target.substr(std::min(mark + 1, target.size())),
                       .body = std::move(body),
                       .last_event_id = std::move(last_event_id),
                       .over_unix_socket = over_unix_socket});
        loop->run_once(Duration::zero());
        return ticket;
    }
    http::Response ask(http::Method method, std::string const& target, std::string body = "") {
        auto const& head = port.answers[send(method, target, std::move(body))].head;
        EXPECT_TRUE(head.has_value()) << target << " was not answered";
        return head.value_or(http::Response{});
    }
    http::Response get(std::string const& target) { return ask(http::Method::Get, target); }
    Error error_of(http::Response const& response) {
        EXPECT_GE(response.status, 400);
        return wire::decode_error(response.status, response.body);
    }
    void until(std::function<bool()> const& true_now) {
        while (!true_now())
            loop->run_once(std::chrono::seconds{10});
    }

    bool over_unix_socket{false};
    os::TestDir dir;
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<os::Inbox> inbox{os::Inbox::make(*loop).value()};
    FakeHouse house;
    history::EventStream events{100, 8};
    os::Pool pool{1};
    std::vector<std::string> told;
    history::History past{{.loop = *loop,
                           .inbox = *inbox,
                           .pool = pool,
                           .tell = [this](std::string const& line) { told.push_back(line); },
                           .flush_pause = std::chrono::milliseconds{1}},
                          {.path = dir / "hal0.db", .epoch = 100, .kept_for = std::chrono::hours{24}}};
    jobs::Jobs jobs{*loop,
                    {.command = {"/bin/sh", "-c", "read line < $2", "job"}, .logs = dir / "logs"},
                    [](jobs::Job const&) {}};
    Recorder port;
    std::uint32_t generation{0};
    Admin admin{{*loop, *inbox, house, jobs, events, past, std::chrono::milliseconds{1}}};
    // Before anything that its work uses goes.
    ~AdminTest() override { pool.close(); }
};

}  // namespace hal0::api
