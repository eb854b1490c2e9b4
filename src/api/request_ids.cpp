#include "api/request_ids.hpp"

#include "os/file.hpp"

namespace hal0::api {
namespace {

constexpr std::size_t digits = 12;  // of the count

}  // namespace

RequestIds::RequestIds() : id_{"req-" + os::random_hex(6) + std::string(digits, '0')} {}

std::string_view RequestIds::text(std::uint64_t number) {
    auto left = number;
    for (auto at = id_.rbegin(); at != id_.rbegin() + digits; ++at, left >>= 4U)
        *at = "0123456789abcdef"[left & 0xFU];
    return id_;
}

}  // namespace hal0::api
