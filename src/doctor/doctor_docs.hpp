#pragma once
// docs/doctor.md, from the table of rules.
#include <string>

namespace hal0::doctor {

std::string render_doctor_docs();

}  // namespace hal0::doctor
