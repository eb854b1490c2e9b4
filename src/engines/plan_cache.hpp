#pragma once
// Plans that were made, on disk: the same model, engine and settings give the same bytes, and an engine takes
// a fifth of a second to say so. One small file for each model and engine; what can't be read is not there.
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engines/planner_protocol.hpp"

namespace hal0::engines {

class PlanCache {
  public:
    static constexpr std::size_t files_max = 200;
    static constexpr std::size_t plans_per_file_max = 200;

    // `directory`: cache/plans.
    explicit PlanCache(std::string directory) : directory_{std::move(directory)} {}

    // `subject` names model and engine; `settings` is a settings_line(). Nothing unless there is a plan for
    // every context.
    [[nodiscard]] std::optional<std::vector<Plan>> find(std::string const& subject,
                                                        std::string const& settings,
                                                        std::vector<Tokens> const& contexts) const;
    // Newest first; the oldest of the file, and the files longest not added to, give way. The plans are those
    // of `contexts`, in that order.
    Result<void> add(std::string const& subject, std::string const& settings,
                     std::vector<Tokens> const& contexts, std::vector<Plan> const& plans) const;

  private:
    [[nodiscard]] std::string path_of(std::string const& subject) const;
    void drop_oldest() const;

    std::string directory_;
};

}  // namespace hal0::engines
