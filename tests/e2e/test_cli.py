"""The CLI as its user meets it."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest

from harness import CHAT, HAL0, Home, eventually, running


def on_a_terminal(command, env, columns):
    """What a command says on a terminal of so many columns, without its colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, env={**env, "NO_COLOR": "1"}, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    said = b""
    with contextlib.suppress(OSError):  # EIO: everybody has closed the terminal
        while piece := os.read(leader, 65536):
            said += piece
    os.close(leader)
    process.wait(20)
    return said.decode()


class WithoutADaemon(unittest.TestCase):
    def test_it_says_so_and_how_to_start_it(self):
        with Home() as home:
            for command in (["status"], ["slot", "list"], ["chat", "hi"], ["slot", "load", "primary"]):
                done = home.cli(*command, check=1)
                self.assertIn("hal0 serve", done.stderr, command)

    def test_help_and_usage(self):
        with Home() as home:
            self.assertRegex(home.cli("--help", check=0).stdout, r"(?m)^ +slot list +all slots")
            for command in ("serve", "status", "chat", "slot", "slot list", "slot swap", "model pull", "engine install"):
                self.assertIn("hal0 " + command, home.cli("help", *command.split(), check=0).stdout)
                self.assertIn("hal0 " + command, home.cli(*command.split(), "--help", check=0).stdout)
            self.assertRegex(home.cli("--version", check=0).stdout, r"^hal0 \d+\.\d+\.\d+")
            self.assertIn("slot", home.cli("slto", check=2).stderr, "the nearest command")
            self.assertIn("--json", home.cli("slot", "list", "--jsn", check=2).stderr, "the nearest flag")
            home.cli("slot", "swap", "primary", check=2)

    def test_models_and_engines_are_listed_without_one(self):
        with Home() as home:
            home.fake_model("m")
            models = json.loads(home.cli("model", "list", "--json", check=0).stdout)
            self.assertIn(("m", "present"), [(m["id"], m["state"]) for m in models])
            self.assertIn(("smollm2-135m-instruct", "available"), [(m["id"], m["state"]) for m in models])
            engines = json.loads(home.cli("engine", "list", "--json", check=0).stdout)
            self.assertIn("installed", [e["state"] for e in engines])
            self.assertIn("m", home.cli("model", "show", "m", check=0).stdout)

    def test_every_commands_help_has_an_example(self):
        with Home() as home:
            lines = home.cli("--help", check=0).stdout.splitlines()
            commands = [re.match(r"  ([a-z]+( [a-z]+)?)", line)[1] for line in lines if re.match(r"  [a-z]", line)]
            self.assertGreater(len(commands), 20)
            for command in commands:
                text = home.cli("help", *command.split(), check=0).stdout
                self.assertIn(f"hal0 {command}", text.partition("\nExamples\n")[2])

    def test_what_fails_is_1_and_what_was_typed_wrongly_is_2(self):
        with Home() as home:
            for command in (["model", "show", "nothing"], ["model", "pull", "nothing"], ["engine", "show", "nothing"], ["slot", "list"]):
                self.assertTrue(home.cli(*command, check=1).stderr.startswith("hal0: "), command)
            for command in (["frobnicate"], ["slot"], ["slot", "show"], ["slot", "list", "x"], ["slot", "list", "--jso"],
                            ["status", "--wait", "soon"], ["completion", "tcsh"], ["help", "frobnicate"]):
                done = home.cli(*command, check=2)
                self.assertEqual(done.stdout, "", command)
                self.assertTrue(done.stderr, command)

    def test_completions_are_scripts_of_their_shells(self):
        with Home() as home:
            for shell in ("bash", "zsh", "fish"):
                text = home.cli("completion", shell, check=0).stdout
                self.assertIn("slot", text)
                if shutil.which(shell):
                    subprocess.run([shell, "-n"], input=text, text=True, check=True)


class WithADaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home()
        cls.home.slot("primary", cls.home.fake_model("m", "chunks=5", "slow-stream-ms=10"))
        cls.home.start().ready("primary")

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def test_status_and_tables(self):
        self.assertIn("primary", self.home.cli("status", check=0).stdout)
        table = self.home.cli("slot", "list", check=0).stdout
        self.assertIn("primary", table)
        self.assertIn("ready", table)
        self.assertNotIn("\x1b", table, "no colours where nobody sees them")
        self.assertEqual(json.loads(self.home.cli("slot", "list", "--json", check=0).stdout)[0]["name"], "primary")
        self.assertEqual(json.loads(self.home.cli("status", "--json", check=0).stdout)["slots"][0]["name"], "primary")
        self.assertIn("m.gguf", self.home.cli("slot", "explain", "primary", check=0).stdout)
        self.assertIn("listening", self.home.cli("slot", "logs", "primary", check=0).stdout)

    def test_eighty_columns_tell_why_a_slot_is_down(self):
        model = self.home.fake_model("a-model-whose-name-is-rather-long-for-a-table", "say=error: no such tensor", "die-before-ready=1")
        self.home.slot("wrecked", model, enabled=False)
        eventually(lambda: self.home.api("GET", "/api/slots/wrecked").status == 200)
        self.home.cli("slot", "load", "wrecked", check=1)
        for command in (["slot", "list"], ["status"]):
            lines = on_a_terminal([HAL0, *command], self.home.env, columns=80).splitlines()
            self.assertLessEqual(max(map(len, lines)), 80, lines)
            self.assertIn("wrecked: its worker exited with code 1 while loading: error: no such tensor", " ".join(" ".join(lines).split()))

    def test_what_goes_on_ends_with_its_reader(self):
        """As every program in a pipe does: `hal0 events -f | grep -m1 ready`."""
        for command in (["slot", "logs", "-f", "primary"], ["events", "-f"]):
            with self.subTest(command):
                follows = subprocess.Popen([HAL0, *command], env=self.home.env, stdout=subprocess.PIPE)
                follows.stdout.close()  # also while there is nothing to write
                self.assertEqual(follows.wait(20), -signal.SIGPIPE)

    def test_errors_have_exit_code_1_and_the_servers_words(self):
        self.assertIn("nothing", self.home.cli("slot", "show", "nothing", check=1).stderr)
        self.assertIn("gpt-9", self.home.cli("chat", "--model", "gpt-9", "hi", check=1).stderr)

    def test_one_question(self):
        done = self.home.cli("chat", "hi", check=0)
        self.assertIn("m word1 word2", done.stdout)
        self.assertEqual(done.stderr, "", "measures are for people")
        self.assertEqual(len(self.home.cli("chat", "--max-tokens", "2", "hi", check=0).stdout.split()), 2)

    def test_what_a_pipe_brings_is_asked(self):
        for words in ([], ["Summarise:", "-"]):
            done = subprocess.run([HAL0, "chat", *words], env=self.home.env, input="a long text\n", capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("m word1 word2", done.stdout)

    def test_the_answer_streams(self):
        home = self.home
        home.slot("endless", home.fake_model("endless", "chunks=2000", "slow-stream-ms=20"))
        eventually(lambda: home.api("GET", "/api/slots/endless").status == 200)
        home.ready("endless")
        with running(HAL0, "chat", "--slot", "endless", "hi", env=home.env) as chat:
            seen = ""
            while "word2" not in seen:
                piece = chat.stdout.read(1)
                self.assertTrue(piece, "it ended")
                seen += piece
            self.assertEqual(home.slot_view("endless")["in_flight"], 1, "its worker is still at it")
            chat.send_signal(signal.SIGINT)
            self.assertEqual(chat.wait(20), 130)
        eventually(lambda: home.slot_view("endless")["in_flight"] == 0, message="Ctrl-C stops the answer at its worker too")
        home.cli("slot", "delete", "endless", check=0)

    def test_a_conversation_on_a_terminal(self):
        leader, follower = pty.openpty()
        chat = subprocess.Popen([HAL0, "chat"], env={**self.home.env, "TERM": "xterm"}, stdin=follower, stdout=follower, stderr=follower,
                                start_new_session=True)
        os.close(follower)
        seen = b""

        def until(word):
            nonlocal seen
            end = time.monotonic() + 20
            while word not in seen and select.select([leader], [], [], max(0, end - time.monotonic()))[0]:
                try:
                    seen += os.read(leader, 4096)
                except OSError:
                    break
            self.assertIn(word, seen)
            seen = seen[seen.index(word) + len(word):]
        os.write(leader, b"hello\n")
        until(b"word1")
        until(b"tok/s")
        os.write(leader, b"again\n")
        until(b"word1")
        until(b"tok/s")
        os.write(leader, b"\x04")
        self.assertEqual(chat.wait(20), 0)
        os.close(leader)

    def test_ctrl_c_leaves_long_work_going(self):
        home = self.home
        home.slot("slow", home.fake_model("slow", "ready-after-ms=3000"), enabled=False)
        eventually(lambda: home.api("GET", "/api/slots/slow").status == 200)
        load = subprocess.Popen([HAL0, "slot", "load", "slow"], env=home.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        eventually(lambda: home.slot_view("slow")["state"] != "offline")
        load.send_signal(signal.SIGINT)
        out, err = load.communicate(timeout=20)
        self.assertEqual(load.returncode, 130, err)
        self.assertIn("goes on", out + err)
        home.ready("slow")

    def test_an_engine_of_another_version_than_the_pinned_is_no_reason_to_install_nothing(self):
        self.assertEqual(self.home.cli("engine", "list", "--installed", "--names", check=0).stdout, "")
        self.assertIn("installed, old", self.home.cli("engine", "list", check=0).stdout)
        job = self.home.api("POST", "/api/engines/install", {"id": "llama.cpp"})
        self.assertEqual(job.status, 202, job)
        self.home.api("POST", f"/api/jobs/{job.json['id']}/cancel")
        eventually(lambda: self.home.api("GET", f"/api/jobs/{job.json['id']}").json["state"] != "running")

    def test_tab_completes_in_bash(self):
        for typed, offered in (("s", {"serve", "slot", "status", "stop"}),
                               ("slot lo", {"load", "logs"}),
                               ("slot list --j", {"--json"}),
                               ("slot load --no-wait pri", {"primary"}),
                               ("chat --slot pri", {"primary"}),
                               ("model pull smollm2-135m", {"smollm2-135m-instruct"}),
                               ("help eng", {"engine"}),
                               ("completion f", {"fish"}),
                               ("slot frobnicate x", set())):
            with self.subTest(typed):
                words = typed.split()
                script = ('source <("$1" completion bash); COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _hal0; '
                          'printf "%s\\n" "${COMPREPLY[@]}"')
                done = subprocess.run(["bash", "-uc", script, "bash", HAL0, *words], env=self.home.env, capture_output=True, text=True,
                                      check=True)
                self.assertEqual(done.stderr, "")
                self.assertEqual(set(done.stdout.split()), offered)

    def test_slots_by_hand(self):
        self.home.fake_model("n")
        self.home.cli("slot", "create", "second", "--model", "n", "--context", "512", check=0)
        self.home.cli("slot", "swap", "second", "m", check=0)
        self.assertEqual(self.home.slot_view("second")["model"], "m")
        self.home.cli("slot", "unload", "second", check=0)
        self.home.cli("slot", "load", "second", check=0)
        self.home.cli("slot", "restart", "second", check=0)
        self.home.cli("slot", "delete", "second", check=0)
        self.assertNotIn("second", self.home.cli("slot", "list", "--names", check=0).stdout.split())


class Pulls(unittest.TestCase):
    """A pull from a registry that takes for ever: a python3 stands in whose pip has a megabyte and waits for more."""

    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)
        stand_in = self.home.path / "bin/python3"
        stand_in.parent.mkdir()
        stand_in.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "Collecting it"\n'
                            'mkdir "$TMPDIR/pip-unpack-1" && head -c 1000000 /dev/zero >"$TMPDIR/pip-unpack-1/it"\nexec sleep 600\n')
        stand_in.chmod(0o755)
        self.home.env["PATH"] = f"{stand_in.parent}:{self.home.env['PATH']}"

    def job(self):
        jobs = self.home.api("GET", "/api/jobs").json
        return jobs[0] if jobs else None

    def test_ctrl_c_leaves_it_going_and_asking_again_joins_it(self):
        home = self.home.start()
        with running(HAL0, "model", "pull", "smollm2-135m-instruct", env=home.env) as pull:
            self.assertTrue(any("downloading" in line for line in iter(pull.stderr.readline, "")), "how far it is")
            pull.send_signal(signal.SIGINT)
            self.assertEqual(pull.wait(20), 130)
            self.assertIn("goes on", pull.stderr.read())
        first = self.job()
        self.assertEqual((first["state"], first["kind"], first["subject"]), ("running", "model.pull", "smollm2-135m-instruct"))
        home.cli("model", "pull", "smollm2-135m-instruct", "--no-wait", check=0)
        self.assertEqual(len(home.api("GET", "/api/jobs").json), 1)
        models = json.loads(home.cli("model", "list", "--json", check=0).stdout)
        self.assertEqual({m["id"]: m["state"] for m in models}["smollm2-135m-instruct"], "pulling")
        self.assertIn("smollm2-135m-instruct", home.cli("status", check=0).stdout)
        self.assertEqual(home.api("POST", f"/api/jobs/{first['id']}/cancel").status, 202)
        eventually(lambda: self.job()["state"] == "cancelled")
        self.assertNotIn("smollm2-135m-instruct", home.cli("model", "list", "--present", "--names", check=0).stdout.split())

    def test_the_same_without_a_daemon_is_waited_for_by_a_second(self):
        with running(HAL0, "model", "pull", "smollm2-135m-instruct", env=self.home.env) as pull:
            self.assertTrue(any("downloading" in line for line in iter(pull.stderr.readline, "")))
            with running(HAL0, "model", "pull", "smollm2-135m-instruct", env=self.home.env) as second:
                self.assertTrue(any(str(pull.pid) in line for line in iter(second.stderr.readline, "")), "for whom it waits")


class Stop(unittest.TestCase):
    def test_stop_ends_the_daemon_and_its_models(self):
        for daemon_first in (False, True):
            with self.subTest(daemon_first), Home() as home:
                home.slot("primary", home.fake_model("m"))
                home.start().ready("primary")
                if daemon_first:
                    home.kill()
                home.cli("stop", check=0)
                self.assertFalse(home.worker_pids())
                self.assertIsNotNone(home.daemon.poll())
                home.cli("stop", check=0)

    def stop(self, home):
        """`hal0 stop`, begun."""
        return subprocess.Popen([HAL0, "stop"], env=home.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ended(self, home, stop, said):
        out, err = stop.communicate(timeout=60)
        self.assertEqual(stop.returncode, 0, err)
        self.assertIn(said, out)
        self.assertEqual(home.daemon.wait(20), 0, home.daemon_log())
        self.assertFalse(home.worker_pids(), "a worker outlived the stop")
        return err

    def test_an_answer_in_progress_is_finished_and_no_request_brings_a_slot_back(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.slot("second", home.fake_model("slow", "chunks=30", "slow-stream-ms=100"))
            home.start().ready("primary", "second")
            stream = home.raw()
            body = json.dumps({"model": "second", "stream": True, **CHAT}).encode()
            stream.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            self.assertIn(b"200 OK", stream.recv(65536))
            stop = self.stop(home)
            eventually(lambda: home.slot_view("primary")["state"] == "offline")
            answer = home.http("POST", "/v1/chat/completions", {"model": "primary", **CHAT})
            self.assertEqual(answer.status, 503, answer)
            self.assertIn("stopping", answer.json["error"]["message"])
            self.assertEqual(home.api("POST", "/api/slots/primary/load").status, 503)
            received = b""
            while piece := stream.recv(65536):
                received += piece
            self.assertIn(b"[DONE]", received)
            self.assertIn("second still answers 1 request", self.ended(home, stop, "2 workers with it"))
            self.assertEqual(home.loads("m"), 1)

    def test_a_slot_in_a_pause_or_in_a_swap_stops_too(self):
        with Home() as home:
            home.slot("failing", home.fake_model("bad", "die-before-ready=1"))
            home.slot("primary", home.fake_model("m"))
            home.fake_model("late", "ready-after-ms=60000")
            home.start().ready("primary")
            eventually(lambda: home.slot_view("failing")["state"] == "error")
            self.assertEqual(home.api("POST", "/api/slots/primary/swap?wait=false", {"model": "late"}).status, 202)
            eventually(lambda: home.loads("late"))
            self.ended(home, self.stop(home), "1 worker with it")

    def test_a_daemon_that_doesnt_answer_is_not_taken_for_none(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            home.daemon.send_signal(signal.SIGSTOP)
            try:
                for command in (["stop"], ["model", "pull", "m"]):
                    self.assertIn(f"hal0 (pid {home.daemon.pid}) holds this home but doesn't answer",
                                  home.cli(*command, check=1).stderr)
                self.assertEqual(len(home.worker_pids()), 1)
            finally:
                home.daemon.send_signal(signal.SIGCONT)
            self.ended(home, self.stop(home), "1 worker with it")
