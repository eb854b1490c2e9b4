#pragma once
// Tells when a model or an engine has come or gone, whoever brought it: a job of ours, one that a killed
// daemon has left, the CLI, a person with a file manager.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "os/dir_watch.hpp"
#include "os/loop.hpp"

namespace hal0::app {

class SupplyWatch final : NoCopy {
  public:
    struct Pauses {
        Duration quiet{std::chrono::milliseconds{150}};  // what comes together is told once
        Duration again{std::chrono::seconds{2}};         // between looks for a directory that isn't there
    };
    // `directories`: those in which a model or an engine gets its name when it is complete. What has a name
    // that begins with a dot is in the making, and not told.
    SupplyWatch(os::Loop& loop, std::vector<std::string> directories, std::function<void()> changed,
                Pauses pauses);

    // From now on. A directory that isn't there is watched once it is; an Error: one can't be watched (it is
    // tried again all the same).
    Result<void> start();

  private:
    Result<void> watch(std::string const& directory);
    Result<void> watch_missing();
    void watch_again();
    void tell_soon();
    void heard(std::string const& directory, std::vector<std::string> const& names);

    os::Loop& loop_;
    std::vector<std::string> const directories_;
    Pauses const pauses_;
    std::map<std::string, std::unique_ptr<os::DirWatch>> watches_{};
    os::Timer tell_;
    os::Timer again_;
};

}  // namespace hal0::app
