#pragma once
// Asks Proxmox what the node under this guest has, where there is a proxmox.json. The asking is a child's
// (hal0-fetch): it is handed that file open, so that its token never is in this process. Nothing is asked
// unasked, and no more than once in 5 s.
#include <memory>
#include <optional>
#include <string>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "hardware/report.hpp"
#include "os/child.hpp"
#include "os/places.hpp"
#include "proxmox/host_facts.hpp"

namespace hal0::app {

inline constexpr Duration host_answer_age_max = std::chrono::seconds{5};

// Of one thread at a time.
class HostDesk final : NoCopy {
  public:
    // `program`: hal0-fetch; `config`: where proxmox.json may lie.
    HostDesk(std::string const& config, std::string program);
    // For this home, with the program beside hal0's own.
    explicit HostDesk(os::Places const& places);

    // Begins to ask, unless the last answer is young; meanwhile the caller does something else.
    void begin(hardware::PlatformReport const& platform, TimePoint now = Clock::now());
    // Waits for it. Nothing where there is no proxmox.json; an error says what to do, and never the token.
    std::optional<Result<proxmox::HostFacts>> finish();

  private:
    [[nodiscard]] Result<std::unique_ptr<os::AskedProgram>> ask(
        int settings, hardware::PlatformReport const& platform) const;
    [[nodiscard]] Result<proxmox::HostFacts> heard();

    std::string settings_;
    std::string program_;
    std::unique_ptr<os::AskedProgram> asked_{};
    TimePoint deadline_{};
    std::optional<Result<proxmox::HostFacts>> last_{};
    TimePoint last_at_{};
};

}  // namespace hal0::app
