#pragma once
// How many tokens an answer took and how long, as the worker tells it at its end (llama-server's `timings`
// and `usage`), found without reading the JSON: on every answer's way.
#include <string_view>

#include "history/records.hpp"

namespace hal0::api {

// What `piece` of an answer tells, into what was told before; a piece that tells nothing changes nothing. It
// is an answer's end or its beginning, or a piece of a stream that ends with an event.
void read_figures(std::string_view piece, history::AnswerFigures& into);

}  // namespace hal0::api
