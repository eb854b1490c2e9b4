#include "history/event_stream.hpp"

#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::history {

std::string to_string(EventId id) { return format("{}-{}", id.epoch, id.sequence); }

std::optional<EventId> parse_event_id(std::string_view text) {
    auto const parts = split(text, '-');
    if (parts.size() != 2) return std::nullopt;
    auto const epoch = to_int(parts[0]);
    auto const sequence = to_int(parts[1]);
    if (!epoch || !sequence || *epoch < 0 || *sequence < 0) return std::nullopt;
    return EventId{static_cast<std::uint64_t>(*epoch), static_cast<std::uint64_t>(*sequence)};
}

EventId EventStream::publish(WallTime time, std::string type, std::string subject, std::string data) {
    Event const event{{epoch_, ++sequence_}, time, std::move(type), std::move(subject), std::move(data)};
    kept_.push_back(event);
    if (kept_.size() > kept_max_) kept_.pop_front();
    // A listener may leave, or another come, while they are told.
    std::vector<std::uint64_t> numbers;
    numbers.reserve(listeners_.size());
    for (auto const& [number, listener] : listeners_)
        numbers.push_back(number);
    for (auto const number : numbers) {
        auto const at = listeners_.find(number);
        if (at == listeners_.end()) continue;
        auto const listener = at->second;
        listener(event);
    }
    return event.id;
}

EventStream::Missed EventStream::since(EventId last) const {
    Missed missed;
    auto const oldest = kept_.empty() ? sequence_ + 1 : kept_.front().id.sequence;
    missed.complete = last.epoch == epoch_ && last.sequence + 1 >= oldest && last.sequence <= sequence_;
    if (!missed.complete) return missed;
    for (auto const& event : kept_) {
        if (event.id.sequence > last.sequence) missed.events.push_back(event);
    }
    return missed;
}

std::uint64_t EventStream::subscribe(Listener listener) {
    listeners_.emplace(next_listener_, std::move(listener));
    return next_listener_++;
}

void EventStream::unsubscribe(std::uint64_t number) { listeners_.erase(number); }

}  // namespace hal0::history
