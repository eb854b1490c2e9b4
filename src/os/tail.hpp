#pragma once
// What is appended to one file, as it comes (inotify): for logs that are followed.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "os/loop.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

class Tail final : NoCopy, FdHandler {
  public:
    // Begins `last` bytes before the file's present end; a file that isn't there yet is waited for. `grew`
    // may not destroy this. NotFound where its directory isn't there.
    static Result<std::unique_ptr<Tail>> make(Loop& loop, std::string path, Bytes last,
                                              std::function<void()> grew);
    ~Tail();

    // What came since the last call, at most `max`; empty when nothing did. Goes on with the file that has
    // the name now when the one read so far is at its end, and from the start of one that was cut.
    std::string read(Bytes max);

  private:
    Tail(Loop& loop, std::string path, UniqueFd watch, std::function<void()> grew)
        : loop_{loop}, path_{std::move(path)}, watch_{std::move(watch)}, grew_{std::move(grew)} {}
    void on_ready(Ready ready) override;
    void open_current();
    std::string read_current(Bytes max);
    [[nodiscard]] bool replaced() const;

    Loop& loop_;
    std::string path_;
    UniqueFd watch_;
    std::function<void()> grew_;
    UniqueFd file_{};
    std::int64_t position_{0};
};

}  // namespace hal0::os
