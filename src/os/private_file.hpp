#pragma once
// Files that hold a secret, and a process that has read one.
#include <string>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

// Opens a file for reading that is this user's own and that nobody else can read or write; what is checked is
// what was opened. NotFound where there is none; Forbidden, with the command that mends it, where its owner
// or its mode is another; Invalid where it is no file.
Result<UniqueFd> open_private(std::string const& path);

// From here on this process leaves no core dump, and no other of its user can look into its memory (proc(5),
// PR_SET_DUMPABLE). An exec undoes it: it is the first thing that a program does which is to have a secret.
Result<void> hide_memory();

}  // namespace hal0::os
