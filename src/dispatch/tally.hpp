#pragma once
// What became of the requests on one slot, counted by every loop at once and read by whoever asks. Counts
// only grow, as Prometheus wants them.
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/no_copy.hpp"
#include "base/units.hpp"

namespace hal0::dispatch {

enum class Outcome : std::uint8_t {
    Ok,           // the worker answered, and the client has all of it
    ClientError,  // the worker refused it: 4xx
    ServerError,  // the worker failed at it: 5xx
    ClientGone,   // the client left first
    WorkerLost,   // the worker ended or broke off
    Stalled,      // one of them was silent for too long
    Refused,      // no worker had it: its slot didn't come up, not in time, or too many waited for it
};
inline constexpr std::array outcome_names{"ok",          "client_error", "server_error", "client_gone",
                                          "worker_lost", "stalled",      "refused"};
constexpr std::string_view to_string(Outcome outcome) {
    return outcome_names.at(static_cast<std::size_t>(outcome));
}
// `status`: the worker's.
constexpr Outcome outcome_of_status(int status) {
    if (status >= 500) return Outcome::ServerError;
    return status >= 400 ? Outcome::ClientError : Outcome::Ok;
}

// How long things took, by bounds; what is over the last one is in `count` alone.
inline constexpr std::array bucket_bounds{
    std::chrono::milliseconds{5},      std::chrono::milliseconds{25},     std::chrono::milliseconds{100},
    std::chrono::milliseconds{250},    std::chrono::milliseconds{500},    std::chrono::milliseconds{1'000},
    std::chrono::milliseconds{2'500},  std::chrono::milliseconds{5'000},  std::chrono::milliseconds{10'000},
    std::chrono::milliseconds{30'000}, std::chrono::milliseconds{60'000}, std::chrono::milliseconds{300'000}};
struct Times {
    std::array<std::uint64_t, bucket_bounds.size()> buckets{};  // each by itself, not summed up
    std::uint64_t count{0};
    Duration sum{};
    void add(Duration time);
    bool operator==(Times const&) const = default;
};

// What one answer took, or all of them.
struct TokenWork {
    std::int64_t prompt{0};     // tokens of the prompt that were computed
    std::int64_t cached{0};     // … that the worker had from before
    std::int64_t generated{0};  // tokens of the answer
    Duration prompt_time{};
    Duration generated_time{};
    bool operator==(TokenWork const&) const = default;
};

class SlotTally final : NoCopy {
  public:
    // Any thread. `first_byte`: nothing where none came.
    void count(Outcome outcome, std::optional<Duration> first_byte, Duration total);
    // Of one that no worker was given: it has no times.
    void count_unserved(Outcome outcome);
    void count(TokenWork const& work);

    struct Reading {
        std::array<std::uint64_t, outcome_names.size()> requests{};
        Times first_byte{};
        Times total{};
        TokenWork work{};
    };
    [[nodiscard]] Reading read() const;  // any thread; figures of requests that end meanwhile may be in part

  private:
    struct AtomicTimes {
        std::array<std::atomic<std::uint64_t>, bucket_bounds.size()> buckets{};
        std::atomic<std::uint64_t> count{0};
        std::atomic<std::int64_t> sum_ns{0};
        void add(Duration time);
        [[nodiscard]] Times read() const;
    };
    std::array<std::atomic<std::uint64_t>, outcome_names.size()> requests_{};
    AtomicTimes first_byte_{};
    AtomicTimes total_{};
    std::atomic<std::int64_t> prompt_tokens_{0};
    std::atomic<std::int64_t> cached_tokens_{0};
    std::atomic<std::int64_t> generated_tokens_{0};
    std::atomic<std::int64_t> prompt_ns_{0};
    std::atomic<std::int64_t> generated_ns_{0};
};

}  // namespace hal0::dispatch
