#include "models/source.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/format.hpp"
#include "json/value.hpp"

namespace hal0::models {
namespace {

constexpr std::array source_kinds{SourceKind::Pypi, SourceKind::Npm, SourceKind::Url};

std::optional<SourceKind> source_kind_from(std::string_view name) {
    auto const* const found = std::find_if(source_kinds.begin(), source_kinds.end(),
                                           [name](SourceKind kind) { return to_string(kind) == name; });
    return found == source_kinds.end() ? std::nullopt : std::optional{*found};
}

}  // namespace

std::string_view to_string(SourceKind kind) {
    switch (kind) {
        case SourceKind::Pypi: return "pypi";
        case SourceKind::Npm: return "npm";
        case SourceKind::Url: return "url";
    }
    return {};
}

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
    auto const known = source_kind_from(kind);
    if (!known) {
        HAL0_CHECK(in.finish_lenient());
        return Error{Errc::Invalid, path + ".kind must be pypi, npm or url"};
    }
    source.kind = *known;
    switch (source.kind) {
        case SourceKind::Pypi:
        case SourceKind::Npm:
            in.required("package", source.package);
            in.required("version", source.version);
            break;
        case SourceKind::Url: in.required("url", source.url); break;
    }
    HAL0_CHECK(in.finish());
    if (!is_sha256(source.sha256)) {
        return Error{Errc::Invalid, path + ".sha256 must be 64 lower-case hexadecimal digits"};
    }
    return source;
}

}  // namespace hal0::models
