#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <numeric>

#include "body.hpp"
#include "vectors.hpp"

namespace fake {
namespace {

constexpr std::string_view id = "chatcmpl-FakeFakeFakeFakeFakeFakeFakeFake";

struct Work {  // a generation request, whichever shape it came in
    json::object body{};
    std::string prompt{};
    long prompt_tokens{0};
    long tokens{0};  // of the answer
    bool stream{false};
    std::vector<std::string> pieces{};
};

// Of numbers in a row, which is all that this one can go on with; 0 where it is something else.
long last_number(std::string_view prompt) {
    if (prompt.empty() || prompt.find_first_not_of("0123456789, ") != std::string_view::npos) return 0;
    auto const start = prompt.find_last_of(' ') + 1;  // 0 where there is no blank
    return std::strtol(std::string{prompt.substr(start)}.c_str(), nullptr, 10);
}

Work read_work(Setup const& setup, json::object body, char const* prompt_name) {
    Work work{.body = std::move(body)};
    collect_text(work.body[prompt_name], work.prompt);
    work.prompt_tokens = count_tokens(work.prompt);
    long wanted = setup.chunks;
    for (char const* name : {"max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict"}) {
        if (long const limit = whole(work.body, name, -1); limit >= 0) wanted = std::min(wanted, limit);
    }
    work.tokens = wanted;
    work.stream = flag(work.body, "stream");
    long const last = last_number(work.prompt);
    for (long i = 0; i < wanted; ++i) {
        std::string piece = last > 0 ? " " + std::to_string(last + 1 + i)
                            : i == 0 ? setup.alias
                                     : " word" + std::to_string(i);
        if (setup.garbage == "1" || setup.garbage == "same") piece = "G";
        if (setup.garbage == "random") piece = " g" + std::to_string(i * 7919 % 1000);
        if (std::ssize(piece) < setup.chunk_bytes)
            piece.append(static_cast<std::size_t>(setup.chunk_bytes) - piece.size(), '.');
        work.pieces.push_back(std::move(piece));
    }
    return work;
}

std::string all_text(Work const& work) {
    return std::accumulate(work.pieces.begin(), work.pieces.end(), std::string{});
}

char const* finish_reason(Setup const& setup, Work const& work) {
    return work.tokens < setup.chunks ? "length" : "stop";
}

json::object usage(Work const& work) {
    return {{"completion_tokens", work.tokens},
            {"prompt_tokens", work.prompt_tokens},
            {"total_tokens", work.tokens + work.prompt_tokens},
            {"prompt_tokens_details", {{"cached_tokens", 0}}}};
}

json::object timings(Work const& work) {
    auto const prompt = static_cast<double>(std::max(work.prompt_tokens, 1L));
    auto const tokens = static_cast<double>(std::max(work.tokens, 1L));
    return {{"cache_n", 0},
            {"prompt_n", work.prompt_tokens},
            {"prompt_ms", prompt * 4.0},
            {"prompt_per_token_ms", 4.0},
            {"prompt_per_second", 250.0},
            {"predicted_n", work.tokens},
            {"predicted_ms", tokens * 5.0},
            {"predicted_per_token_ms", 5.0},
            {"predicted_per_second", 200.0}};
}

std::string event(json::object const& data, char const* name = nullptr) {
    return (name != nullptr ? std::string{"event: "} + name + "\n" : std::string{}) +
           "data: " + json::serialize(data) + "\n\n";
}

// ---- /v1/chat/completions and /v1/completions

json::object openai_head(Setup const& setup, char const* object) {
    return {{"created", std::time(nullptr)},
            {"id", id},
            {"model", setup.alias},
            {"system_fingerprint", "b0-fake"},
            {"object", object}};
}

json::object chat_chunk(Setup const& setup, json::value finish, json::object delta) {
    json::object chunk{
        {"choices", json::array{json::object{
                        {"finish_reason", std::move(finish)}, {"index", 0}, {"delta", std::move(delta)}}}}};
    for (auto const& pair : openai_head(setup, "chat.completion.chunk")) {
        chunk.insert(pair);
    }
    return chunk;
}

json::object text_chunk(Setup const& setup, json::value finish, std::string const& text) {
    json::object chunk{
        {"choices",
         json::array{json::object{
             {"text", text}, {"index", 0}, {"logprobs", nullptr}, {"finish_reason", std::move(finish)}}}}};
    for (auto const& pair : openai_head(setup, "text_completion")) {
        chunk.insert(pair);
    }
    return chunk;
}

void end_stream(Setup const& setup, Reply& reply, json::object last) {
    if (setup.end_without_done) return;
    reply.stream.push_back(event(last));
    reply.stream.emplace_back("data: [DONE]\n\n");
}

Reply chat_stream(Setup const& setup, Work const& work) {
    Reply reply{.type = "text/event-stream"};
    std::string first = event(chat_chunk(setup, nullptr, {{"role", "assistant"}, {"content", nullptr}}));
    for (std::string const& piece : work.pieces) {  // the role comes in one HTTP chunk with the first token
        reply.stream.push_back(first + event(chat_chunk(setup, nullptr, {{"content", piece}})));
        first.clear();
    }
    json::object last = chat_chunk(setup, finish_reason(setup, work), {});
    json::value const* options = work.body.if_contains("stream_options");
    if (options != nullptr && options->is_object() && flag(options->get_object(), "include_usage")) {
        if (!setup.end_without_done) first += event(last);
        last["choices"] = json::array{};
        last["usage"] = usage(work);
    }
    if (!first.empty()) reply.stream.push_back(first);
    last["timings"] = timings(work);
    end_stream(setup, reply, std::move(last));
    return reply;
}

Reply chat(Setup const& setup, Work const& work) {
    if (work.stream) return chat_stream(setup, work);
    json::object body{{"choices", json::array{json::object{
                                      {"finish_reason", finish_reason(setup, work)},
                                      {"index", 0},
                                      {"message", {{"role", "assistant"}, {"content", all_text(work)}}}}}}};
    for (auto const& pair : openai_head(setup, "chat.completion")) {
        body.insert(pair);
    }
    body["usage"] = usage(work);
    body["timings"] = timings(work);
    return plain(body);
}

Reply completion(Setup const& setup, Work const& work) {
    json::object last = text_chunk(setup, finish_reason(setup, work), work.stream ? "" : all_text(work));
    last["usage"] = usage(work);
    last["timings"] = timings(work);
    if (!work.stream) return plain(last);
    Reply reply{.type = "text/event-stream"};
    for (std::string const& piece : work.pieces) {
        reply.stream.push_back(event(text_chunk(setup, nullptr, piece)));
    }
    end_stream(setup, reply, std::move(last));
    return reply;
}

// ---- /completion, llama-server's own

json::array probabilities(Setup const& setup, Work const& work) {
    json::array places;
    for (std::string const& piece : work.pieces) {
        json::value const logprob = setup.garbage == "nan" ? json::value(nullptr) : json::value(-0.1);
        json::object token{{"id", tokenize(piece).front().id},
                           {"token", piece},
                           {"bytes", json::array(piece.begin(), piece.end())},
                           {"logprob", logprob}};
        json::object place = token;
        place["top_logprobs"] = json::array{token};
        places.emplace_back(std::move(place));
    }
    return places;
}

Reply native_completion(Setup const& setup, Work const& work) {
    json::object body{{"index", 0},
                      {"content", all_text(work)},
                      {"tokens", json::array{}},
                      {"stop", true},
                      {"model", setup.alias},
                      {"tokens_predicted", work.tokens},
                      {"tokens_evaluated", work.prompt_tokens},
                      {"prompt", work.prompt},
                      {"stop_type", work.tokens < setup.chunks ? "limit" : "eos"},
                      {"timings", timings(work)}};
    if (whole(work.body, "n_probs", 0) > 0) body["completion_probabilities"] = probabilities(setup, work);
    return plain(body);
}

// ---- /v1/messages (Anthropic) and /v1/responses (OpenAI): named events

Reply messages(Setup const& setup, Work const& work) {
    char const* stop = work.tokens < setup.chunks ? "max_tokens" : "end_turn";
    json::object tokens{{"cache_read_input_tokens", 0},
                        {"input_tokens", work.prompt_tokens},
                        {"output_tokens", work.stream ? 0 : work.tokens}};
    json::object message{{"id", id},
                         {"type", "message"},
                         {"role", "assistant"},
                         {"content", json::array{}},
                         {"model", setup.alias},
                         {"stop_reason", nullptr},
                         {"stop_sequence", nullptr},
                         {"usage", tokens}};
    if (!work.stream) {
        message["content"] = json::array{json::object{{"type", "text"}, {"text", all_text(work)}}};
        message["stop_reason"] = stop;
        return plain(message);
    }
    Reply reply{.type = "text/event-stream"};
    reply.stream.push_back(event({{"type", "message_start"}, {"message", message}}, "message_start") +
                           event({{"type", "content_block_start"},
                                  {"index", 0},
                                  {"content_block", {{"type", "text"}, {"text", ""}}}},
                                 "content_block_start"));
    for (std::string const& piece : work.pieces) {
        json::object delta{{"type", "text_delta"}, {"text", piece}};
        reply.stream.push_back(
            event({{"type", "content_block_delta"}, {"index", 0}, {"delta", delta}}, "content_block_delta"));
    }
    if (setup.end_without_done) return reply;
    reply.stream.push_back(event({{"type", "content_block_stop"}, {"index", 0}}, "content_block_stop") +
                           event({{"type", "message_delta"},
                                  {"delta", {{"stop_reason", stop}, {"stop_sequence", nullptr}}},
                                  {"usage", {{"output_tokens", work.tokens}}}},
                                 "message_delta") +
                           event({{"type", "message_stop"}}, "message_stop"));
    return reply;
}

Reply responses(Setup const& setup, Work const& work) {
    json::object part{{"type", "output_text"},
                      {"annotations", json::array{}},
                      {"logprobs", json::array{}},
                      {"text", all_text(work)}};
    json::object item{{"content", json::array{part}},
                      {"id", "msg_Fake"},
                      {"role", "assistant"},
                      {"status", "completed"},
                      {"type", "message"}};
    json::object whole_body{{"completed_at", std::time(nullptr)},
                            {"created_at", std::time(nullptr)},
                            {"id", "resp_Fake"},
                            {"model", setup.alias},
                            {"object", "response"},
                            {"output", json::array{item}},
                            {"status", "completed"},
                            {"usage",
                             {{"input_tokens", work.prompt_tokens},
                              {"output_tokens", work.tokens},
                              {"total_tokens", work.prompt_tokens + work.tokens},
                              {"input_tokens_details", {{"cached_tokens", 0}}}}}};
    if (!work.stream) return plain(whole_body);
    Reply reply{.type = "text/event-stream"};
    json::object const begun{{"id", "resp_Fake"}, {"object", "response"}, {"status", "in_progress"}};
    auto add = [&reply](char const* name, json::object const& data) {
        json::object told{{"type", name}};  // first, as llama-server has it
        for (auto const& pair : data) {
            told.insert(pair);
        }
        reply.stream.push_back(event(told, name));
    };
    add("response.created", {{"response", begun}});
    add("response.in_progress", {{"response", begun}});
    add("response.output_item.added", {{"item",
                                        {{"content", json::array{}},
                                         {"id", "msg_Fake"},
                                         {"role", "assistant"},
                                         {"status", "in_progress"},
                                         {"type", "message"}}}});
    add("response.content_part.added",
        {{"item_id", "msg_Fake"}, {"part", {{"type", "output_text"}, {"text", ""}}}});
    for (std::string const& piece : work.pieces) {
        add("response.output_text.delta", {{"item_id", "msg_Fake"}, {"delta", piece}});
    }
    if (setup.end_without_done) return reply;
    add("response.output_text.done", {{"item_id", "msg_Fake"}, {"text", all_text(work)}});
    add("response.content_part.done", {{"item_id", "msg_Fake"}, {"part", part}});
    add("response.output_item.done", {{"item", item}});
    whole_body.erase("completed_at");
    add("response.completed", {{"response", whole_body}, {"timings", timings(work)}});
    return reply;
}

}  // namespace

Reply generate(Setup const& setup, std::string const& path, json::object body) {
    bool const is_chat = path.ends_with("/chat/completions");
    bool const is_messages = path == "/v1/messages";
    bool const is_responses = path == "/v1/responses";
    char const* prompt = is_chat || is_messages ? "messages" : is_responses ? "input" : "prompt";
    if (!body.contains(prompt))
        return error(400, std::string{"'"} + prompt + "' is required", "invalid_request_error");
    Work const work = read_work(setup, std::move(body), prompt);
    if (long const most = setup.context_each(); work.prompt_tokens > most) {
        Reply reply = error(400,
                            "request (" + std::to_string(work.prompt_tokens) +
                                " tokens) exceeds the available context size (" + std::to_string(most) +
                                " tokens), try increasing it",
                            "exceed_context_size_error");
        json::value told = json::parse(reply.body);
        told.at("error").get_object()["n_prompt_tokens"] = work.prompt_tokens;
        told.at("error").get_object()["n_ctx"] = most;
        reply.body = json::serialize(told);
        return reply;
    }
    if (is_chat) return chat(setup, work);
    if (is_messages) return messages(setup, work);
    if (path == "/completion" && !work.stream) return native_completion(setup, work);
    return is_responses ? responses(setup, work) : completion(setup, work);
}

}  // namespace fake
