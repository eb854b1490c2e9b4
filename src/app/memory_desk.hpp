#pragma once
// Answers who holds the memory of the box, on the control loop, by asking the pool: the reading takes long.
// Those who ask while it is read, or within a second after, get the same answer. Nothing is read unasked, and
// no timer runs.
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "memory/holders.hpp"
#include "os/inbox.hpp"
#include "os/pool.hpp"
#include "wire/memory_view.hpp"

namespace hal0::app {

inline constexpr Duration memory_answer_age_max = std::chrono::seconds{1};

class MemoryDesk final : NoCopy {
  public:
    using Answer = std::function<void(Result<wire::MemoryView> const&)>;
    // Blocks; called on a thread of the pool's, never twice at a time.
    using Read = std::function<Result<wire::MemoryView>(std::vector<memory::SlotProcess> const& slots)>;

    // All of these outlive it, and the pool is closed before it is destroyed.
    MemoryDesk(os::Inbox& inbox, os::Pool& pool, Read read)
        : inbox_{inbox}, pool_{pool}, read_{std::move(read)} {}

    // `answer` is called once, perhaps before this returns.
    void ask(std::vector<memory::SlotProcess> slots, TimePoint now, Answer answer);

  private:
    void told(Result<wire::MemoryView> view);

    os::Inbox& inbox_;
    os::Pool& pool_;
    Read read_;
    std::vector<Answer> asking_{};  // not empty: it is being read
    std::optional<wire::MemoryView> last_{};
    TimePoint last_at_{};
};

}  // namespace hal0::app
