// The answers have the members of Proxmox 8 and 9, less those that nobody reads here.
#include "proxmox/inquiry.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/format.hpp"
#include "proxmox/host_view.hpp"

namespace hal0::proxmox {
namespace {

using Rows = std::vector<std::string>;

std::string answer_with(std::string_view what) { return format(R"({{"data": {}}})", what); }
std::string list(Rows const& rows) {
    std::string out;
    for (auto const& row : rows)
        out += (out.empty() ? "" : ", ") + row;
    return answer_with("[" + out + "]");
}
std::string row(std::string_view kind, int vmid, std::string_view node, std::string_view more) {
    return format(R"({{"id": "{0}/{1}", "type": "{0}", "vmid": {1}, "node": "{2}", {3}}})", kind, vmid, node,
                  more);
}
std::string running(std::string_view name, Bytes memory, Bytes most) {
    return format(R"("name": "{}", "status": "running", "mem": {}, "maxmem": {})", name, memory.count,
                  most.count);
}
std::string status(std::string_view memory) {
    return answer_with(format(R"({{"cpu": 0.1, "memory": {{{}}}}})", memory));
}
std::string status(Bytes total, Bytes used) {
    return status(
        format(R"("total": {}, "used": {}, "free": {})", total.count, used.count, (total - used).count));
}

std::string const media = row("lxc", 102, "pve2", running("media", 3_GiB, 4_GiB));
std::string const own = row("lxc", 101, "pve2", running("hal0", 6_GiB, 8_GiB));
Rows const cluster{
    row("lxc", 100, "pve1", running("elsewhere", 2_GiB, 4_GiB)), own, media,
    row("lxc", 103, "pve2", R"("name": "off", "status": "stopped", "mem": 0, "maxmem": 1073741824)"),
    row("lxc", 900, "pve2", R"("template": 1, "status": "stopped")")};

// Answers by path, each with the next of its answers and then with the last again; keeps what was asked.
struct Peer {
    std::map<std::string, std::vector<Result<std::string>>> answers{};
    std::vector<std::string> asked{};

    Result<std::string> answer(std::string const& path) {
        asked.push_back(path);
        auto& left = answers[path];
        if (left.empty()) return Error{Errc::Unavailable, "nobody answers " + path};
        auto found = left.front();
        if (left.size() > 1) left.erase(left.begin());
        return found;
    }
};
std::string const guests = "/cluster/resources?type=vm";

Result<HostFacts> ask(Peer& peer, Guest::Kind kind = Guest::Kind::Container) {
    Inquiry inquiry{101, kind};
    while (auto const path = inquiry.next()) {
        if (peer.asked.size() > 30) return Error{Errc::Internal, "it never ends"};
        auto const body = peer.answer(*path);
        HAL0_CHECK(body ? inquiry.take(*body) : inquiry.failed(body.error()));
    }
    return inquiry.finish();
}

Peer a_cluster() {
    return {.answers = {{guests, {list(cluster)}}, {"/nodes/pve2/status", {status(125_GiB, 70_GiB)}}}};
}

TEST(Inquiry, TheNodeIsThatOfTheGuestAndNotTheFirst) {
    auto peer = a_cluster();
    auto const facts = ask(peer).value();
    EXPECT_EQ(peer.asked, (Rows{guests, "/nodes/pve2/status", guests}));
    EXPECT_EQ(facts.node, "pve2");
    EXPECT_EQ(facts.total, 125_GiB);
    EXPECT_EQ(facts.available, 55_GiB) << "what isn't used, where nothing else is said";
    EXPECT_EQ(facts.arc, std::nullopt);
    std::vector<std::int64_t> vmids;
    for (auto const& tenant : facts.tenants)
        vmids.push_back(tenant.vmid);
    EXPECT_EQ(vmids, (std::vector<std::int64_t>{101, 102, 103})) << "of this node, those that run first";
    EXPECT_TRUE(facts.tenants.at(0).self);
    EXPECT_EQ(facts.tenants.at(0).name, "hal0");
    EXPECT_EQ(facts.tenants.at(1).memory, 3_GiB);
    EXPECT_EQ(facts.tenants.at(2).running, false);
    EXPECT_EQ(facts.warnings, Rows{});
}

TEST(Inquiry, AGuestThatMovesMeanwhileIsAskedForAnew) {
    auto peer = a_cluster();
    auto const moved = list({row("lxc", 101, "pve3", running("hal0", 5_GiB, 8_GiB))});
    peer.answers[guests] = {list(cluster), moved};
    peer.answers["/nodes/pve3/status"] = {status(64_GiB, 10_GiB)};
    auto facts = ask(peer).value();
    EXPECT_EQ(facts.node, "pve3");
    EXPECT_EQ(facts.total, 64_GiB) << "not the node's that it has left";
    EXPECT_EQ(facts.tenants.size(), 1U);

    peer = a_cluster();  // and the node that it has left is down
    peer.answers[guests] = {list(cluster), moved};
    peer.answers["/nodes/pve2/status"] = {Error{Errc::Unavailable, "595 No route to host"}};
    peer.answers["/nodes/pve3/status"] = {status(64_GiB, 10_GiB)};
    EXPECT_EQ(ask(peer).value().node, "pve3");

    peer = a_cluster();  // it has not left: the node's error stands
    peer.answers["/nodes/pve2/status"] = {Error{Errc::Unavailable, "595 No route to host"}};
    EXPECT_EQ(ask(peer).error().message, "595 No route to host");

    peer = a_cluster();
    peer.answers[guests].clear();
    for (int i = 0; i < 20; ++i)
        peer.answers[guests].push_back(i % 2 == 0 ? list(cluster) : moved);
    peer.answers["/nodes/pve3/status"] = {status(64_GiB, 10_GiB)};
    EXPECT_EQ(ask(peer).error().message, "guest 101 moves from node to node; ask again once it stays");
}

TEST(Inquiry, BalloonsAreThoseOfVmsThatRun) {
    auto peer = a_cluster();
    auto rows = cluster;
    rows.push_back(row("qemu", 200, "pve2", running("win", 7_GiB, 16_GiB) + R"(, "memhost": 12884901888)"));
    rows.push_back(row("qemu", 201, "pve2", running("new", Bytes{}, 2_GiB) + R"(, "memhost": 0)"));
    peer.answers[guests] = {list(rows)};
    std::string const vms = "/nodes/pve2/qemu?full=1";
    peer.answers[vms] = {
        list({R"({"vmid": "200", "balloon": 8589934592, "balloon_min": 4294967296})", R"({"vmid": 201})"})};
    auto const facts = ask(peer).value();
    EXPECT_EQ(facts.tenants.at(0).vmid, 200);
    EXPECT_EQ(facts.tenants.at(0).balloon, 8_GiB);
    EXPECT_EQ(facts.tenants.at(0).balloon_min, 4_GiB);
    EXPECT_EQ(facts.tenants.at(0).memory_on_node, 12_GiB);
    auto const fresh = facts.tenants.at(3);
    EXPECT_EQ(fresh.vmid, 201);
    EXPECT_EQ(fresh.memory, std::nullopt) << "what runs holds something: 0 is not measured yet";
    EXPECT_EQ(fresh.memory_on_node, std::nullopt);

    peer.answers[vms] = {Error{Errc::Timeout, "it doesn't answer in time"}};
    auto const without = ask(peer).value();
    EXPECT_EQ(without.tenants.at(0).balloon, std::nullopt);
    EXPECT_EQ(without.warnings, (Rows{"the VMs' balloons are not known: it doesn't answer in time"}));
}

TEST(Inquiry, WhatItIsToldIsHeldAgainstWhatItIs) {
    auto const error_of = [](Rows const& rows, Guest::Kind kind = Guest::Kind::Container) {
        Peer peer{.answers = {{guests, {list(rows)}}}};
        auto const facts = ask(peer, kind);
        return facts ? "" : format("{}: {}", errc_name(facts.error().kind), facts.error().message);
    };
    EXPECT_EQ(error_of({}),
              "forbidden: Proxmox shows this token no guest at all: it lacks the role PVEAuditor on '/'");
    EXPECT_EQ(error_of({media}),
              "not_found: Proxmox shows this token 1 guests, and none is 101: either 'vmid' is "
              "wrong, or the token lacks the role PVEAuditor on '/'");
    EXPECT_EQ(error_of(cluster, Guest::Kind::Machine),
              "conflict: guest 101 is a container in Proxmox, and this is a VM: mend 'vmid'");
    EXPECT_EQ(error_of({row("lxc", 101, "pve2", R"("status": "stopped")")}),
              "conflict: guest 101 is stopped in Proxmox, so it isn't this one: mend 'vmid'");
    // A name of a node that would lead elsewhere is none.
    for (auto const* const node : {"../../access", "a/b", "a?b", "", ".."})
        EXPECT_TRUE(error_of({row("lxc", 101, node, R"("status": "running")")}).starts_with("forbidden"))
            << node;
}

TEST(Inquiry, LiesAreUnknownAndAWarning) {
    auto peer = a_cluster();
    peer.answers["/nodes/pve2/status"] = {
        status(R"("total": "134217728000", "used": 134217728001, "free": -5, "arcsize": "much")")};
    auto rows = cluster;
    rows.push_back(row("lxc", 104, "pve2", R"("status": "running", "mem": -1, "maxmem": 1e300)"));
    rows.push_back(row("lxc", 105, "pve2", R"("status": "running", "mem": 134217728001, "name": 7)"));
    rows.push_back(
        R"({"type": "lxc", "vmid": "106", "node": "pve2", "status": "unknown", "name": "a\u001b[2Jb"})");
    rows.insert(rows.end(),
                {"7", "null", R"({"type": "node", "node": "pve2"})", R"({"type": "lxc", "vmid": -1})"});
    peer.answers[guests] = {list(rows)};
    auto const facts = ask(peer).value();
    EXPECT_EQ(facts.total, Bytes{134217728000}) << "a number that Perl wrote as a string is one";
    EXPECT_EQ(facts.used, std::nullopt);
    EXPECT_EQ(facts.available, std::nullopt);
    EXPECT_EQ(facts.arc, std::nullopt);
    std::map<std::int64_t, wire::TenantView> tenants;
    for (auto const& tenant : facts.tenants)
        tenants[tenant.vmid] = tenant;
    EXPECT_EQ(tenants.size(), 6U);
    EXPECT_EQ(tenants[104].memory, std::nullopt);
    EXPECT_EQ(tenants[104].memory_max, std::nullopt);
    EXPECT_EQ(tenants[105].memory, std::nullopt);
    EXPECT_EQ(tenants[105].name, std::nullopt);
    EXPECT_EQ(tenants[106].running, std::nullopt);
    EXPECT_EQ(tenants[106].name, "a[2Jb");
    EXPECT_EQ(facts.warnings, (Rows{"Proxmox says of the node 125 GiB of memory that is used, of 125 GiB",
                                    "Proxmox says of the node a 'arcsize' that can't be",
                                    "Proxmox says of guest 104 a 'maxmem' that can't be",
                                    "Proxmox says of guest 104 a 'mem' that can't be",
                                    "Proxmox says that guest 105 uses more than the node has"}));
}

TEST(Inquiry, WhatIsNoAnswerOfProxmoxsIsCorrupt) {
    for (auto const* const body : {"", "<html>", "{}", R"({"data": null})", R"({"data": {}})", "[[[["}) {
        auto peer = a_cluster();
        peer.answers[guests] = {std::string{body}};
        EXPECT_EQ(ask(peer).error().kind, Errc::Corrupt) << body;
    }
    for (auto const* const body : {"7", "{}", R"({"data": null})", R"({"data": {"memory": null}})"}) {
        auto peer = a_cluster();
        peer.answers["/nodes/pve2/status"] = {std::string{body}};
        auto const facts = ask(peer);
        if (facts)
            EXPECT_EQ(facts->total, std::nullopt) << body;
        else
            EXPECT_EQ(facts.error().kind, Errc::Corrupt) << body;
    }
}

TEST(HostFacts, ComeBackAsTheyWereWrittenAndSoDoesAnError) {
    auto peer = a_cluster();
    auto const facts = ask(peer).value();
    EXPECT_EQ(decode_answer(wire::encode(facts) + "\n").value(), facts);
    EXPECT_EQ(decode_answer(R"({"error": "forbidden", "message": "no"})"
                            "\n")
                  .error(),
              (Error{Errc::Forbidden, "no"}));
    EXPECT_EQ(decode_answer("").error().kind, Errc::Unavailable);
    EXPECT_FALSE(decode_answer("Segmentation fault").ok());
    EXPECT_FALSE(decode_answer("7").ok());
}

TEST(HostView, SumsUpToWhatIsUsed) {
    auto peer = a_cluster();
    peer.answers["/nodes/pve2/status"] = {status(
        R"("total": 137438953472, "used": 107374182400, "available": 27917287424, "arcsize": 17179869184)")};
    auto facts = ask(peer).value();
    auto view = host_view(facts, 47_GiB);
    EXPECT_EQ(view.free, 26_GiB) << "what the node says is available";
    EXPECT_EQ(view.tenants_use, 9_GiB) << "those that run";
    EXPECT_EQ(view.arc, 16_GiB);
    EXPECT_EQ(view.unexplained, 28_GiB);
    EXPECT_EQ(*view.tenants_use + *view.gpu_pages + *view.arc + *view.unexplained, *view.used);
    EXPECT_EQ(view.notes, Rows{});

    facts.tenants.at(1).memory.reset();
    view = host_view(facts, 47_GiB);
    EXPECT_EQ(view.tenants_use, std::nullopt) << "a sum with one that isn't known isn't known";
    EXPECT_EQ(view.unexplained, std::nullopt);
}

TEST(HostView, AVmCountsWithWhatItTakesOfTheNode) {
    HostFacts facts{.used = 20_GiB,
                    .tenants = {{.vmid = 200, .kind = "qemu", .running = true, .memory = 3_GiB}}};
    auto view = host_view(facts, std::nullopt);
    EXPECT_EQ(view.tenants_use, 3_GiB);
    EXPECT_EQ(view.notes.size(), 1U) << "its own count is all there is, and that is said";
    facts.tenants.at(0).memory_on_node = 8_GiB;
    view = host_view(facts, std::nullopt);
    EXPECT_EQ(view.tenants_use, 8_GiB);
    EXPECT_EQ(view.unexplained, 12_GiB);
    EXPECT_EQ(view.notes, Rows{});
}

}  // namespace
}  // namespace hal0::proxmox
