#include "base/secret.hpp"

#include <cstddef>

namespace hal0 {

bool Secret::matches(std::string_view other) const {
    if (text_.empty() || other.size() != text_.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
        difference |= static_cast<unsigned>(static_cast<unsigned char>(text_[i]) ^
                                            static_cast<unsigned char>(other[i]));
    }
    return difference == 0;
}

}  // namespace hal0
