// The sentences of the mission about what fits beside what, for each size of box and carve-out
// (tests/fit/sentences.csv). Weights and context there are worked out from the models' shapes, the verdicts
// from the boxes' files; nothing in it was made by the program. The boxes are taken idle: 4 GiB used by
// Linux, none by GPUs.
#include <gtest/gtest.h>

#include <ostream>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/probe.hpp"
#include "hardware/recorded_machine.hpp"
#include "memory/closed_form.hpp"
#include "memory/overhead.hpp"
#include "memory/verdict.hpp"
#include "models/loadouts.hpp"
#include "os/file.hpp"

namespace hal0::memory {
namespace {

struct SentenceRow {
    std::string sentence{}, box{}, models{}, verdict{}, limit{};
    std::int64_t weights{0};
    std::int64_t context{0};
};
std::ostream& operator<<(std::ostream& out, SentenceRow const& row) {
    return out << row.sentence << ", on " << row.box;
}

std::vector<SentenceRow> sentence_rows() {
    std::vector<SentenceRow> found;
    auto const text = os::read_file("tests/fit/sentences.csv", 1_MiB).value();
    for (auto const line : split(text, '\n')) {
        auto const cells = split(line, '|');
        if (cells.size() != 7 || cells[0] == "sentence") continue;
        std::vector<std::string> const all{cells.begin(), cells.end()};
        found.push_back(
            {all[0], all[1], all[2], all[3], all[4], to_int(all[5]).value(), to_int(all[6]).value()});
    }
    return found;
}

std::vector<Pool> idle_pools(std::string const& box) {
    auto const machine = hardware::RecordedMachine::open("tests/boxes/" + box).value();
    auto const report = hardware::probe(*machine, {});
    auto counters = hardware::read_counters(*machine, report);
    counters.available = *counters.total - 4_GiB;
    for (auto& gpu : counters.gpus) {
        gpu.vram_used = Bytes{};
        gpu.gtt_used = Bytes{};
    }
    return pools(report, counters);
}

// "NAME@CONTEXT": what it takes; of a model for speech twice its file, on the host.
MemoryEstimate estimate_of(std::string_view load, Target const& target) {
    auto const gpu = target.device == host_device ? std::nullopt : std::optional{target.device};
    auto const at = load.find('@');
    auto const* const model = models::loadouts().model(load.substr(0, at));
    MemoryEstimate estimate;
    if (model->header) {
        auto const made = models::header_model(*model);
        auto const context = Tokens{to_int(load.substr(at + 1)).value()};
        engines::PlanRequest request{.context = context, .embeddings = model->kind == "embed"};
        if (request.embeddings) request.batch = request.ubatch = context;
        estimate = closed_form(model_shape(made).value(), made.tensors, request, gpu).value();
    } else {
        estimate.shares = {{.device = "host", .terms = {{"speech", model->size() + model->size()}}}};
    }
    add_overhead(estimate, target);
    return estimate;
}

class Sentence : public testing::TestWithParam<SentenceRow> {};

TEST_P(Sentence, HoldsOnThisBox) {
    auto const& row = GetParam();
    auto const pools = idle_pools(row.box);
    Target const target{.device = "gpu0"};
    Demand sum;
    Bytes weights{}, context{};
    for (auto const load : split(row.models, ' ')) {
        sum += demand_of(estimate_of(load, target));
        // All on the host: on a GPU the formulas count an encoder's token table twice.
        auto const estimate = estimate_of(load, {});
        weights += estimate.of(weights_term) + estimate.of(embeddings_term);
        context += estimate.of(context_term);
    }
    auto const judgement = judge(sum, pools, target);
    EXPECT_EQ(to_string(judgement.verdict), row.verdict) << sentence(judgement, target);
    EXPECT_NEAR(static_cast<double>(weights.count), static_cast<double>(row.weights), 4096);
    EXPECT_EQ(context.count, row.context);
    if (row.limit != "-") {
        EXPECT_EQ(to_string(judgement.decisive->limit), row.limit) << sentence(judgement, target);
    }
}
INSTANTIATE_TEST_SUITE_P(Mission, Sentence, testing::ValuesIn(sentence_rows()),
                         [](auto const& row) { return format("row{}", row.index + 1); });

TEST(Loadouts, SizedWithoutTheirFilesAreSizedAsByThem) {
    for (auto const& model : models::loadouts().models) {
        if (!model.header) continue;
        auto const made = models::header_model(model);
        auto const shape = model_shape(made);
        ASSERT_TRUE(shape.ok()) << model.name << ": " << shape.error().message;
        EXPECT_EQ(shape->exactness, Exactness::Exact) << model.name;
        auto const estimate = closed_form(*shape, made.tensors, {}).value();
        EXPECT_EQ(estimate.of(weights_term) + estimate.of(embeddings_term), model.header->size) << model.name;
    }
}

}  // namespace
}  // namespace hal0::memory
