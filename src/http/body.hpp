#pragma once
// Where the body of a message ends (RFC 9112 §6 and §7.1), found in the raw bytes as they pass: nothing is
// copied, nothing is encoded again. One strict reader serves requests (decoded) and answers (tracked).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/head.hpp"

namespace hal0::http {

// The chunked coding. Extensions and trailers are skipped within limits.
class ChunkReader {
  public:
    enum class Status : std::uint8_t {
        More,  // all bytes are used, the end isn't there
        Data,  // a run of data; call again with what is left
        Done,  // the last chunk and the trailers are over; what is left belongs to the next message
        Bad,   // not the chunked coding
    };
    struct Step {
        Status status{Status::More};
        std::size_t used{0};
        std::string_view data{};
    };
    Step next(std::string_view bytes);
    // Between two chunks: a whole chunk of ours could be put in here.
    [[nodiscard]] bool at_boundary() const { return state_ == State::SizeStart; }

  private:
    enum class State : std::uint8_t {
        SizeStart,
        Size,
        Extension,
        SizeLf,
        Data,
        DataCr,
        DataLf,
        TrailerStart,
        Trailer,
        TrailerLf,
        LastLf,
        Done,
        Bad,
    };
    State step(char c);
    State size_digit(char c);
    State after_size(char c);

    std::uint64_t left_{0};     // of this chunk's data
    std::uint32_t skipped_{0};  // bytes of this chunk's extension, or of the trailers
    std::uint8_t digits_{0};
    State state_{State::SizeStart};
};

enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

// How an answer's body is framed (RFC 9112 §6.3).
Framing framing_of(ResponseHead const& head, bool answers_head_request);

// Follows one body through raw bytes.
class BodyTracker {
  public:
    BodyTracker() = default;
    BodyTracker(Framing framing, std::uint64_t length)
        : left_{length},
          framing_{framing},
          ended_{framing == Framing::None || (framing == Framing::Length && length == 0)} {}

    // How many of `bytes` belong to the body (its framing included); on_data(run) for its content.
    template <class OnData> std::size_t consume(std::string_view bytes, OnData on_data);
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] bool bad() const { return bad_; }
    [[nodiscard]] Framing framing() const { return framing_; }
    // Content of our own could be put in here without breaking the framing.
    [[nodiscard]] bool at_boundary() const {
        return framing_ == Framing::UntilClose || (framing_ == Framing::Chunked && chunks_.at_boundary());
    }

  private:
    ChunkReader chunks_{};
    std::uint64_t left_{0};
    Framing framing_{Framing::None};
    bool ended_{true};
    bool bad_{false};
};

template <class OnData> std::size_t BodyTracker::consume(std::string_view bytes, OnData on_data) {
    if (ended_ || bad_) return 0;
    if (framing_ == Framing::UntilClose) {
        if (!bytes.empty()) on_data(bytes);
        return bytes.size();
    }
    if (framing_ == Framing::Length) {
        auto const run =
            bytes.substr(0, static_cast<std::size_t>(left_ < bytes.size() ? left_ : bytes.size()));
        left_ -= run.size();
        ended_ = left_ == 0;
        if (!run.empty()) on_data(run);
        return run.size();
    }
    std::size_t used = 0;
    while (used < bytes.size() && !ended_ && !bad_) {
        auto const step = chunks_.next(bytes.substr(used));
        used += step.used;
        if (!step.data.empty()) on_data(step.data);
        ended_ = step.status == ChunkReader::Status::Done;
        bad_ = step.status == ChunkReader::Status::Bad;
    }
    return used;
}

// Whether a stream of server-sent events stands between two events: a blank line came last, or nothing yet.
class EventBoundary {
  public:
    void feed(std::string_view data) {
        for (char const c : data.size() > 4 ? data.substr(data.size() - 4) : data)
            tail_ = (tail_ << 8U) | static_cast<unsigned char>(c);
    }
    [[nodiscard]] bool between_events() const {
        constexpr std::uint32_t lf_lf = 0x0a0a, cr_cr = 0x0d0d, crlf_crlf = 0x0d0a0d0a;
        return (tail_ & 0xffffU) == lf_lf || (tail_ & 0xffffU) == cr_cr || tail_ == crlf_crlf;
    }

  private:
    std::uint32_t tail_{0x0a0a};  // the last four bytes; a stream begins between events
};

}  // namespace hal0::http
