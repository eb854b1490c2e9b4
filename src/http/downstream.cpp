#include "http/downstream.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "http/limits.hpp"

namespace hal0::http {

void Downstream::close() {
    fd_.reset();
    pending_.clear();
}

bool Downstream::send(std::initializer_list<std::string_view> parts) {
    constexpr std::size_t parts_max = 4;
    assert(parts.size() <= parts_max);
    std::size_t sent = 0;
    if (pending_.empty()) {
        std::array<os::Slice, parts_max> slices{};
        std::size_t count = 0;
        for (auto const part : parts)
            if (!part.empty()) slices.at(count++) = {part.data(), part.size()};
        if (count == 0) return true;
        auto const io = os::write_some(fd_.get(), slices.data(), count);
        if (io.closed) return false;
        sent = io.count;
        got_further_ = true;
    }
    for (auto part : parts) {
        auto const skip = std::min(sent, part.size());
        sent -= skip;
        part.remove_prefix(skip);
        pending_.append(part);
    }
    return true;
}

void Downstream::keep_buffer_small() {
    if (std::exchange(buffer_is_small_, true)) return;
    os::set_send_buffer(fd_.get(), sse_send_buffer_bytes);
}

bool Downstream::flush() {
    if (pending_.empty()) return true;
    auto const all = pending_.view();
    os::Slice const slice{all.data(), all.size()};
    auto const io = os::write_some(fd_.get(), &slice, 1);
    if (io.closed) return false;
    pending_.drop_front(io.count);
    got_further_ = got_further_ || io.count > 0;
    return true;
}

}  // namespace hal0::http
