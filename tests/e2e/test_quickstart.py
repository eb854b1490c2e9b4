"""./quickstart over a tree that is built, with the real engine and models: what it starts, leaves alone and stops.

Its steps before that, and being killed at each of them, are tests/tools/quickstart_test.py.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import HAL0, ROOT, Home, eventually, start_ticks

NINJA = "build hal0: phony\nbuild hal0-fetch: phony\n"


class Quickstart(unittest.TestCase):
    def setUp(self):
        self.home = Home("real")
        self.addCleanup(self.home.close)
        self.tree = pathlib.Path(tempfile.mkdtemp(prefix="hal0-e2e-"))
        self.addCleanup(shutil.rmtree, self.tree)
        self.addCleanup(self.home.cli, "stop")
        (self.tree / "tools").mkdir()
        for name in ("quickstart", "tools/setup", "tools/moving-line"):
            shutil.copy(ROOT / name, self.tree / name)
        (self.tree / "build/release").mkdir(parents=True)
        (self.tree / "build/release/build.ninja").write_text(NINJA)
        (self.tree / "build/release/bin").symlink_to(pathlib.Path(HAL0).parent)

    def run_it(self, *arguments):
        done = subprocess.run([self.tree / "quickstart", *arguments], env=self.home.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def processes(self):
        """Of this home: each with what names it for good."""
        pids = [self.home.api("GET", "/api/status").json["pid"], *self.home.worker_pids()]
        return {pid: start_ticks(pid) for pid in pids}

    def files(self):
        """What is kept: settings, slots and models, with the time they were written."""
        kept = [path for directory in ("config", "data") for path in (self.home.path / directory).rglob("*")]
        return {str(path): path.stat().st_mtime_ns for path in kept}

    def test_it_answers_and_run_again_changes_nothing(self):
        out = self.run_it()
        address = self.home.cli("status", "--address", check=0).stdout.strip()
        self.assertIn(f"hal0 answers at http://{address}/v1 (llama.cpp on cpu).", out)
        answer = out.split("why is the sky blue?")[1].split("hal0 answers at")[0].strip()
        self.assertGreater(len(answer.split()), 3, out)
        self.assertIn("--stop", out)
        self.home.ready("primary", "embed")
        before = self.processes(), self.files()
        self.assertEqual(len(before[0]), 3)
        out = self.run_it()
        self.assertIn(f"hal0 answers at http://{address}/v1", out)
        self.assertEqual((self.processes(), self.files()), before)

    def test_killed_once_the_daemon_runs_it_goes_on_with_that_daemon(self):
        child = subprocess.Popen([self.tree / "quickstart"], env=self.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
        eventually(lambda: self.home.cli("status", "--quiet").returncode == 0)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        daemon = self.home.api("GET", "/api/status").json["pid"]
        self.run_it()
        self.home.ready("primary", "embed")
        self.assertEqual(self.home.api("GET", "/api/status").json["pid"], daemon)
        slots = json.loads(self.home.cli("slot", "list", "--json", check=0).stdout)
        self.assertEqual([(s["name"], s["loads"]) for s in slots], [("embed", 1), ("primary", 1)])

    def test_stop_stops_what_it_started_and_nothing_else(self):
        with Home() as other:
            other.slot("primary", other.fake_model("m"))
            other.start().ready("primary")
            others = other.slot_view("primary")["pid"]
            self.run_it()
            self.home.ready("primary", "embed")
            mine, files = self.processes(), self.files()
            self.run_it("--stop")
            for pid in mine:
                eventually(lambda pid=pid: not pathlib.Path(f"/proc/{pid}/cmdline").exists() or
                           not pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), message=f"{pid} still runs")
            self.assertEqual(self.files(), files)
            self.assertEqual(other.slot_view("primary")["pid"], others)
            self.assertIsNone(other.daemon.poll())
            self.run_it("--stop")  # with nothing to stop it is content
