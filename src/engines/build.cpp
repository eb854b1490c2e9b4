#include "engines/build.hpp"

#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::engines {
namespace {

constexpr Bytes shown_tail_max = 2_KiB;

// Cuts what comes in pieces into lines.
class Lines {
  public:
    explicit Lines(std::function<void(std::string_view)> const& on_line) : on_line_{on_line} {}
    void add(std::string_view piece) {
        if (!on_line_) return;
        begun_ += piece;
        std::size_t start = 0;
        for (auto end = begun_.find('\n'); end != std::string::npos; end = begun_.find('\n', start)) {
            on_line_(std::string_view{begun_}.substr(start, end - start));
            start = end + 1;
        }
        begun_.erase(0, start);
    }

  private:
    std::function<void(std::string_view)> const& on_line_;
    std::string begun_{};
};

// The box stays usable meanwhile. flock: when an installer is killed, what it had started lives a while
// longer; the lock is inherited by all of that, so that the next one waits until nobody else writes in the
// tree.
std::vector<std::string> in_tree(BuildTree const& tree, std::vector<std::string> argv) {
    std::vector<std::string> whole{"nice", "-n", "10", "flock", tree.path + "/.busy"};
    whole.insert(whole.end(), std::make_move_iterator(argv.begin()), std::make_move_iterator(argv.end()));
    return whole;
}

// Writes the recipe's additions into the tree and tells CMake to read them with the engine's project. It is
// told for every project() within the engine, too: the files guard themselves.
Result<void> add_along(Recipe const& recipe, BuildTree const& tree, std::vector<std::string>& configure) {
    if (recipe.additions.empty()) return {};
    std::string includes;
    for (auto const& addition : recipe.additions) {
        auto const folder = os::join_path(tree.additions(), addition.name);
        HAL0_CHECK(os::make_directories(folder));
        for (auto const& file : addition.files)
            HAL0_CHECK(os::atomic_write(os::join_path(folder, file.name), file.text));
        includes += format("include(\"${{CMAKE_CURRENT_LIST_DIR}}/{0}/{0}.cmake\")\n", addition.name);
    }
    // One file that reads them all: before CMake 3.29 one is all that can be named.
    auto const all = os::join_path(tree.additions(), "additions.cmake");
    HAL0_CHECK(os::atomic_write(all, includes));
    configure.push_back("-DCMAKE_PROJECT_INCLUDE=" + all);
    return {};
}

}  // namespace

Result<InstallLog> InstallLog::open(std::string const& path) {
    HAL0_CHECK(os::make_directories(os::directory_of(path)));
    HAL0_CHECK(os::remove_file(path));
    HAL0_TRY(fd, os::open_append(path));
    return InstallLog{path, std::move(fd)};
}

Result<void> InstallLog::note(std::string_view line) {
    return os::write_all(fd_.get(), format("{}\n", line), path_);
}

Result<void> InstallLog::run(os::Command command, std::string_view doing,
                             std::function<void(std::string_view line)> const& on_line) {
    HAL0_CHECK(note("\n$ " + join(command.argv, " ")));
    Lines lines{on_line};
    Result<void> written;
    auto const take = [&](std::string_view piece) {
        if (auto now = os::write_all(fd_.get(), piece, path_); !now) written = std::move(now);
        lines.add(piece);
    };
    HAL0_TRY(finished, os::run_to_end(std::move(command), 0, take));
    if (finished.status.clean()) return written;
    auto const tail = os::read_tail(path_, shown_tail_max);
    return Error{Errc::Io, format("{} failed: it {}; its output is in {}, which ends with:\n{}", doing,
                                  os::describe(finished.status), path_, tail ? trim(*tail) : "")}
        .with("log", path_);
}

std::optional<NinjaStep> ninja_step(std::string_view line) {
    auto const slash = line.find('/');
    auto const end = line.find("] ");
    if (!line.starts_with('[') || slash == std::string_view::npos || end == std::string_view::npos ||
        slash > end)
        return std::nullopt;
    auto const done = to_int(line.substr(1, slash - 1));
    auto const total = to_int(line.substr(slash + 1, end - slash - 1));
    if (!done || !total) return std::nullopt;
    return NinjaStep{*done, *total};
}

Result<void> build(EngineLock const& lock, Toolchain const& tools, BuildTree const& tree, InstallLog& log,
                   models::OnProgress const& progress) {
    auto const tell = [&](std::string step, NinjaStep at) {
        if (progress) progress({std::move(step), at.done, at.total, models::Progress::Unit::Steps});
    };
    auto const engine = format("{} {}", lock.name, lock.version);
    // Generator and compilers by path: what PATH finds first when Ninja runs CMake again must make no
    // difference.
    std::vector<std::string> configure{tools.cmake,
                                       "-S",
                                       tree.source(),
                                       "-B",
                                       tree.build(),
                                       "-G",
                                       "Ninja",
                                       "-DCMAKE_MAKE_PROGRAM=" + tools.ninja,
                                       "-DCMAKE_CXX_COMPILER=" + tools.cxx};
    for (auto const& option : lock.recipe.options)
        configure.push_back("-D" + option);
    HAL0_CHECK(add_along(lock.recipe, tree, configure));
    std::vector<std::string> make{tools.ninja, "-C", tree.build(), "-j", format("{}", tools.cores)};
    make.insert(make.end(), lock.recipe.targets.begin(), lock.recipe.targets.end());

    tell(format("configuring {}", engine), {});
    HAL0_CHECK(log.run({.argv = in_tree(tree, std::move(configure)), .environment = tools.environment},
                       format("configuring {}", engine)));
    auto const doing = format("building {}", engine);
    return log.run({.argv = in_tree(tree, std::move(make)), .environment = tools.environment}, doing,
                   [&](std::string_view line) {
                       if (auto const step = ninja_step(line)) tell(doing, *step);
                   });
}

}  // namespace hal0::engines
