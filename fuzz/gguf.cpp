// A model file of any bytes: read, shaped and estimated. Whatever it says, there is an answer, and none under
// 0.
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "memory/closed_form.hpp"
#include "memory/shape.hpp"
#include "models/gguf_file.hpp"
#include "target.hpp"

namespace {

using namespace hal0;

class Content final : public models::ByteSource {
  public:
    explicit Content(std::string content) : content_{std::move(content)} {}
    [[nodiscard]] Bytes size() const override { return {static_cast<std::int64_t>(content_.size())}; }
    [[nodiscard]] models::Pieces pieces() const override { return {64_KiB, 128_KiB}; }
    Result<std::string> read(Bytes offset, Bytes count) override {
        return content_.substr(static_cast<std::size_t>(offset.count), static_cast<std::size_t>(count.count));
    }

  private:
    std::string content_;
};

std::array<engines::PlanRequest, 4> requests() {
    return {{{},
             {.context = {1 << 20},
              .parallel = 7,
              .kv_type_k = engines::KvType::Q8_0,
              .kv_type_v = engines::KvType::Q4_0,
              .gpu_layers = 3},
             {.context = {0}, .parallel = 300, .unified_kv = true, .embeddings = true},
             {.context = {INT64_MAX},
              .parallel = INT32_MIN,
              .ubatch = {INT64_MAX},
              .batch = {INT64_MIN},
              .flash_attention = engines::FlashAttention::Off}}};
}

void estimate(models::GgufModel const& model) {
    auto const shape = memory::model_shape(model);
    if (!shape) return;
    for (auto const& request : requests()) {
        for (auto const& gpu : {std::optional<std::string>{}, std::optional<std::string>{"gpu0"}}) {
            auto const found = memory::closed_form(*shape, model.tensors, request, gpu);
            if (found && found->total().count < 0) std::abort();
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t count) {
    Content source{std::string{reinterpret_cast<char const*>(bytes), count}};
    auto file = models::read_gguf(source);
    if (file) {
        estimate({.metadata = std::move(file->metadata),
                  .tensors = std::move(file->tensors),
                  .size = source.size()});
    }
    return 0;
}
