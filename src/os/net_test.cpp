#include "os/net.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "os/file.hpp"
#include "os/loop.hpp"
#include "os/port_holder.hpp"
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
    auto const pid = std::to_string(::getpid());
    EXPECT_NE(second.error().message.find("hal0_os_test (process " + pid + ")"), std::string::npos)
        << second.error().message;
    EXPECT_EQ(find_port_holder(bound_address(first.get()).value())->pid, ::getpid());
}

TEST(Net, APortInUseOnAllAddressesIsFoundFromOne) {
    auto const all = listen_on(InetAddress{"0.0.0.0", 0}).value();
    auto const port = bound_address(all.get())->port;
    EXPECT_EQ(listen_on(InetAddress{"127.0.0.1", port}).error().kind, Errc::Conflict);
    EXPECT_EQ(find_port_holder({"127.0.0.1", port})->pid, ::getpid());
}

TEST(Net, Ipv6HasItsOwnHolder) {
    auto const first = listen_on(InetAddress{"::1", 0});
    if (!first) GTEST_SKIP() << "no IPv6 here: " << first.error().message;
    auto const address = bound_address(first->get()).value();
    EXPECT_EQ(find_port_holder(address)->pid, ::getpid());
    EXPECT_FALSE(find_port_holder({"127.0.0.1", address.port}).has_value());
}

TEST(Net, AcceptedConnectionsDoNotDelay) {
    auto const listener = listen_on(InetAddress{"127.0.0.1", 0}).value();
    auto const client = connect_to(bound_address(listener.get()).value()).value();
    UniqueFd server;
    while (!server.open())
        server = accept_one(listener.get()).value();
    int value = 0;
    socklen_t size = sizeof value;
    ASSERT_EQ(::getsockopt(server.get(), IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
    EXPECT_NE(value, 0);
}

TEST(Net, AResetIsNotTakenForAProperEnd) {
    auto const listener = listen_on(InetAddress{"127.0.0.1", 0}).value();
    auto client = connect_to(bound_address(listener.get()).value()).value();
    UniqueFd server;
    while (!server.open())
        server = accept_one(listener.get()).value();
    reset_on_close(client.get());
    client.reset();
    char byte = 0;
    Io got{.again = true};
    while (got.again)
        got = read_some(server.get(), &byte, 1);
    EXPECT_TRUE(got.closed);
    EXPECT_TRUE(got.fault);
    Slice const word{"x", 1};
    EXPECT_TRUE(write_some(server.get(), &word, 1).closed);  // and no SIGPIPE
}

TEST(Net, WritesSlicesInOneAndStopsWhenFull) {
    TestDir dir;
    auto const listener = listen_on(UnixAddress{dir / "s"}).value();
    auto const client = connect_to(UnixAddress{dir / "s"}).value();
    auto const server = accept_one(listener.get()).value();
    std::array<Slice, 3> const parts{{{"ab", 2}, {nullptr, 0}, {"c", 1}}};
    EXPECT_EQ(write_some(client.get(), parts.data(), parts.size()).count, 3U);
    std::array<char, 8> buffer{};
    EXPECT_EQ(read_some(server.get(), buffer.data(), buffer.size()).count, 3U);
    EXPECT_EQ(std::string_view(buffer.data(), 3), "abc");
    EXPECT_TRUE(read_some(server.get(), buffer.data(), buffer.size()).again);
    std::string const much(std::size_t{1} << 20, 'x');
    Slice const rest{much.data(), much.size()};
    Io wrote{};
    for (int i = 0; i < 100 && !wrote.again; ++i)
        wrote = write_some(client.get(), &rest, 1);
    EXPECT_TRUE(wrote.again);
}

TEST(Net, NobodyWaitingIsNoConnection) {
    auto const listener = listen_on(InetAddress{"127.0.0.1", 0}).value();
    EXPECT_FALSE(accept_one(listener.get())->open());
    EXPECT_FALSE(accept_one(-1).ok());
}

TEST(Net, AFileInTheWayOfASocketIsKept) {
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "s", "mine"));
    auto const failed = listen_on(UnixAddress{dir / "s"});
    EXPECT_EQ(failed.error().kind, Errc::Conflict);
    EXPECT_NE(failed.error().message.find("not a socket"), std::string::npos);
    EXPECT_EQ(read_file(dir / "s", 1_KiB).value(), "mine");
}

TEST(Net, ARefusedConnectIsToldWhenItEnds) {
    InetAddress address;
    {
        auto const gone = listen_on(InetAddress{"127.0.0.1", 0}).value();
        address = bound_address(gone.get()).value();
    }
    auto const client = connect_to(address);
    if (!client) {
        EXPECT_EQ(client.error().kind, Errc::Unavailable);
        return;
    }
    EXPECT_EQ(connect_result(client->get()).error().kind, Errc::Unavailable);
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

TEST(Net, AFullBacklogOfAUnixSocketIsBusy) {
    TestDir dir;
    UnixAddress const address{dir / "s"};
    auto const listener = listen_on(address, 0).value();
    std::vector<UniqueFd> waiting;
    auto one = connect_to(address);
    for (; one && waiting.size() < 100; one = connect_to(address))
        waiting.push_back(std::move(one).value());
    ASSERT_FALSE(one.ok());
    EXPECT_EQ(one.error().kind, Errc::Busy);
    while (accept_one(listener.get())->open()) {
    }
    EXPECT_TRUE(connect_to(address).ok());
}

TEST(Net, AfterEndSendingThePeersBytesStillCome) {
    TestDir dir;
    UnixAddress const address{dir / "s"};
    auto const listener = listen_on(address).value();
    auto const client = connect_to(address).value();
    auto const server = accept_one(listener.get()).value();
    end_sending(client.get());
    std::array<char, 8> buffer{};
    EXPECT_TRUE(read_some(server.get(), buffer.data(), buffer.size()).closed);
    Slice const late{"late", 4};
    EXPECT_EQ(write_some(server.get(), &late, 1).count, 4U);
    EXPECT_EQ(read_some(client.get(), buffer.data(), buffer.size()).count, 4U);
}

}  // namespace
}  // namespace hal0::os
