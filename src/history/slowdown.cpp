#include "history/slowdown.hpp"

#include <algorithm>
#include <bit>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::history {
namespace {

constexpr std::int64_t much_longer = 4;
constexpr double load_slower_by = 0.5;
constexpr double load_seconds_more = 2;
constexpr Bytes swapped_least = 64_MiB;  // the kernel moves a little out of any process that idles

// Contexts are alike within a factor of four, and all short ones are: reading the cache is not what they wait
// for.
int likeness(std::int64_t context) {
    constexpr std::int64_t short_one = 1024;
    auto const size = static_cast<std::uint64_t>(std::max(context, short_one) / short_one);
    return (static_cast<int>(std::bit_width(size)) - 1) / 2;
}

double median_speed(std::span<Speed const> speeds) {
    std::vector<double> values;
    values.reserve(speeds.size());
    for (auto const& speed : speeds)
        values.push_back(speed.tokens_per_s);
    return median(std::move(values));
}

std::int64_t median_context(std::span<Speed const> speeds) {
    std::vector<double> values;
    values.reserve(speeds.size());
    for (auto const& speed : speeds)
        values.push_back(static_cast<double>(speed.context));
    return static_cast<std::int64_t>(median(std::move(values)));
}

bool all_slower(std::span<Speed const> speeds, double usual) {
    return std::ranges::all_of(
        speeds, [usual](Speed const& speed) { return speed.tokens_per_s < usual * (1 - slower_by); });
}

}  // namespace

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

std::optional<Slowdown> slowdown(std::span<Speed const> recent, std::span<Speed const> before) {
    if (recent.size() < slow_in_a_row || before.size() < baseline_least) return std::nullopt;
    auto const last = recent.last(slow_in_a_row);
    Slowdown found{.now = median_speed(last), .context = median_context(last)};
    std::vector<Speed> alike;
    std::ranges::copy_if(
        before, std::back_inserter(alike),
        [like = likeness(found.context)](Speed const& speed) { return likeness(speed.context) == like; });
    bool const comparable = alike.size() >= baseline_least;
    found.usual = median_speed(comparable ? std::span<Speed const>{alike} : before);
    if (!comparable) {
        found.usual_context = median_context(before);
        if (found.context < *found.usual_context * much_longer) return std::nullopt;
    }
    return all_slower(last, found.usual) ? std::optional{found} : std::nullopt;
}

std::optional<double> slow_load(double seconds, std::span<double const> before) {
    if (before.size() < baseline_loads_least) return std::nullopt;
    auto const usual = median({before.begin(), before.end()});
    bool const slow = seconds > usual * (1 + load_slower_by) && seconds > usual + load_seconds_more;
    return slow ? std::optional{usual} : std::nullopt;
}

Advice advise(std::string const& slot, Slowdown const& found, Signs const& signs) {
    auto const restart = format("'hal0 slot restart {}'", slot);
    if (found.usual_context)
        return {
            format(
                "its requests have long contexts now, {} tokens where {} were usual: each token of an answer "
                "reads all of it",
                found.context, *found.usual_context),
            "begin a new conversation; a restart makes no long context quick"};
    if (signs.swapped >= swapped_least)
        return {format("{} of its worker are swapped out: memory is short, or was", human(signs.swapped)),
                format("{} loads it anew; 'hal0 memory' tells who holds the memory", restart)};
    if (signs.others_too)
        return {
            "the other slots are slower too: the box runs at a lower power state, is hot, or does something "
            "else",
            "'hal0 doctor' looks at the power settings; a restart of the slot helps only if that is in "
            "order"};
    if (signs.loaded_slowly)
        return {"its last load was slow too: memory is short or in small pieces, or the disk is slow",
                format("{} loads it anew; 'hal0 memory' tells who holds the memory", restart)};
    return {"memory in small pieces, or something else that computes on this box",
            format("{} loads it anew; 'hal0 memory' tells what else is there", restart)};
}

}  // namespace hal0::history
