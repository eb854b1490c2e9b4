#pragma once
// A library that is loaded while hal0 runs, for what only some boxes have.
#include <string>

#include "base/no_copy.hpp"
#include "base/result.hpp"

namespace hal0::os {

class SharedLibrary final : NoCopy {
  public:
    explicit SharedLibrary(std::string const& name);  // as dlopen(3) looks it up
    ~SharedLibrary();
    [[nodiscard]] bool loaded() const { return handle_ != nullptr; }
    [[nodiscard]] std::string const& fault() const { return fault_; }  // the loader's words

    // The function of that name as a `Signature*`; null where the library has none.
    template <class Signature> [[nodiscard]] Signature* function(char const* name) const {
        return reinterpret_cast<Signature*>(symbol(name));  // as POSIX has dlsym mean it
    }

  private:
    [[nodiscard]] void* symbol(char const* name) const;
    void* handle_{nullptr};
    std::string fault_{};
};

}  // namespace hal0::os
