#pragma once
// GGUF files put together byte by byte, so that the reader is not held against our own writer. For tests.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/byte_source.hpp"
#include "models/gguf_format.hpp"

namespace hal0::models::gguf {

struct Bits {
    std::string bytes{};
    template <class T> Bits& number(T value) {
        bytes.append(reinterpret_cast<char const*>(&value), sizeof value);
        return *this;
    }
    Bits& text(std::string_view content) {
        number(std::uint64_t{content.size()});
        bytes += content;
        return *this;
    }
    Bits& key(std::string_view name, ValueType type) {
        return text(name).number(static_cast<std::uint32_t>(type));
    }
    Bits& tensor(std::string_view name, std::uint64_t columns, std::uint32_t type, std::uint64_t offset) {
        return text(name).number(2U).number(columns).number(std::uint64_t{2}).number(type).number(offset);
    }
};

inline Bits head(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    Bits bits{"GGUF"};
    return bits.number(version).number(tensors).number(keys);
}
// Serves ranges of what is in memory, as a server far away would, and keeps count.
class ServedBytes final : public ByteSource {
  public:
    explicit ServedBytes(std::string content, Pieces pieces = remote_pieces)
        : content_{std::move(content)}, size_{static_cast<std::int64_t>(content_.size())}, pieces_{pieces} {}
    // Says that it is larger than it is: what lies behind the header is never asked for.
    ServedBytes(std::string header, Bytes size) : content_{std::move(header)}, size_{size} {}

    [[nodiscard]] Bytes size() const override { return size_; }
    [[nodiscard]] Pieces pieces() const override { return pieces_; }
    Result<std::string> read(Bytes offset, Bytes count) override {
        asked.push_back(count);
        served += count;
        auto const from = static_cast<std::size_t>(offset.count);
        if (from > content_.size()) return std::string{};
        return content_.substr(from, static_cast<std::size_t>(count.count));
    }

    std::vector<Bytes> asked{};
    Bytes served{};

  private:
    std::string content_;
    Bytes size_;
    Pieces pieces_{remote_pieces};
};

}  // namespace hal0::models::gguf
