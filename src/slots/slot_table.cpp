#include "slots/slot_table.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::slots {
namespace {

constexpr Bytes file_max = 1_MiB;
constexpr std::string_view suffix = ".toml";
constexpr Duration watch_again_after = std::chrono::seconds{2};

Error ending() { return {Errc::Unavailable, "hal0 is stopping; start it again with 'hal0 serve'"}; }

void tell(Done const& done, Result<SlotStatus> result) {
    if (done) done(std::move(result));
}

// Whether a file is somebody's wish for a slot: not an editor's copy, lock or temporary file.
bool is_slot_file(std::string_view file) {
    return file.ends_with(suffix) && !file.starts_with('.') && !file.starts_with('#');
}

}  // namespace

SlotTable::SlotTable(SlotWorld world)
    : world_{std::move(world)},
      directory_{os::join_path(world_.places.config, "slots")},
      burial_{world_.loop, [this] { gone_.clear(); }},
      look_timer_{world_.loop, [this] { look(); }},
      watch_timer_{world_.loop,
                   [this] {
                       if (!watch() || !scan()) watch_timer_.start(watch_again_after);
                   }},
      patience_{world_.loop, [this] {
                    for (auto* slot : all())  // not over slots_: one that ends is taken out of it
                        slot->cut_off();
                }} {}

SlotTable::~SlotTable() = default;

// ---- files

Result<void> SlotTable::start() {
    bool const was_there = os::exists(directory_);
    auto made = os::make_directories(directory_);
    auto following = made ? watch() : std::move(made);
    auto listed = scan();
    look();
    // A directory that had to be made says nothing about the slots: its disk may not be there yet.
    if (listed && was_there) end_strays();
    if (listed && following) return {};
    watch_timer_.start(watch_again_after);
    return listed ? std::move(following) : std::move(listed);
}

// Workers whose slots were removed while no daemon ran. Only for slots that were looked for and not found.
void SlotTable::end_strays() {
    auto const running = os::list_directory(run_root(world_.places));
    for (auto const& name : running ? *running : std::vector<std::string>{}) {
        if (!valid_slot_name(name) || slot(name) != nullptr) continue;
        add(name, Error{Errc::NotFound, format("{} is gone", path_of(name))}).begin();
        take_away(name, {});
    }
}

Result<void> SlotTable::watch() {
    auto watch = os::DirWatch::make(world_.loop, directory_, [this](std::vector<std::string> const& names) {
        if (mark(names)) look_soon();
        if (!names.empty()) return;
        watch_timer_.start(Duration::zero());  // the directory went, or events were lost: begin anew
    });
    if (!watch) return std::move(watch).error();
    watch_ = std::move(watch).value();
    return {};
}

bool SlotTable::mark(std::vector<std::string> const& files) {
    bool any = false;
    for (auto const& file : files) {
        if (!is_slot_file(file)) continue;
        auto name = file.substr(0, file.size() - suffix.size());
        auto const named = check_slot_name(name);
        if (named) {
            changed_.insert(std::move(name));
            any = true;
        } else if (ignored_.insert(file).second) {
            world_.host.file_ignored(os::join_path(directory_, file), named.error());
        }
    }
    return any;
}

// Once they are quiet; a file that is written without a pause is looked at all the same.
void SlotTable::look_soon() {
    auto const now = world_.loop.now();
    if (!look_timer_.running()) look_by_ = now + world_.patience.file_written;
    look_timer_.start(std::clamp(look_by_ - now, Duration::zero(), world_.patience.file_quiet));
}

// What mended it may have happened where nobody watches: to a directory above, or to what a link leads to.
void SlotTable::mend(Slot& slot) {
    if (!slot.faulty() || slot.leaving()) return;
    if (auto const file = read(slot.name())) slot.reconfigure(file);
}

// Marks every slot and every file. While the directory can't be read everything stays as it is.
Result<void> SlotTable::scan() {
    HAL0_TRY(files, os::list_directory(directory_));
    mark(files);
    for (auto const& [name, slot] : slots_)
        changed_.insert(name);
    look_soon();
    return {};
}

Result<void> SlotTable::reload() {
    if (shutting_down_) return ending();
    HAL0_CHECK(scan());
    look();
    return {};
}

void SlotTable::look() {
    look_timer_.stop();
    auto const names = std::exchange(changed_, {});
    for (auto const& name : names)
        look_at(name);
}

void SlotTable::look_at(std::string const& name) {
    if (shutting_down_) return;
    auto* const present = slot(name);
    auto const file = read(name);
    bool const gone = !file && file.error().kind == Errc::NotFound;
    if (present != nullptr && present->leaving()) return;  // once it has left, its file is looked at again
    if (gone && present != nullptr) return take_away(name, {});
    if (gone) return;
    if (present == nullptr) return add(name, file).begin();
    present->reconfigure(file);
}

std::string SlotTable::path_of(std::string const& name) const {
    return os::join_path(directory_, name + std::string{suffix});
}

Result<DecodedSlot> SlotTable::read(std::string const& name) const {
    auto const path = path_of(name);
    auto const text = os::read_file(path, file_max);
    if (text) return decode_slot(name, *text, path);
    if (text.error().kind != Errc::NotFound || !os::is_symlink(path)) return text.error();
    // The slot is not gone: what it says lies where nothing is now, perhaps on a disk that comes later.
    return Error{Errc::Unavailable, format("{} is a link to a file that isn't there", path)};
}

// ---- the slots

Slot* SlotTable::slot(std::string const& name) const {
    auto const at = slots_.find(name);
    return at == slots_.end() ? nullptr : at->second.get();
}

std::vector<Slot*> SlotTable::all() const {
    std::vector<Slot*> slots;
    slots.reserve(slots_.size());
    for (auto const& [name, slot] : slots_)
        slots.push_back(slot.get());
    return slots;
}

Result<SlotStatus> SlotTable::find(std::string const& name) const {
    if (auto const* found = slot(name)) return found->status();
    std::vector<std::string> names;
    names.reserve(slots_.size());
    for (auto const& [other, entry] : slots_)
        names.push_back(other);
    auto const near = nearest(name, names);
    auto const hint = near            ? format("; did you mean '{}'?", *near)
                      : names.empty() ? std::string{"; there are no slots yet"}
                                      : format("; there are {}", join(names, ", "));
    return Error{Errc::NotFound, format("there is no slot '{}'{}", clipped(name), hint)}.with("slot",
                                                                                              clipped(name));
}

Slot* SlotTable::free_slot(std::string const& name, Done const& done, Swapping swapping) const {
    auto* const found = slot(name);
    if (found == nullptr) {
        tell(done, find(name).error());
        return nullptr;
    }
    if (shutting_down_) {
        tell(done, ending());
        return nullptr;
    }
    bool const swaps = swapping == Swapping::Refused && swaps_.contains(name);
    char const* const work = found->leaving() ? "removed" : swaps ? "given another model" : nullptr;
    if (work == nullptr) return found;
    tell(done, Error{Errc::Conflict, format("slot '{}' is being {}; try again after that", name, work)});
    return nullptr;
}

std::vector<SlotStatus> SlotTable::list() const {
    std::vector<SlotStatus> all;
    all.reserve(slots_.size());
    for (auto const& [name, entry] : slots_)
        all.push_back(entry->status());
    return all;
}

Result<std::string> SlotTable::log_path(std::string const& name) const {
    HAL0_TRY(status, find(name));
    return std::move(status.log);
}

Result<engines::WorkerSpec> SlotTable::spec(std::string const& name) const {
    if (auto const* found = slot(name)) return found->spec();
    return find(name).error();
}

Result<std::vector<SettingDiff>> SlotTable::differences(std::string const& name) const {
    if (auto const* found = slot(name)) return found->differences();
    return find(name).error();
}

Result<std::vector<std::string>> SlotTable::explain(std::string const& name) const {
    if (auto const* found = slot(name)) return found->explain();
    return find(name).error();
}

void SlotTable::load(std::string const& name, Done done) {
    auto* const found = free_slot(name, done, Swapping::Refused);
    if (found == nullptr) return;
    mend(*found);
    found->load(std::move(done));
}

void SlotTable::unload(std::string const& name, Done done, InFlight requests) {
    if (auto* found = free_slot(name, done, Swapping::Ignored)) found->unload(std::move(done), requests);
}

void SlotTable::restart(std::string const& name, Done done, InFlight requests) {
    auto* const found = free_slot(name, done, Swapping::Ignored);
    if (found == nullptr) return;
    mend(*found);
    found->restart(std::move(done), requests);
}

Result<void> SlotTable::wake(std::string const& name) {
    if (shutting_down_) return ending();
    auto* const found = slot(name);
    if (found == nullptr) return find(name).error();
    mend(*found);
    return found->wake();
}

void SlotTable::drained(std::string const& name) {
    if (auto* found = slot(name)) found->drained();
}

void SlotTable::supplies_changed() {
    for (auto const& [name, entry] : slots_)
        if (!entry->leaving()) entry->supplies_changed();
}

// ---- making and removing

Slot& SlotTable::add(std::string const& name, Result<DecodedSlot> const& file) {
    auto& place = slots_[name];
    place = std::make_unique<Slot>(world_, name, file);
    return *place;
}

void SlotTable::create(SlotConfig const& config, Done const& done) {
    auto make = [&]() -> Result<DecodedSlot> {
        if (shutting_down_) return ending();
        HAL0_CHECK(check_slot_name(config.name));
        auto const path = path_of(config.name);
        if (slot(config.name) != nullptr || os::exists(path))
            return Error{Errc::Exists, format("there is a slot '{}' already: {}", config.name, path)};
        auto const text = render_slot(config);
        HAL0_TRY(decoded, decode_slot(config.name, text, path));
        HAL0_CHECK(plan_worker(decoded.config, world_.supplies, run_dir(world_.places, config.name)));
        HAL0_CHECK(os::atomic_write(path, text));
        return decoded;
    };
    auto made = make();
    if (!made) return tell(done, std::move(made).error());
    auto& slot = add(config.name, made);
    slot.begin();
    tell(done, slot.status());
}

void SlotTable::remove(std::string const& name, Done done, InFlight requests) {
    auto* const present = slot(name);
    if (present == nullptr) return tell(done, find(name).error());
    if (shutting_down_) return tell(done, ending());
    // First: a daemon that dies from here on leaves a worker without a file, which the next one ends.
    auto const removed = os::remove_file(path_of(name));
    if (!removed) return tell(done, removed.error());
    if (present->leaving()) return present->leave(std::move(done), requests);  // told with who asked first
    take_away(name, std::move(done), requests);
}

void SlotTable::take_away(std::string const& name, Done done, InFlight requests) {
    auto& slot = *slots_.find(name)->second;
    slot.leave(
        [this, name, done = std::move(done)](Result<SlotStatus> last) { bury(name, done, std::move(last)); },
        requests);
}

void SlotTable::bury(std::string const& name, Done const& done, Result<SlotStatus> last) {
    auto const at = slots_.find(name);
    gone_.push_back(std::move(at->second));
    slots_.erase(at);
    burial_.start(Duration::zero());
    auto const forgotten = world_.launcher.forget(name);
    world_.host.slot_removed(name);
    if (!forgotten) last = forgotten.error();
    tell(done, std::move(last));
    look_at(name);  // its file may be there again
}

// ---- the end of all

void SlotTable::shut_down(Duration patience, std::function<void()> down) {
    if (shutting_down_ && still_up_ == 0) return down();
    down_.push_back(std::move(down));
    if (std::exchange(shutting_down_, true)) return;
    patience_.start(patience);
    auto const slots = all();
    still_up_ = slots.size() + 1;  // and this call
    for (auto* slot : slots)
        slot->leave([this](Result<SlotStatus> const&) { went_down(); });
    went_down();
}

void SlotTable::went_down() {
    if (--still_up_ > 0) return;
    patience_.stop();
    for (auto const& down : std::exchange(down_, {}))
        down();
}

// ---- another model

// NOLINTNEXTLINE(bugprone-exception-escape): not a swap in the library's sense
void SlotTable::swap(std::string const& name, std::string const& model, Done done) {
    auto* const found = free_slot(name, done, Swapping::Refused);
    if (found == nullptr) return;
    auto begun = begin_swap(*found, model);
    if (!begun) return tell(done, std::move(begun).error());
    // Perhaps with a worker still, on its way down: none of the swap's.
    if (found->wanted() == Wanted::Down && !found->idled()) {
        found->reconfigure(read(name));
        return tell(done, found->status());
    }
    begun->done = std::move(done);
    swaps_.insert_or_assign(name, std::move(begun).value());
    found->reconfigure(read(name));
    found->load([this, name](Result<SlotStatus> loaded) { swapped(name, std::move(loaded)); });
}

// Everything that can be found wrong without touching the worker is found here.
Result<SlotTable::Swap> SlotTable::begin_swap(Slot& slot, std::string const& model) {
    auto const path = path_of(slot.name());
    HAL0_TRY(text, os::read_file(path, file_max));
    HAL0_TRY(present, decode_slot(slot.name(), text, path));
    auto wanted = present.config;
    wanted.model = model;
    HAL0_CHECK(plan_worker(wanted, world_.supplies, run_dir(world_.places, slot.name())));
    auto const now = kind_of(present.config, world_.supplies.models);
    auto const then = kind_of(wanted, world_.supplies.models);
    if (now && then && now != then) {
        return Error{
            Errc::Conflict,
            format(
                "slot '{}' does {}, and {} does {}: make a slot for it ('hal0 slot create NAME --model {}')",
                slot.name(), models::to_string(*now), model, models::to_string(*then), model)};
    }
    HAL0_TRY(edited, edit_slot(text, path, wanted));
    HAL0_CHECK(os::atomic_rewrite(path, edited));
    return Swap{.model = model, .text_before = std::move(text), .text_after = std::move(edited)};
}

void SlotTable::swapped(std::string const& name, Result<SlotStatus> loaded) {
    auto swap = std::move(swaps_.extract(name).mapped());
    auto* const found = slot(name);
    if (loaded && loaded->model != swap.model)
        loaded = Error{Errc::Conflict, format("the slot went on with {}", loaded->model)};
    if (loaded || found == nullptr || found->leaving()) return tell(swap.done, std::move(loaded));
    if (found->wanted() == Wanted::Down) {  // it was asked to go down: nothing brings it up again
        auto const now = format("; its file names {} now", swap.model);
        return tell(swap.done, Error{loaded.error().kind, loaded.error().message + now});
    }
    roll_back(*found, std::move(swap), loaded.error());
}

void SlotTable::roll_back(Slot& slot, Swap swap, Error const& why) {
    auto const path = path_of(slot.name());
    auto const present = os::read_file(path, file_max);
    if (!present || *present != swap.text_after) {  // somebody has written it since: theirs counts
        return tell(swap.done, in_context(format("loading {}", swap.model), why));
    }
    auto restored = os::atomic_rewrite(path, swap.text_before);
    if (!restored) {
        auto const doing = format("{}; writing the old settings back", why.message);
        return tell(swap.done, in_context(doing, restored.error()));
    }
    slot.reconfigure(read(slot.name()));
    slot.load([done = std::move(swap.done), model = swap.model, why](Result<SlotStatus> back) {
        auto const outcome = back ? format("the slot is back on {}", back->model)
                                  : format("the old model doesn't come up either: {}", back.error().message);
        tell(done, Error{why.kind, format("{} could not be loaded, {}: {}", model, outcome, why.message)});
    });
}

}  // namespace hal0::slots
