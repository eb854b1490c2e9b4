#include "fetch/proxmox.hpp"

#include <chrono>
#include <utility>

#include "fetch/https_peer.hpp"
#include "os/console.hpp"
#include "os/private_file.hpp"
#include "proxmox/inquiry.hpp"
#include "proxmox/refusals.hpp"
#include "proxmox/settings.hpp"

namespace hal0::fetch {
namespace {

constexpr int standard_input = 0;
constexpr std::chrono::seconds answer_within{5};  // everything together

Result<std::string> body_of(HttpsPeer& peer, std::string const& path, proxmox::Settings const& settings) {
    HAL0_TRY(answer, peer.get("/api2/json" + path));
    // Before anything is cut out of it: a part of the secret is not found any more.
    answer.reason = settings.token_secret.hidden_in(std::move(answer.reason));
    answer.body = settings.token_secret.hidden_in(std::move(answer.body));
    if (answer.status != 200) return proxmox::refusal(answer.status, answer.reason, settings);
    return std::move(answer.body);
}

Result<std::string> ask(proxmox::Guest const& guest, proxmox::Settings const& settings) {
    HAL0_TRY(vmid, proxmox::vmid_of(guest, settings.vmid));
    HttpsPeer peer{settings.endpoint,
                   {.ca_file = settings.ca_file, .fingerprint = settings.fingerprint},
                   settings.authorization(),
                   Clock::now() + answer_within};
    proxmox::Inquiry inquiry{vmid, guest.kind};
    while (auto const path = inquiry.next()) {
        auto const body = body_of(peer, *path, settings);
        HAL0_CHECK(body ? inquiry.take(*body) : inquiry.failed(body.error()));
    }
    return wire::encode(inquiry.finish());
}

}  // namespace

Result<std::string> ask_proxmox(proxmox::Guest const& guest) {
    HAL0_CHECK(os::hide_memory());
    HAL0_TRY(text, os::read_to_end(standard_input, proxmox::settings_bytes_max));
    HAL0_TRY(settings, proxmox::decode_settings(text));
    auto said = ask(guest, settings);
    auto const& secret = settings.token_secret;
    if (said) return secret.hidden_in(std::move(said).value());
    auto error = std::move(said).error();
    error.message = secret.hidden_in(std::move(error.message));
    return error;
}

}  // namespace hal0::fetch
