#include "proxmox/host_facts.hpp"

#include "base/text.hpp"
#include "json/value.hpp"

namespace hal0::proxmox {

Result<HostFacts> decode_answer(std::string_view said) {
    auto const text = trim(said);
    if (text.empty()) return Error{Errc::Unavailable, "the process that asks ended without a word"};
    auto const value = json::parse(text);
    if (!value) return in_context("what the asking process says is no answer", value.error());
    std::optional<std::string> kind;
    Error error;
    json::ObjectReader in{*value, ""};
    in.optional("error", kind);
    if (!kind) return wire::decode<HostFacts>(text);
    in.optional("message", error.message);
    error.kind = errc_from_name(*kind, Errc::Io);
    return error;
}

}  // namespace hal0::proxmox
