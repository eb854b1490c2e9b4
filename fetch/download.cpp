#include "fetch/download.hpp"

#include <optional>

#include "base/format.hpp"
#include "base/text.hpp"
#include "fetch/output_file.hpp"
#include "os/file.hpp"

namespace hal0::fetch {
namespace {

class Whole final : public HttpReceiver {
  public:
    Whole(Download const& download, OutputFile& file, Report& report)
        : download_{download}, file_{file}, report_{report} {}

    HttpEnd run() {
        auto const range = file_.size().count > 0 ? format("{}-", file_.size().count) : std::string{};
        auto end =
            http_get({.url = download_.url, .range = range, .answer_within = download_.answer_within}, *this);
        bool const whole = total_.count == 0 || file_.size() == total_;
        if (!end.failure && !whole) end.failure = Failure{cut()};
        return end;
    }

    // What follows goes on where the part ends, or is the whole file.
    Result<void> head(HttpHead const& head) override {
        bool const goes_on = head.status == 206 && head.range && head.range->first == file_.size().count;
        if (head.status == 206 && !goes_on)
            return Error{Errc::Unavailable, format("{} sent another part than was asked for", download_.url)};
        if (!goes_on) HAL0_CHECK(file_.start_anew());
        if (head.length) total_ = file_.size() + *head.length;
        if (download_.size.count > 0 && total_.count > 0 && total_ != download_.size)
            return other_size(total_);
        if (total_.count == 0) total_ = download_.size;
        return {};
    }
    Result<Want> body(std::string_view bytes) override {
        auto const size = Bytes{file_.size().count + static_cast<std::int64_t>(bytes.size())};
        if (download_.size.count > 0 && size > download_.size) return other_size(size);
        HAL0_CHECK(file_.write(bytes));
        report_.progress(file_.size(), total_);
        return Want::More;
    }
    [[nodiscard]] Error cut() const override {
        return {Errc::Unavailable, format("{} stopped after {} of {}; the next try goes on from there",
                                          download_.url, human(file_.size()), human(total_))};
    }

  private:
    [[nodiscard]] Error other_size(Bytes size) const {
        return {Errc::Corrupt, format("{} has {} bytes or more instead of the expected {}", download_.url,
                                      size.count, download_.size.count)};
    }

    Download const& download_;
    OutputFile& file_;
    Report& report_;
    Bytes total_{};
};

Failure here(Error error) { return {std::move(error), Failure::Peer::Answered}; }

}  // namespace

std::optional<Failure> run(Download const& download, Report& report) {
    auto file = OutputFile::open(download.target, OutputFile::Begin::GoOn);
    if (!file) return here(file.error());
    auto get = [&]() -> std::optional<Failure> {
        if (download.size.count > 0 && file->size() == download.size) return std::nullopt;  // all came before
        if (download.size.count > 0 && file->size() > download.size) {
            if (auto emptied = file->start_anew(); !emptied) return here(emptied.error());
        }
        constexpr long not_that_far = 416;  // the part isn't the beginning of what the server has
        auto first = Whole{download, *file, report}.run();
        if (first.status != not_that_far) return first.failure;
        if (auto emptied = file->start_anew(); !emptied) return here(emptied.error());
        return Whole{download, *file, report}.run().failure;
    };
    if (auto failure = get()) return failure;
    if (auto finished = file->finish(); !finished) return here(finished.error());
    return std::nullopt;
}

}  // namespace hal0::fetch
