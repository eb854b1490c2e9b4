#pragma once
// A string that can't be printed by accident: no stream operator, no formatter, no conversion. reveal() is
// the one way out and easy to search for.
#include <string>
#include <string_view>
#include <utility>

namespace hal0 {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) : text_{std::move(text)} {}
    [[nodiscard]] std::string const& reveal() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }
    // Takes the same time wherever the first difference is.
    [[nodiscard]] bool matches(std::string_view other) const;
    // A text by somebody who knows the secret, with "***" wherever it stands in it.
    [[nodiscard]] std::string hidden_in(std::string text) const;

  private:
    std::string text_{};
};

}  // namespace hal0
