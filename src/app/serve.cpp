#include "app/serve.hpp"

#include <utility>

#include "app/daemon.hpp"
#include "app/stderr_log.hpp"
#include "base/format.hpp"
#include "os/descriptor_limit.hpp"
#include "os/file.hpp"

namespace hal0::app {
namespace {

constexpr Bytes settings_file_max = 1_MiB;
constexpr Bytes key_file_max = 64_KiB;

SettingsFlags flags_of(cli::Arguments const& arguments) {
    SettingsFlags flags{.listen = arguments.all("listen"),
                        .allowed_hosts = arguments.all("allowed-host"),
                        .key_file = arguments.maybe("key-file"),
                        .body_max = arguments.maybe("body-max"),
                        .log_level = arguments.maybe("log-level"),
                        .launcher = arguments.maybe("launcher")};
    return flags;
}

Result<Secret> read_key(std::string const& path) {
    if (path.empty()) return Secret{};
    HAL0_TRY(status, os::status(path));
    HAL0_TRY(text, os::read_file(path, key_file_max));
    return decode_key(text, path, status.mode);
}

}  // namespace

Result<DecodedSettings> read_settings(os::Places const& places) {
    auto const path = os::join_path(places.config, "hal0.toml");
    auto const text = os::read_file(path, settings_file_max);
    if (text) return decode_settings(*text, path, places);
    if (text.error().kind != Errc::NotFound) return text.error();
    return DecodedSettings{.settings = default_settings(places)};
}

Result<int> serve(cli::Arguments const& arguments, cli::Context& context) {
    HAL0_TRY(places, context.places());
    HAL0_CHECK(os::make_places(places));
    HAL0_TRY(read, read_settings(places));
    HAL0_TRY(settings, with_flags(std::move(read.settings), flags_of(arguments)));
    HAL0_CHECK(check(settings));
    HAL0_TRY(key, read_key(settings.key_file));
    StderrLog log{settings.log_level};
    for (auto const& warning : read.warnings)
        log.warn("{}", warning);
    HAL0_TRY(daemon, Daemon::make({.version = context.program.version,
                                   .places = std::move(places),
                                   .settings = std::move(settings),
                                   .key = std::move(key),
                                   .descriptors = os::raise_descriptor_limit()},
                                  log));
    daemon->run();
    return cli::exit_ok;
}

}  // namespace hal0::app
