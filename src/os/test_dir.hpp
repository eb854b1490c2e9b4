#pragma once
// A directory of a test's own, removed at its end.
#include <cstdlib>
#include <string>

#include "os/file.hpp"

namespace hal0::os {

class TestDir {
  public:
    TestDir() {
        char const* const base = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
        path_ = std::string{base != nullptr ? base : "/tmp"} + "/hal0-test-" + random_hex(6);
        (void)make_directories(path_, 0700);
    }
    ~TestDir() { (void)remove_tree(path_); }
    TestDir(TestDir const&) = delete;
    TestDir& operator=(TestDir const&) = delete;
    [[nodiscard]] std::string const& path() const { return path_; }
    [[nodiscard]] std::string operator/(std::string_view name) const { return join_path(path_, name); }

  private:
    std::string path_;
};

}  // namespace hal0::os
