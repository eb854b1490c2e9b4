#include "models/catalog.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"

namespace hal0::embedded {
extern std::string_view const model_catalog;
}

namespace hal0::models {
namespace {

struct MakingName {
    Making making;
    std::string_view name;
};
constexpr std::array making_names{MakingName{Making::Join, "join"}, MakingName{Making::BertGguf, "bert-gguf"},
                                  MakingName{Making::BertGgufRerankTest, "bert-gguf-rerank-test"}};

std::optional<Making> making_from(std::string_view name) {
    for (auto const& entry : making_names) {
        if (entry.name == name) return entry.making;
    }
    return std::nullopt;
}

Error wrong(std::string const& path, std::string_view what) {
    return Error{Errc::Invalid, format("{} {}", path, what)};
}

Result<PartSource> decode_part_source(json::Value const& value, std::string const& path) {
    PartSource part;
    json::ObjectReader in{value, path};
    in.optional("member", part.member);
    auto const* source = in.member("source");
    HAL0_CHECK(in.finish());
    if (source == nullptr) return wrong(path + ".source", "is missing");
    HAL0_TRY(decoded, decode_source(*source, path + ".source"));
    part.source = std::move(decoded);
    return part;
}

Result<Part> decode_part(json::Value const& value, std::string const& path) {
    Part part;
    json::ObjectReader in{value, path};
    in.optional("name", part.name);
    in.list("sources", part.sources, decode_part_source);
    HAL0_CHECK(in.finish());
    if (part.sources.empty()) return wrong(path + ".sources", "must not be empty");
    return part;
}

bool is_file_name(std::string_view text) {
    return !text.empty() && text.front() != '.' && text.find('/') == std::string_view::npos;
}

// A conversion finds its parts by their names.
Result<void> check_names(FilePlan const& plan, std::string const& path) {
    if (plan.making == Making::Join) return {};
    if (plan.title.empty()) return wrong(path + ".title", "is missing");
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
        if (!is_file_name(plan.parts[i].name)) {
            return wrong(format("{}.parts[{}].name", path, i), "must be a file name without '/'");
        }
    }
    return {};
}

struct FileEntry {
    ModelFile file{};
    FilePlan plan{};
};

Result<FileEntry> decode_file_entry(json::Value const& value, std::string const& path) {
    FileEntry entry;
    std::string making;
    json::ObjectReader in{value, path};
    in.required("name", entry.file.name);
    in.required("size", entry.file.size.count);
    in.required("sha256", entry.file.sha256);
    in.required("make", making);
    in.optional("title", entry.plan.title);
    in.list("parts", entry.plan.parts, decode_part);
    HAL0_CHECK(in.finish());
    auto const known = making_from(making);
    if (!known) return wrong(path + ".make", format("is '{}', which nothing here can do", making));
    entry.plan.making = *known;
    if (!is_file_name(entry.file.name)) return wrong(path + ".name", "must be a file name without '/'");
    if (entry.file.size.count <= 0) return wrong(path + ".size", "must be above 0");
    if (!is_sha256(entry.file.sha256))
        return wrong(path + ".sha256", "must be 64 lower-case hexadecimal digits");
    if (entry.plan.parts.empty()) return wrong(path + ".parts", "must not be empty");
    HAL0_CHECK(check_names(entry.plan, path));
    return entry;
}

// For people: where the model comes from when every preferred source answers.
std::string preferred_sources(std::vector<FilePlan> const& plans) {
    std::vector<std::string> names;
    for (auto const& plan : plans) {
        for (auto const& part : plan.parts) {
            auto name = to_string(part.sources.front().source);
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
        }
    }
    return join(names, ", ");
}

Result<CatalogEntry> decode_entry(json::Value const& value, std::string const& path) {
    CatalogEntry entry;
    std::string kind;
    std::vector<FileEntry> files;
    json::ObjectReader in{value, path};
    in.required("id", entry.record.id);
    in.required("name", entry.record.name);
    in.required("kind", kind);
    in.required("licence", entry.record.licence);
    in.required("context_max", entry.record.context_max);
    in.required("description", entry.description);
    in.optional("hidden", entry.hidden);
    in.list("files", files, decode_file_entry);
    HAL0_CHECK(in.finish());
    if (!valid_model_id(entry.record.id)) return wrong(path + ".id", "is no model id");
    auto const known = kind_from(kind);
    if (!known) return wrong(path + ".kind", "is none of " + kind_list());
    if (files.empty()) return wrong(path + ".files", "must not be empty");
    entry.record.kind = *known;
    for (auto& [file, plan] : files) {
        entry.record.files.push_back(std::move(file));
        entry.plans.push_back(std::move(plan));
    }
    entry.record.source = preferred_sources(entry.plans);
    return entry;
}

std::vector<CatalogEntry> const& all_entries() {
    static std::vector<CatalogEntry> const entries = [] {
        auto decoded = decode_catalog(embedded::model_catalog);
        assert(decoded.ok());  // compiled in, and read by a test
        return std::move(decoded).value_or({});
    }();
    return entries;
}

}  // namespace

Result<std::vector<CatalogEntry>> decode_catalog(std::string_view text) {
    HAL0_TRY(value, json::parse(text));
    std::vector<CatalogEntry> entries;
    std::int64_t schema = 0;
    json::ObjectReader in{value, ""};
    in.required("schema", schema);
    in.list("models", entries, decode_entry);
    HAL0_CHECK(in.finish());
    if (schema != 1) return wrong("schema", "must be 1");
    std::sort(entries.begin(), entries.end(),
              [](auto const& a, auto const& b) { return a.record.id < b.record.id; });
    auto const twice = std::adjacent_find(entries.begin(), entries.end(), [](auto const& a, auto const& b) {
        return a.record.id == b.record.id;
    });
    if (twice != entries.end()) return wrong("models", format("has '{}' twice", twice->record.id));
    return entries;
}

std::vector<CatalogEntry> const& catalog() {
    static std::vector<CatalogEntry> const offered = [] {
        auto entries = all_entries();
        std::erase_if(entries, [](CatalogEntry const& entry) { return entry.hidden; });
        return entries;
    }();
    return offered;
}

Result<CatalogEntry> catalog_entry(std::string_view id) {
    for (auto const& entry : all_entries()) {
        if (entry.record.id == id) return entry;
    }
    std::vector<std::string> ids;
    for (auto const& entry : catalog())
        ids.push_back(entry.record.id);
    auto const near = nearest(id, ids);
    return Error{Errc::NotFound, format("there is no model '{}' in the catalogue{}; it has {}", clipped(id),
                                        near ? format(" (did you mean '{}'?)", *near) : "", join(ids, ", "))};
}

}  // namespace hal0::models
