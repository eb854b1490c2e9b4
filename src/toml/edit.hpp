#pragma once
// Changing one key of a document by splice: what the edit doesn't speak of stays as it is, byte for byte,
// comments, order, line ends and unknown keys.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "toml/document.hpp"

namespace hal0::toml {

// Names from the root table down: {"context"}, {"limits", "body_max"}.
using Path = std::vector<std::string>;

using Setting = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

// How a value is written in a new line: strings in double quotes, arrays on one line.
std::string written(Setting const& setting);

// The document with `path` set. A value that says so already stays as it is written; another one is replaced
// where it stands; a key that is not there is added as the last of its table, and so is a table. In an array
// with as many items as before only the items that differ are replaced.
//   Conflict     the key, or one on the way to it, is something else (a table, a number)
//   Unsupported  the key would have to be added within an inline table
//   Invalid      a string that is not UTF-8
//   Internal     the new text does not say what it should; nobody has seen it
Result<Document> with(Document const& document, Path const& path, Setting const& setting);

// The document without `path`: its line goes, with the comment on it. Nothing changes when it isn't there.
Result<Document> without(Document const& document, Path const& path);

}  // namespace hal0::toml
