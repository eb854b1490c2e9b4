"""`hal0 memory` and GET /api/memory: who holds the memory of this machine. Recorded machines: src/memory/ledger_test.cpp."""
import json
import unittest

from harness import Home


class Memory(unittest.TestCase):
    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)

    def look(self):
        """Asks, and holds each pool's lines against its total."""
        view = json.loads(self.home.cli("memory", "--json", check=0).stdout)
        for pool in view["pools"]:
            if pool["total"] is None:
                continue  # an LXC: what the machine has isn't known
            held = sum(holder["bytes"] for holder in pool["holders"])
            self.assertEqual(held + pool["free"] + pool["unexplained"], pool["total"], pool["id"])
        return {holder["name"]: holder for holder in view["pools"][0]["holders"] if holder["kind"] == "slot"}

    def test_it_needs_no_daemon(self):
        self.assertEqual(self.look(), {})
        self.assertRegex(self.home.cli("memory", check=0).stdout, r"(?m)^page cache +\d")
        self.assertEqual(self.home.cli("probe").returncode, 0)
        self.assertEqual(self.look(), {}, "also with hardware.json")

    def test_slots_have_lines_of_their_own_with_a_daemon_and_after_it(self):
        home = self.home
        home.slot("primary", home.fake_model("m"))
        home.start().ready("primary")
        slots = self.look()
        self.assertEqual(slots["primary"]["processes"], 1)
        self.assertGreater(slots["primary"]["anonymous"], 0)
        self.assertEqual(home.http("GET", "/api/memory").json.keys(), {"time", "pools", "swap_total", "swap_used", "host", "warnings"})
        home.kill()
        self.assertEqual(self.look()["primary"]["processes"], 1, "its worker lives on, and its lock says so")


if __name__ == "__main__":
    unittest.main()
