#pragma once
// `hal0 slot …`.
#include "cli/context.hpp"
#include "cli/follow.hpp"

namespace hal0::cli {

Result<int> slot_list(Arguments const& arguments, Context& context);
Result<int> slot_show(Arguments const& arguments, Context& context);
Result<int> slot_explain(Arguments const& arguments, Context& context);
Result<int> slot_diff(Arguments const& arguments, Context& context);
Result<int> reload(Arguments const& arguments, Context& context);
Result<int> slot_logs(Arguments const& arguments, Context& context);
Result<int> slot_load(Arguments const& arguments, Context& context);
Result<int> slot_unload(Arguments const& arguments, Context& context);
Result<int> slot_restart(Arguments const& arguments, Context& context);
Result<int> slot_swap(Arguments const& arguments, Context& context);
Result<int> slot_create(Arguments const& arguments, Context& context);
Result<int> slot_delete(Arguments const& arguments, Context& context);

// What a slot is to do (`call`), to its end; its state is looked at until then. `subject`: "loading".
Work slot_work(std::string_view subject, std::string const& slot, http::ClientRequest call);
std::string slot_target(std::string_view slot, std::string_view what = "");  // "/api/slots/NAME/WHAT"

}  // namespace hal0::cli
