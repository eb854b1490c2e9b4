#pragma once
// systemd's manager over D-Bus, and one run of a unit on it: from its start, or from when it was found
// running, to its end.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "os/bus.hpp"
#include "os/child.hpp"
#include "os/loop.hpp"
#include "slots/launcher.hpp"

namespace hal0::slots {

class UnitRun;

// One connection to the manager, made again when it is lost.
class UnitManager final : NoCopy {
  public:
    // Unavailable where no manager answers within seconds. Waits for it: for the start of a program.
    static Result<std::unique_ptr<UnitManager>> open(os::Loop& loop, std::string address);
    ~UnitManager();

    // Whether it can start units of that name, asked before the loop runs. NotFound where it has no such
    // file; Conflict where that can't be used.
    Result<void> check_unit(std::string const& unit);
    [[nodiscard]] os::Bus* bus() const { return connected_ ? bus_.get() : nullptr; }
    [[nodiscard]] os::Loop& loop() const { return loop_; }
    // A unit that failed is shown as such until it is started again: not one that we ended so.
    void forget_failure(std::string const& unit);

    void add(UnitRun& run) { runs_.push_back(&run); }
    void remove(UnitRun& run) { std::erase(runs_, &run); }

  private:
    UnitManager(os::Loop& loop, std::string address);
    Result<void> connect();
    void connect_again();
    void lost();
    template <class Tell> void tell_runs(Tell tell);

    os::Loop& loop_;
    std::string address_;
    std::unique_ptr<os::Bus> bus_{};
    bool connected_{false};  // and told of what happens
    std::unique_ptr<os::BusHandle> subscribing_{};
    std::vector<UnitRun*> runs_{};
    os::Timer again_;
};

class UnitRun final : public Worker, NoCopy {
  public:
    UnitRun(UnitManager& manager, std::string unit, Launcher::Ended ended);
    ~UnitRun() override;

    // While the manager isn't reached it waits for that.
    Result<void> start();
    // Of its main process, which runs. NotFound when it doesn't any more.
    Result<void> take_over(int pid);

    [[nodiscard]] std::optional<int> pid() const override { return pid_; }
    Result<void> signal(int number) override;
    [[nodiscard]] std::string unit() const override { return unit_; }

    void connected();
    void disconnected();

  private:
    Result<void> listen();
    Result<void> ask_to_start();
    void ask_for_all();
    void started(Result<os::BusValues> const& reply);
    void job_removed(os::BusValues const& told);
    void learn(os::BusFields const& properties);
    Result<void> watch_main(int pid);
    void look();
    [[nodiscard]] Result<os::ExitStatus> outcome() const;
    void finish(Result<os::ExitStatus> const& outcome);

    UnitManager& manager_;
    std::string const unit_;
    std::string const path_;
    Launcher::Ended ended_;

    bool starting_{false};      // until its job is over: what is told of the unit is of an earlier run
    std::string job_{};         // its path, once systemd has told
    std::string job_result_{};  // "done", "failed", "canceled", …
    std::string active_state_{};
    std::optional<int> pid_{};
    std::int64_t exec_pid_{0};  // whose status this is
    std::int64_t exec_code_{0};
    std::int64_t exec_status_{0};
    bool killed_{false};     // by us
    bool main_gone_{false};  // its process is; systemd tells when all of it is
    // Sees the end of the main process where the bus doesn't tell.
    std::unique_ptr<os::Process> process_{};

    std::unique_ptr<os::BusHandle> start_call_{};
    std::unique_ptr<os::BusHandle> signal_call_{};
    std::unique_ptr<os::BusHandle> all_call_{};
    std::unique_ptr<os::BusHandle> jobs_{};
    std::unique_ptr<os::BusHandle> changes_{};
};

}  // namespace hal0::slots
