#include "http/buffer.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace hal0::http {
namespace {

constexpr std::size_t first_bytes = 512;

}  // namespace

void Buffer::append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (room() < bytes.size()) reserve(std::max({first_bytes, 2 * capacity_, size_ + bytes.size()}));
    std::memcpy(end(), bytes.data(), bytes.size());
    size_ += bytes.size();
}

void Buffer::reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    auto* const grown = static_cast<char*>(std::realloc(data_, capacity));
    if (grown == nullptr) throw std::bad_alloc{};
    data_ = grown;
    capacity_ = capacity;
}

void Buffer::drop_front(std::size_t count) {
    size_ -= count;
    std::memmove(data_, data_ + count, size_);
}

void ByteQueue::append(std::string_view bytes) {
    // What was taken is made room of when it is most of it, so that each byte is moved once on average.
    if (taken_ > bytes_.size() / 2) {
        bytes_.drop_front(taken_);
        taken_ = 0;
    }
    bytes_.append(bytes);
}

void ByteQueue::drop_front(std::size_t count) {
    taken_ += count;
    if (taken_ == bytes_.size()) clear();
}

void ByteQueue::clear() {
    bytes_.release();
    taken_ = 0;
}

}  // namespace hal0::http
