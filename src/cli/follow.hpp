#pragma once
// Follows long work of the daemon to its end, telling how far it is. The work is the daemon's: Ctrl-C ends
// the watching and never the work.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/context.hpp"
#include "cli/progress.hpp"

namespace hal0::cli {

// What one look at the work showed.
struct Look {
    Progress progress{};
    std::string note{};
    std::optional<Result<void>> end{};  // how it ended, once it has
};

struct Work {
    std::string target{};   // what to GET to see how it stands
    std::string subject{};  // "loading primary": it goes on when we leave
    std::function<Result<Look>(std::string const& body)> read{};
};

// Gives the last body seen, or Cancelled when Ctrl-C came first.
Result<std::string> follow(Context& context, Api const& api, Work const& work);

}  // namespace hal0::cli
