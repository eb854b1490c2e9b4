// docs/slots.md
#include "slots/state_docs.hpp"

#include "held.hpp"

int main(int argc, char** argv) { return print_or_hold(hal0::slots::render_state_docs(), argc, argv); }
