#include "models/gguf_model.hpp"

#include <charconv>
#include <iterator>
#include <utility>

#include "base/format.hpp"
#include "models/gguf_limits.hpp"

namespace hal0::models {
namespace {

constexpr std::size_t digits = 5;

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    auto const* const end = text.data() + text.size();
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): with its end
    auto const [stop, fault] = std::from_chars(text.data(), end, value);
    if (fault != std::errc{} || stop != end) return std::nullopt;
    return value;
}

Result<GgufFile> read_one(ByteSource& source, std::string const& path) {
    auto file = read_gguf(source);
    if (!file) return in_context("reading " + path, std::move(file).error());
    return file;
}

void add(GgufModel& model, GgufFile file, std::string path, Bytes size) {
    if (file.data_end > size) model.missing += file.data_end - size;
    model.tensors.insert(model.tensors.end(), std::make_move_iterator(file.tensors.begin()),
                         std::make_move_iterator(file.tensors.end()));
    model.files.push_back(std::move(path));
    model.size += size;
}

// The shards after the first.
Result<void> add_others(GgufModel& model, ShardName const& name, OpenSource const& open) {
    std::string missing;
    for (std::uint32_t shard = 2; shard <= name.count; ++shard) {
        auto path = name.of(shard);
        auto source = open(path);
        if (!source && source.error().kind == Errc::NotFound) {
            missing += (missing.empty() ? "" : ", ") + path;
            continue;
        }
        if (!source) return std::move(source).error();
        HAL0_TRY(file, read_one(**source, path));
        add(model, std::move(file), std::move(path), (*source)->size());
    }
    if (missing.empty()) return {};
    return Error{Errc::NotFound,
                 format("{} has {} parts, and of them are missing: {}", name.of(1), name.count, missing)};
}

}  // namespace

std::string ShardName::of(std::uint32_t shard) const {
    return format("{}-{:05}-of-{:05}.gguf", base, shard, count);
}

std::optional<ShardName> shard_name(std::string_view path) {
    constexpr std::string_view middle = "-of-", suffix = ".gguf";
    constexpr auto tail = 1 + digits + middle.size() + digits + suffix.size();
    if (path.size() <= tail || !path.ends_with(suffix)) return std::nullopt;
    auto const name = path.substr(path.size() - tail);
    if (name[0] != '-' || name.substr(1 + digits, middle.size()) != middle) return std::nullopt;
    auto const index = number(name.substr(1, digits));
    auto const count = number(name.substr(1 + digits + middle.size(), digits));
    if (!index || !count || *index == 0 || *index > *count) return std::nullopt;
    return ShardName{
        .base = std::string{path.substr(0, path.size() - tail)}, .index = *index, .count = *count};
}

Result<GgufModel> read_gguf_model(std::string const& path, OpenSource const& open) {
    auto const name = shard_name(path);
    if (name && name->index != 1) {
        return Error{Errc::Invalid, format("{} is part {} of a model; name its first part, {}", path,
                                           name->index, name->of(1))};
    }
    HAL0_TRY(source, open(path));
    HAL0_TRY(file, read_one(*source, path));
    auto const said = file.metadata.integer("split.count").value_or(1);
    auto const count = std::int64_t{name ? name->count : 1};
    if (said != count && (said > 1 || count > 1)) {
        return Error{Errc::Corrupt,
                     format("{} says that it has {} parts, which its name doesn't", path, said)};
    }
    if (count > static_cast<std::int64_t>(gguf::shards_max)) {
        return Error{Errc::TooLarge, format("{} has {} parts, over {}", path, count, gguf::shards_max)};
    }
    GgufModel model{.metadata = std::move(file.metadata)};
    add(model, std::move(file), path, source->size());
    if (name) HAL0_CHECK(add_others(model, *name, open));
    return model;
}

}  // namespace hal0::models
