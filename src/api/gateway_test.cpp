#include "api/gateway.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "api/errors.hpp"
#include "api/fake_records.hpp"
#include "dispatch/dispatcher.hpp"
#include "http/client.hpp"
#include "json/peek.hpp"
#include "os/test_dir.hpp"

namespace hal0::api {
namespace {

class NoSlots final : public dispatch::SlotWaker {
  public:
    Result<void> wake(std::string const& slot) override {
        return Error{Errc::Unavailable, "slot '" + slot + "' is down"}.with("retry_after_s", "17");
    }
    void drained(std::string const&) override {}
};

// Loads that take a while: nothing is said of them.
class SlowSlots final : public dispatch::SlotWaker {
  public:
    Result<void> wake(std::string const&) override { return {}; }
    void drained(std::string const&) override {}
};

class CountingAdmin final : public AdminPort {
  public:
    void request(AdminRequest request) override { requests.push_back(std::move(request)); }
    void gone(dispatch::Ticket) override {}
    std::vector<AdminRequest> requests{};
};

// A worker that takes connections and closes them unheard.
class Slammer final : public os::FdHandler, NoCopy {
  public:
    Slammer(os::Loop& loop, std::string const& path)
        : loop_{loop}, listener_{os::listen_on(os::UnixAddress{path}).value()} {
        EXPECT_TRUE(loop_.watch(listener_.get(), os::Ready::Read, os::Trigger::Level, *this).ok());
    }
    ~Slammer() { loop_.unwatch(listener_.get(), *this); }

  private:
    void on_ready(os::Ready) override { (void)os::accept_one(listener_.get()); }
    os::Loop& loop_;
    os::UniqueFd listener_;
};

// A gateway with a key, between real clients, a real dispatcher and workers that fail.
struct GatewayTest : testing::Test {
    os::TestDir dir;
    std::unique_ptr<os::Loop> loop = os::Loop::make().value();
    std::unique_ptr<os::Inbox> inbox = os::Inbox::make(*loop).value();
    NoSlots slots;
    CountingAdmin admin;
    RecordingPort port;
    dispatch::Dispatcher dispatcher{*loop, *inbox, slots, {.queue = {}, .wait_max = std::chrono::minutes{1}}};
    os::Pool pool{1};
    Gateway gateway{{.number = 0,
                     .loop = *loop,
                     .inbox = *inbox,
                     .pool = pool,
                     .control = dispatcher,
                     .admin = admin,
                     .records = port},
                    {.allowed_hosts = {}, .key = Secret{"s3cret"}}};
    os::UniqueFd listener{os::listen_on(os::InetAddress{"127.0.0.1", 0}).value()};
    std::unique_ptr<http::Server> server;

    void SetUp() override {
        server = http::Server::make(*loop, {listener.get()}, gateway, http::ServerLimits{.body_max = 4_MiB})
                     .value();
        gateway.attach(*server);
        dispatcher.add_loop(gateway);
        dispatcher.upsert({.slot = "embed", .model = "m", .kind = models::Kind::Embed});
    }

    http::ClientAnswer ask(http::Method method, std::string target, std::string body = {},
                           std::vector<http::Field> headers = {{"authorization", "Bearer s3cret"}}) const {
        std::optional<Result<http::ClientAnswer>> answer;
        auto const call = http::Call::start(*loop,
                                            {.peer = os::bound_address(listener.get()).value(),
                                             .method = method,
                                             .target = std::move(target),
                                             .headers = std::move(headers),
                                             .body = std::move(body)},
                                            [&answer](auto result) { answer = std::move(result); });
        while (!answer)
            loop->run_once(Duration::max());
        return answer->ok() ? answer->value() : http::ClientAnswer{.body = answer->error().message};
    }
    http::ClientAnswer post(std::string target, std::string body) const {
        return ask(http::Method::Post, std::move(target), std::move(body));
    }
    http::ClientAnswer get(std::string target) const { return ask(http::Method::Get, std::move(target)); }
};

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST_F(GatewayTest, ALongModelNameIsRefusedAndNotSentBack) {
    auto const named = [this](std::size_t bytes) {
        return post("/v1/embeddings", R"({"model":")" + std::string(bytes, 'a') + R"("})");
    };
    for (std::size_t const bytes : {json::model_bytes_max + 1, std::size_t{1} << 20}) {
        auto const answer = named(bytes);
        EXPECT_EQ(answer.status, 400);
        EXPECT_TRUE(holds(answer.body, R"("param":"model")")) << answer.body;
    }
    auto const unknown = named(json::model_bytes_max);
    EXPECT_EQ(unknown.status, 404);
    EXPECT_TRUE(holds(unknown.body, std::string(100, 'a') + "…'")) << unknown.body;
}

TEST_F(GatewayTest, OptionsUnderApiIsAnsweredHereWithoutTheKey) {
    auto const answer = ask(http::Method::Options, "/api/slots", std::string(2 << 20, ' '), {});
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(ask(http::Method::Options, "/api/nothing", "", {}).status, 404);
    EXPECT_EQ(ask(http::Method::Post, "/api/slots", "{}", {}).status, 401);
    EXPECT_TRUE(admin.requests.empty());
}

TEST_F(GatewayTest, BodiesUnderApiAreSmall) {
    auto const answer = post("/api/slots", std::string(2 << 20, ' '));
    EXPECT_EQ(answer.status, 413);
    EXPECT_TRUE(holds(answer.body, "1.0 MiB")) << answer.body;
    EXPECT_FALSE(holds(answer.body, "limits.body_max")) << "no setting changes this limit";
    EXPECT_TRUE(admin.requests.empty());
    EXPECT_TRUE(holds(post("/v1/embeddings", std::string(5 << 20, ' ')).body, "limits.body_max"));
}

TEST_F(GatewayTest, AnAllowedPageMaySendWhatItAsksFor) {
    auto const asking = [this](std::string origin) {
        return ask(http::Method::Options, "/v1/chat/completions", "",
                   {{"origin", std::move(origin)},
                    {"access-control-request-method", "POST"},
                    {"access-control-request-headers", "authorization,x-stainless-os"}});
    };
    auto const allowed = asking("http://localhost:3000");
    EXPECT_EQ(allowed.status, 204);
    EXPECT_EQ(allowed.header("access-control-allow-origin"), "http://localhost:3000");
    EXPECT_EQ(allowed.header("access-control-allow-headers"), "authorization,x-stainless-os");
    EXPECT_EQ(asking("https://evil.example").status, 403);
    EXPECT_EQ(asking("https://evil.example").header("access-control-allow-headers"), "");
}

TEST_F(GatewayTest, TheListOfModelsAndEachOfThemAgreeOnWhatIsReady) {
    auto const ready = [this](std::string target) {
        return holds(get(std::move(target)).body, R"("ready":true)");
    };
    auto const expect = [&ready](bool wanted) {
        EXPECT_EQ(ready("/v1/models"), wanted);
        EXPECT_EQ(ready("/v1/models/embed"), wanted);
    };
    expect(false);
    dispatcher.open("embed", os::UnixAddress{dir / "worker"}, "key");
    expect(true);
    dispatcher.close("embed");
    expect(false);
}

TEST_F(GatewayTest, ASlotThatIsTriedAgainByItselfSaysWhen) {
    auto const answer = post("/v1/embeddings", R"({"input":"a"})");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("retry-after"), "17");
}

TEST_F(GatewayTest, AGateThatOpensBeforeTheTableSaysWhereToLetsNobodyIn) {
    dispatch::SlotGate gate{[] {}};
    gate.open();
    dispatch::RouteTable const old{{{.slot = "early", .kind = models::Kind::Chat, .gate = &gate}}};
    gateway.publish(old, 1000);
    auto const answer = post("/v1/completions", R"({"model":"early"})");
    EXPECT_EQ(answer.status, 404) << "the dispatcher is asked, which knows no such slot: " << answer.body;
    EXPECT_EQ(gate.in_flight(), 0U);
}

TEST_F(GatewayTest, ARankingIsToldOfItsWorkerAsTheRelayTells) {
    auto const error = [this](std::string_view path) {
        auto answer = post(std::string{path}, R"({"query":"q","documents":["d"],"input":"d"})");
        EXPECT_EQ(answer.status, 502);
        return answer.body;
    };
    dispatcher.open("embed", os::UnixAddress{dir / "worker"}, "key");
    auto const unreachable = error("/v1/rerank");
    EXPECT_TRUE(holds(unreachable, R"("code":"worker_unreachable")")) << unreachable;
    EXPECT_EQ(unreachable, error("/v1/embeddings"));
    Slammer const worker{*loop, dir / "worker"};
    auto const died = error("/v1/rerank");
    EXPECT_TRUE(holds(died, R"("code":"worker_died")")) << died;
    EXPECT_EQ(died, error("/v1/embeddings"));
    EXPECT_EQ(dispatcher.in_flight("embed"), 0U);
}

TEST_F(GatewayTest, WhatFailsBeforeItIsAskedIsToldAsItTells) {
    std::vector<http::Field> const page{
        {"authorization", "Bearer s3cret"}, {"origin", "http://localhost:3000"}, {"x-request-id", "mine"}};
    std::string const large(5 << 20, ' ');
    dispatcher.open("embed", os::UnixAddress{dir / "nobody"}, "key");
    auto const refused = ask(http::Method::Post, "/v1/embeddings", large, page);
    auto const unreachable = ask(http::Method::Post, "/v1/embeddings", R"({"input":"a"})", page);
    auto const of_admin = ask(http::Method::Post, "/api/slots", large, page);
    EXPECT_EQ(refused.status, 413);
    EXPECT_EQ(unreachable.status, 502);
    EXPECT_EQ(of_admin.status, 413);
    for (auto const* answer : {&refused, &unreachable, &of_admin}) {
        EXPECT_EQ(answer->header("x-request-id"), "mine");
        EXPECT_EQ(answer->header("access-control-allow-origin"), "http://localhost:3000");
    }
    EXPECT_TRUE(holds(refused.body, R"("type":"invalid_request_error","param":null,"code":"too_large"}})"));
    EXPECT_TRUE(holds(of_admin.body, R"({"error":{"code":"too_large","message":)")) << of_admin.body;
}

TEST(Errors, WhatIsFullSaysWhenToComeAgain) {
    auto const answer = failure_response("/v1/embeddings", {503, "busy", "full"});
    EXPECT_EQ(answer.status, 503);
    ASSERT_EQ(answer.headers.size(), 1U);
    EXPECT_EQ(answer.headers[0].name, "retry-after");
    EXPECT_EQ(failure_response("/v1/embeddings", {408, "timeout", "slow"}).status, 408);
}

TEST(Errors, ACutIsToldAsEachKindOfClientLooksForIt) {
    http::OwnError const died{502, "worker_died", "it \"died\""};
    EXPECT_EQ(cut_event(StreamErrors::OpenAi, died),
              "data: {\"error\":{\"message\":\"it \\\"died\\\"\",\"type\":\"server_error\",\"param\":null,"
              "\"code\":\"worker_died\"}}\n\n");
    EXPECT_EQ(cut_event(StreamErrors::Anthropic, died),
              "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\","
              "\"message\":\"it \\\"died\\\"\"}}\n\n");
}

// As GatewayTest, with slots that take their time, and one of them asked for a stream.
struct WaitingTest : GatewayTest {
    SlowSlots slow;
    dispatch::Dispatcher waits{*loop, *inbox, slow, {.queue = {}, .wait_max = std::chrono::minutes{1}}};
    Gateway patient{{.number = 0,
                     .loop = *loop,
                     .inbox = *inbox,
                     .pool = pool,
                     .control = waits,
                     .admin = admin,
                     .records = port,
                     .heartbeat = std::chrono::milliseconds{20}},
                    {}};
    os::UniqueFd place{os::listen_on(os::InetAddress{"127.0.0.1", 0}).value()};
    std::unique_ptr<http::Server> there;
    std::string text{};  // of the answer's body
    std::optional<Result<http::ClientAnswer>> over{};

    void SetUp() override {
        GatewayTest::SetUp();
        there = http::Server::make(*loop, {place.get()}, patient, {}).value();
        patient.attach(*there);
        waits.add_loop(patient);
        waits.upsert({.slot = "primary", .model = "c", .kind = models::Kind::Chat});
    }
    std::unique_ptr<http::Call> begin(std::string body, std::string target = "/v1/chat/completions") {
        return http::Call::start(
            *loop,
            {.peer = os::bound_address(place.get()).value(),
             .method = http::Method::Post,
             .target = std::move(target),
             .body = std::move(body)},
            [this](auto result) { over = std::move(result); },
            [this](std::string_view piece) { text += piece; });
    }
    void run_until(std::function<bool()> const& done) const {
        auto const give_up = Clock::now() + std::chrono::seconds{20};
        while (!done() && Clock::now() < give_up)
            loop->run_once(std::chrono::milliseconds{50});
        EXPECT_TRUE(done());
    }
};

TEST_F(WaitingTest, AClientOfAStreamHearsThatItsSlotIsComing) {
    auto const call = begin(R"({"stream":true})");
    run_until([this] { return std::count(text.begin(), text.end(), ':') >= 4; });
    EXPECT_TRUE(text.starts_with(": slot 'primary' is coming up: 0 s so far\n\n: slot")) << text;
    waits.failed("primary", {Errc::Unavailable, "it did not come up"});
    run_until([this] { return over.has_value(); });
    EXPECT_EQ(over->value().status, 200);
    EXPECT_TRUE(holds(text, "\ndata: {\"error\":{\"message\":\"it did not come up\"")) << text;
    auto const refused = static_cast<std::size_t>(dispatch::Outcome::Refused);
    EXPECT_EQ(waits.tally("primary").requests.at(refused), 1U);
    EXPECT_EQ(waits.tally("primary").total.count, 0U) << "no worker had it";
}

TEST_F(WaitingTest, AnthropicsClientsHearItAsTheyDoOfErrors) {
    auto const call = begin(R"({"stream":true})", "/v1/messages");
    run_until([this] { return !text.empty(); });
    waits.failed("primary", {Errc::Unavailable, "it did not come up"});
    run_until([this] { return over.has_value(); });
    EXPECT_TRUE(holds(text, "\nevent: error\ndata: {\"type\":\"error\"")) << text;
}

TEST_F(WaitingTest, OneThatLeavesIsCounted) {
    auto call = begin(R"({"stream":true})");
    run_until([this] { return !text.empty(); });
    call.reset();
    auto const gone = static_cast<std::size_t>(dispatch::Outcome::ClientGone);
    run_until([&] { return waits.tally("primary").requests.at(gone) == 1; });
    run_until([&] { return waits.waiting("primary") == 0; });
}

TEST_F(WaitingTest, WhoAsksForNoStreamIsToldByAStatus) {
    auto const call = begin(R"({"stream":false})");
    auto const until = Clock::now() + std::chrono::milliseconds{100};
    while (Clock::now() < until)
        loop->run_once(std::chrono::milliseconds{10});
    waits.failed("primary", {Errc::Unavailable, "it did not come up"});
    run_until([this] { return over.has_value(); });
    EXPECT_EQ(over->value().status, 503);
}

}  // namespace
}  // namespace hal0::api
