#pragma once
// `hal0 engine …`: through the daemon where one runs, else in this process.
#include "cli/context.hpp"

namespace hal0::cli {

Result<int> engine_list(Arguments const& arguments, Context& context);
Result<int> engine_show(Arguments const& arguments, Context& context);
Result<int> engine_install(Arguments const& arguments, Context& context);
Result<int> engine_remove(Arguments const& arguments, Context& context);

}  // namespace hal0::cli
