#pragma once
// A model's numbers as llama.cpp holds them (its llama_hparams, src/llama-hparams.h), with its defaults. For
// shape.cpp.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "memory/architectures.hpp"
#include "models/gguf_model.hpp"

namespace hal0::memory {

inline constexpr std::int64_t layers_max = 512;                    // LLAMA_MAX_LAYERS
inline constexpr std::int64_t number_max = std::int64_t{1} << 31;  // of anything that a key counts
inline constexpr std::int64_t row_numbers_max = std::int64_t{1} << 24;

// The keys of one architecture.
class Keys {
  public:
    Keys(models::GgufMetadata const& metadata, std::string architecture)
        : metadata_{metadata}, architecture_{std::move(architecture)} {}

    // Absent when it isn't there; what is under 0 or over number_max is never believed.
    [[nodiscard]] std::optional<std::int64_t> number(std::string_view key) const;
    [[nodiscard]] bool flag(std::string_view key, bool otherwise) const;
    [[nodiscard]] models::GgufArray const* array(std::string_view key) const;
    // One for each layer: of an array, or all the same. An array of another length gives its largest to all.
    [[nodiscard]] std::vector<std::int64_t> each(std::string_view key,
                                                 std::vector<std::int64_t> otherwise) const;

  private:
    [[nodiscard]] std::string full(std::string_view key) const {
        return architecture_ + "." + std::string{key};
    }
    models::GgufMetadata const& metadata_;
    std::string architecture_;
};

struct Hyper {
    std::string name{};
    Architecture rules{};
    bool known{false};

    std::int64_t layers_all{0};
    std::int64_t layers{0};                // without those that predict further tokens (MTP)
    std::optional<std::int64_t> router{};  // a layer of graniteswitch that the trunk attends
    std::int64_t embedding{0};
    std::vector<std::int64_t> heads{};  // these are each by layer
    std::vector<std::int64_t> kv_heads{};
    std::vector<std::int64_t> feed_forward{};
    std::int64_t key_size{0}, value_size{0};  // of a head
    std::int64_t key_size_sliding{0}, value_size_sliding{0};
    bool latent{false};  // MLA: keys alone are cached

    std::vector<bool> slides{};
    std::vector<bool> recurs{};
    std::vector<bool> indexes{};
    std::int64_t window{0};
    std::int64_t kv_layers{0};  // from the first on; those above share theirs

    std::int64_t conv_state{0}, scan_state{0};  // n_embd_r, n_embd_s
    std::int64_t scan_row{0};
    std::int64_t history_state{0};  // of the layers in `histories`
    std::vector<std::int64_t> histories{};
    std::int64_t index_size{0};
    std::vector<std::int64_t> compress{};

    [[nodiscard]] std::int64_t key_row(std::size_t layer) const;
    [[nodiscard]] std::int64_t value_row(std::size_t layer) const;
};

Result<Hyper> hyper(models::GgufModel const& model);

}  // namespace hal0::memory
