#pragma once
// Which slot answers a request: an immutable snapshot that the control plane makes and every loop reads.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dispatch/gate.hpp"
#include "models/kind.hpp"
#include "os/net.hpp"

namespace hal0::dispatch {

// What a request wants done. Text is work that any language model's worker can do (tokenizing).
enum class Work { Chat, Embed, Rerank, Text };

struct Route {
    std::string slot{};
    std::string model{};                 // model id; several slots may hold the same
    std::optional<models::Kind> kind{};  // nothing while its file or its model can't be read
    std::int64_t context{0};             // tokens one request can use
    std::int64_t created{0};             // Unix time of the slot's configuration, as /v1/models shows it
    SlotGate* gate{nullptr};             // never null in a published table; outlives it
    os::Address worker{};                // where its worker listens; meaningful while the gate is open
    std::string key{};                   // what the worker wants as bearer token
    // False in a table that is older than the first opening of its gate, which is seen at once.
    [[nodiscard]] bool has_address() const { return worker != os::Address{}; }
};

class RouteTable {
  public:
    explicit RouteTable(std::vector<Route> routes);  // sorts them by name

    [[nodiscard]] std::vector<Route> const& routes() const { return routes_; }

    // The slot for `work` named by the request's model field: a slot ("primary", "hal0/primary"), a model id,
    // or nothing (the slot of that kind of work). NotFound lists what exists; Invalid when the named one
    // can't do this work; one of an unknown kind is given, so that waking it tells what is wrong. Among
    // several with the same model: open first, then least in flight, then by name.
    [[nodiscard]] Result<Route const*> resolve(std::string_view model, Work work) const;
    [[nodiscard]] Route const* find(std::string_view slot) const;
    // What is said of a name that nothing here has: what is near, and what there is for `work`, or at all.
    [[nodiscard]] Error unknown(std::string_view model, std::optional<Work> work) const;

  private:
    [[nodiscard]] Result<Route const*> without_name(Work work) const;
    std::vector<Route> routes_;
};

bool can_do(models::Kind kind, Work work);

}  // namespace hal0::dispatch
