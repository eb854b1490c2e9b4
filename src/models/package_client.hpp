#pragma once
// How pip and npm are asked for one file of a package. They reach their registries as the machine has them
// set up, which is all that hal0 knows of registries.
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "models/source.hpp"
#include "os/child.hpp"

namespace hal0::models {

// A command that leaves the package's file, and nothing else, in WORK/out; `work` is begun anew. For pip, a
// private Python is made at CACHE/python where the machine's has none (Unavailable says what to install).
// Nothing of the package is run, and pip itself looks at the hash before it looks into the file.
Result<os::Command> package_command(Source const& source, std::string const& work, std::string const& cache);

// Of what the program has downloaded so far into `work`.
Bytes package_bytes(Source const& source, std::string const& work);
// Whether what it has said shows that the registry answered.
bool registry_answered(std::string_view output);
// Why it failed, by what it said.
Error package_fault(std::string_view output);

}  // namespace hal0::models
