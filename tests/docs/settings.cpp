// docs/settings.md
#include "app/settings_docs.hpp"
#include "held.hpp"

int main(int argc, char** argv) { return print_or_hold(hal0::app::render_settings_docs(), argc, argv); }
