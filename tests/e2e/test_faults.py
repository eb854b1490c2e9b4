"""Workers that fail as no engine can be asked to: fault x what the client sees.

A row: the fault, whether the client streams, the status, what the body must hold, and how the connection ends:
"whole" (a proper end), or "cut" (so that no client takes it for a whole answer).
"""
import contextlib
import http.client
import json
import os
import unittest

from harness import CHAT, Home, eventually

ROWS = [
    (["die-on-request=1"], False, 502, "worker", "whole"),
    (["die-on-request=1", "die-how=SIGSEGV"], True, 502, "worker", "whole"),
    (["close-without-answer"], False, 502, "worker", "whole"),
    (["reset-without-answer"], True, 502, "worker", "whole"),
    (["malformed-head"], False, 502, "worker", "whole"),
    (["huge-head=100000"], False, 502, "worker", "whole"),
    (["status=500"], False, 500, "error", "whole"),
    (["die-mid-stream-after-chunks=3", "chunks=9"], True, 200, 'data: {"error"', "whole"),
    (["close-mid-stream-after-chunks=3", "chunks=9"], True, 200, 'data: {"error"', "whole"),
    (["die-mid-stream-after-chunks=3", "chunks=9", "die-mid-stream-where=inside-chunk"], True, 200, "word", "cut"),
    (["die-mid-stream-after-chunks=3", "chunks=9", "die-mid-stream-where=inside-event"], True, 200, "word", "cut"),
    (["error-mid-stream-after-chunks=3", "chunks=9"], True, 200, "error", "whole"),
    (["end-without-done", "chunks=5"], True, 200, "word", "whole"),
    (["wrong-content-length=long"], False, 200, "word", "cut"),
    (["sse-ping", "chunks=5"], True, 200, "[DONE]", "whole"),
    (["grandchild-holds-stdout=30"], False, 200, "word", "whole"),
    (["stdout-noise=500"], False, 200, "word", "whole"),
]


class Faults(unittest.TestCase):
    def ask(self, home, stream, path="/v1/chat/completions"):
        connection = http.client.HTTPConnection(*home.address, timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps({**CHAT, "stream": stream}))
            response = connection.getresponse()
            try:
                return response.status, response.read().decode(errors="replace"), "whole"
            except http.client.IncompleteRead as cut:
                return response.status, cut.partial.decode(errors="replace"), "cut"
            except (ConnectionResetError, http.client.HTTPException):
                return response.status, "", "cut"

    def test_each(self):
        for faults, stream, status, word, ending in ROWS:
            with self.subTest(" ".join(faults)), Home() as home:
                home.slot("primary", home.fake_model("m", *faults))
                home.start().ready("primary")
                got = self.ask(home, stream)
                self.assertEqual((got[0], got[2]), (status, ending), got)
                if got[1] or ending == "whole":
                    self.assertIn(word, got[1])
                self.assertEqual(home.http("GET", "/health").status, 200)

    def test_a_cut_message_is_told_as_anthropics_clients_look_for_it(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "die-mid-stream-after-chunks=3", "chunks=9"))
            home.start().ready("primary")
            got = self.ask(home, True, "/v1/messages")
            self.assertEqual((got[0], got[2]), (200, "whole"), got)
            last = got[1].rstrip("\n").split("\n\n")[-1].split("\n")
            self.assertEqual(last[0], "event: error")
            body = json.loads(last[1].removeprefix("data: "))
            self.assertEqual((body["type"], body["error"]["type"]), ("error", "api_error"))
            self.assertIn("worker", body["error"]["message"])

    def test_a_ranking_is_told_of_its_worker_as_the_relay_tells(self):
        for fault, status, code in (("die-on-request=1", 502, "worker_died"), ("close-without-answer", 502, "worker_died"),
                                    ("malformed-head", 502, "worker_bad_answer"), ("status=500", 500, None)):
            with self.subTest(fault), Home() as home:
                home.slot("embed", home.fake_model("m", fault, kind="embed"))
                home.start().ready("embed")
                answer = home.http("POST", "/v1/rerank", {"query": "q", "documents": ["d"]})
                self.assertEqual(answer.status, status, answer)
                if code:
                    self.assertEqual(answer.json["error"]["code"], code)
                    self.assertNotIn(str(home.path), answer.json["error"]["message"])

    def test_a_worker_that_died_is_up_again_for_the_next_request(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "die-on-request=2"))
            home.start().ready("primary")
            self.assertEqual(self.ask(home, False)[0], 200)
            worker = home.slot_view("primary")["pid"]
            self.assertEqual(self.ask(home, False)[0], 502)
            # The kernel closes a dying process's sockets before it tells of its end: until then one more may be refused.
            eventually(lambda: home.slot_view("primary")["pid"] != worker)
            self.assertEqual(self.ask(home, False)[0], 200)
            self.assertEqual(home.slot_view("primary")["restarts"], 1)

    def test_a_stale_pooled_connection_is_no_error(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "stale-keep-alive"))
            home.start().ready("primary")
            for _ in range(4):
                self.assertEqual(self.ask(home, False)[0], 200)

    def test_a_worker_killed_by_hand_is_restarted_with_its_cause(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            old = home.slot_view("primary")["pid"]
            os.kill(old, 9)
            eventually(lambda: (v := home.slot_view("primary"))["state"] == "ready" and v["pid"] != old)
            events = [e for e in home.cli("events", "--json", check=0).stdout.splitlines() if "SIGKILL" in e]
            self.assertTrue(events, "the event that tells of SIGKILL")

    def test_a_worker_that_dies_at_once_is_reported_at_once_with_its_words(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "die-before-ready=1", "say=error loading model: unknown architecture: 'foo'"))
            home.start()
            view = eventually(lambda: (v := home.slot_view("primary"))["state"] == "error" and v, 5)
            self.assertIn("unknown architecture", view["cause"])
            self.assertIn("code 1", view["cause"])

    def test_a_worker_that_ignores_sigterm_is_killed(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "ignore-term"))
            home.start().ready("primary")
            self.assertEqual(home.api("POST", "/api/slots/primary/unload").json["state"], "offline")
            self.assertFalse(home.worker_pids())
