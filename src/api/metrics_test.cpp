#include "api/metrics.hpp"

#include <gtest/gtest.h>

namespace hal0::api {
namespace {

using namespace std::chrono_literals;

bool has(std::string const& text, std::string const& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, AreWhatPrometheusReads) {
    wire::SlotView slot{.name = "primary", .state = "ready", .model = "a\"b\\c\nd", .memory = 7, .loads = 2};
    SlotCounts counts{.slot = "primary"};
    counts.requests.requests.at(0) = 3;
    counts.requests.total.add(3ms);
    counts.requests.total.add(200ms);
    counts.requests.total.add(1h);
    counts.requests.work = {
        .prompt = 20, .cached = 4, .generated = 8, .prompt_time = 250ms, .generated_time = 2s};
    auto const text = render_metrics("1.2", {slot}, {counts});
    EXPECT_TRUE(has(text, "hal0_build_info{version=\"1.2\"} 1"));
    EXPECT_NE(text.find(R"(slot="primary",model="a\"b\\c\nd")"), std::string::npos) << text;
    EXPECT_TRUE(has(text, "hal0_slot_state{slot=\"primary\",state=\"ready\"} 1"));
    EXPECT_TRUE(has(text, "hal0_slot_state{slot=\"primary\",state=\"error\"} 0"));
    EXPECT_TRUE(has(text, "hal0_slot_resident_bytes{slot=\"primary\"} 7"));
    EXPECT_TRUE(has(text, "# TYPE hal0_slot_loads_total counter"));
    EXPECT_TRUE(has(text, "hal0_requests_total{slot=\"primary\",outcome=\"ok\"} 3"));
    EXPECT_TRUE(has(text, "hal0_request_seconds_bucket{slot=\"primary\",le=\"0.005\"} 1"));
    EXPECT_TRUE(has(text, "hal0_request_seconds_bucket{slot=\"primary\",le=\"0.25\"} 2")) << text;
    EXPECT_TRUE(has(text, "hal0_request_seconds_bucket{slot=\"primary\",le=\"300\"} 2"));
    EXPECT_TRUE(has(text, "hal0_request_seconds_bucket{slot=\"primary\",le=\"+Inf\"} 3"));
    EXPECT_TRUE(has(text, "hal0_request_seconds_count{slot=\"primary\"} 3"));
    EXPECT_TRUE(has(text, "hal0_request_seconds_sum{slot=\"primary\"} 3600.203"));
    EXPECT_TRUE(has(text, "hal0_slot_prompt_tokens_total{slot=\"primary\"} 20"));
    EXPECT_TRUE(has(text, "hal0_slot_cached_tokens_total{slot=\"primary\"} 4"));
    EXPECT_TRUE(has(text, "hal0_slot_generated_tokens_total{slot=\"primary\"} 8"));
    EXPECT_TRUE(has(text, "hal0_slot_prompt_seconds_total{slot=\"primary\"} 0.25"));
    EXPECT_TRUE(has(text, "hal0_slot_generated_seconds_total{slot=\"primary\"} 2"));
    EXPECT_TRUE(text.ends_with("\n"));
}

TEST(Metrics, WithoutSlotsThereAreFamiliesAndNoSamples) {
    auto const text = render_metrics("1", {}, {});
    EXPECT_EQ(text.find("{slot"), std::string::npos);
    EXPECT_NE(text.find("# TYPE hal0_requests_total counter\n"), std::string::npos);
}

}  // namespace
}  // namespace hal0::api
