"""`hal0 doctor`: what it prints and how it ends. What is found on which box is src/doctor/boxes_test.cpp."""
import json
import time
import unittest

from harness import ROOT, Home

BOXES = ROOT / "tests/boxes"


class Doctor(unittest.TestCase):
    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)

    def test_an_error_ends_it_with_one_and_shows_the_fix(self):
        shown = self.home.cli("doctor", "--root", str(BOXES / "halo-no-render-group"), check=1).stdout
        self.assertTrue(shown.startswith("error: "), shown)
        self.assertIn('    fix:   sudo usermod -aG render "$USER"', shown)

    def test_warnings_end_it_with_zero(self):
        shown = self.home.cli("doctor", "--root", str(BOXES / "halo-128-512m-framework"), check=0).stdout
        self.assertIn("ttm.pages_limit=28311552", shown)

    def test_memory_that_nobody_holds_is_told(self):
        shown = self.home.cli("doctor", "--root", str(ROOT / "tests/ledgers/halo-leak")).stdout
        self.assertIn("40.0 GiB of GPU pages are in use, and no process holds them", shown)

    def test_nothing_to_mend(self):
        clean = str(BOXES / "radeon-7900xtx")
        self.assertEqual(self.home.cli("doctor", "--root", clean, check=0).stdout, "nothing to mend\n")
        self.assertEqual(json.loads(self.home.cli("doctor", "--root", clean, "--json").stdout), [])

    def test_this_machine_needs_no_daemon_and_nothing_is_written(self):
        began = time.monotonic()
        self.home.cli("doctor", "--json")
        first = time.monotonic() - began
        findings = json.loads(self.home.cli("doctor", "--json").stdout)
        for finding in findings:
            self.assertEqual(sorted(finding), ["evidence", "fix", "id", "reference", "severity", "title", "why"])
        self.assertFalse((self.home.path / "config/hardware.json").exists())
        self.assertLess(first, 5)  # a driver that hangs is given up after 2 s

    def test_files_of_its_own_that_cannot_be_used_are_found(self):
        config = self.home.path / "config"
        config.mkdir(exist_ok=True)
        (config / "proxmox.json").write_text("{}")
        (config / "proxmox.json").chmod(0o644)
        (config / "hardware.json").write_text('{"schema": 99}')
        found = {f["title"]: f for f in json.loads(self.home.cli("doctor", "--json").stdout) if f["id"] == "own-file"}
        proxmox, hardware = found[f"{config}/proxmox.json can't be used as it is"], found[f"{config}/hardware.json can't be used as it is"]
        self.assertEqual({proxmox["severity"], hardware["severity"]}, {"warning"})
        self.assertIn("0644", proxmox["evidence"])
        self.assertIn("newer", hardware["evidence"])
        (config / "hal0.toml").write_text("listen = 7\n")
        self.assertIn("error: ", self.home.cli("doctor", check=1).stdout)

    def test_a_report_that_is_none_is_kept_beside_the_new_one(self):
        config = self.home.path / "config"
        config.mkdir(exist_ok=True)
        (config / "hardware.json").write_text("no report")
        self.home.cli("memory")
        self.assertEqual((config / "hardware.json.bad").read_text(), "no report")
        self.assertIn("schema", json.loads((config / "hardware.json").read_text()))

    def test_a_folder_that_is_no_recording_is_refused(self):
        self.assertIn("is no recorded box", self.home.cli("doctor", "--root", str(ROOT), check=1).stderr)


if __name__ == "__main__":
    unittest.main()
