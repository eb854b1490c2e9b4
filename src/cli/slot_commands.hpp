#pragma once
// `hal0 slot …`.
#include "cli/context.hpp"
#include "cli/follow.hpp"

namespace hal0::cli {

Result<int> slot_list(Arguments const& arguments, Context& context);
Result<int> slot_show(Arguments const& arguments, Context& context);
Result<int> slot_explain(Arguments const& arguments, Context& context);
Result<int> slot_logs(Arguments const& arguments, Context& context);
Result<int> slot_load(Arguments const& arguments, Context& context);
Result<int> slot_unload(Arguments const& arguments, Context& context);
Result<int> slot_restart(Arguments const& arguments, Context& context);
Result<int> slot_swap(Arguments const& arguments, Context& context);
Result<int> slot_create(Arguments const& arguments, Context& context);
Result<int> slot_delete(Arguments const& arguments, Context& context);

// Until a slot whose unloading was asked for has no worker any more.
Work unload_work(std::string const& slot);
std::string slot_target(std::string_view slot, std::string_view what = "");  // "/api/slots/NAME/WHAT"

}  // namespace hal0::cli
