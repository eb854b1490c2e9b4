"""What happened is kept: requests, loads and events, never a text, whatever becomes of the disk and the daemon."""
import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import unittest

from harness import CHAT_MODEL, EMBED_MODEL, Home, eventually

SECRET = "xyzzy-plugh-4711"
CHAT = {"messages": [{"role": "user", "content": f"Tell nobody: {SECRET}"}], "max_tokens": 8}


class History(unittest.TestCase):
    def home_of(self, engine="fake", settings=""):
        home = Home(engine, settings)
        self.addCleanup(home.close)
        return home

    def fake_home(self, *faults, settings=""):
        home = self.home_of(settings=settings)
        home.slot("primary", home.fake_model("tiny", *faults))
        return home

    def requests(self, home, count, query=""):
        return eventually(lambda: (found := home.api("GET", f"/api/requests{query}").json) and len(found) >= count and found,
                          message=f"{count} requests are not there")

    def chat(self, home, **more):
        answer = home.http("POST", "/v1/chat/completions", CHAT | more)
        self.assertEqual(answer.status, 200, answer)
        return answer

    @staticmethod
    def database(home):
        return home.path / "state" / "hal0.db"

    def log(self, home):
        return (home.path / "daemon.log").read_text(errors="replace")

    # ---- what is told

    def test_requests_have_their_figures_under_the_id_that_their_clients_got(self):
        home = self.fake_home().start().ready("primary")
        whole, streamed = self.chat(home), self.chat(home, stream=True)
        mine = home.http("POST", "/v1/chat/completions", CHAT, {"X-Request-Id": "mine-1"})
        self.assertEqual(mine.headers["x-request-id"], "mine-1")
        told = self.requests(home, 3)
        self.assertEqual([r["id"] for r in told], ["mine-1", streamed.headers["x-request-id"], whole.headers["x-request-id"]])
        self.assertEqual([r["stream"] for r in told], [False, True, False])
        usage = whole.json["usage"]
        for request in told:
            self.assertEqual((request["slot"], request["model"], request["outcome"], request["status"]), ("primary", "tiny", "ok", 200))
            self.assertEqual((request["prompt_tokens"], request["generated_tokens"]), (usage["prompt_tokens"], usage["completion_tokens"]))
            self.assertEqual((request["prompt_tokens_per_s"], request["generated_tokens_per_s"]), (250, 200))
            self.assertLessEqual(request["first_byte_s"], request["total_s"])
        self.assertEqual(home.api("GET", f"/api/requests?limit=1&before={told[0]['number']}").json, [told[1]])
        self.assertEqual(home.api("GET", "/api/requests?slot=other").json, [])

    def test_every_route_that_tells_tokens(self):
        home = self.fake_home("slow-stream-ms=5").start().ready("primary")
        asked = [("/v1/completions", {"prompt": "one two"}), ("/v1/completions", {"prompt": "one two", "stream": True}),
                 ("/v1/messages", CHAT), ("/v1/messages", CHAT | {"stream": True}),
                 ("/v1/responses", {"input": "one two"}), ("/v1/responses", {"input": "one two", "stream": True})]
        for path, body in asked:
            self.assertEqual(home.http("POST", path, body).status, 200)
        told = self.requests(home, len(asked))
        for request, (path, body) in zip(reversed(told), asked):
            self.assertEqual(request["path"], path)
            self.assertGreater(request["prompt_tokens"], 0, request)
            self.assertGreater(request["generated_tokens"], 0, request)
            if body.get("stream"):
                self.assertGreater(request["generated_tokens_per_s"], 0, request)

    def test_the_real_engine_tells_all_of_it(self):
        home = self.home_of("real")
        home.slot("primary", CHAT_MODEL, context=1024)
        home.slot("embed", EMBED_MODEL)
        home.start().ready("primary", "embed")
        for more in ({}, {"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}):
            self.chat(home, model="primary", ignore_eos=True, **more)
        home.http("POST", "/v1/embeddings", {"model": "embed", "input": "one two three"})
        told = self.requests(home, 4)
        self.assertEqual(told[0]["slot"], "embed")
        self.assertGreater(told[0]["prompt_tokens"], 2)
        for request in told[1:]:
            self.assertGreater(request["prompt_tokens"], 20, request)
            self.assertEqual(request["generated_tokens"], 8, request)
            self.assertGreater(request["generated_tokens_per_s"], 0, request)
        self.assertGreater(told[1]["cached_tokens"], 0)
        metrics = home.http("GET", "/metrics").body.decode()
        self.assertIn('hal0_slot_generated_tokens_total{slot="primary"} 24\n', metrics)
        self.assertNotIn('hal0_slot_generated_seconds_total{slot="primary"} 0\n', metrics)
        loads = home.api("GET", "/api/loads?slot=primary").json
        self.assertEqual([(load["outcome"], load["model"]) for load in loads], [("ready", CHAT_MODEL)])
        self.assertGreater(loads[0]["memory"], 0)

    def test_how_requests_end(self):
        home = self.fake_home()
        home.slot("dying", home.fake_model("dies", "die-on-request=1"), enabled=False)
        home.start().ready("primary")
        self.assertEqual(home.http("POST", "/v1/chat/completions", CHAT | {"model": "dying"}).status, 502)
        self.assertEqual(home.http("POST", "/v1/chat/completions", {"model": "primary"}).status, 400)
        told = self.requests(home, 2)
        self.assertEqual([(r["outcome"], r["status"]) for r in told], [("client_error", 400), ("worker_lost", 502)])
        self.assertGreater(told[1]["waited_s"], 0)
        self.assertIsNone(told[0]["prompt_tokens"])

    def test_loads_that_fail_say_why(self):
        home = self.fake_home("die-before-ready=3", "say=error: no luck today")
        home.start()
        load = eventually(lambda: home.api("GET", "/api/loads?slot=primary").json)[-1]
        self.assertEqual((load["outcome"], load["memory"]), ("failed", None))
        self.assertIn("exited with code 3", load["why"])

    def test_the_command(self):
        home = self.fake_home().start().ready("primary")
        self.assertEqual(home.cli("history", check=0).stdout, "nothing yet\n")
        self.chat(home)
        self.requests(home, 1)
        table = home.cli("history", check=0).stdout.splitlines()
        self.assertEqual(table[0].split()[:4], ["WHEN", "SLOT", "OUTCOME", "PATH"])
        self.assertIn("/v1/chat/completions", table[1])
        self.assertEqual(len(json.loads(home.cli("history", "--json", check=0).stdout)), 1)
        self.assertIn("ready", home.cli("history", "loads", "--slot", "primary", check=0).stdout)
        events = json.loads(home.cli("history", "events", "--json", "--limit", "2", check=0).stdout)
        self.assertEqual([event["type"] for event in events], ["slot.state"] * 2)
        self.assertIn("slot.state", home.cli("history", "events", check=0).stdout)
        self.assertEqual(home.cli("history", "nonsense").returncode, 2)

    # ---- what is kept, and what never is

    def test_no_text_of_anybody_is_in_the_file(self):
        home = self.fake_home().start().ready("primary")
        for path, body in (("/v1/chat/completions", CHAT), ("/v1/chat/completions", CHAT | {"stream": True}),
                           ("/v1/completions", {"prompt": SECRET}), ("/v1/chat/completions", {"nonsense": SECRET})):
            home.http("POST", path, body, {"User": SECRET, "Authorization": f"Bearer {SECRET}"})
        self.requests(home, 4)
        home.terminate()
        for file in self.database(home).parent.glob("hal0.db*"):
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            content = file.read_bytes()
            self.assertNotIn(SECRET.encode(), content)
            self.assertNotIn(b"word1", content, "the answer's")

    def test_all_is_there_after_a_proper_end_and_after_kill_9(self):
        home = self.fake_home().start().ready("primary")
        self.chat(home)
        home.terminate()  # at once: nothing of it was written yet
        home.start()
        self.assertEqual(len(self.requests(home, 1)), 1)
        for count in range(2, 5):
            self.chat(home)
            self.requests(home, count)
            home.kill()
            home.start()
            self.assertEqual(len(self.requests(home, count)), count)
        with contextlib.closing(sqlite3.connect(self.database(home))) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def test_kill_9_in_the_middle_of_writing(self):
        home = self.fake_home().start().ready("primary")
        for _ in range(3):
            for _ in range(300):
                home.http("POST", "/v1/chat/completions", CHAT)
            home.kill()
            home.start()
            home.api("GET", "/api/requests")
        with contextlib.closing(sqlite3.connect(self.database(home))) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        self.assertNotIn("could not be read", self.log(home))

    def test_days_of_zero_keep_nothing(self):
        home = self.fake_home(settings="history_days = 0\n").start().ready("primary")
        self.chat(home)
        refused = home.api("GET", "/api/requests")
        self.assertIn("history_days", refused.json["error"]["message"])
        home.terminate()
        self.assertFalse(self.database(home).exists())

    def test_what_is_older_goes(self):
        home = self.fake_home(settings="history_days = 2\n").start().ready("primary")
        self.chat(home)
        self.requests(home, 1)
        home.terminate()
        with contextlib.closing(sqlite3.connect(self.database(home))) as database:
            database.execute("UPDATE requests SET time = time - 3 * 86400000")
            database.commit()
        home.start()
        eventually(lambda: home.api("GET", "/api/requests").json == [], message="what is too old is kept")

    # ---- files and disks that are not as they should be

    def test_a_file_that_is_no_database_is_put_aside(self):
        home = self.fake_home()
        self.database(home).parent.mkdir(parents=True, exist_ok=True)
        self.database(home).write_bytes(b"no database " * 1000)
        home.start().ready("primary")
        self.chat(home)
        self.requests(home, 1)
        aside = list(self.database(home).parent.glob("hal0.db.bad-*"))
        self.assertEqual([file.read_bytes() for file in aside], [b"no database " * 1000])
        self.assertEqual(self.log(home).count("could not be read as a database"), 1)

    def test_a_newer_hal0s_file_is_left_alone(self):
        home = self.fake_home()
        self.database(home).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self.database(home))) as database:
            database.execute("CREATE TABLE of_tomorrow(a)")
            database.execute("PRAGMA user_version = 99")
            database.commit()
        before = self.database(home).read_bytes()
        home.start().ready("primary")
        self.chat(home)
        eventually(lambda: "was written by a newer hal0" in self.log(home))
        home.terminate()
        self.assertEqual(self.database(home).read_bytes(), before)
        self.assertEqual(self.log(home).count("newer hal0"), 1)

    def test_a_full_disk_is_said_once_and_hal0_serves_on(self):
        home = self.fake_home()
        state = self.database(home).parent
        state.mkdir(parents=True, exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", state], capture_output=True).returncode:
            self.skipTest("this container may not mount")
        self.addCleanup(subprocess.run, ["umount", "-l", str(state)])
        home.start().ready("primary")
        self.chat(home)
        self.requests(home, 1)
        filler = pathlib.Path(state / "filler")
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        for _ in range(50):
            self.chat(home)
        eventually(lambda: "what happens can't be kept" in self.log(home))
        for _ in range(50):
            self.chat(home)
        os.unlink(filler)
        self.chat(home)
        eventually(lambda: "what happens is kept again" in self.log(home))
        self.assertEqual(self.log(home).count("what happens can't be kept"), 1)
        self.chat(home)
        self.requests(home, 2)

    # ---- slow slots and long contexts

    def once_twice_as_fast(self, home):
        """What was is told by the file; what is, by the worker, which always says 200 tokens/s. Ends the daemon."""
        for _ in range(12):
            self.chat(home, max_tokens=20)
        self.requests(home, 12)
        home.terminate()
        with contextlib.closing(sqlite3.connect(self.database(home))) as database:
            database.execute("UPDATE requests SET generated_ms = generated_ms / 2")
            database.commit()

    def slow_down(self, home):
        self.once_twice_as_fast(home)
        home.start().ready("primary")
        for _ in range(6):
            self.chat(home, max_tokens=20)

    def test_a_slot_that_has_become_slow_is_told_with_what_to_do(self):
        home = self.fake_home("chunks=20").start().ready("primary")
        self.slow_down(home)
        eventually(lambda: "slot primary has become slow: 200 tokens/s in its last 5 requests, usually 400" in self.log(home),
                   message=self.log(home))
        told = home.cli("slot", "explain", "primary", check=0).stdout
        self.assertIn("It has become slow: 200 tokens/s", told)
        self.assertIn("'hal0 slot restart primary'", told)
        events = [e for e in self.events_after(home, "") if e["type"] == "slot.slow"]
        self.assertEqual([(e["subject"], e["data"]["usual_tokens_per_s"]) for e in events], [("primary", 400)])
        self.chat(home, max_tokens=20)
        self.requests(home, 19)
        self.assertEqual(self.log(home).count("has become slow"), 1)

    def test_other_settings_have_no_past(self):
        home = self.fake_home("chunks=20")
        home.slot("primary", "tiny", context=2048)
        home.start().ready("primary")
        self.once_twice_as_fast(home)
        home.slot("primary", "tiny", context=1024)
        home.start().ready("primary")
        home.api("POST", "/api/slots/primary/restart")
        home.ready("primary")
        for _ in range(6):
            self.chat(home, max_tokens=20)
        self.requests(home, 18)
        self.assertNotIn("has become slow", self.log(home))

    def test_a_long_context_is_logged_with_its_size(self):
        home = self.home_of("real")
        home.slot("primary", CHAT_MODEL, context=256)
        home.start().ready("primary")
        answer = home.http("POST", "/v1/completions", {"prompt": "one two three " * 40, "max_tokens": 40})
        self.assertEqual(answer.status, 200, answer)
        eventually(lambda: "of 256 tokens of context; its KV cache held " in self.log(home), message=self.log(home))
        self.assertIn(f"request {answer.headers['x-request-id']} went to", self.log(home))

    # ---- events

    def events_after(self, home, last):
        answer = home.api("GET", "/api/events?follow=false", headers={"Last-Event-ID": last})
        return [json.loads(line.removeprefix("data: ")) for line in answer.body.decode().splitlines() if line.startswith("data: ")]

    def test_events_are_resumed_over_a_restart(self):
        home = self.fake_home().start().ready("primary")
        seen = self.events_after(home, "")
        home.api("POST", "/api/slots/primary/unload")
        told = self.events_after(home, seen[-1]["id"])
        home.terminate()
        home.start()
        resumed = self.events_after(home, seen[-1]["id"])
        self.assertNotIn("resync", [event["type"] for event in resumed])
        self.assertEqual(resumed[:len(told)], told, "what the earlier daemon told")
        self.assertNotEqual(resumed[-1]["id"].split("-")[0], told[0]["id"].split("-")[0], "and then what this one told")
        home.kill()  # what it had told and not written nobody knows
        home.start()
        self.assertEqual([event["type"] for event in self.events_after(home, resumed[-1]["id"])], ["resync"])


if __name__ == "__main__":
    unittest.main()
