#pragma once
// What loads took, kept beside the model: measured.json in its directory of the store. Of a file that is in
// no store, or in one that can't be written, in the state directory. Blocks.
#include <string>
#include <vector>

#include "base/result.hpp"
#include "memory/measurement.hpp"
#include "models/store.hpp"
#include "os/places.hpp"

namespace hal0::app {

class MeasuredStore {
  public:
    explicit MeasuredStore(os::Places const& places) : elsewhere_{places.state + "/measured"} {}

    // `main_file`: the model's first. What can't be read, or is of other bytes than the model has, is not
    // there.
    [[nodiscard]] std::vector<memory::Measurement> of(std::string const& main_file) const;
    [[nodiscard]] std::vector<memory::Measurement> of_others(models::ModelStore const& models,
                                                             std::string const& main_file) const;
    // Gives a sentence where what was there is lost. Unsupported, and left alone: a newer hal0 wrote it.
    [[nodiscard]] Result<std::string> add(std::string const& main_file,
                                          memory::Measurement const& reading) const;

  private:
    [[nodiscard]] std::string beside(std::string const& main_file) const;
    [[nodiscard]] std::string apart(std::string const& main_file) const;

    std::string elsewhere_;
};

}  // namespace hal0::app
