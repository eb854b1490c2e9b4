#include "api/access.hpp"

#include <gtest/gtest.h>

namespace hal0::api {
namespace {

http::RequestHead head(std::vector<http::Header> headers) {
    http::RequestHead out;
    out.method = http::Method::Post;
    out.headers = std::move(headers);
    return out;
}

std::optional<Errc> verdict(AccessRules const& rules, std::vector<http::Header> headers) {
    auto const why = refuse(rules, head(std::move(headers)), false);
    if (!why) return std::nullopt;
    return why->kind;
}

TEST(Access, AddressesAndLocalNamesAreFineAsHost) {
    for (auto const* host : {"localhost", "localhost:8080", "LOCALHOST", "127.0.0.1:8080", "[::1]:8080",
                             "192.168.1.7:8080", "x.localhost"}) {
        EXPECT_FALSE(verdict({}, {{"host", host}})) << host;
    }
}

TEST(Access, ANameNobodyAllowedIsRebinding) {
    EXPECT_EQ(verdict({}, {{"host", "evil.example:8080"}}), Errc::Forbidden);
    EXPECT_EQ(verdict({}, {{"host", "localhost.evil.example"}}), Errc::Forbidden);
    EXPECT_EQ(verdict({}, {{"host", "127.0.0.1.evil.example"}}), Errc::Forbidden);
    EXPECT_FALSE(verdict({.allowed_hosts = {"box.lan"}}, {{"host", "BOX.lan:8080"}}));
}

TEST(Access, PagesFromElsewhereAreRefused) {
    auto const from = [](std::string_view origin) {
        return verdict({.allowed_hosts = {"ui.lan"}}, {{"host", "192.168.1.7:8080"}, {"origin", origin}});
    };
    EXPECT_EQ(from("https://evil.example"), Errc::Forbidden);
    EXPECT_EQ(from("http://192.168.1.66"), Errc::Forbidden);
    EXPECT_EQ(from("null"), Errc::Forbidden);
    EXPECT_EQ(from("file://"), Errc::Forbidden);
    EXPECT_FALSE(from("http://192.168.1.7:8080"));
    EXPECT_FALSE(from("http://localhost:3000"));
    EXPECT_FALSE(from("https://ui.lan"));
}

TEST(Access, AnAppsOriginIsAllowedWhole) {
    AccessRules const rules{
        .allowed_hosts = {"app://obsidian.md", "chrome-extension://abc", "null", "https"}};
    auto const from = [&rules](std::string_view origin) {
        return verdict(rules, {{"host", "localhost:8080"}, {"origin", origin}});
    };
    EXPECT_FALSE(from("app://obsidian.md"));
    EXPECT_FALSE(from("chrome-extension://abc"));
    EXPECT_EQ(from("chrome-extension://abd"), Errc::Forbidden);
    EXPECT_EQ(from("https://obsidian.md"), Errc::Forbidden);
    EXPECT_EQ(from("tauri://localhost"), Errc::Forbidden) << "no page of this machine";
    EXPECT_EQ(from("httpx://localhost"), Errc::Forbidden);
    for (auto const* none : {"null", "https", "https://"})
        EXPECT_EQ(from(none), Errc::Forbidden) << none;
}

TEST(Access, ARefusalSaysTheLineThatAllowsIt) {
    auto const message = [](std::vector<http::Header> headers) {
        return refuse({}, head(std::move(headers)), false)->message;
    };
    EXPECT_EQ(
        message({{"host", "box.lan:8080"}}),
        "the Host 'box.lan:8080' is not allowed here; if it is yours, add it to hal0.toml and start hal0 "
        "again: allowed_hosts = [\"box.lan\"]");
    EXPECT_TRUE(message({{"origin", "https://ui.lan:3000"}}).ends_with("allowed_hosts = [\"ui.lan\"]"));
    EXPECT_TRUE(
        message({{"origin", "tauri://localhost"}}).ends_with("allowed_hosts = [\"tauri://localhost\"]"));
    for (auto const* hopeless : {"null", "https://a\"b", "app://a b"})
        EXPECT_EQ(message({{"origin", hopeless}}).find("add it"), std::string::npos) << hopeless;
}

TEST(Access, OnlyWhatCanComeIsAnAllowedHost) {
    for (auto const* good :
         {"box.lan", "tauri://localhost", "chrome-extension://abc", "vscode-webview://a:1"})
        EXPECT_TRUE(valid_allowed_host(good)) << good;
    for (auto const* bad :
         {"", "box.lan:8080", "http://box.lan", "HTTPS://box.lan", "://x", "app://a/b", "a b"})
        EXPECT_FALSE(valid_allowed_host(bad)) << bad;
}

TEST(Access, AKeyIsNeededWhereOneIsSet) {
    AccessRules const rules{.allowed_hosts = {}, .key = Secret{"s3cret"}};
    EXPECT_EQ(verdict(rules, {{"host", "localhost"}}), Errc::Unauthorized);
    EXPECT_EQ(verdict(rules, {{"host", "localhost"}, {"authorization", "Bearer wrong!"}}),
              Errc::Unauthorized);
    EXPECT_FALSE(verdict(rules, {{"host", "localhost"}, {"authorization", "bearer s3cret"}}));
    EXPECT_FALSE(verdict(rules, {{"host", "localhost"}, {"x-api-key", "s3cret"}}));
    EXPECT_FALSE(refuse(rules, head({{"host", "anything"}}), true));
}

TEST(Access, CorsNamesTheOriginOnlyWhenAllowed) {
    EXPECT_EQ(cors_origin({}, head({{"host", "localhost:1"}, {"origin", "http://localhost:3000"}})),
              "http://localhost:3000");
    EXPECT_EQ(cors_origin({}, head({{"host", "localhost:1"}, {"origin", "http://evil.example"}})), "");
}

TEST(Access, APageMaySendTheHeadersItAsksFor) {
    auto const allowed = [](std::string_view asked) {
        return std::string{cors_headers(head({{"access-control-request-headers", asked}}))};
    };
    constexpr std::string_view openai = "authorization,content-type,x-stainless-arch,x-stainless-retry-count";
    EXPECT_EQ(allowed(openai), openai);
    EXPECT_EQ(allowed("Anthropic-Version, x-api-key"), "Anthropic-Version, x-api-key");
    auto const usual = allowed("");
    EXPECT_NE(usual.find("authorization"), std::string::npos);
    for (auto const& odd :
         {std::string{"a:b"}, std::string{"a\"b"}, std::string{"a;b"}, std::string(3000, 'a')})
        EXPECT_EQ(allowed(odd), usual) << odd;
}

}  // namespace
}  // namespace hal0::api
