#pragma once
// What the groups that start jobs share.
#include <string>
#include <string_view>

#include "api/admin.hpp"

namespace hal0::api {

inline constexpr std::string_view job_status = "202, or 200 when there is nothing to do";

struct JobWanted {
    std::string_view kind{};  // of jobs/jobs.hpp
    std::string subject{};
};
// Answers with the job; where there is nothing to do, with one that is done and has no id.
void start_job(Admin& admin, AdminCall const& call, JobWanted const& wanted, Result<House::Need> const& need);

}  // namespace hal0::api
