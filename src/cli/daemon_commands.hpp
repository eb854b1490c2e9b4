#pragma once
// Commands about the daemon itself: how it is, what happens in it, its end.
#include "cli/context.hpp"

namespace hal0::cli {

Result<int> status(Arguments const& arguments, Context& context);
Result<int> events(Arguments const& arguments, Context& context);
Result<int> stop(Arguments const& arguments, Context& context);
Result<int> places(Arguments const& arguments, Context& context);

}  // namespace hal0::cli
