#pragma once
// What is asked of Proxmox, in which order, and what the answers come to. Pure: who holds the connection asks
// next(), and gives back what came.
//
// The guests of all nodes say on which of them this one runs; then that node's memory and its VMs' balloons;
// then the guests again: one that has moved meanwhile has its figures from two nodes, and is asked for anew.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "proxmox/answers.hpp"
#include "proxmox/guest.hpp"
#include "proxmox/host_facts.hpp"

namespace hal0::proxmox {

class Inquiry {
  public:
    static constexpr int moves_max = 3;

    Inquiry(std::int64_t vmid, Guest::Kind kind) : vmid_{vmid}, kind_{kind} {}

    // A path behind ENDPOINT/api2/json; nothing: all is known.
    [[nodiscard]] std::optional<std::string> next() const;
    // Its answer's body, or why there is none. An error is the end.
    Result<void> take(std::string_view body);
    Result<void> failed(Error const& why);

    // Once next() gives nothing.
    [[nodiscard]] HostFacts finish() const;

  private:
    enum class Step : std::uint8_t { Tenants, Status, Balloons, Again, Done };

    Result<void> take_tenants(std::string_view body);
    Result<void> take_status(std::string_view body);
    Result<void> take_balloons(std::string_view body);
    [[nodiscard]] Result<std::string> own_node() const;
    [[nodiscard]] bool has_running_vms() const;

    std::int64_t vmid_;
    Guest::Kind kind_;
    Step step_{Step::Tenants};
    int moves_{0};
    std::string node_{};
    std::vector<TenantRow> rows_{};
    NodeMemory memory_{};
    std::vector<Balloon> balloons_{};
    std::optional<Error> node_error_{};  // stands unless the guest has left that node
    Warnings of_tenants_{};
    Warnings of_node_{};
};

}  // namespace hal0::proxmox
