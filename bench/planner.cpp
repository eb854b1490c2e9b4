// Asks hal0's exact tier and times it from within: what bench/planner can't see from outside.
//
//     bench-planner ENGINE CACHE MODEL CONTEXT
//
// ENGINE: an installed engine's directory; CACHE: a directory of its own, emptied first. MODEL is planned at
// CONTEXT once with nothing kept (cold), then at 32 other contexts by the process that is open (step), then
// the first again (cached). Prints a line of JSON, in microseconds.
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "engines/planner.hpp"
#include "os/file.hpp"
#include "timing.hpp"

namespace hal0 {
namespace {

constexpr int steps = 32;
constexpr int cached_calls = 1000;

Result<std::string> measure(std::string const& engine_directory, std::string const& cache,
                            std::string const& path, Tokens context) {
    HAL0_TRY(sidecar, os::read_file(engine_directory + "/engine.json", 1_MiB));
    HAL0_TRY(engine, engines::decode_engine(sidecar, engine_directory));
    HAL0_CHECK(os::remove_tree(cache));
    engines::Planner planner{engine, cache};
    engines::PlannedModel const model{{{.path = path, .size_of_whole = {}}}, {}};
    auto const timed = [&](Tokens at) -> Result<double> {
        auto const begin = Clock::now();
        HAL0_CHECK(planner.plan(model, {.context = at}));
        return us_since(begin);
    };
    HAL0_TRY(cold, timed(context));
    std::vector<double> step;
    for (int i = 1; i <= steps; ++i) {
        HAL0_TRY(took, timed({context.count + 256 * i}));
        step.push_back(took);
    }
    std::vector<double> cached;
    for (int i = 0; i < cached_calls; ++i) {
        HAL0_TRY(took, timed(context));
        cached.push_back(took);
    }
    return format(R"({{"cold": {:.0f}, "step": {:.0f}, "cached": {:.0f}}})", cold, median(step),
                  median(cached));
}

int run(std::vector<std::string> const& arguments) {
    auto const context = arguments.size() == 5 ? to_int(arguments[4]) : std::nullopt;
    if (!context) {
        std::fputs("usage: bench-planner ENGINE CACHE MODEL CONTEXT\n", stderr);
        return 2;
    }
    auto const figures = measure(arguments[1], arguments[2], arguments[3], {*context});
    if (figures) {
        std::puts(figures->c_str());
        return 0;
    }
    std::fprintf(stderr, "%s\n", figures.error().message.c_str());
    return 1;
}

}  // namespace
}  // namespace hal0

int main(int argc, char** argv) { return hal0::run({argv, argv + argc}); }
