#include "cli/chat.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/answer.hpp"
#include "cli/text.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace hal0::cli {
namespace {

constexpr Bytes piped_max = 16_MiB;
constexpr std::string_view prompt = "> ", block_prompt = ". ";
constexpr std::string_view block_mark = "\"\"\"";
// What a terminal hands on of one line at most; it drops the rest (N_TTY in termios(3)).
constexpr std::size_t typed_line_max = 4095;

// Slots are asked for by a name that no model id can have.
std::string model_of(Arguments const& arguments) {
    if (arguments.has("slot")) return format("hal0/{}", arguments.text("slot"));
    return arguments.text("model");
}

class Conversation final : NoCopy {
  public:
    Conversation(Context& context, Api const& api, ChatOptions options)
        : context_{context}, api_{api}, options_{std::move(options)} {}

    void begin_with(std::string const& system) {
        messages_.clear();
        if (!system.empty()) messages_.push_back({"system", system});
    }

    [[nodiscard]] bool goes_on() const {
        return std::any_of(messages_.begin(), messages_.end(),
                           [](Message const& message) { return message.role == "assistant"; });
    }

    Result<Heard> ask(std::string text) {
        messages_.push_back({"user", std::move(text)});
        auto heard = hear(context_.terminal, api_, chat_request(options_, messages_));
        if (heard && !heard->content.empty()) {
            messages_.push_back({"assistant", heard->content});
        } else {
            messages_.pop_back();  // a question without an answer would only confuse the next one
        }
        return heard;
    }

  private:
    Context& context_;
    Api const& api_;
    ChatOptions options_;
    std::vector<Message> messages_{};
};

void tell_measures(Terminal& terminal, Heard const& heard) {
    terminal.err(format("{}\n", painted(terminal, Stream::Err, measures_of(heard), Style::Dim)));
}

Result<int> ask_once(Conversation& conversation, Terminal& terminal, std::string text) {
    HAL0_TRY(heard, conversation.ask(std::move(text)));
    if (!heard.content.ends_with('\n')) terminal.out("\n");
    if (terminal.is_tty(Stream::Err)) tell_measures(terminal, heard);
    return heard.stopped ? exit_interrupted : exit_ok;
}

// A question as it is typed or pasted: one line, or the lines between two marks. Invalid: it is not all
// there.
Result<os::Typed> read_question(Terminal& terminal) {
    auto const read = [&](std::string_view with) {
        return terminal.read_line(painted(terminal, Stream::Out, with, Style::Bold));
    };
    HAL0_TRY(typed, read(prompt));
    bool is_cut = typed.line.size() >= typed_line_max;
    bool inside = trim(typed.line) == block_mark;
    if (inside) typed.line.clear();
    while (inside) {
        HAL0_TRY(next, read(block_prompt));
        if (next.kind != os::Typed::Kind::Line) return next;
        inside = trim(next.line) != block_mark;
        if (inside) typed.line += next.line + "\n";
        is_cut = is_cut || next.line.size() >= typed_line_max;
    }
    if (!is_cut) return typed;
    return Error{Errc::Invalid,
                 format("the terminal cut a line of that at {} bytes, so it wasn't asked; put it "
                        "into a file: hal0 chat \"Summarise this:\" - < FILE",
                        typed_line_max)};
}

// A conversation grows until its model can't hold it any more; then every further question fails.
void tell_fault(Terminal& terminal, Conversation const& conversation, Error const& error) {
    bool const grown = error.kind == Errc::TooLarge && conversation.goes_on();
    auto const hint =
        grown ? "; the conversation has become too long for this model: /new begins another" : "";
    terminal.err(format("{}\n", painted(terminal, Stream::Err, printable(error.message + hint), Style::Bad)));
}

Result<int> talk(Conversation& conversation, Terminal& terminal, std::string const& system) {
    auto const dim = [&](std::string_view text) {
        terminal.err(format("{}\n", painted(terminal, Stream::Err, text, Style::Dim)));
    };
    dim("Ctrl-C stops an answer, Ctrl-D ends; /new forgets what was said.");
    dim("A question of several lines stands between two lines of \"\"\".");
    while (true) {
        auto const read = read_question(terminal);
        if (!read && read.error().kind != Errc::Invalid) return read.error();
        if (!read) {
            tell_fault(terminal, conversation, read.error());
            continue;
        }
        auto const& typed = *read;
        if (typed.kind == os::Typed::Kind::Interrupted) terminal.out("\n");
        if (typed.kind == os::Typed::Kind::End) break;
        auto const line = trim(typed.line);
        if (typed.kind == os::Typed::Kind::Interrupted || line.empty()) continue;
        if (line == "/exit" || line == "/quit" || line == "/bye") return exit_ok;
        if (line == "/new") {
            conversation.begin_with(system);
            dim("a new conversation");
            continue;
        }
        auto const heard = conversation.ask(std::string{line});
        if (!heard) {
            tell_fault(terminal, conversation, heard.error());
            continue;
        }
        terminal.out("\n");
        tell_measures(terminal, *heard);
    }
    terminal.out("\n");
    return exit_ok;
}

Result<std::string> piped(Terminal& terminal) {
    HAL0_TRY(text, terminal.read_all(piped_max));
    if (!valid_utf8(text)) return Error{Errc::Invalid, "the input is not UTF-8 text"};
    if (trim(text).empty()) return Error{Errc::Invalid, "there is nothing to ask: the input is empty"};
    return std::string{trim(text)};
}

// What is asked when nobody types: the words of the command line, "-" among them standing for the input, or
// the input alone. Empty: somebody types. With words, the input is read only when asked for: it may be a pipe
// that never ends.
Result<std::string> question_of(Arguments const& arguments, Terminal& terminal) {
    auto words = arguments.all("MESSAGE");
    if (words.empty() && terminal.is_tty(Stream::In)) return std::string{};
    if (words.empty()) words.emplace_back("-");
    auto const dash = std::find(words.begin(), words.end(), "-");
    if (dash != words.end()) {
        HAL0_TRY(text, piped(terminal));
        *dash = words.size() == 1 ? text : format("\n\n{}\n\n", text);
    }
    std::string question{trim(join(words, " "))};
    if (question.empty()) return Error{Errc::Invalid, "there is nothing to ask"};
    return question;
}

json::Value const* first_of(json::Value const* list) {
    auto const* array = list == nullptr ? nullptr : std::get_if<json::Value::Array>(&list->data);
    return array == nullptr || array->empty() ? nullptr : &array->front();
}

std::string text_in(json::Value const& value, std::string_view name) {
    auto const* member = value.find(name);
    auto const* text = member == nullptr ? nullptr : std::get_if<std::string>(&member->data);
    return text == nullptr ? std::string{} : *text;
}

}  // namespace

std::string chat_request(ChatOptions const& options, std::vector<Message> const& messages) {
    json::Writer out;
    out.begin_object();
    if (!options.model.empty()) out.field("model", options.model);
    if (options.max_tokens) out.field("max_tokens", *options.max_tokens);
    out.key("messages").begin_array();
    for (auto const& message : messages)
        out.begin_object().field("role", message.role).field("content", message.content).end_object();
    out.end_array().field("stream", true);
    out.key("stream_options").begin_object().field("include_usage", true).end_object();
    out.end_object();
    return out.take();
}

Delta read_delta(std::string_view data) {
    Delta delta;
    auto const value = json::parse(data);
    if (!value) return delta;  // "[DONE]"
    if (auto const* error = value->find("error")) delta.fault = text_in(*error, "message");
    if (auto const* choice = first_of(value->find("choices"))) {
        if (auto const* piece = choice->find("delta")) {
            delta.content = text_in(*piece, "content");
            delta.reasoning = text_in(*piece, "reasoning_content");
        }
    }
    if (auto const* usage = value->find("usage")) {
        auto const* tokens = usage->find("completion_tokens");
        auto const* count = tokens == nullptr ? nullptr : std::get_if<std::int64_t>(&tokens->data);
        if (count != nullptr) delta.tokens = *count;
    }
    return delta;
}

Result<int> chat(Arguments const& arguments, Context& context) {
    if (arguments.has("slot") && arguments.has("model"))
        return misused(context, "--slot and --model can't be given together; see 'hal0 help chat'");
    auto& terminal = context.terminal;
    HAL0_TRY(api, context.api());
    HAL0_TRY(question, question_of(arguments, terminal));
    Conversation conversation{context, api, {model_of(arguments), arguments.number("max-tokens")}};
    conversation.begin_with(arguments.text("system"));
    if (!question.empty()) return ask_once(conversation, terminal, std::move(question));
    HAL0_TRY(runs, context.runs(api));
    if (!runs) return not_running(api.daemon());
    return talk(conversation, terminal, arguments.text("system"));
}

}  // namespace hal0::cli
