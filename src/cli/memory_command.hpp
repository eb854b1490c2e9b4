#pragma once
// `hal0 memory`: who holds the memory of the box.
#include <string>

#include "cli/context.hpp"
#include "wire/memory_view.hpp"

namespace hal0::cli {

Result<int> memory(Arguments const& arguments, Context& context);

// A table for each pool.
std::string memory_text(Terminal const& terminal, wire::MemoryView const& view);

}  // namespace hal0::cli
