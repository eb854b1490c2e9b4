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

    def test_a_folder_that_is_no_recording_is_refused(self):
        self.assertIn("is no recorded box", self.home.cli("doctor", "--root", str(ROOT), check=1).stderr)


if __name__ == "__main__":
    unittest.main()
