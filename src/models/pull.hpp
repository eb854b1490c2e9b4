#pragma once
// Gets a model of the catalogue into the store. Blocks: for a job process.
#include "base/result.hpp"
#include "models/catalog.hpp"
#include "models/fetcher.hpp"
#include "models/store.hpp"

namespace hal0::models {

// The model as it stands in the store, at once when it is there already. Of one that is damaged only what is
// wrong is got: each file is held against its hash first.
// All is made in ROOT/.pull-ID and renamed when it is complete and checked, so no half model is ever seen.
// After a kill at any point the next pull goes on: what was downloaded or made is not got again. Where
// another process pulls it, this one waits for its end, and goes on only where that one failed. Errors: those
// of Fetcher::fetch; NoSpace (with figures, before anything is downloaded); Exists (something else stands in
// its place, or stands beside it where its sidecar can't be read, and is left alone); Corrupt (what was made
// has another hash than the catalogue says).
Result<ModelRecord> pull(CatalogEntry const& entry, ModelStore const& store, FetchWorld const& world);

}  // namespace hal0::models
