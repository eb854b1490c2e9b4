#include "memory/measurement.hpp"

#include <gtest/gtest.h>

#include "base/format.hpp"
#include "memory/overhead.hpp"
#include "memory/pools.hpp"

namespace hal0::memory {
namespace {

Circumstances const here{"box", "llama.cpp", "11434", "cpu", "", "4096"};

// SmolLM2 on a processor: 90 MiB of context, 92 MiB mapped; 19 MiB of buffers come with use.
Measurement load(std::string const& name, Bytes own_loaded) {
    return {.load = name,
            .time = "2026-11-25T20:00:00Z",
            .at = here,
            .planned = PlannedLoad{.context = 90_MiB, .mappable = 92_MiB, .later = 19_MiB},
            .maps_model = true,
            .own_loaded = own_loaded};
}

std::optional<Bytes> process_of(std::vector<Measurement> const& loads, Circumstances const& now = here) {
    auto const learned = learn(loads, {}, now).process;
    return learned ? std::optional{learned->bytes - process_margin} : std::nullopt;
}

TEST(Measurement, WhatIsNotInThePlanIsTheProcess) {
    EXPECT_EQ(process_of({load("1", 118_MiB)}), 28_MiB);
    EXPECT_EQ(process_of({load("1", 118_MiB), load("2", 121_MiB), load("3", 117_MiB)}), 31_MiB);
    EXPECT_EQ(process_of({}), std::nullopt);
}

// Each sequence has a sampler of its own: a load with fewer is taken with that on top, one with more says
// little.
TEST(Measurement, SequencesAreApartFromTheProcess) {
    auto few = load("1", 118_MiB);
    auto many = load("2", 170_MiB);
    few.at.settings = "context=1 parallel=2 unified=0";
    many.at.settings = "context=1 parallel=64 unified=0";
    auto const of = [&](std::vector<Measurement> const& loads, std::string const& settings) {
        auto now = here;
        now.settings = settings;
        return learn(loads, {}, now, 1_MiB).process->bytes - process_margin;
    };
    EXPECT_EQ(of({few, many}, "parallel=2"), 28_MiB);
    EXPECT_EQ(of({few}, "parallel=10"), 36_MiB);
    EXPECT_EQ(of({few, many}, "parallel=64"), 90_MiB) << "28 and 62 more";
    EXPECT_EQ(of({many}, "parallel=1"), 80_MiB) << "better than nothing";
}

TEST(Measurement, SaysWhatOfItWasNotMeasured) {
    auto few = load("1", 118_MiB);
    few.at.settings = "context=1 parallel=2 unified=0";
    auto now = here;
    auto const source = [&](std::string const& settings) {
        now.settings = settings;
        return learn({few}, {}, now, 1_MiB).process->source;
    };
    EXPECT_EQ(source("parallel=10"),
              "measured on this box on 2026-11-25, 1 load of this model: 28.0 MiB at the most, 8.0 MiB for 8 "
              "sequences more than it had then, and 32.0 MiB for what use adds");
    EXPECT_EQ(
        source("parallel=2"),
        "measured on this box on 2026-11-25, 1 load of this model: 28.0 MiB at the most, and 32.0 MiB for "
        "what use adds");
    EXPECT_EQ(source("parallel=1"),
              "measured on this box on 2026-11-25, 1 load of this model with more sequences: 28.0 MiB at the "
              "most, and 32.0 MiB for what use adds");
}

// Buffers of computing are touched as they are used: what isn't there yet must not make the process smaller,
// and what has come must not make it larger than it is.
TEST(Measurement, AReadingAfterUseOnlyRaisesIt) {
    auto one = load("1", 118_MiB);
    one.own_used = 130_MiB;
    EXPECT_EQ(process_of({one}), 28_MiB);
    one.own_used = 150_MiB;
    EXPECT_EQ(process_of({one}), 41_MiB) << "all of the 19 MiB were in use";
    one.own_loaded.reset();
    EXPECT_EQ(process_of({one}), std::nullopt) << "of a worker that nobody saw begin";
}

TEST(Measurement, WeightsThatAreReadOrCopiedAreItsOwn) {
    auto one = load("1", 210_MiB);
    one.maps_model = false;
    EXPECT_EQ(process_of({one}), 28_MiB);
    one = load("1", 178_MiB);
    one.planned->copied = 60_MiB;
    EXPECT_EQ(process_of({one}), 28_MiB);
}

TEST(Measurement, LessThanItHoldsByItsPlanTeachesNothing) {
    EXPECT_EQ(process_of({load("1", 80_MiB)}), std::nullopt) << "its context isn't all there";
    auto unplanned = load("1", 118_MiB);
    unplanned.planned.reset();
    EXPECT_EQ(process_of({unplanned}), std::nullopt);
}

TEST(Measurement, OtherCircumstancesTeachNothing) {
    auto const one = load("1", 118_MiB);
    for (auto Circumstances::* const what :
         {&Circumstances::box, &Circumstances::engine, &Circumstances::version, &Circumstances::backend}) {
        auto other = here;
        other.*what = "another";
        EXPECT_EQ(process_of({one}, other), std::nullopt);
    }
    auto other = here;
    other.settings = "8192";
    EXPECT_EQ(process_of({one}, other), 28_MiB) << "the process is the same whatever its context is";
    EXPECT_FALSE(learn({}, {one}, here).process) << "another model has another vocabulary";
}

Circumstances const on_h100{"box", "llama.cpp", "11434", "cuda", "H100, nvidia 580.159", "4096"};

// Figures of docs/memory.md's table for an H100.
Measurement on_card(std::string const& name, Bytes planned, Bytes taken) {
    auto one = load(name, 300_MiB);
    one.at = on_h100;
    one.planned = PlannedLoad{.gpu = planned};
    one.gpu = taken;
    return one;
}
TEST(Measurement, TheDriversContextIsLearnedOfThisModelElseOfOthers) {
    auto const dense = on_card("1", 42739_MiB, 43341_MiB);
    auto const mixture = on_card("2", 63167_MiB, 63881_MiB);
    EXPECT_EQ(learn({dense}, {mixture}, on_h100).driver->bytes, 602_MiB + driver_margin);
    auto const others = learn({}, {dense, mixture}, on_h100).driver;
    EXPECT_EQ(others->bytes, 714_MiB + driver_margin);
    EXPECT_EQ(others->source,
              "measured on this box on 2026-11-25, 2 loads of other models: 714 MiB at the most, and 128 MiB "
              "for what use adds");
    auto newer = on_h100;
    newer.card = "H100, nvidia 590.1";
    EXPECT_FALSE(learn({dense}, {mixture}, newer).driver) << "another driver has another context";
    EXPECT_FALSE(learn({on_card("3", 600_MiB, 500_MiB)}, {}, on_h100).driver)
        << "less than its plan: not all of it was seen";
}

TEST(Measurement, WithoutAPlanTheSameSettingsGiveATotal) {
    auto one = on_card("1", {}, 5000_MiB);
    one.planned.reset();
    EXPECT_EQ(learn({one}, {}, on_h100).gpu_total->bytes, 5000_MiB + driver_margin);
    auto other = on_h100;
    other.settings = "8192";
    EXPECT_FALSE(learn({one}, {}, other).gpu_total);
    EXPECT_FALSE(learn({}, {one}, on_h100).gpu_total);
}

// ---- as terms of an estimate

MemoryEstimate estimate_of(Bytes gpu) {
    return {.shares = {{.device = "host", .terms = {{.name = "context", .bytes = 90_MiB}}},
                       {.device = "gpu0", .terms = {{.name = "weights", .bytes = gpu}}}}};
}
Target const gpu0{.device = "gpu0", .api = GpuApi::Cuda};

TEST(Overhead, MeasuredFiguresTakeThePlaceOfConstants) {
    auto estimate = estimate_of(1_GiB);
    add_overhead(
        estimate, gpu0,
        {.vocabulary = 49152,
         .learned = {.process = LearnedBytes{60_MiB, "measured"}, .driver = LearnedBytes{700_MiB, "seen"}}});
    EXPECT_EQ(estimate.of(process_term), 60_MiB);
    EXPECT_EQ(estimate.of(driver_term), 700_MiB);
    EXPECT_EQ(estimate.shares[0].terms.back().source, "measured");
    EXPECT_EQ(estimate.shares[1].terms.back().source, "seen");
}

TEST(Overhead, AMeasuredTotalIsNeverBelowThePlan) {
    for (auto const& [planned, driver] : {std::pair{4_GiB, 1_GiB}, std::pair{6_GiB, 0_GiB}}) {
        auto estimate = estimate_of(planned);
        add_overhead(estimate, gpu0, {.learned = {.gpu_total = LearnedBytes{5_GiB, "measured"}}});
        EXPECT_EQ(estimate.of(driver_term), driver);
    }
}

TEST(Overhead, TheProcessGrowsWithTheVocabulary) {
    auto const process = [](std::int64_t vocabulary) {
        MemoryEstimate estimate;
        add_overhead(estimate, {}, {.vocabulary = vocabulary});
        return estimate.of(process_term);
    };
    EXPECT_GT(process(262144), process(49152));
    EXPECT_EQ(process(0), 256_MiB) << "taken at the largest";
}

// A draft model's samplers are the processor's (draft_simple); the layers of MTP have theirs on the backend.
TEST(Overhead, EachSequenceThatIsDraftedForHasASampler) {
    constexpr std::int64_t vocabulary = 151'936;
    auto const process = [](std::int64_t sequences) {
        return drafter_term("process", vocabulary, sequences).bytes;
    };
    EXPECT_GE(process(8) - process(1), Bytes{7 * vocabulary * 12});
    EXPECT_GT(process(1), Bytes{vocabulary * 12});

    MemoryEstimate layers{.exactness = Exactness::Exact};
    add_sampling(layers, "gpu0", {.vocabulary = vocabulary, .sequences = 8});
    EXPECT_EQ(layers.exactness, Exactness::Bound);
    EXPECT_EQ(layers.of(sampling_term), Bytes{(3 * vocabulary + 1) * 8 * 4});
    EXPECT_EQ(layers.of(sampling_compute_term), Bytes{(8 + 1 + 2) * vocabulary * 4});
    EXPECT_EQ(layers.shares.at(0).device, "host");
    EXPECT_EQ(layers.shares.at(1).device, "gpu0");
    MemoryEstimate on_host;
    add_sampling(on_host, std::string{host_device}, {.vocabulary = vocabulary});
    ASSERT_EQ(on_host.shares.size(), 1U);
    EXPECT_EQ(on_host.total(), Bytes{((3 + 1 + 3) * vocabulary + 1) * 4});
}

// ---- measured.json

TEST(MeasuredLoads, WhatIsWrittenIsReadBack) {
    MeasuredLoads measured{.model = "0f"};
    auto full = on_card("1", 1_GiB, 2_GiB);
    full.own_used = 320_MiB;
    auto bare = load("2", {});
    bare.planned.reset();
    bare.own_loaded.reset();
    ASSERT_TRUE(add(measured, full));
    ASSERT_TRUE(add(measured, bare));
    EXPECT_EQ(decode_measured(encode(measured)).value(), measured);
}

TEST(MeasuredLoads, ReadingsOfOneLoadGoTogetherAndTheLargestCounts) {
    MeasuredLoads measured;
    EXPECT_TRUE(add(measured, load("1", 118_MiB)));
    auto later = load("1", {});
    later.own_loaded.reset();
    later.own_used = 130_MiB;
    later.time = "2026-11-26T20:00:00Z";
    EXPECT_TRUE(add(measured, later));
    EXPECT_FALSE(add(measured, later)) << "nothing new, nothing to write";
    EXPECT_TRUE(add(measured, load("1", 140_MiB))) << "the next daemon's first look is no fresh one";
    ASSERT_EQ(measured.loads.size(), 1U);
    EXPECT_EQ(measured.loads[0].own_loaded, 118_MiB);
    EXPECT_EQ(measured.loads[0].own_used, 140_MiB);
    auto unplanned = load("2", 118_MiB);
    unplanned.planned.reset();
    add(measured, unplanned);
    EXPECT_TRUE(add(measured, load("2", 118_MiB))) << "its planner took too long the first time";
    EXPECT_TRUE(measured.loads[1].planned);
}

TEST(MeasuredLoads, TheOldestGiveWay) {
    MeasuredLoads measured;
    for (int i = 0; i < 20; ++i)
        add(measured, load(format("{}", i), 118_MiB));
    ASSERT_EQ(measured.loads.size(), loads_kept_each);
    EXPECT_EQ(measured.loads.front().load, "15");
    for (int i = 0; i < 200; ++i) {
        auto other = load("x", 118_MiB);
        other.at.settings = format("{}", i);
        add(measured, other);
    }
    EXPECT_EQ(measured.loads.size(), loads_kept_max);
    EXPECT_EQ(measured.loads.back().at.settings, "199");
}

TEST(MeasuredLoads, WhatIsNewerOrNoneIsTold) {
    auto const kind = [](std::string const& text) { return decode_measured(text).error().kind; };
    EXPECT_EQ(kind(R"({"schema":2,"loads":"elsewhere"})"), Errc::Unsupported);
    EXPECT_EQ(kind(""), Errc::Corrupt);
    EXPECT_EQ(kind("[]"), Errc::Corrupt);
    EXPECT_EQ(kind(R"({"schema":1,"model":"0f","loads":[{}]})"), Errc::Corrupt);
    MeasuredLoads measured;
    for (auto const bytes : {Bytes{-1}, Bytes{INT64_MAX}}) {
        measured.loads = {load("1", bytes)};
        EXPECT_EQ(kind(encode(measured)), Errc::Corrupt);
    }
}

TEST(PlannedLoad, APlanIsTakenApartByWhenItIsThere) {
    engines::Plan const plan{
        .output = 1_MiB,
        .buffers = {
            {.device = "Host", .buffer = "CPU", .model = 100_MiB, .context = 90_MiB, .compute = 19_MiB},
            {.device = "Host", .buffer = "CPU_REPACK", .model = 50_MiB},
            {.device = "CUDA0", .buffer = "CUDA0", .model = 1_GiB, .context = 2_GiB, .compute = 3_GiB}}};
    EXPECT_EQ(planned_load(plan, 64_MiB),
              (PlannedLoad{
                  .context = 90_MiB, .copied = 50_MiB, .mappable = 100_MiB, .later = 84_MiB, .gpu = 6_GiB}));
}

}  // namespace
}  // namespace hal0::memory
