#pragma once
// `hal0 probe`, and the hidden command of the child that it asks foreign drivers by.
#include "cli/context.hpp"
#include "hardware/live_machine.hpp"
#include "hardware/probe.hpp"

namespace hal0::app {

// This machine; foreign drivers are asked by runs of this program.
Result<std::unique_ptr<hardware::LiveMachine>> this_machine();
// What only this house knows of it: where its models are, which engines are installed.
hardware::ProbeInput probe_input(os::Places const& places);

// Where the report is kept.
std::string report_path(os::Places const& places);

// What the report says; where there is none, or what is no report (it is kept as hardware.json.bad), this box
// is probed and it is written if it can be. Read anew each time: 'hal0 probe' may have been run. Unsupported,
// and left alone, where a newer hal0 wrote it. Blocks.
Result<hardware::HardwareReport> box_report(os::Places const& places);
// The same of what is there, and nothing is probed or written: NotFound where nothing is.
Result<hardware::HardwareReport> kept_report(os::Places const& places);

Result<int> probe_command(cli::Arguments const& arguments, cli::Context& context);
Result<int> driver_command(cli::Arguments const& arguments, cli::Context& context);

}  // namespace hal0::app
