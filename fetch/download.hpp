#pragma once
// One file from one http(s) address, gone on with where an earlier run has stopped.
#include <chrono>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/units.hpp"
#include "fetch/http_get.hpp"
#include "fetch/report.hpp"

namespace hal0::fetch {

struct Download {
    std::string url{};
    std::string target{};
    Bytes size{};  // what the file must have; 0: whatever comes
    std::chrono::seconds answer_within{5};
};

// Nothing on success.
std::optional<Failure> run(Download const& download, Report& report);

// A piece of one, written where it is in the whole. The target becomes as long as the whole is; what no piece
// came for is a hole.
struct Piece {
    std::string url{};
    Bytes first{};  // where it begins
    Bytes count{};  // fewer come at the end
    std::string target{};
    std::chrono::seconds answer_within{5};
};
// Unsupported where only the whole can be had, and the piece isn't its beginning.
std::optional<Failure> run(Piece const& piece);

}  // namespace hal0::fetch
