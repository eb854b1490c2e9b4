#pragma once
// The claim on a piece of work that one process does at a time; it goes with the process, however that ends.
// Between processes only: the kernel lets a second claim of the same process through.
#include <string>

#include "base/result.hpp"
#include "os/lock_file.hpp"

namespace hal0::models {

class Claim {
  public:
    // Conflict, naming the other's pid: "WHAT: PATH is held by process 123".
    static Result<Claim> take(std::string path, std::string const& what);
    ~Claim();
    Claim(Claim&& other) noexcept;
    Claim(Claim const&) = delete;
    Claim& operator=(Claim const&) = delete;
    Claim& operator=(Claim&&) = delete;

  private:
    Claim(std::string path, os::LockFile lock) : path_{std::move(path)}, lock_{std::move(lock)} {}
    std::string path_;
    os::LockFile lock_;
};

}  // namespace hal0::models
