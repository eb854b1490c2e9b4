// docs/hardware.md
#include "hardware/hardware_docs.hpp"

#include "held.hpp"

int main(int argc, char** argv) { return print_or_hold(hal0::hardware::render_hardware_docs(), argc, argv); }
