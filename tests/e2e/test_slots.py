"""Slots through the admin API, the CLI and their files."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import unittest

from harness import CHAT, HAL0, Home, eventually, running


class Slots(unittest.TestCase):
    def setUp(self):
        self.home = Home()
        self.home.fake_model("m")
        self.home.fake_model("n")

    def tearDown(self):
        self.home.close()

    def says(self, model="primary"):
        answer = self.home.http("POST", "/v1/chat/completions", {"model": model, **CHAT})
        self.assertEqual(answer.status, 200, answer)
        return answer.json["choices"][0]["message"]["content"]

    def test_create_serve_delete(self):
        home = self.home.start()
        made = home.api("POST", "/api/slots", {"name": "primary", "model": "m", "context": 512})
        self.assertEqual(made.status, 201, made)
        home.ready("primary")
        self.assertEqual(home.api("POST", "/api/slots", {"name": "primary", "model": "m"}).status, 409)
        self.assertTrue(self.says().startswith("m"))
        self.assertEqual(home.api("DELETE", "/api/slots/primary").status, 204)
        self.assertEqual(home.api("GET", "/api/slots/primary").status, 404)
        self.assertFalse((home.slots / "primary.toml").exists())
        self.assertFalse(home.worker_pids())

    def test_bad_creates_change_nothing(self):
        home = self.home.start()
        for body, word in (({"name": "../x", "model": "m"}, "name"), ({"name": "x"}, "model"), ({"name": "x", "model": "zzz"}, "zzz"),
                           ({"name": "x", "model": "m", "parallel": 0}, "parallel"), ({"name": "x", "model": "m", "contxt": 1}, "context"),
                           ({"name": "x", "model": "m", "kind": "poet"}, "kind")):
            answer = home.api("POST", "/api/slots", body)
            self.assertIn(answer.status, (400, 404), answer)
            self.assertIn(word, answer.json["error"]["message"])
        self.assertEqual(home.api("GET", "/api/slots").json, [])
        self.assertEqual(list(home.slots.iterdir()), [])

    def test_arguments_for_the_engine_come_from_the_owner_only(self):
        home = self.home.start()
        harmless = {"name": "x", "model": "m", "extra_args": ["--seed", "7"]}
        refused = home.http("POST", "/api/slots", harmless)
        self.assertEqual(refused.status, 403, refused)
        self.assertIn("extra_args", refused.json["error"]["message"])
        for hole in ("--host", "--port", "--log-file", "--tools"):
            answer = home.api("POST", "/api/slots", {**harmless, "extra_args": [hole, "x"]})
            self.assertEqual(answer.status, 400, answer)
            self.assertIn(hole, answer.json["error"]["message"])
        self.assertEqual(list(home.slots.iterdir()), [])
        self.assertEqual(home.api("POST", "/api/slots", harmless).status, 201)
        home.slot("y", "m", extra_args=["--host", "0.0.0.0"])
        eventually(lambda: "--host" in home.slot_view("y").get("cause", ""))
        self.assertFalse(home.slot_view("y")["pid"])

    def test_load_unload_restart(self):
        home = self.home
        home.slot("primary", "m")
        home.start().ready("primary")
        pid = home.slot_view("primary")["pid"]
        self.assertEqual(home.api("POST", "/api/slots/primary/unload").json["pid"], None)
        self.assertEqual(home.api("POST", "/api/slots/primary/load").json["state"], "ready")
        self.assertEqual(home.api("POST", "/api/slots/primary/load").json["loads"], 2, "loading a ready slot does nothing")
        self.assertEqual(home.api("POST", "/api/slots/primary/restart").json["loads"], 3)
        self.assertNotEqual(home.slot_view("primary")["pid"], pid)
        self.assertEqual(home.api("POST", "/api/slots/nothing/load").status, 404)

    def test_a_hung_request_does_not_hold_an_unload(self):
        home = self.home
        home.slot("primary", home.fake_model("hung", "never-answer"))
        home.start().ready("primary")
        answers = []
        def ask():
            with contextlib.suppress(OSError, http.client.HTTPException):
                answers.append(home.http("POST", "/v1/chat/completions", {"model": "primary", **CHAT}).status)
        client = threading.Thread(target=ask)
        client.start()
        eventually(lambda: home.slot_view("primary")["in_flight"] == 1)
        self.assertEqual(home.api("POST", "/api/slots/primary/unload?wait=false").json["state"], "unloading")
        self.assertIn("--force", home.slot_view("primary")["cause"])
        home.cli("slot", "unload", "primary", "--force", check=0, timeout=30)
        self.assertEqual(home.slot_view("primary")["state"], "offline")
        client.join(30)
        self.assertNotIn(200, answers)

    def test_who_says_each_argument_and_what_an_edit_changes(self):
        home = self.home
        model = home.fake_model("hung", "never-answer")
        home.slot("primary", model, context=512, extra_args=["-b", "64"])
        home.start().ready("primary")
        said = {a["flag"]: a for a in json.loads(home.cli("slot", "show", "primary", "--argv", "--json", check=0).stdout)["arguments"]}
        self.assertEqual((said["--ctx-size"]["value"], said["--ctx-size"]["from"]), ("512", "context"))
        self.assertEqual((said["-b"]["value"], said["-b"]["from"], said["--metrics"]["from"]), ("64", "extra_args", "hal0"))
        self.assertIn("primary runs", home.cli("slot", "show", "primary", "--argv", check=0).stdout)
        self.assertIn("as its file says", home.cli("slot", "diff", "primary", check=0).stdout)
        def ask():
            with contextlib.suppress(OSError, http.client.HTTPException):
                home.http("POST", "/v1/chat/completions", {"model": "primary", **CHAT})
        client = threading.Thread(target=ask)
        client.start()
        eventually(lambda: home.slot_view("primary")["in_flight"] == 1)
        home.slot("primary", model, context=1024)
        home.cli("reload", check=0)
        diff = {d["what"]: (d["running"], d["configured"]) for d in json.loads(home.cli("slot", "diff", "primary", "--json", check=0).stdout)}
        self.assertEqual((diff["--ctx-size"], diff["--batch-size"]), (("512", "1024"), ("64", None)))
        self.assertEqual(home.slot_view("primary")["state"], "unloading", "what it serves is finished first")
        (home.slots / "primary.toml").write_text("model = \n")
        refused = home.cli("reload", check=0)
        self.assertIn("primary", refused.stdout)
        self.assertIn("primary.toml", home.cli("slot", "diff", "primary", check=1).stderr)
        home.cli("slot", "unload", "primary", "--force", check=0, timeout=30)
        client.join(30)

    def test_swap_is_kept_in_the_file_with_its_comments(self):
        home = self.home
        (home.slots / "primary.toml").write_text('# mine\nmodel = "m"  # small\nfuture = 1\n')
        home.start().ready("primary")
        self.assertEqual(home.api("POST", "/api/slots/primary/swap", {"model": "n"}).json["model"], "n")
        self.assertTrue(self.says().startswith("n"))
        self.assertEqual((home.slots / "primary.toml").read_text(), '# mine\nmodel = "n"  # small\nfuture = 1\n')

    def test_a_swap_that_fails_brings_the_old_model_back(self):
        home = self.home
        home.slot("primary", "m")
        home.fake_model("bad", "die-before-ready=1", "say=out of memory")
        home.start().ready("primary")
        before = (home.slots / "primary.toml").read_text()
        failed = home.api("POST", "/api/slots/primary/swap", {"model": "bad"})
        self.assertGreaterEqual(failed.status, 400)
        self.assertIn("out of memory", failed.json["error"]["message"])
        home.ready("primary")
        self.assertTrue(self.says().startswith("m"))
        self.assertEqual((home.slots / "primary.toml").read_text(), before)
        self.assertEqual(home.api("POST", "/api/slots/primary/swap", {"model": "zzz"}).status, 404)
        self.assertEqual(home.slot_view("primary")["state"], "ready", "an unknown model doesn't touch the slot")

    def test_edits_of_files_reach_just_their_slot(self):
        home = self.home
        home.slot("primary", "m")
        home.slot("other", "n")
        home.start().ready("primary", "other")
        other = home.slot_view("other")["pid"]
        home.slot("primary", "m", context=1024)
        eventually(lambda: (v := home.slot_view("primary"))["state"] == "ready" and v["context"] == 1024)
        home.slot("third", "n")
        eventually(lambda: home.api("GET", "/api/slots/third").status == 200)
        home.ready("third")
        (home.slots / "third.toml").unlink()
        eventually(lambda: home.api("GET", "/api/slots/third").status == 404)
        self.assertEqual(home.slot_view("other")["pid"], other)
        eventually(lambda: len(home.worker_pids()) == 2)

    def test_an_edit_that_cannot_be_read_leaves_the_worker_alone(self):
        home = self.home
        home.slot("primary", "m")
        home.start().ready("primary")
        pid = home.slot_view("primary")["pid"]
        (home.slots / "primary.toml").write_text("model = \n")
        eventually(lambda: home.slot_view("primary")["restart_pending"])
        self.assertEqual(home.slot_view("primary")["pid"], pid)
        self.assertTrue(self.says().startswith("m"))

    def test_a_model_that_somebody_else_brings_wakes_the_slot_that_lacks_it(self):
        home = self.home
        home.slot("primary", "late")
        home.start()
        eventually(lambda: home.slot_view("primary")["state"] == "error", message=str(home.slot_view("primary")))
        home.fake_model(".pull-late")
        (home.models / ".pull-late").rename(home.models / "late")  # as a pull ends, whoever began it
        home.ready("primary")

    def test_the_row_of_a_slot(self):
        home = self.home
        home.slot("primary", "m", context=512, parallel=2)
        home.start().ready("primary")
        row = home.api("GET", "/api/slots").json[0]
        for field, value in (("name", "primary"), ("state", "ready"), ("model", "m"), ("provider", "llama.cpp"), ("backend", "cpu"),
                             ("device", "cpu"), ("context", 512), ("in_flight", 0)):
            self.assertEqual(row[field], value, field)
        self.assertGreater(row["memory"], 100000)
        self.assertTrue(row["since"].endswith("Z"))
        self.assertTrue(row["cause"])

    def test_what_the_worker_is_told(self):
        home = self.home
        home.slot("primary", "m", context=512, parallel=2, threads=3, cache_ram_mib=7, extra_args=["--flash-attn", "on"])
        home.start().ready("primary")
        with open(f"/proc/{home.slot_view('primary')['pid']}/cmdline", "rb") as file:
            argv = file.read().decode().split("\0")
        for flag, value in (("--ctx-size", "1024"), ("--parallel", "2"), ("--threads", "3"), ("--cache-ram", "7"), ("--flash-attn", "on")):
            self.assertEqual(argv[argv.index(flag) + 1], value)

    def test_what_the_worker_is_told_when_the_file_says_nothing(self):
        """Never the engine's own guesses."""
        home = self.home
        home.slot("primary", "m")
        home.start().ready("primary")
        with open(f"/proc/{home.slot_view('primary')['pid']}/cmdline", "rb") as file:
            argv = file.read().decode().split("\0")
        for flag, value in (("--ctx-size", "4096"), ("--parallel", "1"), ("--cache-ram", "0"), ("--fit", "off")):
            self.assertEqual(argv[argv.index(flag) + 1], value)
        self.assertIn(int(argv[argv.index("--threads") + 1]), range(1, os.cpu_count() + 1))

    def test_those_enabled_come_up_together_and_the_daemon_answers_meanwhile(self):
        home = self.home
        home.slot("primary", home.fake_model("slow", "ready-after-ms=60000"))
        home.slot("embed", home.fake_model("slower", "ready-after-ms=60000", kind="embed"))
        home.slot("later", "m", enabled=False)
        home.start()
        eventually(lambda: [home.slot_view(n)["state"] for n in ("primary", "embed")] == ["loading"] * 2,
                   message="one waits for the other")
        self.assertEqual(home.slot_view("later")["state"], "offline")
        self.assertEqual(home.http("GET", "/health").json["slots"], {"ready": 0, "total": 3})
        self.assertEqual(len(home.http("GET", "/v1/models").json["data"]), 6)
        self.assertEqual({s["state"] for s in home.api("GET", "/api/slots").json}, {"loading", "offline"})

    def test_each_command_has_its_answer_as_json(self):
        home = self.home.start()

        def run(*command):
            return json.loads(home.cli("slot", *command, "--json", check=0).stdout)
        made = run("create", "primary", "--model", "m", "--parallel", "2")
        self.assertEqual((made["name"], made["state"], made["parallel"]), ("primary", "ready", 2))
        rows = run("list")
        self.assertLessEqual({"name", "state", "cause", "model", "provider", "backend", "device", "pid", "since", "memory", "context",
                              "in_flight"}, set(rows[0]))
        self.assertEqual(run("show", "primary")["pid"], made["pid"])
        self.assertEqual(run("unload", "primary")["state"], "offline")
        self.assertEqual(run("load", "primary")["state"], "ready")
        self.assertEqual(run("restart", "primary")["loads"], 3)
        self.assertEqual(run("swap", "primary", "n")["model"], "n")
        self.assertTrue(run("explain", "primary")["lines"])
        lines = [json.loads(line) for line in home.cli("slot", "logs", "primary", "--json", check=0).stdout.splitlines()]
        self.assertEqual("".join(f"{line}\n" for line in lines), home.cli("slot", "logs", "primary", check=0).stdout)
        self.assertEqual(run("delete", "primary")["model"], "n")
        self.assertEqual(run("list"), [])

    def test_explain_tells_why_and_what_to_do(self):
        home = self.home
        home.slot("primary", "nowhere")
        home.slot("bad", home.fake_model("bad", "die-before-ready=3", "say=no such tensor"))
        home.start()
        eventually(lambda: home.slot_view("bad")["state"] == "error")
        self.assertIn("'hal0 model list' shows", home.cli("slot", "explain", "primary", check=0).stdout)
        told = home.cli("slot", "explain", "bad", check=0).stdout
        self.assertIn("no such tensor", told)
        self.assertIn(home.slot_view("bad")["log"], told)

    def test_logs_are_followed(self):
        home = self.home
        home.slot("primary", "m")
        home.start().ready("primary")
        with running(HAL0, "slot", "logs", "primary", "-f", env=home.env) as follower:
            self.assertTrue(any("listening" in line for line in iter(follower.stdout.readline, "")))
            with open(home.slot_view("primary")["log"], "a") as file:
                file.write("a line of now\n")
            self.assertIn("a line of now\n", iter(follower.stdout.readline, ""))
            follower.send_signal(signal.SIGINT)
            self.assertEqual(follower.wait(20), -signal.SIGINT)


class Logs(unittest.TestCase):
    def test_grown_logs_are_cut_under_their_writers(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "stdout-noise=1"))
            logs = home.path / "state" / "logs" / "slots"
            logs.mkdir(parents=True)
            own = home.path / "state" / "hal0.log"
            for log in (logs / "primary.log", own):
                log.write_text("old\n" * (3 << 20))
            with open(own, "ab") as out:
                home.daemon = subprocess.Popen([HAL0, "serve"], env=home.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            eventually(home._answers, message="the daemon does not answer")
            home.ready("primary")
            for log in (logs / "primary.log", own):
                kept = log.parent / (log.name + ".1")
                eventually(lambda: log.stat().st_size < 1 << 20 and kept.stat().st_size > 7 << 20, message=f"{log} is as long as it was")
            home.api("POST", "/api/slots/primary/restart")
            self.assertIn(b"hal0 starts m", home.api("GET", "/api/slots/primary/logs").body)
            self.assertLess((logs / "primary.log").stat().st_size, 1 << 20)


def memory_group(limit):
    """A cgroup whose processes may have so much memory, or a reason to skip."""
    for root, name in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = pathlib.Path(root) / f"hal0-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
            (group / name).write_text(str(limit))
            return group
        with contextlib.suppress(OSError):
            group.rmdir()
    raise unittest.SkipTest("no cgroup can be made here")


class Killed(unittest.TestCase):
    def test_a_load_that_the_kernel_ends_for_want_of_memory_says_so(self):
        home = Home()
        group = memory_group(100 << 20)
        self.addCleanup(lambda: eventually(lambda: group.rmdir() is None, message="the cgroup stays"))
        self.addCleanup(home.close)
        home.slot("primary", home.fake_model("hungry", "rss-mib=400"), enabled=False)
        home.start()
        (group / "cgroup.procs").write_text(str(home.daemon.pid))
        said = home.cli("slot", "load", "primary", check=1).stderr
        self.assertIn("by the kernel for want of memory, as it seems", said)

    def test_one_that_somebody_kills_is_not_taken_for_that(self):
        home = Home()
        self.addCleanup(home.close)
        home.slot("primary", home.fake_model("tiny"), enabled=False)
        home.start()
        home.cli("slot", "load", "primary", check=0)
        os.kill(home.slot_view("primary")["pid"], signal.SIGKILL)
        eventually(lambda: home.slot_view("primary")["state"] == "error" and "the kernel itself ended nothing" in home.slot_view("primary")["cause"],
                   message=str(home.slot_view("primary")))


class Events(unittest.TestCase):
    def test_a_client_that_comes_back_misses_nothing(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            seen = home.cli("events", "--json", check=0).stdout.splitlines()
            first = json.loads(seen[0])
            later = home.cli("events", "--json", "--after", first["id"], check=0).stdout.splitlines()
            self.assertEqual(later[:len(seen) - 1], seen[1:])
            types = {json.loads(line)["type"] for line in seen}
            self.assertIn("slot.state", types)


class Idle(unittest.TestCase):
    def test_a_slot_that_nobody_asks_goes_and_the_next_request_brings_it_up(self):
        home = Home()
        self.addCleanup(home.close)
        home.slot("primary", home.fake_model("tiny", "chunks=30", "slow-stream-ms=100"), idle_unload_s=1)
        home.start().ready("primary")
        body = {"model": "primary", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        answer = home.http("POST", "/v1/chat/completions", body)  # three seconds long
        self.assertIn(b"[DONE]", answer.body, "nothing is unloaded while it serves")
        self.assertEqual(home.loads("tiny"), 1)
        eventually(lambda: home.slot_view("primary")["state"] == "offline", message=str(home.slot_view("primary")))
        self.assertIn("nobody asked it for 1 s", home.slot_view("primary")["cause"])
        self.assertEqual(home.http("POST", "/v1/chat/completions", body | {"max_tokens": 1}).status, 200)
        self.assertEqual(home.loads("tiny"), 2)

    def test_what_loads_now_is_said_where_room_is_told(self):
        home = Home()
        self.addCleanup(home.close)
        home.slot("primary", home.fake_model("tiny", "ready-after-ms=3000"))
        home.start()
        view = home.api("GET", "/api/fit?model=gemma-3-1b-it-Q4_K_M&device=cpu").json
        self.assertIn("loading now: primary; what that will still take counts as free here", view["notes"])
        home.ready("primary")
        view = home.api("GET", "/api/fit?model=gemma-3-1b-it-Q4_K_M&device=cpu").json
        self.assertFalse([note for note in view["notes"] if "loading now" in note])
