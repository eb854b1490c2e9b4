// Every architecture of the pinned engine, held against what the engine itself plans
// (tests/archs/regenerate).
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/format.hpp"
#include "memory/closed_form.hpp"
#include "models/gguf_model.hpp"

namespace hal0::memory {
namespace {

struct Row {
    std::string model{};
    std::string settings{};
    std::int64_t weights{0}, context{0}, compute{0}, output{0};
};

std::vector<Row> rows() {
    std::vector<Row> all;
    std::ifstream table{"tests/archs/expected.csv"};
    std::string line;
    std::getline(table, line);  // its heading
    while (std::getline(table, line)) {
        std::istringstream fields{line};
        Row row;
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
    Row row{};
    ModelShape shape{};
    MemoryEstimate estimate{};
};

std::vector<Planned> planned() {
    std::vector<Planned> all;
    std::map<std::string, models::GgufModel> read;
    for (auto const& row : rows()) {
        auto found = read.find(row.model);
        if (found == read.end()) {
            auto model = models::read_gguf_model("tests/archs/headers/" + row.model + ".gguf").value();
            found = read.emplace(row.model, std::move(model)).first;
        }
        auto const shape = model_shape(found->second).value();
        auto estimate = closed_form(shape, found->second.tensors, request_of(row.settings)).value();
        all.push_back({.row = row, .shape = shape, .estimate = std::move(estimate)});
    }
    return all;
}

TEST(EveryArchitecture, TheContextIsExactOrABoundAndNeverUnder) {
    std::map<std::string, int> exact, bound, under;
    for (auto const& [row, shape, estimate] : planned()) {
        auto const said = estimate.of(context_term).count;
        bool const claims = estimate.exactness == Exactness::Exact;
        if (said == row.context) {
            ++(claims ? exact : bound)[row.model];
        } else {
            ++(said < row.context ? under : bound)[row.model];
            EXPECT_TRUE(said > row.context && !claims)
                << row.model << " " << row.settings << ": " << said << " for " << row.context;
        }
    }
    RecordProperty("models_exact", static_cast<int>(exact.size()));
    RecordProperty("models_bound", static_cast<int>(bound.size()));
    std::printf("exact %zu, bound %zu, under %zu\n", exact.size(), bound.size(), under.size());
}

TEST(EveryArchitecture, WeightsAreNeverUnder) {
    std::map<std::string, std::int64_t> seen;
    for (auto const& [row, shape, estimate] : planned()) {
        auto const said = (estimate.of(weights_term) + estimate.of(embeddings_term)).count;
        if (seen.emplace(row.model, said).second && said != row.weights) {
            std::printf("%s: weights %ld for %ld\n", row.model.c_str(), said, row.weights);
        }
        EXPECT_GE(said, row.weights) << row.model;
    }
}

TEST(EveryArchitecture, BuffersForComputingAreNeverUnder) {
    for (auto const& [row, shape, estimate] : planned()) {
        auto const said = estimate.of(compute_term).count;
        EXPECT_GE(said, row.compute) << row.model << " " << row.settings << " "
                                     << double(said) / double(row.compute);
        EXPECT_GE(estimate.of(output_term).count, row.output) << row.model << " " << row.settings;
    }
}

}  // namespace
}  // namespace hal0::memory
