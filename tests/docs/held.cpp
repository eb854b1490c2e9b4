// Prints docs/http.md; with a path, holds that file against it instead.
//   hal0-http-docs > docs/http.md
//   hal0-http-docs --check docs/http.md
#include <cstdio>
#include <string>
#include <string_view>

#include "api/http_docs.hpp"
#include "os/file.hpp"

int main(int argc, char** argv) {
    auto const text = hal0::api::render_http_docs();
    if (argc == 1) return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
    if (argc != 3 || std::string_view{argv[1]} != "--check") {
        std::fputs("usage: hal0-http-docs [--check FILE]\n", stderr);
        return 2;
    }
    auto const file = hal0::os::read_file(argv[2], hal0::Bytes{1 << 20});
    if (file.ok() && *file == text) return 0;
    std::fprintf(stderr, "%s is not what the code serves: %s > docs/http.md\n", argv[2], argv[0]);
    return 1;
}
