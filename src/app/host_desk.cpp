#include "app/host_desk.hpp"

#include <utility>

#include "base/format.hpp"
#include "models/fetch_program.hpp"
#include "os/file.hpp"
#include "os/file_system.hpp"
#include "os/private_file.hpp"
#include "os/process_info.hpp"
#include "proxmox/guest.hpp"
#include "proxmox/settings.hpp"

namespace hal0::app {
namespace {

// The child gives up after 5 s by itself, and says why.
constexpr std::chrono::seconds patience{6};

using proxmox::Guest;

Guest::Kind kind_of(hardware::PlatformReport const& platform) {
    if (platform.kind == "lxc") return Guest::Kind::Container;
    return platform.kind == "vm" ? Guest::Kind::Machine : Guest::Kind::Unknown;
}

}  // namespace

HostDesk::HostDesk(std::string const& config, std::string program)
    : settings_{os::join_path(config, proxmox::settings_name)}, program_{std::move(program)} {}

HostDesk::HostDesk(os::Places const& places) : HostDesk{places.config, models::fetch_program()} {}

// No secret is in the child's arguments, and nothing at all in its environment: what libraries are told there
// (SSLKEYLOGFILE, proxies) is not for this.
Result<std::unique_ptr<os::AskedProgram>> HostDesk::ask(int settings,
                                                        hardware::PlatformReport const& platform) const {
    HAL0_TRY(files, os::RootedFiles::open("/"));
    auto const guest = proxmox::look_at_guest(*files, kind_of(platform));
    std::vector<std::string> argv{program_, "proxmox", std::string{to_string(guest.kind)}};
    if (guest.vmid) argv.push_back(std::to_string(*guest.vmid));
    return os::AskedProgram::start(
        {.argv = std::move(argv), .environment = std::vector<std::string>{}, .in = settings});
}

void HostDesk::begin(hardware::PlatformReport const& platform, TimePoint now) {
    asked_.reset();
    auto const settings = os::open_private(settings_);
    if (!settings) {
        last_.reset();
        last_at_ = {};  // once it is mended it is asked at once
        if (settings.error().kind != Errc::NotFound) last_.emplace(settings.error());
        return;
    }
    if (last_ && now - last_at_ < host_answer_age_max) return;
    last_.reset();
    last_at_ = now;
    deadline_ = now + patience;
    auto asked = ask(settings->get(), platform);
    if (asked)
        asked_ = std::move(asked).value();
    else
        last_.emplace(in_context("asking Proxmox", std::move(asked).error()));
}

Result<proxmox::HostFacts> HostDesk::heard() {
    auto const said = asked_->answer(deadline_);
    if (!said) return in_context("asking Proxmox", said.error());
    auto facts = proxmox::decode_answer(*said);
    if (!facts) return in_context(settings_, std::move(facts).error());
    return facts;
}

std::optional<Result<proxmox::HostFacts>> HostDesk::finish() {
    if (asked_) {
        last_.emplace(heard());
        asked_.reset();
    }
    return last_;
}

}  // namespace hal0::app
