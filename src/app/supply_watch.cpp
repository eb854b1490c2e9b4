#include "app/supply_watch.hpp"

#include <algorithm>
#include <utility>

namespace hal0::app {

SupplyWatch::SupplyWatch(os::Loop& loop, std::vector<std::string> directories, std::function<void()> changed,
                         Pauses pauses)
    : loop_{loop},
      directories_{std::move(directories)},
      pauses_{pauses},
      tell_{loop, std::move(changed)},
      again_{loop, [this] { watch_again(); }} {}

Result<void> SupplyWatch::start() { return watch_missing(); }

void SupplyWatch::watch_again() {
    auto const before = watches_.size();
    (void)watch_missing();                      // told by start(), or gone since
    if (watches_.size() > before) tell_soon();  // of what came while nobody looked
}

Result<void> SupplyWatch::watch(std::string const& directory) {
    HAL0_TRY(made, os::DirWatch::make(loop_, directory,
                                      [this, directory](auto const& names) { heard(directory, names); }));
    watches_[directory] = std::move(made);
    return {};
}

// The first thing that keeps one from being watched, but for its not being there.
Result<void> SupplyWatch::watch_missing() {
    Result<void> outcome;
    bool missing = false;
    for (auto const& directory : directories_) {
        if (watches_.contains(directory)) continue;
        auto watching = watch(directory);
        if (watching) continue;
        missing = true;
        if (outcome && watching.error().kind != Errc::NotFound) outcome = std::move(watching);
    }
    if (missing) again_.start(pauses_.again);
    return outcome;
}

void SupplyWatch::heard(std::string const& directory, std::vector<std::string> const& names) {
    if (names.empty()) {
        tell_soon();
        again_.start(Duration::zero());
        watches_.erase(directory);
        return;
    }
    bool const seen = std::any_of(names.begin(), names.end(),
                                  [](std::string const& name) { return !name.starts_with('.'); });
    if (seen) tell_soon();
}

void SupplyWatch::tell_soon() {
    if (!tell_.running()) tell_.start(pauses_.quiet);
}

}  // namespace hal0::app
