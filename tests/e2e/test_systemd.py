"""Workers that systemd keeps, on a machine that is booted for it: hal0 as a package would have it there."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import FAKE_WORKER, HAL0, ROOT, Home, eventually

FAILED_BY_TIME = 60  # a machine is up in seconds, also where its processors are busy


class Machine:
    """Booted by tests/systemd/machine, with hal0, its units and fake-worker as an engine in it."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hal0-machine-"))
        self._seed(self.directory / "seed")
        self.host = subprocess.Popen([ROOT / "tests/systemd/machine", self.directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
        said = self.host.stdout.readline().split()
        if not said:
            why = self.close()
            if self.host.returncode == 77:
                raise unittest.SkipTest(why.strip())
            raise AssertionError(f"the machine does not boot: {why}")
        self.leader = said[1]

    def _seed(self, root):
        for name in ("usr/bin", "usr/lib/hal0", "usr/lib/systemd/system", "etc/hal0/slots", "var/lib/hal0/models",
                     "var/cache/hal0/engines/llama.cpp/1-fake/bin"):
            (root / name).mkdir(parents=True)
        shutil.copy(HAL0, root / "usr/bin/hal0")
        for unit in ("hal0.service", "hal0-slot@.service"):
            shutil.copy(ROOT / "packaging" / unit, root / "usr/lib/systemd/system")
        engine = root / "var/cache/hal0/engines/llama.cpp/1-fake"
        shutil.copy(FAKE_WORKER, engine / "bin/llama-server")
        (engine / "engine.json").write_text(json.dumps(
            {"schema": 1, "id": "llama.cpp", "version": "1", "key": "fake", "backend": "cpu", "compiler": "", "built_at": "",
             "cpu_features": [], "programs": ["llama-server"]}))

    def run(self, *command, check=0, seconds=60):
        done = subprocess.run(["nsenter", "-a", "-t", self.leader, "env", "-i", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", *command],
                              capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
        if check is not None and done.returncode != check:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def hal0(self, *command, check=0):
        return self.run("hal0", *command, check=check)

    def write(self, path, text):
        pathlib.Path(f"/proc/{self.leader}/root{path}").write_text(text)

    def model(self, id, *faults):
        directory = pathlib.Path(f"/proc/{self.leader}/root/var/lib/hal0/models/{id}")
        directory.mkdir()
        subprocess.run([ROOT / "tests/fake_worker/make_model", directory / "m.gguf", *faults], check=True)
        (directory / "model.json").write_text(json.dumps(
            {"schema": 1, "id": id, "name": id, "kind": "chat", "licence": "", "source": "test", "context_max": 4096,
             "files": [{"name": "m.gguf", "size": (directory / "m.gguf").stat().st_size, "sha256": "0" * 64}]}))

    def slot(self, name, model, *faults, enabled="true"):
        self.model(model, *faults)
        self.write(f"/etc/hal0/slots/{name}.toml", f'model = "{model}"\nenabled = {enabled}\ncheck_output = false\n')

    def view(self, name):
        done = self.hal0("slot", "show", name, "--json", check=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def becomes(self, name, state):
        return eventually(lambda: (view := self.view(name)).get("state") == state and view, FAILED_BY_TIME,
                          f"{name} is not {state}: {self.view(name)}{self.journal('hal0')}")

    def unit(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=None).stdout

    def processes(self, name):
        return self.run("pgrep", "-x", name, check=None).stdout.split()

    def close(self):
        self.host.stdin.close()
        why = self.host.stderr.read()
        self.host.wait()
        self.host.stdout.close()
        self.host.stderr.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        return why


class Booted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = Machine()
        cls.addClassCleanup(cls.machine.close)
        cls.machine.slot("primary", "tiny")
        cls.machine.run("systemctl", "start", "hal0")
        cls.machine.becomes("primary", "ready")

    def test_the_daemon_killed_is_started_again_and_takes_over_what_runs(self):
        m = self.machine
        self.assertIn("systemd keeps the workers", m.journal("hal0"))
        view = m.becomes("primary", "ready")
        unit = "hal0-slot@primary"
        self.assertEqual(m.unit(unit, "MainPID"), str(view["pid"]))
        for _ in range(2):
            daemon = m.unit("hal0", "MainPID")
            m.run("kill", "-KILL", daemon)
            eventually(lambda: m.unit("hal0", "MainPID") not in ("0", daemon), FAILED_BY_TIME)
            after = m.becomes("primary", "ready")
            self.assertEqual((after["pid"], after["adopted"], after["loads"]), (view["pid"], True, 0))
        # Of a worker that an earlier daemon started it is known all the same how it ended.
        m.run("kill", "-SEGV", str(view["pid"]))
        eventually(lambda: m.view("primary").get("pid") not in (None, view["pid"]), FAILED_BY_TIME)
        causes = [json.loads(line)["data"].get("cause", "") for line in m.hal0("events", "--json").stdout.splitlines()]
        self.assertTrue(any("killed by SIGSEGV (11)" in cause for cause in causes), causes)
        m.becomes("primary", "ready")

    def test_the_daemon_stopped_leaves_its_models(self):
        m = self.machine
        pid = m.becomes("primary", "ready")["pid"]
        m.run("systemctl", "stop", "hal0")
        self.assertEqual(m.unit("hal0-slot@primary", "MainPID"), str(pid))
        m.run("systemctl", "start", "hal0")
        self.assertEqual(m.becomes("primary", "ready")["pid"], pid)

    def test_one_that_ignores_sigterm_is_killed_with_all_it_started(self):
        m = self.machine
        m.slot("deaf", "deaf", "ignore-term", "grandchild-holds-stdout=1000", "grandchild-own-session", enabled="false")
        eventually(lambda: m.view("deaf"))
        m.hal0("slot", "load", "deaf")
        self.assertEqual(len(m.processes("sleep")), 1)
        m.hal0("slot", "unload", "deaf", "--force")
        self.assertEqual(m.processes("sleep"), [])
        self.assertEqual(m.run("test", "-e", "/run/hal0/slots/deaf", check=None).returncode, 1, "socket and run files")
        eventually(lambda: m.unit("hal0-slot@deaf", "ActiveState") == "inactive", message="it is told to have failed")

    def test_one_that_dies_while_loading_is_told_at_once_with_its_status(self):
        m = self.machine
        m.slot("bad", "bad", "die-before-ready=3", enabled="false")
        eventually(lambda: m.view("bad"))
        done = m.hal0("slot", "load", "bad", check=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("exited with code 3 while loading", done.stdout + done.stderr)
        self.assertEqual(m.unit("hal0-slot@bad", "ExecMainStatus"), "3")

    def test_its_log_is_hal0s_and_its_life_is_in_the_journal(self):
        m = self.machine
        m.becomes("primary", "ready")
        self.assertIn("tiny with llama.cpp 1", m.hal0("slot", "logs", "primary").stdout)
        journal = m.journal("hal0-slot@primary")
        self.assertIn("slot 'primary' writes to its log: 'hal0 slot logs primary'", journal)
        self.assertRegex(journal, "Started .*hal0 slot primary")


class Refused(unittest.TestCase):
    def test_where_there_is_no_manager_it_says_what_to_do(self):
        with Home() as home:
            home.env["DBUS_SYSTEM_BUS_ADDRESS"] = home.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere/bus"
            done = home.cli("serve", "--launcher", "systemd")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("systemd can't keep the workers", done.stderr)
            self.assertIn("/nowhere/bus", done.stderr)
            self.assertIn('set launcher = "process"', done.stderr)

    def test_by_itself_a_home_that_is_no_packages_has_processes(self):
        with Home() as home:
            home.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nowhere/bus"
            home.start()
            self.assertNotIn("systemd", home.daemon_log())


if __name__ == "__main__":
    unittest.main()
