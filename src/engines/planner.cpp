#include "engines/planner.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::engines {
namespace {

constexpr std::size_t contexts_max = 64;

// What stands for the files' content: as long as none of this changes, it is the same.
Result<std::string> identity_of(PlannedModel const& model) {
    std::string text;
    for (auto const& file : model.files) {
        HAL0_TRY(found, os::status(file.path));
        if (found.kind != os::FileKind::Regular)
            return Error{Errc::Invalid, format("{} is not a file", file.path)};
        text += format("{} {} {} {} {}\n", found.device, found.inode, found.size.count, found.modified_ns,
                       file.size_of_whole.value_or(found.size).count);
    }
    return text;
}

// Names a model and an engine, in one line.
std::string subject_of(InstalledEngine const& engine, std::string_view digest) {
    return format("{} {}-{} {}", engine.id, engine.version, engine.key, digest);
}

}  // namespace

Result<Plan> Planner::plan(PlannedModel const& model, PlanRequest const& request) {
    HAL0_TRY(plans, plan(model, request, {request.context}));
    return std::move(plans.front());
}

Result<std::vector<Plan>> Planner::plan(PlannedModel const& model, PlanRequest const& request,
                                        std::vector<Tokens> const& contexts) {
    bool const possible = std::all_of(contexts.begin(), contexts.end(), [](Tokens context) {
        return context.count > 0 && context.count <= std::int64_t{UINT32_MAX};
    });
    if (model.files.empty()) return Error{Errc::Invalid, "a plan needs a model's file"};
    if (!possible || contexts.empty() || contexts.size() > contexts_max)
        return Error{Errc::Invalid, format("a plan is made for 1 to {} contexts of 1 to {} tokens",
                                           contexts_max, UINT32_MAX)};
    HAL0_TRY(identity, identity_of(model));
    auto digest = model.header_digest.empty() ? os::sha256_hex(identity) : model.header_digest;
    if (model.projector) digest += " projector";
    auto const subject = subject_of(engine_, digest);
    auto const settings = settings_line(request);
    if (auto known = cache_.find(subject, settings, contexts)) return std::move(*known);
    auto const opening = identity + (model.projector ? "projector" : "");
    if (opened_ != opening) close();
    opened_ = opening;
    std::vector<Plan> plans;
    for (auto const context : contexts) {
        auto plan = ask(model, request, context);
        if (!plan) {
            // After anything but a refusal the process has ended, or can't be trusted with the next question.
            if (plan.error().kind != Errc::Unsupported) close();
            return in_context(format("planning {}", model.files.front().path), std::move(plan).error());
        }
        plans.push_back(std::move(plan).value());
    }
    // A full disk makes the next plan slow, not this one wrong.
    (void)cache_.add(subject, settings, contexts, plans);
    return plans;
}

Result<Plan> Planner::ask(PlannedModel const& model, PlanRequest const& request, Tokens context) {
    HAL0_CHECK(open(model));
    HAL0_CHECK(process_->say(question(request, context)));
    HAL0_TRY(line, process_->hear(longest_));
    return decode_answer(line);
}

Result<void> Planner::open(PlannedModel const& model) {
    if (process_) return {};
    auto const& programs = engine_.programs;
    if (std::find(programs.begin(), programs.end(), program) == programs.end()) {
        return Error{Errc::Unsupported,
                     format("{} {} was installed without its planner; install it anew with "
                            "'hal0 engine install {}'",
                            engine_.id, engine_.version, engine_.id)};
    }
    std::vector<std::string> argv{engine_.program(program)};
    if (model.projector) argv.emplace_back("--projector");
    for (auto const& file : model.files) {
        if (file.size_of_whole) argv.insert(argv.end(), {"--size", format("{}", file.size_of_whole->count)});
        argv.push_back(file.path);
    }
    // No debugger is started when the engine gives up.
    HAL0_TRY(process, os::Dialogue::start({.argv = std::move(argv),
                                           .environment = os::environment_with({"GGML_NO_BACKTRACE=1"})}));
    process_ = std::move(process);
    return {};
}

void Planner::close() {
    process_.reset();
    opened_.clear();
}

}  // namespace hal0::engines
