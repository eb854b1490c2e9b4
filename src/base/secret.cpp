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

std::string Secret::hidden_in(std::string text) const {
    constexpr std::string_view mask = "***";
    if (text_.empty()) return text;
    for (auto at = text.find(text_); at != std::string::npos; at = text.find(text_, at + mask.size()))
        text.replace(at, text_.size(), mask);
    return text;
}

}  // namespace hal0
