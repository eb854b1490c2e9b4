#pragma once
// What hal0-fetch says on stdout: one JSON object a line, for the program that started it.
#include "base/error.hpp"
#include "base/no_copy.hpp"
#include "base/units.hpp"

namespace hal0::fetch {

class Report final : NoCopy {
  public:
    // At most four lines a second; the rest is not said.
    void progress(Bytes done, Bytes total);
    void failed(Error const& error);

  private:
    TimePoint next_{};
};

}  // namespace hal0::fetch
