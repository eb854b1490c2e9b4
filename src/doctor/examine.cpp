#include "doctor/examine.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"

namespace hal0::doctor {
namespace {

Finding finding_of(Rule const& rule, Symptom symptom) {
    auto const or_rules = [](std::string& text, std::string_view otherwise) {
        return text.empty() ? std::string{otherwise} : std::move(text);
    };
    return {.id = std::string{rule.id},
            .severity = std::string{to_string(symptom.severity)},
            .headline = or_rules(symptom.headline, rule.headline),
            .evidence = std::move(symptom.evidence),
            .why = or_rules(symptom.why, rule.why),
            .fix = std::move(symptom.fix),
            .reference = std::string{rule.reference}};
}

// The last of several steps' reboots is enough: who pastes all lines never gets past the first.
void reboot_once(Lines& lines) {
    bool reboots = false;
    for (auto i = lines.size(); i-- > 0;) {
        if (lines[i] != "sudo reboot") continue;
        if (std::exchange(reboots, true)) lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

}  // namespace

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::Error: return "error";
        case Severity::Warning: return "warning";
        case Severity::Info: return "info";
    }
    return "info";
}

std::vector<Finding> examine(Facts const& facts) {
    struct Ranked {
        Severity severity;
        Finding finding;
    };
    std::vector<Ranked> found;
    for (auto const& rule : rules()) {
        for (auto& symptom : rule.look(facts)) {
            auto const severity = symptom.severity;
            reboot_once(symptom.fix);
            if (facts.report.platform.proxmox_host) symptom.fix = without_sudo(std::move(symptom.fix));
            found.push_back({severity, finding_of(rule, std::move(symptom))});
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](Ranked const& a, Ranked const& b) { return a.severity < b.severity; });
    std::vector<Finding> findings;
    findings.reserve(found.size());
    for (auto& ranked : found)
        findings.push_back(std::move(ranked.finding));
    return findings;
}

bool has_error(std::vector<Finding> const& findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [](Finding const& finding) { return finding.severity == to_string(Severity::Error); });
}

std::string shown(std::vector<Finding> const& findings) {
    auto const matters = [](Finding const& finding) { return finding.severity != to_string(Severity::Info); };
    std::string out;
    if (std::none_of(findings.begin(), findings.end(), matters))
        out = findings.empty() ? "nothing to mend\n" : "nothing must be mended; worth knowing:\n";
    for (auto const& finding : findings) {
        out += format("{}: {} ({})\n", finding.severity, finding.headline, finding.id);
        out += format("    seen:  {}\n", finding.evidence);
        out += format("    why:   {}\n", finding.why);
        for (auto const& line : finding.fix)
            out += format("    {:<7}{}\n", &line == &finding.fix.front() ? "fix:" : "", line);
    }
    return out;
}

}  // namespace hal0::doctor
