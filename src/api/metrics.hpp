#pragma once
// GET /metrics: Prometheus' text format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats).
#include <string>
#include <string_view>
#include <vector>

#include "dispatch/tally.hpp"
#include "wire/views.hpp"

namespace hal0::api {

// What is counted of one slot since the daemon began.
struct SlotCounts {
    std::string slot{};
    dispatch::SlotTally::Reading requests{};
    dispatch::Times loads{};  // from a worker's start to its word that it is ready
};

std::string render_metrics(std::string const& version, std::vector<wire::SlotView> const& slots,
                           std::vector<SlotCounts> const& counts);

// What it tells, for docs/http.md; from the table that render_metrics() goes through.
struct MetricDoc {
    std::string_view name{};
    std::string_view type{};
    std::vector<std::string_view> labels{};
    std::string_view help{};
};
std::vector<MetricDoc> metric_docs();

}  // namespace hal0::api
