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
