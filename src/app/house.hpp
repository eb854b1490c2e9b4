#pragma once
// Where the rooms of the control plane meet: the slots, the dispatcher, the jobs and the event stream, told
// of each other. Implements what each of them asks of the house around it, and decides nothing.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/event_types.hpp"
#include "api/house.hpp"
#include "app/chronicle.hpp"
#include "app/fit_desk.hpp"
#include "app/library.hpp"
#include "app/measuring.hpp"
#include "app/memory_desk.hpp"
#include "base/log.hpp"
#include "base/no_copy.hpp"
#include "dispatch/dispatcher.hpp"
#include "history/event_stream.hpp"
#include "jobs/jobs.hpp"
#include "os/inbox.hpp"
#include "os/pool.hpp"
#include "slots/host.hpp"
#include "slots/slot_table.hpp"

namespace hal0::app {

class House final : public api::House, public slots::SlotHost, public dispatch::SlotWaker, NoCopy {
  public:
    // All of it outlives the house.
    struct World {
        Log& log;
        os::Inbox& inbox;  // the control plane's
        os::Pool& pool;
        Library const& library;
        history::EventStream& events;
        std::function<Result<hardware::HardwareReport>()> box;  // blocks; for the pool
        MemoryDesk& memory;
        FitDesk& fit;
        Measuring& measuring;
        Chronicle& chronicle;
        std::function<wire::StatusView()> status;  // of the daemon itself
        std::function<void(std::function<void()> slots_are_down)> stop;
    };
    explicit House(World world) : world_{std::move(world)} {}

    // The house is asked by what it asks itself, so it gets them once they are made and before they begin.
    void move_in(slots::SlotTable& slots, dispatch::Dispatcher& dispatcher, jobs::Jobs& jobs);
    void job_changed(jobs::Job const& job);

    // api::House
    wire::StatusView status() override;
    void stop(std::function<void()> slots_are_down) override;
    std::vector<wire::SlotView> slots() override;
    api::SlotCounts counts(std::string const& slot) override;
    Result<wire::SlotView> slot(std::string const& name) override;
    void load_slot(std::string const& name, SlotDone done) override;
    void unload_slot(std::string const& name, slots::InFlight requests, SlotDone done) override;
    void restart_slot(std::string const& name, slots::InFlight requests, SlotDone done) override;
    void swap_slot(std::string const& name, std::string const& model, SlotDone done) override;
    void create_slot(wire::SlotCreate const& slot, SlotDone done) override;
    void remove_slot(std::string const& name, slots::InFlight requests, Done done) override;
    Result<wire::SlotExplain> explain_slot(std::string const& name) override;
    Result<wire::SlotArgv> slot_argv(std::string const& name) override;
    Result<std::vector<wire::SettingDiffView>> slot_diff(std::string const& name) override;
    Result<void> reload_slots() override;
    Result<std::string> slot_log(std::string const& name) override;
    std::vector<wire::ModelView> models() override;
    Result<wire::ModelView> model(std::string const& id) override;
    Result<Need> model_need(std::string const& id) override;
    Result<Need> verify_need(std::string const& id) override;
    std::vector<wire::EngineView> engines() override;
    Result<wire::EngineView> engine(std::string const& id) override;
    Result<Need> engine_need(std::string const& id) override;
    void remove_engine(wire::EngineView const& engine, Done done) override;
    void hardware(std::function<void(Result<hardware::HardwareReport>)> done) override;
    void memory(std::function<void(Result<wire::MemoryView>)> done) override;
    void fit(wire::FitQuestion const& question, std::function<void(Result<wire::FitView>)> done) override;

    // slots::SlotHost
    void slot_changed(slots::SlotStatus const& status) override;
    void slot_ready(std::string const& slot, os::Address const& worker, std::string const& key) override;
    void slot_closing(std::string const& slot) override;
    [[nodiscard]] std::optional<Duration> slot_idle_for(std::string const& slot) const override;
    bool slot_close_if_idle(std::string const& slot) override;
    void slot_lost(std::string const& slot) override;
    void slot_failed(std::string const& slot, Error const& why) override;
    void file_ignored(std::string const& path, Error const& why) override;
    void slot_removed(std::string const& slot) override;

    // dispatch::SlotWaker
    Result<void> wake(std::string const& slot) override;
    void drained(std::string const& slot) override;

  private:
    [[nodiscard]] wire::SlotView view_of(slots::SlotStatus const& status) const;
    void measure(std::string const& slot, Moment moment);
    [[nodiscard]] slots::Done viewing(SlotDone done) const;
    void add_users(std::vector<wire::ModelView>& models) const;
    void add_users(std::vector<wire::EngineView>& engines) const;
    [[nodiscard]] std::vector<std::string> users_of(std::string const& engine_directory) const;
    void publish(std::string_view type, std::string const& subject, std::string data);

    World world_;
    slots::SlotTable* slots_{nullptr};
    dispatch::Dispatcher* dispatcher_{nullptr};
    jobs::Jobs* jobs_{nullptr};
    std::map<std::string, dispatch::Times> loads_{};  // how long each took, by slot
    std::map<std::string, std::string>
        logged_{};  // why a slot is down, as the log has it: once for each cause
};

}  // namespace hal0::app
