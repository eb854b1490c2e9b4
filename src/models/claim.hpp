#pragma once
// The claim on a piece of work that one process does at a time; it goes with the process, however that ends.
// Between processes only: the kernel lets a second claim of the same process through.
#include <string>

#include "base/result.hpp"
#include "os/lock_file.hpp"

namespace hal0::models {

class Claim {
  public:
    // Waits while another process has it; `held` is told once by whom: "process 123". What the other did is
    // to be looked at then.
    static Result<Claim> take(std::string path, os::LockFile::Held const& held = {});
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
