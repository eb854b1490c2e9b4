#pragma once
// All slots of this home, kept as their files say. Everything on the control loop; nothing here waits.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "os/dir_watch.hpp"
#include "slots/slot.hpp"

namespace hal0::slots {

class SlotTable final : NoCopy {
  public:
    explicit SlotTable(SlotWorld world);
    ~SlotTable();  // workers go on: the next daemon adopts them

    // Adopts what runs and loads what should, all at once; from then on follows CONFIG/slots. A slot whose
    // file can't be read is there too, and says why. An Error: the directory can't be listed or watched yet,
    // and is tried again; what could be read is served, and workers go on.
    Result<void> start();

    [[nodiscard]] std::vector<SlotStatus> list() const;  // by name
    [[nodiscard]] Result<SlotStatus> find(std::string const& name) const;
    [[nodiscard]] Result<std::string> log_path(std::string const& name) const;
    // Why it is up or down, what it runs, what it lacks.
    [[nodiscard]] Result<std::vector<std::string>> explain(std::string const& name) const;
    [[nodiscard]] Result<engines::WorkerSpec> spec(std::string const& name) const;  // Slot::spec
    [[nodiscard]] Result<std::vector<SettingDiff>> differences(std::string const& name) const;

    // Reads every slot's file now, as when it changed. The directory itself may not be readable.
    Result<void> reload();

    // Conflict while it is being removed, or given another model; what takes it down may end the latter.
    void load(std::string const& name, Done done);
    // Its requests in flight are finished first. Down it stays until a request or somebody asks for it, also
    // where its file wants it up.
    void unload(std::string const& name, Done done, InFlight requests = InFlight::Finish);
    void restart(std::string const& name, Done done, InFlight requests = InFlight::Finish);
    // Another model, in its file and, where the slot is up or should be, in its worker. The model is looked
    // at before anything is touched; when it fails to load, file and worker come back to the old one.
    void swap(std::string const& name, std::string const& model, Done done);
    // Done when its file is written; its load goes on by itself.
    void create(SlotConfig const& config, Done const& done);
    // Its file at once, then its worker once the last request has left. The log stays.
    void remove(std::string const& name, Done done, InFlight requests = InFlight::Finish);

    Result<void> wake(std::string const& name);  // a request wants it
    void drained(std::string const& name);       // follows SlotHost::slot_closing
    // For good: every slot goes down, and neither a request nor its file nor anybody brings one up again.
    // Requests in flight get `patience`, then their workers are killed. `down` is called once no worker is
    // left.
    void shut_down(Duration patience, std::function<void()> down);
    void supplies_changed();  // a model or an engine came or went

  private:
    struct Swap {
        std::string model{};
        std::string text_before{};
        std::string text_after{};
        Done done{};
    };

    [[nodiscard]] Slot* slot(std::string const& name) const;
    [[nodiscard]] std::vector<Slot*> all() const;
    // The slot if it may be worked on now, else null after `done` was told why not.
    enum class Swapping { Refused, Ignored };
    Slot* free_slot(std::string const& name, Done const& done, Swapping swapping) const;
    [[nodiscard]] std::string path_of(std::string const& name) const;
    [[nodiscard]] Result<DecodedSlot> read(std::string const& name) const;
    void mend(Slot& slot);  // where its file was faulty and isn't any more

    Result<void> watch();
    bool mark(std::vector<std::string> const& files);  // whether one of them is a slot's
    void look_soon();
    Result<void> scan();
    void end_strays();
    void look();  // at the files that changed
    void look_at(std::string const& name);
    Slot& add(std::string const& name, Result<DecodedSlot> const& file);
    void take_away(std::string const& name, Done done, InFlight requests = InFlight::Finish);
    void bury(std::string const& name, Done const& done, Result<SlotStatus> last);
    Result<Swap> begin_swap(Slot& slot, std::string const& model);
    void swapped(std::string const& name, Result<SlotStatus> loaded);
    void roll_back(Slot& slot, Swap swap, Error const& why);
    void went_down();

    SlotWorld const world_;
    std::string const directory_;
    std::map<std::string, std::unique_ptr<Slot>, std::less<>> slots_{};
    std::map<std::string, Swap, std::less<>> swaps_{};  // in progress
    std::vector<std::unique_ptr<Slot>> gone_{};         // may still be on the call stack
    os::Timer burial_;
    std::set<std::string> ignored_{};  // files that are no slot's, said once
    std::set<std::string> changed_{};  // names whose files are to be looked at
    os::Timer look_timer_;
    TimePoint look_by_{};
    std::unique_ptr<os::DirWatch> watch_{};
    os::Timer watch_timer_;  // while the directory isn't there
    bool shutting_down_{false};
    std::size_t still_up_{0};
    std::vector<std::function<void()>> down_{};  // to be called when none is
    os::Timer patience_;                         // with requests in flight
};

}  // namespace hal0::slots
