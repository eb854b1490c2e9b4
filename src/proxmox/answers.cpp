#include "proxmox/answers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"
#include "proxmox/settings.hpp"

namespace hal0::proxmox {
namespace {

using json::Value;
using Size = std::optional<Bytes>;

constexpr Bytes largest{std::int64_t{1} << 53};  // 8 PiB; no sum of a cluster's overflows
constexpr std::size_t name_bytes_max = 100;

Error no_answer(std::string_view what) {
    return {Errc::Corrupt, format("it answers, but not as Proxmox does: {}", what)};
}

void warn(Warnings& warnings, std::string text) {
    if (warnings.size() < warnings_max) warnings.push_back(std::move(text));
}

// A whole number, also as the string that Perl makes of one now and then.
std::optional<std::int64_t> number_in(Value const& value) {
    if (auto const* const number = std::get_if<std::int64_t>(&value.data)) return *number;
    if (auto const* const text = std::get_if<std::string>(&value.data)) return to_int(*text);
    auto const* const real = std::get_if<double>(&value.data);
    if (real == nullptr || std::abs(*real) > static_cast<double>(largest.count) || std::floor(*real) != *real)
        return std::nullopt;
    return static_cast<std::int64_t>(*real);
}

std::optional<std::int64_t> number(Value const& row, std::string_view key) {
    auto const* const value = row.find(key);
    return value == nullptr ? std::nullopt : number_in(*value);
}

// Absent and null are unknown; anything but a size is that too, and a warning. `of`: whose figure it is.
Size size(Value const& row, std::string_view key, std::string_view of, Warnings& warnings) {
    auto const* const value = row.find(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    auto const found = number_in(*value);
    if (found && *found >= 0 && Bytes{*found} <= largest) return Bytes{*found};
    warn(warnings, format("Proxmox says of {} a '{}' that can't be", of, key));
    return std::nullopt;
}

Size at_most(Size part, Size whole, std::string_view what, Warnings& warnings) {
    if (!part || !whole || *part <= *whole) return part;
    warn(warnings,
         format("Proxmox says of the node {} of memory that {}, of {}", human(*part), what, human(*whole)));
    return std::nullopt;
}

std::optional<std::string> text(Value const& row, std::string_view key) {
    auto const* const value = row.find(key);
    auto const* const found = value == nullptr ? nullptr : std::get_if<std::string>(&value->data);
    return found == nullptr ? std::nullopt : std::optional{*found};
}

// People give guests names; what a terminal would obey is left out.
std::optional<std::string> name_of(Value const& row) {
    auto name = text(row, "name");
    if (!name) return std::nullopt;
    std::erase_if(*name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
    return name->size() > name_bytes_max ? clipped(*name) : *name;
}

// It becomes part of an address.
bool is_node_name(std::string_view name) {
    return !name.empty() && name.size() <= name_bytes_max && name.front() != '.' &&
           std::ranges::all_of(name, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '.';
           });
}

// A guest that runs holds something: 0 is what is told until it has been measured.
Size unless_nothing(Size size, std::optional<bool> running) {
    return running == true && size == Bytes{} ? std::nullopt : size;
}

std::optional<bool> running_of(Value const& row) {
    auto const status = text(row, "status");
    if (status == "running") return true;
    return status == "stopped" ? std::optional{false} : std::nullopt;
}

// Nothing for a row that is no guest's.
std::optional<TenantRow> tenant_of(Value const& row, Warnings& warnings) {
    auto const kind = text(row, "type");
    auto const vmid = number(row, "vmid");
    auto const node = text(row, "node");
    if ((kind != "lxc" && kind != "qemu") || !vmid || *vmid < vmid_min || *vmid > vmid_max)
        return std::nullopt;
    auto const of = format("guest {}", *vmid);
    if (!node || !is_node_name(*node)) {
        warn(warnings, format("Proxmox says of {} a node that can't be", of));
        return std::nullopt;
    }
    TenantRow found{.node = *node, .is_template = number(row, "template").value_or(0) != 0};
    found.tenant = {.vmid = *vmid, .kind = *kind, .name = name_of(row), .running = running_of(row)};
    found.tenant.memory_max = size(row, "maxmem", of, warnings);
    found.tenant.memory = unless_nothing(size(row, "mem", of, warnings), found.tenant.running);
    if (*kind == "qemu")
        found.tenant.memory_on_node =
            unless_nothing(size(row, "memhost", of, warnings), found.tenant.running);
    return found;
}

// Every answer of Proxmox's is {"data": …}.
Result<Value> data_of(std::string_view body) {
    auto parsed = json::parse(body);
    if (!parsed) return no_answer(parsed.error().message);
    auto const* const data = parsed->find("data");
    if (data == nullptr) return no_answer("there is no 'data' in it");
    return Value{*data};
}

Result<Value::Array> rows_of(std::string_view body) {
    HAL0_TRY(data, data_of(body));
    auto* const rows = std::get_if<Value::Array>(&data.data);
    if (rows == nullptr) return no_answer("its 'data' is no list");
    return std::move(*rows);
}

}  // namespace

Result<std::vector<TenantRow>> decode_tenants(std::string_view body, Warnings& warnings) {
    HAL0_TRY(rows, rows_of(body));
    std::vector<TenantRow> found;
    for (auto const& row : rows) {
        if (auto tenant = tenant_of(row, warnings)) found.push_back(std::move(*tenant));
    }
    return found;
}

Result<NodeMemory> decode_status(std::string_view body, Warnings& warnings) {
    HAL0_TRY(data, data_of(body));
    auto const* const told = data.find("memory");
    if (told == nullptr) return no_answer("the node's status has no 'memory'");
    auto const figure = [&](std::string_view key) { return size(*told, key, "the node", warnings); };
    NodeMemory memory{.total = figure("total")};
    if (memory.total == Bytes{}) memory.total.reset();
    memory.used = at_most(figure("used"), memory.total, "is used", warnings);
    memory.available = at_most(figure("available"), memory.total, "is available", warnings);
    memory.arc = at_most(figure("arcsize"), memory.total, "is ZFS's cache", warnings);
    if (!memory.available && memory.total && memory.used) memory.available = *memory.total - *memory.used;
    return memory;
}

Result<std::vector<Balloon>> decode_balloons(std::string_view body, Warnings& warnings) {
    HAL0_TRY(rows, rows_of(body));
    std::vector<Balloon> found;
    for (auto const& row : rows) {
        auto const vmid = number(row, "vmid");
        if (!vmid) continue;
        auto const of = format("guest {}", *vmid);
        found.push_back({.vmid = *vmid,
                         .now = size(row, "balloon", of, warnings),
                         .least = size(row, "balloon_min", of, warnings)});
    }
    return found;
}

}  // namespace hal0::proxmox
