#include "faults.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

namespace fake {
namespace {

constexpr std::size_t gguf_header_bytes = 24;     // magic, version, tensor count, key count
constexpr std::streamoff tail_bytes_max = 65536;  // the FAKE lines stand in here

constexpr std::array known_keys{"ready-after-ms",
                                "listen-after-ms",
                                "die-before-ready",
                                "say",
                                "stdout-noise",
                                "ignore-term",
                                "grandchild-holds-stdout",
                                "grandchild-own-session",
                                "record",
                                "strict-args",
                                "rss-mib",
                                "dims",
                                "die-after-requests",
                                "die-on-request",
                                "die-how",
                                "die-mid-stream-after-chunks",
                                "die-mid-stream-where",
                                "close-mid-stream-after-chunks",
                                "error-mid-stream-after-chunks",
                                "end-without-done",
                                "chunks",
                                "chunk-bytes",
                                "slow-stream-ms",
                                "first-byte-after-ms",
                                "sse-ping",
                                "garbage",
                                "never-answer",
                                "hang-in-head",
                                "wrong-content-length",
                                "malformed-head",
                                "huge-head",
                                "close-without-answer",
                                "reset-without-answer",
                                "status",
                                "only-request",
                                "stale-keep-alive",
                                "keep-alive-max",
                                "keep-alive-idle-ms"};

std::string tail_of(std::string const& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) throw std::runtime_error("failed to open model file '" + path + "'");
    std::string head(gguf_header_bytes, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    if (file.gcount() < static_cast<std::streamsize>(gguf_header_bytes) || !head.starts_with("GGUF")) {
        throw std::runtime_error("invalid magic or too short: '" + path + "' is not a GGUF file");
    }
    file.seekg(0, std::ios::end);
    auto const size = static_cast<std::streamoff>(file.tellg());
    auto const from = std::max(static_cast<std::streamoff>(gguf_header_bytes), size - tail_bytes_max);
    file.seekg(from);
    std::string tail(static_cast<std::size_t>(size - from), '\0');
    file.read(tail.data(), static_cast<std::streamsize>(tail.size()));
    return tail;
}

int signal_number(std::string_view name) {
    for (auto const& [known, number] : {std::pair{"SIGKILL", SIGKILL}, std::pair{"SIGSEGV", SIGSEGV},
                                        std::pair{"SIGABRT", SIGABRT}, std::pair{"SIGTERM", SIGTERM}}) {
        if (name == known) return number;
    }
    return 0;
}

}  // namespace

Faults Faults::read(std::string const& model_path) {
    Faults faults;
    std::string const tail = tail_of(model_path);
    for (std::size_t start = 0; start < tail.size();) {
        std::size_t const end = std::min(tail.find('\n', start), tail.size());
        std::string_view line{tail.data() + start, end - start};
        start = end + 1;
        if (!line.starts_with("FAKE ")) continue;
        line.remove_prefix(5);
        std::size_t const equals = std::min(line.find('='), line.size());
        std::string const key{line.substr(0, equals)};
        if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
            throw std::runtime_error("unknown fault '" + key + "' in '" + model_path + "'");
        }
        faults.values_.emplace(key, equals < line.size() ? line.substr(equals + 1) : "1");
    }
    return faults;
}

std::string Faults::text(std::string_view key, std::string_view otherwise) const {
    auto const found = values_.find(key);
    return found == values_.end() ? std::string{otherwise} : found->second;
}

long Faults::number(std::string_view key, long otherwise) const {
    auto const found = values_.find(key);
    if (found == values_.end()) return otherwise;
    try {
        return std::stol(found->second);
    } catch (std::exception const&) {
        throw std::runtime_error("fault '" + found->first + "' wants a number, not '" + found->second + "'");
    }
}

std::vector<std::string> Faults::all(std::string_view key) const {
    std::vector<std::string> found;
    for (auto [at, end] = values_.equal_range(key); at != end; ++at) {
        found.push_back(at->second);
    }
    return found;
}

void die(std::string const& how) {
    if (int const number = signal_number(how); number != 0) {
        signal(number, SIG_DFL);
        raise(number);
    }
    int code = 1;
    if (auto const digits = std::find_if(how.begin(), how.end(), [](char c) { return c < '0' || c > '9'; });
        !how.empty() && digits == how.end()) {
        code = std::stoi(how);
    }
    _exit(code);
}

}  // namespace fake
