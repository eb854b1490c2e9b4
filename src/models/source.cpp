#include "models/source.hpp"

#include "base/format.hpp"

namespace hal0::models {

std::string to_string(Source const& source) {
    switch (source.kind) {
        case SourceKind::Pypi: return format("pypi:{}=={}", source.package, source.version);
        case SourceKind::Npm: return format("npm:{}@{}", source.package, source.version);
        case SourceKind::Url: return source.url;
    }
    return {};
}

}  // namespace hal0::models
