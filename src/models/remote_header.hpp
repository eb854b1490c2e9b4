#pragma once
// The header of a GGUF model that lies at an http(s) address: what is needed to size it before it is here. It
// is read in pieces and kept in the cache for ten minutes, as files as long as those that lie there, with
// nothing behind their headers.
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace hal0::models {

bool names_a_url(std::string_view name);

// Where the header of the model at `url` is kept: the path of its first file, which need not be there.
std::string header_place(std::string const& cache, std::string const& url);

// Whether what is at a place is young enough to be believed.
bool is_fresh(std::string const& place, WallTime now);

struct HeaderWorld {
    std::string cache{};          // Places::cache
    std::string fetch_program{};  // hal0-fetch
    WallTime now{};
};
// Gets it to its place, where it isn't already. Blocks: a second or two for each of its parts. Corrupt: what
// lies there is no GGUF model. Unavailable, NotFound, Forbidden, Unsupported: it can't be had. Invalid: it is
// a later part of a model, or no address of a file. NoSpace, Io: of the cache. Nothing is left behind on an
// error.
Result<void> fetch_header(std::string const& url, HeaderWorld const& world);

}  // namespace hal0::models
