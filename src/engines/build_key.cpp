#include "engines/build_key.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::engines {
namespace {

struct Feature {
    std::string_view macro;
    std::string_view name;  // in /proc/cpuinfo
};

// What compilers use by themselves, and what engines ask for with intrinsics. Left out is what needs to be
// asked for and no engine asks (AES, SHA, …), and what they are compiled without (AMX, engines/compiler): it
// would only keep an engine from running where it could.
constexpr std::array features{
    Feature{"__SSE3__", "pni"},
    Feature{"__SSSE3__", "ssse3"},
    Feature{"__SSE4_1__", "sse4_1"},
    Feature{"__SSE4_2__", "sse4_2"},
    Feature{"__SSE4A__", "sse4a"},
    Feature{"__POPCNT__", "popcnt"},
    Feature{"__LZCNT__", "abm"},
    Feature{"__MOVBE__", "movbe"},
    Feature{"__BMI__", "bmi1"},
    Feature{"__BMI2__", "bmi2"},
    Feature{"__AVX__", "avx"},
    Feature{"__AVX2__", "avx2"},
    Feature{"__FMA__", "fma"},
    Feature{"__F16C__", "f16c"},
    Feature{"__FMA4__", "fma4"},
    Feature{"__XOP__", "xop"},
    Feature{"__TBM__", "tbm"},
    Feature{"__APX_F__", "apx"},
    Feature{"__GFNI__", "gfni"},
    Feature{"__AVXVNNI__", "avx_vnni"},
    Feature{"__AVX512F__", "avx512f"},
    Feature{"__AVX512CD__", "avx512cd"},
    Feature{"__AVX512VL__", "avx512vl"},
    Feature{"__AVX512BW__", "avx512bw"},
    Feature{"__AVX512DQ__", "avx512dq"},
    Feature{"__AVX512IFMA__", "avx512ifma"},
    Feature{"__AVX512VBMI__", "avx512vbmi"},
    Feature{"__AVX512VBMI2__", "avx512_vbmi2"},
    Feature{"__AVX512VNNI__", "avx512_vnni"},
    Feature{"__AVX512BITALG__", "avx512_bitalg"},
    Feature{"__AVX512VPOPCNTDQ__", "avx512_vpopcntdq"},
    Feature{"__AVX512BF16__", "avx512_bf16"},
    Feature{"__AVX512FP16__", "avx512_fp16"},
    Feature{"__ARM_NEON", "asimd"},
    Feature{"__ARM_FEATURE_ATOMICS", "atomics"},
    Feature{"__ARM_FEATURE_FP16_VECTOR_ARITHMETIC", "asimdhp"},
    Feature{"__ARM_FEATURE_DOTPROD", "asimddp"},
    Feature{"__ARM_FEATURE_BF16_VECTOR_ARITHMETIC", "bf16"},
    Feature{"__ARM_FEATURE_MATMUL_INT8", "i8mm"},
    Feature{"__ARM_FEATURE_SVE", "sve"},
    Feature{"__ARM_FEATURE_SVE2", "sve2"},
    Feature{"__ARM_FEATURE_SME", "sme"},
};

using Macros = std::map<std::string_view, std::string_view>;

// Lines of "#define NAME VALUE"; those of macros with parameters are of no use here.
Macros read_macros(std::string_view text) {
    constexpr std::string_view define = "#define ";
    Macros macros;
    for (auto line : split(text, '\n')) {
        if (!line.starts_with(define)) continue;
        line.remove_prefix(define.size());
        auto const space = line.find(' ');
        auto const value = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
        macros.emplace(line.substr(0, space), trim(value));
    }
    return macros;
}

std::string value_of(Macros const& macros, std::string_view name) {
    auto const found = macros.find(name);
    return found == macros.end() ? "0" : std::string{found->second};
}

std::string three(Macros const& macros, std::string_view major, std::string_view minor,
                  std::string_view patch) {
    return format("{}.{}.{}", value_of(macros, major), value_of(macros, minor), value_of(macros, patch));
}

// One fact a line, each list sorted: its order in a file makes no difference.
void add(std::string& text, std::string_view kind, std::vector<std::string> values) {
    std::sort(values.begin(), values.end());
    for (auto const& value : values)
        text += format("{} {}\n", kind, value);
}

std::string key_of(std::string_view text) { return os::sha256_hex(text).substr(0, 12); }

}  // namespace

Result<Compiler> compiler_from(std::string_view macros_text) {
    auto const macros = read_macros(macros_text);
    Compiler compiler;
    // Clang says that it is GCC 4.2.1, too.
    if (macros.contains("__clang__")) {
        compiler.name =
            "Clang " + three(macros, "__clang_major__", "__clang_minor__", "__clang_patchlevel__");
    } else if (macros.contains("__GNUC__")) {
        compiler.name = "GNU " + three(macros, "__GNUC__", "__GNUC_MINOR__", "__GNUC_PATCHLEVEL__");
    } else {
        return Error{Errc::Unsupported, "the C++ compiler is neither GCC nor Clang; set CXX to one that is"};
    }
    for (auto const& feature : features) {
        if (macros.contains(feature.macro)) compiler.cpu_features.emplace_back(feature.name);
    }
    std::sort(compiler.cpu_features.begin(), compiler.cpu_features.end());
    return compiler;
}

std::string build_key(EngineLock const& lock, Compiler const& compiler) {
    auto text = format("engine {}\nversion {}\n", lock.id, lock.version);
    add(text, "option", lock.recipe.options);
    add(text, "target", lock.recipe.targets);
    for (auto const& addition : lock.recipe.additions) {
        for (auto const& file : addition.files)
            text += format("addition {}/{} {}\n", addition.name, file.name, os::sha256_hex(file.text));
    }
    text += format("compiler {}\n", compiler.name);
    add(text, "feature", compiler.cpu_features);
    return key_of(text);
}

std::string build_key(EngineLock const& lock, Prebuilt const& prebuilt) {
    auto text = format("engine {}\nversion {}\n", lock.id, lock.version);
    add(text, "prebuilt feature", prebuilt.cpu_features);
    return key_of(text);
}

}  // namespace hal0::engines
