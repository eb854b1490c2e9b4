#pragma once
// Quantities that must not be mixed up. Time is std::chrono.
#include <chrono>
#include <compare>
#include <cstdint>

namespace hal0 {

struct Bytes {
    std::int64_t count{0};
    auto operator<=>(Bytes const&) const = default;
    Bytes& operator+=(Bytes other) {
        count += other.count;
        return *this;
    }
    Bytes& operator-=(Bytes other) {
        count -= other.count;
        return *this;
    }
    friend Bytes operator+(Bytes a, Bytes b) { return a += b; }
    friend Bytes operator-(Bytes a, Bytes b) { return a -= b; }
};

constexpr Bytes operator""_KiB(unsigned long long n) { return {static_cast<std::int64_t>(n) << 10}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return {static_cast<std::int64_t>(n) << 20}; }
constexpr Bytes operator""_GiB(unsigned long long n) { return {static_cast<std::int64_t>(n) << 30}; }

struct Tokens {
    std::int64_t count{0};
    auto operator<=>(Tokens const&) const = default;
};

// Monotonic, for durations and deadlines; wall-clock stamps are WallTime.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;
constexpr double in_seconds(Duration duration) { return std::chrono::duration<double>{duration}.count(); }
using WallTime = std::chrono::system_clock::time_point;

}  // namespace hal0
