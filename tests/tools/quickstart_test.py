"""./quickstart and tools/setup in trees made here, with stand-ins for what takes minutes or root.

The stand-ins keep what they did in files, so that each test sees what was done and what was left alone. The same
script with the real programs is tests/e2e/test_quickstart.py.
"""
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Every command that changes something comes by here: it is written down, and killed with all of its process group
# where the test says so, before it has done anything.
CHANGES = """
changes() {
    echo "$*" >>"$STATE/calls"
    if [[ "$*" == "${KILL_AT:-}" ]]; then kill -9 0; fi
}
"""

HAL0 = "#!/bin/bash\n" + CHANGES + """
case "$*" in
    'engine list --installed --names') if [[ -e $STATE/engine ]]; then echo llama.cpp; fi ;;
    'engine install llama.cpp') changes "$@"; echo 'building llama.cpp: 1 of 4' >&2; touch "$STATE/engine" ;;
    'model list --present --names') ls "$STATE/models" ;;
    'model pull '*) changes "$@"; echo "downloading $3" >&2; touch "$STATE/models/$3" ;;
    'status --quiet --wait '*)  # at once where none is to come
        until [[ -s $STATE/running || "${KILL_AT:-}" == serve ]]; do sleep 0.02; done
        [[ -s $STATE/running ]] ;;
    'status --quiet') [[ -s $STATE/running ]] ;;
    'status --address') echo 127.0.0.1:8080 ;;
    'status --json') printf '{"pid": %d}\\n' "$(<"$STATE/running")" ;;
    'places --log') echo "$STATE/logs/hal0.log" ;;
    serve) changes "$@"; cut -d' ' -f6 /proc/$$/stat >"$STATE/session"; echo $$ >"$STATE/running" ;;
    'stop --keep-workers' | stop) changes "$@"; rm -f "$STATE/running" ;;
    'slot list --names') ls "$STATE/slots" ;;
    'slot list --json') echo '[{"name": "primary", "provider": "llama.cpp", "backend": "cpu"}]' ;;
    'slot create '*) changes "$@"; echo "$5" >"$STATE/slots/$3" ;;
    'chat '*) changes chat; echo 'Because of the air.' ;;
    *) echo "no such command: $*" >&2; exit 2 ;;
esac
"""

SETUP = "#!/bin/bash\n" + CHANGES + """
[[ ! -e $STATE/packages ]] || exit 0
if [[ "${2:-}" == --missing ]]; then printf 'g++\\ncmake\\n'; exit; fi
changes setup "$@"
echo 'Setting up g++'
touch "$STATE/packages"
"""

CMAKE = "#!/bin/bash\n" + CHANGES + 'changes cmake "$@"\nmkdir -p build/release\ntouch build/release/build.ninja\n'

NINJA = "#!/bin/bash\n" + CHANGES + """
if [[ -x build/release/bin/hal0 ]]; then echo 'ninja: no work to do.'; exit; fi
changes ninja
echo "[1/2 0.1s] Building"
if [[ -n "${BREAK:-}" ]]; then echo 'x.cpp:1: error: it does not compile'; exit 1; fi
mkdir -p build/release/bin
cp "$STATE/hal0" build/release/bin/hal0
cp "$STATE/hal0" build/release/bin/hal0-fetch
"""

STEPS = ["setup build", "cmake --preset release", "ninja", "engine install llama.cpp", "model pull smollm2-135m-instruct",
         "model pull all-minilm-l6-v2", "serve", "slot create primary --model smollm2-135m-instruct",
         "slot create embed --model all-minilm-l6-v2", "chat"]


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Tree(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hal0-quickstart-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.root, self.state = self.directory / "a tree", self.directory / "state"
        for directory in ("models", "slots"):
            (self.state / directory).mkdir(parents=True)
        (self.root / "tools").mkdir(parents=True)
        shutil.copy(ROOT / "quickstart", self.root)
        shutil.copy(ROOT / "tools/moving-line", self.root / "tools")
        program(self.root / "tools/setup", SETUP)
        program(self.state / "hal0", HAL0)
        program(self.directory / "bin/cmake", CMAKE)
        program(self.directory / "bin/ninja", NINJA)
        self.env = {**os.environ, "STATE": str(self.state), "PATH": f"{self.directory}/bin:{os.environ['PATH']}"}
        for name in ("SUDO_USER", "SSH_CONNECTION"):
            self.env.pop(name, None)

    def run_it(self, *arguments, **env):
        # A group of its own: what is killed with it is not the test.
        return subprocess.run([self.root / "quickstart", *arguments], env={**self.env, **env}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, start_new_session=True)

    def calls(self):
        file = self.state / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def forget_calls(self):
        (self.state / "calls").unlink(missing_ok=True)

    def snapshot(self):
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(self.directory.rglob("*"))
                if path.is_file() and path.name not in ("calls", "build.log")}


class Quickstart(Tree):
    def test_from_nothing_to_an_answer(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.calls(), STEPS)
        self.assertIn("Because of the air.", done.stdout)
        self.assertIn("http://127.0.0.1:8080/v1 (llama.cpp on cpu)", done.stdout)
        self.assertIn("Try next:", done.stdout)
        self.assertNotIn("ssh -L", done.stdout)

    def test_each_long_step_shows_how_far_it_is(self):
        done = self.run_it()
        self.assertRegex(done.stdout, r"== build packages\nSetting up g\+\+\n\n== hal0\n\[1/2 0\.1s\] Building\n\n== llama\.cpp\n")
        self.assertEqual(done.stderr.splitlines(), ["building llama.cpp: 1 of 4", "downloading smollm2-135m-instruct",
                                                    "downloading all-minilm-l6-v2"])

    def test_it_says_first_what_it_will_do_and_what_that_takes(self):
        for arguments in ([], ["--plan"]):
            done = self.run_it(*arguments)
            plan = done.stdout.split("\n== ")[0]
            for row in (r"install 2 build packages +2 min, 700 MB of disk", r"build hal0 +\d min, \d+ MB",
                        r"build llama.cpp, once per machine +\d+ min on \d+ cores, 1 GB", r"two small models +1 min, \d+ MB",
                        r"127.0.0.1:8080 +1 s, 400 MB of memory", r"About \d+ min and \d+ MB in all; free here: \S+ of disk, \S+ GB of memory"):
                self.assertRegex(plan, row)
            shutil.rmtree(self.root / "build", ignore_errors=True)
            for name in ("packages", "engine"):
                (self.state / name).unlink(missing_ok=True)

    def test_a_plan_does_nothing(self):
        before = self.snapshot()
        self.assertEqual(self.run_it("--plan").returncode, 0)
        self.assertEqual((self.calls(), self.snapshot()), ([], before))

    def test_a_plan_names_only_what_is_missing(self):
        self.run_it()
        self.assertEqual(self.run_it("--plan").stdout, "hal0 quickstart: all is here, and hal0 runs.\n")
        self.run_it("--stop")
        plan = self.run_it("--plan").stdout
        self.assertIn("serve them on 127.0.0.1:8080", plan)
        for word in ("packages", "build hal0", "llama.cpp", "models of 1", "About"):
            self.assertNotIn(word, plan)

    def test_run_again_it_changes_nothing(self):
        self.run_it()
        self.forget_calls()
        before = self.snapshot()
        again = self.run_it()
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.calls(), ["chat"])
        self.assertEqual(self.snapshot(), before)

    def test_killed_at_any_step_it_goes_on_where_it_was(self):
        for at in range(len(STEPS)):
            with self.subTest(STEPS[at]):
                self.doCleanups()
                self.setUp()
                killed = self.run_it(KILL_AT=STEPS[at])
                # The daemon has a session of its own, and dies alone: that is told.
                if STEPS[at] == "serve":
                    self.assertEqual(killed.returncode, 1)
                    self.assertIn(f"hal0 did not start; the end of {self.state}/logs/hal0.log", killed.stderr)
                else:
                    self.assertEqual(killed.returncode, -signal.SIGKILL)
                # It is begun in the background, and may tell of it a moment later.
                end = time.monotonic() + 10
                while self.calls() != STEPS[:at + 1] and time.monotonic() < end:
                    time.sleep(0.02)
                self.assertEqual(self.calls(), STEPS[:at + 1])
                self.forget_calls()
                done = self.run_it()
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.calls(), STEPS[at:], "the step that was killed, and those after it")
                self.assertIn("Because of the air.", done.stdout)

    def test_the_daemon_has_a_session_of_its_own(self):
        self.run_it()
        self.assertEqual((self.state / "session").read_text(), (self.state / "running").read_text())

    def test_a_build_that_fails_names_its_log_and_the_error(self):
        done = self.run_it(BREAK="1")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.root}/build/release/build.log", done.stderr)
        self.assertIn("it does not compile", done.stderr)
        self.assertNotIn("engine install llama.cpp", self.calls())
        self.assertIn("it does not compile", (self.root / "build/release/build.log").read_text())

    def test_a_headless_box_is_told_the_ssh_line(self):
        done = self.run_it(SSH_CONNECTION="192.0.2.1 50000 192.0.2.2 22")
        self.assertRegex(done.stdout, r"ssh -L 8080:127\.0\.0\.1:8080 \S+@192\.0\.2\.2\n")

    def test_it_says_what_this_box_could_use_instead(self):
        for vendor, accel, words in (("0x1002", False, "AMD GPU"), ("0x10de", False, "NVIDIA GPU"), ("0x1234", True, "NPU"), ("0x8086", False, None)):
            with self.subTest(words):
                box = self.directory / f"box-{vendor}"
                (box / "sys/class/drm/card0/device").mkdir(parents=True)
                (box / "sys/class/drm/card0/device/vendor").write_text(vendor + "\n")
                if accel:
                    program(box / "dev/accel/accel0", "")
                out = self.run_it(HAL0_QUICKSTART_ROOT=str(box)).stdout
                self.assertEqual([w for w in ("AMD GPU", "NVIDIA GPU", "NPU") if w in out], [words] if words else [])

    def test_a_daemon_of_an_older_build_is_started_again_with_its_models_left(self):
        self.run_it()
        self.forget_calls()
        old = self.directory / "old-hal0"
        shutil.copy(shutil.which("sleep"), old)
        with subprocess.Popen([old, "60"]) as daemon:
            old.unlink()
            (self.state / "running").write_text(f"{daemon.pid}\n")
            done = self.run_it()
            daemon.kill()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.calls(), ["stop --keep-workers", "serve", "chat"])

    def test_stop_stops_and_does_nothing_else(self):
        self.run_it()
        self.forget_calls()
        self.assertEqual(self.run_it("--stop").returncode, 0)
        self.assertEqual(self.calls(), ["stop"])

    def test_stop_where_nothing_was_built_says_so(self):
        done = self.run_it("--stop")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not built here", done.stderr)

    def test_help_and_misuse(self):
        self.assertIn("--stop", self.run_it("--help").stdout)
        done = self.run_it("--stopp")
        self.assertEqual((done.returncode, self.calls()), (2, []))
        self.assertIn("--stop", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_with_sudo_before_it_it_asks_to_be_run_without(self):
        done = self.run_it(SUDO_USER="root")  # who owns this tree
        self.assertEqual((done.returncode, self.calls()), (1, []))
        self.assertIn("without sudo", done.stderr)


class MovingLine(unittest.TestCase):
    def test_elsewhere_than_on_a_terminal_it_is_a_line_now_and_then(self):
        text = "".join(f"[{i}/100] x\nnoise\n" for i in range(1, 101))
        done = subprocess.run([ROOT / "tools/moving-line", r"^\["], input=text, capture_output=True, text=True)
        self.assertEqual(done.stdout.splitlines(), [f"[{i}/100] x" for i in (1, 21, 41, 61, 81)])

    def test_on_a_terminal_it_is_one_line_that_moves(self):
        leader, follower = pty.openpty()
        subprocess.run([ROOT / "tools/moving-line", r"^\["], input="[1/2] x\nnoise\n[2/2] yyyyyyyy\n", stdout=follower, text=True,
                       env={**os.environ, "COLUMNS": "10"}, check=True)
        os.close(follower)
        self.assertEqual(os.read(leader, 1000), b"\r\033[K[1/2] x\r\033[K[2/2] yyy\r\033[K")
        os.close(leader)


class Setup(unittest.TestCase):
    """tools/setup with a dpkg that knows all packages but two, and an apt-get and a sudo that are written down."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hal0-setup-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.directory.chmod(0o755)
        (self.directory / "tools").mkdir()
        for name in ("setup", "moving-line"):
            shutil.copy(ROOT / "tools" / name, self.directory / "tools")
        self.bin = self.directory / "bin"
        self.bin.mkdir()
        for name in ("bash", "env", "dirname", "grep", "sed", "tr", "tee", "tail", "rm", "mktemp", "sort"):
            (self.bin / name).symlink_to(shutil.which(name))
        self.record = self.directory / "record"
        self.record.touch()
        self.record.chmod(0o666)
        program(self.bin / "dpkg-query", '#!/bin/bash\nfor p in "${@:3}"; do [[ $p == ninja-build || $p == mold ]] || echo "installed $p"; done\n')
        self.stand_in("apt-get")
        self.stand_in("dpkg")

    def stand_in(self, name, code=0, more=""):
        program(self.bin / name, f'#!/bin/bash\necho "{name} $*" >>"{self.record}"\n{more}\nexit {code}\n')

    def run_it(self, *arguments, root=False):
        options = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 and not root else {}
        return subprocess.run([self.directory / "tools/setup", *arguments], env={"PATH": str(self.bin)}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, **options)

    def by_hand(self, done):
        """The one line to run as root is told, and nothing was tried."""
        self.assertEqual(done.returncode, 1)
        lines = [line for line in done.stderr.splitlines() if "apt-get" in line and "install -y" in line]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].strip().startswith("apt-get update && apt-get install -y"))
        self.assertEqual(lines[0].split()[-2:], ["ninja-build", "mold"])

    def test_without_root_and_sudo_it_prints_the_one_line_to_run(self):
        self.by_hand(self.run_it("build"))
        self.assertEqual(self.record.read_text(), "")

    def test_a_sudo_that_refuses_is_as_none(self):
        self.stand_in("sudo", code=1)
        self.by_hand(self.run_it("build"))
        self.assertEqual(self.record.read_text(), "sudo -n true\nsudo -v\n")

    def test_with_sudo_just_what_is_missing_is_installed(self):
        self.stand_in("sudo", more='if [[ $1 != -v ]]; then "$@"; fi')
        self.stand_in("apt-get", more="echo 'Reading package lists...'; echo 'Setting up mold (1.10) ...'")
        done = self.run_it("build")
        self.assertEqual((done.returncode, done.stdout), (0, "setup: installing ninja-build mold\nSetting up mold (1.10) ...\n"), done.stderr)
        installs = [line for line in self.record.read_text().splitlines() if re.match(r"apt-get install", line)]
        self.assertEqual(installs, ["apt-get install -y --no-install-recommends ninja-build mold"])

    def test_what_it_would_install_is_told_without_doing_it(self):
        done = self.run_it("build", "--missing")
        self.assertEqual((done.returncode, done.stdout.split(), self.record.read_text()), (0, ["ninja-build", "mold"], ""))

    def test_where_nothing_is_missing_it_says_and_does_nothing(self):
        program(self.bin / "dpkg-query", '#!/bin/bash\nfor p in "${@:3}"; do echo "installed $p"; done\n')
        done = self.run_it("build")
        self.assertEqual((done.returncode, done.stdout, done.stderr, self.record.read_text()), (0, "", "", ""))

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_an_install_that_fails_shows_why_and_what_to_run(self):
        self.stand_in("apt-get", code=100, more="echo 'E: no such package'")
        done = self.run_it("build", root=True)
        self.by_hand(done)
        self.assertIn("E: no such package", done.stderr)


if __name__ == "__main__":
    unittest.main()
