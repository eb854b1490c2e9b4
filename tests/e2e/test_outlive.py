"""The daemon owns no model."""
import json
import os
import threading
import unittest

from harness import CHAT, CHAT_MODEL, EMBED_MODEL, Home, eventually, start_ticks


class Outlive(unittest.TestCase):
    def test_kill_9_twice_changes_no_worker(self):
        with Home("real") as home:
            home.slot("primary", CHAT_MODEL, context=1024)
            home.slot("embed", EMBED_MODEL)
            home.start().ready("primary", "embed")
            names = ("primary", "embed")
            pids = {name: home.slot_view(name)["pid"] for name in names}
            ticks = {name: start_ticks(pid) for name, pid in pids.items()}
            for _ in range(2):
                home.kill()
                home.start()
                # At once: who asks now waits for no load, and there is none between being found and being ready.
                for path, body in (("/v1/embeddings", {"input": "still here"}), ("/v1/completions", {"prompt": "I am", "max_tokens": 2})):
                    answer = home.http("POST", path, body)
                    self.assertEqual(answer.status, 200, answer)
                views = {view["name"]: view for view in home.api("GET", "/api/slots").json}
                events = [json.loads(line) for line in home.cli("events", "--json", check=0).stdout.splitlines()]
                for name in names:
                    view = views[name]
                    self.assertEqual((view["state"], view["pid"], start_ticks(view["pid"])), ("ready", pids[name], ticks[name]))
                    self.assertEqual((view["adopted"], view["loads"]), (True, 0))
                    told = [e["data"] for e in events if (e["type"], e["subject"]) == ("slot.state", name)]
                    self.assertEqual([(data["state"], data["cause"], data["pid"]) for data in told], [
                        ("starting", "its worker was found running; asking whether it is ready", pids[name]),
                        ("ready", "its worker ran already when this daemon started", pids[name])])
            for name in names:
                log = home.api("GET", f"/api/slots/{name}/logs?lines=10000").body.decode()
                self.assertEqual(log.count("model loaded"), 1, log[-1500:])

    def test_an_adopted_worker_that_dies_is_started_again(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            home.kill()
            home.start().ready("primary")
            old = home.slot_view("primary")["pid"]
            os.kill(old, 9)
            eventually(lambda: (v := home.slot_view("primary"))["state"] == "ready" and v["pid"] != old)
            self.assertEqual(home.loads("m"), 2)

    def test_a_slot_deleted_while_the_daemon_was_down_does_not_run_on(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            home.kill()
            (home.slots / "primary.toml").unlink()
            home.start()
            eventually(lambda: not home.worker_pids(), message="the worker of a deleted slot still runs")

    def test_a_daemon_that_ends_keeps_nobody_waiting_for_nothing(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "chunks=40", "slow-stream-ms=100"))
            home.slot("cold", home.fake_model("slow", "ready-after-ms=60000"), enabled=False)
            home.start().ready("primary")
            outcomes = {}

            def ask(name, *request):
                outcomes[name] = home.http(*request)

            clients = [threading.Thread(target=ask, args=each) for each in (
                ("answered", "POST", "/v1/chat/completions", {**CHAT, "stream": True}),
                ("waits", "POST", "/v1/chat/completions", {**CHAT, "model": "cold"}),
                ("operates", "POST", "/api/slots/cold/load"))]
            for client in clients:
                client.start()
            eventually(lambda: home.slot_view("cold")["waiting"] == 1 and home.slot_view("primary")["in_flight"] == 1)
            half = home.raw()
            half.sendall(b"GET /health HTTP/1.1\r\nHost: x")  # asks nothing yet, and must hold up nothing
            home.daemon.terminate()
            for client in clients[1:]:
                client.join(10)
            self.assertEqual((outcomes["waits"].status, outcomes["operates"].status), (503, 503), outcomes)
            self.assertNotIn("answered", outcomes, "the answer under way goes on")

            def refused():  # once the last of the loops has closed its listener
                try:
                    home.raw().close()
                except ConnectionRefusedError:
                    return True
                return False
            eventually(refused, seconds=2)
            clients[0].join(20)
            self.assertIn(b"[DONE]", outcomes["answered"].body)
            self.assertEqual(home.daemon.wait(10), 0)
            half.close()

    def test_a_polite_stop_leaves_the_workers_too(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            self.assertEqual(home.terminate(), 0)
            self.assertEqual(len(home.worker_pids()), 1)
            home.start()
            self.assertEqual(home.http("POST", "/v1/chat/completions", CHAT).status, 200)
            self.assertTrue(home.slot_view("primary")["adopted"])
            self.assertEqual(home.loads("m"), 1)
