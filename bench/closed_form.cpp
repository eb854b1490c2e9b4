// Times the closed form from within: the header of a model read from its file, and the estimate made of it.
//
//     bench-closed-form MODEL [CONTEXT]
//
// Prints a line of JSON, in microseconds: the whole, and of that what reading takes; medians of 50.
#include <cstdio>
#include <string>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "memory/closed_form.hpp"
#include "memory/shape.hpp"
#include "models/gguf_model.hpp"
#include "timing.hpp"

namespace hal0 {
namespace {

constexpr int rounds = 50;

Result<std::string> measure(std::string const& path, Tokens context) {
    std::vector<double> all, reading;
    Bytes total{};
    for (int i = 0; i < rounds; ++i) {
        auto const begin = Clock::now();
        HAL0_TRY(model, models::read_gguf_model(path));
        reading.push_back(us_since(begin));
        HAL0_TRY(shape, memory::model_shape(model));
        HAL0_TRY(estimate, memory::closed_form(shape, model.tensors, {.context = context}));
        all.push_back(us_since(begin));
        total = estimate.total();
    }
    return format(R"({{"all": {:.0f}, "reading": {:.0f}, "bytes": {}}})", median(all), median(reading),
                  total.count);
}

int run(std::vector<std::string> const& arguments) {
    auto const context = arguments.size() == 3 ? to_int(arguments[2]) : std::optional<std::int64_t>{8192};
    if (arguments.size() < 2 || arguments.size() > 3 || !context) {
        std::fputs("usage: bench-closed-form MODEL [CONTEXT]\n", stderr);
        return 2;
    }
    auto const figures = measure(arguments[1], {*context});
    if (!figures) {
        std::fprintf(stderr, "%s\n", figures.error().message.c_str());
        return 1;
    }
    std::puts(figures->c_str());
    return 0;
}

}  // namespace
}  // namespace hal0

int main(int argc, char** argv) { return hal0::run({argv, argv + argc}); }
