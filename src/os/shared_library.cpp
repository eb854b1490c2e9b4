#include "os/shared_library.hpp"

#include <dlfcn.h>

namespace hal0::os {

SharedLibrary::SharedLibrary(std::string const& name)
    : handle_{::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)} {
    if (handle_ != nullptr) return;
    char const* const said = ::dlerror();  // NOLINT(concurrency-mt-unsafe): glibc's is per thread
    fault_ = said != nullptr ? said : name + " can't be loaded";
}

SharedLibrary::~SharedLibrary() {
    if (handle_ != nullptr) ::dlclose(handle_);
}

void* SharedLibrary::symbol(char const* name) const {
    return handle_ == nullptr ? nullptr : ::dlsym(handle_, name);
}

}  // namespace hal0::os
