#include "hardware/memory_use.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/reader.hpp"

namespace hal0::hardware {
namespace {

using Size = std::optional<Bytes>;

// What is known of the two.
Size sum(Size a, Size b) {
    if (!a || !b) return a ? a : b;
    return *a + *b;
}

Size less(Size from, Size what) {
    if (!from) return from;
    return std::max(Bytes{}, *from - what.value_or(Bytes{}));
}

// Pages on the CPUs' own free lists. Since Linux 6.7 each may grow to an eighth of its zone: hundreds of MiB
// that are in no counter of /proc/meminfo.
Size free_on_cpus(Reader& reader, Size page) {
    constexpr Bytes zoneinfo_bytes_max = 16_MiB;  // some KiB for each CPU of each node
    auto const text = reader.text("/proc/zoneinfo", zoneinfo_bytes_max);
    if (!text || !page) return std::nullopt;
    std::int64_t pages = 0;
    for (auto const line : split(*text, '\n')) {
        auto const words = trim(line);
        constexpr std::string_view key = "count:";
        if (!words.starts_with(key)) continue;
        auto const count = to_bytes(trim(words.substr(key.size())));
        constexpr std::int64_t count_max = std::int64_t{1} << 32;
        if (!count || count->count > count_max) return std::nullopt;
        pages += count->count;
    }
    return Bytes{pages * page->count};
}

// "orig_data_size compr_data_size mem_used_total …", in bytes, of each zram device in use.
Size zram(Reader& reader) {
    Size held;
    for (auto const& name : reader.names("/sys/block")) {
        if (!name.starts_with("zram")) continue;
        std::vector<std::string_view> words;
        auto const text = reader.text(format("/sys/block/{}/mm_stat", name)).value_or("");
        for (auto const word : split(text, ' ')) {
            if (!word.empty()) words.push_back(word);
        }
        constexpr std::size_t mem_used_total = 2;
        if (words.size() > mem_used_total) held = sum(held, to_bytes(words[mem_used_total]));
    }
    return held;
}

}  // namespace

MemoryUse read_memory_use(Machine& machine) {
    Reader reader{machine.files()};
    auto const info = reader.pairs("/proc/meminfo", ':');
    auto const size = [&](std::string_view key) -> Size {
        auto const found = info.find(key);
        return found == info.end() ? std::nullopt : to_bytes_of_kib(found->second);
    };
    MemoryUse use;
    use.total = size("MemTotal");
    if (use.total == Bytes{}) use.total.reset();  // lxcfs, broken
    use.free = size("MemFree");
    use.free_on_cpus = free_on_cpus(reader, machine.system().page_size);
    use.anonymous = size("AnonPages");
    use.shared = size("Shmem");
    use.cache = less(sum(size("Cached"), size("Buffers")), use.shared);
    use.swap_cached = size("SwapCached");
    use.slab = size("SUnreclaim");
    use.slab_reclaimable = size("KReclaimable") ? size("KReclaimable") : size("SReclaimable");
    use.page_tables = sum(size("PageTables"), size("SecPageTables"));
    use.stacks = size("KernelStack");
    use.per_cpu = size("Percpu");
    use.vmalloc = less(size("VmallocUsed"), use.stacks);
    use.huge_pages = size("Hugetlb");
    use.gpu_pool = size("GPUReclaim");
    use.compressed = sum(zram(reader), size("Zswap"));
    auto const group = reader.pairs("/sys/fs/cgroup/memory.stat", ' ');
    if (auto const kernel = group.find("kernel"); kernel != group.end())
        use.kernel_of_group = to_bytes(kernel->second);
    use.warnings = reader.take_warnings();
    return use;
}

}  // namespace hal0::hardware
