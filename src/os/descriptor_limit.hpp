#pragma once
// How many descriptors this process may have open at once (RLIMIT_NOFILE).
#include <cstddef>

namespace hal0::os {

// Raises the soft limit to the hard one and tells what holds now. The usual 1024 is there for programs that
// call select(2), which sees no descriptor beyond; a server of many connections is meant to raise it. It
// stays under descriptors_max, for what we start inherits it, and some programs close every descriptor there
// could be before they begin.
inline constexpr std::size_t descriptors_max = std::size_t{1} << 20;
std::size_t raise_descriptor_limit();

}  // namespace hal0::os
