"""GET /metrics: what the slots did, as Prometheus reads it."""
import re
import unittest

from harness import Home, eventually

CHAT = {"model": "primary", "messages": [{"role": "user", "content": "hi"}]}


class Metrics(unittest.TestCase):
    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)

    def samples(self):
        answer = self.home.http("GET", "/metrics")
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        found = {}
        for line in answer.body.decode().splitlines():
            if line.startswith("#"):
                self.assertRegex(line, r"^# (HELP \w+ .+\.|TYPE \w+ (gauge|counter|histogram))$")
                continue
            name, value = re.fullmatch(r"(\w+(?:\{.*\})?) (\S+)", line).groups()
            self.assertNotIn(name, found, "one sample a line, each once")
            found[name] = float(value)
        return found

    def ended(self, outcome, slot="primary"):
        return self.samples()[f'hal0_requests_total{{slot="{slot}",outcome="{outcome}"}}']

    def test_requests_are_counted_by_how_they_end(self):
        home = self.home
        home.slot("primary", home.fake_model("tiny", "chunks=50", "slow-stream-ms=50"))
        home.slot("dying", home.fake_model("dies", "die-on-request=1"), enabled=False)
        home.start().ready("primary")
        self.assertEqual(home.http("POST", "/v1/chat/completions", CHAT).status, 200)
        self.assertEqual(home.http("POST", "/v1/chat/completions", {"model": "primary"}).status, 400)
        eventually(lambda: self.ended("ok") == 1 and self.ended("client_error") == 1, message=str(self.samples()))
        with home.raw() as client:
            body = b'{"model":"primary","stream":true,"messages":[{"role":"user","content":"hi"}]}'
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            client.recv(1)
        eventually(lambda: self.ended("client_gone") == 1, message=str(self.samples()))
        self.assertEqual(home.http("POST", "/v1/chat/completions", CHAT | {"model": "dying"}).status, 502)
        eventually(lambda: self.ended("worker_lost", "dying") == 1, message=str(self.samples()))
        found = self.samples()
        self.assertEqual(found['hal0_slot_state{slot="primary",state="ready"}'], 1)
        self.assertEqual(found['hal0_slot_loads_total{slot="primary"}'], 1)
        self.assertEqual(found['hal0_slot_load_seconds_count{slot="primary"}'], 1)
        self.assertEqual(found['hal0_request_seconds_count{slot="primary"}'], 3)
        self.assertEqual(found['hal0_request_first_byte_seconds_bucket{slot="primary",le="+Inf"}'], 3)
        self.assertGreater(found['hal0_slot_resident_bytes{slot="primary"}'], 0)
        self.assertEqual(home.http("POST", "/metrics").status, 405)


if __name__ == "__main__":
    unittest.main()
