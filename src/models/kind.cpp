#include "models/kind.hpp"

namespace hal0::models {
static_assert(kind_from("embed") == Kind::Embed && !kind_from("embeddings"));
}  // namespace hal0::models
