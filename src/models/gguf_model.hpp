#pragma once
// A model as the engine sees it: one GGUF file, or all the shards of one (NAME-00001-of-00003.gguf). Asked
// for by its first shard, which alone has the model's keys.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/gguf_file.hpp"

namespace hal0::models {

struct ShardName {
    std::string base{};     // in front of "-00001-of-00003.gguf"
    std::uint32_t index{};  // from 1
    std::uint32_t count{};
    [[nodiscard]] std::string of(std::uint32_t shard) const;
    bool operator==(ShardName const&) const = default;
};
// Nothing for a file that is no shard.
std::optional<ShardName> shard_name(std::string_view path);

struct GgufModel {
    GgufMetadata metadata{};
    GgufTensors tensors{};             // of all shards; offsets are each in its own
    std::vector<std::string> files{};  // as they were asked for
    Bytes size{};                      // of the files
    Bytes missing{};                   // at their ends, of tensors of a known type: cut, or still coming
    bool operator==(GgufModel const&) const = default;
};

// How a file is come by: open_file_source, or one that reads ranges of what lies elsewhere.
using OpenSource = std::function<Result<std::unique_ptr<ByteSource>>(std::string const& path)>;

// NotFound names every shard that is missing; Invalid when asked for by another shard than the first. Whether
// the tensors' data is there is not asked: a header is enough.
Result<GgufModel> read_gguf_model(std::string const& path, OpenSource const& open = open_file_source);

}  // namespace hal0::models
