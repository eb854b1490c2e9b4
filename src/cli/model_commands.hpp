#pragma once
// `hal0 model …`: through the daemon where one runs, else in this process.
#include "cli/context.hpp"

namespace hal0::cli {

Result<int> model_list(Arguments const& arguments, Context& context);
Result<int> model_show(Arguments const& arguments, Context& context);
Result<int> model_pull(Arguments const& arguments, Context& context);
Result<int> model_verify(Arguments const& arguments, Context& context);

}  // namespace hal0::cli
