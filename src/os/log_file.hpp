#pragma once
// Keeps logs short that programs write for months.
#include <string>

#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::os {

// A log larger than `max` is emptied where it is, its last `max` bytes put aside as PATH.1. For writers that
// can't be told to open another: they must append (O_APPEND), else they go on behind a hole. Blocks on disk.
Result<void> shorten_log(std::string const& path, Bytes max);

// Whether this process's descriptor `fd` is that file, and appends.
bool appends_to(int fd, std::string const& path);

}  // namespace hal0::os
