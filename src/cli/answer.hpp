#pragma once
// One answer of a model, shown as it comes. Part of chat.
#include <cstdint>
#include <optional>
#include <string>

#include "cli/daemon.hpp"
#include "cli/terminal.hpp"

namespace hal0::cli {

struct Heard {
    std::string content{};
    bool stopped{false};  // by Ctrl-C
    std::int64_t tokens{0};
    std::optional<Duration> first{};  // from the question to the first token
    Duration writing{};               // from the first token to the last
};
// "84 tokens, 41.3 tok/s, the first after 0.21 s"
std::string measures_of(Heard const& heard);

// Asks and writes the answer to the terminal as it comes. Ctrl-C stops the answer: what was written until
// then is given.
Result<Heard> hear(Terminal& terminal, Api const& api, std::string const& request);

}  // namespace hal0::cli
