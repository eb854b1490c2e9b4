#pragma once
// Names for requests that bring none: unlike any other's, and made without asking the kernel each time.
#include <cstdint>
#include <string>

namespace hal0::api {

class RequestIds {
  public:
    RequestIds();
    [[nodiscard]] std::string next();  // "req-" and 24 hex digits

  private:
    std::string prefix_;  // random: neither another loop's nor a former daemon's
    std::uint64_t count_{0};
};

}  // namespace hal0::api
