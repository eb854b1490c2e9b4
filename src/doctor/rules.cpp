#include "doctor/rules.hpp"

#include <iterator>

namespace hal0::doctor {

std::vector<Rule> rules() {
    std::vector<Rule> all;
    for (auto const of_subject : {kernel_rules, node_rules, container_rules, graphics_rules, memory_rules,
                                  rocm_rules, npu_rules, power_rules, room_rules}) {
        auto some = of_subject();
        all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    return all;
}

}  // namespace hal0::doctor
