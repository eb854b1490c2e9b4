#include "hardware/recorded_machine.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::hardware {
namespace {

constexpr Bytes recording_bytes_max = 8_MiB;  // each of its two files

}  // namespace

Result<std::unique_ptr<RecordedMachine>> RecordedMachine::open(std::string const& directory) {
    auto const files_path = os::join_path(directory, recorded_files_name);
    auto const files_text = os::read_file(files_path, recording_bytes_max);
    if (!files_text) {
        if (files_text.error().kind != Errc::NotFound) return files_text.error();
        return Error{Errc::NotFound,
                     format("{} is no recorded box: it has no {}; 'hal0 probe --record {}' makes one",
                            directory, recorded_files_name, directory)};
    }
    auto files = RecordedFiles::parse(*files_text);
    if (!files) return in_context(files_path, std::move(files).error());
    auto const facts_path = os::join_path(directory, recorded_facts_name);
    HAL0_TRY(facts_text, os::read_file(facts_path, recording_bytes_max));
    auto facts = wire::decode<MachineFacts>(facts_text);
    if (!facts) return in_context(facts_path, std::move(facts).error());
    return std::make_unique<RecordedMachine>(std::move(files).value(), std::move(facts).value());
}

NodeAnswer RecordedMachine::node(std::string const& path) {
    auto const found = std::find_if(facts_.nodes.begin(), facts_.nodes.end(),
                                    [&path](NodeAnswer const& node) { return node.path == path; });
    return found == facts_.nodes.end() ? NodeAnswer{.path = path} : *found;
}

}  // namespace hal0::hardware
