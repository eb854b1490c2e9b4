#include "api/request_log.hpp"

namespace hal0::api {

void RequestLog::hand_over() {
    timer_.stop();
    if (records_.empty()) return;
    port_.ended(std::exchange(records_, {}), std::exchange(unrecorded_, 0));
    records_.reserve(records_max);
}

}  // namespace hal0::api
