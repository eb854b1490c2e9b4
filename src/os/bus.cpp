#include "os/bus.hpp"

#include <poll.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

constexpr std::size_t values_max = 64;    // of one message
constexpr std::size_t fields_max = 4096;  // of one dictionary: a unit has some 400 properties

struct MessageDeleter {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageDeleter>;

struct KindOfName {
    std::string_view name;
    Errc kind;
};
constexpr std::string_view dbus_error = "org.freedesktop.DBus.Error.";
constexpr std::array kinds_of_names{
    KindOfName{"org.freedesktop.DBus.Error.AccessDenied", Errc::Forbidden},
    KindOfName{"org.freedesktop.DBus.Error.AuthFailed", Errc::Forbidden},
    KindOfName{"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", Errc::Forbidden},
    KindOfName{"org.freedesktop.DBus.Error.NoReply", Errc::Timeout},
    KindOfName{"org.freedesktop.DBus.Error.Timeout", Errc::Timeout},
    KindOfName{"org.freedesktop.DBus.Error.TimedOut", Errc::Timeout},
    KindOfName{"org.freedesktop.DBus.Error.ServiceUnknown", Errc::Unavailable},
    KindOfName{"org.freedesktop.DBus.Error.NameHasNoOwner", Errc::Unavailable},
    KindOfName{"org.freedesktop.DBus.Error.Disconnected", Errc::Unavailable},
    KindOfName{"org.freedesktop.DBus.Error.InvalidArgs", Errc::Invalid},
    KindOfName{"org.freedesktop.systemd1.NoSuchUnit", Errc::NotFound},
    KindOfName{"org.freedesktop.systemd1.UnitMasked", Errc::Conflict},
};

Error error_of(sd_bus_error const& said, std::string const& doing) {
    std::string_view const name = said.name != nullptr ? said.name : "";
    auto const* const known = std::find_if(kinds_of_names.begin(), kinds_of_names.end(),
                                           [name](KindOfName const& entry) { return entry.name == name; });
    auto const kind = known != kinds_of_names.end() ? known->kind : Errc::Io;
    auto const words = said.message != nullptr        ? std::string{said.message}
                       : name.starts_with(dbus_error) ? std::string{name.substr(dbus_error.size())}
                                                      : std::string{name};
    return in_context(doing, {kind, words});
}

Error bus_error(int negative, std::string const& doing) { return errno_error(-negative, doing); }

// ---- reading

template <class Wire, class Value> bool read_as(sd_bus_message* message, char type, BusBasic& into) {
    Wire wire{};
    if (sd_bus_message_read_basic(message, type, &wire) <= 0) return false;
    into = static_cast<Value>(wire);
    return true;
}

bool read_text(sd_bus_message* message, char type, BusBasic& into) {
    char const* text = nullptr;
    if (sd_bus_message_read_basic(message, type, static_cast<void*>(&text)) <= 0) return false;
    into = std::string{text};
    return true;
}

// False where it is none that we understand, which is then still to be passed over.
bool read_basic(sd_bus_message* message, char type, BusBasic& into) {
    switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE: return read_text(message, type, into);
        case SD_BUS_TYPE_BOOLEAN: return read_as<int, bool>(message, type, into);
        case SD_BUS_TYPE_BYTE: return read_as<std::uint8_t, std::uint32_t>(message, type, into);
        case SD_BUS_TYPE_INT16: return read_as<std::int16_t, std::int32_t>(message, type, into);
        case SD_BUS_TYPE_UINT16: return read_as<std::uint16_t, std::uint32_t>(message, type, into);
        case SD_BUS_TYPE_INT32: return read_as<std::int32_t, std::int32_t>(message, type, into);
        case SD_BUS_TYPE_UINT32: return read_as<std::uint32_t, std::uint32_t>(message, type, into);
        case SD_BUS_TYPE_INT64: return read_as<std::int64_t, std::int64_t>(message, type, into);
        case SD_BUS_TYPE_UINT64: return read_as<std::uint64_t, std::uint64_t>(message, type, into);
        default: return false;
    }
}

// A dictionary's value; nothing where it isn't a basic one.
std::optional<BusBasic> read_variant(sd_bus_message* message) {
    char const* contents = nullptr;
    char type = 0;
    if (sd_bus_message_peek_type(message, &type, &contents) <= 0) return std::nullopt;
    BusBasic value;
    bool const basic = contents != nullptr && contents[0] != '\0' && contents[1] == '\0';
    if (!basic || sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents) <= 0) {
        sd_bus_message_skip(message, "v");
        return std::nullopt;
    }
    char const of = *contents;
    bool const known = read_basic(message, of, value);
    if (!known) sd_bus_message_skip(message, std::array{of, '\0'}.data());
    sd_bus_message_exit_container(message);
    return known ? std::optional{std::move(value)} : std::nullopt;
}

BusFields read_fields(sd_bus_message* message) {
    BusFields fields;
    if (sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}") <= 0) return fields;
    while (fields.size() < fields_max && sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        char const* name = nullptr;
        if (sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, static_cast<void*>(&name)) <= 0) break;
        if (auto value = read_variant(message)) fields.emplace(name, *std::move(value));
        sd_bus_message_exit_container(message);
    }
    sd_bus_message_exit_container(message);
    return fields;
}

BusValues read_values(sd_bus_message* message) {
    BusValues values;
    char type = 0;
    char const* contents = nullptr;
    while (values.size() < values_max && sd_bus_message_peek_type(message, &type, &contents) > 0) {
        bool const dictionary =
            type == SD_BUS_TYPE_ARRAY && contents != nullptr && std::string_view{contents} == "{sv}";
        BusBasic basic;
        if (dictionary) {
            values.emplace_back(read_fields(message));
        } else if (contents == nullptr && read_basic(message, type, basic)) {
            values.emplace_back(std::move(basic));
        } else if (sd_bus_message_skip(message, nullptr) < 0) {
            break;
        } else {
            values.emplace_back(BusFields{});  // keeps the places of those behind it
        }
    }
    return values;
}

// ---- writing

int append(sd_bus_message* message, BusBasic const& value) {
    struct Append {
        sd_bus_message* message;
        int operator()(std::string const& text) const {
            return sd_bus_message_append_basic(message, SD_BUS_TYPE_STRING, text.c_str());
        }
        int operator()(bool truth) const {
            int const wire = truth ? 1 : 0;
            return sd_bus_message_append_basic(message, SD_BUS_TYPE_BOOLEAN, &wire);
        }
        int operator()(std::int32_t number) const {
            return sd_bus_message_append_basic(message, SD_BUS_TYPE_INT32, &number);
        }
        int operator()(std::uint32_t number) const {
            return sd_bus_message_append_basic(message, SD_BUS_TYPE_UINT32, &number);
        }
        int operator()(std::int64_t number) const {
            return sd_bus_message_append_basic(message, SD_BUS_TYPE_INT64, &number);
        }
        int operator()(std::uint64_t number) const {
            return sd_bus_message_append_basic(message, SD_BUS_TYPE_UINT64, &number);
        }
    };
    return std::visit(Append{message}, value);
}

std::string doing(BusCall const& call) { return format("asking {} for {}", call.destination, call.member); }

Result<Message> written(sd_bus* bus, BusCall const& call) {
    sd_bus_message* made = nullptr;
    int failed = sd_bus_message_new_method_call(bus, &made, call.destination.c_str(), call.path.c_str(),
                                                call.interface.c_str(), call.member.c_str());
    Message message{made};
    for (auto const& argument : call.arguments) {
        if (failed >= 0) failed = append(message.get(), argument);
    }
    if (failed < 0) return bus_error(failed, doing(call));
    return message;
}

std::string match_of(BusSignal const& signal) {
    return format("type='signal',sender='{}',path='{}',interface='{}',member='{}'", signal.sender,
                  signal.path, signal.interface, signal.member);
}

std::string usual_bus(unsigned uid) { return format("unix:path=/run/user/{}/bus", uid); }

}  // namespace

// ---- values

std::string text_at(BusValues const& values, std::size_t at) {
    auto const* const basic = at < values.size() ? std::get_if<BusBasic>(&values[at]) : nullptr;
    auto const* const text = basic != nullptr ? std::get_if<std::string>(basic) : nullptr;
    return text != nullptr ? *text : std::string{};
}

BusFields const* fields_at(BusValues const& values, std::size_t at) {
    return at < values.size() ? std::get_if<BusFields>(&values[at]) : nullptr;
}

std::optional<std::string> text_of(BusFields const& fields, std::string const& name) {
    auto const found = fields.find(name);
    auto const* const text = found != fields.end() ? std::get_if<std::string>(&found->second) : nullptr;
    return text != nullptr ? std::optional{*text} : std::nullopt;
}

std::optional<std::int64_t> number_of(BusFields const& fields, std::string const& name) {
    auto const found = fields.find(name);
    if (found == fields.end()) return std::nullopt;
    struct Number {
        std::optional<std::int64_t> operator()(std::string const&) const { return std::nullopt; }
        std::optional<std::int64_t> operator()(bool) const { return std::nullopt; }
        std::optional<std::int64_t> operator()(std::int32_t number) const { return number; }
        std::optional<std::int64_t> operator()(std::uint32_t number) const { return number; }
        std::optional<std::int64_t> operator()(std::int64_t number) const { return number; }
        std::optional<std::int64_t> operator()(std::uint64_t number) const {
            return static_cast<std::int64_t>(number);
        }
    };
    return std::visit(Number{}, found->second);
}

// ---- where

std::string system_bus_address(Environment const& environment) {
    return environment("DBUS_SYSTEM_BUS_ADDRESS").value_or("unix:path=/run/dbus/system_bus_socket");
}

std::string user_bus_address(unsigned uid, Environment const& environment) {
    return environment("DBUS_SESSION_BUS_ADDRESS").value_or(usual_bus(uid));
}

std::string bus_path(std::string const& parent, std::string const& name) {
    char* made = nullptr;
    if (sd_bus_path_encode(parent.c_str(), name.c_str(), &made) < 0) return {};
    std::string path{made};
    ::free(made);  // NOLINT: sd-bus says so
    return path;
}

// ---- who is told

struct BusHandle::State {
    Bus::OnReply on_reply{};
    Bus::OnSignal on_signal{};
    std::string doing{};
    sd_bus_slot* slot{nullptr};
    bool* destroyed{nullptr};  // set while it is told: where to say that it is gone

    ~State() {
        if (destroyed != nullptr) *destroyed = true;
        sd_bus_slot_unref(slot);
    }
    static int replied(sd_bus_message* message, void* data, sd_bus_error*) {
        auto& state = *static_cast<State*>(data);
        auto const on_reply = std::move(state.on_reply);
        auto const* const error = sd_bus_message_get_error(message);
        if (error != nullptr) {
            on_reply(error_of(*error, state.doing));
        } else {
            on_reply(read_values(message));
        }
        return 1;
    }
    static int signalled(sd_bus_message* message, void* data, sd_bus_error*) {
        auto& state = *static_cast<State*>(data);
        bool gone = false;
        state.destroyed = &gone;
        auto on_signal = std::move(state.on_signal);
        on_signal(read_values(message));
        if (gone) return 0;
        state.on_signal = std::move(on_signal);
        state.destroyed = nullptr;
        return 0;
    }
};

BusHandle::BusHandle(std::unique_ptr<State> state) : state_{std::move(state)} {}
BusHandle::~BusHandle() = default;

// ---- the connection

struct Bus::Connection {
    sd_bus* bus{nullptr};
    Connection() = default;
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;
    ~Connection() { sd_bus_close_unref(bus); }
};

Bus::Bus(Loop& loop, std::unique_ptr<Connection> connection, std::function<void()> lost)
    : loop_{loop},
      connection_{std::move(connection)},
      lost_{std::move(lost)},
      timer_{loop, [this] { process(); }} {}

Bus::~Bus() { close(); }

Result<std::unique_ptr<Bus>> Bus::open(Loop& loop, std::string const& address, std::function<void()> lost) {
    auto connection = std::make_unique<Connection>();
    int failed = sd_bus_new(&connection->bus);
    if (failed >= 0) failed = sd_bus_set_address(connection->bus, address.c_str());
    if (failed >= 0) failed = sd_bus_set_bus_client(connection->bus, 1);
    if (failed >= 0) failed = sd_bus_start(connection->bus);
    if (failed < 0) return bus_error(failed, format("connecting to the bus at {}", address));
    std::unique_ptr<Bus> bus{new Bus{loop, std::move(connection), std::move(lost)}};
    auto const fd = sd_bus_get_fd(bus->connection_->bus);
    if (fd < 0) return bus_error(fd, format("connecting to the bus at {}", address));
    HAL0_CHECK(loop.watch(fd, Ready::Read, Trigger::Level, *bus));
    bus->watched_ = fd;
    bus->attend();
    return bus;
}

Result<std::unique_ptr<BusHandle>> Bus::call(BusCall const& call, OnReply on_reply) {
    HAL0_TRY(message, written(connection_->bus, call));
    auto state = std::make_unique<BusHandle::State>();
    state->on_reply = std::move(on_reply);
    state->doing = doing(call);
    int const failed = sd_bus_call_async(connection_->bus, &state->slot, message.get(),
                                         BusHandle::State::replied, state.get(), 0);
    if (failed < 0) return bus_error(failed, doing(call));
    attend();
    return std::make_unique<BusHandle>(std::move(state));
}

Result<std::unique_ptr<BusHandle>> Bus::listen(BusSignal const& signal, OnSignal on_signal) {
    auto state = std::make_unique<BusHandle::State>();
    state->on_signal = std::move(on_signal);
    // Where the bus refuses it, sd-bus closes the connection: it is then lost, and said to be.
    int const failed = sd_bus_add_match_async(connection_->bus, &state->slot, match_of(signal).c_str(),
                                              BusHandle::State::signalled, nullptr, state.get());
    if (failed < 0) return bus_error(failed, format("listening to {}", signal.member));
    attend();
    return std::make_unique<BusHandle>(std::move(state));
}

Result<BusValues> Bus::ask(BusCall const& call, Duration patience) {
    HAL0_TRY(message, written(connection_->bus, call));
    auto const us = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
    sd_bus_error said{};
    sd_bus_message* reply = nullptr;
    int const failed =
        sd_bus_call(connection_->bus, message.get(), static_cast<std::uint64_t>(us), &said, &reply);
    Message const owned{reply};
    attend();
    if (failed >= 0) return read_values(reply);
    auto error =
        sd_bus_error_is_set(&said) != 0 ? error_of(said, doing(call)) : bus_error(failed, doing(call));
    sd_bus_error_free(&said);
    return error;
}

void Bus::on_ready(Ready) { process(); }

void Bus::process() {
    processing_ = true;
    int more = 1;
    while (more > 0)
        more = sd_bus_process(connection_->bus, nullptr);
    processing_ = false;
    if (more >= 0 && sd_bus_is_open(connection_->bus) > 0) return attend();
    close();
    if (auto const lost = std::exchange(lost_, {})) lost();
}

void Bus::attend() {
    if (processing_ || watched_ < 0) return;
    int const events = sd_bus_get_events(connection_->bus);
    if (events < 0) return timer_.start({});  // closed meanwhile: process() tells of it
    auto wanted = (events & POLLIN) != 0 ? Ready::Read : Ready::None;
    if ((events & POLLOUT) != 0) wanted = wanted | Ready::Write;
    loop_.rewatch(watched_, wanted, Trigger::Level, *this);
    std::uint64_t until_us = UINT64_MAX;  // of the monotonic clock, as ours; 0: at once
    bool const known = sd_bus_get_timeout(connection_->bus, &until_us) >= 0;
    if (!known || until_us == UINT64_MAX) return timer_.stop();
    TimePoint const until{std::chrono::microseconds{until_us}};
    timer_.start(until - loop_.now());
}

void Bus::close() {
    timer_.stop();
    if (watched_ >= 0) loop_.unwatch(watched_, *this);
    watched_ = -1;
}

}  // namespace hal0::os
