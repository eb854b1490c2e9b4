#pragma once
// Bytes that grow at their end: a message being read, or what a socket doesn't take yet. Unlike std::string
// it doesn't clear memory that a read is about to fill, and a large one grows by moving pages, not bytes.
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace hal0::http {

class Buffer {
  public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept
        : data_{std::exchange(other.data_, nullptr)},
          size_{std::exchange(other.size_, 0)},
          capacity_{std::exchange(other.capacity_, 0)} {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    Buffer(Buffer const&) = delete;
    Buffer& operator=(Buffer const&) = delete;
    ~Buffer() { std::free(data_); }

    [[nodiscard]] std::string_view view() const { return {data_, size_}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

    void append(std::string_view bytes);
    void reserve(std::size_t capacity);  // exactly, where append() grows by doubling
    // Memory behind the end, for a read; commit() says how much of it was filled.
    [[nodiscard]] char* end() { return data_ + size_; }
    [[nodiscard]] std::size_t room() const { return capacity_ - size_; }
    void commit(std::size_t count) { size_ += count; }

    void truncate(std::size_t size) { size_ = size; }
    void drop_front(std::size_t count);
    void clear() { size_ = 0; }  // keeps the memory
    void release() { Buffer{}.swap(*this); }
    void swap(Buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

  private:
    char* data_{nullptr};
    std::size_t size_{0};
    std::size_t capacity_{0};
};

// A buffer that is taken from at its front; holds memory only while something is in it.
class ByteQueue {
  public:
    [[nodiscard]] std::string_view view() const { return bytes_.view().substr(taken_); }
    [[nodiscard]] std::size_t size() const { return bytes_.size() - taken_; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    void append(std::string_view bytes);
    void drop_front(std::size_t count);
    void clear();

  private:
    Buffer bytes_{};
    std::size_t taken_{0};
};

}  // namespace hal0::http
