#pragma once
// A certificate's fingerprint, as Proxmox shows it.
#include <optional>
#include <string>
#include <string_view>

namespace hal0::fetch {

// SHA-256 of the certificate (its DER form) that stands in PEM form in `pem`: "AB:CD:…". Nothing where none
// stands there.
std::optional<std::string> certificate_fingerprint(std::string_view pem);

}  // namespace hal0::fetch
