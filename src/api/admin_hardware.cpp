// The box itself, as the probe found it.
#include <array>

#include "api/admin.hpp"

namespace hal0::api {
namespace {

void show_hardware(Admin& admin, AdminCall const& call) {
    admin.house().hardware(admin.answering<hardware::HardwareReport>(call.ticket));
}

using Shape = AnswerDoc::Shape;

constexpr std::array hardware_rows{
    AdminRoute{.path = "/api/hardware",
               .summary =
                   "What the box is: hardware.json, as the last `hal0 probe` wrote it. docs/hardware.md "
                   "says how each is found.",
               .answer = {Shape::One, &wire::describe<hardware::HardwareReport>},
               .handle = &show_hardware},
};

}  // namespace

std::span<AdminRoute const> hardware_routes() { return hardware_rows; }

}  // namespace hal0::api
