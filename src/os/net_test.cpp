#include "os/net.hpp"

#include <gtest/gtest.h>

#include <array>

#include "os/file.hpp"
#include "os/loop.hpp"
#include "os/test_dir.hpp"

namespace hal0::os {
namespace {

using namespace std::chrono_literals;

TEST(Address, ParsesAndPrints) {
    EXPECT_EQ(to_string(parse_address("localhost:80").value()), "127.0.0.1:80");
    EXPECT_EQ(to_string(parse_address("[::1]:8080").value()), "[::1]:8080");
    EXPECT_EQ(to_string(parse_address("unix:/run/x y.sock").value()), "unix:/run/x y.sock");
    for (auto const* bad :
         {"", "8080", "127.0.0.1", "127.0.0.1:99999", "example.com:80", "unix:", "1.2.3.4:-1"}) {
        EXPECT_FALSE(parse_address(bad).ok()) << bad;
    }
    EXPECT_FALSE(parse_address("unix:/" + std::string(200, 'x')).ok());
}

TEST(Address, KnowsLoopback) {
    for (auto const* local : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/x"}) {
        EXPECT_TRUE(is_loopback(parse_address(local).value())) << local;
    }
    for (auto const* other : {"0.0.0.0:1", "192.168.0.2:1", "[::]:1"}) {
        EXPECT_FALSE(is_loopback(parse_address(other).value())) << other;
    }
}

void exchange_a_byte(Address const& address, int listener) {
    auto client = connect_to(address).value();
    UniqueFd server;
    while (!server.open())
        server = accept_one(listener).value();
    Slice const hello{"hi", 2};
    EXPECT_EQ(write_some(client.get(), &hello, 1).count, 2U);
    std::array<char, 8> buffer{};
    Io got{.again = true};
    while (got.again)
        got = read_some(server.get(), buffer.data(), buffer.size());
    EXPECT_EQ(got.count, 2U);
    client.reset();
    got = {.again = true};
    while (got.again)
        got = read_some(server.get(), buffer.data(), buffer.size());
    EXPECT_TRUE(got.closed);
}

TEST(Net, TcpAndUnixCarryBytes) {
    auto const tcp = listen_on(InetAddress{"127.0.0.1", 0}).value();
    exchange_a_byte(bound_address(tcp.get()).value(), tcp.get());
    TestDir dir;
    auto const un = listen_on(UnixAddress{dir / "s"}).value();
    exchange_a_byte(UnixAddress{dir / "s"}, un.get());
}

TEST(Net, APortInUseIsAConflict) {
    auto const first = listen_on(InetAddress{"127.0.0.1", 0}).value();
    auto const second = listen_on(bound_address(first.get()).value());
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind, Errc::Conflict);
}

TEST(Net, AStaleSocketIsReplacedALiveOneIsNot) {
    TestDir dir;
    UnixAddress const address{dir / "s"};
    {
        auto const gone = listen_on(address).value();
    }
    EXPECT_TRUE(exists(address.path));
    auto const alive = listen_on(address);
    ASSERT_TRUE(alive.ok());
    EXPECT_EQ(listen_on(address).error().kind, Errc::Conflict);
}

TEST(Net, ConnectingToNobodyIsUnavailable) {
    TestDir dir;
    UnixAddress const address{dir / "s"};
    {
        auto const gone = listen_on(address).value();
    }
    EXPECT_EQ(connect_to(address).error().kind, Errc::Unavailable);
    EXPECT_EQ(connect_to(UnixAddress{dir / "none"}).error().kind, Errc::NotFound);
}

}  // namespace
}  // namespace hal0::os
