#include "http/sse.hpp"

#include <utility>

namespace hal0::http {
namespace {

// `prefix` before each line of `text`; every kind of line end in it becomes one of ours.
void put_lines(std::string& out, std::string_view prefix, std::string_view text) {
    while (true) {
        auto const end = text.find_first_of("\r\n");
        out += prefix;
        out += text.substr(0, end);
        out += '\n';
        if (end == std::string_view::npos) return;
        bool const pair = text.substr(end).starts_with("\r\n");
        text.remove_prefix(end + (pair ? 2 : 1));
    }
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find_first_of("\r\n")); }

}  // namespace

std::string encode(SseEvent const& event) {
    std::string out;
    out.reserve(event.id.size() + event.type.size() + event.data.size() + 32);
    if (!event.id.empty()) out.append("id: ").append(first_line(event.id)) += '\n';
    if (!event.type.empty()) out.append("event: ").append(first_line(event.type)) += '\n';
    put_lines(out, "data: ", event.data);
    out += '\n';
    return out;
}

std::string sse_comment(std::string_view text) {
    std::string out;
    put_lines(out, ": ", text);
    out += '\n';
    return out;
}

void SseReader::feed(std::string_view bytes, std::function<void(SseEvent const&)> const& on_event) {
    while (!bytes.empty()) {
        if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
        after_cr_ = false;
        auto const end = bytes.find_first_of("\r\n");
        auto const piece = bytes.substr(0, end);
        if (rest_.size() + piece.size() > sse_event_bytes_max) line_too_long_ = true;
        if (line_too_long_)
            rest_.clear();
        else
            rest_ += piece;
        if (end == std::string_view::npos) return;
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        auto const whole = std::exchange(rest_, {});
        if (std::exchange(line_too_long_, false))
            event_too_long_ = true;
        else
            line(whole, on_event);
    }
}

void SseReader::line(std::string_view text, std::function<void(SseEvent const&)> const& on_event) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (!begun_ && text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    begun_ = true;
    if (text.empty()) return event_ends(on_event);
    auto const colon = text.find(':');
    auto const name = text.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "data") {
        if (event_.data.size() + value.size() >= sse_event_bytes_max) event_too_long_ = true;
        if (event_too_long_) return;
        if (has_data_) event_.data += '\n';
        event_.data += value;
        has_data_ = true;
    } else if (name == "event") {
        event_.type = value;
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
        event_.id = value;
    }
}

void SseReader::event_ends(std::function<void(SseEvent const&)> const& on_event) {
    if (has_data_ && !event_too_long_) on_event(event_);
    event_.type.clear();
    event_.data.clear();
    has_data_ = event_too_long_ = false;
}

}  // namespace hal0::http
