#pragma once
// Follows long work of the daemon to its end, telling how far it is. The work is the daemon's: Ctrl-C ends
// the watching and never the work.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"
#include "cli/progress.hpp"

namespace hal0::cli {

// What one look at the work showed.
struct Look {
    Progress progress{};
    std::vector<std::string> notes{};  // things worth telling until now, the newest last
    enum class Stage { Runs, Done } stage{Stage::Runs};
    std::optional<Error> fault{};  // it ended without success
};

struct Work {
    std::string subject{};  // "loading primary": for people
    std::string look_at{};  // what to GET to see how it stands
    std::function<Result<Look>(std::string const& body)> read{};
    // A call whose answer is the end of the work, where there is one. The work goes on when it is cut.
    std::optional<http::ClientRequest> call{};
};

// The answer of the call, or the last body looked at; Cancelled when Ctrl-C came first.
Result<std::string> follow(Context& context, Api const& api, Work const& work);

}  // namespace hal0::cli
