// hal0-planner: says what the engine it was built with would allocate for a model, in bytes, and loads
// nothing.
//
//     hal0-planner [--size BYTES] FILE [[--size BYTES] FILE…]
//     hal0-planner --projector FILE
//
// FILE: a GGUF file, or all parts of a split one in their order. With --size it may hold only the beginning
// of a file of that size: the header is all that is read. Reads a request a line (request.hpp) from stdin,
// answers each with a line of JSON, and ends when stdin does:
//     {"context":4096,"context_per_sequence":4096,"output":196608,"buffers":[{"device":"Host","buffer":"CPU",
//      "model":97140480,"context":94371840,"compute":114294784,"largest":null},…]}
//     {"error":"…in the engine's own words","kind":"model"}    kinds: request, model, settings, engine
// Text is ASCII; what else a file's words hold is '?'. After kind engine (it aborted) the process ends.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "ggml-backend.h"
#include "oracle.hpp"
#include "projector.hpp"

namespace hal0::planner {
namespace {

// A file may claim a vocabulary of any size. The limit is on what is written privately: address space
// (RLIMIT_AS) is what GPU drivers reserve by the hundred gigabytes. The largest vocabularies take a few
// hundred megabytes.
constexpr rlim_t data_max = rlim_t{4} << 30;
constexpr rlim_t seconds_max =
    60;  // of processor time, for one request: a plan of the largest models takes one

void limit(decltype(RLIMIT_DATA) what, rlim_t soft) {
    rlimit present{};
    ::getrlimit(what, &present);
    present.rlim_cur = std::min(soft, present.rlim_max);
    ::setrlimit(what, &present);
}

void allow_another_request() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    limit(RLIMIT_CPU, static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + seconds_max);
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte > 0x7e) {
            out += '?';  // a hostile file's words pass through the engine's
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string text_of(std::optional<std::uint64_t> number) { return number ? std::to_string(*number) : "null"; }

std::string line_of(Plan const& plan) {
    std::string line = "{\"context\":" + std::to_string(plan.context);
    line += ",\"context_per_sequence\":" + std::to_string(plan.context_per_sequence);
    line += ",\"output\":" + text_of(plan.output) + ",\"buffers\":[";
    char const* separator = "";
    for (auto const& [device, buffer, bytes, largest] : plan.buffers) {
        line += separator;
        line += "{\"device\":" + quoted(device) + ",\"buffer\":" + quoted(buffer);
        line += ",\"model\":" + std::to_string(bytes.model) + ",\"context\":" + std::to_string(bytes.context);
        line += ",\"compute\":" + std::to_string(bytes.compute);
        line += ",\"largest\":" + text_of(largest == 0 ? std::nullopt : std::optional{largest}) + "}";
        separator = ",";
    }
    return line + "]}\n";
}

std::string line_of(std::string_view words, std::string_view kind) {
    return "{\"error\":" + quoted(words) + ",\"kind\":" + quoted(kind) + "}\n";
}

int answers = STDOUT_FILENO;

void write_line(std::string_view line) {
    while (!line.empty()) {
        auto const done = ::write(answers, line.data(), line.size());
        if (done <= 0) ::_exit(EXIT_FAILURE);  // nobody listens any more
        line.remove_prefix(static_cast<std::size_t>(done));
    }
}

// The engine gives up by abort(). Its words are an answer; a core dump and a debugger's backtrace are not.
[[noreturn]] void give_up(char const* words) {
    write_line(line_of(words, "engine"));
    ::_exit(EXIT_FAILURE);
}

[[noreturn]] void give_up_on_exception() {
    try {
        if (auto const thrown = std::current_exception()) std::rethrow_exception(thrown);
    } catch (std::exception const& exception) {
        give_up(exception.what());
    } catch (...) {
    }
    give_up("ended for an unknown reason");
}

void prepare_process() {
    // Engines and drivers write to stdout when it pleases them; what hal0 reads is ours alone.
    answers = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_DATA, data_max);
    ggml_set_abort_callback(&give_up);
    std::set_terminate(&give_up_on_exception);
    llama_log_set([](ggml_log_level, char const*, void*) {}, nullptr);
    ggml_backend_load_all();
    llama_backend_init();
}

// Who answers a request.
using Plans = std::function<Answer<Plan>(Request const&)>;

void answer(Plans const& plans, std::string_view line) {
    auto const parsed = parse_request(line);
    if (auto const* const fault = std::get_if<std::string>(&parsed))
        return write_line(line_of(*fault, "request"));
    auto const& request = std::get<Request>(parsed);
    allow_another_request();
    auto const plan = plans(request);
    if (plan.value) return write_line(line_of(*plan.value));
    write_line(line_of(plan.words, plan.fault == Fault::Model ? "model" : "settings"));
}

constexpr std::string_view projector_flag = "--projector";

// Nothing when they can't be read.
std::vector<ModelFile> files_from(int argc, char** argv) {
    std::vector<ModelFile> files;
    std::uint64_t size = 0;
    for (int i = 1; i < argc; ++i) {
        std::string_view const argument{argv[i]};
        if (argument == "--size" && i + 1 < argc) {
            std::string_view const text{argv[++i]};
            if (std::from_chars(text.data(), text.data() + text.size(), size).ec != std::errc{}) return {};
        } else if (argument.starts_with("--")) {
            return {};
        } else {
            files.push_back({.path = std::string{argument}, .size = size});
            size = 0;
        }
    }
    return files;
}

int run(int argc, char** argv) {
    bool const projects = argc == 3 && argv[1] == projector_flag;
    auto files = projects ? std::vector{ModelFile{.path = argv[2]}} : files_from(argc, argv);
    if (files.empty()) {
        std::cerr << "usage: hal0-planner [--size BYTES] FILE [[--size BYTES] FILE…]\n"
                     "       hal0-planner --projector FILE\n";
        return 2;
    }
    prepare_process();
    Oracle oracle{files};
    Plans plans = [&oracle](Request const& request) { return oracle.plan(request); };
    if (projects) plans = [&files](Request const& request) { return plan_projector(files.front(), request); };
    for (std::string line; std::getline(std::cin, line);)
        answer(plans, line);
    return EXIT_SUCCESS;
}

}  // namespace
}  // namespace hal0::planner

int main(int argc, char** argv) { return hal0::planner::run(argc, argv); }
