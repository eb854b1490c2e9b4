#pragma once
// A GGUF header's bytes in order, read in pieces from a source, none of them twice. For gguf_file.cpp.
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "models/byte_source.hpp"
#include "models/gguf_format.hpp"
#include "models/gguf_limits.hpp"

namespace hal0::models::gguf {

// The first fault is kept: what is taken after it is zero or empty, so that only loops need to look.
class Input {
  public:
    explicit Input(ByteSource& source);

    // The machines hal0 runs on are little-endian, as the format is. The short way is for vocabularies: there
    // are some hundred thousand texts in one.
    template <class T> T number() {
        T value{};
        if (ok() && in_window() >= sizeof value) {
            std::memcpy(&value, window_.data() + (at_ - window_at_), sizeof value);
            at_ += sizeof value;
        } else {
            take(sizeof value).copy(reinterpret_cast<char*>(&value), sizeof value);
        }
        return value;
    }
    std::string text();                      // with its length in front
    std::string text(std::uint64_t length);  // at most text_bytes_max
    void skip(std::uint64_t count) {
        if (count > left()) return cut();
        at_ += count;
        if (at_ > header_bytes_max) fail("a header that doesn't end");
    }
    std::string_view start();  // at most the first 64 bytes, which are read again afterwards

    void fail(std::string what);
    void cut();  // its end came too early
    [[nodiscard]] bool ok() const { return !fault_; }
    [[nodiscard]] Error fault() const { return fault_.value_or(Error{}); }
    [[nodiscard]] std::uint64_t at() const { return at_; }
    [[nodiscard]] std::uint64_t left() const { return size_ - at_; }
    [[nodiscard]] Bytes total() const { return {static_cast<std::int64_t>(size_)}; }

  private:
    // Valid until the next call; empty after a fault.
    std::string_view take(std::uint64_t count);
    void fetch(std::uint64_t count);
    // How much of what comes next has been read.
    [[nodiscard]] std::uint64_t in_window() const {
        auto const end = window_at_ + window_.size();
        return at_ >= window_at_ && at_ < end ? end - at_ : 0;
    }

    ByteSource& source_;
    std::uint64_t size_;
    std::uint64_t at_{0};
    std::string window_{};  // what has been read last
    std::uint64_t window_at_{0};
    std::uint64_t next_piece_;
    std::optional<Error> fault_{};
};

}  // namespace hal0::models::gguf
