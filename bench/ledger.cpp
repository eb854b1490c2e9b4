// Times one look at who holds the memory, with many processes on the machine: the reading and the sum.
//
//     bench-ledger PROCESSES MIB
//
// Starts so many processes, each with MIB of memory of its own, and looks 21 times. Prints a line of JSON, in
// milliseconds.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/live_machine.hpp"
#include "hardware/probe.hpp"
#include "memory/ledger.hpp"

namespace hal0 {
namespace {

constexpr int looks = 21;

// Ends with this process.
int start_idler(std::size_t bytes, int ready) {
    auto const pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<char> memory(bytes);
    for (std::size_t at = 0; at < bytes; at += 4096)
        memory[at] = 'x';
    (void)!::write(ready, "x", 1);
    while (true)
        ::pause();
}

void wait_for(int ready, int count) {
    char byte = 0;
    for (int i = 0; i < count; ++i)
        (void)!::read(ready, &byte, 1);
}

Result<std::string> measure(int processes, std::size_t bytes) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) return Error{Errc::Io, "no pipe"};
    std::vector<int> pids;
    for (int i = 0; i < processes; ++i)
        pids.push_back(start_idler(bytes, ready[1]));
    wait_for(ready[0], processes);
    HAL0_TRY(machine, hardware::LiveMachine::open({}));
    auto const report = hardware::probe(*machine, {});
    std::vector<double> took;
    wire::MemoryView view;
    std::size_t seen = 0;
    for (int i = 0; i < looks; ++i) {
        auto const begin = Clock::now();
        auto const facts = memory::read_ledger_facts(*machine, report);
        view = memory::ledger(report, facts, {{"one", pids.front()}}, std::chrono::system_clock::now());
        took.push_back(std::chrono::duration<double, std::milli>{Clock::now() - begin}.count());
        seen = facts.processes.all.size();
    }
    for (auto const pid : pids)
        ::kill(pid, SIGKILL);
    for (auto const pid : pids)
        ::waitpid(pid, nullptr, 0);
    std::sort(took.begin(), took.end());
    auto const& pool = view.pools.front();
    auto const unexplained = pool.unexplained && pool.total
                                 ? format("{:.2f}", 100.0 * static_cast<double>(pool.unexplained->count) /
                                                        static_cast<double>(pool.total->count))
                                 : std::string{"null"};
    return format(
        R"({{"processes": {}, "median_ms": {:.1f}, "least_ms": {:.1f}, "unexplained_percent": {}}})", seen,
        took[looks / 2], took.front(), unexplained);
}

int bench(std::vector<std::string> const& arguments) {
    auto const processes = arguments.size() == 2 ? to_int(arguments[0]) : std::nullopt;
    auto const mib = arguments.size() == 2 ? to_int(arguments[1]) : std::nullopt;
    if (!processes || !mib || *processes < 1 || *processes > 10'000 || *mib < 1 || *mib > 1024) {
        std::fputs("usage: bench-ledger PROCESSES MIB\n", stderr);
        return 2;
    }
    auto const line = measure(static_cast<int>(*processes), static_cast<std::size_t>(*mib) << 20U);
    std::puts(line ? line->c_str() : line.error().message.c_str());
    return line ? 0 : 1;
}

}  // namespace
}  // namespace hal0

int main(int argc, char** argv) { return hal0::bench({argv + 1, argv + argc}); }
