#pragma once
// What a job's process tells its parent: one JSON object a line.
//   {"step":"downloading x","done":5,"total":10,"unit":"bytes"}
//   {"note":"mirror A did not answer in 5 s; trying B"}
//   {"result":{"message":"installed llama.cpp 11434"}}     the last line of one that succeeded
//   {"error":{"code":"unavailable","message":"…","details":{}}}     … of one that failed
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::jobs {

enum class Unit { Bytes, Steps };
std::string_view to_string(Unit unit);

struct Progress {
    std::string step{};
    std::int64_t done{0};
    std::int64_t total{0};  // 0: unknown
    Unit unit{Unit::Bytes};
    bool operator==(Progress const&) const = default;
};
struct Note {
    std::string text{};
    bool operator==(Note const&) const = default;
};
struct Outcome {
    std::string message{};
    bool operator==(Outcome const&) const = default;
};
using Line = std::variant<Progress, Note, Outcome, Error>;

std::string encode(Line const& line);             // without its newline
Result<Line> decode_line(std::string_view text);  // Corrupt or Invalid when it is no such line

// The child's side. Progress within one step is written at most every `progress_every`, and always when the
// step is done.
class JobReport final : NoCopy {
  public:
    static constexpr Duration progress_every = std::chrono::milliseconds{100};
    using Write = std::function<void(std::string_view line)>;  // with its newline; to standard output
    using Now = std::function<TimePoint()>;
    explicit JobReport(Write write, Now now = Clock::now) : write_{std::move(write)}, now_{std::move(now)} {}

    void progress(Progress const& progress);
    void note(std::string text) { send(Note{std::move(text)}); }
    // Once, last: how it ended.
    void end(Result<std::string> const& message);

  private:
    void send(Line const& line) { write_(encode(line) + '\n'); }

    Write write_;
    Now now_;
    std::string step_{};
    TimePoint quiet_until_{};
};

}  // namespace hal0::jobs
