#include "models/fetcher.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "models/claim.hpp"
#include "models/fetch_program.hpp"
#include "models/package_client.hpp"
#include "models/watched_run.hpp"
#include "os/child.hpp"
#include "os/file.hpp"

namespace hal0::models {
namespace {

constexpr Bytes output_max = 64_KiB;

std::string described(Source const& source) {
    switch (source.kind) {
        case SourceKind::Pypi:
        case SourceKind::Npm: return format("{} {}", source.package, source.version);
        case SourceKind::Url: return os::base_name(source.url);
    }
    return {};
}

// Where something is asked for that may take its time to answer.
std::string asking(Source const& source) {
    switch (source.kind) {
        case SourceKind::Pypi:
        case SourceKind::Npm: return format("asking {} for {}", to_string(source.kind), described(source));
        case SourceKind::Url: return format("asking {}", source.url);
    }
    return {};
}

// How often its file is there for a moment: a package's in the client's temporary place too.
int copies_of(SourceKind kind) {
    switch (kind) {
        case SourceKind::Pypi:
        case SourceKind::Npm: return 2;
        case SourceKind::Url: return 1;
    }
    return 1;
}

// What its downloaded file is called, before what no file's name should hold is replaced.
std::string file_name_of(Source const& source) {
    switch (source.kind) {
        case SourceKind::Pypi:
        case SourceKind::Npm: return format("{}-{}", source.package, source.version);
        case SourceKind::Url: return os::base_name(source.url);
    }
    return {};
}

Result<void> check_space(Source const& source, std::string const& where) {
    Bytes const needed = Bytes{source.size.count * copies_of(source.kind)} + spare_space;
    HAL0_TRY(free, os::free_space(where));
    if (free >= needed) return {};
    return Error{Errc::NoSpace, format("downloading {} needs {} at {}, and {} are free", described(source),
                                       human(needed), where, human(free))};
}

// Looks in on pip or npm: tells how far it is, and whether anything came at all.
class PackageWatch {
  public:
    PackageWatch(Source const& source, std::string work, OnProgress const& progress)
        : source_{source}, work_{std::move(work)}, progress_{progress} {}

    void look() {
        auto const bytes = package_bytes(source_, work_);
        done_ = std::max(done_, source_.size.count > 0 ? std::min(bytes, source_.size) : bytes);
        if (!answered_) answered_ = done_.count > 0 || registry_answered(output());
        if (progress_ && done_.count > 0) {
            progress_({.step = "downloading " + described(source_),
                       .done = done_.count,
                       .total = source_.size.count});
        }
    }
    [[nodiscard]] bool silent_for(Duration time) const {
        return !answered_ && Clock::now() - started_ > time;
    }
    [[nodiscard]] std::string log() const { return work_ + "/log"; }
    [[nodiscard]] std::string output() const { return os::read_tail(log(), output_max).value_or(""); }

  private:
    Source const& source_;
    std::string work_;
    OnProgress const& progress_;
    TimePoint started_{Clock::now()};
    Bytes done_{};
    bool answered_{false};
};

Result<std::string> only_file_in(std::string const& directory) {
    HAL0_TRY(names, os::list_directory(directory));
    if (names.size() == 1) return os::join_path(directory, names.front());
    return Error{Errc::Unavailable, format("{} files came instead of one", names.size())};
}

// Of a download, without the hash that its file's name begins with.
std::string name_for_people(std::string const& archive) {
    constexpr std::size_t hash_digits = 64;
    auto name = os::base_name(archive);
    return name.size() > hash_digits && name[hash_digits] == '-' ? name.substr(hash_digits + 1) : name;
}

}  // namespace

void Fetcher::note(std::string const& line) const {
    if (world_.note) world_.note(line);
}

std::string Fetcher::place_of(Source const& source) const {
    auto name = file_name_of(source);
    auto const plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
               c == '-' || c == '_';
    };
    std::replace_if(name.begin(), name.end(), [plain](char c) { return !plain(c); }, '_');
    return format("{}/downloads/{}-{}", world_.cache, source.sha256, name);
}

// Its name says that it was checked; disks and people change files all the same, and what is fetched is run.
bool Fetcher::have(Source const& source) const {
    auto const place = place_of(source);
    if (!os::exists(place)) return false;
    auto const hash = os::sha256_of(place);
    if (hash && *hash == source.sha256) return true;
    note(format("{} was damaged since it was downloaded", place));
    (void)os::remove_file(place);
    return false;
}

Result<std::string> Fetcher::fetch(std::vector<Source> const& sources) const {
    if (sources.empty()) return Error{Errc::Invalid, "it has no source to be downloaded from"};
    HAL0_CHECK(os::make_directories(world_.cache + "/downloads"));
    for (auto const& source : sources) {
        if (have(source)) return place_of(source);
    }
    Error failed{Errc::Unavailable, {}};
    for (std::size_t i = 0; i < sources.size(); ++i) {
        bool const last = i + 1 == sources.size();
        auto const came = download(sources[i], last ? Others::None : Others::Remain);
        if (came) return place_of(sources[i]);
        auto const& error = came.error();
        if (error.kind == Errc::NoSpace) return error;
        if (error.kind == Errc::Corrupt) failed.kind = Errc::Corrupt;
        auto const reason = format("{}: {}", to_string(sources[i]), error.message);
        failed.message += (i == 0 ? "" : "; ") + reason;
        if (!last) note(format("{}; trying {}", reason, to_string(sources[i + 1])));
    }
    return failed;
}

Result<void> Fetcher::download(Source const& source, Others others) const {
    auto const downloads = world_.cache + "/downloads";
    auto const work = format("{}/.{}", downloads, source.sha256);
    HAL0_TRY(claim, Claim::take(work + ".lock", [&](std::string const& holder) {
                 if (world_.progress)
                     world_.progress(
                         {.step = format("waiting for {}, which downloads {}", holder, described(source))});
             }));
    if (have(source)) return {};  // by whom the claim was held until now
    HAL0_CHECK(check_space(source, downloads));
    if (world_.progress) world_.progress({.step = asking(source)});
    HAL0_CHECK(os::make_directories(work));
    HAL0_TRY(file, bring(source, work, others));
    HAL0_TRY(hash, os::sha256_of(file));
    if (hash != source.sha256) {
        HAL0_CHECK(os::remove_file(file));
        return Error{Errc::Corrupt,
                     format("what came has the SHA-256 {} instead of {}", hash, source.sha256)};
    }
    HAL0_CHECK(os::rename_path(file, place_of(source)));
    return os::remove_tree(work);
}

Result<std::string> Fetcher::bring(Source const& source, std::string const& work, Others others) const {
    switch (source.kind) {
        case SourceKind::Pypi:
        case SourceKind::Npm: return from_package(source, work + "/client", others);
        case SourceKind::Url: return from_url(source, work);
    }
    return Error{Errc::Internal, "a kind of source that nobody fetches"};
}

Result<std::string> Fetcher::from_url(Source const& source, std::string const& work) const {
    auto target = work + "/file";
    std::vector<std::string> words{"url", source.url, target, "--answer-within",
                                   format("{}", world_.answer_within.count())};
    if (source.size.count > 0) {
        words.emplace_back("--size");
        words.push_back(format("{}", source.size.count));
    }
    HAL0_CHECK(run_fetch_program(words, {.step = "downloading " + described(source)}));
    return target;
}

Result<std::string> Fetcher::from_package(Source const& source, std::string const& work,
                                          Others others) const {
    HAL0_TRY(command, package_command(source, work, world_.cache));
    PackageWatch watch{source, work, world_.progress};
    bool waiting = false;
    auto status = run_watched(std::move(command), watch.log(), [&] {
        watch.look();
        if (!watch.silent_for(world_.answer_within)) return Look::GoOn;
        if (others == Others::Remain) return Look::Stop;
        if (!std::exchange(waiting, true)) {
            note(format("{} hasn't answered for {} s; there is no other source, so hal0 waits for it",
                        to_string(source), world_.answer_within.count()));
        }
        return Look::GoOn;
    });
    if (!status) {
        auto error = std::move(status).error();
        if (error.kind == Errc::NotFound)
            error = {Errc::Unavailable, "npm is needed for it and is not installed"};
        return error;
    }
    if (status->clean()) return only_file_in(work + "/out");
    if (others == Others::Remain && watch.silent_for(world_.answer_within)) {
        return Error{Errc::Unavailable, format("no answer within {} s", world_.answer_within.count())};
    }
    auto error = package_fault(watch.output());
    error.message += format(" (all it said is in {})", watch.log());
    return error;
}

Result<void> Fetcher::run_fetch_program(std::vector<std::string> words, Progress const& step) const {
    return models::run_fetch_program(world_.fetch_program, std::move(words), step, world_.progress);
}

Result<void> Fetcher::extract_joined(std::vector<ArchiveMember> const& members,
                                     std::string const& target) const {
    std::vector<std::string> words{"extract", target};
    for (auto const& [archive, member] : members) {
        words.push_back(archive);
        words.push_back(member);
    }
    return run_fetch_program(std::move(words), {.step = "unpacking " + os::base_name(target)});
}

Result<void> Fetcher::extract_tree(std::string const& archive, std::string const& prefix,
                                   std::string const& target) const {
    return run_fetch_program({"unpack", archive, prefix, target},
                             {.step = "unpacking " + name_for_people(archive)});
}

}  // namespace hal0::models
