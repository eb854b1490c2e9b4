#pragma once
// What the admin API asks of the house behind it: the slots, the models and the engines, in the API's own
// words. On the control loop; implemented in app/.
#include <functional>
#include <string>
#include <vector>

#include "api/metrics.hpp"
#include "base/result.hpp"
#include "hardware/report.hpp"
#include "slots/status.hpp"
#include "wire/fit_views.hpp"
#include "wire/memory_view.hpp"
#include "wire/views.hpp"

namespace hal0::api {

class House {
  public:
    // Called once, on the control loop, perhaps before the call that it was given to returns.
    using SlotDone = std::function<void(Result<wire::SlotView>)>;
    using Done = std::function<void(Result<void>)>;
    enum class Need { Nothing, Job };  // whether getting a thing would change anything

    // But for its slots and jobs, which are added.
    virtual wire::StatusView status() = 0;
    // Ends the slots with their workers, then the daemon. Called back in between.
    virtual void stop(std::function<void()> slots_are_down) = 0;

    virtual std::vector<wire::SlotView> slots() = 0;
    virtual SlotCounts counts(std::string const& slot) = 0;  // all 0 for one that never was
    virtual Result<wire::SlotView> slot(std::string const& name) = 0;
    virtual void load_slot(std::string const& name, SlotDone done) = 0;  // done when it is ready, or is not
    virtual void unload_slot(std::string const& name, slots::InFlight requests, SlotDone done) = 0;
    virtual void restart_slot(std::string const& name, slots::InFlight requests, SlotDone done) = 0;
    virtual void swap_slot(std::string const& name, std::string const& model, SlotDone done) = 0;
    virtual void create_slot(wire::SlotCreate const& slot, SlotDone done) = 0;  // done when its file is there
    virtual void remove_slot(std::string const& name, slots::InFlight requests, Done done) = 0;
    virtual Result<wire::SlotExplain> explain_slot(std::string const& name) = 0;
    virtual Result<wire::SlotArgv> slot_argv(std::string const& name) = 0;
    virtual Result<std::vector<wire::SettingDiffView>> slot_diff(std::string const& name) = 0;
    virtual Result<void> reload_slots() = 0;                            // reads their files now
    virtual Result<std::string> slot_log(std::string const& name) = 0;  // a path; the file may not be there

    virtual std::vector<wire::ModelView> models() = 0;
    virtual Result<wire::ModelView> model(std::string const& id) = 0;
    virtual Result<Need> model_need(std::string const& id) = 0;   // NotFound: nobody knows where to get it
    virtual Result<Need> verify_need(std::string const& id) = 0;  // NotFound: it isn't on this machine

    virtual std::vector<wire::EngineView> engines() = 0;
    virtual Result<wire::EngineView> engine(std::string const& id) = 0;  // the one that is, or would be, used
    virtual Result<Need> engine_need(std::string const& id) = 0;
    virtual void remove_engine(wire::EngineView const& engine, Done done) = 0;

    virtual void hardware(std::function<void(Result<hardware::HardwareReport>)> done) = 0;
    virtual void memory(std::function<void(Result<wire::MemoryView>)> done) = 0;  // who holds it
    virtual void fit(wire::FitQuestion const& question, std::function<void(Result<wire::FitView>)> done) = 0;

  protected:
    ~House() = default;
};

}  // namespace hal0::api
