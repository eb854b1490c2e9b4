#include "http/inbound.hpp"

namespace hal0::http {
namespace {

// Parsing starts at the first byte each time, so it is done only where it can find something new: an end of
// a line, a first line that becomes too long, a head that does.
bool worth_parsing(std::size_t size, std::string_view piece) {
    constexpr std::size_t first_line_bytes_max = method_bytes_max + target_bytes_max + 16;
    return size <= first_line_bytes_max || size > head_bytes_max ||
           piece.find('\n') != std::string_view::npos;
}

}  // namespace

void Inbound::clear() {
    head_bytes.clear();
    head_counted = {};
    head.headers.clear();
    body.clear();
    body_counted = {};
    tracker = {};
    worker_head.clear();
    added.clear();
    answer_head.clear();
}

HeadProgress read_head(Inbound& inbound, std::string_view bytes, std::size_t& used) {
    constexpr std::string_view head_end = "\r\n\r\n";
    // What follows the head is left where it is, where its end can be seen: it may be much.
    auto const end = bytes.find(head_end);
    auto const piece = bytes.substr(0, end == std::string_view::npos ? end : end + head_end.size());
    used = piece.size();
    auto& all = inbound.head_bytes;
    all.append(piece);
    if (!worth_parsing(all.size(), piece)) return {HeadProgress::State::More, 0, {}};
    auto const progress = parse_request_head(all.view(), inbound.head);
    if (progress.state == HeadProgress::State::Done) {  // its end may lie across two pieces
        used -= all.size() - progress.size;
        all.truncate(progress.size);
    }
    return progress;
}

void begin_body(Inbound& inbound) {
    auto const& head = inbound.head;
    auto const framing = head.chunked          ? Framing::Chunked
                         : head.content_length ? Framing::Length
                                               : Framing::None;
    inbound.tracker = BodyTracker{framing, head.content_length.value_or(0)};
}

std::size_t body_bytes_missing(Inbound const& inbound) {
    return static_cast<std::size_t>(inbound.head.content_length.value_or(0)) - inbound.body.size();
}

std::unique_ptr<Inbound> InboundSpares::take() {
    if (spares_.empty()) return std::make_unique<Inbound>();
    auto inbound = std::move(spares_.back());
    spares_.pop_back();
    return inbound;
}

void InboundSpares::give_back(std::unique_ptr<Inbound> inbound) {
    if (spares_.size() >= inbound_spare_max) return;
    if (inbound->memory() > inbound_spare_bytes_max) return;
    inbound->clear();
    spares_.push_back(std::move(inbound));
}

}  // namespace hal0::http
