#include "hardware/processes.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/reader.hpp"

namespace hal0::hardware {
namespace {

// More than any machine has: such a figure is nonsense, and as many as there are processes still add up.
constexpr Bytes size_max = 65'536_GiB;
constexpr std::size_t processes_max = 65'536;

std::optional<Bytes> plausible(std::optional<Bytes> size) {
    return size && *size <= size_max ? size : std::nullopt;
}

// ---- the system's memory

// "Pss_Anon:            112 kB" of a text of such lines.
std::optional<Bytes> kib_line(std::string_view text, std::string_view key) {
    for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
        auto const after = at + key.size();
        bool const begins = at == 0 || text[at - 1] == '\n';
        if (!begins || after >= text.size() || text[after] != ':') continue;
        auto const line = text.substr(after + 1, text.find('\n', after) - after - 1);
        return plausible(to_bytes_of_kib(trim(line)));
    }
    return std::nullopt;
}

bool read_rollup(std::string_view text, ProcessMemory& process) {
    auto const anonymous = kib_line(text, "Pss_Anon");
    auto const file = kib_line(text, "Pss_File");
    auto const shared = kib_line(text, "Pss_Shmem");
    if (!anonymous || !file || !shared) return false;
    process.anonymous = *anonymous;
    process.file = *file;
    process.shared = *shared;
    process.swapped = kib_line(text, "SwapPss").value_or(Bytes{});
    process.sure = ProcessMemory::Sure::Exact;
    return true;
}

// What everybody may read of any process.
bool read_status(std::string_view text, ProcessMemory& process) {
    auto const anonymous = kib_line(text, "RssAnon");
    if (!anonymous) return false;
    process.anonymous = *anonymous;
    process.swapped = kib_line(text, "VmSwap").value_or(Bytes{});
    process.sure = ProcessMemory::Sure::Bound;
    return true;
}

// Nothing for the kernel's own processes and for those that have ended.
std::optional<ProcessMemory> parse_stat(int pid, std::string_view text) {
    // The second field is the program's name in parentheses and may hold anything: count from its end.
    auto const name_at = text.find('(');
    auto const name_end = text.rfind(')');
    if (name_at == std::string_view::npos || name_end == std::string_view::npos || name_end < name_at)
        return std::nullopt;
    auto const fields = split(trim(text.substr(name_end + 1)), ' ');
    constexpr std::size_t parent = 4 - 3, session = 6 - 3, start = 22 - 3,
                          mapped = 23 - 3;  // from field 3 on
    if (fields.size() <= mapped || fields[mapped] == "0") return std::nullopt;
    auto const number = [&fields](std::size_t field) { return to_int(fields[field]).value_or(0); };
    return ProcessMemory{.pid = pid,
                         .parent = static_cast<int>(number(parent)),
                         .session = static_cast<int>(number(session)),
                         .name = printable(text.substr(name_at + 1, name_end - name_at - 1)),
                         .start = number(start)};
}

// ---- GPUs' memory

// "155068 KiB", "20 MiB", "0": each value has a unit of its own.
std::optional<Bytes> drm_size(std::string_view text) {
    auto const space = text.find(' ');
    auto const count = to_bytes(text.substr(0, space));
    auto const unit = space == std::string_view::npos ? std::string_view{} : trim(text.substr(space));
    std::int64_t factor = 0;
    if (unit.empty()) factor = 1;
    if (unit == "KiB" || unit == "kB") factor = (1_KiB).count;
    if (unit == "MiB") factor = (1_MiB).count;
    if (unit == "GiB") factor = (1_GiB).count;
    if (!count || factor == 0 || count->count > size_max.count / factor) return std::nullopt;
    return Bytes{count->count * factor};
}

// Drivers number the memories of a kind: "vram0", "system0".
Bytes GpuClient::* region_of(std::string_view name) {
    if (name.starts_with("vram") || name.starts_with("local")) return &GpuClient::vram;
    if (name.starts_with("gtt")) return &GpuClient::gtt;
    if (name.starts_with("cpu") || name.starts_with("system") || name.starts_with("memory"))
        return &GpuClient::system;
    return nullptr;  // gds, oa, doorbell, …: no memory that anybody counts
}

// Sums of a client's memories, by how they are told.
struct Told {
    GpuClient resident{};  // drm-resident-R
    GpuClient memory{};    // drm-memory-R: the same, in older drivers
    GpuClient shared{};    // drm-shared-R
    bool has_resident{false};
};

void take_region(Told& told, std::string_view key, std::string_view value) {
    constexpr std::string_view resident = "drm-resident-", memory = "drm-memory-", shared = "drm-shared-";
    auto const add = [value](GpuClient& client, std::string_view name) {
        auto const region = region_of(name);
        if (region != nullptr) client.*region += drm_size(value).value_or(Bytes{});
    };
    if (key.starts_with(resident)) {
        told.has_resident = true;
        add(told.resident, key.substr(resident.size()));
    } else if (key.starts_with(memory)) {
        add(told.memory, key.substr(memory.size()));
    } else if (key.starts_with(shared)) {
        add(told.shared, key.substr(shared.size()));
    } else if (key.ends_with(" mem")) {  // "vram mem", "gtt mem": before Linux 5.19
        add(told.memory, key);
    }
}

bool is_gpu_node(std::string_view path) {
    return path.starts_with("/dev/dri/") || path.starts_with("/dev/accel/");
}

std::vector<GpuClient> read_clients(os::FileSystem const& files, std::string const& directory,
                                    std::vector<std::string> const& descriptors) {
    std::vector<GpuClient> clients;
    for (auto const& fd : descriptors) {
        if (!is_gpu_node(files.link(format("{}/fd/{}", directory, fd)).value_or(""))) continue;
        auto const text = files.read(format("{}/fdinfo/{}", directory, fd), os::kernel_file_bytes_max);
        auto client = text ? parse_fdinfo(*text) : std::nullopt;
        if (!client) continue;
        if (client->id.empty()) client->id = format("{}:{}", directory, fd);
        bool const known = std::any_of(clients.begin(), clients.end(), [&client](auto const& other) {
            return other.pci == client->pci && other.id == client->id;
        });
        if (!known) clients.push_back(std::move(*client));
    }
    return clients;
}

std::optional<ProcessMemory> read_process(os::FileSystem const& files, int pid) {
    auto const directory = format("/proc/{}", pid);
    auto const stat = files.read(directory + "/stat", os::kernel_file_bytes_max);
    auto process = stat ? parse_stat(pid, *stat) : std::nullopt;
    if (!process) {
        // Hidden from this user (proc's hidepid=1): that it is there is all that is known.
        if (!stat && stat.error().kind == Errc::Forbidden) return ProcessMemory{.pid = pid};
        return std::nullopt;
    }
    auto const rollup = files.read(directory + "/smaps_rollup", os::kernel_file_bytes_max);
    if (!rollup || !read_rollup(*rollup, *process)) {
        auto const status = files.read(directory + "/status", os::kernel_file_bytes_max);
        if (!status && status.error().kind == Errc::NotFound) return std::nullopt;  // it has ended
        // One that is just ending has no memory any more.
        if (status && !read_status(*status, *process)) return std::nullopt;
    }
    if (auto const descriptors = files.list(directory + "/fd")) {
        process->gpu_known = true;
        process->gpu = read_clients(files, directory, *descriptors);
    }
    return process;
}

// ---- all of them

// A client belongs to the process that started first; the others are told with whom it is counted.
void share_out(std::vector<ProcessMemory>& all) {
    using Client = std::tuple<std::string, std::string>;
    std::map<Client, ProcessMemory*> owners;
    auto const key = [](GpuClient const& client) { return Client{client.pci, client.id}; };
    for (auto& process : all) {
        for (auto const& client : process.gpu) {
            auto*& owner = owners[key(client)];
            bool const earlier =
                owner == nullptr || std::tie(process.start, process.pid) < std::tie(owner->start, owner->pid);
            if (earlier) owner = &process;
        }
    }
    for (auto& process : all) {
        std::erase_if(process.gpu, [&](GpuClient const& client) {
            auto const* const owner = owners[key(client)];
            if (owner == &process) return false;
            auto& with = process.gpu_counted_with;
            if (std::find(with.begin(), with.end(), owner->pid) == with.end()) with.push_back(owner->pid);
            return true;
        });
    }
}

std::vector<int> listed_pids(Reader& reader) {
    std::vector<int> pids;
    for (auto const& name : reader.names("/proc")) {
        auto const pid = to_int(name);
        if (pid && *pid > 0 && *pid <= INT32_MAX) pids.push_back(static_cast<int>(*pid));
    }
    std::sort(pids.begin(), pids.end());
    return pids;
}

// Whether there are processes that no list of /proc has.
std::string unseen_by(os::FileSystem const& files) {
    constexpr std::string_view first_namespace = "pid:[4026531836]";  // PROC_PID_INIT_INO
    auto const own = files.link("/proc/self/ns/pid");
    if (own && *own != first_namespace) return "this is a container: processes outside it can't be seen";
    if (!files.exists("/proc/1")) return "/proc shows this user its own processes only (hidepid)";
    return {};
}

}  // namespace

std::optional<GpuClient> parse_fdinfo(std::string_view text) {
    Told told;
    GpuClient client;
    bool is_gpu = false;
    for (auto const line : split(text, '\n')) {
        auto const colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        // Some kernels have a space before the tab: "drm-memory-gtt: \t20480 KiB".
        auto const key = trim(line.substr(0, colon));
        auto const value = trim(line.substr(colon + 1));
        if (key == "drm-driver") client.driver = printable(value);
        if (key == "drm-client-id") client.id = printable(value);
        if (key == "drm-pdev" || key == "pdev") client.pci = printable(value);
        // One address space of the GPU's is one client, where there are no numbers of clients yet.
        if (key == "pasid" && client.id.empty()) client.id = format("pasid {}", printable(value));
        is_gpu = is_gpu || key == "drm-driver" || key == "vram mem";
        take_region(told, key, value);
    }
    if (!is_gpu) return std::nullopt;
    auto const& counted = told.has_resident ? told.resident : told.memory;
    client.vram = counted.vram;
    client.gtt = counted.gtt;
    client.system = counted.system;
    client.shared_vram = std::min(told.shared.vram, client.vram);
    client.shared_gtt = std::min(told.shared.gtt, client.gtt);
    if (client.driver.empty()) client.driver = "amdgpu";  // no other had the old form
    return client;
}

Processes read_processes(Machine& machine, std::vector<int> const& pids) {
    Processes found;
    for (auto const pid : pids) {
        if (auto process = read_process(machine.files(), pid)) found.all.push_back(std::move(*process));
    }
    share_out(found.all);
    return found;
}

Processes read_processes(Machine& machine) {
    Reader reader{machine.files()};
    auto pids = listed_pids(reader);
    if (pids.size() > processes_max) {
        reader.warn(format("of {} processes only {} were looked at", pids.size(), processes_max));
        pids.resize(processes_max);
    }
    auto found = read_processes(machine, pids);
    found.unseen = unseen_by(machine.files());
    found.warnings = reader.take_warnings();
    return found;
}

std::vector<int> family_of(Machine& machine, int worker) {
    Reader reader{machine.files()};
    std::vector<ProcessMemory> all;
    for (auto const pid : listed_pids(reader)) {
        auto const stat = machine.files().read(format("/proc/{}/stat", pid), os::kernel_file_bytes_max);
        if (auto process = stat ? parse_stat(pid, *stat) : std::nullopt) all.push_back(std::move(*process));
    }
    if (std::ranges::find(all, worker, &ProcessMemory::pid) == all.end()) return {};
    std::vector<int> family{worker};
    for (std::size_t i = 0; i < family.size(); ++i) {
        for (auto const& process : all) {
            bool const belongs = process.parent == family[i] || process.session == worker;
            if (belongs && std::ranges::find(family, process.pid) == family.end())
                family.push_back(process.pid);
        }
    }
    return family;
}

}  // namespace hal0::hardware
