// docs/doctor.md
#include "doctor/doctor_docs.hpp"

#include "held.hpp"

int main(int argc, char** argv) { return print_or_hold(hal0::doctor::render_doctor_docs(), argc, argv); }
