#include "http/body.hpp"

#include <algorithm>

#include "http/limits.hpp"

namespace hal0::http {
namespace {

constexpr std::uint8_t size_digits_max = 15;  // 60 bits: no sum of ours overflows

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_control(char c) {
    auto const byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

ChunkReader::Step ChunkReader::next(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (state_ == State::Data) {
            auto const run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
            left_ -= run;
            if (left_ == 0) state_ = State::DataCr;
            return {Status::Data, at + run, bytes.substr(at, run)};
        }
        state_ = step(bytes[at]);
        if (state_ == State::Bad) return {Status::Bad, at, {}};
        ++at;
        if (state_ == State::Done) return {Status::Done, at, {}};
    }
    return {Status::More, at, {}};
}

ChunkReader::State ChunkReader::size_digit(char c) {
    int const value = hex_value(c);
    if (value < 0 || digits_ >= size_digits_max) return State::Bad;
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    ++digits_;
    return State::Size;
}

ChunkReader::State ChunkReader::after_size(char c) {
    if (c == '\r') return State::SizeLf;
    if (is_control(c) || ++skipped_ > chunk_extension_bytes_max) return State::Bad;
    return State::Extension;
}

ChunkReader::State ChunkReader::step(char c) {
    switch (state_) {
        case State::SizeStart:
            left_ = 0;
            digits_ = 0;
            skipped_ = 0;
            return size_digit(c);
        case State::Size:
            if (c == '\r' || c == ';') return after_size(c);
            return size_digit(c);
        case State::Extension: return after_size(c);
        case State::SizeLf:
            if (c != '\n') return State::Bad;
            skipped_ = 0;
            return left_ == 0 ? State::TrailerStart : State::Data;
        case State::DataCr: return c == '\r' ? State::DataLf : State::Bad;
        case State::DataLf: return c == '\n' ? State::SizeStart : State::Bad;
        case State::TrailerStart:
            if (c == '\r') return State::LastLf;
            [[fallthrough]];
        case State::Trailer:
            if (c == '\r') return State::TrailerLf;
            if (is_control(c) || ++skipped_ > trailer_bytes_max) return State::Bad;
            return State::Trailer;
        case State::TrailerLf: return c == '\n' ? State::TrailerStart : State::Bad;
        case State::LastLf: return c == '\n' ? State::Done : State::Bad;
        case State::Data:
        case State::Done:
        case State::Bad: break;
    }
    return State::Bad;
}

Framing framing_of(ResponseHead const& head, bool answers_head_request) {
    if (answers_head_request || head.status < 200 || head.status == 204 || head.status == 304)
        return Framing::None;
    if (head.chunked) return Framing::Chunked;
    if (head.content_length) return Framing::Length;
    return Framing::UntilClose;
}

}  // namespace hal0::http
