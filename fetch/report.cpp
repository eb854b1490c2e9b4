#include "fetch/report.hpp"

#include <chrono>
#include <cstdio>

#include "json/writer.hpp"

namespace hal0::fetch {
namespace {

constexpr std::chrono::milliseconds between_lines{250};

void say(json::Writer& line) {
    std::fputs((line.take() + "\n").c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace

void Report::progress(Bytes done, Bytes total) {
    auto const now = Clock::now();
    if (now < next_) return;
    next_ = now + between_lines;
    json::Writer line;
    line.begin_object().field("done", done.count).field("total", total.count).end_object();
    say(line);
}

void Report::failed(Error const& error) {
    json::Writer line;
    line.begin_object().field("error", errc_name(error.kind)).field("message", error.message).end_object();
    say(line);
    std::fprintf(stderr, "hal0-fetch: %s\n", error.message.c_str());
}

}  // namespace hal0::fetch
