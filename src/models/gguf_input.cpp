#include "models/gguf_input.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::models::gguf {

Input::Input(ByteSource& source)
    : source_{source},
      size_{static_cast<std::uint64_t>(std::max<std::int64_t>(source.size().count, 0))},
      next_piece_{static_cast<std::uint64_t>(source.pieces().first.count)} {}

std::string Input::text() { return text(number<std::uint64_t>()); }

std::string Input::text(std::uint64_t length) {
    if (length <= text_bytes_max) return std::string{take(length)};
    fail(format("a text of {} bytes where a name should be", length));
    return {};
}

std::string_view Input::start() {
    auto const found = take(std::min<std::uint64_t>(64, size_));
    at_ = 0;
    return found;
}

void Input::fail(std::string what) {
    if (!fault_) fault_ = Error{Errc::Corrupt, std::move(what)};
}

void Input::cut() { fail(format("its header goes on after the file's end ({})", human(total()))); }

std::string_view Input::take(std::uint64_t count) {
    auto const from = at_;
    skip(count);
    if (!ok()) return {};
    if (from < window_at_ || at_ > window_at_ + window_.size()) {
        at_ = from;
        fetch(count);
        if (!ok()) return {};
        at_ = from + count;
    }
    return std::string_view{window_}.substr(from - window_at_, count);
}

// The window then begins at at_ and holds `count` bytes at least. What it held of them is kept.
void Input::fetch(std::uint64_t count) {
    auto const kept = in_window();
    window_.erase(0, window_.size() - kept);
    window_at_ = at_;
    auto const wanted = std::min(std::max(count - kept, next_piece_), left() - kept);
    auto piece = source_.read({static_cast<std::int64_t>(at_ + kept)}, {static_cast<std::int64_t>(wanted)});
    if (!piece) {
        fault_ = std::move(piece).error();
        return;
    }
    window_ += *piece;
    if (window_.size() < count) cut();  // it shrank while it was read
    next_piece_ = std::min(next_piece_ * 2, static_cast<std::uint64_t>(source_.pieces().most.count));
}

}  // namespace hal0::models::gguf
