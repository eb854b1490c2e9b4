#include "hardware/footprint.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/processes.hpp"
#include "hardware/reader.hpp"

namespace hal0::hardware {
namespace {

// A worker with a GPU has some thousand mappings, of 0.7 kB each.
constexpr Bytes smaps_max = 32_MiB;

// "7f12…-7f13… r--p 00000000 fe:00 1234   /models/m.gguf": a line like "Rss:   4 kB" begins in upper case.
bool begins_mapping(std::string_view line) {
    return !line.empty() && (line.front() < 'A' || line.front() > 'Z');
}

// Its sixth field, which may hold spaces.
std::string_view path_of(std::string_view line) {
    for (int field = 0; field < 5; ++field) {
        auto const space = line.find(' ');
        if (space == std::string_view::npos) return {};
        line = line.substr(std::min(line.find_first_not_of(' ', space), line.size()));
    }
    return line;
}

bool is_model_file(std::string_view path, std::vector<std::string> const& model_files) {
    auto const name = path.substr(path.rfind('/') + 1);
    return path.starts_with('/') && std::ranges::find(model_files, name) != model_files.end();
}

struct Mapping {
    bool of_model{false};
    Bytes resident{};
    Bytes anonymous{};
    Bytes swapped{};

    // A page of a model's file that was written to is the process's own.
    [[nodiscard]] Footprint footprint() const {
        if (!of_model) return {.own = resident + swapped};
        return {.own = anonymous + swapped,
                .mapped = std::max(resident - anonymous, Bytes{}),
                .maps_model = true};
    }
};

void take_line(Mapping& mapping, std::string_view line) {
    auto const colon = line.find(':');
    if (colon == std::string_view::npos) return;
    auto const key = line.substr(0, colon);
    auto* const field = key == "Rss"         ? &mapping.resident
                        : key == "Anonymous" ? &mapping.anonymous
                        : key == "Swap"      ? &mapping.swapped
                                             : nullptr;
    if (field != nullptr) *field = to_bytes_of_kib(trim(line.substr(colon + 1))).value_or(Bytes{});
}

std::optional<Bytes> nvml_memory(NvmlDevice const& device, std::vector<int> const& pids) {
    if (!device.processes) return std::nullopt;
    std::optional<Bytes> sum;
    for (auto const& process : *device.processes) {
        bool const ours = std::ranges::find(pids, static_cast<int>(process.pid)) != pids.end();
        if (ours && process.memory) sum = sum.value_or(Bytes{}) + *process.memory;
    }
    return sum;
}

}  // namespace

Footprint parse_smaps(std::string_view text, std::vector<std::string> const& model_files) {
    Footprint sum;
    Mapping mapping;
    for (auto const line : split(text, '\n')) {
        if (!begins_mapping(line)) {
            take_line(mapping, line);
            continue;
        }
        sum += mapping.footprint();
        mapping = {.of_model = is_model_file(path_of(line), model_files)};
    }
    return sum += mapping.footprint();
}

Result<Footprint> read_footprint(Machine& machine, std::vector<int> const& pids,
                                 std::vector<std::string> const& model_files) {
    Footprint sum;
    bool found = false;
    for (auto const pid : pids) {
        auto const text = machine.files().read(format("/proc/{}/smaps", pid), smaps_max);
        if (!text && text.error().kind == Errc::Forbidden) return text.error();
        if (!text || text->empty()) continue;  // it has ended
        found = true;
        sum += parse_smaps(*text, model_files);
    }
    if (!found) return Error{Errc::NotFound, "the worker has ended"};
    return sum;
}

std::optional<Bytes> read_gpu_footprint(Machine& machine, std::vector<int> const& pids,
                                        std::string const& pci) {
    auto const processes = read_processes(machine, pids);
    std::optional<Bytes> sum;
    for (auto const& process : processes.all) {
        for (auto const& client : process.gpu) {
            if (client.pci == pci) sum = sum.value_or(Bytes{}) + client.vram + client.gtt;
        }
    }
    if (sum) return sum;
    for (auto const& device : machine.nvml().devices) {
        if (device.pci == pci) return nvml_memory(device, pids);
    }
    return std::nullopt;
}

}  // namespace hal0::hardware
