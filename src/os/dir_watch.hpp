#pragma once
// Tells when things in one directory change (inotify): files written and closed, linked, moved in or out,
// removed, given other permissions; directories made.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "os/loop.hpp"

namespace hal0::os {

class DirWatch final : NoCopy, FdHandler {
  public:
    // `changed` gets the names touched since it was last told, each once; an empty list means that events
    // were lost, or that the directory itself went or has other permissions: look at everything again. Once
    // the directory went (removed, moved, unmounted) nothing more is told; whoever wants the one that takes
    // its place makes a new DirWatch. `changed` may destroy this. NotFound where there is no such directory.
    using Changed = std::function<void(std::vector<std::string> const& names)>;
    static Result<std::unique_ptr<DirWatch>> make(Loop& loop, std::string const& path, Changed changed);
    ~DirWatch();

  private:
    DirWatch(Loop& loop, UniqueFd fd, std::string path, Changed changed)
        : loop_{loop}, fd_{std::move(fd)}, path_{std::move(path)}, changed_{std::move(changed)} {}
    void on_ready(Ready ready) override;
    [[nodiscard]] bool still_written(std::string const& name) const;

    Loop& loop_;
    UniqueFd fd_;
    std::string path_;
    Changed changed_;
    bool* destroyed_{nullptr};  // set while `changed_` runs: where to say that it destroyed this
};

}  // namespace hal0::os
