// What the gateway tells of requests that ended, between a real client and a worker that says what it is
// told.
#include <gtest/gtest.h>

#include <optional>

#include "api/fake_records.hpp"
#include "api/gateway.hpp"
#include "base/format.hpp"
#include "dispatch/dispatcher.hpp"
#include "http/client.hpp"
#include "os/test_dir.hpp"

namespace hal0::api {
namespace {

// Answers each request with the same bytes.
class ParrotWorker final : public os::FdHandler, NoCopy {
  public:
    ParrotWorker(os::Loop& loop, std::string const& path, std::string answer)
        : loop_{loop}, listener_{os::listen_on(os::UnixAddress{path}).value()}, answer_{std::move(answer)} {
        EXPECT_TRUE(loop_.watch(listener_.get(), os::Ready::Read, os::Trigger::Level, *this).ok());
    }
    ~ParrotWorker() { loop_.unwatch(listener_.get(), *this); }

  private:
    struct Guest final : os::FdHandler, NoCopy {
        Guest(os::Loop& on, os::UniqueFd accepted, std::string const& told)
            : loop{on}, fd{std::move(accepted)}, answer{told} {
            EXPECT_TRUE(loop.watch(fd.get(), os::Ready::Read, os::Trigger::Level, *this).ok());
        }
        ~Guest() { loop.unwatch(fd.get(), *this); }
        void on_ready(os::Ready) override {
            std::string buffer(65536, '\0');
            auto const io = os::read_some(fd.get(), buffer.data(), buffer.size());
            if (io.closed) return loop.rewatch(fd.get(), os::Ready::None, os::Trigger::Edge, *this);
            if (io.count == 0) return;
            os::Slice const slice{answer.data(), answer.size()};
            (void)os::write_some(fd.get(), &slice, 1);
        }
        os::Loop& loop;
        os::UniqueFd fd;
        std::string const& answer;
    };
    void on_ready(os::Ready) override {
        auto fd = os::accept_one(listener_.get()).value();
        if (fd.open()) guests_.push_back(std::make_unique<Guest>(loop_, std::move(fd), answer_));
    }
    os::Loop& loop_;
    os::UniqueFd listener_;
    std::string answer_;
    std::vector<std::unique_ptr<Guest>> guests_{};
};

class ColdSlots final : public dispatch::SlotWaker {
  public:
    Result<void> wake(std::string const&) override { return Error{Errc::Unavailable, "it is down"}; }
    void drained(std::string const&) override {}
};

class DeafAdmin final : public AdminPort {
  public:
    void request(AdminRequest) override {}
    void gone(dispatch::Ticket) override {}
};

std::string answer_of(std::string_view body) {
    return format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

struct RecordsTest : testing::Test {
    os::TestDir dir;
    std::unique_ptr<os::Loop> loop = os::Loop::make().value();
    std::unique_ptr<os::Inbox> inbox = os::Inbox::make(*loop).value();
    ColdSlots slots;
    DeafAdmin deaf;
    RecordingPort port;
    dispatch::Dispatcher dispatcher{*loop, *inbox, slots, {.queue = {}, .wait_max = std::chrono::minutes{1}}};
    os::Pool pool{1};
    Gateway gateway{{.number = 0,
                     .loop = *loop,
                     .inbox = *inbox,
                     .pool = pool,
                     .control = dispatcher,
                     .admin = deaf,
                     .records = port},
                    {}};
    os::UniqueFd listener{os::listen_on(os::InetAddress{"127.0.0.1", 0}).value()};
    std::unique_ptr<http::Server> server;

    void SetUp() override {
        server = http::Server::make(*loop, {listener.get()}, gateway, {}).value();
        gateway.attach(*server);
        dispatcher.add_loop(gateway);
        dispatcher.upsert({.slot = "primary", .model = "m", .kind = models::Kind::Chat});
    }
    http::ClientAnswer ask(std::string body, std::vector<http::Field> headers = {}) const {
        std::optional<Result<http::ClientAnswer>> answer;
        auto const call = http::Call::start(*loop,
                                            {.peer = os::bound_address(listener.get()).value(),
                                             .method = http::Method::Post,
                                             .target = "/v1/chat/completions",
                                             .headers = std::move(headers),
                                             .body = std::move(body)},
                                            [&answer](auto result) { answer = std::move(result); });
        while (!answer)
            loop->run_once(Duration::max());
        return answer->value();
    }
    history::RequestRecord last() {
        gateway.hand_over_records();
        EXPECT_FALSE(port.records.empty());
        return port.records.empty() ? history::RequestRecord{} : port.records.back();
    }
};

TEST_F(RecordsTest, ARequestThatIsAnsweredHasItsFiguresAndCountsThem) {
    ParrotWorker const worker{
        *loop, dir / "worker",
        answer_of(
            R"({"choices":[],"timings":{"cache_n":10,"prompt_n":20,"prompt_ms":200.0,"predicted_n":8,"predicted_ms":400.0}})")};
    dispatcher.open("primary", os::UnixAddress{dir / "worker"}, "key");
    auto const answer = ask(R"({"messages":[]})");
    EXPECT_EQ(answer.status, 200);
    auto const record = last();
    EXPECT_EQ(record.id, answer.header("x-request-id"));
    EXPECT_EQ(record.slot, "primary");
    EXPECT_EQ(record.model, "m");
    EXPECT_EQ(record.path, "/v1/chat/completions");
    EXPECT_EQ(record.outcome, "ok");
    EXPECT_EQ(record.status, 200);
    EXPECT_EQ(record.in_flight, 1);
    EXPECT_EQ(record.figures, (history::AnswerFigures{30, 10, 8, 200, 400}));
    EXPECT_TRUE(record.first_byte_s.has_value());
    EXPECT_EQ(dispatcher.tally("primary").work,
              (dispatch::TokenWork{.prompt = 20,
                                   .cached = 10,
                                   .generated = 8,
                                   .prompt_time = std::chrono::milliseconds{200},
                                   .generated_time = std::chrono::milliseconds{400}}));
}

TEST_F(RecordsTest, AnAnswerThatTellsNothingHasNoFigures) {
    ParrotWorker const worker{*loop, dir / "worker", answer_of("{}")};
    dispatcher.open("primary", os::UnixAddress{dir / "worker"}, "key");
    (void)ask("{}");
    EXPECT_EQ(last().figures, history::AnswerFigures{});
    EXPECT_EQ(dispatcher.tally("primary").work, dispatch::TokenWork{});
}

TEST_F(RecordsTest, TheClientsOwnIdIsTheRecords) {
    auto const answer = ask("{}", {{"x-request-id", "mine-7"}});
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("x-request-id"), "mine-7");
    auto const record = last();
    EXPECT_EQ(record.id, "mine-7");
    EXPECT_EQ(record.outcome, "refused");
    EXPECT_EQ(record.status, 503);
}

TEST_F(RecordsTest, AWorkerThatIsNotThereIsRecordedWithWhatItsClientGot) {
    dispatcher.open("primary", os::UnixAddress{dir / "nobody"}, "key");
    auto const answer = ask("{}");
    EXPECT_EQ(answer.status, 502);
    auto const record = last();
    EXPECT_EQ(record.id, answer.header("x-request-id"));
    EXPECT_EQ(record.status, 502);
    EXPECT_EQ(record.outcome, "worker_lost");
    EXPECT_EQ(record.first_byte_s, std::nullopt);
}

TEST_F(RecordsTest, OfAFloodTheRestIsOnlyCounted) {
    ParrotWorker const worker{*loop, dir / "worker", answer_of("{}")};
    dispatcher.open("primary", os::UnixAddress{dir / "worker"}, "key");
    RequestLog log{*loop, port};
    for (std::size_t i = 0; i < RequestLog::records_max + 5; ++i) {
        if (log.takes_one()) log.add({.slot = "a"});
    }
    log.hand_over();
    EXPECT_EQ(port.records.size(), RequestLog::records_max);
    EXPECT_EQ(port.unrecorded, 5U);
    EXPECT_TRUE(log.takes_one());
}

TEST_F(RecordsTest, AreHandedOverByThemselves) {
    (void)ask("{}");
    while (port.records.empty())
        loop->run_once(Duration::max());
    EXPECT_EQ(port.records.size(), 1U);
}

}  // namespace
}  // namespace hal0::api
