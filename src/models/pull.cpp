#include "models/pull.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "models/bert_gguf.hpp"
#include "models/beside.hpp"
#include "models/claim.hpp"
#include "os/file.hpp"

namespace hal0::models {
namespace {

using Indices = std::vector<std::size_t>;  // of the entry's files and their plans

// What is downloaded for these files when the preferred sources answer, each archive once.
std::vector<Source> preferred_downloads(CatalogEntry const& entry, Indices const& files) {
    std::vector<Source> downloads;
    for (auto const i : files) {
        for (auto const& part : entry.plans[i].parts) {
            auto const& source = part.sources.front().source;
            if (std::find(downloads.begin(), downloads.end(), source) == downloads.end())
                downloads.push_back(source);
        }
    }
    return downloads;
}

Error too_little(CatalogEntry const& entry, std::string const& where, Bytes needed, Bytes free) {
    return {Errc::NoSpace,
            format("pulling {} needs {} at {}, and {} are free; make room there and pull it again",
                   entry.record.id, human(needed), where, human(free))};
}

// What making a file takes at most. A conversion to half precision has its input, twice the size, beside it.
Bytes made_in(FilePlan const& plan, Bytes size) {
    return {plan.making == Making::Join ? size.count : size.count * 3};
}

class Pull {
  public:
    Pull(CatalogEntry const& entry, ModelStore const& store, FetchWorld const& world)
        : entry_{entry},
          store_{store},
          world_{world},
          place_{os::join_path(store.root(), entry.record.id)},
          staging_{format("{}/.pull-{}", store.root(), entry.record.id)},
          damaged_{format("{}/.damaged-{}", store.root(), entry.record.id)},
          tools_{world},
          downloader_{counting(world)} {}

    Result<ModelRecord> run() {
        HAL0_CHECK(os::make_directories(store_.root()));
        HAL0_CHECK(os::make_directories(world_.cache + "/downloads"));
        HAL0_TRY(present, find_present());
        if (present && !os::exists(damaged_)) return *present;
        HAL0_TRY(claim, Claim::take(staging_ + ".lock", [this](std::string const& holder) {
                     tell({.step = format("waiting for {}, which pulls {}", holder, entry_.record.id)});
                 }));
        HAL0_TRY(meanwhile, find_present());  // by whom the claim was held until now
        if (meanwhile) {
            HAL0_CHECK(clear_damaged());
            return *meanwhile;
        }
        HAL0_TRY(work, plan());
        HAL0_CHECK(check_space(work.to_make));
        HAL0_CHECK(os::make_directories(staging_));
        HAL0_CHECK(clear_strays());
        for (auto const i : work.to_keep)
            HAL0_CHECK(os::rename_path(in_place(i), in_staging(i)));
        for (auto const i : work.to_make)
            HAL0_CHECK(make(entry_.record.files[i], entry_.plans[i]));
        auto record = entry_.record;
        if (!used_.empty()) record.source = join(used_, ", ");
        HAL0_CHECK(os::atomic_write(os::join_path(staging_, sidecar_name), encode(record)));
        HAL0_CHECK(put_in_place());
        forget_downloads();
        return record;
    }

  private:
    struct Plan {
        Indices to_keep{};  // whole in the damaged model
        Indices to_make{};  // neither there nor left by an earlier try
    };

    [[nodiscard]] std::string in_place(std::size_t i) const {
        return os::join_path(place_, entry_.record.files[i].name);
    }
    [[nodiscard]] std::string in_staging(std::size_t i) const {
        return os::join_path(staging_, entry_.record.files[i].name);
    }

    // Nothing when the model has to be made.
    Result<std::optional<ModelRecord>> find_present() const {
        auto const& id = entry_.record.id;
        auto const found = store_.find(id);
        if (found && found->record.files == entry_.record.files) {
            if (found->state == ModelState::Present) return std::optional{found->record};
            return std::optional<ModelRecord>{};
        }
        auto const directory = found ? found->directory : place_;
        bool const ours = found && !found->readable && has_nothing_else(directory);
        if (ours || !os::exists(directory)) return std::optional<ModelRecord>{};
        return Error{Errc::Exists,
                     format("{} is there and is not the catalogue's '{}'; move it away, or give it "
                            "another name, and pull again",
                            directory, id)};
    }

    // Whether all that stands there is named as the model's own: it may be replaced.
    [[nodiscard]] bool has_nothing_else(std::string const& directory) const {
        auto const names = os::list_directory(directory);
        return names && std::all_of(names->begin(), names->end(), [this](std::string const& name) {
                   return name == sidecar_name || name == damage_mark || name == measured_name ||
                          is_file_of_model(name);
               });
    }

    [[nodiscard]] bool is_file_of_model(std::string const& name) const {
        auto const& files = entry_.record.files;
        return std::any_of(files.begin(), files.end(),
                           [&name](ModelFile const& file) { return file.name == name; });
    }

    Result<Plan> plan() const {
        Plan plan;
        for (std::size_t i = 0; i < entry_.plans.size(); ++i) {
            auto const& file = entry_.record.files[i];
            HAL0_TRY(made, is_whole(in_staging(i), file));
            if (made) continue;
            HAL0_TRY(kept, is_whole(in_place(i), file));
            (kept ? plan.to_keep : plan.to_make).push_back(i);
        }
        return plan;
    }

    // Before anything is downloaded. What is there already from an earlier try is not asked for again.
    Result<void> check_space(Indices const& to_make) {
        auto const downloads = world_.cache + "/downloads";
        Bytes cache = spare_space;
        Bytes largest{};
        for (auto const& source : preferred_downloads(entry_, to_make)) {
            to_download_ += source.size;
            if (os::exists(downloader_.place_of(source))) continue;
            cache += source.size;
            largest = std::max(largest, source.size);
        }
        cache += largest;  // twice there for a moment, while its client hands it over
        Bytes made = spare_space;
        for (auto const i : to_make)
            made += made_in(entry_.plans[i], entry_.record.files[i].size);
        HAL0_TRY(cache_free, os::free_space(downloads));
        HAL0_TRY(store_free, os::free_space(store_.root()));
        HAL0_TRY(cache_status, os::status(downloads));
        HAL0_TRY(store_status, os::status(store_.root()));
        if (cache_status.device == store_status.device) {
            auto const all = cache + made;
            if (store_free < all) return too_little(entry_, store_.root(), all, store_free);
            return {};
        }
        if (cache_free < cache) return too_little(entry_, downloads, cache, cache_free);
        if (store_free < made) return too_little(entry_, store_.root(), made, store_free);
        return {};
    }

    // What a killed pull, or one of an older catalogue, has left: all that is there becomes part of the
    // model.
    Result<void> clear_strays() const {
        HAL0_TRY(names, os::list_directory(staging_));
        for (auto const& name : names) {
            if (!is_file_of_model(name)) HAL0_CHECK(os::remove_tree(os::join_path(staging_, name)));
        }
        return {};
    }

    Result<void> make(ModelFile const& file, FilePlan const& plan) {
        auto const path = os::join_path(staging_, file.name);
        HAL0_TRY(members, fetch_parts(plan));
        HAL0_CHECK(plan.making == Making::Join ? tools_.extract_joined(members, path)
                                               : convert(plan, members, path));
        HAL0_TRY(good, is_whole(path, file));
        if (good) return {};
        HAL0_TRY(made, os::status(path));
        HAL0_TRY(hash, os::sha256_of(path));
        HAL0_CHECK(os::remove_file(path));
        return Error{Errc::Corrupt,
                     format("{} was made of {} and has {} bytes and the SHA-256 {}, which is not what the "
                            "catalogue says; this hal0 can't pull it",
                            file.name, join(used_, ", "), made.size.count, hash)};
    }

    Result<void> convert(FilePlan const& plan, std::vector<ArchiveMember> const& members,
                         std::string const& path) {
        auto const inputs = staging_ + "/.inputs";
        HAL0_CHECK(os::make_directories(inputs));
        for (std::size_t i = 0; i < members.size(); ++i) {
            HAL0_CHECK(tools_.extract_joined({members[i]}, os::join_path(inputs, plan.parts[i].name)));
        }
        tell({.step = "converting " + plan.title});
        bool const ranks = plan.making == Making::BertGgufRerankTest;
        HAL0_CHECK(
            bert_to_gguf(inputs, plan.title, path, ranks ? RerankHead::Meaningless : RerankHead::None));
        return os::remove_tree(inputs);
    }

    Result<std::vector<ArchiveMember>> fetch_parts(FilePlan const& plan) {
        std::vector<ArchiveMember> members;
        for (auto const& part : plan.parts) {
            std::vector<Source> sources;
            sources.reserve(part.sources.size());
            for (auto const& [source, member] : part.sources)
                sources.push_back(source);
            HAL0_TRY(path, downloader_.fetch(sources));
            auto const used = std::find_if(
                part.sources.begin(), part.sources.end(),
                [&](PartSource const& candidate) { return downloader_.place_of(candidate.source) == path; });
            if (used == part.sources.end())
                return Error{Errc::Internal, format("{} is of no known source", path)};
            remember(used->source);
            members.push_back({.archive = path, .member = used->member});
        }
        return members;
    }

    void remember(Source const& source) {
        auto name = to_string(source);
        if (std::find(used_.begin(), used_.end(), name) != used_.end()) return;
        used_.push_back(std::move(name));
        before_ += source.size;
    }

    // Whether it is there with the right bytes.
    Result<bool> is_whole(std::string const& path, ModelFile const& file) const {
        auto const status = os::status(path);
        if (!status || status->size != file.size) return false;
        HAL0_TRY(hash, os::sha256_of(path, [&](Bytes done) {
                     tell({.step = "checking " + file.name, .done = done.count, .total = file.size.count});
                 }));
        return hash == file.sha256;
    }

    // find_present() has seen that what stands there, if anything, is the same model, damaged.
    Result<void> put_in_place() const {
        if (os::exists(place_)) {
            HAL0_CHECK(clear_damaged());  // of an earlier time, killed before its end
            HAL0_CHECK(os::rename_path(place_, damaged_));
        }
        HAL0_CHECK(os::rename_path(staging_, place_));
        return clear_damaged();
    }

    // What stood beside the damaged model and is not the model's is somebody's: it moves to the new one.
    Result<void> clear_damaged() const {
        if (!os::exists(damaged_)) return {};
        HAL0_TRY(names, os::list_directory(damaged_));
        for (auto const& name : names) {
            auto const now = os::join_path(place_, name);
            if (name == sidecar_name || name == damage_mark || is_file_of_model(name) || os::exists(now))
                continue;
            HAL0_CHECK(os::rename_path(os::join_path(damaged_, name), now));
        }
        return os::remove_tree(damaged_);
    }

    // They have become the model, and would only fill the disk. What fails here stays, which harms nobody.
    void forget_downloads() const {
        for (auto const& plan : entry_.plans) {
            for (auto const& part : plan.parts) {
                for (auto const& candidate : part.sources)
                    (void)os::remove_file(downloader_.place_of(candidate.source));
            }
        }
    }

    // One count over all downloads, so that a model of several parts doesn't begin anew with each.
    FetchWorld counting(FetchWorld world) {
        world.progress = [this](Progress const& progress) {
            tell({.step = progress.step, .done = before_.count + progress.done, .total = to_download_.count});
        };
        return world;
    }

    void tell(Progress const& progress) const {
        if (world_.progress) world_.progress(progress);
    }

    CatalogEntry const& entry_;
    ModelStore const& store_;
    FetchWorld const& world_;
    std::string place_;
    std::string staging_;
    std::string damaged_;  // what stood in its place until it was mended
    Fetcher tools_;
    Fetcher downloader_;
    std::vector<std::string> used_{};  // sources, for people
    Bytes to_download_{};
    Bytes before_{};  // downloaded before the one that is being downloaded
};

}  // namespace

Result<ModelRecord> pull(CatalogEntry const& entry, ModelStore const& store, FetchWorld const& world) {
    return Pull{entry, store, world}.run();
}

}  // namespace hal0::models
