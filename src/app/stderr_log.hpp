#pragma once
// The daemon's log: lines on stderr. Under systemd they carry the journal's own levels (sd-daemon(3)) and no
// time, which the journal adds; elsewhere a UTC time stands in front.

#include "base/log.hpp"
#include "base/no_copy.hpp"

namespace hal0::app {

class StderrLog final : public Log, NoCopy {
  public:
    explicit StderrLog(LogLevel least);
    void write(LogLevel level, std::string_view line) override;  // any thread; one write(2) per line
    [[nodiscard]] bool wants(LogLevel level) const override { return level >= least_; }

  private:
    LogLevel least_;
    bool journal_;
};

}  // namespace hal0::app
