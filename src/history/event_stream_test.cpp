#include "history/event_stream.hpp"

#include <gtest/gtest.h>

namespace hal0::history {
namespace {

std::vector<std::string> subjects(std::vector<Event> const& events) {
    std::vector<std::string> out;
    for (auto const& event : events)
        out.push_back(event.subject);
    return out;
}

TEST(EventId, PrintsAndParses) {
    EXPECT_EQ(to_string({7, 3}), "7-3");
    EXPECT_EQ(parse_event_id("7-3"), (EventId{7, 3}));
    for (auto const* bad : {"", "7", "7-", "-1-2", "a-b", "1-2-3"})
        EXPECT_FALSE(parse_event_id(bad)) << bad;
}

TEST(EventStream, GivesWhatWasMissed) {
    EventStream stream{100, 8};
    auto const first = stream.publish({}, "slot.state", "a", "{}");
    stream.publish({}, "slot.state", "b", "{}");
    stream.publish({}, "slot.state", "c", "{}");
    auto const missed = stream.since(first);
    EXPECT_TRUE(missed.complete);
    EXPECT_EQ(subjects(missed.events), (std::vector<std::string>{"b", "c"}));
    EXPECT_TRUE(stream.since(stream.latest()).events.empty());
    EXPECT_TRUE(stream.since(stream.latest()).complete);
}

TEST(EventStream, SaysWhenThePastIsGoneOrAnothers) {
    EventStream stream{100, 2};
    auto const first = stream.publish({}, "t", "a", "");
    for (auto const* subject : {"b", "c", "d"})
        stream.publish({}, "t", subject, "");
    EXPECT_FALSE(stream.since(first).complete);
    EXPECT_FALSE(stream.since({99, 1}).complete);   // an earlier daemon's
    EXPECT_FALSE(stream.since({100, 9}).complete);  // never was
    EXPECT_TRUE(stream.since({100, 2}).complete);
}

TEST(EventStream, ListenersMayLeaveWhileTheyAreTold) {
    EventStream stream{1, 4};
    std::string heard;
    std::uint64_t second = 0;
    stream.subscribe([&](Event const& event) {
        heard += "1" + event.subject;
        stream.unsubscribe(second);
    });
    second = stream.subscribe([&](Event const&) { heard += "2"; });
    stream.publish({}, "t", "a", "");
    EXPECT_EQ(heard, "1a");
}

}  // namespace
}  // namespace hal0::history
