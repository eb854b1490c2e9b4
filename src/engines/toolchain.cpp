#include "engines/toolchain.hpp"

#include <array>
#include <optional>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/child.hpp"
#include "os/file.hpp"

namespace hal0::engines {
namespace {

// Compilers that stand in unusual places need the latter two.
constexpr std::array carried{"PATH", "HOME", "TMPDIR", "CC", "CXX", "LD_LIBRARY_PATH"};
constexpr std::uint32_t executable_bits = 0111;

bool is_program(std::string const& path) {
    auto const found = os::status(path);
    return found && found->kind == os::FileKind::Regular && (found->mode & executable_bits) != 0;
}

std::optional<std::string> find_program(std::string const& name, std::string const& search_path) {
    if (name.find('/') != std::string::npos) return is_program(name) ? std::optional{name} : std::nullopt;
    for (auto const directory : split(search_path, ':')) {
        auto path = os::join_path(directory, name);
        if (is_program(path)) return path;
    }
    return std::nullopt;
}

std::int64_t usable_cores() {
    auto const said = os::run_to_end({.argv = {"nproc"}});
    return said && said->status.clean() ? to_int(trim(said->output)).value_or(1) : 1;
}

}  // namespace

Result<Toolchain> find_toolchain(EngineLock const& lock, os::Environment const& environment) {
    auto const path = environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
    Toolchain tools{.environment = {"LC_ALL=C"}};
    std::vector<std::string> missing;
    std::vector<std::string> packages;
    auto const want = [&](std::string& place, std::string const& name, std::string const& package) {
        if (auto const found = find_program(name, path)) {
            place = *found;
            return;
        }
        missing.push_back(name);
        packages.push_back(package);
    };
    want(tools.cmake, "cmake", "cmake");
    want(tools.ninja, "ninja", "ninja-build");
    want(tools.cxx, environment("CXX").value_or("c++"), "g++");
    if (!missing.empty()) {
        return Error{Errc::Unsupported,
                     format("building {} needs {}, which this machine does not have; install with: "
                            "sudo apt-get install -y {}",
                            lock.name, join(missing, " and "), join(packages, " "))};
    }
    for (auto const* name : carried) {
        if (auto const value = environment(name)) tools.environment.push_back(format("{}={}", name, *value));
    }
    tools.cores = usable_cores();
    return tools;
}

Result<Compiler> probe_compiler(Toolchain const& tools, Recipe const& recipe) {
    std::vector<std::string> argv{tools.cxx, "-dM", "-E", "-x", "c++"};
    if (recipe.native) argv.emplace_back("-march=native");
    argv.emplace_back("/dev/null");
    HAL0_TRY(said, os::run_to_end({.argv = std::move(argv), .environment = tools.environment}));
    if (!said.status.clean()) {
        return Error{Errc::Unsupported, format("the C++ compiler {} does not work ({}): {}", tools.cxx,
                                               os::describe(said.status), trim(said.output))};
    }
    HAL0_TRY(compiler, compiler_from(said.output));
    if (!recipe.native) compiler.cpu_features.clear();
    return compiler;
}

}  // namespace hal0::engines
