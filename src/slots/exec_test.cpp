#include "slots/exec.hpp"

#include <gtest/gtest.h>

#include "os/child.hpp"
#include "os/lock_file.hpp"
#include "slots/test_house.hpp"

namespace hal0::slots {
namespace {

// What `slot exec` comes to, without a daemon.
os::Finished exec(std::string const& slot) {
    auto const self = std::filesystem::read_symlink("/proc/self/exe").string();
    return os::run_to_end({.argv = {self, "slot", "exec", slot}}).value();
}

void put_spec(House const& house, std::string const& slot, std::vector<std::string> argv) {
    auto const run = run_dir(house.places, slot);
    ASSERT_TRUE(os::make_directories(run.directory, 0700));
    engines::WorkerSpec const spec{.argv = std::move(argv), .socket = run.socket, .key_file = run.key};
    ASSERT_TRUE(os::atomic_write(run.spec, engines::encode(spec), 0600));
}

TEST(SlotExec, BecomesTheWorkerAndTheLockNamesItsPid) {
    House house;
    auto const lock = run_dir(house.places, "a").lock;
    auto const said = house.dir / "said";
    put_spec(house, "a",
             {"/bin/sh", "-c", "echo \"$$ $1\" > \"$2\"; exec sleep 1000", "sh", "two  words", said});
    auto const self = std::filesystem::read_symlink("/proc/self/exe").string();
    os::Command const command{.argv = {self, "slot", "exec", "a"}, .session = os::Session::Own};
    auto process = os::Process::spawn(*house.loop, command, [](auto) {}).value();
    auto const words = format("{} two  words\n", process->pid());  // no shell took the arguments apart
    ASSERT_TRUE(house.until([&] { return os::read_file(said, 1_KiB).value_or("") == words; }));
    EXPECT_EQ(os::LockFile::holder(lock).value(), process->pid());
}

TEST(SlotExec, RefusesASecondWorkerOfASlot) {
    House house;
    put_spec(house, "a", {"/bin/true"});
    auto const lock = os::LockFile::acquire(run_dir(house.places, "a").lock).value();
    auto const second = exec("a");
    EXPECT_EQ(second.status.code, static_cast<int>(ExecFault::LockHeld));
    EXPECT_NE(second.output.find(format("held by process {}", ::getpid())), std::string::npos)
        << second.output;
}

TEST(SlotExec, SaysWhatIsWrong) {
    House house;
    EXPECT_EQ(exec("../x").status.code, static_cast<int>(ExecFault::BadName));
    ASSERT_TRUE(os::make_directories(run_dir(house.places, "a").directory));
    EXPECT_EQ(exec("a").status.code, static_cast<int>(ExecFault::BadSpec));
    put_spec(house, "a", {"/nowhere/llama-server"});
    auto const missing = exec("a");
    EXPECT_EQ(missing.status.code, static_cast<int>(ExecFault::CannotRun));
    EXPECT_NE(missing.output.find("/nowhere/llama-server: No such file"), std::string::npos)
        << missing.output;
}

TEST(SlotExec, AsAUnitItFindsItsHomeAndWritesToItsLog) {
    House house;
    auto const run = run_dir(house.places, "a");
    auto const self = std::filesystem::read_symlink("/proc/self/exe").string();
    auto const unit = unit_name({"a", house.places.runtime}).value();
    auto const from = unit.find('@') + 1;
    auto const instance = unit.substr(from, unit.rfind(".service") - from);
    os::Command const command{.argv = {self, "slot", "exec", "--unit", instance},
                              .environment = std::vector<std::string>{"PATH=/usr/bin:/bin"}};
    EXPECT_EQ(os::run_to_end(command)->status.code, static_cast<int>(ExecFault::BadSpec))
        << "asked by nobody";
    put_spec(house, "a", {"/bin/sh", "-c", "echo said; echo wrong >&2"});
    ASSERT_TRUE(os::make_directories(os::directory_of(run.log)));
    ASSERT_TRUE(os::put_symlink(run.log, run.log_link));
    auto const ran = os::run_to_end(command).value();
    EXPECT_TRUE(ran.status.clean()) << ran.output;
    EXPECT_EQ(ran.output, "slot 'a' writes to its log: 'hal0 slot logs a'\n");
    auto const log = os::read_file(run.log, 1_MiB).value();
    EXPECT_TRUE(log.ends_with("said\nwrong\n")) << log;
    auto const bad = os::run_to_end({.argv = {self, "slot", "exec", "--unit", "../x"}}).value();
    EXPECT_EQ(bad.status.code, static_cast<int>(ExecFault::BadName));
}

// llama-server refuses to start on a socket file that is there; one is left whenever it is killed.
TEST(SlotExec, RemovesTheSocketItsLastWorkerLeft) {
    House house;
    put_spec(house, "a", {"/bin/true"});
    auto const socket = run_dir(house.places, "a").socket;
    ASSERT_TRUE(os::atomic_write(socket, ""));
    EXPECT_TRUE(exec("a").status.clean());
    EXPECT_FALSE(os::exists(socket));
}

}  // namespace
}  // namespace hal0::slots

// This program is also the `hal0` that starts the workers of its tests: `PROGRAM slot exec [--unit] NAME`.
int main(int argc, char** argv) {
    std::vector<std::string> const words{argv + 1, argv + argc};
    if (words.size() == 4 && words[0] == "slot" && words[1] == "exec" && words[2] == "--unit")
        return static_cast<int>(hal0::slots::exec_unit(words[3]));
    if (words.size() == 3 && words[0] == "slot" && words[1] == "exec")
        return static_cast<int>(hal0::slots::exec_worker(hal0::os::find_places().value(), words[2]));
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
