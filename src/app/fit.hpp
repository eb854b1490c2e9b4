#pragma once
// What a model would take, and whether this box has it: for `hal0 fit` and for GET /api/fit.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/box.hpp"
#include "app/library.hpp"
#include "app/measured_store.hpp"
#include "app/sizing.hpp"
#include "base/no_copy.hpp"
#include "base/time.hpp"
#include "os/places.hpp"
#include "wire/fit_views.hpp"

namespace hal0::app {

wire::FitVerdict view_of(memory::Judgement const& judgement, memory::Target const& target);

// One model on one device, held open with the engine's planner: the next question about it, with other
// settings, is answered in milliseconds. Blocks; by one thread at a time.
class Fit final : NoCopy {
  public:
    // `library` outlives it; `patience` is with the engine's planner, for one answer. Invalid for settings
    // that can't be; NotFound, naming what is near, for a model, device or engine that isn't there.
    static Result<std::unique_ptr<Fit>> open(wire::FitQuestion const& question, os::Places const& places,
                                             Library const& library, hardware::HardwareReport const& report,
                                             Duration patience = std::chrono::seconds{60});
    // Whether `question` differs in its settings alone, on the box as it is told now.
    [[nodiscard]] bool holds(wire::FitQuestion const& question, hardware::HardwareReport const& report) const;
    Result<wire::FitView> answer(wire::FitQuestion const& question, Box const& box);

  private:
    // What loads took, of this model and of all.
    struct Measured {
        MeasuredStore store;
        models::ModelStore const& models;
    };
    Fit(wire::FitQuestion question, Subject subject, Extras extras, SizingPlace place, Measured measured)
        : question_{std::move(question)},
          subject_{std::move(subject)},
          extras_{std::move(extras)},
          place_{std::move(place)},
          measured_{std::move(measured)},
          sizing_{subject_, place_, extras_} {}
    [[nodiscard]] Experience experience(Box const& box) const;
    // The largest context is a search: while somebody moves a slider, it isn't made anew for each step.
    struct Largest {
        SizingSettings settings{};  // but for the context
        std::vector<std::string> evicted{};
        std::optional<Tokens> context{};
        TimePoint found{};
    };
    std::optional<std::int64_t> largest_context(std::optional<Largest>& known, SizingSettings settings,
                                                std::vector<std::string> const& evicted, Box const& box);
    // With those gone that `judgement` counts on, and beside all.
    void tell_contexts(wire::FitView& view, SizingSettings const& settings,
                       memory::Judgement const& judgement, Box const& box);

    wire::FitQuestion question_;
    Subject subject_;
    Extras extras_;
    SizingPlace place_;
    Measured measured_;
    Sizing sizing_;
    std::optional<Largest> beside_all_{};
    std::optional<Largest> with_evicted_gone_{};
};

}  // namespace hal0::app
