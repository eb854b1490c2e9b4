#include "models/store.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "models/catalog.hpp"
#include "os/file.hpp"

namespace hal0::models {
namespace {

constexpr Bytes sidecar_max = 1_MiB;
constexpr Bytes mark_max = 4_KiB;

Result<ModelFile> decode_file(json::Value const& value, std::string const& path) {
    ModelFile file;
    json::ObjectReader in{value, path};
    in.required("name", file.name);
    in.required("size", file.size.count);
    in.required("sha256", file.sha256);
    HAL0_CHECK(in.finish_lenient());
    if (file.name.empty() || file.name.find('/') != std::string::npos) {
        return Error{Errc::Invalid, format("{}.name must be a file name without '/'", path)};
    }
    return file;
}

std::string mark_of(std::string const& directory) { return os::join_path(directory, damage_mark); }

// What can be seen without reading the files.
std::string fault_of(StoredModel const& model) {
    for (auto const& file : model.record.files) {
        auto const found = os::status(os::join_path(model.directory, file.name));
        if (!found) return format("{} is missing", file.name);
        if (found->size != file.size) {
            return format("{} has {} bytes instead of {}", file.name, found->size.count, file.size.count);
        }
    }
    return {};
}

StoredModel look(std::string const& directory, std::string const& id) {
    StoredModel model{.record = {.id = id}, .directory = directory};
    auto const path = os::join_path(directory, sidecar_name);
    auto const text = os::read_file(path, sidecar_max);
    auto record = text ? decode_model(*text, path) : Result<ModelRecord>{text.error()};
    if (record) {
        model.record = std::move(record).value();
        model.record.id = id;  // a copied directory has the name it was given
        model.fault = fault_of(model);
        if (auto const mark = os::read_file(mark_of(directory), mark_max); mark && model.fault.empty())
            model.fault = trim(*mark);
    } else {
        model.fault = record.error().message;
        model.readable = false;
    }
    if (!model.fault.empty()) model.state = ModelState::Damaged;
    return model;
}

}  // namespace

std::string encode(ModelRecord const& record) {
    json::Writer out;
    out.begin_object().field("schema", model_schema).field("id", record.id).field("name", record.name);
    out.field("kind", to_string(record.kind)).field("licence", record.licence).field("source", record.source);
    out.field("context_max", record.context_max).key("files").begin_array();
    for (auto const& file : record.files) {
        out.begin_object().field("name", file.name).field("size", file.size.count);
        out.field("sha256", file.sha256).end_object();
    }
    out.end_array().end_object();
    return out.take() + "\n";
}

Result<ModelRecord> decode_model(std::string_view text, std::string const& path) {
    auto read = [&]() -> Result<ModelRecord> {
        HAL0_TRY(value, json::parse(text));
        ModelRecord record;
        std::string kind;
        std::int64_t schema = 0;
        json::ObjectReader in{value, ""};
        in.required("schema", schema);
        in.optional("id", record.id);
        in.optional("name", record.name);
        in.required("kind", kind);
        in.optional("licence", record.licence);
        in.optional("source", record.source);
        in.optional("context_max", record.context_max);
        in.list("files", record.files, decode_file);
        HAL0_CHECK(in.finish_lenient());
        if (schema > model_schema)
            return Error{Errc::Unsupported, format("schema {} is newer than this hal0 knows", schema)};
        auto const known = kind_from(kind);
        if (!known) return Error{Errc::Invalid, format("kind '{}' is none of {}", kind, kind_list())};
        record.kind = *known;
        if (record.files.empty()) return Error{Errc::Invalid, "files must not be empty"};
        return record;
    };
    auto record = read();
    if (!record) return in_context(path, std::move(record).error());
    return record;
}

bool valid_model_id(std::string_view id) {
    auto const plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !id.empty() && id.size() <= 128 && plain(id.front()) &&
           std::all_of(id.begin(), id.end(),
                       [plain](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

std::string StoredModel::main_file() const { return os::join_path(directory, record.files.front().name); }

Bytes StoredModel::size() const {
    Bytes sum{};
    for (auto const& file : record.files)
        sum += file.size;
    return sum;
}

std::vector<StoredModel> ModelStore::list() const {
    std::vector<StoredModel> models;
    for (auto const& root : roots_) {
        auto const names = os::list_directory(root);
        if (!names) continue;
        for (auto const& name : *names) {
            auto const directory = os::join_path(root, name);
            bool const shadowed =
                std::any_of(models.begin(), models.end(), [&](auto const& m) { return m.record.id == name; });
            if (!shadowed && valid_model_id(name) && os::exists(os::join_path(directory, sidecar_name))) {
                models.push_back(look(directory, name));
            }
        }
    }
    std::sort(models.begin(), models.end(),
              [](auto const& a, auto const& b) { return a.record.id < b.record.id; });
    return models;
}

Result<StoredModel> ModelStore::find(std::string const& id) const {
    if (valid_model_id(id)) {
        for (auto const& root : roots_) {
            auto const directory = os::join_path(root, id);
            if (os::exists(os::join_path(directory, sidecar_name))) return look(directory, id);
        }
    }
    std::vector<std::string> ids;
    for (auto const& model : list())
        ids.push_back(model.record.id);
    auto const near = nearest(id, ids);
    auto const way = catalog_entry(id).ok() ? format("get it with 'hal0 model pull {}'", id)
                                            : "'hal0 model list' shows what is here and what can be pulled";
    return Error{Errc::NotFound, format("there is no model '{}' on this machine{}; {}", clipped(id),
                                        near ? format(" (did you mean '{}'?)", *near) : "", way)};
}

Result<void> ModelStore::verify(std::string const& id, OnProgress const& progress) const {
    HAL0_TRY(model, find(id));
    auto const wrong = [&](std::string const& fault) {
        return Error{Errc::Corrupt,
                     format("model '{}': {}; pull it again with 'hal0 model pull {}'", id, fault, id)};
    };
    if (!model.readable) return wrong(model.fault);
    if (auto const fault = fault_of(model); !fault.empty()) return wrong(fault);
    auto const mark = mark_of(model.directory);
    Bytes before{};  // in the files that are done
    for (auto const& file : model.record.files) {
        HAL0_TRY(hash, os::sha256_of(os::join_path(model.directory, file.name), [&](Bytes done) {
                     if (progress)
                         progress({.step = format("checking {}", file.name),
                                   .done = before.count + done.count,
                                   .total = model.size().count});
                 }));
        before += file.size;
        if (hash == file.sha256) continue;
        auto fault = format("{} is not what was pulled (its SHA-256 differs)", file.name);
        if (auto const marked = os::atomic_write(mark, fault + "\n"); !marked)
            fault += format(", which can't be noted there ({})", marked.error().message);
        return wrong(fault);
    }
    return os::remove_file(mark);
}

}  // namespace hal0::models
