#pragma once
// A server that is asked over TLS with a secret in a header. Who it is was proven before the secret leaves:
// by a certificate authority, or by the very certificate whose fingerprint is known.
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"

using CURL = void;
struct curl_slist;  // NOLINT(readability-identifier-naming): curl's

namespace hal0::fetch {

struct Trust {
    std::optional<std::string> ca_file{};      // this one alone; else those of the system
    std::optional<std::string> fingerprint{};  // SHA-256 of the server's certificate, "AB:CD:…"
};

struct HttpsAnswer {
    long status{0};
    std::string reason{};  // of the status line; any bytes
    std::string body{};
};

class HttpsPeer final : NoCopy {
  public:
    static constexpr std::size_t body_bytes_max = std::size_t{4} << 20;

    // `endpoint`: "https://HOST:PORT". Proxies are not used, redirects not followed. All of it is over at
    // `deadline`.
    HttpsPeer(std::string endpoint, Trust trust, Secret const& authorization, TimePoint deadline);
    ~HttpsPeer();

    // Forbidden: the server isn't the one that is trusted. Timeout, TooLarge, Unavailable.
    Result<HttpsAnswer> get(std::string const& path);

  private:
    struct Close {
        void operator()(CURL* handle) const;
    };
    struct Free {
        void operator()(curl_slist* list) const;
    };
    using Handle = std::unique_ptr<CURL, Close>;

    [[nodiscard]] Result<Handle> open();
    void prepare(CURL* curl);
    // The certificate that the server shows, as PEM, when it has the fingerprint.
    Result<std::string> pinned_certificate(std::string const& fingerprint);
    void set_time(CURL* curl) const;
    [[nodiscard]] Error fault(int number) const;  // curl's

    static std::size_t on_header(char const* data, std::size_t, std::size_t size, void* self);
    static std::size_t on_body(char const* data, std::size_t, std::size_t size, void* self);

    std::string endpoint_;
    Trust trust_;
    std::unique_ptr<curl_slist, Free> headers_{};
    TimePoint deadline_;
    std::array<char, 256> words_{};
    Handle curl_{};  // open once the server is known
    HttpsAnswer answer_{};
    bool too_large_{false};
};

}  // namespace hal0::fetch
