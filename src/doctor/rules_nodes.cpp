// Device nodes: whether they open, which is the only thing that says whether a device can be used.
#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "doctor/nodes.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/subjects.hpp"
#include "hardware/access.hpp"

namespace hal0::doctor {
namespace {

bool names_group(Facts const& facts, std::int64_t number) {
    auto const& groups = facts.conditions.groups;
    return std::any_of(groups.begin(), groups.end(),
                       [number](hardware::GroupFact const& group) { return group.number == number; });
}

// What a GPU computes through.
struct GpuNode {
    hardware::GpuReport const& gpu;
    hardware::NodeAnswer const& node;
};

std::vector<GpuNode> closed_gpu_nodes(Facts const& facts, Closed how) {
    std::vector<GpuNode> found;
    for (auto const& gpu : facts.report.gpus) {
        auto const* const node = gpu.render && computes(gpu) ? facts.conditions.node(*gpu.render) : nullptr;
        if (node != nullptr && closed_by(facts, *node) == how) found.push_back({gpu, *node});
    }
    return found;
}

Symptoms look_gpu_nodes(Facts const& facts, Closed how) {
    Symptoms found;
    for (auto const& [gpu, node] : closed_gpu_nodes(facts, how))
        found.push_back({.severity = Severity::Error,
                         .headline = format("{} can't be opened", shown(gpu)),
                         .evidence = seen_of(facts, node),
                         .fix = way_to_open(facts, node)});
    return found;
}

Symptoms look_missing(Facts const& facts) {
    auto found = look_gpu_nodes(facts, Closed::Missing);
    for (auto const& gpu : facts.report.gpus) {
        if (!computes(gpu) || !gpu.driver || gpu.driver == "nvidia" || gpu.driver == "vfio-pci" || gpu.render)
            continue;
        found.push_back({.severity = Severity::Error,
                         .headline = format("{} has no node", shown(gpu)),
                         .evidence = format("{} has taken it, and made no render node", *gpu.driver),
                         .fix = Remedies{facts}.on_host({format("sudo dmesg | grep -i {}", *gpu.driver)})});
    }
    return found;
}
Symptoms look_rules(Facts const& facts) { return look_gpu_nodes(facts, Closed::DeviceRules); }
Symptoms look_nobody(Facts const& facts) { return look_gpu_nodes(facts, Closed::Nobody); }
Symptoms look_gid(Facts const& facts) { return look_gpu_nodes(facts, Closed::ForeignGroup); }
Symptoms look_group(Facts const& facts) { return look_gpu_nodes(facts, Closed::Group); }
Symptoms look_confined(Facts const& facts) { return look_gpu_nodes(facts, Closed::Confined); }
Symptoms look_fault(Facts const& facts) { return look_gpu_nodes(facts, Closed::Fault); }

// Their paths, of those for which `wanted` is true.
template <class Wanted> std::string nodes_that(Facts const& facts, Wanted const& wanted) {
    Lines paths;
    for (auto const& node : facts.conditions.nodes) {
        if (wanted(node)) paths.push_back(node.path);
    }
    return join(paths, ", ");
}

Lines way_out_of_confinement(Facts const& facts) {
    auto const& platform = facts.report.platform;
    if (platform.kind == "lxc")
        return {"# on the host, in /etc/pve/lxc/ID.conf:", "lxc.apparmor.profile: unconfined",
                "# then on the host: pct reboot ID"};
    if (platform.container)
        return {"# start the container with --security-opt apparmor=unconfined, with SELinux label=disable"};
    return {"sudo dmesg | grep -iE 'apparmor|avc' | tail -n 20  # says which profile forbids it"};
}

Symptoms look_unprivileged(Facts const& facts) {
    auto const& platform = facts.report.platform;
    if (platform.kind != "lxc" || platform.privileged != false) return {};
    for (auto const& gpu : facts.report.gpus) {
        if (!computes(gpu) || gpu.openable != false) continue;
        return {
            {.severity = Severity::Info,
             .evidence =
                 format("/proc/self/uid_map maps root to another user of the host, and {} doesn't open",
                        gpu.render.value_or("the GPU")),
             .fix = {
                 "# first the devN lines above; if the host is older than Proxmox 8.2, or they don't help, "
                 "make the container privileged (back up, restore with --unprivileged 0)"}}};
    }
    return {};
}

// Where the mode isn't why a node is closed it is the profile; else it may stand behind what the mode
// forbids.
Symptoms look_apparmor(Facts const& facts) {
    auto const& platform = facts.report.platform;
    auto const& profile = platform.apparmor;
    if (platform.kind != "lxc" || !profile || profile->starts_with("unconfined")) return {};
    using hardware::NodeAnswer;
    auto const forbidden = nodes_that(
        facts, [&facts](NodeAnswer const& node) { return closed_by(facts, node) == Closed::Confined; });
    auto const closed = nodes_that(facts, [](NodeAnswer const& node) { return !node.opens(); });
    auto const evidence = format("this process is confined by '{}'", *profile);
    if (!forbidden.empty())
        return {{.severity = Severity::Warning,
                 .evidence =
                     format("{}, and opening {} gives EACCES, which its mode doesn't", evidence, forbidden),
                 .fix = way_out_of_confinement(facts)}};
    if (closed.empty()) return {};
    return {{.severity = Severity::Info,
             .evidence = format("{}, and a device node doesn't open", evidence),
             .fix = {"# only if the node stays closed after the above; on the host, in /etc/pve/lxc/ID.conf:",
                     "lxc.apparmor.profile: unconfined", "# then on the host: pct reboot ID"}}};
}

// Root opens everything: whether the service does, its groups say.
Symptoms look_service_user(Facts const& facts) {
    auto const& conditions = facts.conditions;
    if (!conditions.service_user || !any_gpu(facts, computes)) return {};
    Symptoms found;
    for (auto const* const name : {"render", "video"}) {
        auto const* const group = conditions.group(name);
        auto const owns = [group](hardware::NodeAnswer const& node) {
            return group != nullptr && node.owner_group == group->number;
        };
        bool const matters = std::any_of(conditions.nodes.begin(), conditions.nodes.end(), owns);
        if (!matters || group->has_service_user) continue;
        found.push_back({.severity = Severity::Error,
                         .evidence = format("/etc/group: hal0 isn't in {} ({}), which owns the device nodes",
                                            name, group->number),
                         .fix = {format("sudo usermod -aG {} hal0", name), "# then restart the service"}});
    }
    return found;
}

}  // namespace

Closed closed_by(Facts const& facts, hardware::NodeAnswer const& node) {
    bool const in_container = facts.report.platform.container.has_value();
    if (node.opens()) return Closed::Open;
    if (node.verdict == "ENOENT") return Closed::Missing;
    if (node.verdict == "EPERM") return Closed::DeviceRules;
    if (node.verdict != "EACCES") return Closed::Fault;
    if (node.owner_group == hardware::nobody) return Closed::Nobody;
    hardware::Asker const asker{facts.conditions.user, facts.conditions.user_groups};
    if (hardware::mode_lets_in(node, asker, facts.report.platform)) return Closed::Confined;
    bool const is_known = !in_container || (node.owner_group && names_group(facts, *node.owner_group));
    return is_known ? Closed::Group : Closed::ForeignGroup;
}

namespace {

// Where there is no sudo root types the command, and root's shell has root as its USER.
std::string user_named(Facts const& facts) {
    auto const user = facts.conditions.user;
    if (user == 0) return "root";
    return facts.report.platform.proxmox_host ? format("\"$(id -nu {})\"", user) : "\"$USER\"";
}

}  // namespace

std::string seen_of(Facts const& facts, hardware::NodeAnswer const& node) {
    auto text = format("opening {} gives {}", node.path, node.verdict);
    if (node.verdict == "EACCES" && node.owner_group)
        text += format("; it belongs to group {}, mode {}", *node.owner_group, node.mode.value_or("unknown"));
    auto const* const render = facts.conditions.group("render");
    if (closed_by(facts, node) == Closed::ForeignGroup && render != nullptr)
        text += format(", while render is {} here", render->number);
    return text;
}

Lines nodes_to_pass(Facts const& facts) {
    Lines nodes;
    for (auto const& gpu : facts.report.gpus) {
        if (!computes(gpu) || gpu.driver == "nvidia") continue;
        if (gpu.card) nodes.push_back(*gpu.card);
        if (gpu.render) nodes.push_back(*gpu.render);
    }
    if (facts.report.rocm.kfd) nodes.emplace_back("/dev/kfd");
    if (facts.report.npu && facts.report.npu->node) nodes.push_back(*facts.report.npu->node);
    return nodes;
}

Lines way_to_open(Facts const& facts, hardware::NodeAnswer const& node) {
    Remedies const remedies{facts};
    bool const in_container = remedies.in_container();
    switch (closed_by(facts, node)) {
        case Closed::Open: return {};
        case Closed::Missing:
            if (!in_container)
                return {"sudo udevadm trigger --action=add --subsystem-match=drm --subsystem-match=accel"};
            return remedies.pass_devices(nodes_to_pass(facts));
        case Closed::DeviceRules: {
            auto lines = remedies.pass_devices(nodes_to_pass(facts));
            if (facts.report.platform.kind == "lxc" && node.major && node.minor) {
                lines.emplace_back(
                    "# a host older than 8.2 has this in their stead, beside its lxc.mount.entry:");
                lines.push_back(format("lxc.cgroup2.devices.allow: c {}:{} rwm", *node.major, *node.minor));
            }
            return lines;
        }
        case Closed::Nobody:
        case Closed::ForeignGroup: return remedies.pass_devices(nodes_to_pass(facts));
        case Closed::Group: {
            auto const* const render = facts.conditions.group("render");
            auto const* const video = facts.conditions.group("video");
            auto name = format("\"$(getent group {} | cut -d: -f1)\"", node.owner_group.value_or(0));
            if (render != nullptr && render->number == node.owner_group) name = "render";
            if (video != nullptr && video->number == node.owner_group) name = "video";
            return {format("sudo usermod -aG {} {}", name, user_named(facts)), "# then log out and in again"};
        }
        case Closed::Confined: return way_out_of_confinement(facts);
        case Closed::Fault:
            return remedies.on_host({"sudo dmesg | grep -iE 'amdgpu|amdxdna|xe |reset' | tail -n 50",
                                     "# a device that a reset didn't bring back needs: sudo reboot"});
    }
    return {};
}

std::vector<Rule> node_rules() {
    constexpr std::string_view why = "Without its node a GPU can't be used: models run on the processor.";
    return {
        {.id = "gpu-node-missing",
         .headline = "the GPU's node isn't there",
         .why = why,
         .seen = "sysfs shows the GPU, and opening its node under /dev/dri gives ENOENT: mostly a container "
                 "that was "
                 "given no devices",
         .remedy =
             "Pass the nodes on: `devN:` lines in /etc/pve/lxc/ID.conf, `--device` for Docker and Podman.",
         .reference = "hal0's page on Strix Halo (dev0-dev3); jellyfin/jellyfin.org#982",
         .look = look_missing},
        {.id = "gpu-node-device-rules",
         .headline = "the container's device rules forbid the GPU",
         .why = why,
         .seen = "opening the node gives EPERM: its mode would let it be opened (that would be EACCES), the "
                 "device "
                 "cgroup doesn't",
         .remedy = "Pass it by a `devN:` line, which allows it too, or add `lxc.cgroup2.devices.allow`.",
         .reference = "open(2); lxc.container.conf(5)",
         .look = look_rules},
        {.id = "gpu-node-nobody",
         .headline = "the GPU's node belongs to nobody in this container",
         .why = why,
         .seen =
             "opening it gives EACCES, and its group is 65534: it was mounted into an unprivileged container "
             "without mapping its group",
         .remedy = "Pass it by a `devN:` line with `gid=`, in the stead of `lxc.mount.entry`.",
         .reference = "jellyfin/jellyfin.org#982",
         .look = look_nobody},
        {.id = "gpu-node-gid",
         .headline = "the GPU's node belongs to a group of the host",
         .why = why,
         .seen = "in a container opening it gives EACCES, and the number of its group is neither render nor "
                 "video "
                 "there: the host's number came with it",
         .remedy = "Pass it with `gid=` as the container numbers its group render.",
         .reference =
             "Hal0ai/hal0#2213; community-scripts/ProxmoxVE#15401; kyuz0/amd-strix-halo-toolboxes#16",
         .look = look_gid},
        {.id = "gpu-node-group",
         .headline = "this user may not open the GPU",
         .why = why,
         .seen = "opening the node gives EACCES, and the user isn't in the group that owns it",
         .remedy = "`usermod -aG render USER`, and log in again.",
         .reference = "hal0's page on Strix Halo: \"add your service user to the render group\"",
         .look = look_group},
        {.id = "gpu-node-confined",
         .headline = "the GPU's node may be opened by its mode, and is forbidden all the same",
         .why = why,
         .seen =
             "opening it gives EACCES to root, or to a member of the group that owns it: AppArmor or SELinux",
         .remedy = "`lxc.apparmor.profile: unconfined` in an LXC; elsewhere change the profile.",
         .reference = "hal0's page on Strix Halo: \"double-check the AppArmor profile is unconfined\"",
         .look = look_confined},
        {.id = "gpu-node-fails",
         .headline = "the GPU's driver refuses to be opened",
         .why = "The driver itself says no: a device that was reset and didn't come back, or is gone.",
         .seen = "opening the node gives another error than those above: EIO, ENODEV, EINVAL",
         .remedy = "Look at what the kernel says of it; start again where a reset didn't bring it back.",
         .reference = "ROCm/legacy-rocm-build#6027",
         .look = look_fault}};
}

std::vector<Rule> container_rules() {
    return {
        {.id = "lxc-unprivileged",
         .headline = "the container is unprivileged",
         .why = "hal0's page says that such a container can't use the GPU. Since Proxmox 8.2 it can, where "
                "the host "
                "passes the nodes by devN lines; before that it can't.",
         .seen = "/proc/self/uid_map maps root to another user, in an LXC whose GPU doesn't open. One whose "
                 "GPU opens "
                 "is fine, and not mentioned",
         .remedy = "Pass the nodes by `devN:` lines; else make the container privileged.",
         .reference = "hal0's page on Strix Halo; jellyfin/jellyfin.org#982",
         .look = look_unprivileged},
        {.id = "lxc-apparmor",
         .headline = "AppArmor confines the container",
         .why = "Its profile can forbid devices that everything else allows.",
         .seen =
             "/proc/self/attr/current names a profile in an LXC where a node doesn't open. A warning where "
             "opening it gives EACCES though its mode lets this user in; else it may be what stands behind "
             "it",
         .remedy = "`lxc.apparmor.profile: unconfined`; where it only may be, as the last step.",
         .reference = "hal0's page on Strix Halo: \"double-check the AppArmor profile is unconfined\"",
         .look = look_apparmor},
        {.id = "service-user-group",
         .headline = "the user hal0 may not open the GPU",
         .why =
             "As root everything opens; the service runs as hal0, and its models would run on the processor.",
         .seen = "/etc/passwd has the user hal0, and in /etc/group it isn't a member of the group that owns "
                 "the nodes",
         .remedy = "`usermod -aG render hal0`, and restart the service.",
         .reference = "hal0's page on Strix Halo: \"add your service user to the render group\"",
         .look = look_service_user}};
}

}  // namespace hal0::doctor
