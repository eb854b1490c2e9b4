#pragma once
// A document that is made from the code: prints it; with a path, holds that file against it instead.
//   hal0-http-docs > docs/http.md
//   hal0-http-docs --check docs/http.md
#include <string>

int print_or_hold(std::string const& text, int argc, char** argv);
