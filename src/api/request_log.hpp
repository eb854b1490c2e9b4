#pragma once
// What one data loop tells of the requests that ended on it: gathered, and handed over a few times a second.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/no_copy.hpp"
#include "base/units.hpp"
#include "history/records.hpp"
#include "os/loop.hpp"

namespace hal0::api {

// The control plane's side, from any thread.
class RecordPort {
  public:
    // `unrecorded`: so many ended besides.
    virtual void ended(std::vector<history::RequestRecord> requests, std::uint64_t unrecorded) = 0;

  protected:
    ~RecordPort() = default;
};

class RequestLog final : NoCopy {
  public:
    static constexpr Duration pause = std::chrono::milliseconds{250};
    // In one pause. A thousand a second of one loop is more than any model answers; of a flood beyond it the
    // rest is only counted, so that it costs nothing.
    static constexpr std::size_t records_max = 256;

    // Both outlive it.
    RequestLog(os::Loop& loop, RecordPort& port) : port_{port}, timer_{loop, [this] { hand_over(); }} {
        records_.reserve(records_max);
    }

    // Whether one more is recorded; it is counted where it isn't.
    [[nodiscard]] bool takes_one() {
        if (!timer_.running()) timer_.start(pause);
        if (records_.size() < records_max) return true;
        ++unrecorded_;
        return false;
    }
    void add(history::RequestRecord record) { records_.push_back(std::move(record)); }
    void hand_over();

  private:
    RecordPort& port_;
    std::vector<history::RequestRecord> records_{};
    std::uint64_t unrecorded_{0};
    os::Timer timer_;
};

}  // namespace hal0::api
