#include "fetch/download.hpp"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <optional>

#include "base/format.hpp"
#include "base/text.hpp"
#include "fetch/output_file.hpp"
#include "os/file.hpp"

namespace hal0::fetch {
namespace {

constexpr long redirects_max = 10;
constexpr long stalled_below_bytes_per_second = 1;
constexpr std::chrono::seconds stalled_after{30};

Errc kind_of_status(long status) {
    switch (status) {
        case 401:
        case 403: return Errc::Forbidden;
        case 404:
        case 410: return Errc::NotFound;
        default: return Errc::Unavailable;
    }
}

// "bytes 100-999/1000"
struct ContentRange {
    std::int64_t first{0};
    Bytes total{};  // 0: not said
};
std::optional<ContentRange> parse_range(std::string_view text) {
    if (!lower(text).starts_with("bytes ")) return std::nullopt;
    text = trim(text.substr(6));
    auto const dash = text.find('-');
    auto const slash = text.find('/');
    if (dash == std::string_view::npos || slash == std::string_view::npos) return std::nullopt;
    auto const first = to_int(text.substr(0, dash));
    if (!first) return std::nullopt;
    return ContentRange{.first = *first, .total = {to_int(text.substr(slash + 1)).value_or(0)}};
}

// One request, and what is known of its answer. libcurl calls on_header for each line, then on_body.
class Transfer final : NoCopy {
  public:
    Transfer(Download const& download, OutputFile& file, Report& report)
        : download_{download}, file_{file}, report_{report}, curl_{curl_easy_init()} {}

    std::optional<Failure> run() {
        prepare();
        auto const code = curl_easy_perform(curl_.get());
        curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
        if (fault_) return Failure{*fault_, Failure::Peer::Answered};
        if (code != CURLE_OK) return failure_of(code);
        if (status_ >= 400) {
            return Failure{
                {kind_of_status(status_), format("{} answered with status {}", download_.url, status_)},
                Failure::Peer::Answered};
        }
        if (total_.count > 0 && file_.size() != total_) return cut();
        return std::nullopt;
    }
    // The server has nothing from there on: the part isn't the beginning of what it has.
    [[nodiscard]] bool refused_range() const { return status_ == 416; }

  private:
    struct Close {
        void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    };

    template <class T> void set(CURLoption option, T value) { curl_easy_setopt(curl_.get(), option, value); }

    void prepare() {
        set(CURLOPT_URL, download_.url.c_str());
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        set(CURLOPT_FOLLOWLOCATION, 1L);
        set(CURLOPT_MAXREDIRS, redirects_max);
        set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(download_.answer_within.count()));
        set(CURLOPT_LOW_SPEED_LIMIT, stalled_below_bytes_per_second);
        set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(stalled_after.count()));
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_USERAGENT, "hal0-fetch");
        set(CURLOPT_ERRORBUFFER, words_.data());
        set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
        set(CURLOPT_HEADERDATA, this);
        set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
        set(CURLOPT_WRITEDATA, this);
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_turn);
        set(CURLOPT_XFERINFODATA, this);
        if (file_.size().count > 0) set(CURLOPT_RANGE, format("{}-", file_.size().count).c_str());
        started_ = Clock::now();
    }

    static std::size_t on_header(char const* data, std::size_t, std::size_t size, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        std::string_view const line{data, size};
        transfer.answered_ = true;
        if (line.starts_with("HTTP/")) transfer.range_.reset();  // of a redirect's answer
        auto const colon = line.find(':');
        if (colon != std::string_view::npos && equal_fold(line.substr(0, colon), "content-range")) {
            transfer.range_ = parse_range(trim(line.substr(colon + 1)));
        }
        return size;
    }

    static std::size_t on_body(char const* data, std::size_t, std::size_t size, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        auto const taken = transfer.take({data, size});
        if (!taken) transfer.fault_ = taken.error();
        return taken ? size : 0;  // less than `size`: libcurl stops
    }

    // Called at least once a second: the only place to see that nothing comes.
    static int on_turn(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        auto& transfer = *static_cast<Transfer*>(self);
        bool const waited = Clock::now() - transfer.started_ > transfer.download_.answer_within;
        return waited && !transfer.answered_ ? 1 : 0;
    }

    Result<void> take(std::string_view bytes) {
        if (!begun_) HAL0_CHECK(begin());
        if (status_ >= 400) return {};  // the words of an error page
        auto const size = Bytes{file_.size().count + static_cast<std::int64_t>(bytes.size())};
        if (download_.size.count > 0 && size > download_.size) return other_size(size);
        HAL0_CHECK(file_.write(bytes));
        report_.progress(file_.size(), total_);
        return {};
    }

    // The head is complete: what follows goes on where the part ends, or is the whole file.
    Result<void> begin() {
        begun_ = true;
        curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
        if (status_ >= 400) return {};
        curl_off_t length = -1;
        curl_easy_getinfo(curl_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        bool const goes_on = status_ == 206 && range_ && range_->first == file_.size().count;
        if (status_ == 206 && !goes_on) {
            return Error{Errc::Unavailable, format("{} sent another part than was asked for", download_.url)};
        }
        if (!goes_on) HAL0_CHECK(file_.start_anew());
        if (length >= 0) total_ = {file_.size().count + length};
        if (download_.size.count > 0 && total_.count > 0 && total_ != download_.size)
            return other_size(total_);
        if (total_.count == 0) total_ = download_.size;
        return {};
    }

    [[nodiscard]] Error other_size(Bytes size) const {
        return {Errc::Corrupt, format("{} has {} bytes or more instead of the expected {}", download_.url,
                                      size.count, download_.size.count)};
    }
    [[nodiscard]] Failure cut() const {
        return {{Errc::Unavailable, format("{} stopped after {} of {}; the next try goes on from there",
                                           download_.url, human(file_.size()), human(total_))},
                Failure::Peer::Answered};
    }
    [[nodiscard]] Failure failure_of(CURLcode code) const {
        if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT) {
            return {{Errc::Invalid, format("'{}' is no http or https address", download_.url)},
                    Failure::Peer::Answered};
        }
        if (answered_) return cut();
        bool const timed_out = code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_OPERATION_TIMEDOUT;
        std::string const why = timed_out ? format("no answer within {} s", download_.answer_within.count())
                                : words_.front() != '\0' ? std::string{words_.data()}
                                                         : std::string{curl_easy_strerror(code)};
        return {{Errc::Unavailable, format("{}: {}", download_.url, why)}, Failure::Peer::Silent};
    }

    Download const& download_;
    OutputFile& file_;
    Report& report_;
    std::unique_ptr<CURL, Close> curl_;
    std::array<char, CURL_ERROR_SIZE> words_{};
    TimePoint started_{};
    bool answered_{false};
    bool begun_{false};
    long status_{0};
    Bytes total_{};
    std::optional<ContentRange> range_{};
    std::optional<Error> fault_{};
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
        Transfer first{download, *file, report};
        auto failure = first.run();
        if (!first.refused_range()) return failure;
        if (auto emptied = file->start_anew(); !emptied) return here(emptied.error());
        return Transfer{download, *file, report}.run();
    };
    if (auto failure = get()) return failure;
    if (auto finished = file->finish(); !finished) return here(finished.error());
    return std::nullopt;
}

}  // namespace hal0::fetch
