"""What must be refused, as bytes on the wire: a row each, with the status and words of the message."""
import contextlib
import json
import pathlib
import resource
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from gguf_files import made
from harness import CHAT, HAL0, Home, eventually

BODY = json.dumps(CHAT).encode()


def post(body, *headers, path=b"/v1/chat/completions", length=True):
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + b"".join(h + b"\r\n" for h in headers)
    if length:
        head += b"Content-Length: %d\r\n" % len(body)
    return head + b"\r\n" + body


def get(path, *headers, method=b"GET"):
    return method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + b"".join(h + b"\r\n" for h in headers) + b"\r\n"


# what it is, what is sent, the status, words of the error's message
REFUSED = [
    ("malformed JSON", post(b'{"messages": ['), 400, "not JSON: see byte 14"),
    ("not an object", post(b"[1]"), 400, "must be a JSON object"),
    ("no body", post(b""), 400, "must be a JSON object"),
    ("something after the end", post(b"{} {}"), 400, "not JSON: see byte 3"),
    ("a model that is a number", post(b'{"model": 7}'), 400, "'model' must be a string"),
    ("nested 10,000 deep", post(b'{"messages": ' + b"[" * 10000 + b"]" * 10000 + b"}"), 400, "deeper than 512 levels"),
    # A prompt is passed to the worker as it is, and comes back with the worker's own words, as from llama-server.
    ("a prompt with invalid UTF-8", post(b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}'), 400, "parse error"),
    ("a name with invalid UTF-8", post(b'{"name": "\xff", "model": "m"}', path=b"/api/slots"), 400, "not JSON at byte 10"),
    ("an unknown model", post(b'{"model": "gpt-9"}'), 404, "no slot or model 'gpt-9' here; slots for this work: primary (m)"),
    ("a body over the limit", post(b"", b"Content-Length: 99999999", length=False), 413,
     "over the 64.0 MiB allowed here (limits.body_max in hal0.toml)"),
    ("a head over 64 kB", get(b"/health", b"X-Long: " + b"a" * 70000), 431, "the header is over 64 kB"),
    ("a target over 8 kB", get(b"/" + b"a" * 9000), 414, "the request target is too long"),
    ("a negative Content-Length", post(b"", b"Content-Length: -1", length=False), 400, "Content-Length is not a number"),
    ("a Content-Length in words", post(b"", b"Content-Length: ten", length=False), 400, "Content-Length is not a number"),
    ("two Content-Lengths", post(b"{}", b"Content-Length: 3"), 400, "Content-Length is there twice"),
    ("Content-Length and Transfer-Encoding", post(b"0\r\n\r\n", b"Transfer-Encoding: chunked"), 400, "both Content-Length and Transfer-Encoding"),
    ("an unknown transfer coding", post(b"", b"Transfer-Encoding: gzip", length=False), 501, "the only Transfer-Encoding understood is chunked"),
    ("a chunk size that is none", post(b"zz\r\n", b"Transfer-Encoding: chunked", length=False), 400, "not in the chunked coding it promises"),
    ("a folded header", get(b"/health", b"X-A: 1\r\n 2"), 400, "a folded header line"),
    ("a space before the colon", get(b"/health", b"X-A : 1"), 400, "a header name with bad characters"),
    ("a bare LF", b"GET /health HTTP/1.1\nHost: localhost\n\n", 400, "a line that ends without CR"),
    ("no Host", b"GET /health HTTP/1.1\r\n\r\n", 400, "Host is missing"),
    ("two Hosts", get(b"/health", b"Host: localhost"), 400, "Host is there twice"),
    ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "not an HTTP/1.1 request line"),
    ("HTTP/2.0", b"GET /health HTTP/2.0\r\nHost: localhost\r\n\r\n", 505, "only HTTP/1.1 and HTTP/1.0 are spoken here"),
    ("an unknown path", get(b"/v1/nothing"), 404, "nothing at /v1/nothing; the API is under /v1 and /api"),
    ("an unknown path of the admin API", get(b"/api/nothing"), 404, "nothing at /api/nothing; docs/http.md lists what there is"),
    ("the wrong method", get(b"/v1/chat/completions"), 405, "it has POST, OPTIONS"),
    ("the wrong method of the admin API", get(b"/api/status", method=b"DELETE"), 405, "it has GET, HEAD, OPTIONS"),
]

# the last: a word of the answer's body or head
ANSWERED = [
    ("a chunked body", post(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), b"Transfer-Encoding: chunked", length=False), 200, b"m word1"),
    ("one with a trailer", post(b"%x;x=1\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(BODY), BODY), b"Transfer-Encoding: chunked", length=False),
     200, b"m word1"),
    ("HTTP/1.0", b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY), 200, b"m word1"),
    ("HEAD", get(b"/health", method=b"HEAD"), 200, b"content-length"),
    ("OPTIONS", get(b"/v1/chat/completions", method=b"OPTIONS"), 204, b"POST"),
    ("a query", get(b"/health?x=%20"), 200, b"ok"),
]


class Reader:
    """Reads answers off a connection one by one, as their heads say."""

    def __init__(self, peer):
        self.peer, self.data = peer, b""

    def more(self):
        piece = self.peer.recv(65536)
        self.data += piece
        return piece

    def take(self, size):
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def answer(self):
        while b"\r\n\r\n" not in self.data and self.more():
            pass
        head = self.take(self.data.find(b"\r\n\r\n") + 4)
        fields = head.lower()
        if b" 204 " in fields.split(b"\r\n")[0]:
            return head, b""
        if b"transfer-encoding: chunked" in fields:
            while b"0\r\n\r\n" not in self.data and self.more():
                pass
            return head, self.take(self.data.find(b"0\r\n\r\n") + 5)
        if b"content-length: " in fields:
            size = int(fields.split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(self.data) < size and self.more():
                pass
            return head, self.take(size)
        while self.more():
            pass
        return head, self.take(len(self.data))


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home()
        cls.home.slot("primary", cls.home.fake_model("m"))
        cls.home.slot("embed", cls.home.fake_model("e", kind="embed"))
        # The daemon begins with the soft limit that most systems give; what a test holds open needs more.
        cls.files = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, cls.files[1]))
        cls.home.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(cls.files[1], 8192), cls.files[1]))
        cls.home.ready("primary", "embed")
        cls.pids = {name: cls.home.slot_view(name)["pid"] for name in ("primary", "embed")}

    @classmethod
    def tearDownClass(cls):
        resource.setrlimit(resource.RLIMIT_NOFILE, cls.files)
        cls.home.close()

    def ask(self, data):
        with contextlib.closing(self.home.raw()) as peer:
            peer.sendall(data)
            if data.startswith(b"HEAD"):
                peer.shutdown(socket.SHUT_WR)
                return peer.recv(65536), b""
            return Reader(peer).answer()

    def all_is_well(self):
        """Every slot answers, by the worker that it had, and nothing hangs on."""
        self.assertEqual(self.home.http("POST", "/v1/chat/completions", CHAT).status, 200)
        self.assertEqual(self.home.http("POST", "/v1/embeddings", {"input": "a"}).status, 200)
        for name, pid in self.pids.items():
            view = self.home.slot_view(name)
            self.assertEqual([view[k] for k in ("pid", "loads", "restarts", "in_flight", "waiting")], [pid, 1, 0, 0, 0], name)

    def test_refused(self):
        for what, data, status, words in REFUSED:
            with self.subTest(what):
                head, body = self.ask(data)
                self.assertRegex(head, rb"^HTTP/1\.1 %d " % status, body)
                self.assertIn(b"x-request-id: ", head)
                error = json.loads(body)["error"]
                self.assertIn(words, error["message"])
                if what == "a prompt with invalid UTF-8":
                    members, kind = {"message", "type", "code"}, "invalid_request_error"
                elif b" /api/" in data.split(b"\r\n")[0]:
                    members, kind = {"message", "code", "details"}, None
                else:
                    members, kind = {"message", "type", "param", "code"}, "invalid_request_error" if status < 500 else "server_error"
                self.assertEqual((set(error), error.get("type")), (members, kind))
        self.all_is_well()

    def test_answered(self):
        for what, data, status, word in ANSWERED:
            with self.subTest(what):
                head, body = self.ask(data)
                self.assertRegex(head, rb"^HTTP/1\.[01] %d " % status, body)
                self.assertIn(word.lower(), (head + body).lower())
        self.all_is_well()

    def test_what_is_refused_unread_is_told_as_anything_else(self):
        for path, shape, limit in ((b"/v1/chat/completions", "type", "64.0 MiB"), (b"/api/slots", "details", "1.0 MiB")):
            head, body = self.ask(post(b"", b"Content-Length: 99999999", b"Origin: http://localhost:3000", b"X-Request-Id: mine",
                                       path=path, length=False))
            self.assertIn(b" 413 ", head)
            self.assertIn(b"access-control-allow-origin: http://localhost:3000\r\n", head)
            self.assertIn(b"x-request-id: mine\r\n", head)
            error = json.loads(body)["error"]
            self.assertIn(shape, error)
            self.assertIn(f"over the {limit} allowed here", error["message"])

    def test_expect_100_continue(self):
        with contextlib.closing(self.home.raw()) as peer:
            peer.sendall(post(b"", b"Expect: 100-continue", b"Content-Length: %d" % len(BODY), length=False))
            self.assertEqual(peer.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            peer.sendall(BODY)
            self.assertIn(b"200", Reader(peer).answer()[0])
        with contextlib.closing(self.home.raw()) as peer:
            peer.sendall(post(b"", b"Expect: 100-continue", b"Content-Length: 99999999", length=False))
            self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 413"))

    def test_pipelined_requests_are_answered_in_order(self):
        with contextlib.closing(self.home.raw()) as peer:
            peer.sendall(get(b"/v1/models/primary") + post(BODY) + get(b"/health") + get(b"/v1/models/m"))
            reader = Reader(peer)
            for word in (b'"id":"primary"', b"word1", b'"status"', b'"id":"m"'):
                head, body = reader.answer()
                self.assertIn(b" 200 ", head)
                self.assertIn(word, body.replace(b'": ', b'":'))

    def test_a_thousand_half_sent_requests_disturb_nobody(self):
        peers = [self.home.raw() for _ in range(1200)]
        try:
            eventually(lambda: self.home.api("GET", "/api/status").json["connections"] > 1200)
            for i, peer in enumerate(peers):
                peer.sendall(post(BODY)[:20 + i % 100])
            for _ in range(20):
                began = time.monotonic()
                self.assertEqual(self.home.http("POST", "/v1/chat/completions", CHAT).status, 200)
                self.assertLess(time.monotonic() - began, 2)
        finally:
            for peer in peers:
                peer.close()

    def test_a_body_that_takes_its_time_disturbs_nobody(self):
        with contextlib.closing(self.home.raw()) as slow:
            slow.sendall(post(b"", b"Content-Length: 1000", length=False))
            self.assertEqual(self.home.http("POST", "/v1/chat/completions", CHAT).status, 200)
            slow.sendall(b" " * (1000 - len(BODY)) + BODY)
            self.assertIn(b" 200 ", Reader(slow).answer()[0])


class BadFiles(unittest.TestCase):
    def not_loaded(self, home, slot, cause):
        """It is down for this cause and told so, its worker was never tried, and the other slot serves."""
        view = eventually(lambda: (v := home.slot_view(slot))["state"] == "error" and v)
        self.assertEqual((view["cause"], view["pid"], view["loads"], view["restarts"]), (cause, None, 0, 0))
        self.assertFalse(pathlib.Path(view["log"]).exists(), "a worker has said something")
        answer = home.http("POST", "/v1/chat/completions", {"model": slot, **CHAT})
        error = answer.json["error"]
        self.assertEqual((answer.status, error["type"]), (503, "unavailable_error"))
        self.assertEqual(error["message"], f"slot '{slot}' is down: {cause}")
        self.assertEqual(home.http("POST", "/v1/chat/completions", {"model": "other", **CHAT}).status, 200)

    def test_models_that_are_no_models(self):
        def wreck(file, kind):
            data = file.read_bytes()
            if kind == "cut":  # within its tensors; of the other kinds none has any
                made(file, {"general.architecture": "llama"}, {"token_embd.weight": (64, 64)})
                data = file.read_bytes()
            file.write_bytes({"truncated": data[:12], "no GGUF": b"<html>" + data, "empty": b"", "cut": data[:-1000]}[kind])
        for kind, fault in (("truncated", "its header goes on after the file's end (12 B)"), ("no GGUF", "it isn't a GGUF file"),
                            ("empty", "it isn't a GGUF file"), ("cut", "it is cut: 15512 bytes are here, and its tensors need 16512")):
            with self.subTest(kind), Home() as home:
                home.slot("primary", home.fake_model("m"))
                home.slot("other", home.fake_model("n"))
                file = home.models / "m" / "m.gguf"
                wreck(file, kind)
                home.describe("m")
                home.start().ready("other")
                self.not_loaded(home, "primary", f"{file} can't be loaded: {fault}; get the file again")
                self.assertEqual(home.loads("m"), 0)

    def test_a_model_of_another_size_than_its_sidecar_says(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.slot("other", home.fake_model("n"))
            file = home.models / "m" / "m.gguf"
            size = file.stat().st_size
            with open(file, "ab") as grown:
                grown.write(b"\n")
            home.start().ready("other")
            self.not_loaded(home, "primary", f"the model 'm' is damaged: m.gguf has {size + 1} bytes instead of {size}; "
                                             "get it again with 'hal0 model pull m'")
            self.assertEqual(home.loads("m"), 0)

    def test_an_unreadable_slot_file_explains_itself_and_the_others_serve(self):
        with Home() as home:
            home.slot("other", home.fake_model("n"))
            (home.slots / "primary.toml").write_text('model = "m\ncontext = many\n')
            home.start().ready("other")
            view = home.slot_view("primary")
            self.assertEqual(view["state"], "error")
            self.assertIn("primary.toml", view["cause"])
            self.assertIn("primary.toml", "\n".join(home.api("GET", "/api/slots/primary/explain").json["lines"]))
            answer = home.http("POST", "/v1/chat/completions", {"model": "other", **CHAT})
            self.assertEqual((answer.status, answer.json["model"]), (200, "n"), answer)
            answer = home.http("POST", "/v1/chat/completions", {"model": "primary", **CHAT})
            self.assertEqual(answer.status, 503)
            self.assertIn("primary.toml", answer.json["error"]["message"])
            (home.slots / "primary.toml").write_text('model = "n"\n')
            home.ready("primary")

    def test_a_slot_whose_model_is_not_there_says_how_to_get_it(self):
        with Home() as home:
            home.slot("primary", "nowhere")
            home.start()
            view = eventually(lambda: (v := home.slot_view("primary"))["state"] == "error" and v)
            self.assertIn("nowhere", view["cause"])
            self.assertIn("hal0 model list", view["cause"])


class Places(unittest.TestCase):
    def test_two_daemons_on_one_home(self):
        with Home() as home:
            home.start()
            second = subprocess.run([HAL0, "serve"], env=home.env, capture_output=True, text=True, timeout=20)
            self.assertEqual(second.returncode, 1)
            self.assertIn(str(home.daemon.pid), second.stderr)
            self.assertEqual(home.http("GET", "/health").status, 200)

    def test_a_port_in_use_names_its_holder(self):
        with Home() as one, Home() as two:
            one.start()
            done = subprocess.run([HAL0, "serve", "--listen", f"127.0.0.1:{one.address[1]}"], env=two.env, capture_output=True,
                                  text=True, timeout=20)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(one.address[1]), done.stderr)
            self.assertIn(str(one.daemon.pid), done.stderr)

    def test_homes_with_spaces_and_long_homes(self):
        for name in ("my own box", "d" * 100 + "/" + "e" * 100):
            with self.subTest(name):
                top = tempfile.mkdtemp(prefix="hal0-e2e-")
                directory = pathlib.Path(top) / name
                directory.mkdir(parents=True)
                try:
                    with Home(directory=directory) as home:
                        home.slot("primary", home.fake_model("m"))
                        home.start().ready("primary")
                        self.assertEqual(home.http("POST", "/v1/chat/completions", CHAT).status, 200)
                        home.cli("slot", "list", check=0)
                    shutil.rmtree(pathlib.Path(home.socket).parent)  # a long home's lies elsewhere
                finally:
                    shutil.rmtree(top)

    def test_bad_settings_name_the_line(self):
        with Home(settings="body_max = [\n") as home:
            done = subprocess.run([HAL0, "serve"], env=home.env, capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 1)
            self.assertIn("hal0.toml", done.stderr)
