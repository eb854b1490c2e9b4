#pragma once
// A value or an Error. A class of our own, because [[nodiscard]] on an alias is lost without a warning.
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace hal0 {

struct Unit {
    bool operator==(Unit const&) const = default;
};

template <class T> class [[nodiscard]] Result {
  public:
    using Value = T;

    Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}      // NOLINT: implicit by design
    Result(Error error) : state_{std::in_place_index<1>, std::move(error)} {}  // NOLINT: implicit by design

    [[nodiscard]] bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    // Asking for the one that isn't there is a bug, and throws (std::bad_variant_access).
    [[nodiscard]] T& value() & { return std::get<0>(state_); }
    [[nodiscard]] T const& value() const& { return std::get<0>(state_); }
    [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
    T* operator->() { return &value(); }
    T const* operator->() const { return &value(); }
    T& operator*() & { return value(); }
    T const& operator*() const& { return value(); }

    [[nodiscard]] Error& error() & { return std::get<1>(state_); }
    [[nodiscard]] Error const& error() const& { return std::get<1>(state_); }
    [[nodiscard]] Error&& error() && { return std::get<1>(std::move(state_)); }

    [[nodiscard]] T value_or(T other) && { return ok() ? std::move(*this).value() : std::move(other); }

  private:
    std::variant<T, Error> state_;
};

template <> class [[nodiscard]] Result<void> : public Result<Unit> {
  public:
    Result() : Result<Unit>{Unit{}} {}
    Result(Error error) : Result<Unit>{std::move(error)} {}  // NOLINT: implicit by design
};

}  // namespace hal0

// HAL0_TRY(name, expr): the value of `expr` as `name`, or return its Error upward. HAL0_CHECK(expr): only the
// latter.
#define HAL0_CONCAT_(a, b) a##b
#define HAL0_CONCAT(a, b) HAL0_CONCAT_(a, b)
#define HAL0_TRY_(tmp, name, expr)                \
    auto tmp = (expr);                            \
    if (!tmp.ok()) return std::move(tmp).error(); \
    auto name = std::move(tmp).value()
#define HAL0_TRY(name, expr) HAL0_TRY_(HAL0_CONCAT(hal0_try_, __LINE__), name, expr)
#define HAL0_CHECK(expr)                                                                      \
    do {                                                                                      \
        if (auto hal0_check = (expr); !hal0_check.ok()) return std::move(hal0_check).error(); \
    } while (false)
