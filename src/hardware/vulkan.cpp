// The devices that Vulkan lists. The loader is found at run time, and what is taken of its interface
// (Vulkan 1.1) is declared here: hal0 builds, and starts, on boxes that have never seen Vulkan.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/format.hpp"
#include "hardware/drivers.hpp"
#include "os/shared_library.hpp"

namespace hal0::hardware {
namespace {

struct Instance;
struct PhysicalDevice;
using Version = std::uint32_t;
constexpr Version version_1_1 = (1U << 22U) | (1U << 12U);
constexpr int success = 0;
constexpr int incomplete = 5;
constexpr int incompatible_driver = -9;  // the loader's answer where it has no driver at all

struct ApplicationInfo {
    std::int32_t type;
    void const* next;
    char const* name;
    std::uint32_t version;
    char const* engine;
    std::uint32_t engine_version;
    Version api;
};
struct InstanceCreateInfo {
    std::int32_t type;
    void const* next;
    std::uint32_t flags;
    ApplicationInfo const* application;
    std::uint32_t layer_count;
    char const* const* layers;
    std::uint32_t extension_count;
    char const* const* extensions;
};
constexpr std::int32_t type_instance_create_info = 1;

struct DriverProperties {
    std::int32_t type{1000196000};
    void* next{nullptr};
    std::uint32_t id{0};
    std::array<char, 256> name{};
    std::array<char, 256> info{};
    std::uint32_t conformance{0};
};
struct PciBusInfo {
    std::int32_t type{1000212000};
    void* next{nullptr};
    std::uint32_t domain{0}, bus{0}, device{0}, function{0};
};
struct DeviceProperties {
    std::int32_t type{1000059001};
    void* next{nullptr};
    Version api{0};
    std::uint32_t driver_version{0};
    std::uint32_t vendor{0};
    std::uint32_t device{0};
    std::int32_t kind{0};
    std::array<char, 256> name{};
    std::array<std::uint8_t, 16> cache{};
    alignas(8) std::array<std::byte, 504 + 24> limits{};  // VkPhysicalDeviceLimits and …SparseProperties
};
static_assert(sizeof(DeviceProperties) == 16 + 824);
struct Heap {
    std::uint64_t size;
    std::uint32_t flags;
};
struct MemoryProperties {
    std::uint32_t type_count{0};
    std::array<std::array<std::uint32_t, 2>, 32> types{};
    std::uint32_t heap_count{0};
    std::array<Heap, 16> heaps{};
};
static_assert(sizeof(MemoryProperties) == 520);
constexpr std::uint32_t heap_is_local = 1;
struct Extension {
    std::array<char, 256> name;
    std::uint32_t version;
};

using GetInstanceProcAddr = void* (*)(Instance*, char const*);
using CreateInstance = int (*)(InstanceCreateInfo const*, void const*, Instance**);
using DestroyInstance = void (*)(Instance*, void const*);
using EnumerateDevices = int (*)(Instance*, std::uint32_t*, PhysicalDevice**);
using EnumerateExtensions = int (*)(PhysicalDevice*, char const*, std::uint32_t*, Extension*);
using GetProperties = void (*)(PhysicalDevice*, DeviceProperties*);
using GetMemory = void (*)(PhysicalDevice*, MemoryProperties*);

// What is called of the loader; null where it lacks it.
struct Calls {
    DestroyInstance destroy;
    EnumerateDevices devices;
    EnumerateExtensions extensions;
    GetProperties properties;
    GetMemory memory;
    [[nodiscard]] bool complete() const {
        return destroy != nullptr && devices != nullptr && extensions != nullptr && properties != nullptr &&
               memory != nullptr;
    }
};

template <class F> F call(GetInstanceProcAddr find, Instance* instance, char const* name) {
    return reinterpret_cast<F>(find(instance, name));
}

template <std::size_t N> std::string text_of(std::array<char, N> const& field) {
    return {field.data(), ::strnlen(field.data(), N)};
}

std::string type_name(std::int32_t kind) {
    constexpr std::array names{"other", "integrated", "discrete", "virtual", "cpu"};
    auto const at = static_cast<std::size_t>(kind);
    return at < names.size() ? names.at(at) : "other";
}

std::string driver_of(std::uint32_t id) {
    struct Driver {
        std::uint32_t id;
        char const* name;
    };
    constexpr std::array drivers{Driver{1, "amd-proprietary"}, Driver{2, "amdvlk"}, Driver{3, "radv"},
                                 Driver{4, "nvidia"},          Driver{6, "intel"},  Driver{13, "llvmpipe"},
                                 Driver{22, "venus"},          Driver{23, "dozen"}, Driver{24, "nvk"}};
    auto const* const found =
        std::find_if(drivers.begin(), drivers.end(), [id](Driver const& driver) { return driver.id == id; });
    return found == drivers.end() ? std::to_string(id) : found->name;
}

std::string version_text(Version version) {
    return format("{}.{}.{}", version >> 22U & 0x7fU, version >> 12U & 0x3ffU, version & 0xfffU);
}

bool has_extension(Calls const& calls, PhysicalDevice* device, std::string_view name) {
    std::uint32_t count = 0;
    if (calls.extensions(device, nullptr, &count, nullptr) != success) return false;
    std::vector<Extension> extensions(count);
    auto const got = calls.extensions(device, nullptr, &count, extensions.data());
    if (got != success && got != incomplete) return false;
    extensions.resize(std::min<std::size_t>(count, extensions.size()));
    return std::any_of(extensions.begin(), extensions.end(),
                       [name](Extension const& extension) { return text_of(extension.name) == name; });
}

VulkanDevice describe(Calls const& calls, PhysicalDevice* device) {
    DriverProperties driver;
    PciBusInfo pci;
    DeviceProperties properties;
    bool const knows_pci = has_extension(calls, device, "VK_EXT_pci_bus_info");
    if (knows_pci) driver.next = &pci;
    properties.next = &driver;
    calls.properties(device, &properties);
    MemoryProperties memory;
    calls.memory(device, &memory);
    Bytes local{};
    Bytes all{};
    for (std::size_t i = 0; i < std::min<std::size_t>(memory.heap_count, memory.heaps.size()); ++i) {
        Bytes const size{static_cast<std::int64_t>(memory.heaps.at(i).size)};
        all += size;
        if ((memory.heaps.at(i).flags & heap_is_local) != 0) local += size;
    }
    VulkanDevice found{.name = text_of(properties.name),
                       .type = type_name(properties.kind),
                       .vendor_id = properties.vendor,
                       .device_id = properties.device,
                       .api_version = version_text(properties.api),
                       .driver = driver_of(driver.id),
                       .driver_name = text_of(driver.name),
                       .driver_info = text_of(driver.info),
                       .local_heaps = local,
                       .all_heaps = all};
    if (knows_pci)
        found.pci = format("{:04x}:{:02x}:{:02x}.{}", pci.domain, pci.bus, pci.device, pci.function);
    return found;
}

VulkanAnswer failed(std::string fault) { return {.state = "failed", .fault = std::move(fault)}; }

VulkanAnswer enumerate(Calls const& calls, Instance* instance) {
    constexpr std::uint32_t devices_max = 64;
    std::array<PhysicalDevice*, devices_max> devices{};
    std::uint32_t count = devices_max;
    auto const got = calls.devices(instance, &count, devices.data());
    if (got != success && got != incomplete) return failed(format("vkEnumeratePhysicalDevices gave {}", got));
    VulkanAnswer answer{.state = "ok"};
    for (std::uint32_t i = 0; i < std::min(count, devices_max); ++i)
        answer.devices.push_back(describe(calls, devices.at(i)));
    return answer;
}

}  // namespace

VulkanAnswer ask_vulkan() {
    os::SharedLibrary const loader{"libvulkan.so.1"};
    if (!loader.loaded()) return {.state = "no loader", .fault = loader.fault()};
    GetInstanceProcAddr const find = loader.function<void*(Instance*, char const*)>("vkGetInstanceProcAddr");
    if (find == nullptr) return failed("libvulkan.so.1 has no vkGetInstanceProcAddr");
    auto const create = call<CreateInstance>(find, nullptr, "vkCreateInstance");
    if (create == nullptr) return failed("libvulkan.so.1 has no vkCreateInstance");
    ApplicationInfo application{};
    application.name = "hal0";
    application.api = version_1_1;
    InstanceCreateInfo info{};
    info.type = type_instance_create_info;
    info.application = &application;
    Instance* instance = nullptr;
    auto const created = create(&info, nullptr, &instance);
    if (created == incompatible_driver) return {.state = "ok"};  // a loader, and nothing for it to load
    if (created != success) return failed(format("vkCreateInstance gave {}", created));
    Calls const calls{
        .destroy = call<DestroyInstance>(find, instance, "vkDestroyInstance"),
        .devices = call<EnumerateDevices>(find, instance, "vkEnumeratePhysicalDevices"),
        .extensions = call<EnumerateExtensions>(find, instance, "vkEnumerateDeviceExtensionProperties"),
        .properties = call<GetProperties>(find, instance, "vkGetPhysicalDeviceProperties2"),
        .memory = call<GetMemory>(find, instance, "vkGetPhysicalDeviceMemoryProperties")};
    if (!calls.complete()) return failed("libvulkan.so.1 is older than Vulkan 1.1");
    auto answer = enumerate(calls, instance);
    calls.destroy(instance, nullptr);
    return answer;
}

}  // namespace hal0::hardware
