// What NVIDIA's management library says (nvml.h, whose interface NVIDIA keeps; what is taken of it is
// declared here). It makes no CUDA context, so asking costs no device memory.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/drivers.hpp"
#include "os/shared_library.hpp"

namespace hal0::hardware {
namespace {

struct NvmlHandle;
constexpr int nvml_success = 0;

struct PciInfo {
    std::array<char, 16> old_bus_id{};
    unsigned domain{0}, bus{0}, device{0}, device_id{0}, subsystem_id{0};
    std::array<char, 32> bus_id{};
};
static_assert(sizeof(PciInfo) == 68);

// version 2 tells what the driver reserves from what is used.
struct Memory {
    unsigned version{sizeof(Memory) | (2U << 24U)};
    unsigned long long total{0}, reserved{0}, free{0}, used{0};
};
static_assert(sizeof(Memory) == 40);

struct OldMemory {
    unsigned long long total{0}, free{0}, used{0};
};

struct ProcessInfo {  // nvmlProcessInfo_t of the third versions
    unsigned pid{0};
    unsigned long long used{0};  // all bits set: not told
    unsigned gpu_instance{0}, compute_instance{0};
};
static_assert(sizeof(ProcessInfo) == 24);

class Nvml {
  public:
    explicit Nvml(os::SharedLibrary const& library) : library_{library} {}

    // The library's status; `function not found` where this version of it lacks the function.
    template <class... Arguments> int call(char const* name, Arguments... arguments) const {
        constexpr int function_not_found = 13;
        auto* const function = library_.function<int(Arguments...)>(name);
        return function == nullptr ? function_not_found : function(arguments...);
    }
    template <class... Arguments>
    std::optional<std::string> text(char const* name, Arguments... before) const {
        std::array<char, 96> buffer{};
        if (call(name, before..., buffer.data(), unsigned{buffer.size() - 1}) != nvml_success)
            return std::nullopt;
        return std::string{buffer.data()};
    }
    [[nodiscard]] std::string words(int status) const {
        auto* const describe = library_.function<char const*(int)>("nvmlErrorString");
        return format("{} ({})", describe == nullptr ? "NVML's error" : describe(status), status);
    }

  private:
    os::SharedLibrary const& library_;
};

// Not supported on chips that share the system's memory: unknown then.
void read_memory(Nvml const& nvml, NvmlHandle* device, NvmlDevice& into) {
    auto const bytes = [](unsigned long long count) { return Bytes{static_cast<std::int64_t>(count)}; };
    Memory memory;
    if (nvml.call("nvmlDeviceGetMemoryInfo_v2", device, &memory) == nvml_success) {
        into.memory_total = bytes(memory.total);
        into.memory_used = bytes(memory.used);
        into.memory_reserved = bytes(memory.reserved);
        return;
    }
    OldMemory old;  // drivers before 510
    if (nvml.call("nvmlDeviceGetMemoryInfo", device, &old) != nvml_success) return;
    into.memory_total = bytes(old.total);
    into.memory_used = bytes(old.used);
}

// Of one kind. Nothing where the driver has no such list.
std::optional<std::vector<ProcessInfo>> list_processes(Nvml const& nvml, NvmlHandle* device,
                                                       char const* function) {
    constexpr int insufficient_size = 7;
    constexpr unsigned processes_max = 4096;
    std::vector<ProcessInfo> list(64);
    while (true) {
        auto count = static_cast<unsigned>(list.size());
        auto const status = nvml.call(function, device, &count, list.data());
        if (status == nvml_success) {
            list.resize(std::min<std::size_t>(count, list.size()));
            return list;
        }
        if (status != insufficient_size || list.size() >= processes_max) return std::nullopt;
        list.resize(std::min(std::max(count, 2 * static_cast<unsigned>(list.size())), processes_max));
    }
}

// One that both draws and computes is in both lists, with the same figure.
void read_processes(Nvml const& nvml, NvmlHandle* device, NvmlDevice& into) {
    for (auto const* function :
         {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3"}) {
        auto const list = list_processes(nvml, device, function);
        if (!list) continue;
        if (!into.processes) into.processes.emplace();
        for (auto const& info : *list) {
            auto const same = [&info](NvmlProcess const& other) { return other.pid == info.pid; };
            if (std::any_of(into.processes->begin(), into.processes->end(), same)) continue;
            NvmlProcess process{.pid = info.pid};
            if (info.used <= static_cast<unsigned long long>(INT64_MAX))
                process.memory = Bytes{static_cast<std::int64_t>(info.used)};
            into.processes->push_back(process);
        }
    }
}

NvmlDevice read_device(Nvml const& nvml, NvmlHandle* device) {
    NvmlDevice found;
    found.name = nvml.text("nvmlDeviceGetName", device).value_or("");
    PciInfo pci;
    // Its bus id has a domain of eight digits, the kernel's has four.
    if (nvml.call("nvmlDeviceGetPciInfo_v3", device, &pci) == nvml_success)
        found.pci = format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
    int major = 0;
    int minor = 0;
    if (nvml.call("nvmlDeviceGetCudaComputeCapability", device, &major, &minor) == nvml_success)
        found.compute_capability = format("{}.{}", major, minor);
    read_memory(nvml, device, found);
    read_processes(nvml, device, found);
    return found;
}

}  // namespace

NvmlAnswer ask_nvml() {
    os::SharedLibrary const library{"libnvidia-ml.so.1"};
    if (!library.loaded()) return {.state = "no library", .fault = library.fault()};
    Nvml const nvml{library};
    if (auto const status = nvml.call("nvmlInit_v2"); status != nvml_success)
        return {.state = "failed", .fault = nvml.words(status)};
    NvmlAnswer answer{.state = "ok", .driver_version = nvml.text("nvmlSystemGetDriverVersion")};
    int cuda = 0;
    if (nvml.call("nvmlSystemGetCudaDriverVersion_v2", &cuda) == nvml_success)
        answer.cuda_version = format("{}.{}", cuda / 1000, cuda % 1000 / 10);
    unsigned count = 0;
    if (auto const status = nvml.call("nvmlDeviceGetCount_v2", &count); status != nvml_success)
        return {.state = "failed", .fault = nvml.words(status)};
    for (unsigned i = 0; i < count; ++i) {
        NvmlHandle* device = nullptr;
        // One that has fallen off the bus gives no handle; the others are there all the same.
        if (nvml.call("nvmlDeviceGetHandleByIndex_v2", i, &device) == nvml_success)
            answer.devices.push_back(read_device(nvml, device));
    }
    (void)nvml.call("nvmlShutdown");
    return answer;
}

}  // namespace hal0::hardware
