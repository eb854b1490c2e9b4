#include "cli/views.hpp"

#include <gtest/gtest.h>

#include "base/time.hpp"
#include "cli/fake_terminal.hpp"

namespace hal0::cli {
namespace {

WallTime const now = from_rfc3339("2025-01-31T10:00:00Z").value();

wire::SlotView slot(std::string name, std::string state, std::string cause) {
    wire::SlotView view;
    view.name = std::move(name);
    view.state = std::move(state);
    view.cause = std::move(cause);
    view.model = "größe-1b-instruct-q4";
    view.backend = "cpu";
    view.since = "2025-01-31T09:57:00Z";
    return view;
}

TEST(Views, SlotsAreATableAndBelowItStandsWhyOneIsNotReady) {
    auto ready = slot("primary", "ready", "loaded in 0.8 s");
    ready.memory = 300 << 20;
    ready.context = 4096;
    ready.in_flight = 2;
    ready.waiting = 1;
    auto const why =
        "its worker exited with code 1 while loading: out of memory; 'hal0 slot load embed' tries again";
    FakeTerminal terminal;
    EXPECT_EQ(slots_list(terminal, {ready}, now),
              "NAME     STATE  SINCE      MODEL                 ON   CONTEXT   MEMORY  BUSY\n"
              "primary  ready  3 min ago  größe-1b-instruct-q4  cpu     4096  300 MiB  2 +1\n");
    std::vector const slots{ready, slot("embed", "error", why)};
    EXPECT_EQ(
        slots_list(terminal, slots, now),
        "NAME     STATE  SINCE      MODEL                 ON   CONTEXT   MEMORY  BUSY\n"
        "primary  ready  3 min ago  größe-1b-instruct-q4  cpu     4096  300 MiB  2 +1\n"
        "embed    error  3 min ago  größe-1b-instruct-q4  cpu        -        -     0\n"
        "\nembed: its worker exited with code 1 while loading: out of memory; 'hal0 slot load embed' tries "
        "again\n");
    terminal.tty = true;
    terminal.columns = 70;
    EXPECT_EQ(slots_list(terminal, slots, now),
              "NAME     STATE  SINCE      MODEL           ON   CONTEXT   MEMORY  BUSY\n"
              "primary  ready  3 min ago  größe-1b-inst…  cpu     4096  300 MiB  2 +1\n"
              "embed    error  3 min ago  größe-1b-inst…  cpu        -        -     0\n"
              "\nembed: its worker exited with code 1 while loading: out of memory;\n"
              "  'hal0 slot load embed' tries again\n");
}

TEST(Views, AModelsFaultStandsWhereItIsLookedFor) {
    wire::ModelView model;
    model.id = "m";
    model.state = "damaged";
    model.fault = "m.gguf is missing";
    FakeTerminal terminal;
    EXPECT_TRUE(models_list(terminal, {model}).ends_with("\nm: m.gguf is missing\n"));
    EXPECT_NE(details(terminal, model).find("state  damaged: m.gguf is missing"), std::string::npos)
        << details(terminal, model);
}

}  // namespace
}  // namespace hal0::cli
