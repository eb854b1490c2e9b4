#include "os/cpu.hpp"

#ifdef __x86_64__
#include <cpuid.h>

#include <array>
#include <cstring>

namespace hal0::os {
namespace {

// Which registers the kernel saves (Intel SDM, XGETBV).
unsigned saved_registers() {
    unsigned low = 0;
    unsigned high = 0;
    asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

}  // namespace

bool cpu_has_apx() {
    constexpr unsigned apx_f = 1U << 21;          // leaf 7.1, edx
    constexpr unsigned apx_registers = 1U << 19;  // XCR0
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return false;
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d) == 0 || (d & apx_f) == 0) return false;
    return (saved_registers() & apx_registers) != 0;
}

std::optional<std::string> cpu_hypervisor() {
    constexpr unsigned hypervisor_present = 1U << 31;  // leaf 1, ecx
    constexpr unsigned hypervisor_leaf = 0x40000000;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & hypervisor_present) == 0) return std::nullopt;
    __cpuid(hypervisor_leaf, a, b, c, d);
    std::array<unsigned, 3> const words{b, c, d};
    std::array<char, sizeof words + 1> name{};
    std::memcpy(name.data(), words.data(), sizeof words);
    return std::string{name.data()};
}

}  // namespace hal0::os
#else
namespace hal0::os {
bool cpu_has_apx() { return false; }
std::optional<std::string> cpu_hypervisor() { return std::nullopt; }
}  // namespace hal0::os
#endif
