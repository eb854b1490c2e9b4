// The box itself, as the probe found it.
#include <array>

#include "api/admin.hpp"

namespace hal0::api {
namespace {

void show_hardware(Admin& admin, AdminCall const& call) {
    admin.house().hardware(admin.answering<hardware::HardwareReport>(call.ticket));
}

void show_memory(Admin& admin, AdminCall const& call) {
    admin.house().memory(admin.answering<wire::MemoryView>(call.ticket));
}

using Shape = AnswerDoc::Shape;

constexpr std::array hardware_rows{
    AdminRoute{.path = "/api/hardware",
               .summary =
                   "What the box is: hardware.json, as the last `hal0 probe` wrote it. docs/hardware.md "
                   "says how each is found.",
               .answer = {Shape::One, &wire::describe<hardware::HardwareReport>},
               .handle = &show_hardware},
    AdminRoute{.path = "/api/memory",
               .summary =
                   "Who holds the memory of the box. Read when it is asked for; an answer serves all who ask "
                   "within a second.",
               .answer = {Shape::One, &wire::describe<wire::MemoryView>},
               .handle = &show_memory},
};

}  // namespace

std::span<AdminRoute const> hardware_routes() { return hardware_rows; }

}  // namespace hal0::api
