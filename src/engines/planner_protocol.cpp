#include "engines/planner_protocol.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace hal0::engines {
namespace {

Result<BufferPlan> decode_buffer(json::Value const& value, std::string const& path) {
    BufferPlan buffer;
    std::optional<std::int64_t> largest;
    json::ObjectReader in{value, path};
    in.required("device", buffer.device);
    in.required("buffer", buffer.buffer);
    in.required("model", buffer.model.count);
    in.required("context", buffer.context.count);
    in.required("compute", buffer.compute.count);
    in.optional("largest", largest);
    HAL0_CHECK(in.finish());
    if (largest) buffer.largest_allocation = Bytes{*largest};
    if (std::min({buffer.model, buffer.context, buffer.compute}) < Bytes{})
        return Error{Errc::Corrupt, format("{} is of a negative size", path)};
    return buffer;
}

Result<Plan> decode_plan(json::Value const& value) {
    Plan plan;
    std::optional<std::int64_t> output;
    json::ObjectReader in{value, ""};
    in.required("context", plan.context.count);
    in.required("context_per_sequence", plan.context_per_sequence.count);
    in.optional("output", output);
    in.list("buffers", plan.buffers, decode_buffer);
    HAL0_CHECK(in.finish());
    if (output) plan.output = Bytes{*output};
    return plan;
}

Error no_answer(Error const& fault) {
    return {Errc::Internal, in_context("hal0-planner's answer", fault).message};
}

// The planner's refusal, or what is wrong with its answer.
Error refusal(json::Value const& value) {
    std::string words;
    std::string kind;
    json::ObjectReader in{value, ""};
    in.required("error", words);
    in.required("kind", kind);
    if (auto const read = in.finish(); !read) return no_answer(read.error());
    // No fault of the model or the settings: a context so large that its planning takes more than there
    // is.
    if (words.ends_with("std::bad_alloc"))
        return {Errc::Unavailable, format("planning it takes more memory than there is: {}", words)};
    if (kind == "model") return {Errc::Corrupt, format("the engine can't read it: {}", words)};
    if (kind == "settings")
        return {Errc::Unsupported, format("the engine does not take these settings: {}", words)};
    if (kind == "engine") return {Errc::Unavailable, format("the engine gave up on it: {}", words)};
    return {Errc::Internal, format("hal0-planner does not understand hal0: {}", words)};
}

std::int64_t outputs_each(PlanRequest const& request) {
    return request.drafter == Drafter::None ? 1 : 1 + std::int64_t{request.drafted};
}

std::int64_t outputs(PlanRequest const& request) {
    // As llama-server has it: a row for each sequence that generates and each token it checks, and for each
    // token that is embedded.
    return request.embeddings
               ? request.batch.count
               : std::min(request.batch.count, std::int64_t{request.parallel} * outputs_each(request));
}

// Recurrent states are kept for each token that may be taken back; a draft model's are checkpointed instead
// (need_n_rs_seq of common/common.h).
std::string drafting(PlanRequest const& request) {
    if (request.drafter == Drafter::None) return {};
    auto line = format(" outputs_each={}", outputs_each(request));
    if (request.drafter == Drafter::Mtp)
        line += format(" states={} load_mtp=1{}", request.drafted, request.of_mtp ? " mtp=1" : "");
    return line;
}

}  // namespace

std::vector<DevicePlan> by_device(Plan const& plan) {
    std::vector<DevicePlan> devices;
    for (auto const& buffer : plan.buffers) {
        auto found = std::find_if(devices.begin(), devices.end(),
                                  [&](DevicePlan const& device) { return device.name == buffer.device; });
        if (found == devices.end()) found = devices.insert(found, DevicePlan{.name = buffer.device});
        found->model += buffer.model;
        found->context += buffer.context;
        found->compute += buffer.compute;
        auto const limit = buffer.largest_allocation;
        if (limit) found->largest_allocation = std::min(*limit, found->largest_allocation.value_or(*limit));
    }
    std::stable_partition(devices.begin(), devices.end(),
                          [](DevicePlan const& device) { return device.name != planned_host; });
    return devices;
}

std::string settings_line(PlanRequest const& request) {
    return format(
        "parallel={} unified={} batch={} ubatch={} outputs={} kv_k={} kv_v={} flash={} gpu_layers={} "
        "embeddings={}{}",
        request.parallel, request.unified_kv ? 1 : 0, request.batch.count, request.ubatch.count,
        outputs(request), to_string(request.kv_type_k), to_string(request.kv_type_v),
        to_string(request.flash_attention), request.gpu_layers, request.embeddings ? 1 : 0,
        drafting(request));
}

std::string question(PlanRequest const& request, Tokens context) {
    return format("context={} {}", context.count, settings_line(request));
}

Result<Plan> decode_answer(std::string_view line) {
    auto const value = json::parse(line);
    if (!value) return no_answer(value.error());
    if (value->find("error") != nullptr) return refusal(*value);
    auto plan = decode_plan(*value);
    if (!plan) return no_answer(plan.error());
    return plan;
}

std::string encode(Plan const& plan) {
    json::Writer out;
    auto const count = [](std::optional<Bytes> bytes) -> std::optional<std::int64_t> {
        return bytes ? std::optional{bytes->count} : std::nullopt;
    };
    out.begin_object().field("context", plan.context.count);
    out.field("context_per_sequence", plan.context_per_sequence.count).field("output", count(plan.output));
    out.key("buffers").begin_array();
    for (auto const& buffer : plan.buffers) {
        out.begin_object().field("device", buffer.device).field("buffer", buffer.buffer);
        out.field("model", buffer.model.count).field("context", buffer.context.count);
        out.field("compute", buffer.compute.count)
            .field("largest", count(buffer.largest_allocation))
            .end_object();
    }
    out.end_array().end_object();
    return out.take();
}

}  // namespace hal0::engines
