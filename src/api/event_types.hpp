#pragma once
// The kinds of events on /api/events.
#include <array>
#include <string_view>

#include "wire/history_views.hpp"
#include "wire/views.hpp"

namespace hal0::api {

struct EventType {
    std::string_view name{};
    std::string_view subject{};
    wire::BodyDoc (*data)(){nullptr};  // null: it has none
    std::string_view when{};
};

inline constexpr EventType slot_state{"slot.state", "the slot's name", &wire::describe<wire::SlotView>,
                                      "A slot is new, or something of it changed."};
inline constexpr EventType slot_removed{"slot.removed", "the slot's name", nullptr, "A slot is no more."};
inline constexpr EventType job_changed{"job", "the job's id", &wire::describe<wire::JobView>,
                                       "A job began, moved on (a few times a second at most) or ended."};
inline constexpr EventType slot_slow{"slot.slow", "the slot's name", &wire::describe<wire::SlotSlowView>,
                                     "Its last five requests were slower by more than 30 % than those like "
                                     "them before; once, until it is quick again."};
inline constexpr EventType resync{
    "resync", "", nullptr,
    "Events between the last one received and this one are gone: look at the present state first."};

inline constexpr std::array event_types{slot_state, slot_removed, slot_slow, job_changed, resync};

}  // namespace hal0::api
