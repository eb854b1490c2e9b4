#include "app/log_keeper.hpp"

#include <utility>

#include "os/file.hpp"
#include "os/log_file.hpp"
#include "slots/run_dir.hpp"

namespace hal0::app {
namespace {

constexpr int standard_error = 2;
constexpr Bytes log_max = 8_MiB;
constexpr Duration look_every = std::chrono::minutes{1};

Result<void> shorten(std::vector<std::string> const& logs) {
    Result<void> outcome;
    for (auto const& path : logs) {
        auto shortened = os::shorten_log(path, log_max);
        if (!shortened && shortened.error().kind != Errc::NotFound) outcome = std::move(shortened);
    }
    return outcome;
}

}  // namespace

LogKeeper::LogKeeper(World const& world, os::Places places)
    : world_{world}, places_{std::move(places)}, timer_{world.loop, [this] { look(); }} {}

std::vector<std::string> LogKeeper::logs() const {
    std::vector<std::string> paths;
    auto const directory = slots::logs_root(places_);
    auto const names = os::list_directory(directory);
    for (auto const& name : names ? *names : std::vector<std::string>{})
        if (name.ends_with(".log")) paths.push_back(os::join_path(directory, name));
    auto own = os::join_path(places_.state, "hal0.log");
    if (os::appends_to(standard_error, own)) paths.push_back(std::move(own));
    return paths;
}

void LogKeeper::look() {
    world_.pool.run(
        world_.inbox, [paths = logs()] { return shorten(paths); },
        [this](Result<void> const& shortened) {
            if (!shortened) world_.log.warn("a log grows on: {}", shortened.error().message);
            timer_.start(look_every);
        });
}

}  // namespace hal0::app
