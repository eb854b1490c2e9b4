#pragma once
// Runs hal0-fetch (fetch/), which does what needs libcurl or libarchive, and waits for its end.
#include <string>
#include <vector>

#include "base/result.hpp"
#include "models/progress.hpp"

namespace hal0::models {

// Where it stands: beside hal0's own program.
std::string fetch_program();

// `words`: its command and arguments. What comes is told as `step`, so far as it goes. Its own error, as it
// says it; Io when it ends otherwise.
Result<void> run_fetch_program(std::string const& program, std::vector<std::string> words,
                               Progress const& step = {}, OnProgress const& progress = {});

}  // namespace hal0::models
