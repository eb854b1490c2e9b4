#pragma once
// What is on this machine and what could be: the store beside the catalogue, the installed engines beside the
// lock files, as the API's views. Shared by the daemon and by the CLI where no daemon runs.
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engines/store.hpp"
#include "models/store.hpp"
#include "os/places.hpp"
#include "wire/views.hpp"

namespace hal0::app {

class Library {
  public:
    // `roots`: where models stand, the first is where new ones go.
    Library(os::Places const& places, std::vector<std::string> roots)
        : models_{std::move(roots)},
          engines_{places.cache, engines::this_cpu_features()},
          cache_{places.cache} {}

    [[nodiscard]] models::ModelStore const& model_store() const { return models_; }
    [[nodiscard]] engines::EngineStore const& engine_store() const { return engines_; }
    [[nodiscard]] std::string const& cache() const { return cache_; }

    // Those in which a model or an engine appears when it is complete.
    [[nodiscard]] std::vector<std::string> directories() const;

    // By id; `used_by` is left to who knows the slots.
    [[nodiscard]] std::vector<wire::ModelView> models() const;
    [[nodiscard]] Result<wire::ModelView> model(std::string const& id) const;
    // Those installed, newest first, then those that are not.
    [[nodiscard]] std::vector<wire::EngineView> engines() const;
    [[nodiscard]] Result<wire::EngineView> engine(std::string const& id) const;
    [[nodiscard]] Result<engines::InstalledEngine> installed(std::string const& id,
                                                             std::string const& key) const;

  private:
    models::ModelStore models_;
    engines::EngineStore engines_;
    std::string cache_;
};

}  // namespace hal0::app
