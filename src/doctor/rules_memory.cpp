// How much of the memory the GPU may take: the cap on its pages (GTT), the carve-out, and who holds them.
#include <algorithm>
#include <array>

#include "base/format.hpp"
#include "base/text.hpp"
#include "doctor/gtt.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/subjects.hpp"

namespace hal0::doctor {
namespace {

using hardware::ModuleOption;

constexpr Bytes page_of_ttm = 4_KiB;
constexpr Bytes unattributed_least = 1_GiB;  // less is noise: pages on their way from one hand to another
constexpr std::string_view pages_why =
    "GPU pages come out of the system's memory. Past half of it TTM's maintainer calls the system unstable "
    "when the "
    "memory is really full, for making room takes memory too: keep what hal0 reserves free.";

std::string pages_setting(Facts const& facts, Bytes cap) {
    auto const pages = pages_of(cap);
    return format("{0}.pages_limit={1} {0}.page_pool_size={1}", facts.conditions.ttm_module, pages);
}

// Every way in which the cap may have been set: a new one must not stand beside an old one.
Lines settings_of_cap(Facts const& facts) {
    return {facts.conditions.ttm_module + ".pages_limit", facts.conditions.ttm_module + ".page_pool_size",
            "amdgpu.gttsize", "amdgpu.gtt_size"};
}

bool sets_cap(ModuleOption const& option) {
    auto const& line = option.line;
    return line.starts_with("options") &&
           (line.find("pages_limit=") != std::string::npos || line.find("gttsize=") != std::string::npos ||
            line.find("gtt_size=") != std::string::npos);
}

// Of a container's own files the kernel reads none, and the host's names aren't known here.
Lines without_module_options(Facts const& facts) {
    Remedies const remedies{facts};
    Lines lines;
    for (auto const& option : facts.conditions.module_options) {
        if (sets_cap(option))
            lines.push_back(
                format(R"(sudo sed -i -E 's/\s+(pages_limit|page_pool_size|gttsize|gtt_size)=[0-9-]+//g' {})",
                       remedies.in_container() ? "/etc/modprobe.d/*.conf" : option.file));
    }
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    if (lines.empty()) return lines;
    for (auto& line : remedies.rebuild_initramfs())
        lines.push_back(std::move(line));
    return remedies.on_host(std::move(lines));
}

// Where both belong on a container's host, that is said once.
Lines with_kernel_parameters(Facts const& facts, std::string const& parameters) {
    auto lines = without_module_options(facts);
    auto more = Remedies{facts}.kernel_parameters(parameters, settings_of_cap(facts));
    if (!lines.empty() && !more.empty() && lines.front() == more.front()) more.erase(more.begin());
    for (auto& line : more)
        lines.push_back(std::move(line));
    return lines;
}

Lines set_cap(Facts const& facts, Bytes cap) {
    return with_kernel_parameters(facts, pages_setting(facts, cap));
}

Lines set_advised_cap(Facts const& facts) {
    auto const box = gtt_box(facts);
    return box ? set_cap(facts, advised_cap(box->visible)) : with_kernel_parameters(facts, "");
}

std::optional<Bytes> ttm_cap_of(Facts const& facts) {
    auto const pages = facts.report.software.ttm_pages_limit;
    constexpr std::int64_t pages_max = std::int64_t{1} << 48;
    if (!pages || *pages <= 0 || *pages > pages_max) return std::nullopt;
    return Bytes{*pages * page_of_ttm.count};
}

Symptoms look_over_ram(Facts const& facts) {
    auto const box = gtt_box(facts);
    if (!box) return {};
    auto const cap = std::max(box->gpu.gtt_total.value_or(Bytes{}), ttm_cap_of(facts).value_or(Bytes{}));
    if (cap <= box->visible) return {};
    return {{.severity = Severity::Error,
             .evidence = format("the cap is {}, and Linux has {} beside a carve-out of {}", human(cap),
                                human(box->visible), human(box->carve_out)),
             .fix = set_cap(facts, advised_cap(box->visible))}};
}

// "ttm.page_limit", "amdgpu.gtt_size": the kernel says that it ignores them, and starts.
std::optional<std::string> misspelt(std::string_view module, std::string_view name) {
    std::string word{name};
    std::replace(word.begin(), word.end(), '-', '_');
    constexpr std::array<std::string_view, 3> of_ttm{"pages_limit", "page_pool_size", "dma32_pages_limit"};
    bool const is_ttm = module == "ttm" || module == "amdttm";
    bool const wrong = is_ttm ? std::find(of_ttm.begin(), of_ttm.end(), word) == of_ttm.end()
                              : module == "amdgpu" && (word == "gtt_size" || word == "gtt");
    return wrong ? std::optional{format("{}.{}", module, name)} : std::nullopt;
}

Lines misspelt_parameters(Facts const& facts) {
    Lines found;
    auto const add = [&found](std::string_view module, std::string_view setting) {
        if (auto name = misspelt(module, setting.substr(0, setting.find('='))))
            found.push_back(std::move(*name));
    };
    for (std::string_view const parameter : facts.report.software.kernel_parameters) {
        auto const dot = parameter.find('.');
        if (dot < parameter.find('=')) add(parameter.substr(0, dot), parameter.substr(dot + 1));
    }
    for (auto const& option : facts.conditions.module_options) {
        auto const words = split(option.line, ' ');
        for (std::size_t i = 2; i < words.size() && words[0] == "options"; ++i)
            add(words[1], words[i]);
    }
    return found;
}

Symptoms look_misspelt(Facts const& facts) {
    auto const names = misspelt_parameters(facts);
    if (names.empty()) return {};
    return {{.severity = Severity::Warning,
             .evidence = format("{} {} no parameter of any driver", join(names, ", "),
                                names.size() == 1 ? "is" : "are"),
             .fix = set_advised_cap(facts)}};
}

// What amdgpu.gttsize says, where it says anything.
std::optional<Bytes> gttsize_of(Facts const& facts) {
    auto const mib = facts.report.software.amdgpu_gttsize_mib;
    constexpr std::int64_t mib_max = std::int64_t{1} << 40;
    if (!mib || *mib <= 0 || *mib > mib_max) return std::nullopt;
    return Bytes{*mib << 20};
}

Symptoms look_sizes_differ(Facts const& facts) {
    auto const gttsize = gttsize_of(facts);
    auto const ttm = ttm_cap_of(facts);
    if (!gttsize || !ttm || *gttsize == *ttm) return {};
    return {
        {.severity = Severity::Warning,
         .evidence = format("amdgpu.gttsize is {} MiB ({}), ttm.pages_limit {} pages ({}): the lesser counts",
                            gttsize->count >> 20, human(*gttsize), pages_of(*ttm), human(*ttm)),
         .fix = set_advised_cap(facts)}};
}

Symptoms look_gttsize(Facts const& facts) {
    auto const gttsize = gttsize_of(facts);
    auto const box = gtt_box(facts);
    bool const too_large = gttsize && box && *gttsize > box->visible;  // told as such, with a cap that fits
    if (!gttsize || too_large || !look_sizes_differ(facts).empty()) return {};
    return {{.severity = Severity::Info,
             .evidence = format("amdgpu.gttsize is {} MiB", gttsize->count >> 20),
             .fix = set_cap(facts, *gttsize)}};
}

// What was asked for, where it can be read: the command line goes before modprobe's configuration.
struct Asked {
    std::int64_t pages{0};
    std::string where{};
    bool is_option{false};
};
std::optional<Asked> asked_for(Facts const& facts) {
    auto const& module = facts.conditions.ttm_module;
    if (auto const value = kernel_parameter(facts, module + ".pages_limit")) {
        auto const pages = to_int(*value);
        return pages ? std::optional{Asked{*pages, "the kernel's command line"}} : std::nullopt;
    }
    for (auto const& option : facts.conditions.module_options) {
        auto const words = split(option.line, ' ');
        constexpr std::string_view key = "pages_limit=";
        for (auto const word : words) {
            auto const pages = word.starts_with(key) ? to_int(word.substr(key.size())) : std::nullopt;
            if (pages && words[1] == module) return Asked{*pages, option.file, true};
        }
    }
    return std::nullopt;
}

Symptoms look_not_in_force(Facts const& facts) {
    auto const asked = asked_for(facts);
    auto const ttm = ttm_cap_of(facts);
    if (!asked || !ttm || asked->pages == pages_of(*ttm)) return {};
    Remedies const remedies{facts};
    auto fix = asked->is_option ? remedies.rebuild_initramfs() : Lines{};
    fix.emplace_back("sudo reboot");
    return {{.severity = Severity::Warning,
             .evidence = format("{} says pages_limit={}, the module has {}", asked->where, asked->pages,
                                pages_of(*ttm)),
             .fix = remedies.on_host(std::move(fix))}};
}

// Whether a quarter or more of what the GPU could reach is out of its reach.
bool is_low(GttBox const& box) {
    auto const reach = box.carve_out + box.cap;
    auto const possible = box.carve_out + advised_cap(box.visible);
    return reach.count < possible.count / 4 * 3;
}

// What is asked for already comes with the next boot: gtt-not-in-force says how.
bool is_on_its_way(Facts const& facts, GttBox const& box, Bytes cap) {
    auto const asked = asked_for(facts);
    bool const enough = asked && asked->pages >= pages_of(cap) && asked->pages <= pages_of(box.visible);
    return enough && !look_not_in_force(facts).empty();
}

Symptoms look_cap_low(Facts const& facts) {
    auto const box = gtt_box(facts);
    if (!box || !is_low(*box)) return {};
    auto const advised = advised_cap(box->visible);
    if (is_on_its_way(facts, *box, advised)) return {};
    return {
        {.severity = Severity::Warning,
         .headline = format("the GPU may take {} of the system's memory; {} can be had", human(box->cap),
                            human(advised)),
         .evidence = format("{}: carve-out {} and a cap of {} reach {}, on a box where Linux sees {}",
                            shown(box->gpu), human(box->carve_out), human(box->cap),
                            human(box->carve_out + box->cap), human(box->visible)),
         .why = format(
             "Linux caps GPU pages at half of what it sees. A cap of {} leaves {} for everything else. {}",
             human(advised), human(box->visible - advised), pages_why),
         .fix = set_cap(facts, advised)}};
}

Symptoms look_over_half(Facts const& facts) {
    auto const box = gtt_box(facts);
    if (!box || box->cap > box->visible || box->cap.count / 51 * 100 <= box->visible.count) return {};
    auto const left = box->visible - box->cap;
    bool const enough = left >= reserve_of(box->visible);
    auto const advised = advised_cap(box->visible);
    return {
        {.severity = enough ? Severity::Info : Severity::Warning,
         .evidence = format("a cap of {} leaves {} of {}", human(box->cap), human(left), human(box->visible)),
         .fix = enough ? Lines{"# nothing, while what is left is enough for all else that runs here"}
                       : set_cap(facts, advised)}};
}

// What a carve-out would make of this box.
std::string with_carve_out(GttBox const& box, Bytes carve_out) {
    auto const visible = box.visible + box.carve_out - carve_out;
    auto const cap = advised_cap(visible);
    return format("Linux sees {}, and with a cap of {} (pages_limit={}) the GPU reaches {}", human(visible),
                  human(cap), pages_of(cap), human(carve_out + cap));
}

Symptoms look_carve_out(Facts const& facts) {
    auto const box = gtt_box(facts);
    constexpr Bytes large = 16_GiB;
    if (!box || !is_halo(box->gpu) || (box->carve_out < large && !is_low(*box))) return {};
    auto const all = box->visible + box->carve_out;
    Lines fix{format("# the default, 512 MB in the BIOS: {}", with_carve_out(*box, 512_MiB))};
    if (all > 48_GiB)  // else Linux would have less than it needs
        fix.push_back(
            format("# hal0's page, 32 GB for all but 70B models: {}", with_carve_out(*box, 32_GiB)));
    if (all > 112_GiB)
        fix.push_back(format("# hal0's page, 96 GB for 70B models: {}", with_carve_out(*box, 96_GiB)));
    fix.emplace_back("# whichever: first the BIOS, then the cap that stands beside it, then: hal0 probe");
    return {{.severity = Severity::Info,
             .evidence = format("the firmware sets {} aside for the GPU, and Linux sees {}",
                                human(box->carve_out), human(box->visible)),
             .fix = std::move(fix)}};
}

// Of a container others than its own may hold them; of a user, the processes of other users.
Symptoms look_unattributed(Facts const& facts) {
    auto const lost = facts.gtt_unattributed.value_or(Facts::Unattributed{});
    if (lost.bytes < unattributed_least) return {};
    if (facts.report.platform.container)
        return {{.severity = Severity::Warning,
                 .evidence = format("{} of GPU pages are in use, and no process in this container holds them",
                                    human(lost.bytes)),
                 .why = "Somebody outside of this container holds them, or the driver has lost them: models "
                        "can't have that memory.",
                 .fix = {"# on the host: look for other guests that use the GPU, before a reboot"}}};
    if (!lost.all_seen)
        return {{.severity = Severity::Info,
                 .headline = "who holds GPU memory can't be seen by this user",
                 .evidence = format("{} of GPU pages are in use by processes of other users, as a service's "
                                    "are, or by nobody",
                                    human(lost.bytes)),
                 .why = "Only root sees what processes of others hold.",
                 .fix = {"sudo hal0 doctor  # tells whether somebody holds it"}}};
    return {{.severity = Severity::Warning,
             .evidence = format("{} of GPU pages are in use, and no process holds them", human(lost.bytes)),
             .fix = {"sudo reboot"}}};
}

std::vector<Rule> cap_rules() {
    return {
        {.id = "gtt-cap-over-ram",
         .headline = "the GPU may take more memory than there is",
         .why = "A cap that was made for another carve-out. What trusts it fills the memory until the kernel "
                "kills "
                "processes; tools that add it to the carve-out show twice what the box has.",
         .seen = "pages_limit, or GTT's size, is more than MemTotal",
         .remedy = "Set the cap that fits, as it is computed for the box.",
         .reference =
             "amd-gfx, on ttm.pages_limit after a change of the carve-out; GpuZelenograd/memtest_vulkan#66",
         .look = look_over_ram},
        {.id = "gtt-parameter-unknown",
         .headline = "a parameter for the GPU's memory is misspelt",
         .why =
             "The kernel ignores it (\"unknown parameter 'gtt_size' ignored\"), and the default cap holds.",
         .seen = "amdgpu.gtt_size, or ttm.NAME that ttm doesn't have, on the kernel's command line or in "
                 "modprobe's "
                 "configuration",
         .remedy = "It is ttm.pages_limit, in pages of 4 KiB: GiB x 262144.",
         .reference = "ROCm/legacy-rocm-build#5595",
         .look = look_misspelt},
        {.id = "gtt-sizes-differ",
         .headline = "amdgpu.gttsize and ttm.pages_limit say different sizes",
         .why =
             "One counts MiB, the other pages of 4 KiB; what is over the lesser fails when it is asked for.",
         .seen = "both are set, and gttsize x 256 isn't pages_limit",
         .remedy = "Drop gttsize, which is deprecated, and set pages_limit alone.",
         .reference = "rootpages#1191; amdgpu_ttm_init(): \"this is unusual\"",
         .look = look_sizes_differ},
        {.id = "gttsize-deprecated",
         .headline = "amdgpu.gttsize is deprecated",
         .why = "A coming kernel will ignore it.",
         .seen = "/sys/module/amdgpu/parameters/gttsize isn't -1",
         .remedy = "Say the same by ttm.pages_limit.",
         .reference = "amdgpu_ttm_init(): \"Configuring gttsize via module parameter is deprecated\"; "
                      "ROCm/legacy-rocm-build#5595",
         .look = look_gttsize},
        {.id = "gtt-not-in-force",
         .headline = "the cap that was asked for isn't in force",
         .why = "The module was loaded without it: from an initial RAM disk that is older, or before the "
                "change.",
         .seen = "pages_limit of the command line, or of /etc/modprobe.d, isn't the module's own",
         .remedy = "Make the initial RAM disk anew, and start again.",
         .reference = "modprobe.d(5); ttm_tt_mgr_init() reads it once",
         .look = look_not_in_force},
        {.id = "gtt-cap-low",
         .headline = "the GPU may take too little of the system's memory",
         .why = "Linux caps GPU pages at half of what it sees.",
         .seen = "carve-out and cap together are under three quarters of what they could be: all of MemTotal "
                 "but a "
                 "reserve (an eighth, 8 to 16 GiB), in steps of 4 GiB but never under half of it, and the "
                 "carve-out",
         .remedy = "ttm.pages_limit and ttm.page_pool_size, as computed for the box (GiB x 262144).",
         .reference = "ttm_global_init(): half of RAM; noamsto/nix-amd-ai#42; ggml-org/llama.cpp#20472",
         .look = look_cap_low},
        {.id = "gtt-cap-over-half",
         .headline = "the GPU may take more than half of the memory",
         .why = pages_why,
         .seen = "the cap is over half of MemTotal. A warning where it leaves less than the reserve",
         .remedy = "Nothing, or a lower cap.",
         .reference = "TTM's maintainer on amd-gfx: \"the system starts to become unstable\"",
         .look = look_over_half}};
}

}  // namespace

std::vector<Rule> memory_rules() {
    auto all = cap_rules();
    all.push_back(
        {.id = "carve-out",
         .headline = "how the memory is shared out, and what else could be",
         .why = "A carve-out is the GPU's alone, also while it is idle; a cap gives and takes. So hal0's "
                "default is the smallest carve-out and a high cap. A large carve-out fragments less: take it "
                "where slots grow slower to start after many loads, and a restart of the slot doesn't help.",
         .seen = "Strix Halo with a carve-out of 16 GiB or more, or whose cap is low",
         .remedy = "Choose in the BIOS, then set the cap that stands beside the choice.",
         .reference =
             "hal0's page on Strix Halo (32 and 96 GB); halogen-flash-server#46, #95; noamsto/nix-amd-ai#42",
         .look = look_carve_out});
    all.push_back(
        {.id = "gtt-held-by-nobody",
         .headline = "GPU memory is held by nobody",
         .why = "The driver has lost it, mostly to a process that was killed: only a reboot gives it back.",
         .seen = "what GTT has in use, less what all processes hold by their fdinfo, is over 1 GiB",
         .remedy = "Ask as root, who sees every process; then reboot.",
         .reference = "halogen-flash-server#79, #85; ROCm/rocm-libraries#1132",
         .look = look_unattributed});
    return all;
}

}  // namespace hal0::doctor
