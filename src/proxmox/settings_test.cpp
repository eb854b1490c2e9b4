#include "proxmox/settings.hpp"

#include <gtest/gtest.h>

#include "base/format.hpp"
#include "proxmox/refusals.hpp"

namespace hal0::proxmox {
namespace {

constexpr std::string_view secret = "3f1b2c4d-aaaa-bbbb-cccc-0123456789ab";

std::string file(std::string_view endpoint = "https://pve.lan:8006", std::string_view more = "") {
    return format(R"({{"endpoint": "{}", "token": {{"id": "hal0@pve!memory", "secret": "{}"}}{}}})", endpoint,
                  secret, more);
}

TEST(Settings, SayWhereAndWithWhichToken) {
    auto const settings = decode_settings(file("https://pve.lan", R"(, "vmid": 101)")).value();
    EXPECT_EQ(settings.endpoint, "https://pve.lan:8006");
    EXPECT_EQ(settings.authorization().reveal(), format("PVEAPIToken=hal0@pve!memory={}", secret));
    EXPECT_EQ(settings.vmid, 101);
    EXPECT_FALSE(settings.ca_file || settings.fingerprint) << "neither: the system's authorities are trusted";
    EXPECT_EQ(decode_settings(file("https://[fe80::1]:443/")).value().endpoint, "https://[fe80::1]:443");
    auto const ca = decode_settings(file("https://10.0.0.1", R"(, "ca_file": "/etc/hal0/pve.pem")")).value();
    EXPECT_EQ(ca.ca_file, "/etc/hal0/pve.pem");
}

TEST(Settings, AFingerprintIsTakenAsPeopleWriteIt) {
    std::string plain;
    std::string coloned;
    for (int i = 0; i < 32; ++i) {
        plain += "a5";
        coloned += i == 0 ? "A5" : ":A5";
    }
    EXPECT_EQ(fingerprint_of(plain), coloned);
    EXPECT_EQ(fingerprint_of(coloned), coloned);
    EXPECT_EQ(fingerprint_of(plain.substr(2)), std::nullopt);
    EXPECT_EQ(fingerprint_of(plain.substr(1) + "g"), std::nullopt);
    auto const settings =
        decode_settings(file("https://h", format(R"(, "fingerprint": "{}")", plain))).value();
    EXPECT_EQ(settings.fingerprint, coloned);
}

struct Fault {
    std::string text{};
    std::string says{};
};

// Every fault names its key, and none its value: that may be the token, put into the wrong place.
TEST(Settings, AFaultNamesItsKeyAndNothingOfTheToken) {
    auto const token = [](std::string_view id, std::string_view value) {
        return format(R"({{"endpoint": "https://h", "token": {{"id": "{}", "secret": "{}"}}}})", id, value);
    };
    std::vector<Fault> const faults{
        {"", "not JSON at byte 0"},
        {"[]", "the body must be an object"},
        {file() + "x", "not JSON at byte"},
        {R"({"endpoint": "https://h"})", "'token' is missing"},
        {format(R"({{"endpoint": "https://h", "token": "hal0@pve!memory={}"}})", secret),
         "token must be an object"},
        {format(R"({{"endpoint": "https://h", "token": {{"secret": "{}"}}}})", secret),
         "'token.id' is missing"},
        {token("hal0", secret), "'token.id' must be"},
        {token("hal0@pve", secret), "'token.id' must be"},
        {token(format("hal0@pve!memory={}", secret), secret), "'token.id' must be"},
        {token("hal0@pve!memory", "short"), "'token.secret' must be"},
        {token("hal0@pve!memory", format("{}\\r\\nX: y", secret)), "'token.secret' must be"},
        {file("http://h"), "'endpoint' must be"},
        {file(format("https://hal0:{}@h", secret)), "'endpoint' must be"},
        {file("https://h/path"), "'endpoint' must be"},
        {file("https://h:0"), "'endpoint' must be"},
        {file("https://"), "'endpoint' must be"},
        {file("https://h", R"(, "verify": false)"), "there is no 'verify' here"},
        {file("https://h", R"(, "vmid": "101")"), "vmid must be a whole number"},
        {file("https://h", R"(, "vmid": 7)"), "'vmid' must be a number from 100"},
        {file("https://h", R"(, "ca_file": "pve.pem")"), "'ca_file' must be"},
        {file("https://h", R"(, "fingerprint": "AB:CD")"), "'fingerprint' must be"},
        {file("https://h", R"(, "ca_file": "/x", "fingerprint": "AB")"), "exclude each other"},
    };
    for (auto const& fault : faults) {
        auto const settings = decode_settings(fault.text);
        ASSERT_FALSE(settings.ok()) << fault.text;
        auto const& error = settings.error();
        EXPECT_EQ(error.kind, Errc::Invalid) << fault.text;
        EXPECT_NE(error.message.find(fault.says), std::string::npos) << fault.text << "\n" << error.message;
        EXPECT_EQ(error.message.find(secret), std::string::npos) << error.message;
    }
}

TEST(Refusals, SayWhatToDo) {
    auto const settings = decode_settings(file()).value();
    auto const said = [&settings](long status, std::string_view reason) {
        auto const error = refusal(status, reason, settings);
        return format("{}: {}", errc_name(error.kind), error.message);
    };
    EXPECT_EQ(
        said(401, "no such token 'memory' for user 'hal0@pve'"),
        "unauthorized: Proxmox refuses the token 'hal0@pve!memory' (401 no such token 'memory' for user "
        "'hal0@pve'): its secret is another, or it has expired or was removed; make a new one");
    EXPECT_EQ(
        said(403, "Permission check failed (/nodes/pve, Sys.Audit)"),
        "forbidden: Proxmox lets the token 'hal0@pve!memory' not look there (403 Permission check failed "
        "(/nodes/pve, Sys.Audit)): it and its user need the role PVEAuditor on '/'");
    EXPECT_EQ(said(595, "No route to host"),
              "unavailable: https://pve.lan:8006 doesn't reach this guest's node (595 No route to host)");
    EXPECT_EQ(said(301, ""),
              "invalid: https://pve.lan:8006 answers 301: it sends on to another address, which "
              "isn't followed; mend 'endpoint'");
    EXPECT_EQ(said(500, "a\x1b[2J\xff"), "unavailable: https://pve.lan:8006 answers 500 a?[2J?");
}

}  // namespace
}  // namespace hal0::proxmox
