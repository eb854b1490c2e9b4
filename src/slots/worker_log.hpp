#pragma once
// What a worker's log says about its end, in one line.
#include <string>
#include <string_view>

namespace hal0::slots {

// Begins the line that `hal0 slot exec` writes before each worker's own.
inline constexpr std::string_view worker_log_mark = "==== hal0 starts";

enum class EndedWhile {
    Loading,  // the first complaint is the reason, the later ones follow from it
    Serving,  // the last one is: earlier ones were about requests
};

// Out of the last bytes of a log: the line of the last worker that tells why it ended, else its last line;
// empty when it said nothing. Printable UTF-8, of bearable length.
std::string telling_line(std::string_view tail, EndedWhile when);

}  // namespace hal0::slots
