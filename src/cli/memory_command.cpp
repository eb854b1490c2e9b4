#include "cli/memory_command.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"

namespace hal0::cli {
namespace {

using wire::HolderView;
using wire::PoolView;

constexpr std::size_t share_columns = 20;

std::string amount(std::optional<Bytes> bytes) { return bytes ? human(*bytes) : "unknown"; }
// A figure of processes that isn't there, or is nothing, takes no room for the eye.
std::string figure(std::optional<Bytes> bytes) {
    return bytes && *bytes > Bytes{} ? human(*bytes) : std::string{};
}
std::string below_zero(Bytes bytes) {
    return bytes < Bytes{} ? format("-{}", human(Bytes{} - bytes)) : human(bytes);
}

// How much of the pool it is, to an eighth of a column.
std::string bar(Bytes bytes, std::optional<Bytes> total) {
    constexpr std::array<std::string_view, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (!total || total->count <= 0 || bytes.count <= 0) return {};
    auto const share = static_cast<double>(std::min(bytes, *total).count) / static_cast<double>(total->count);
    auto const steps = static_cast<std::size_t>(std::lround(share * double{share_columns} * 8));
    std::string out;
    for (std::size_t i = 0; i < steps / 8; ++i)
        out += "█";
    return out.append(eighths.at(steps % 8));
}

std::string name_of(HolderView const& holder) {
    auto name = printable(holder.name);
    auto const processes = holder.processes.value_or(1);
    if (holder.kind == "slot") return format("slot {}", name);
    if (holder.kind == "kernel") return format("kernel: {}", name);
    if (processes > 1) return format("{} ({})", name, processes);
    return name;
}

std::string title_of(PoolView const& pool) {
    auto out = format("{}: {}", pool.id, amount(pool.total));
    if (pool.parts.size() > 1) {
        std::vector<std::string> parts;
        parts.reserve(pool.parts.size());
        for (auto const& part : pool.parts)
            parts.push_back(format("{} {}", part.kind, amount(part.total)));
        out += format(" ({})", join(parts, ", "));
    }
    for (auto const& cap : pool.caps)
        out += format("; {} takes at most {} of the system's (GTT)", cap.device, amount(cap.total));
    return out + "\n";
}

Table table_of(PoolView const& pool) {
    Table table{{{"HOLDER"},
                 {"MEMORY", Align::Right},
                 {"GPU", Align::Right},
                 {"GIVES WAY", Align::Right},
                 {"IN SWAP", Align::Right},
                 {""}}};
    for (auto const& holder : pool.holders) {
        auto const style = holder.kind == "slot"     ? Style::Bold
                           : holder.kind == "nobody" ? Style::Warn
                                                     : Style::Plain;
        table.row({{name_of(holder), style},
                   {format("{}{}", holder.exact ? "" : "≤ ", human(holder.bytes))},
                   {figure(holder.gpu)},
                   {figure(holder.gives_way)},
                   {figure(holder.swapped)},
                   {bar(holder.bytes, pool.total), Style::Dim}});
    }
    if (pool.unexplained) table.row({{"unexplained"}, {below_zero(*pool.unexplained)}, {}, {}, {}, {}});
    if (pool.free)
        table.row({{"free", Style::Good},
                   {human(*pool.free)},
                   {},
                   {},
                   {},
                   {bar(*pool.free, pool.total), Style::Dim}});
    return table;
}

std::string notes_of(PoolView const& pool) {
    std::string out;
    for (auto const& holder : pool.holders) {
        for (auto const& note : holder.notes)
            out += format("{}: {}\n", name_of(holder), printable(note));
    }
    return out;
}

// ---- the Proxmox node

using wire::HostView;
using wire::TenantView;

std::string name_of(TenantView const& tenant) {
    auto name = format("{} {}", tenant.kind == "lxc" ? "container" : "VM", tenant.vmid);
    if (tenant.name) name += " " + printable(*tenant.name);
    return tenant.self ? name + " (this)" : name;
}

// What a VM may have: as much as its balloon leaves it, where it has one.
std::string limit_of(TenantView const& tenant) {
    auto const most = figure(tenant.memory_max);
    return tenant.balloon && tenant.balloon != tenant.memory_max
               ? format("{} of {}", human(*tenant.balloon), most)
               : most;
}

Table table_of(HostView const& host) {
    Table table{{{"TENANT"}, {"MEMORY", Align::Right}, {"LIMIT", Align::Right}, {""}}};
    auto const line = [&](std::string_view name, std::optional<Bytes> bytes, Style style) {
        if (bytes)
            table.row({{std::string{name}, style},
                       {below_zero(*bytes)},
                       {},
                       {bar(*bytes, host.total), Style::Dim}});
    };
    for (auto const& tenant : host.tenants) {
        if (tenant.running == false) continue;
        auto const taken = tenant.memory_on_node ? tenant.memory_on_node : tenant.memory;
        table.row({{name_of(tenant), tenant.self ? Style::Bold : Style::Plain},
                   {amount(taken)},
                   {limit_of(tenant)},
                   {bar(taken.value_or(Bytes{}), host.total), Style::Dim}});
    }
    line("GPU pages (GTT)", host.gpu_pages, Style::Plain);
    line("ZFS cache", host.arc, Style::Plain);
    line("unexplained", host.unexplained, Style::Plain);
    line("free", host.free, Style::Good);
    return table;
}

std::string host_text(Terminal const& terminal, HostView const& host) {
    auto const stopped = std::ranges::count(host.tenants, std::optional{false}, &TenantView::running);
    auto out = format("node {} (Proxmox): {}, {} in use", printable(host.node), amount(host.total),
                      amount(host.used));
    if (stopped > 0) out += format("; {} stopped", plural(static_cast<std::size_t>(stopped), "guest"));
    out += "\n" + table_of(host).render(terminal);
    for (auto const& note : host.notes)
        out += format("{}\n", printable(note));
    return out;
}

Result<wire::MemoryView> ask(Context& context) {
    HAL0_TRY(api, context.api_if_running());
    if (!api) return context.program.offline.memory();
    HAL0_TRY(body, api->get("/api/memory"));
    return wire::decode<wire::MemoryView>(body);
}

}  // namespace

std::string memory_text(Terminal const& terminal, wire::MemoryView const& view) {
    std::string out;
    for (auto const& pool : view.pools) {
        if (!out.empty()) out += "\n";
        out += title_of(pool) + table_of(pool).render(terminal);
        // What is not of one account has no sum: each part has its own.
        if (!pool.total) {
            for (auto const& part : pool.parts)
                out += format("{} of {}: {} of {} free, {} unexplained\n", part.kind, part.device,
                              amount(part.free), amount(part.total),
                              part.unexplained ? below_zero(*part.unexplained) : "unknown");
        }
        out += notes_of(pool);
    }
    if (view.host) out += "\n" + host_text(terminal, *view.host);
    if (view.swap_total && *view.swap_total > Bytes{})
        out += format("\nswap: {} of {} in use\n", amount(view.swap_used), human(*view.swap_total));
    for (auto const& warning : view.warnings)
        out += format("warning: {}\n", printable(warning));
    return out;
}

Result<int> memory(Arguments const& arguments, Context& context) {
    HAL0_TRY(view, ask(context));
    if (arguments.has("json")) return say(context, wire::encode(view));
    context.terminal.out(memory_text(context.terminal, view));
    return exit_ok;
}

}  // namespace hal0::cli
