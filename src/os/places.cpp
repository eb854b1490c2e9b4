#include "os/places.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/format.hpp"
#include "os/file.hpp"
#include "os/net.hpp"

namespace hal0::os {
namespace {

// What comes after the runtime directory in the longest socket path: "/slots/" + a name of 32 +
// "/worker.sock".
constexpr std::size_t socket_suffix_bytes_max = 7 + 32 + 12;

bool fits_sockets(std::string const& runtime) {
    return runtime.size() + socket_suffix_bytes_max <= unix_path_bytes_max;
}

Result<std::string> absolute(std::string path, char const* variable) {
    if (path.empty() || path.front() != '/') {
        return Error{Errc::Invalid, format("${} is '{}'; it must be an absolute path", variable, path)};
    }
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return path;
}

// XDG says: a relative path in one of its variables is to be ignored.
std::string xdg(Environment const& environment, char const* name, std::string const& fallback) {
    auto const value = environment(name);
    return value && value->starts_with('/') ? *value : fallback;
}

// Not XDG_RUNTIME_DIR: logind removes that at the user's last logout, and with it the sockets of workers that
// shall outlive it; and who comes by sudo or cron has another one and would not find the daemon.
// And /tmp only where nothing else is short enough: files that nobody touched for some days are removed there
// (tmpfiles.d(5)), and with a worker's lock the knowledge that it runs.
std::string runtime_in(std::string const& directory, Environment const& environment, unsigned uid) {
    auto runtime = directory + "/run";
    if (fits_sockets(runtime)) return runtime;
    auto const name = format("hal0-{}-{}", uid, sha256_hex(directory).substr(0, 12));
    auto const home = environment("HOME").value_or("");
    auto at_home = home + "/." + name;
    if (home.starts_with('/') && fits_sockets(at_home)) return at_home;
    return "/tmp/" + name;
}

Places installed_places() {
    return {"/etc/hal0", "/var/lib/hal0", "/var/log/hal0", "/run/hal0", "/var/cache/hal0"};
}

Places home_places(std::string const& home, Environment const& environment, unsigned uid) {
    return Places{.config = home + "/config",
                  .data = home + "/data",
                  .state = home + "/state",
                  .runtime = runtime_in(home, environment, uid),
                  .cache = home + "/cache"};
}

Result<Places> user_places(Environment const& environment, unsigned uid) {
    auto const home_variable = environment("HOME");
    if (!home_variable)
        return Error{Errc::Invalid,
                     "neither HAL0_HOME nor HOME is set; set HAL0_HOME to a directory for hal0"};
    HAL0_TRY(home, absolute(*home_variable, "HOME"));
    Places places{.config = xdg(environment, "XDG_CONFIG_HOME", home + "/.config") + "/hal0",
                  .data = xdg(environment, "XDG_DATA_HOME", home + "/.local/share") + "/hal0",
                  .state = xdg(environment, "XDG_STATE_HOME", home + "/.local/state") + "/hal0",
                  .cache = xdg(environment, "XDG_CACHE_HOME", home + "/.cache") + "/hal0"};
    places.runtime = runtime_in(places.state, environment, uid);
    return places;
}

}  // namespace

std::optional<std::string> environment_of_process(char const* name) {
    char const* const value =
        std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string{value};
}

Result<Places> find_places(Environment const& environment, bool installed, unsigned uid) {
    auto find = [&]() -> Result<Places> {
        if (auto const set = environment("HAL0_HOME")) {
            HAL0_TRY(home, absolute(*set, "HAL0_HOME"));
            return home_places(home, environment, uid);
        }
        if (installed) return installed_places();
        return user_places(environment, uid);
    };
    HAL0_TRY(places, find());
    if (auto const cache = environment("HAL0_CACHE")) {
        HAL0_TRY(path, absolute(*cache, "HAL0_CACHE"));
        places.cache = path;
    }
    return places;
}

Result<Places> find_places(Environment const& environment) {
    return find_places(environment, exists("/usr/lib/hal0"), static_cast<unsigned>(::getuid()));
}

bool are_installed(Places const& places) { return places.runtime == installed_places().runtime; }

Result<void> make_places(Places const& places) {
    for (auto const* path : {&places.config, &places.data, &places.state, &places.cache}) {
        HAL0_CHECK(make_directories(*path));
    }
    HAL0_CHECK(make_directories(places.runtime, 0700));
    // It may stand in /tmp, where anybody could have made it before us.
    struct stat st{};
    if (::lstat(places.runtime.c_str(), &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != ::geteuid()) {
        return Error{
            Errc::Forbidden,
            format("{} is not a directory of this user; remove it, or set HAL0_HOME to a directory of yours",
                   places.runtime)};
    }
    if ((st.st_mode & 0077U) != 0 && ::chmod(places.runtime.c_str(), 0700) != 0) {
        return errno_error(errno, format("closing {} to others", places.runtime));
    }
    return {};
}

}  // namespace hal0::os
