#include "fetch/http_get.hpp"

#include <curl/curl.h>

#include <array>
#include <memory>

#include "base/format.hpp"
#include "base/no_copy.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

namespace hal0::fetch {
namespace {

constexpr long redirects_max = 10;
constexpr long stalled_below_bytes_per_second = 1;
constexpr std::chrono::seconds stalled_after{30};
constexpr std::size_t error_page_max = std::size_t{64} << 10;

Errc kind_of_status(long status) {
    switch (status) {
        case 401:
        case 403: return Errc::Forbidden;
        case 404:
        case 410: return Errc::NotFound;
        default: return Errc::Unavailable;
    }
}

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

// "HTTP/1.1 302 Found": whoever is asked next has not answered yet.
bool sends_on(std::string_view status_line) {
    auto const space = status_line.find(' ');
    return space != std::string_view::npos && status_line.substr(space + 1).starts_with('3');
}

// libcurl calls on_header for each line, then on_body.
class Transfer final : NoCopy {
  public:
    Transfer(HttpRequest const& request, HttpReceiver& receiver)
        : request_{request}, receiver_{receiver}, curl_{curl_easy_init()} {}

    HttpEnd run() {
        prepare();
        auto const code = curl_easy_perform(curl_.get());
        curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &head_.status);
        if (code == CURLE_OK && !begun_) {  // an answer without a body
            if (auto const taken = begin(); !taken) fault_ = taken.error();
        }
        return {head_.status, failure(code)};
    }

  private:
    struct Close {
        void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    };

    template <class T> void set(CURLoption option, T value) { curl_easy_setopt(curl_.get(), option, value); }

    void prepare() {
        set(CURLOPT_URL, request_.url.c_str());
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        set(CURLOPT_FOLLOWLOCATION, 1L);
        set(CURLOPT_MAXREDIRS, redirects_max);
        set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(request_.answer_within.count()));
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
        set(CURLOPT_TIMEOUT, static_cast<long>(request_.all_within.count()));
        if (!request_.range.empty()) set(CURLOPT_RANGE, request_.range.c_str());
        started_ = Clock::now();
    }

    static std::size_t on_header(char const* data, std::size_t, std::size_t size, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        std::string_view const line{data, size};
        if (line.starts_with("HTTP/")) {
            transfer.head_.range.reset();  // of a redirect's answer
            transfer.answered_ = !sends_on(line);
        }
        auto const colon = line.find(':');
        if (colon != std::string_view::npos && equal_fold(line.substr(0, colon), "content-range")) {
            transfer.head_.range = parse_range(trim(line.substr(colon + 1)));
        }
        return size;
    }

    static std::size_t on_body(char const* data, std::size_t, std::size_t size, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        auto const wanted = transfer.take({data, size});
        if (!wanted) transfer.fault_ = wanted.error();
        if (wanted && *wanted == HttpReceiver::Want::More) return size;
        transfer.enough_ = wanted.ok();
        return 0;  // less than `size`: libcurl stops
    }

    // Called at least once a second: the only place to see that nothing comes.
    static int on_turn(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        auto& transfer = *static_cast<Transfer*>(self);
        bool const waited = Clock::now() - transfer.started_ > transfer.request_.answer_within;
        return waited && !transfer.answered_ ? 1 : 0;
    }

    Result<HttpReceiver::Want> take(std::string_view bytes) {
        if (!begun_) HAL0_CHECK(begin());
        if (head_.status < 400) return receiver_.body(bytes);
        error_page_ += bytes.size();  // its words: read to its end, so long as it has one
        return error_page_ > error_page_max ? HttpReceiver::Want::NoMore : HttpReceiver::Want::More;
    }

    // The head is complete.
    Result<void> begin() {
        begun_ = true;
        curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &head_.status);
        if (head_.status >= 400) return {};
        curl_off_t length = -1;
        curl_easy_getinfo(curl_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        if (length >= 0) head_.length = Bytes{length};
        return receiver_.head(head_);
    }

    // Who gave no good answer: whom the address has sent us on to counts. Its path may hold a signature.
    [[nodiscard]] std::string asked() const {
        char const* last = nullptr;
        curl_easy_getinfo(curl_.get(), CURLINFO_EFFECTIVE_URL, &last);
        std::string_view const there{last == nullptr ? "" : last};
        auto const begin = there.find("://");
        if (begin == std::string_view::npos || there == request_.url) return request_.url;
        auto const host = there.substr(begin + 3, there.find_first_of("/?#", begin + 3) - begin - 3);
        auto const from = std::string_view{request_.url};
        bool const elsewhere = from.find(format("://{}/", host)) == std::string_view::npos;
        return elsewhere ? format("{}, sent on to {}", request_.url, host) : request_.url;
    }
    [[nodiscard]] std::optional<Failure> failure(CURLcode code) const {
        if (fault_) return Failure{*fault_};
        if (enough_ && head_.status < 400) return std::nullopt;
        if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
            return Failure{{Errc::Invalid, format("'{}' is no http or https address", request_.url)}};
        if (code != CURLE_OK && !enough_) return answered_ ? Failure{receiver_.cut()} : silent(code);
        if (head_.status < 400) return std::nullopt;
        return Failure{
            {kind_of_status(head_.status), format("{} answered with status {}", asked(), head_.status)}};
    }
    [[nodiscard]] Failure silent(CURLcode code) const {
        bool const timed_out = code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_OPERATION_TIMEDOUT;
        std::string const why = timed_out ? format("no answer within {} s", request_.answer_within.count())
                                : words_.front() != '\0' ? std::string{words_.data()}
                                                         : std::string{curl_easy_strerror(code)};
        return {{Errc::Unavailable, format("{}: {}", asked(), why)}, Failure::Peer::Silent};
    }

    HttpRequest const& request_;
    HttpReceiver& receiver_;
    std::unique_ptr<CURL, Close> curl_;
    std::array<char, CURL_ERROR_SIZE> words_{};
    TimePoint started_{};
    HttpHead head_{};
    bool answered_{false};
    bool begun_{false};
    bool enough_{false};
    std::size_t error_page_{0};
    std::optional<Error> fault_{};
};

}  // namespace

HttpEnd http_get(HttpRequest const& request, HttpReceiver& receiver) {
    return Transfer{request, receiver}.run();
}

}  // namespace hal0::fetch
