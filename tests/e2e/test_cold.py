"""Requests for slots that are not ready."""
import concurrent.futures
import contextlib
import json
import os
import socket
import threading
import time
import unittest

from harness import CHAT, Home, eventually


class Cold(unittest.TestCase):
    def test_fifty_cold_requests_are_one_exec_and_fifty_answers(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "ready-after-ms=500"), enabled=False, parallel=4)
            home.start()
            with concurrent.futures.ThreadPoolExecutor(50) as pool:
                answers = list(pool.map(lambda _: home.http("POST", "/v1/chat/completions", CHAT), range(50)))
            self.assertEqual([a.status for a in answers], [200] * 50)
            self.assertEqual(home.loads("m"), 1)
            self.assertEqual(home.slot_view("primary")["loads"], 1)

    def test_a_client_of_a_stream_hears_that_its_slot_is_coming(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "ready-after-ms=6000"), enabled=False)
            home.start()
            answer = home.http("POST", "/v1/chat/completions", {**CHAT, "stream": True})
            waiting, rest = answer.body.split(b"\n\n", 1)
            self.assertRegex(waiting, rb"^: slot 'primary' is coming up: \d+ s so far$")
            self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/event-stream"))
            # The same from a slot that is ready, but for what tells one answer from another.
            again = home.http("POST", "/v1/chat/completions", {**CHAT, "stream": True})
            self.assertEqual(again.body.count(b"data: "), rest.count(b"data: "))
            self.assertTrue(rest.endswith(b"data: [DONE]\n\n"), rest)
            self.assertTrue(again.body.startswith(b"data: "), again.body)
            home.cli("slot", "unload", "primary")
            words = [chunk.choices[0].delta.content or "" for chunk in home.openai().chat.completions.create(model="primary", stream=True, **CHAT)]
            self.assertTrue("".join(words), "the official client reads past the comments")

    def test_all_waiters_hear_the_same_reason_at_once(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "ready-after-ms=300", "die-before-ready=3", "say=no such tensor"), enabled=False)
            home.start()
            began = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                answers = list(pool.map(lambda _: home.http("POST", "/v1/chat/completions", CHAT), range(10)))
            self.assertLess(time.monotonic() - began, 10)
            self.assertEqual({a.status for a in answers}, {503})
            for answer in answers:
                self.assertIn("no such tensor", answer.json["error"]["message"])
            self.assertEqual(home.loads("m"), 1)

    def test_the_other_slots_serve_while_one_loads(self):
        with Home() as home:
            home.slot("primary", home.fake_model("slow", "ready-after-ms=60000"))
            home.slot("second", home.fake_model("fast"))
            home.start().ready("second")
            eventually(lambda: home.slot_view("primary")["state"] == "loading")
            answer = home.http("POST", "/v1/chat/completions", {"model": "second", **CHAT})
            self.assertEqual(answer.status, 200)
            self.assertEqual(home.slot_view("primary")["state"], "loading")
            self.assertEqual(home.http("GET", "/health").status, 200)

    def test_the_first_request_of_all_finds_the_slots(self):
        for _ in range(5):
            with Home() as home:
                home.slot("primary", home.fake_model("m"))
                home.start(wait=False)
                first = eventually(lambda: self.asked(home), message="no answer")
                self.assertEqual(first.status, 200, first)

    @staticmethod
    def asked(home):
        with contextlib.suppress(OSError):
            return home.api("POST", "/v1/chat/completions", {"model": "primary", **CHAT})

    def test_a_waiter_that_leaves_is_forgotten(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "ready-after-ms=60000"), enabled=False)
            home.start()
            body = json.dumps(CHAT).encode()
            peer = home.raw()
            peer.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x.localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            eventually(lambda: home.slot_view("primary")["waiting"] == 1)
            peer.close()
            eventually(lambda: home.slot_view("primary")["waiting"] == 0)

    def test_waiting_bodies_are_bounded_in_bytes(self):
        with Home(settings="[limits]\nbody_max = \"4 MiB\"\nwaiting_bytes_max = \"8 MiB\"\n") as home:
            home.slot("primary", home.fake_model("m", "ready-after-ms=60000"), enabled=False)
            home.start()
            big = json.dumps({"messages": [{"role": "user", "content": "x" * (3 << 20)}]}).encode()
            peers = []
            for _ in range(2):
                peer = home.raw()
                peer.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(big) + big)
                peers.append(peer)
            eventually(lambda: home.slot_view("primary")["waiting"] == 2)
            answer = home.http("POST", "/v1/chat/completions", big)
            self.assertEqual(answer.status, 503, answer)
            self.assertIn("retry-after", answer.headers)
            self.assertEqual(home.http("POST", "/v1/chat/completions", b"{", timeout=5).status, 400, "small ones are still looked at")
            for peer in peers:
                peer.close()

    def test_patience_ends(self):
        with Home(settings="[limits]\nwait_max_s = 1\n") as home:
            home.slot("primary", home.fake_model("m", "ready-after-ms=60000"), enabled=False)
            home.start()
            answer = home.http("POST", "/v1/chat/completions", CHAT)
            self.assertEqual(answer.status, 504, answer)
            self.assertIn("explain", answer.json["error"]["message"])


class Leaving(unittest.TestCase):
    """A client that goes away closes the worker's request."""

    def test_mid_stream_and_while_the_worker_is_silent(self):
        # Of the last only the connection tells; by the first it was asked for its health.
        for fault, told in (("slow-stream-ms=50", "gone"), ("never-answer", "gone"), ("hang-in-head", "close n=2")):
            with self.subTest(fault), Home() as home:
                home.slot("primary", home.fake_model("m", fault, "chunks=100000"))
                home.start().ready("primary")
                body = json.dumps({**CHAT, "stream": True}).encode()
                peer = home.raw()
                peer.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                eventually(lambda: any("request" in line for line in home.record("m")))
                if fault == "slow-stream-ms=50":
                    peer.recv(1000)
                self.assertEqual(home.slot_view("primary")["in_flight"], 1)
                self.assertFalse([line for line in home.record("m") if told in line])
                peer.close()
                eventually(lambda: any(told in line for line in home.record("m")), message="the worker was not told")
                eventually(lambda: home.slot_view("primary")["in_flight"] == 0)

    def test_unloading_waits_for_those_in_flight(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "slow-stream-ms=20", "chunks=40"))
            home.start().ready("primary")
            got = {}
            thread = threading.Thread(target=lambda: got.update(a=home.http("POST", "/v1/chat/completions", {**CHAT, "stream": True})))
            thread.start()
            eventually(lambda: home.slot_view("primary")["in_flight"] == 1)
            view = home.api("POST", "/api/slots/primary/unload").json
            thread.join()
            self.assertEqual(view["state"], "offline")
            self.assertIn(b"[DONE]", got["a"].body)
