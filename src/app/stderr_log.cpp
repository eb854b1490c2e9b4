#include "app/stderr_log.hpp"

#include <chrono>
#include <cstdio>
#include <string>

#include "base/format.hpp"
#include "base/time.hpp"
#include "os/file.hpp"
#include "os/places.hpp"

namespace hal0::app {
namespace {

int journal_level(LogLevel level) {
    switch (level) {
        case LogLevel::Debug: return 7;
        case LogLevel::Info: return 6;
        case LogLevel::Warn: return 4;
        case LogLevel::Error: return 3;
    }
    return 6;
}

std::string_view level_name(LogLevel level) {
    switch (level) {
        case LogLevel::Debug: return "debug ";
        case LogLevel::Info: return "";
        case LogLevel::Warn: return "warning: ";
        case LogLevel::Error: return "error: ";
    }
    return "";
}

// JOURNAL_STREAM names the socket, "DEVICE:INODE" (sd-daemon(3)). That it is set says nothing: shells in
// terminals of a desktop session inherit it, and what they redirect is another file.
bool is_journal(std::string const& stream) {
    auto const file = os::status("/proc/self/fd/2");
    return file && stream == format("{}:{}", file->device, file->inode);
}

}  // namespace

StderrLog::StderrLog(LogLevel least)
    : least_{least}, journal_{is_journal(os::environment_of_process("JOURNAL_STREAM").value_or(""))} {}

void StderrLog::write(LogLevel level, std::string_view line) {
    auto const whole =
        journal_ ? format("<{}>{}\n", journal_level(level), line)
                 : format("{} {}{}\n", rfc3339(std::chrono::system_clock::now()), level_name(level), line);
    // stdio locks the stream, and an unbuffered one writes the whole piece in one call.
    (void)std::fwrite(whole.data(), 1, whole.size(), stderr);
}

}  // namespace hal0::app
