"""`hal0 probe`: what it writes and prints. What is found on which box is src/hardware/boxes_test.cpp."""
import json
import pathlib
import platform
import unittest

from harness import ROOT, Home, eventually

BOX = ROOT / "tests/boxes/halo-128-96g-rocm"


class Probe(unittest.TestCase):
    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)
        self.report = self.home.path / "config/hardware.json"

    def test_it_needs_no_daemon_and_writes_what_it_prints(self):
        printed = json.loads(self.home.cli("probe", "--json").stdout)
        written = json.loads(self.report.read_text())
        self.assertEqual(written, printed)
        self.assertEqual(written["schema"], 1)
        self.assertEqual(written["software"]["kernel"], platform.release())
        self.assertIn(written["recommended"]["device"], ["cpu"] + [gpu["id"] for gpu in written["gpus"]])
        # The drivers have been asked: whatever Vulkan is on this machine, it says so, if not in time on a busy one.
        eventually(lambda: json.loads(self.home.cli("probe", "--json").stdout)["vulkan"]["state"] in ("ok", "no loader", "failed"))
        self.assertEqual([path.name for path in self.report.parent.iterdir() if "hardware" in path.name], ["hardware.json"])

    def test_the_daemon_probes_where_there_is_no_report_and_reads_it_anew_each_time(self):
        self.home.start()
        eventually(self.report.exists, message="the daemon does not probe")
        told = self.home.api("GET", "/api/hardware")
        self.assertEqual((told.status, told.json), (200, json.loads(self.report.read_text())))
        changed = told.json
        changed["board"]["product"] = "another box"
        self.report.write_text(json.dumps(changed))
        self.assertEqual(self.home.api("GET", "/api/hardware").json["board"]["product"], "another box")
        newer = '{"schema": 99}'
        self.report.write_text(newer)
        refused = self.home.api("GET", "/api/hardware")
        self.assertGreaterEqual(refused.status, 400, refused)
        self.assertEqual(self.report.read_text(), newer, "a newer hal0's report is not written over")
        self.report.write_text('{"schema": 1, "cpu"')
        self.assertEqual(self.home.api("GET", "/api/hardware").status, 200)
        self.assertEqual(json.loads(self.report.read_text())["software"]["kernel"], platform.release())

    def test_a_recorded_box_is_read_and_nothing_written(self):
        printed = json.loads(self.home.cli("probe", "--root", str(BOX), "--json").stdout)
        self.assertEqual(printed["gpus"][0]["vram_total"], 103079215104)
        self.assertEqual(printed["recommended"]["backend"], "vulkan")
        self.assertIn("96.0 GiB carve-out", self.home.cli("probe", "--root", str(BOX)).stdout)
        self.assertFalse(self.report.exists())

    def test_a_recording_is_the_same_box(self):
        box = self.home.path / "box"
        self.home.cli("probe", "--record", str(box))
        here, there = (json.loads(self.home.cli("probe", *flags, "--json").stdout) for flags in ((), ("--root", str(box))))
        for part in ("cpu", "gpus", "npu", "software", "platform", "vulkan", "recommended"):
            self.assertEqual(there[part], here[part], part)
        self.assertIn("has a recording already", self.home.cli("probe", "--record", str(box), check=1).stderr)

    def test_a_folder_that_is_no_recording_is_refused(self):
        refused = self.home.cli("probe", "--root", str(pathlib.Path(ROOT)), check=1)
        self.assertIn("is no recorded box", refused.stderr)


if __name__ == "__main__":
    unittest.main()
