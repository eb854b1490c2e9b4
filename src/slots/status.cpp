#include "slots/status.hpp"

namespace hal0::slots {

std::string_view to_string(State state) {
    switch (state) {
        case State::Offline: return "offline";
        case State::Starting: return "starting";
        case State::Loading: return "loading";
        case State::Ready: return "ready";
        case State::Unloading: return "unloading";
        case State::Error: return "error";
    }
    return "?";
}

std::string_view to_string(Wanted wanted) { return wanted == Wanted::Up ? "up" : "down"; }

}  // namespace hal0::slots
