// models::Fetcher for this room's tests: takes file:// sources, and unpacks with tar.
#include <algorithm>

#include "base/format.hpp"
#include "models/fetcher.hpp"
#include "os/child.hpp"
#include "os/file.hpp"

namespace hal0::models {

std::string Fetcher::place_of(Source const& source) const {
    return source.url.substr(std::string_view{"file://"}.size());
}

Result<std::string> Fetcher::fetch(std::vector<Source> const& sources) const {
    for (auto const& source : sources) {
        auto const path = place_of(source);
        auto const hash = os::sha256_of(path);
        if (!hash) continue;
        if (*hash != source.sha256) return Error{Errc::Corrupt, format("{} is not what is pinned", path)};
        return path;
    }
    return Error{Errc::Unavailable, "no source answered"};
}

Result<void> Fetcher::extract_tree(std::string const& archive, std::string const& prefix,
                                   std::string const& target) const {
    auto const depth = std::count(prefix.begin(), prefix.end(), '/');
    HAL0_TRY(done, os::run_to_end({.argv = {"tar", "xzf", archive, "-C", target,
                                            format("--strip-components={}", depth), prefix}}));
    if (!done.status.clean()) return Error{Errc::Corrupt, done.output};
    return {};
}

}  // namespace hal0::models
