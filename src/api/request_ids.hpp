#pragma once
// Names for requests that bring none: unlike any other's, and made without asking the kernel each time.
#include <cstdint>
#include <string>
#include <string_view>

namespace hal0::api {

class RequestIds {
  public:
    RequestIds();
    // A number that stands for a name: the name is made where somebody is told it.
    [[nodiscard]] std::uint64_t take() { return count_++; }
    // "req-" and 24 hex digits; stands until the next is asked for.
    [[nodiscard]] std::string_view text(std::uint64_t number);
    [[nodiscard]] std::string_view next() { return text(take()); }

  private:
    std::string id_;  // its first half is random: neither another loop's nor a former daemon's
    std::uint64_t count_{0};
};

}  // namespace hal0::api
