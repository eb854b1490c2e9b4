#include "cli/progress.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/text.hpp"

namespace hal0::cli {
namespace {

using std::chrono::seconds;

constexpr Duration rate_window = seconds{5};
constexpr Duration rate_span_min = std::chrono::milliseconds{500};
constexpr Duration plain_interval = seconds{5};
constexpr std::size_t bar_columns = 20;
constexpr std::size_t step_columns_min = 12;

double part_of(Progress const& progress) {
    if (progress.total <= 0) return 0;
    return std::clamp(static_cast<double>(progress.done) / static_cast<double>(progress.total), 0.0, 1.0);
}

std::string bar(double part) {
    auto const full = static_cast<std::size_t>(part * static_cast<double>(bar_columns));
    std::string out;
    for (std::size_t i = 0; i < bar_columns; ++i)
        out += i < full ? "━" : "─";
    return out;
}

bool is_measured(Progress const& progress) {
    return progress.unit != Progress::Unit::None && (progress.done > 0 || progress.total > 0);
}

std::string amounts(Progress const& progress) {
    if (!is_measured(progress)) return {};
    if (progress.unit == Progress::Unit::Bytes) {
        if (progress.total <= 0) return human(Bytes{progress.done});
        return format("{} of {}", human(Bytes{progress.done}), human(Bytes{progress.total}));
    }
    return progress.total > 0 ? format("{} of {}", progress.done, progress.total) : std::string{};
}

// Behind the name of the step.
std::string measures(Progress const& progress, std::optional<double> per_second) {
    std::vector<std::string> parts;
    if (!is_measured(progress)) return {};
    if (progress.total > 0)
        parts.push_back(format("{}  {:3.0f}%", bar(part_of(progress)), 100 * part_of(progress)));
    if (auto amount = amounts(progress); !amount.empty()) parts.push_back(std::move(amount));
    if (!per_second || *per_second <= 0) return join(parts, "  ");
    if (progress.unit == Progress::Unit::Bytes)
        parts.push_back(format("{}/s", human(Bytes{static_cast<std::int64_t>(*per_second)})));
    if (progress.total > progress.done) {
        auto const left = static_cast<double>(progress.total - progress.done) / *per_second;
        parts.push_back(lasting(std::llround(left)) + " left");
    }
    return join(parts, "  ");
}

}  // namespace

Progress progress_of(wire::JobView const& job) {
    auto const unit = job.unit == "bytes"   ? Progress::Unit::Bytes
                      : job.unit == "steps" ? Progress::Unit::Steps
                                            : Progress::Unit::None;
    return {job.step, job.done, job.total, unit};
}

void Rate::add(Progress const& progress, TimePoint now) {
    bool const begun_anew = !samples_.empty() && progress.done < samples_.back().done;
    if (progress.step != step_ || begun_anew) samples_.clear();
    step_ = progress.step;
    samples_.push_back({now, progress.done});
    while (samples_.size() > 2 && now - samples_.front().at > rate_window)
        samples_.pop_front();
}

std::optional<double> Rate::per_second() const {
    if (samples_.empty()) return std::nullopt;
    auto const span = samples_.back().at - samples_.front().at;
    if (span < rate_span_min) return std::nullopt;
    return static_cast<double>(samples_.back().done - samples_.front().done) / in_seconds(span);
}

std::string progress_text(Progress const& progress, std::optional<double> per_second, std::size_t columns) {
    auto const behind = measures(progress, per_second);
    if (behind.empty()) return cut(progress.step, columns);
    auto const used = columns_of(behind) + 2;
    auto const room = columns > used ? std::max(columns - used, step_columns_min) : step_columns_min;
    return cut(format("{}  {}", cut(progress.step, room), behind), columns);
}

void ProgressLine::show(Progress const& progress, TimePoint now) {
    rate_.add(progress, now);
    if (!tty_) {
        bool const due = !plain_at_ || now - *plain_at_ >= plain_interval || progress.step != step_;
        if (!due || progress.step.empty()) return;
        plain_at_ = now;
        step_ = progress.step;
        auto const amount = amounts(progress);
        return terminal_.err(format("{}{}{}\n", progress.step, amount.empty() ? "" : ": ", amount));
    }
    if (progress.step != step_) step_began_ = now;
    step_ = progress.step;
    // One column stays free: a full line would wrap in some terminals.
    auto text = progress_text(progress, rate_.per_second(), terminal_.width() - 1);
    auto const waited = std::chrono::duration_cast<seconds>(now - step_began_).count();
    if (!is_measured(progress) && waited > 0) text += format("  {}", lasting(waited));
    if (text == shown_) return;
    terminal_.err(format("\r\033[K{}", text));
    shown_ = std::move(text);
}

void ProgressLine::notes(std::vector<std::string> const& all) {
    auto const last = std::find(all.rbegin(), all.rend(), note_).base();  // after it, or the first
    for (auto note = last; note != all.end(); ++note) {
        clear();
        terminal_.err(format("{}\n", *note));
        note_ = *note;
    }
}

void ProgressLine::clear() {
    if (!shown_.empty()) terminal_.err("\r\033[K");
    shown_.clear();
}

}  // namespace hal0::cli
