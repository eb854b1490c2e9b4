#pragma once
// `hal0 chat`: a conversation in the terminal, answers as they are written.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"

namespace hal0::cli {

struct Message {
    std::string role{};  // "system", "user", "assistant"
    std::string content{};
    bool operator==(Message const&) const = default;
};

// The body of POST /v1/chat/completions; an empty `model` leaves the choice to the daemon.
struct ChatOptions {
    std::string model{};                       // empty: whichever slot chats
    std::optional<std::int64_t> max_tokens{};  // of one answer
};
std::string chat_request(ChatOptions const& options, std::vector<Message> const& messages);

// What one event of the answer's stream brings.
struct Delta {
    std::string content{};
    std::string reasoning{};  // what the model thinks before it answers
    std::int64_t tokens{0};   // of the whole answer, in the event that tells them; else 0
    std::string fault{};      // the worker's or the gateway's own words when it broke off
    bool operator==(Delta const&) const = default;
};
Delta read_delta(std::string_view data);

Result<int> chat(Arguments const& arguments, Context& context);

}  // namespace hal0::cli
