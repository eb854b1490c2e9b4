#include "api/request_ids.hpp"

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::api {

RequestIds::RequestIds() : prefix_{"req-" + os::random_hex(6)} {}

std::string RequestIds::next() { return format("{}{:012x}", prefix_, count_++); }

}  // namespace hal0::api
