#pragma once
// Arithmetic on numbers that a file has said: a product ends at more than any box holds instead of wrapping
// around.
#include <algorithm>
#include <cstdint>
#include <initializer_list>

namespace hal0::memory {

inline constexpr std::int64_t product_max = std::int64_t{1}
                                            << 50;  // a thousand TB; some thousands of them can be added

inline constexpr std::int64_t float_bytes = 4;
inline constexpr std::int64_t tensor_alignment = 32;  // of ggml's CPU buffers

constexpr std::int64_t product(std::initializer_list<std::int64_t> factors) {
    std::int64_t result = 1;
    bool over = false;
    for (auto const factor : factors) {
        if (factor == 0) return 0;
        over |= __builtin_mul_overflow(result, factor, &result) || result > product_max;
        if (over) result = 1;
    }
    return over ? product_max : result;
}

constexpr std::int64_t round_up(std::int64_t number, std::int64_t step) {
    return (number + step - 1) / step * step;
}

static_assert(product({3, 4, 5}) == 60 && product({product_max, 2}) == product_max &&
              product({product_max, 2, 0}) == 0);

}  // namespace hal0::memory
