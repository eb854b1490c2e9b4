#pragma once
// A control plane that keeps what the loops tell it of requests.
#include <cstdint>
#include <vector>

#include "api/request_log.hpp"

namespace hal0::api {

class RecordingPort final : public RecordPort {
  public:
    void ended(std::vector<history::RequestRecord> requests, std::uint64_t unrecorded_ones) override {
        records.insert(records.end(), requests.begin(), requests.end());
        unrecorded += unrecorded_ones;
    }
    std::vector<history::RequestRecord> records;
    std::uint64_t unrecorded{0};
};

}  // namespace hal0::api
