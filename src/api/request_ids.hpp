#pragma once
// Names for requests that bring none: unlike any other's, and made without asking the kernel each time.
#include <cstdint>
#include <string>
#include <string_view>

namespace hal0::api {

class RequestIds {
  public:
    RequestIds();
    // "req-" and 24 hex digits; stands until the next is made.
    [[nodiscard]] std::string_view next();

  private:
    std::string id_;  // its first half is random: neither another loop's nor a former daemon's
    std::uint64_t count_{0};
};

}  // namespace hal0::api
