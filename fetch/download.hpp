#pragma once
// One file from one http(s) address, gone on with where an earlier run has stopped.
#include <chrono>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/units.hpp"
#include "fetch/report.hpp"

namespace hal0::fetch {

struct Download {
    std::string url{};
    std::string target{};
    Bytes size{};  // what the file must have; 0: whatever comes
    std::chrono::seconds answer_within{5};
};

// How it ended, beside the error: nobody answering is another matter than an answer that doesn't help.
struct Failure {
    Error error{};
    enum class Peer { Silent, Answered } peer{Peer::Answered};
};

// Nothing on success.
std::optional<Failure> run(Download const& download, Report& report);

}  // namespace hal0::fetch
