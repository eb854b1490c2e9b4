#pragma once
// Counts the requests in flight on one slot, from every loop at once, and lets the control plane close the
// slot without losing one of them. What became of those before stands in its tally.
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/no_copy.hpp"
#include "dispatch/tally.hpp"

namespace hal0::dispatch {

// One word: bit 63 says closed, the rest counts. Entering a closed gate fails; the last one to leave a closed
// gate tells `drained`, once per closing. The gate outlives every lease and every RouteTable that names it.
class SlotGate final : NoCopy {
  public:
    // `drained` is called on whichever thread leaves last (or closes an empty gate): it may only post.
    explicit SlotGate(std::function<void()> drained) : drained_{std::move(drained)} {}

    [[nodiscard]] bool enter();  // any thread
    void leave();                // any thread, once per successful enter()
    void open();                 // control plane
    void close();                // control plane; nothing happens when it is closed already
    bool close_if_empty();       // control plane; false where somebody is in it, or it is closed already
    [[nodiscard]] bool is_open() const { return (word_.load(std::memory_order_acquire) & closed_bit) == 0; }
    // Since when nobody is in it; nothing while somebody is.
    [[nodiscard]] std::optional<TimePoint> idle_since() const {
        if (in_flight() > 0) return std::nullopt;
        return TimePoint{std::chrono::nanoseconds{last_left_ns_.load(std::memory_order_relaxed)}};
    }
    [[nodiscard]] SlotTally& tally() { return tally_; }
    [[nodiscard]] SlotTally const& tally() const { return tally_; }
    [[nodiscard]] std::uint64_t in_flight() const {
        return word_.load(std::memory_order_acquire) & ~closed_bit;
    }

  private:
    void note_time();

    static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;
    std::atomic<std::uint64_t> word_{closed_bit};  // born closed: a slot opens when its worker is ready
    std::function<void()> drained_;
    std::atomic<std::int64_t> last_left_ns_{0};  // or when it was opened
    SlotTally tally_{};
};

// One request's right to use the slot's worker. Moves with the request; leaves the gate when it ends.
class Lease {
  public:
    Lease() = default;
    Lease(Lease&& other) noexcept : gate_{std::exchange(other.gate_, nullptr)} {}
    Lease& operator=(Lease&& other) noexcept {
        if (this != &other) {
            release();
            gate_ = std::exchange(other.gate_, nullptr);
        }
        return *this;
    }
    Lease(Lease const&) = delete;
    Lease& operator=(Lease const&) = delete;
    ~Lease() { release(); }

    // Holds nothing when the gate is closed.
    static Lease take(SlotGate& gate) { return gate.enter() ? Lease{&gate} : Lease{}; }
    [[nodiscard]] bool held() const { return gate_ != nullptr; }
    // Its request has come to its end; nothing where it holds nothing.
    void count(Outcome outcome, std::optional<Duration> first_byte, Duration total) {
        if (gate_ != nullptr) gate_->tally().count(outcome, first_byte, total);
    }
    void count(TokenWork const& work) {
        if (gate_ != nullptr) gate_->tally().count(work);
    }
    // Requests on its slot, this one among them; 0 where it holds nothing.
    [[nodiscard]] std::uint64_t in_flight() const { return gate_ == nullptr ? 0 : gate_->in_flight(); }
    void release() {
        if (auto* gate = std::exchange(gate_, nullptr)) gate->leave();
    }

  private:
    explicit Lease(SlotGate* gate) : gate_{gate} {}
    SlotGate* gate_{nullptr};
};

}  // namespace hal0::dispatch
