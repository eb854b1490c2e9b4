#include "jobs/jobs.hpp"

#include <gtest/gtest.h>

#include "os/child.hpp"
#include "os/test_dir.hpp"

namespace hal0::jobs {
namespace {

using namespace std::chrono_literals;

// A Jobs whose processes are a shell script; $1 is the kind, $2 the subject.
class JobsTest : public testing::Test {
  protected:
    void use(std::string const& script, Duration tell_every = 0ms, Duration patience = 1h) {
        jobs = std::make_unique<Jobs>(*loop,
                                      Jobs::Settings{.command = {"/bin/sh", "-c", script, "job"},
                                                     .logs = dir / "logs",
                                                     .tell_every = tell_every,
                                                     .patience = patience},
                                      [this](Job const& job) {
                                          told.push_back(job);
                                          if (on_change) on_change(job);
                                      });
    }
    // Turns the loop until the job is over.
    Job end_of(std::string const& id) {
        while (jobs->find(id)->state == State::Running)
            loop->run_once(10s);
        return *jobs->find(id);
    }
    Job run(std::string const& script) {
        use(script);
        return end_of(jobs->start("model.pull", "smol").value().id);
    }

    os::TestDir dir;
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::vector<Job> told;
    std::function<void(Job const&)> on_change;
    std::unique_ptr<Jobs> jobs;
};

constexpr auto succeeds = R"(echo '{"result":{"message":"all there"}}')";

TEST_F(JobsTest, AJobIsFollowedToItsEnd) {
    auto const job = run(R"(
        echo '{"step":"downloading '$1' '$2'","done":5,"total":10,"unit":"bytes"}'
        echo '{"note":"A did not answer; trying B"}'
        echo 'Requirement already satisfied'
        echo 'what its programs say' >&2
        echo '{"result":{"message":"all there"}}')");
    EXPECT_EQ(job.state, State::Done);
    EXPECT_EQ(job.message, "all there");
    EXPECT_EQ(job.progress, (Progress{"downloading model.pull smol", 5, 10}));
    EXPECT_EQ(job.notes, (std::deque<std::string>{"A did not answer; trying B"}));
    EXPECT_TRUE(job.ended.has_value());
    EXPECT_EQ(job.log, dir / "logs/jobs-model.pull-smol.log");
    EXPECT_EQ(os::read_file(job.log, 1_KiB).value(), "what its programs say\n");
    ASSERT_GE(told.size(), 2u);
    EXPECT_EQ(told.front().state, State::Running);
    EXPECT_EQ(told.back().state, State::Done);
}

TEST_F(JobsTest, AFailureComesWithItsKindAndWords) {
    auto const job = run(R"(echo '{"error":{"code":"no_space","message":"the disk is full"}}'; exit 1)");
    EXPECT_EQ(job.state, State::Failed);
    EXPECT_EQ(job.error->kind, Errc::NoSpace);
    EXPECT_EQ(job.message, "the disk is full");
}

TEST_F(JobsTest, OneThatDiesWithoutAWordIsExplainedByItsLog) {
    auto const job = run("echo one >&2; echo cannot go on >&2; kill -9 $$");
    EXPECT_EQ(job.state, State::Failed);
    EXPECT_EQ(job.message,
              "it ended without a result (killed by SIGKILL (9); its last words: cannot go on); its log is " +
                  job.log);
}

TEST_F(JobsTest, AskingAgainJoinsTheOneThatRuns) {
    use("read line < $2; " + std::string{succeeds});  // runs until somebody writes to the fifo
    auto const fifo = dir / "fifo";
    ASSERT_TRUE(os::run_to_end({.argv = {"mkfifo", fifo}}).ok());
    auto const first = jobs->start("model.pull", fifo).value();
    EXPECT_EQ(jobs->start("model.pull", fifo)->id, first.id);
    EXPECT_EQ(jobs->running("model.pull", fifo)->id, first.id);
    ASSERT_TRUE(os::run_to_end({.argv = {"/bin/sh", "-c", "echo go > " + fifo}}).ok());
    EXPECT_EQ(end_of(first.id).state, State::Done);
    EXPECT_EQ(jobs->running("model.pull", fifo), nullptr);
    auto const second = jobs->start("model.pull", fifo).value();
    EXPECT_NE(second.id, first.id);
    EXPECT_EQ(jobs->list().front().id, second.id);
}

TEST_F(JobsTest, CancellingStopsTheWholeGroup) {
    use("sleep 1000 & echo '{\"note\":\"'$!'\"}'; wait; echo never");
    auto const id = jobs->start("engine.install", "llama.cpp")->id;
    while (jobs->find(id)->notes.empty())
        loop->run_once(10s);
    auto const grandchild = std::stoi(jobs->find(id)->notes.front());
    EXPECT_TRUE(jobs->cancel(id).ok());
    EXPECT_EQ(end_of(id).state, State::Cancelled);
    auto const gone = os::Process::adopt(*loop, grandchild, [this](os::ExitStatus) { loop->stop(); });
    if (gone.ok()) loop->run();
    EXPECT_EQ(jobs->cancel(id).error().kind, Errc::Conflict);
    EXPECT_EQ(jobs->cancel("nobody").error().kind, Errc::NotFound);
}

TEST_F(JobsTest, OneThatWillNotStopIsKilled) {
    use("trap '' TERM; echo '{\"note\":\"deaf\"}'; while :; do sleep 1000; done", 0ms, 1ms);
    auto const id = jobs->start("engine.install", "llama.cpp")->id;
    while (jobs->find(id)->notes.empty())
        loop->run_once(10s);
    EXPECT_TRUE(jobs->cancel(id).ok());
    EXPECT_EQ(end_of(id).state, State::Cancelled);
}

TEST_F(JobsTest, ManyLinesAreToldSeldomAndTheEndAlways) {
    use("for i in 1 2 3 4 5 6 7 8 9; do echo "
        "'{\"step\":\"s\",\"done\":'$i',\"total\":9,\"unit\":\"steps\"}'; "
        "done; " +
            std::string{succeeds},
        1h);
    auto const job = end_of(jobs->start("engine.install", "llama.cpp")->id);
    EXPECT_EQ(job.progress.done, 9);
    EXPECT_EQ(told.size(), 3u);  // begun, the first progress, the end
    EXPECT_EQ(told.back().state, State::Done);
    EXPECT_EQ(told.back().progress.done, 9);
}

TEST_F(JobsTest, OldOnesAreForgotten) {
    use(succeeds);
    std::string const first = jobs->start("k", "first")->id;
    end_of(first);
    for (std::size_t i = 1; i < jobs_kept_max; ++i)
        end_of(jobs->start("k", std::to_string(i))->id);
    EXPECT_NE(jobs->find(first), nullptr);
    end_of(jobs->start("k", "last")->id);
    EXPECT_EQ(jobs->find(first), nullptr);
    EXPECT_EQ(jobs->list().size(), jobs_kept_max);
}

TEST_F(JobsTest, TooManyAtOnceAreRefused) {
    use("sleep 1000");
    for (std::size_t i = 0; i < jobs_running_max; ++i)
        EXPECT_TRUE(jobs->start("k", std::to_string(i)).ok());
    EXPECT_EQ(jobs->start("k", "one more").error().kind, Errc::Busy);
}

TEST_F(JobsTest, AProgramThatIsNotThereIsSaidAtOnce) {
    Jobs none{*loop, {.command = {"/nowhere/hal0"}, .logs = dir / "logs"}, [](Job const&) {}};
    auto const job = none.start("model.pull", "smol");
    ASSERT_FALSE(job.ok());
    EXPECT_NE(job.error().message.find("/nowhere/hal0"), std::string::npos);
    EXPECT_TRUE(none.list().empty());
}

// A listener may start the next job from within the end of one.
TEST_F(JobsTest, AListenerMayStartAnother) {
    use(succeeds);
    std::string second;
    on_change = [&](Job const& job) {
        if (job.state == State::Done && second.empty()) second = jobs->start("k", "b")->id;
    };
    auto const first = jobs->start("k", "a")->id;
    end_of(first);
    EXPECT_EQ(end_of(second).state, State::Done);
}

}  // namespace
}  // namespace hal0::jobs
