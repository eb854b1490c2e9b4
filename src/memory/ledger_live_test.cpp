// This machine, with processes that do what workers do: read a file, share memory, have memory of their own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "base/no_copy.hpp"
#include "hardware/live_machine.hpp"
#include "hardware/probe.hpp"
#include "memory/ledger.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::memory {
namespace {

constexpr std::size_t size = 64U << 20U;

// A child that has done `work` and then waits to be killed.
class Idler final : NoCopy {
  public:
    explicit Idler(std::function<void()> const& work) {
        std::array<int, 2> ready{};
        if (::pipe(ready.data()) != 0) return;
        pid = ::fork();
        if (pid == 0) {
            ::close(ready[0]);
            work();
            (void)!::write(ready[1], "x", 1);
            while (true)
                ::pause();
        }
        ::close(ready[1]);
        char byte = 0;
        done = ::read(ready[0], &byte, 1) == 1;
        ::close(ready[0]);
    }
    ~Idler() {
        if (pid <= 0) return;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    int pid{-1};
    bool done{false};
};

void touch(char* memory) {
    for (std::size_t at = 0; at < size; at += 4096)
        memory[at] = 'x';
}

char* map(int flags, int fd) {
    auto* const memory = ::mmap(nullptr, size, PROT_READ | (fd < 0 ? PROT_WRITE : 0), flags, fd, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

bool in_memory(std::string const& path) {
    struct statfs found{};
    return ::statfs(path.c_str(), &found) == 0 && found.f_type == TMPFS_MAGIC;
}

wire::HolderView slot(wire::MemoryView const& view, std::string_view name) {
    for (auto const& holder : view.pools.at(0).holders) {
        if (holder.kind == "slot" && holder.name == name) return holder;
    }
    return {};
}

TEST(LiveLedger, ItsLinesMakeTheTotalAndLittleIsUnexplained) {
    os::TestDir dir;
    ASSERT_TRUE(os::atomic_write(dir / "model", std::string(size, 'w')));
    Idler const reader{[&dir] {
        auto const fd = ::open((dir / "model").c_str(), O_RDONLY | O_CLOEXEC);
        auto const* const model = map(MAP_SHARED, fd);
        char sum = 0;
        for (std::size_t at = 0; at < size; at += 4096)
            sum = static_cast<char>(sum ^ model[at]);
        if (sum == 'w') ::_exit(1);  // an even number of pages: it isn't, and so it was read
    }};
    auto* const common = map(MAP_SHARED | MAP_ANONYMOUS, -1);
    ASSERT_NE(common, nullptr);
    Idler const one{[common] { touch(common); }}, other{[common] { touch(common); }};
    ::munmap(common, size);
    Idler const owner{[] { touch(map(MAP_PRIVATE | MAP_ANONYMOUS, -1)); }};
    ASSERT_TRUE(reader.done && one.done && other.done && owner.done);
    std::vector<SlotProcess> const slots{
        {"reader", reader.pid}, {"one", one.pid}, {"other", other.pid}, {"owner", owner.pid}};

    auto const machine = hardware::LiveMachine::open({}).value();
    auto const report = hardware::probe(*machine, {});
    wire::MemoryView view;
    // Others may come, go and grow while it is read; so it may be read again.
    constexpr int readings_max = 10;
    for (int reading = 0; reading < readings_max; ++reading) {
        view = ledger(report, read_ledger_facts(*machine, report), slots, WallTime{});
        auto const& pool = view.pools.at(0);
        if (!pool.total || std::abs(pool.unexplained->count) <= pool.total->count / 50) break;
    }
    auto const& pool = view.pools.at(0);
    ASSERT_TRUE(pool.total) << "what this machine has isn't known (an LXC)";
    Bytes held{};
    for (auto const& holder : pool.holders)
        held += holder.bytes;
    EXPECT_EQ(held + *pool.free + *pool.unexplained, *pool.total);
    EXPECT_LE(std::abs(pool.unexplained->count), pool.total->count / 50) << wire::encode(view);
    RecordProperty("unexplained_bytes", std::to_string(pool.unexplained->count));

    Bytes const all{static_cast<std::int64_t>(size)};
    EXPECT_GE(slot(view, "owner").anonymous, all);
    if (in_memory(dir.path())) {  // as /tmp is on many machines: its files give way to nobody
        EXPECT_GE(slot(view, "reader").shared, all);
    } else {
        EXPECT_GE(slot(view, "reader").file, all);
        EXPECT_GE(slot(view, "reader").gives_way, all);
    }
    // Each has its half of what both have.
    EXPECT_EQ(*slot(view, "one").shared + *slot(view, "other").shared, all);
    EXPECT_GE(slot(view, "one").shared, Bytes{all.count / 3});
    EXPECT_TRUE(slot(view, "owner").exact);
}

}  // namespace
}  // namespace hal0::memory
