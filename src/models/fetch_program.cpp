#include "models/fetch_program.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/process_info.hpp"

namespace hal0::models {
namespace {

constexpr std::size_t fetch_output_max = std::size_t{64} << 10;

// What hal0-fetch says, a line at a time.
class FetchLines {
  public:
    FetchLines(OnProgress const& progress, Progress step) : progress_{progress}, step_{std::move(step)} {}

    void add(std::string_view piece) {
        text_ += piece;
        for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
            line(std::string_view{text_}.substr(0, end));
            text_.erase(0, end + 1);
        }
    }
    [[nodiscard]] std::optional<Error> const& error() const { return error_; }

  private:
    void line(std::string_view text) {
        if (!text.starts_with('{')) return;  // the same words for people
        auto const said = json::parse(text);
        if (!said) return;
        std::string kind;
        Error error;
        json::ObjectReader in{*said, ""};
        in.optional("error", kind);
        in.optional("message", error.message);
        in.optional("done", step_.done);
        in.optional("total", step_.total);
        error.kind = errc_from_name(kind, Errc::Io);
        if (!kind.empty()) {
            error_ = std::move(error);
        } else if (progress_) {
            progress_(step_);
        }
    }

    OnProgress const& progress_;
    Progress step_;
    std::string text_{};
    std::optional<Error> error_{};
};

}  // namespace

std::string fetch_program() {
    // Found once: a daemon's own file is another's, or none, after an upgrade.
    static std::string const found = os::join_path(os::directory_of(os::own_program()), "hal0-fetch");
    return found;
}

Result<void> run_fetch_program(std::string const& program, std::vector<std::string> words,
                               Progress const& step, OnProgress const& progress) {
    words.insert(words.begin(), program);
    FetchLines lines{progress, step};
    auto const finished = os::run_to_end({.argv = std::move(words)}, fetch_output_max,
                                         [&lines](std::string_view piece) { lines.add(piece); });
    if (!finished) return in_context("starting hal0-fetch", finished.error());
    if (finished->status.clean()) return {};
    if (auto const& error = lines.error()) return *error;
    return Error{Errc::Io, format("{} {}: {}", program, describe(finished->status), trim(finished->output))};
}

}  // namespace hal0::models
