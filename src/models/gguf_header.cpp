#include "models/gguf_header.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "models/byte_source.hpp"
#include "models/gguf_file.hpp"

namespace hal0::models {
namespace {

Result<GgufHeader> read(ByteSource& source) {
    HAL0_TRY(file, read_gguf(source));
    auto const architecture = file.metadata.text("general.architecture").value_or("");
    if (architecture.empty()) return Error{Errc::Corrupt, "it doesn't say its architecture"};
    if (file.data_end > file.data_begin && file.data_end > source.size()) {
        return Error{Errc::Corrupt, format("it is cut: {} bytes are here, and its tensors need {}",
                                           source.size().count, file.data_end.count)};
    }
    auto const context = file.metadata.integer(architecture + ".context_length").value_or(0);
    return GgufHeader{.architecture = architecture,
                      .name = file.metadata.text("general.name").value_or(""),
                      .context_length = {std::max<std::int64_t>(context, 0)},
                      .tensors = file.tensors.size(),
                      .size = source.size()};
}

}  // namespace

Result<GgufHeader> read_gguf_header(std::string const& path) {
    HAL0_TRY(source, open_file_source(path));
    auto header = read(*source);
    if (header) return header;
    auto error = std::move(header).error();
    if (error.kind == Errc::Corrupt || error.kind == Errc::Unsupported) {
        error.message = format("{} can't be loaded: {}; get the file again", path, error.message);
    }
    return error;
}

}  // namespace hal0::models
