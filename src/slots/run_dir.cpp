#include "slots/run_dir.hpp"

#include "os/file.hpp"

namespace hal0::slots {

std::string run_root(os::Places const& places) { return os::join_path(places.runtime, "slots"); }

std::string logs_root(os::Places const& places) { return os::join_path(places.state, "logs/slots"); }

RunDir run_dir(os::Places const& places, std::string const& slot) {
    auto const directory = os::join_path(run_root(places), slot);
    return {.directory = directory,
            .lock = os::join_path(directory, "lock"),
            .spec = os::join_path(directory, "spec.json"),
            .key = os::join_path(directory, "key"),
            .socket = os::join_path(directory, "worker.sock"),
            .found = os::join_path(directory, "found"),
            .log = os::join_path(logs_root(places), slot + ".log"),
            .log_link = os::join_path(directory, "log")};
}

}  // namespace hal0::slots
