#include "models/source.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "json/value.hpp"

namespace hal0::models {

std::string to_string(Source const& source) {
    switch (source.kind) {
        case SourceKind::Pypi: return format("pypi:{}=={}", source.package, source.version);
        case SourceKind::Npm: return format("npm:{}@{}", source.package, source.version);
        case SourceKind::Url: return source.url;
    }
    return {};
}

bool is_sha256(std::string_view text) {
    auto const hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return text.size() == 64 && std::all_of(text.begin(), text.end(), hex);
}

Result<Source> decode_source(json::Value const& value, std::string const& path) {
    Source source;
    std::string kind;
    json::ObjectReader in{value, path};
    in.required("kind", kind);
    in.required("sha256", source.sha256);
    in.optional("size", source.size.count);
    if (kind == "url") {
        source.kind = SourceKind::Url;
        in.required("url", source.url);
    } else {
        source.kind = kind == "npm" ? SourceKind::Npm : SourceKind::Pypi;
        in.required("package", source.package);
        in.required("version", source.version);
    }
    HAL0_CHECK(in.finish());
    if (kind != "url" && kind != "npm" && kind != "pypi") {
        return Error{Errc::Invalid, path + ".kind must be pypi, npm or url"};
    }
    if (!is_sha256(source.sha256)) {
        return Error{Errc::Invalid, path + ".sha256 must be 64 lower-case hexadecimal digits"};
    }
    return source;
}

}  // namespace hal0::models
