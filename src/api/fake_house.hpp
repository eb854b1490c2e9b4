#pragma once
// A house with nothing behind it: what it has is set by the test, what it was asked to do is written down.
#include <algorithm>
#include <map>
#include <optional>

#include "api/house.hpp"
#include "base/format.hpp"

namespace hal0::api {

class FakeHouse final : public House {
  public:
    std::vector<wire::SlotView> all_slots{};
    std::vector<wire::ModelView> all_models{};
    std::vector<wire::EngineView> all_engines{};
    std::vector<std::string> asked{};
    std::vector<SlotDone> pending{};  // operations on slots that are not over
    std::function<void()> down{};     // to be called when a stop has taken the slots down
    std::string log{};
    std::optional<Error> refusal{};  // of operations on slots, at once

    wire::StatusView status() override { return {.version = "0.1.0", .pid = 7}; }
    void stop(std::function<void()> slots_are_down) override {
        asked.emplace_back("stop");
        down = std::move(slots_are_down);
    }

    std::vector<wire::SlotView> slots() override { return all_slots; }
    SlotCounts counts(std::string const& slot) override { return {.slot = slot}; }
    Result<wire::SlotView> slot(std::string const& name) override {
        return find(all_slots, name, &wire::SlotView::name);
    }
    void load_slot(std::string const& name, SlotDone done) override { ask("load " + name, std::move(done)); }
    void unload_slot(std::string const& name, slots::InFlight requests, SlotDone done) override {
        ask("unload " + name + words(requests), std::move(done));
    }
    void restart_slot(std::string const& name, slots::InFlight requests, SlotDone done) override {
        ask("restart " + name + words(requests), std::move(done));
    }
    void swap_slot(std::string const& name, std::string const& model, SlotDone done) override {
        ask("swap " + name + " to " + model, std::move(done));
    }
    void create_slot(wire::SlotCreate const& slot, SlotDone done) override {
        ask("create " + slot.name + " with " + slot.model, std::move(done));
    }
    void remove_slot(std::string const& name, slots::InFlight requests, Done done) override {
        asked.push_back("remove " + name + words(requests));
        auto const found = slot(name);
        found.ok() ? done({}) : done(found.error());
    }
    Result<wire::SlotExplain> explain_slot(std::string const& name) override {
        return wire::SlotExplain{name, {"it is up"}};
    }
    Result<wire::SlotArgv> slot_argv(std::string const& name) override {
        return wire::SlotArgv{.name = name, .arguments = {{.flag = "--metrics", .from = "hal0"}}};
    }
    Result<std::vector<wire::SettingDiffView>> slot_diff(std::string const& name) override {
        HAL0_CHECK(slot(name));
        return std::vector<wire::SettingDiffView>{{"--ctx-size", "4096", "8192"}};
    }
    Result<void> reload_slots() override {
        asked.emplace_back("reload");
        return {};
    }
    Result<std::string> slot_log(std::string const& name) override {
        HAL0_CHECK(slot(name));
        return log;
    }

    std::vector<wire::ModelView> models() override { return all_models; }
    Result<wire::ModelView> model(std::string const& id) override {
        return find(all_models, id, &wire::ModelView::id);
    }
    Result<Need> model_need(std::string const& id) override {
        HAL0_TRY(found, model(id));
        return found.state == "present" ? Need::Nothing : Need::Job;
    }
    Result<Need> verify_need(std::string const& id) override {
        HAL0_CHECK(model(id));
        return Need::Job;
    }

    std::vector<wire::EngineView> engines() override { return all_engines; }
    Result<wire::EngineView> engine(std::string const& id) override {
        return find(all_engines, id, &wire::EngineView::id);
    }
    Result<Need> engine_need(std::string const& id) override {
        HAL0_TRY(found, engine(id));
        return found.state == "installed" ? Need::Nothing : Need::Job;
    }
    void remove_engine(wire::EngineView const& engine, Done done) override {
        asked.push_back("remove " + engine.id + " " + engine.key);
        done({});
    }

    void hardware(std::function<void(Result<hardware::HardwareReport>)> done) override {
        done(hardware::HardwareReport{.time = "now"});
    }
    void memory(std::function<void(Result<wire::MemoryView>)> done) override {
        asked.emplace_back("memory");
        done(wire::MemoryView{.time = "2026-01-02T03:04:05.000Z", .pools = {{.id = "unified"}}});
    }
    void fit(wire::FitQuestion const& question, std::function<void(Result<wire::FitView>)> done) override {
        fits.push_back(question);
        done(wire::FitView{.model = question.model});
    }
    std::vector<wire::FitQuestion> fits{};

  private:
    static std::string words(slots::InFlight requests) {
        return requests == slots::InFlight::CutOff ? " by force" : "";
    }
    void ask(std::string what, SlotDone done) {
        asked.push_back(std::move(what));
        if (refusal) return done(*refusal);
        pending.push_back(std::move(done));
    }
    template <class T>
    static Result<T> find(std::vector<T> const& all, std::string const& name, std::string T::* member) {
        auto const at =
            std::find_if(all.begin(), all.end(), [&](T const& one) { return one.*member == name; });
        if (at == all.end()) return Error{Errc::NotFound, format("there is no '{}'", name)};
        return *at;
    }
};

}  // namespace hal0::api
