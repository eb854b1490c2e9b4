#include "held.hpp"

#include <cstdio>
#include <string_view>

#include "os/file.hpp"

int print_or_hold(std::string const& text, int argc, char** argv) {
    if (argc == 1) return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
    if (argc != 3 || std::string_view{argv[1]} != "--check") {
        std::fprintf(stderr, "usage: %s [--check FILE]\n", argv[0]);
        return 2;
    }
    auto const file = hal0::os::read_file(argv[2], hal0::Bytes{1 << 20});
    if (file.ok() && *file == text) return 0;
    std::fprintf(stderr, "%s is not what the code says: %s > %s\n", argv[2], argv[0], argv[2]);
    return 1;
}
