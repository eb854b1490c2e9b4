#include "hardware/report.hpp"

#include <algorithm>

#include "base/format.hpp"

namespace hal0::hardware {

Result<HardwareReport> decode_report(std::string_view text) {
    // A newer schema may have changed anything but this member: it is looked at first.
    HAL0_TRY(value, json::parse(text));
    auto const* member = value.find("schema");
    auto const* schema = member == nullptr ? nullptr : std::get_if<std::int64_t>(&member->data);
    if (schema == nullptr || *schema < 1)
        return Error{Errc::Corrupt, "it has no schema: it is no hardware report"};
    if (*schema > report_schema)
        return Error{
            Errc::Unsupported,
            format("it has schema {}, made by a newer hal0; this one knows up to {}. 'hal0 probe' writes it "
                   "anew",
                   *schema, report_schema)};
    auto report = wire::decode<HardwareReport>(text);
    if (!report) return Error{Errc::Corrupt, std::move(report).error().message};
    return report;
}

GpuReport const* HardwareReport::gpu(std::string_view id) const {
    auto const found = std::ranges::find(gpus, id, &GpuReport::id);
    return found == gpus.end() ? nullptr : &*found;
}

GpuReport const* HardwareReport::gpu_at(std::string_view pci) const {
    auto const found = std::ranges::find_if(gpus, [pci](GpuReport const& gpu) { return gpu.pci == pci; });
    return found == gpus.end() ? nullptr : &*found;
}

std::optional<Bytes> gtt_cap(std::optional<Bytes> gtt_total, std::optional<std::int64_t> pages_limit) {
    constexpr Bytes ttm_page = 4_KiB;
    constexpr std::int64_t pages_max = std::int64_t{1} << 40;  // 4 PiB: more is no limit
    auto const pages = pages_limit.value_or(0);
    if (!gtt_total || pages <= 0 || pages > pages_max) return gtt_total;
    return std::min(*gtt_total, Bytes{pages * ttm_page.count});
}

}  // namespace hal0::hardware
