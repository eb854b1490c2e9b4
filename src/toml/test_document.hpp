#pragma once
// Texts that are documents, for tests.
#include <string>
#include <utility>

#include "toml/document.hpp"

namespace hal0::toml {

inline Document read(std::string text) { return Document::parse(std::move(text), "f.toml").value(); }

}  // namespace hal0::toml
