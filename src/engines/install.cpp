#include "engines/install.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "engines/build.hpp"
#include "engines/build_key.hpp"
#include "engines/toolchain.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"

namespace hal0::engines {
namespace {

// One installation. Names that begin with a dot are not seen by the store.
class Installer final {
  public:
    Installer(EngineLock const& lock, EngineStore const& store, InstallWorld const& world)
        : lock_{lock}, store_{store}, world_{world}, fetcher_{world.fetch} {}

    Result<InstalledEngine> run();

  private:
    struct SourceWay {
        Toolchain tools{};
        Compiler compiler{};
        std::string key{};
    };

    [[nodiscard]] Result<SourceWay> source_way() const;
    [[nodiscard]] bool fits(Prebuilt const& prebuilt) const;
    [[nodiscard]] std::optional<InstalledEngine> installed(Result<SourceWay> const& way) const;
    Result<InstalledEngine> from_prebuilt(Prebuilt const& prebuilt, InstallLog& log);
    Result<InstalledEngine> from_source(SourceWay const& way, InstallLog& log);
    Result<InstalledEngine> build_in(BuildTree const& tree, SourceWay const& way, InstallLog& log);
    Result<void> unpack_source(BuildTree const& tree, InstallLog& log);
    struct Archive {
        std::string path{};
        std::string folder{};  // in it
    };
    // Of the first source that can be had.
    [[nodiscard]] Result<Archive> fetch(std::vector<FolderSource> const& sources) const;
    [[nodiscard]] Result<void> unpack(Archive const& archive, std::string const& target) const;
    Result<InstalledEngine> publish(InstalledEngine engine, InstallLog& log);
    [[nodiscard]] Result<void> write_to_disk(std::string const& directory, InstallLog& log) const;

    // The hidden directory where `key` is put together, begun anew.
    [[nodiscard]] Result<std::string> new_staging(std::string const& key) const;
    [[nodiscard]] std::string family() const { return os::join_path(store_.root(), lock_.id); }
    [[nodiscard]] std::string build_name(std::string const& key) const {
        return format("{}-{}", lock_.version, key);
    }
    [[nodiscard]] std::string staging(std::string const& key) const {
        return format("{}/.build-{}", family(), build_name(key));
    }
    [[nodiscard]] std::string trees() const { return format("{}/build/{}", world_.fetch.cache, lock_.id); }
    [[nodiscard]] std::string title() const { return format("{} {}", lock_.name, lock_.version); }
    void tell(std::string step) const {
        if (world_.fetch.progress) world_.fetch.progress({.step = std::move(step)});
    }
    void note(std::string const& line) const {
        if (world_.fetch.note) world_.fetch.note(line);
    }

    EngineLock const& lock_;
    EngineStore const& store_;
    InstallWorld const& world_;
    models::Fetcher fetcher_;
};

Result<InstalledEngine> Installer::run() {
    auto const way = source_way();
    if (auto there = installed(way)) return std::move(*there);
    HAL0_CHECK(os::make_directories(family()));
    HAL0_TRY(held, os::LockFile::wait(format("{}/.{}.lock", store_.root(), lock_.id),
                                      [this](std::string const& holder) {
                                          tell(format("waiting for {}, which installs {}", holder, title()));
                                      }));
    if (auto there = installed(way)) return std::move(*there);  // by whom the lock was held until now
    HAL0_TRY(log, InstallLog::open(format("{}/engine-{}.log", world_.logs, lock_.id)));
    for (auto const& prebuilt : lock_.prebuilt) {
        if (!fits(prebuilt)) continue;
        auto engine = from_prebuilt(prebuilt, log);
        if (engine) return engine;
        note(format("{} can't be had prebuilt: {}", title(), engine.error().message));
    }
    if (!way) return way.error();
    return from_source(*way, log);
}

Result<Installer::SourceWay> Installer::source_way() const {
    HAL0_TRY(tools, find_toolchain(lock_, world_.environment));
    HAL0_TRY(compiler, probe_compiler(tools, lock_.recipe));
    // The compiler asks the CPU itself, the store reads what the kernel lets programs use. What only the
    // former knows would make an engine that was built here look like another CPU's.
    std::vector<std::string> usable;
    std::set_intersection(compiler.cpu_features.begin(), compiler.cpu_features.end(),
                          store_.cpu_features().begin(), store_.cpu_features().end(),
                          std::back_inserter(usable));
    compiler.cpu_features = std::move(usable);
    auto key = build_key(lock_, compiler);
    return SourceWay{std::move(tools), std::move(compiler), std::move(key)};
}

bool Installer::fits(Prebuilt const& prebuilt) const {
    return store_.runs_here({.cpu_features = prebuilt.cpu_features});
}

std::optional<InstalledEngine> Installer::installed(Result<SourceWay> const& way) const {
    std::vector<std::string> keys;
    for (auto const& prebuilt : lock_.prebuilt) {
        if (fits(prebuilt)) keys.push_back(build_key(lock_, prebuilt));
    }
    if (way) keys.push_back(way->key);
    for (auto& engine : store_.list()) {
        if (engine.id != lock_.id || engine.version != lock_.version) continue;
        // Where nothing can be built, another compiler's engine of this version is as good as it gets.
        bool const good_enough = !way && store_.runs_here(engine);
        if (good_enough || std::find(keys.begin(), keys.end(), engine.key) != keys.end())
            return std::move(engine);
    }
    return std::nullopt;
}

Result<std::string> Installer::new_staging(std::string const& key) const {
    auto path = staging(key);
    HAL0_CHECK(os::remove_tree(path));
    HAL0_CHECK(os::make_directories(path + "/bin"));
    return path;
}

Result<InstalledEngine> Installer::from_prebuilt(Prebuilt const& prebuilt, InstallLog& log) {
    auto const key = build_key(lock_, prebuilt);
    HAL0_CHECK(log.note(format("{}: {} prebuilt, {}", world_.now, title(), key)));
    HAL0_TRY(archive, fetch(prebuilt.sources));
    HAL0_TRY(directory, new_staging(key));
    HAL0_CHECK(unpack(archive, directory + "/bin"));
    return publish({.key = key, .cpu_features = prebuilt.cpu_features}, log);
}

Result<InstalledEngine> Installer::from_source(SourceWay const& way, InstallLog& log) {
    HAL0_CHECK(
        log.note(format("{}: {} from source, {}, {}", world_.now, title(), way.compiler.name, way.key)));
    BuildTree const tree{os::join_path(trees(), build_name(way.key))};
    bool const continued = os::exists(tree.source());
    auto engine = build_in(tree, way, log);
    if (!engine && continued) {
        // What a power cut has left is whole by its names and times only, and those are all that Ninja asks.
        note(format("the build of {} that was left in the middle can't be continued; it begins anew",
                    title()));
        HAL0_CHECK(os::remove_tree(tree.path));
        engine = build_in(tree, way, log);
    }
    if (!engine) return engine;
    // Those of earlier versions that were left in the middle go along.
    if (auto const removed = os::remove_tree(trees()); !removed) note(removed.error().message);
    return engine;
}

Result<InstalledEngine> Installer::build_in(BuildTree const& tree, SourceWay const& way, InstallLog& log) {
    HAL0_CHECK(unpack_source(tree, log));
    HAL0_CHECK(build(lock_, way.tools, tree, log, world_.fetch.progress));
    HAL0_TRY(directory, new_staging(way.key));
    for (auto const& program : lock_.programs) {
        auto const built = format("{}/{}/{}", tree.build(), lock_.recipe.output, program);
        HAL0_CHECK(os::rename_path(built, format("{}/bin/{}", directory, program)));
    }
    return publish({.key = way.key, .compiler = way.compiler.name, .cpu_features = way.compiler.cpu_features},
                   log);
}

Result<void> Installer::unpack_source(BuildTree const& tree, InstallLog& log) {
    if (os::exists(tree.source())) return {};
    HAL0_CHECK(os::make_directories(tree.path));
    HAL0_TRY(free, os::free_space(tree.path));
    if (free < lock_.recipe.disk) {
        return Error{
            Errc::NoSpace,
            format("building {} takes {} in {}, where {} are free; make room there, or set HAL0_CACHE to a "
                   "directory that has it",
                   title(), human(lock_.recipe.disk), trees(), human(free))};
    }
    HAL0_TRY(archive, fetch(lock_.recipe.sources));
    auto const unfinished = tree.path + "/.source";
    HAL0_CHECK(os::remove_tree(unfinished));
    HAL0_CHECK(os::make_directories(unfinished));
    HAL0_CHECK(unpack(archive, unfinished));
    HAL0_CHECK(write_to_disk(unfinished, log));
    return os::rename_path(unfinished, tree.source());
}

Result<Installer::Archive> Installer::fetch(std::vector<FolderSource> const& sources) const {
    std::vector<models::Source> archives;
    archives.reserve(sources.size());
    for (auto const& [source, folder] : sources)
        archives.push_back(source);
    HAL0_TRY(path, fetcher_.fetch(archives));
    for (auto const& [source, folder] : sources)
        if (fetcher_.place_of(source) == path) return Archive{path, folder};
    return Error{Errc::Internal, format("{} is of no known source", path)};
}

Result<void> Installer::unpack(Archive const& archive, std::string const& target) const {
    tell(format("unpacking {}", title()));
    return fetcher_.extract_tree(archive.path, archive.folder, target);
}

// Before it gets its name, which must not outlive a power cut that its files did not. All of its file system
// goes along: which files an archive brought, nobody here knows.
Result<void> Installer::write_to_disk(std::string const& directory, InstallLog& log) const {
    return log.run({.argv = {"sync", "--file-system", directory}}, format("writing {} to disk", title()));
}

// Tries what stands in the staging directory of `engine.key` and gives it its name, with which it is
// installed.
Result<InstalledEngine> Installer::publish(InstalledEngine engine, InstallLog& log) {
    auto const directory = staging(engine.key);
    for (auto const& program : lock_.programs) {
        auto const path = format("{}/bin/{}", directory, program);
        if (!os::exists(path))
            return Error{Errc::Corrupt, format("{} came without its program {}", title(), program)};
    }
    tell(format("trying {}", title()));
    std::vector<std::string> trial{"timeout", "60"};
    trial.insert(trial.end(), lock_.smoke_test.begin(), lock_.smoke_test.end());
    trial[2] = format("{}/bin/{}", directory, trial[2]);
    HAL0_CHECK(log.run({.argv = std::move(trial)}, format("trying {}", title())));
    HAL0_CHECK(write_to_disk(directory, log));

    engine.id = lock_.id;
    engine.version = lock_.version;
    engine.backend = lock_.backend;
    engine.built_at = world_.now;
    engine.programs = lock_.programs;
    engine.directory = os::join_path(family(), build_name(engine.key));
    HAL0_CHECK(os::atomic_write(directory + "/engine.json", encode(engine)));
    HAL0_CHECK(os::remove_tree(engine.directory));  // damaged, or the store would have given it
    HAL0_CHECK(os::rename_path(directory, engine.directory));
    return engine;
}

}  // namespace

Result<InstalledEngine> install(EngineLock const& lock, EngineStore const& store, InstallWorld const& world) {
    return Installer{lock, store, world}.run();
}

Result<void> remove(InstalledEngine const& engine, EngineStore const& store) {
    auto const family = os::join_path(store.root(), engine.id);
    auto const name = os::base_name(engine.directory);
    auto const gone = format("{}/.gone-{}", family, name);
    HAL0_CHECK(os::remove_tree(gone));  // left by one that was interrupted
    HAL0_CHECK(os::rename_path(os::join_path(family, name), gone));
    return os::remove_tree(gone);
}

}  // namespace hal0::engines
