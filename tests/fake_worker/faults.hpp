#pragma once
// What a test asked this worker to do wrong: lines `FAKE key=value` at the end of the model file, so that
// every slot of a test has its own faults and no environment variable or extra flag is needed. README.md has
// the table.
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fake {

using Millis = std::chrono::milliseconds;

class Faults {
  public:
    // Reads the file. Throws std::runtime_error when it can't be read, isn't a GGUF, or holds an unknown key
    // (a typing error in a test must not pass as "no fault").
    static Faults read(std::string const& model_path);

    [[nodiscard]] bool has(std::string_view key) const { return values_.contains(key); }
    [[nodiscard]] std::string text(std::string_view key, std::string_view otherwise = {}) const;
    [[nodiscard]] long number(std::string_view key, long otherwise) const;
    [[nodiscard]] Millis millis(std::string_view key, long otherwise = 0) const {
        return Millis{number(key, otherwise)};
    }
    // Values of a key that may stand more than once (`say`).
    [[nodiscard]] std::vector<std::string> all(std::string_view key) const;

  private:
    std::multimap<std::string, std::string, std::less<>> values_{};
};

// Ends this process at once, as `how` says: an exit code ("3") or a signal's name ("SIGKILL", "SIGSEGV").
[[noreturn]] void die(std::string const& how);

}  // namespace fake
