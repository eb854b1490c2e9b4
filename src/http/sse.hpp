#pragma once
// Server-sent events (WHATWG HTML, "Server-sent events"): writing them, and reading them from a stream of
// bytes.
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace hal0::http {

struct SseEvent {
    std::string id{};
    std::string type{};  // empty means "message"
    std::string data{};
    bool operator==(SseEvent const&) const = default;
};

std::string encode(SseEvent const& event);  // data with newlines becomes several data: lines
std::string sse_comment(std::string_view text);

// Of one event's data, and of any line. An event over it is dropped whole: half of one would be taken for
// all.
inline constexpr std::size_t sse_event_bytes_max = std::size_t{16} << 20;

// The id stays until another comes, as the standard has it (the "last event ID").
class SseReader {
  public:
    // Feeds bytes cut anywhere; `on_event` for each event completed. Comments are skipped. Lines end with LF,
    // CRLF or CR.
    void feed(std::string_view bytes, std::function<void(SseEvent const&)> const& on_event);

  private:
    void line(std::string_view text, std::function<void(SseEvent const&)> const& on_event);
    void event_ends(std::function<void(SseEvent const&)> const& on_event);
    std::string rest_{};  // of a line that hasn't ended
    SseEvent event_{};
    bool has_data_{false};
    bool line_too_long_{false};
    bool event_too_long_{false};
    bool after_cr_{false};
    bool begun_{false};
};

}  // namespace hal0::http
