#include "slots/worker_log.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace hal0::slots {
namespace {

constexpr std::size_t line_bytes_max = 300;

bool complains(std::string_view line) {
    constexpr std::array<std::string_view, 14> words{
        "error",  "fatal", "fail",   "terminate called", "exception", "abort",  "out of memory",
        "unable", "can't", "cannot", "couldn't",         "invalid",   "assert", "no such"};
    auto const low = lower(line);
    return std::any_of(words.begin(), words.end(),
                       [&low](std::string_view word) { return low.find(word) != std::string::npos; });
}

std::string printable(std::string_view line) {
    std::string text{line.substr(0, line_bytes_max)};
    bool const plain_only = !valid_utf8(text);  // a cut may also fall into a character
    for (auto& c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || (plain_only && byte >= 0x80)) c = '?';
    }
    if (line.size() > line_bytes_max) text += " …";
    return text;
}

std::string_view of_last_worker(std::string_view tail) {
    auto const mark = tail.rfind(worker_log_mark);
    if (mark == std::string_view::npos) return tail;
    auto const line_end = tail.find('\n', mark);
    return line_end == std::string_view::npos ? std::string_view{} : tail.substr(line_end + 1);
}

}  // namespace

std::string telling_line(std::string_view tail, EndedWhile when) {
    std::string_view telling;
    std::string_view last;
    for (auto const raw : split(of_last_worker(tail), '\n')) {
        auto const line = trim(raw);
        if (line.empty()) continue;
        last = line;
        if (complains(line) && (telling.empty() || when == EndedWhile::Serving)) telling = line;
    }
    return printable(telling.empty() ? last : telling);
}

}  // namespace hal0::slots
