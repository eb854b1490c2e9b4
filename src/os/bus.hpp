#pragma once
// D-Bus on our loop (sd-bus): calls whose replies come as events, and signals that others send. Basic values
// and dictionaries of them are understood, which is all that systemd's manager needs; the rest of a message
// is passed over.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "os/loop.hpp"
#include "os/places.hpp"

namespace hal0::os {

// D-Bus's own types, so that an argument is sent as just the one that its method takes.
using BusBasic = std::variant<std::string, bool, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>;
using BusFields = std::map<std::string, BusBasic>;  // a dictionary's members that are basic
using BusValue = std::variant<BusBasic, BusFields>;
using BusValues = std::vector<BusValue>;  // what a message says, in its order

// The text, number or dictionary at that place; empty, 0 or nothing where there is none of that kind.
std::string text_at(BusValues const& values, std::size_t at);
BusFields const* fields_at(BusValues const& values, std::size_t at);
std::optional<std::string> text_of(BusFields const& fields, std::string const& name);
std::optional<std::int64_t> number_of(BusFields const& fields, std::string const& name);

struct BusCall {
    std::string destination{};
    std::string path{};
    std::string interface{};
    std::string member{};
    std::vector<BusBasic> arguments{};
};

struct BusSignal {
    std::string sender{};
    std::string path{};
    std::string interface{};
    std::string member{};
};

// A call that was made or a signal that is listened to. Without it nobody is told any more; a call goes out
// all the same. It may be destroyed by whom it tells.
class BusHandle final : NoCopy {
  public:
    ~BusHandle();
    struct State;
    explicit BusHandle(std::unique_ptr<State> state);

  private:
    std::unique_ptr<State> state_;
};

// Where the buses of this machine and of a user are: sd-bus addresses, by the variables that D-Bus has for
// them, else at the usual place. A user's own is found without XDG_RUNTIME_DIR too, which sudo and cron lack.
std::string system_bus_address(Environment const& environment = environment_of_process);
std::string user_bus_address(unsigned uid, Environment const& environment = environment_of_process);

// `name` as the last part of an object's path below `parent`.
std::string bus_path(std::string const& parent, std::string const& name);

// One connection. Whom it tells may not destroy it.
class Bus final : NoCopy, FdHandler {
  public:
    // `lost` is called once, when the other side closed the connection: calls that wait for a reply have
    // failed by then, and nothing comes any more.
    static Result<std::unique_ptr<Bus>> open(Loop& loop, std::string const& address,
                                             std::function<void()> lost);
    ~Bus();

    using OnReply = std::function<void(Result<BusValues>)>;
    using OnSignal = std::function<void(BusValues const&)>;
    // Never answered from within. Timeout after 25 s. What can't even be sent is an Error here.
    Result<std::unique_ptr<BusHandle>> call(BusCall const& call, OnReply on_reply);
    Result<std::unique_ptr<BusHandle>> listen(BusSignal const& signal, OnSignal on_signal);
    // Waits for the answer on this thread. For the start of a program, before its loop runs.
    Result<BusValues> ask(BusCall const& call, Duration patience);

  private:
    struct Connection;
    Bus(Loop& loop, std::unique_ptr<Connection> connection, std::function<void()> lost);
    void on_ready(Ready ready) override;
    void process();
    void attend();  // to what the connection wants to be woken for now
    void close();

    Loop& loop_;
    std::unique_ptr<Connection> connection_;
    std::function<void()> lost_;
    int watched_{-1};
    Timer timer_;
    bool processing_{false};
};

}  // namespace hal0::os
