"""Workers that fail as no engine can be asked to: fault x what the client sees, byte for byte.

A row: the fault, whether the client streams, the status, the whole of the body, and how the connection ends:
"whole" (a proper end), or "cut" (so that no client takes it for a whole answer).
"""
import contextlib
import http.client
import io
import json
import os
import re
import unittest

from harness import CHAT, Home, eventually


def packed(value):
    return json.dumps(value, separators=(",", ":"))


def said(choice, kind="chat.completion", **more):
    """A body of fake-worker's, without its clocks."""
    return packed({"choices": [choice], "created": 0, "id": "chatcmpl-FakeFakeFakeFakeFakeFakeFakeFake", "model": "m",
                   "system_fingerprint": "b0-fake", "object": kind, **more})


def without_clocks(body):
    return re.sub(r',"timings":\{[^}]*\}', "", re.sub(r'"created":\d+', '"created":0', body))


def event(delta, finish=None):
    return f'data: {said({"finish_reason": finish, "index": 0, "delta": delta}, "chat.completion.chunk")}\n\n'


def events(count):
    """So many tokens, each an event; the first comes with the role."""
    return [event({"role": "assistant", "content": None}) + event({"content": "m"})] + [
        event({"content": f" word{i}"}) for i in range(1, count)]


def error(message, code):
    return packed({"error": {"message": message, "type": "server_error", "param": None, "code": code}})


ANSWER = said({"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": "m " + " ".join(f"word{i}" for i in range(1, 8))}},
              usage={"completion_tokens": 8, "prompt_tokens": 4, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 0}})
LAST, DONE = event({}, "stop"), "data: [DONE]\n\n"
DIED = error("the worker of this model ended before it had answered; send the request again, and look into the worker's log if it "
             "ends again", "worker_died")
BAD = error("what the worker of this model sent is not the answer it should be; look into its log", "worker_bad_answer")
THREE = "".join(events(3))
FOURTH = event({"content": " word3"})
HALF = FOURTH[:(len(FOURTH) + 9) // 2 - 9]  # of what is sent, whose clock has nine digits more

ROWS = [
    (["die-on-request=1"], False, 502, DIED, "whole"),
    (["die-on-request=1", "die-how=SIGSEGV"], True, 502, DIED, "whole"),
    (["die-after-requests=1"], False, 200, ANSWER, "whole"),
    (["close-without-answer"], False, 502, DIED, "whole"),
    (["reset-without-answer"], True, 502, DIED, "whole"),
    (["malformed-head"], False, 502, BAD, "whole"),
    (["huge-head=100000"], False, 502, BAD, "whole"),
    (["status=500"], False, 500, '{"error":{"code":500,"message":"asked to fail","type":"server_error"}}', "whole"),
    (["die-mid-stream-after-chunks=3", "chunks=9"], True, 200, THREE + f"data: {DIED}\n\n", "whole"),
    (["close-mid-stream-after-chunks=3", "chunks=9"], True, 200, THREE + f"data: {DIED}\n\n", "whole"),
    (["die-mid-stream-after-chunks=3", "chunks=9", "die-mid-stream-where=inside-chunk"], True, 200, THREE + HALF, "cut"),
    (["die-mid-stream-after-chunks=3", "chunks=9", "die-mid-stream-where=inside-event"], True, 200, THREE + HALF, "cut"),
    (["error-mid-stream-after-chunks=3", "chunks=9"], True, 200,
     THREE + 'data: {"error":{"code":500,"message":"asked to fail in the stream","type":"server_error"}}\n\n', "whole"),
    (["end-without-done", "chunks=5"], True, 200, "".join(events(5)), "whole"),
    (["wrong-content-length=long"], False, 200, ANSWER, "cut"),
    (["sse-ping", "chunks=5"], True, 200, "".join(":\n\n" + piece for piece in [*events(5), LAST, DONE]), "whole"),
    (["first-byte-after-ms=300", "chunks=5"], True, 200, "".join([*events(5), LAST, DONE]), "whole"),
    (["chunk-bytes=9", "chunks=1"], True, 200, "".join([events(1)[0].replace('"m"}', '"m........"}'), LAST, DONE]), "whole"),
    (["grandchild-holds-stdout=30"], False, 200, ANSWER, "whole"),
    (["stdout-noise=500"], False, 200, ANSWER, "whole"),
]


def dechunked(data):
    """What a chunked body carries, as far as it came, and whether it has its end."""
    body = b""
    while (at := data.find(b"\r\n")) >= 0:
        size = int(data[:at], 16)
        if size == 0:
            return body, data == b"0\r\n\r\n"
        body += data[at + 2:at + 2 + size]
        data = data[at + 2 + size + 2:]
    return body, False


class Faults(unittest.TestCase):
    def ask(self, home, stream, path="/v1/chat/completions"):
        """The status, the body as far as it came, and how it ended."""
        body, data = json.dumps({**CHAT, "stream": stream}).encode(), b""
        with contextlib.closing(home.raw()) as peer:
            peer.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
                path.encode(), len(body), body))
            with contextlib.suppress(ConnectionResetError):
                while piece := peer.recv(65536):
                    data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        fields = http.client.parse_headers(io.BytesIO(head.split(b"\r\n", 1)[1] + b"\r\n\r\n"))
        if fields["transfer-encoding"]:
            body, whole = dechunked(body)
        else:
            whole = len(body) == int(fields["content-length"])
        return int(head.split()[1]), body.decode(), "whole" if whole else "cut"

    def test_each(self):
        for faults, stream, status, body, ending in ROWS:
            with self.subTest(" ".join(faults)), Home() as home:
                home.slot("primary", home.fake_model("m", *faults))
                home.slot("other", home.fake_model("n"))
                home.start().ready("primary", "other")
                got = self.ask(home, stream)
                self.assertEqual((got[0], without_clocks(got[1]), got[2]), (status, body, ending))
                self.assertEqual(home.http("POST", "/v1/chat/completions", {"model": "other", **CHAT}).status, 200)

    def test_an_answer_longer_than_its_length_says_reaches_nobody_else(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "wrong-content-length=short", "only-request=1"))
            home.start().ready("primary")
            status, body, ending = self.ask(home, False)
            self.assertEqual((status, ending), (200, "whole"))
            self.assertTrue(ANSWER.startswith(without_clocks(body)), body)
            for _ in range(3):
                status, body, ending = self.ask(home, False)
                self.assertEqual((status, without_clocks(body), ending), (200, ANSWER, "whole"))

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
        for fault in ("stale-keep-alive", "keep-alive-max=1", "keep-alive-max=2", "keep-alive-idle-ms=1"):
            with self.subTest(fault), Home() as home:
                home.slot("primary", home.fake_model("m", fault))
                home.start().ready("primary")

                def counted(word):
                    return sum(line.startswith(word) for line in home.record("m"))
                for _ in range(5):
                    status, body, ending = self.ask(home, False)
                    self.assertEqual((status, without_clocks(body), ending), (200, ANSWER, "whole"))
                    if fault == "keep-alive-idle-ms=1":
                        eventually(lambda: counted("close") == counted("connect"))
                self.assertEqual(counted("request"), 5, "none was asked twice")

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
