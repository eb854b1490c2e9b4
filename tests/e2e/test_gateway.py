"""Every route of the data plane: who answers it, what wakes for it, and the methods around it."""
import contextlib
import functools
import http.client
import json
import unittest

from harness import CHAT, UnixConnection, Home, eventually

RANK = {"query": "b", "documents": ["a", "b c"]}
# path, the kind of slot that is to answer, a body without a model, a member that only a true answer has
WORK = [
    ("/v1/chat/completions", "chat", CHAT, "choices"),
    ("/v1/completions", "chat", {"prompt": "Once"}, "choices"),
    ("/v1/embeddings", "embed", {"input": "a text"}, "data"),
    ("/v1/rerankings", "embed", RANK, "results"),
    ("/v1/rerank", "embed", RANK, "results"),
    ("/rerank", "embed", RANK, "results"),
    ("/v1/responses", "chat", {"input": "Say hello."}, "output"),
    ("/v1/messages", "chat", {"max_tokens": 9, **CHAT}, "content"),
    ("/v1/messages/count_tokens", "chat", CHAT, "input_tokens"),
    ("/tokenize", "chat", {"content": "Say hello."}, "tokens"),
    ("/detokenize", "chat", {"tokens": [1, 2]}, "content"),
]
READ = ["/health", "/v1/models", "/v1/models/primary", "/api/status", "/api/slots", "/api/slots/primary", "/api/models", "/api/engines"]


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home()
        cls.home.slot("primary", cls.home.fake_model("m"))
        cls.home.slot("embed", cls.home.fake_model("e", kind="embed"))
        cls.home.start().ready("primary", "embed")

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def test_each_is_answered_by_slot_prefix_model_or_nothing(self):
        names = {"chat": ("primary", "hal0/primary", "m"), "embed": ("embed", "hal0/embed", "e")}
        for path, kind, body, member in WORK:
            for name in (*names[kind], "", None):
                with self.subTest(path, model=name):
                    asked = body if name is None else {"model": name, **body}
                    answer = self.home.http("POST", path, asked)
                    self.assertEqual(answer.status, 200, answer)
                    self.assertIn(member, answer.json)

    def test_an_unknown_model_is_a_404_that_lists_what_exists_on_each(self):
        for path, kind, body, _ in WORK:
            with self.subTest(path):
                before = [len(self.home.record(id)) for id in ("m", "e")]
                answer = self.home.http("POST", path, {"model": "gpt-4o", **body})
                self.assertEqual((answer.status, answer.json["error"]["code"]), (404, "model_not_found"), answer)
                self.assertIn({"chat": "primary (m)", "embed": "embed (e)"}[kind], answer.json["error"]["message"])
                self.assertEqual([len(self.home.record(id)) for id in ("m", "e")], before, "no worker heard of it")

    def test_a_model_by_its_id(self):
        for id in ("primary", "embed", "m", "e"):
            self.assertEqual(self.home.http("GET", f"/v1/models/{id}").json["id"], id)
        self.assertEqual(self.home.http("GET", "/v1/models/hal0%2Fprimary").json["id"], "primary")
        answer = self.home.http("GET", "/v1/models/gpt-4o")
        self.assertEqual((answer.status, answer.json["error"]["code"]), (404, "model_not_found"))
        self.assertIn("primary", answer.json["error"]["message"])

    def test_the_list_of_models(self):
        body = self.home.http("GET", "/v1/models").json
        self.assertEqual(body["object"], "list")
        self.assertEqual([m["id"] for m in body["data"]], ["embed", "primary", "e", "m"])
        self.assertEqual({m["object"] for m in body["data"]}, {"model"})

    def test_a_method_that_a_path_does_not_have_is_405_with_allow(self):
        for path, *_ in WORK:
            for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
                answer = self.home.http(method, path)
                self.assertEqual((answer.status, answer.headers.get("allow")), (405, "POST, OPTIONS"), (method, path))
        for path in READ[:3]:
            answer = self.home.http("POST", path, {})
            self.assertEqual((answer.status, answer.headers.get("allow")), (405, "GET, HEAD, OPTIONS"), path)
        answer = self.home.http("PUT", "/api/slots", {})
        self.assertEqual((answer.status, answer.headers.get("allow")), (405, "GET, HEAD, POST, OPTIONS"))

    def test_options_tell_what_is_allowed(self):
        for path, allow in ((WORK[0][0], "POST, OPTIONS"), ("/v1/models", "GET, HEAD, OPTIONS"),
                            ("/api/slots/primary", "GET, HEAD, DELETE, OPTIONS")):
            answer = self.home.http("OPTIONS", path)
            self.assertEqual((answer.status, answer.headers.get("allow"), answer.body), (204, allow, b""), path)
        for path in ("/v1/nothing", "/api/nothing"):
            self.assertEqual(self.home.http("OPTIONS", path).status, 404, path)

    def raw_answer(self, request):
        with contextlib.closing(self.home.raw()) as peer:
            peer.sendall(request + b"Connection: close\r\n\r\n")
            data = b""
            while piece := peer.recv(65536):
                data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        return head, body

    def test_head_is_get_without_the_body(self):
        for path in READ:
            with self.subTest(path):
                head, body = self.raw_answer(b"HEAD %s HTTP/1.1\r\nHost: localhost\r\n" % path.encode())
                self.assertRegex(head, rb"^HTTP/1.1 200 ")
                self.assertEqual(body, b"")
                self.assertRegex(head.lower(), rb"content-length: [1-9]")
        head, body = self.raw_answer(b"HEAD /v1/nothing HTTP/1.1\r\nHost: localhost\r\n")
        self.assertRegex(head, rb"^HTTP/1.1 404 ")
        self.assertEqual(body, b"")

    def test_the_errors_of_each_side_have_one_shape(self):
        cases = [("POST", path, b"{") for path, *_ in WORK] + [("GET", "/v1/nothing", None), ("GET", "/v1/models/gpt-4o", None)]
        for method, path, body in cases:
            error = self.home.http(method, path, body).json["error"]
            self.assertEqual(set(error), {"message", "type", "param", "code"}, path)
            self.assertEqual(error["type"], "invalid_request_error", path)
        admin = [("POST", "/api/slots", b"{"), ("GET", "/api/nothing", None), ("DELETE", "/api/status", None), ("GET", "/api/slots/x", None),
                 ("GET", "/api/models/x", None), ("GET", "/api/engines/x", None), ("GET", "/api/jobs/x", None), ("GET", "/api/events?types=x", None),
                 ("POST", "/api/models/pull", b'{"id": "x"}'), ("POST", "/api/engines/install", b'{"id": "x"}')]
        for method, path, body in admin:
            answer = self.home.http(method, path, body)
            self.assertGreaterEqual(answer.status, 400, path)
            error = answer.json["error"]
            self.assertLessEqual({"code", "message"}, set(error), path)
            self.assertNotIn("type", error, path)
            self.assertTrue(error["code"] and error["message"], path)

    def test_the_unix_socket_serves_the_same(self):
        for path, _, body, member in WORK:
            self.assertIn(member, self.home.api("POST", path, body).json, path)


class Errors(unittest.TestCase):
    def test_on_v1_each_status_has_openais_shape(self):
        with Home(settings='[limits]\nbody_max = "4 KiB"\nwait_max_s = 1\n') as home:
            for slot, *faults in (("primary",), ("dies", "die-on-request=1"), ("garbled", "malformed-head"), ("down", "die-before-ready=1"),
                                  ("slow", "ready-after-ms=60000")):
                home.slot(slot, home.fake_model(slot + "-model", *faults), enabled=slot != "slow")
            home.start("--key-file", home.key_file()).ready("primary", "dies", "garbled")
            eventually(lambda: home.slot_view("down")["state"] == "error")
            chat, key = "/v1/chat/completions", {"Authorization": "Bearer s3cret-key"}
            invalid, server = "invalid_request_error", "server_error"
            for method, path, body, headers, status, kind, code, param in (
                    ("POST", chat, b"{", {}, 400, invalid, "invalid", None),
                    ("POST", chat, {"model": 7}, {}, 400, invalid, "invalid", "model"),
                    ("POST", "/v1/embeddings", {"model": "primary", "input": "a"}, {}, 400, invalid, "invalid", None),
                    ("POST", chat, CHAT, {"Authorization": ""}, 401, "authentication_error", "invalid_api_key", None),
                    ("POST", chat, CHAT, {"Authorization": "Bearer wrong"}, 401, "authentication_error", "invalid_api_key", None),
                    ("POST", chat, CHAT, {"Origin": "https://evil.example"}, 403, "permission_error", "forbidden", None),
                    ("POST", chat, CHAT, {"Host": "evil.example"}, 403, "permission_error", "forbidden", None),
                    ("POST", chat, {"model": "gpt-4o", **CHAT}, {}, 404, invalid, "model_not_found", "model"),
                    ("GET", "/v1/models/gpt-4o", None, {}, 404, invalid, "model_not_found", "model"),
                    ("GET", "/v1/nothing", None, {}, 404, invalid, "unknown_url", None),
                    ("GET", chat, None, {}, 405, invalid, "invalid", None),
                    ("POST", chat, {**CHAT, "pad": "x" * 5000}, {}, 413, invalid, "too_large", None),
                    ("POST", chat, {"model": "dies", **CHAT}, {}, 502, server, "worker_died", None),
                    ("POST", chat, {"model": "garbled", **CHAT}, {}, 502, server, "worker_bad_answer", None),
                    ("POST", chat, {"model": "down", **CHAT}, {}, 503, "unavailable_error", "unavailable", None),
                    ("POST", chat, {"model": "slow", **CHAT}, {}, 504, server, "timeout", None)):
                with self.subTest(f"{method} {path} {str(body)[:60]} {headers}"):
                    answer = home.http(method, path, body, {**key, **headers})
                    self.assertEqual((answer.status, answer.headers["content-type"]), (status, "application/json"), answer)
                    self.assertEqual(set(answer.json), {"error"})
                    error = answer.json["error"]
                    self.assertEqual(set(error), {"message", "type", "param", "code"})
                    self.assertEqual((error["type"], error["code"], error["param"]), (kind, code, param))
                    self.assertGreater(len(error["message"].split()), 4, error["message"])


class Cold(unittest.TestCase):
    def test_the_first_request_of_each_kind_loads_its_slot_once(self):
        for path, kind, body, member in WORK:
            with self.subTest(path), Home() as home:
                home.slot("primary", home.fake_model("m"), enabled=False)
                home.slot("embed", home.fake_model("e", kind="embed"), enabled=False)
                home.start()
                self.assertEqual([home.slot_view(n)["state"] for n in ("primary", "embed")], ["offline"] * 2)
                answer = home.http("POST", path, body)
                self.assertEqual(answer.status, 200, answer)
                self.assertIn(member, answer.json)
                self.assertEqual((home.loads("m"), home.loads("e")), (1, 0) if kind == "chat" else (0, 1))


class Streams(unittest.TestCase):
    def test_are_relayed_as_the_bytes_they_are(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "chunks=20", "sse-ping"))
            home.slot("embed", home.fake_model("e", kind="embed"))
            home.start().ready("primary", "embed")
            for slot, path, body in (("primary", "/v1/chat/completions", {"stream": True, **CHAT}),
                                     ("primary", "/v1/completions", {"stream": True, "prompt": "Once"}),
                                     ("primary", "/v1/chat/completions", CHAT), ("embed", "/v1/embeddings", {"input": "a text"})):
                def all_three(slot=slot, path=path, body={"model": slot, **body}):
                    own, relayed, again = (ask("POST", path, body).body for ask in (
                        functools.partial(home.worker, slot), home.http, functools.partial(home.worker, slot)))
                    return own == again and (own, relayed)  # else the second passed in between that its answers tell
                own, relayed = eventually(all_three)
                self.assertEqual(relayed, own, (path, body))
                self.assertEqual(own.count(b":\n\ndata: "), 22 if "stream" in body else 0)

    def test_the_first_event_is_there_while_the_worker_is_at_the_second(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m", "chunks=2000", "slow-stream-ms=20"))
            home.start().ready("primary")
            connection = http.client.HTTPConnection(*home.address, timeout=20)
            with contextlib.closing(connection):
                connection.request("POST", "/v1/chat/completions", json.dumps({"stream": True, **CHAT}))
                answer = connection.getresponse()
                self.assertIn("text/event-stream", answer.headers["content-type"])
                seen = b""
                while b"word1" not in seen:
                    seen += answer.read1(4096)
                self.assertEqual(home.slot_view("primary")["in_flight"], 1)


class Events(unittest.TestCase):
    """GET /api/events as a browser's EventSource uses it."""

    def follow(self, home, last=None, over="tcp"):
        connection = http.client.HTTPConnection(*home.address, timeout=20) if over == "tcp" else UnixConnection(home.socket, 20)
        self.addCleanup(connection.close)
        connection.request("GET", "/api/events", headers={"Last-Event-ID": last} if last else {})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/event-stream"))
        return answer

    def take(self, answer, until):
        """Events until one that fits."""
        events, event = [], {}
        while True:
            line = answer.readline().decode().rstrip("\r\n")
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
                continue
            if event:
                events.append(event)
                if until(event):
                    return events
                event = {}

    @staticmethod
    def says(state):
        return lambda event: f'"state":"{state}"' in event.get("data", "").replace('": ', '":')

    def test_a_client_that_lost_its_connection_gets_what_it_missed_and_what_comes(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            first = self.follow(home)
            begin = self.take(first, lambda e: "id" in e)[-1]
            self.assertNotIn("data", begin, "where it stands, and nothing of before")
            home.api("POST", "/api/slots/primary/unload")
            seen = self.take(first, self.says("offline"))
            for event in seen:
                self.assertEqual(event["event"], "slot.state")
                self.assertEqual(json.loads(event["data"])["id"], event["id"])
                self.assertEqual(json.loads(event["data"])["subject"], "primary")
            first.close()
            home.api("POST", "/api/slots/primary/load")
            again = self.follow(home, seen[-1]["id"])
            missed = self.take(again, self.says("ready"))
            self.assertFalse({e["id"] for e in missed} & {e["id"] for e in seen}, "nothing comes twice")
            self.assertIn("starting", missed[0]["data"])
            home.api("POST", "/api/slots/primary/unload")
            live = self.take(again, self.says("offline"))
            # All of it once, as one that never left sees it.
            whole = self.take(self.follow(home, begin["id"]), lambda e: e["id"] == live[-1]["id"])
            self.assertEqual([e["id"] for e in whole], [e["id"] for e in seen + missed + live])

    def test_ids_of_an_earlier_daemon_are_answered_with_resync(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            last = self.take(self.follow(home), lambda e: "id" in e)[-1]["id"]
            home.kill()
            home.start().ready("primary")
            event = self.take(self.follow(home, last), lambda e: True)[0]
            self.assertEqual(event["event"], "resync")
            self.assertNotEqual(event["id"], last)

    def test_slots_that_come_and_go_are_told(self):
        with Home() as home:
            home.start()
            follower = self.follow(home)
            self.take(follower, lambda e: "id" in e)
            home.slot("late", home.fake_model("m"), enabled=False)
            eventually(lambda: home.api("GET", "/api/slots/late").status == 200)
            self.take(follower, lambda e: e.get("event") == "slot.state")
            (home.slots / "late.toml").unlink()
            self.assertEqual(self.take(follower, lambda e: e.get("event") == "slot.removed")[-1]["event"], "slot.removed")
