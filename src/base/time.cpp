#include "base/time.hpp"

#include <algorithm>
#include <chrono>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0 {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

std::string rfc3339(WallTime time) {
    auto const second = floor<seconds>(time);
    auto const day = floor<days>(second);
    year_month_day const date{day};
    hh_mm_ss const clock{second - day};
    return format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int{date.year()}, unsigned{date.month()},
                  unsigned{date.day()}, clock.hours().count(), clock.minutes().count(),
                  clock.seconds().count());
}

std::optional<WallTime> from_rfc3339(std::string_view text) {
    constexpr std::string_view shape = "0000-00-00T00:00:00Z";
    auto const fits = [](char mark, char c) { return mark == '0' ? c >= '0' && c <= '9' : mark == c; };
    if (!std::equal(shape.begin(), shape.end(), text.begin(), text.end(), fits)) return std::nullopt;
    auto const number = [text](std::size_t at, std::size_t count) {
        return static_cast<int>(*to_int(text.substr(at, count)));
    };
    year_month_day const date{std::chrono::year{number(0, 4)},
                              std::chrono::month{static_cast<unsigned>(number(5, 2))},
                              std::chrono::day{static_cast<unsigned>(number(8, 2))}};
    int const hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} + seconds{second};
}

}  // namespace hal0
