#pragma once
// What a child writes, as it comes, on a loop.
#include <functional>
#include <memory>
#include <string_view>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "os/loop.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

class PipeReader final : NoCopy, FdHandler {
  public:
    using OnBytes = std::function<void(std::string_view bytes)>;  // may not destroy this
    static Result<std::unique_ptr<PipeReader>> make(Loop& loop, OnBytes on_bytes);
    ~PipeReader();

    // The end to hand to Process::spawn as Command::out or err, and to close once that is done.
    [[nodiscard]] int writer() const { return writer_.get(); }
    void close_writer() { writer_.reset(); }

    // Hands on what stands in the pipe now. For the child's end: what it wrote last may not have been read
    // yet, and the pipe's own end may never come, as a grandchild may hold it open.
    void drain();

  private:
    PipeReader(Loop& loop, UniqueFd reader, UniqueFd writer, OnBytes on_bytes)
        : loop_{loop},
          reader_{std::move(reader)},
          writer_{std::move(writer)},
          on_bytes_{std::move(on_bytes)} {}
    void on_ready(Ready ready) override;
    std::size_t take();
    void stop();

    Loop& loop_;
    UniqueFd reader_;
    UniqueFd writer_;
    OnBytes on_bytes_;
};

}  // namespace hal0::os
