#pragma once
// The models hal0 knows how to get: data (catalog.json, compiled in), no code for any of them.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "models/source.hpp"
#include "models/store.hpp"

namespace hal0::models {

// One piece of a file: what is downloaded, and what of it is wanted.
struct PartSource {
    Source source{};
    std::string member{};  // of the archive; empty: all of the file downloaded
    bool operator==(PartSource const&) const = default;
};
struct Part {
    std::string name{};                 // what a conversion calls it: "config.json"; empty for Join
    std::vector<PartSource> sources{};  // in order of preference; each gives the same bytes
    bool operator==(Part const&) const = default;
};

enum class Making {
    Join,                // the parts, one after the other
    BertGguf,            // bert_gguf.hpp, from config.json, vocab.txt and model.safetensors
    BertGgufRerankTest,  // the same with the head whose scores mean nothing
};

// How one file of a model is made.
struct FilePlan {
    Making making{Making::Join};
    std::vector<Part> parts{};
    std::string title{};  // of a conversion: what the file says of itself (general.name)
    bool operator==(FilePlan const&) const = default;
};

struct CatalogEntry {
    ModelRecord record{};           // as it will be in the store, its source the preferred one
    std::vector<FilePlan> plans{};  // one for each of record.files
    std::string description{};
    bool hidden{false};  // for hal0's own tests: found by its id, offered to nobody
    bool operator==(CatalogEntry const&) const = default;
};

// What is offered, by id. Hidden entries are not among them.
std::vector<CatalogEntry> const& catalog();
// Hidden ones too. NotFound names what is near.
Result<CatalogEntry> catalog_entry(std::string_view id);

// Invalid names the place of the fault.
Result<std::vector<CatalogEntry>> decode_catalog(std::string_view text);

}  // namespace hal0::models
