#include "os/descriptor_limit.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>

namespace hal0::os {

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    auto const wanted = std::min<rlim_t>(limit.rlim_max, descriptors_max);
    if (limit.rlim_cur >= wanted) return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, SIZE_MAX));
    rlimit const raised{.rlim_cur = wanted, .rlim_max = limit.rlim_max};
    // Within the hard limit nobody needs a privilege for it; should it fail, what held before holds still.
    return static_cast<std::size_t>(::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? wanted : limit.rlim_cur);
}

}  // namespace hal0::os
