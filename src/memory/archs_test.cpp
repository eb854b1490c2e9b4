// Every architecture of the pinned engine, held against what the engine itself plans
// (tests/archs/regenerate).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "base/format.hpp"
#include "memory/closed_form.hpp"
#include "models/gguf_model.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::memory {
namespace {

struct PlannedRow {
    std::string model{};
    std::string settings{};
    std::int64_t weights{0}, context{0}, compute{0}, output{0};
};

std::vector<PlannedRow> planned_rows(std::string const& path) {
    std::vector<PlannedRow> all;
    std::ifstream table{path};
    std::string line;
    std::getline(table, line);  // its heading
    while (std::getline(table, line)) {
        std::istringstream fields{line};
        PlannedRow row;
        std::string size, numbers;
        std::getline(fields, row.model, ',');
        std::getline(fields, size, ',');
        std::getline(fields, row.settings, ',');
        char comma = 0;
        if (fields >> row.weights >> comma >> row.context >> comma >> row.compute >> comma >> row.output)
            all.push_back(row);  // the others are what the engine refuses
    }
    return all;
}

engines::PlanRequest request_of(std::string const& settings) {
    engines::PlanRequest request;
    std::istringstream words{settings};
    for (std::string word; words >> word;) {
        auto const mark = word.find('=');
        auto const key = word.substr(0, mark), value = word.substr(mark + 1);
        if (key == "context") request.context = {std::stoll(value)};
        if (key == "kv_k") request.kv_type_k = engines::kv_type_from(value).value();
        if (key == "kv_v") request.kv_type_v = engines::kv_type_from(value).value();
        if (key == "flash") request.flash_attention = engines::FlashAttention::Off;
        if (key == "parallel") request.parallel = std::stoi(value);
        if (key == "embeddings") request.embeddings = true;
        if (key == "unified") request.unified_kv = true;
        if (key == "batch") request.batch = {std::stoll(value)};
        if (key == "ubatch") request.ubatch = {std::stoll(value)};
    }
    return request;
}

struct Planned {
    PlannedRow row{};
    ModelShape shape{};
    MemoryEstimate estimate{};
};

// All that the table has, of the models in `directory`.
std::vector<Planned> planned(std::string const& table, std::string const& directory) {
    std::vector<Planned> all;
    std::map<std::string, models::GgufModel> read;
    for (auto const& row : planned_rows(table)) {
        auto found = read.find(row.model);
        if (found == read.end()) {
            auto model = models::read_gguf_model(os::join_path(directory, row.model + ".gguf")).value();
            found = read.emplace(row.model, std::move(model)).first;
        }
        auto const shape = model_shape(found->second).value();
        auto estimate = closed_form(shape, found->second.tensors, request_of(row.settings)).value();
        all.push_back({.row = row, .shape = shape, .estimate = std::move(estimate)});
    }
    return all;
}

std::vector<Planned> every_architecture() {
    return planned("tests/archs/expected.csv", "tests/archs/headers");
}

// The same header with another architecture's name, in front of every key too: one of the same length.
models::GgufModel as_unknown(std::string const& name) {
    auto const path = "tests/archs/headers/" + name + ".gguf";
    auto const architecture =
        models::read_gguf_model(path).value().metadata.text("general.architecture").value();
    auto bytes = os::read_file(path, 10_MiB).value();
    std::string const unknown(architecture.size(), 'u');
    for (auto at = bytes.find(architecture); at != std::string::npos; at = bytes.find(architecture, at + 1))
        bytes.replace(at, unknown.size(), unknown);
    os::TestDir const directory;
    std::ofstream{directory / "m.gguf", std::ios::binary} << bytes;
    return models::read_gguf_model(directory / "m.gguf").value();
}

std::vector<Planned> real_scale() {
    os::TestDir const directory;
    auto const make = "python3 -B tests/scale/make " + directory.path();
    EXPECT_EQ(std::system(make.c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
    return planned("tests/scale/expected.csv", directory.path());
}

TEST(EveryArchitecture, TheContextIsExactOrABoundAndNeverUnder) {
    std::map<std::string, int> rows_exact;
    int bound = 0, under = 0;
    for (auto const& [row, shape, estimate] : every_architecture()) {
        auto const said = estimate.of(context_term).count;
        bool const claims = estimate.exactness == Exactness::Exact;
        if (said == row.context && claims) {
            ++rows_exact[row.model];
            continue;
        }
        ++(said < row.context ? under : bound);
        EXPECT_TRUE(said >= row.context && !claims)
            << row.model << " " << row.settings << ": " << said << " for " << row.context;
    }
    EXPECT_EQ(rows_exact.size(), 128U);
    std::printf("models exact %zu, rows bound %d, under %d\n", rows_exact.size(), bound, under);
}

TEST(EveryArchitecture, WeightsAreNeverUnder) {
    for (auto const& [row, shape, estimate] : every_architecture()) {
        auto const said = (estimate.of(weights_term) + estimate.of(embeddings_term)).count;
        EXPECT_GE(said, row.weights) << row.model;
    }
}

TEST(EveryArchitecture, BuffersForComputingAreNeverUnder) {
    for (auto const& [row, shape, estimate] : every_architecture()) {
        EXPECT_GE(estimate.of(compute_term).count, row.compute) << row.model << " " << row.settings;
        EXPECT_GE(estimate.of(output_term).count, row.output) << row.model << " " << row.settings;
    }
}

// Of an architecture that is not known here nothing is said to be exact, and nothing is too little.
TEST(EveryArchitecture, TakenForAnUnknownOneItIsABound) {
    std::map<std::string, models::GgufModel> models;
    for (auto const& row : planned_rows("tests/archs/expected.csv")) {
        if (!models.contains(row.model)) models[row.model] = as_unknown(row.model);
        auto const& model = models[row.model];
        auto const estimate =
            closed_form(model_shape(model).value(), model.tensors, request_of(row.settings)).value();
        EXPECT_EQ(estimate.exactness, Exactness::Bound);
        EXPECT_GE(estimate.of(context_term).count, row.context) << row.model << " " << row.settings;
    }
}

TEST(RealScale, TheContextIsExact) {
    auto const all = real_scale();
    EXPECT_GT(all.size(), 90U);
    for (auto const& [row, shape, estimate] : all) {
        EXPECT_EQ(estimate.exactness, Exactness::Exact) << row.model;
        EXPECT_EQ(estimate.of(context_term).count, row.context) << row.model << " " << row.settings;
    }
}

TEST(RealScale, TheSumIsNeverUnderAndNearlyRight) {
    constexpr std::int64_t over_bytes = std::int64_t{512} << 20;
    for (auto const& [row, shape, estimate] : real_scale()) {
        auto const weights = (estimate.of(weights_term) + estimate.of(embeddings_term)).count;
        EXPECT_EQ(weights, row.weights) << row.model;
        auto const buffers = estimate.of(compute_term).count;
        EXPECT_GE(buffers, row.compute) << row.model << " " << row.settings;
        EXPECT_EQ(estimate.of(output_term).count, row.output) << row.model << " " << row.settings;
        auto const planned = row.weights + row.context + row.compute + row.output;
        EXPECT_LE(estimate.total().count, planned + std::max(over_bytes, planned / 10))
            << row.model << " " << row.settings;
    }
}

}  // namespace
}  // namespace hal0::memory
