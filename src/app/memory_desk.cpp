#include "app/memory_desk.hpp"

#include <utility>

namespace hal0::app {

void MemoryDesk::ask(std::vector<memory::SlotProcess> slots, TimePoint now, Answer answer) {
    if (last_ && now - last_at_ < memory_answer_age_max) return answer(*last_);
    asking_.push_back(std::move(answer));
    if (asking_.size() > 1) return;
    pool_.run(
        inbox_, [this, slots = std::move(slots)] { return read_(slots); },
        [this](Result<wire::MemoryView> view) { told(std::move(view)); });
}

void MemoryDesk::told(Result<wire::MemoryView> view) {
    if (view) {
        last_ = *view;
        last_at_ = Clock::now();
    }
    auto const asking = std::exchange(asking_, {});  // who asks again in its answer is one of the next
    for (auto const& answer : asking)
        answer(view);
}

}  // namespace hal0::app
