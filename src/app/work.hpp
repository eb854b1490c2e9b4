#pragma once
// The long work itself, on the calling thread: what `hal0 job KIND SUBJECT` does, and what the CLI does by
// itself where no daemon runs.
#include <functional>
#include <string>

#include "app/library.hpp"
#include "base/result.hpp"
#include "jobs/report.hpp"
#include "models/fetcher.hpp"
#include "os/places.hpp"

namespace hal0::app {

struct Telling {
    models::OnProgress progress{};
    models::OnNote note{};
};

class Work {
  public:
    Work(os::Places places, Library const& library) : places_{std::move(places)}, library_{library} {}

    [[nodiscard]] Result<models::StoredModel> pull(std::string const& id, Telling const& telling) const;
    [[nodiscard]] Result<models::StoredModel> verify(std::string const& id, Telling const& telling) const;
    [[nodiscard]] Result<engines::InstalledEngine> install(std::string const& id,
                                                           Telling const& telling) const;

  private:
    [[nodiscard]] models::FetchWorld fetch_world(Telling const& telling) const;
    os::Places places_;
    Library const& library_;
};

jobs::Progress to_job(models::Progress const& progress);

// Runs one job, telling standard output how it goes (jobs/report.hpp). Gives the exit code.
int run_job(Work const& work, std::string const& kind, std::string const& subject);

}  // namespace hal0::app
