// docs/http.md
#include "api/http_docs.hpp"
#include "held.hpp"

int main(int argc, char** argv) { return print_or_hold(hal0::api::render_http_docs(), argc, argv); }
