"""Engines: the installed llama.cpp, and builds that are not for this machine."""
import json
import pathlib
import subprocess
import unittest

from harness import CHAT, Home, eventually


class Installed(unittest.TestCase):
    """The one that the tests of real models run."""

    @classmethod
    def setUpClass(cls):
        cls.home = Home("real")

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def engine(self):
        return json.loads(self.home.cli("engine", "show", "llama.cpp", "--json", check=0).stdout)

    def test_it_is_listed_and_shown(self):
        engine = self.engine()
        self.assertEqual((engine["state"], engine["backend"], engine["runs_here"]), ("installed", "cpu", True))
        self.assertIn(engine, json.loads(self.home.cli("engine", "list", "--json", check=0).stdout))
        self.assertEqual(self.home.cli("engine", "list", "--installed", "--names", check=0).stdout.split(), ["llama.cpp"])
        for command in (["engine", "list"], ["engine", "show", "llama.cpp"]):
            self.assertIn(engine["version"], self.home.cli(*command, check=0).stdout)

    def test_the_planner_and_the_bench_are_built_along(self):
        directory = pathlib.Path(self.engine()["directory"])
        for program in ("llama-server", "llama-fit-params", "llama-bench"):
            done = subprocess.run([directory / "bin" / program, "--help"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, program)
        version = subprocess.run([directory / "bin/llama-server", "--version"], capture_output=True, text=True, timeout=60)
        self.assertIn(self.engine()["version"], version.stdout + version.stderr)

    def test_another_clone_does_not_build_again(self):
        directory = pathlib.Path(self.engine()["directory"])
        before = {str(p): p.stat().st_mtime_ns for p in directory.rglob("*")}
        with Home("real") as clone:
            self.assertIn("is installed in", clone.cli("engine", "install", "llama.cpp", check=0).stdout)
            self.assertFalse(list((clone.path / "state").rglob("engine-*.log")), "nothing was built")
        self.assertEqual({str(p): p.stat().st_mtime_ns for p in directory.rglob("*")}, before)

    def test_through_the_daemon_too(self):
        self.home.start()
        self.addCleanup(self.home.kill)
        self.assertIn("is installed in", self.home.cli("engine", "install", "llama.cpp", check=0).stdout)
        answer = self.home.api("POST", "/api/engines/install", {"id": "llama.cpp"})
        self.assertEqual((answer.status, answer.json["state"]), (200, "done"))


class Builds(unittest.TestCase):
    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)
        self.build = self.home.path / "cache/engines/llama.cpp/1-fake"

    def test_one_for_another_cpu_is_refused_not_crashed_on(self):
        home = self.home
        engine = json.loads((self.build / "engine.json").read_text())
        (self.build / "engine.json").write_text(json.dumps({**engine, "cpu_features": ["abacus"]}))
        self.assertFalse(json.loads(home.cli("engine", "list", "--json", check=0).stdout)[0]["runs_here"])
        self.assertEqual(home.cli("engine", "list", "--installed", "--names", check=0).stdout, "")
        home.slot("primary", home.fake_model("m"))
        home.start()
        view = eventually(lambda: (v := home.slot_view("primary"))["state"] == "error" and v)
        self.assertIn("another CPU", view["cause"])
        self.assertEqual(home.loads("m"), 0)
        answer = home.http("POST", "/v1/chat/completions", CHAT)
        self.assertEqual(answer.status, 503)
        self.assertIn("another CPU", answer.json["error"]["message"])

    def test_half_of_one_is_not_there(self):
        (self.build / "engine.json").unlink()
        self.assertEqual(self.home.cli("engine", "list", "--installed", "--names", check=0).stdout, "")
        self.home.slot("primary", self.home.fake_model("m"))
        self.home.start()
        view = eventually(lambda: (v := self.home.slot_view("primary"))["state"] == "error" and v)
        self.assertIn("hal0 engine install llama.cpp", view["cause"])

    def test_one_in_use_is_not_removed_and_one_that_is_not_is(self):
        home = self.home
        home.slot("primary", home.fake_model("m"))
        home.start().ready("primary")
        self.assertIn("primary", home.cli("engine", "remove", "llama.cpp", check=1).stderr)
        self.assertTrue(self.build.exists())
        home.cli("slot", "unload", "primary", check=0)
        home.cli("engine", "remove", "llama.cpp", check=0)
        self.assertFalse(self.build.exists())
        self.assertIn("not installed", home.cli("engine", "remove", "llama.cpp", check=1).stderr)

    def test_one_is_removed_without_a_daemon(self):
        gone = json.loads(self.home.cli("engine", "remove", "llama.cpp", "--json", check=0).stdout)
        self.assertEqual((gone["id"], gone["key"]), ("llama.cpp", "fake"))
        self.assertFalse(self.build.exists())

    def test_an_unknown_one_is_said(self):
        for command in (["engine", "show", "lama.cpp"], ["engine", "install", "lama.cpp"], ["engine", "remove", "lama.cpp"]):
            self.assertIn("llama.cpp", self.home.cli(*command, check=1).stderr, command)
