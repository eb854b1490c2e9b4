#include "base/error.hpp"

namespace hal0 {

std::string_view errc_name(Errc kind) {
    switch (kind) {
        case Errc::Invalid: return "invalid";
        case Errc::NotFound: return "not_found";
        case Errc::Exists: return "exists";
        case Errc::Conflict: return "conflict";
        case Errc::Forbidden: return "forbidden";
        case Errc::Unauthorized: return "unauthorized";
        case Errc::TooLarge: return "too_large";
        case Errc::Busy: return "busy";
        case Errc::Unavailable: return "unavailable";
        case Errc::Timeout: return "timeout";
        case Errc::Unsupported: return "unsupported";
        case Errc::Corrupt: return "corrupt";
        case Errc::NoSpace: return "no_space";
        case Errc::Io: return "io";
        case Errc::Cancelled: return "cancelled";
        case Errc::Internal: return "internal";
    }
    return "internal";
}

Errc errc_from_name(std::string_view name, Errc otherwise) {
    for (int k = 0; k <= static_cast<int>(Errc::Internal); ++k) {
        auto const kind = static_cast<Errc>(k);
        if (errc_name(kind) == name) return kind;
    }
    return otherwise;
}

Error in_context(std::string_view doing, Error error) {
    error.message.insert(0, std::string{doing} + ": ");
    return error;
}

}  // namespace hal0
