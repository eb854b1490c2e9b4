#include "fetch/https_peer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "fetch/certificate.hpp"

namespace hal0::fetch {
namespace {

static_assert(CURL_ERROR_SIZE == 256);

template <class T> void set(CURL* curl, CURLoption option, T value) { curl_easy_setopt(curl, option, value); }

// What a transfer has in common with the look at the certificate before it.
void set_common(CURL* curl, std::string const& url) {
    set(curl, CURLOPT_URL, url.c_str());
    set(curl, CURLOPT_PROTOCOLS_STR, "https");
    set(curl, CURLOPT_FOLLOWLOCATION, 0L);
    set(curl, CURLOPT_PROXY, "");
    set(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);  // later ones have no reason in their status
    set(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set(curl, CURLOPT_NOSIGNAL, 1L);
    set(curl, CURLOPT_USERAGENT, "hal0-fetch");
}

// Of the server's own certificate, as libcurl tells it: "Cert:-----BEGIN CERTIFICATE-----…".
std::string shown_certificate(CURL* curl) {
    constexpr std::string_view key = "Cert:";
    curl_certinfo* info = nullptr;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == nullptr) return {};
    if (info->num_of_certs < 1) return {};
    for (auto const* line = info->certinfo[0]; line != nullptr; line = line->next) {
        std::string_view const text{line->data};
        if (text.starts_with(key)) return std::string{text.substr(key.size())};
    }
    return {};
}

bool is_about_trust(CURLcode code) {
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
           code == CURLE_SSL_PINNEDPUBKEYNOTMATCH || code == CURLE_SSL_INVALIDCERTSTATUS;
}

}  // namespace

void HttpsPeer::Close::operator()(CURL* handle) const { curl_easy_cleanup(handle); }
void HttpsPeer::Free::operator()(curl_slist* list) const { curl_slist_free_all(list); }

HttpsPeer::HttpsPeer(std::string endpoint, Trust trust, Secret const& authorization, TimePoint deadline)
    : endpoint_{std::move(endpoint)}, trust_{std::move(trust)}, deadline_{deadline} {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    auto const header = format("Authorization: {}", authorization.reveal());
    headers_.reset(curl_slist_append(nullptr, header.c_str()));
}

HttpsPeer::~HttpsPeer() {
    curl_.reset();
    curl_global_cleanup();
}

void HttpsPeer::set_time(CURL* curl) const {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    set(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left, 1)));
}

void HttpsPeer::prepare(CURL* curl) {
    set_common(curl, endpoint_);
    set(curl, CURLOPT_ERRORBUFFER, words_.data());
    set(curl, CURLOPT_HTTPHEADER, headers_.get());
    set(curl, CURLOPT_HEADERFUNCTION, &HttpsPeer::on_header);
    set(curl, CURLOPT_HEADERDATA, this);
    set(curl, CURLOPT_WRITEFUNCTION, &HttpsPeer::on_body);
    set(curl, CURLOPT_WRITEDATA, this);
    set(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    set(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!trust_.ca_file) return;
    set(curl, CURLOPT_CAINFO, trust_.ca_file->c_str());
    set(curl, CURLOPT_CAPATH, static_cast<char const*>(nullptr));  // the system's are not trusted beside it
}

// Nothing but a handshake: no request is sent to a server that isn't known yet.
Result<std::string> HttpsPeer::pinned_certificate(std::string const& fingerprint) {
    Handle const curl{curl_easy_init()};
    set_common(curl.get(), endpoint_);
    set_time(curl.get());
    set(curl.get(), CURLOPT_ERRORBUFFER, words_.data());
    set(curl.get(), CURLOPT_CONNECT_ONLY, 1L);
    set(curl.get(), CURLOPT_CERTINFO, 1L);
    set(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
    set(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
    auto const code = curl_easy_perform(curl.get());
    if (code != CURLE_OK) return fault(code);
    auto pem = shown_certificate(curl.get());
    auto const seen = certificate_fingerprint(pem);
    if (seen && *seen == fingerprint) return pem;
    return Error{
        Errc::Forbidden,
        format("{} is not the server that 'fingerprint' names: its certificate has {}. If it was renewed, "
               "and the host shows the same, put that there",
               endpoint_, seen.value_or("no fingerprint"))};
}

// Of a server with a known fingerprint that certificate is the one authority: nobody without its key gets
// through the handshake, whatever names stand in it.
Result<HttpsPeer::Handle> HttpsPeer::open() {
    Handle curl{curl_easy_init()};
    prepare(curl.get());
    if (!trust_.fingerprint) return curl;
    HAL0_TRY(pem, pinned_certificate(*trust_.fingerprint));
    curl_blob const blob{.data = pem.data(), .len = pem.size(), .flags = CURL_BLOB_COPY};
    set(curl.get(), CURLOPT_CAINFO_BLOB, &blob);
    set(curl.get(), CURLOPT_CAINFO, static_cast<char const*>(nullptr));
    set(curl.get(), CURLOPT_CAPATH, static_cast<char const*>(nullptr));
    set(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
    return curl;
}

Result<HttpsAnswer> HttpsPeer::get(std::string const& path) {
    if (!curl_) {
        HAL0_TRY(curl, open());
        curl_ = std::move(curl);
    }
    answer_ = {};
    words_.front() = '\0';
    set(curl_.get(), CURLOPT_URL, (endpoint_ + path).c_str());
    set_time(curl_.get());
    auto const code = curl_easy_perform(curl_.get());
    if (code != CURLE_OK) return fault(code);
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
    return std::move(answer_);
}

std::size_t HttpsPeer::on_header(char const* data, std::size_t, std::size_t size, void* self) {
    std::string_view const line{data, size};
    if (line.starts_with("HTTP/")) {
        constexpr std::string_view number = " 200";
        auto const space = line.find(' ');
        auto const rest = space == std::string_view::npos ? "" : line.substr(space);
        static_cast<HttpsPeer*>(self)->answer_.reason =
            trim(rest.substr(std::min(rest.size(), number.size())));
    }
    return size;
}

std::size_t HttpsPeer::on_body(char const* data, std::size_t, std::size_t size, void* self) {
    auto& peer = *static_cast<HttpsPeer*>(self);
    if (peer.answer_.body.size() + size > body_bytes_max) {
        peer.too_large_ = true;
        return 0;  // less than `size`: libcurl stops
    }
    peer.answer_.body.append(data, size);
    return size;
}

Error HttpsPeer::fault(int number) const {
    auto const code = static_cast<CURLcode>(number);
    std::string const words{words_.front() != '\0' ? words_.data() : curl_easy_strerror(code)};
    if (too_large_)
        return {Errc::TooLarge, format("{} answers with more than {}", endpoint_,
                                       human(Bytes{static_cast<std::int64_t>(body_bytes_max)}))};
    if (code == CURLE_OPERATION_TIMEDOUT)
        return {Errc::Timeout, format("{} doesn't answer in time", endpoint_)};
    if (code == CURLE_SSL_CACERT_BADFILE)
        return {Errc::Invalid, format("'ca_file' {} holds no certificate that can be read",
                                      trust_.ca_file.value_or("of the system"))};
    if (is_about_trust(code))
        return {Errc::Forbidden, format("the certificate of {} is not trusted: {}", endpoint_, words)};
    return {Errc::Unavailable, format("{} can't be asked: {}", endpoint_, words)};
}

}  // namespace hal0::fetch
