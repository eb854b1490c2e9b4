#include "cli/daemon.hpp"

#include <cctype>
#include <chrono>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "wire/status.hpp"

namespace hal0::cli {
namespace {

using std::chrono::seconds;

constexpr Duration answer_timeout = seconds{60};
constexpr Duration probe_timeout = seconds{5};
constexpr Bytes key_file_max = 4_KiB;
constexpr std::uint16_t port_default = 8080;

Result<os::Address> address_of(std::string const& url) {
    Error const bad{
        Errc::Invalid,
        format("$HAL0_URL is '{}'; it must look like http://127.0.0.1:8080, its host an IP address "
               "or localhost: names are not looked up",
               url)};
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return bad;
    auto host = std::string_view{url}.substr(scheme.size());
    for (std::string_view const end : {"/", "/v1"})  // as clients of the OpenAI API want it
        if (host.ends_with(end)) host.remove_suffix(end.size());
    bool const has_port = host.rfind(':') != std::string_view::npos && !host.ends_with(']');
    auto address = os::parse_address(has_port ? std::string{host} : format("{}:{}", host, port_default));
    if (!address) return bad;
    return std::move(address).value();
}

Result<Secret> key_of(os::Environment const& environment) {
    if (auto const key = environment("HAL0_KEY")) return Secret{*key};
    auto const file = environment("HAL0_KEY_FILE");
    if (!file) return Secret{};
    auto text = os::read_file(*file, key_file_max);
    if (!text) return in_context("reading the key named by $HAL0_KEY_FILE", std::move(text).error());
    return Secret{std::string{trim(*text)}};
}

}  // namespace

std::string daemon_socket(os::Places const& places) { return os::join_path(places.runtime, "hal0.sock"); }
std::string daemon_lock(os::Places const& places) { return os::join_path(places.runtime, "daemon.lock"); }

Result<Daemon> find_daemon(os::Environment const& environment, os::Places const& places) {
    auto const url = environment("HAL0_URL");
    if (!url) return Daemon{.address = os::UnixAddress{daemon_socket(places)}};
    HAL0_TRY(address, address_of(*url));
    HAL0_TRY(key, key_of(environment));
    return Daemon{std::move(address), std::move(key), Daemon::Where::Named};
}

Error not_running(Daemon const& daemon) {
    if (daemon.where == Daemon::Where::Named) {
        return {Errc::Unavailable, format("no hal0 answers at {} ($HAL0_URL); is it running there?",
                                          os::to_string(daemon.address))};
    }
    return {Errc::Unavailable,
            format("no hal0 daemon is running (nobody answers at {}); start it with 'hal0 serve'",
                   os::to_string(daemon.address))};
}

http::ClientRequest Api::request(http::Method method, std::string target, std::string body) const {
    http::ClientRequest request{.peer = daemon_.address,
                                .method = method,
                                .target = std::move(target),
                                .body = std::move(body),
                                .deadline = answer_timeout};
    if (!request.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
    if (!daemon_.key.empty())
        request.headers.push_back({"Authorization", format("Bearer {}", daemon_.key.reveal())});
    return request;
}

Result<std::string> Api::outcome(Result<http::ClientAnswer> answer) const {
    if (!answer) {
        if (answer.error().kind == Errc::Unavailable) return not_running(daemon_);
        if (answer.error().kind == Errc::Forbidden)
            return Error{Errc::Forbidden,
                         format("this user may not speak to the hal0 at {}: its owner may ({})",
                                os::to_string(daemon_.address), answer.error().message)};
        return std::move(answer).error();
    }
    if (answer->status >= 300) {
        auto error = wire::decode_error(answer->status, answer->body);
        if (error.kind == Errc::Unauthorized)
            error.message += "; $HAL0_KEY or the file named by $HAL0_KEY_FILE holds it";
        return error;
    }
    return std::move(answer->body);
}

Result<std::string> Api::call(http::Method method, std::string target, std::string body) const {
    return outcome(http::fetch(request(method, std::move(target), std::move(body))));
}

Result<std::string> Api::get(std::string target) const {
    return call(http::Method::Get, std::move(target), "");
}
Result<std::string> Api::post(std::string target, std::string body) const {
    return call(http::Method::Post, std::move(target), std::move(body));
}
Result<std::string> Api::remove(std::string target) const {
    return call(http::Method::Delete, std::move(target), "");
}

Result<void> Api::probe() const {
    auto question = request(http::Method::Get, "/health");
    question.deadline = probe_timeout;
    HAL0_CHECK(http::fetch(std::move(question)));
    return {};
}

std::string segment(std::string_view name) {
    std::string out;
    for (char const c : name) {
        bool const plain =
            std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
        out += plain ? std::string{c} : format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

}  // namespace hal0::cli
