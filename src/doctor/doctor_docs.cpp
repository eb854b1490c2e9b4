#include "doctor/doctor_docs.hpp"

#include "base/format.hpp"
#include "doctor/rules.hpp"

namespace hal0::doctor {
namespace {

constexpr std::string_view opening = R"(# What `hal0 doctor` finds

<!-- Made by `build/dev/bin/hal0-doctor-docs` from src/doctor: don't edit it here. -->

`hal0 doctor` looks at the box, says what should be mended, most urgent first, and how: the commands of this
distribution (Debian and Ubuntu, Fedora, Arch and what is made of them), and in a container which of them belong on the
host. It mends nothing itself, needs no daemon and no root, and takes a tenth of a second. It ends with 1 where there
is an error, else with 0; `--json` gives the findings as an array. `--root DIR` examines a
[recorded box](../tests/boxes/README.md).

- `error`: something that hal0 is for doesn't work.
- `warning`: it works, and worse than this box can.
- `info`: worth knowing; nothing has to be done.

What isn't known gives no finding: a file that can't be read is not held against the box.

Each finding names its source. "hal0's page on Strix Halo" is not in this repository: what a finding takes from it stands
in the finding.

)";

std::string finding_body() {
    auto const doc = wire::describe<Finding>();
    auto out = format("## The JSON of a finding\n\n| member | type | what it is |\n|---|---|---|\n");
    for (auto const& field : doc.fields)
        out += format("| `{}` | {} | {} |\n", field.name, field.type, field.meaning);
    return out + "\n";
}

}  // namespace

std::string render_doctor_docs() {
    auto out =
        std::string{opening} + finding_body() + "## Findings, in the order in which they should be mended\n";
    for (auto const& rule : rules()) {
        out += format("\n### {}\n\n{}: {}\n\n", rule.id, rule.headline, rule.why);
        out += format("- Seen: {}.\n- Do: {}\n- Source: {}.\n", rule.seen, rule.remedy, rule.reference);
    }
    return out;
}

}  // namespace hal0::doctor
