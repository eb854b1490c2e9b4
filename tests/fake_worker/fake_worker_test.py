#!/usr/bin/env python3
"""Holds fake-worker to what README.md says of it: what it answers, and that each fault is really seen on the wire.

usage: fake_worker_test.py PROGRAM [unittest options]
"""
import base64
import http.client
import json
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = ""
CHAT = {"messages": [{"role": "user", "content": "hello"}]}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("worker", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Worker:
    """A fake-worker in a directory of its own."""

    def __init__(self, *faults, args=(), wait="listening on"):
        self.dir = tempfile.TemporaryDirectory()
        root = pathlib.Path(self.dir.name)
        self.log, self.socket, key = root / "log", str(root / "w.sock"), root / "key"
        key.write_text("secret\n")
        subprocess.run([HERE / "make_model", root / "m.gguf", f"record={self.log}", *faults], check=True)
        self.process = subprocess.Popen(
            [PROGRAM, "--model", root / "m.gguf", "--host", self.socket, "--port", "0", "-c", "512", "-np", "2", "--threads",
             "1", "-cram", "0", "--alias", "fake", "--api-key-file", key, *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = []
        while wait and (line := self.process.stderr.readline().decode()):
            self.said.append(line)
            if wait in line:
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        self.dir.cleanup()

    def connection(self):
        return UnixConnection(self.socket)

    def ask(self, path, body=None, key="secret", connection=None, method=None):
        connection = connection or self.connection()
        connection.request(method or ("POST" if body is not None else "GET"), path,
                           None if body is None else json.dumps(body), {"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        text = response.read().decode()
        return response, json.loads(text) if text.startswith(("{", "[")) else text

    def raw(self, path="/v1/chat/completions", body=None):
        """Everything the worker sends on one connection until it ends."""
        body = json.dumps(body or CHAT).encode()
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(20)
            peer.connect(self.socket)
            peer.sendall(b"POST %s HTTP/1.1\r\nAuthorization: Bearer secret\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                         % (path.encode(), len(body), body))
            out = b""
            while piece := peer.recv(65536):
                out += piece
            return out

    def lines(self, word):
        return [line for line in self.log.read_text().splitlines() if line.startswith(word)]

    def wait_for(self, word):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if found := self.lines(word):
                return found[0]
        raise AssertionError(f"no '{word}' in the record:\n{self.log.read_text()}")


class Protocol(unittest.TestCase):
    def test_it_says_loading_on_every_path_until_ready(self):
        with Worker("ready-after-ms=400", wait="loading model") as worker:
            while not pathlib.Path(worker.socket).exists():
                pass
            for path in ("/health", "/v1/models", "/nope"):
                response, body = worker.ask(path)
                self.assertEqual((response.status, body["error"]["type"]), (503, "unavailable_error"))
            while "listening on" not in worker.process.stderr.readline().decode():
                pass
            self.assertEqual(worker.ask("/health")[1], {"status": "ok"})
            self.assertEqual(len(worker.lines("load ")), 1)

    def test_it_wants_the_key_except_for_health(self):
        with Worker() as worker:
            self.assertEqual(worker.ask("/health", key="no")[0].status, 200)
            for path in ("/v1/models", "/props", "/nope"):
                response, body = worker.ask(path, key="no")
                self.assertEqual((response.status, body["error"]["type"]), (401, "authentication_error"))

    def test_chat_plain_and_streamed_say_the_same(self):
        with Worker("chunks=4") as worker:
            _, body = worker.ask("/v1/chat/completions", CHAT)
            text = body["choices"][0]["message"]["content"]
            self.assertEqual((text, body["usage"]["completion_tokens"]), ("fake word1 word2 word3", 4))
            response, stream = worker.ask("/v1/chat/completions",
                                          CHAT | {"stream": True, "stream_options": {"include_usage": True}})
            events = stream.strip().split("\n\n")
            self.assertEqual(events.pop(), "data: [DONE]")
            chunks = [json.loads(event.removeprefix("data: ")) for event in events]
            self.assertEqual("".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"]), text)
            self.assertEqual(chunks[-1]["usage"]["total_tokens"], body["usage"]["total_tokens"])
            self.assertEqual(chunks[-2]["choices"][0]["finish_reason"], "stop")
            self.assertEqual(response.getheader("Content-Type"), "text/event-stream")

    def test_every_other_shape(self):
        with Worker("chunks=3", args=["--metrics"]) as worker:
            self.assertEqual(worker.ask("/v1/completions", {"prompt": "a", "max_tokens": 2})[1]["choices"][0],
                             {"text": "fake word1", "index": 0, "logprobs": None, "finish_reason": "length"})
            self.assertEqual(worker.ask("/v1/messages", CHAT | {"max_tokens": 9})[1]["stop_reason"], "end_turn")
            self.assertIn("event: message_stop", worker.ask("/v1/messages", CHAT | {"stream": True})[1])
            self.assertEqual(worker.ask("/v1/responses", {"input": "a"})[1]["output"][0]["content"][0]["text"],
                             "fake word1 word2")
            self.assertIn("event: response.completed", worker.ask("/v1/responses", {"input": "a", "stream": True})[1])
            self.assertEqual(worker.ask("/v1/models")[1]["data"][0]["id"], "fake")
            self.assertEqual(worker.ask("/props")[1]["default_generation_settings"]["n_ctx"], 256)
            self.assertEqual(len(worker.ask("/slots")[1]), 2)
            self.assertIn("llamacpp:requests_processing 0", worker.ask("/metrics")[1])
            tokens = worker.ask("/tokenize", {"content": "Grüße, 世界 🦙"})[1]
            self.assertEqual(worker.ask("/detokenize", tokens)[1], {"content": "Grüße, 世界 🦙"})
            self.assertEqual(worker.ask("/v1/messages/count_tokens", CHAT)[1], {"input_tokens": 2})

    def test_bad_requests_close_the_connection(self):
        with Worker() as worker:
            for path, body, status in (("/v1/chat/completions", {}, 400), ("/v1/embeddings", {"input": "a"}, 501),
                                       ("/v1/rerank", {"query": "a"}, 501), ("/nope", {}, 404),
                                       ("/v1/completions", {"prompt": "long " * 400}, 400)):
                response, body = worker.ask(path, body)
                self.assertEqual((response.status, body["error"]["code"], response.getheader("Connection")),
                                 (status, status, "close"))

    def test_vectors(self):
        with Worker("dims=16", args=["--embeddings", "--reranking"]) as worker:
            texts = ["a cat sat", "the cat sat down", "stock markets fell"]
            floats = [row["embedding"] for row in worker.ask("/v1/embeddings", {"input": texts})[1]["data"]]
            coded = worker.ask("/v1/embeddings", {"input": texts[0], "encoding_format": "base64"})[1]["data"][0]["embedding"]
            for a, b in zip(struct.unpack("<16f", base64.b64decode(coded)), floats[0], strict=True):
                self.assertAlmostEqual(a, b, 6)
            dot = lambda a, b: sum(x * y for x, y in zip(a, b))
            self.assertAlmostEqual(dot(floats[0], floats[0]), 1, 5)
            ranked = worker.ask("/v1/rerank", {"query": texts[0], "documents": texts[1:][::-1], "top_n": 1})[1]["results"]
            self.assertEqual([row["index"] for row in ranked], [1])
            self.assertAlmostEqual(ranked[0]["relevance_score"], dot(floats[0], floats[1]), 5)

    def test_chunked_requests_and_100_continue(self):
        with Worker() as worker:
            connection = worker.connection()
            connection.request("POST", "/v1/chat/completions", iter([json.dumps(CHAT).encode()]),
                               {"Authorization": "Bearer secret"}, encode_chunked=True)
            self.assertEqual(connection.getresponse().status, 200)
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(worker.socket)
                peer.sendall(b"POST /tokenize HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
                self.assertEqual(peer.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")

    def test_keep_alive_ends_after_its_count_and_its_idle_time(self):
        with Worker("keep-alive-max=2", "keep-alive-idle-ms=100") as worker:
            connection = worker.connection()
            self.assertIsNone(worker.ask("/health", connection=connection)[0].getheader("Connection"))
            self.assertEqual(worker.ask("/health", connection=connection)[0].getheader("Connection"), "close")
            connection = worker.connection()
            worker.ask("/health", connection=connection)
            self.assertEqual(connection.sock.recv(1), b"")

    def test_a_socket_file_in_the_way_and_the_end_by_signal(self):
        with Worker() as worker:
            worker.process.terminate()
            self.assertEqual(worker.process.wait(), 0)
            self.assertTrue(pathlib.Path(worker.socket).exists())
            again = subprocess.run(worker.process.args, capture_output=True, text=True)
            self.assertEqual(again.returncode, 1)
            self.assertIn("couldn't bind HTTP server socket", again.stderr)

    def test_tcp(self):
        with Worker(args=["--host", "127.0.0.1"]) as worker:
            port = int(worker.said[-1].rsplit(":", 1)[1])
            self.assertEqual(worker.ask("/health", connection=http.client.HTTPConnection("127.0.0.1", port))[0].status, 200)


class Faults(unittest.TestCase):
    def ends(self, expected, *faults, ask=None, args=()):
        with Worker(*faults, args=args) as worker:
            for _ in range(ask or 0):
                try:
                    worker.ask("/v1/chat/completions", CHAT)
                except (ConnectionError, http.client.HTTPException):
                    pass
            self.assertEqual(worker.process.wait(20), expected)
            return worker.said

    def test_ends_of_the_process(self):
        self.ends(3, "die-before-ready=3")
        self.ends(-signal.SIGSEGV, "die-before-ready=SIGSEGV")
        self.ends(1, "die-after-requests=2", ask=2)
        self.ends(-signal.SIGKILL, "die-on-request=1", "die-how=SIGKILL", ask=1)
        self.assertIn("error: invalid argument: --bogus\n", self.ends(1, "strict-args", args=["--bogus"]))
        self.assertIn("unknown fault 'tpyo'", "".join(self.ends(1, "tpyo=1")))

    def test_streams_are_cut_where_asked(self):
        wholes = {}
        for where in ("chunk", "inside-chunk", "inside-event"):
            with Worker("die-mid-stream-after-chunks=2", f"die-mid-stream-where={where}") as worker:
                wholes[where] = worker.raw(body=CHAT | {"stream": True}).split(b"\r\n\r\n", 1)[1]
                self.assertEqual(worker.process.wait(20), 1)
        self.assertTrue(wholes["chunk"].endswith(b"\n\n\r\n"))
        self.assertFalse(wholes["inside-chunk"].endswith(b"\r\n"))
        self.assertTrue(wholes["inside-event"].endswith(b"\r\n"))
        self.assertFalse(wholes["inside-event"].endswith(b"\n\n\r\n"))
        with Worker("close-mid-stream-after-chunks=0") as worker:
            self.assertTrue(worker.raw(body=CHAT | {"stream": True}).endswith(b"\r\n\r\n"))
            self.assertEqual(worker.ask("/health")[0].status, 200)

    def test_streams_that_end_wrongly(self):
        with Worker("end-without-done") as worker:
            stream = worker.ask("/v1/chat/completions", CHAT | {"stream": True})[1]
            self.assertNotIn("[DONE]", stream)
            self.assertNotIn('"stop"', stream)
        with Worker("error-mid-stream-after-chunks=1") as worker:
            self.assertIn('data: {"error":', worker.ask("/v1/chat/completions", CHAT | {"stream": True})[1])
        counting = {"prompt": "1 2 3", "n_predict": 2, "n_probs": 4}
        with Worker() as worker:
            told = worker.ask("/completion", counting)[1]
            self.assertEqual((told["content"], told["completion_probabilities"][1]["top_logprobs"][0]["token"]), (" 4 5", " 5"))
        with Worker("garbage=nan", args=["--embeddings", "--reranking"]) as worker:
            self.assertIsNone(worker.ask("/completion", counting)[1]["completion_probabilities"][0]["logprob"])
            self.assertIsNone(worker.ask("/v1/embeddings", {"input": "a"})[1]["data"][0]["embedding"][0])
        with Worker("garbage=same", "chunks=5", "chunk-bytes=3", "sse-ping") as worker:
            self.assertIn(":\n\ndata: ", worker.ask("/v1/chat/completions", CHAT | {"stream": True})[1])
            self.assertEqual(worker.ask("/v1/completions", {"prompt": ""})[1]["choices"][0]["text"], "G.." * 5)

    def test_broken_answers(self):
        for fault, seen in (("malformed-head", b"HTTP/1.1 abc\r\n"), ("huge-head=70000", b"X-Huge: " + b"h" * 70000),
                            ("status=500", b"HTTP/1.1 500 "), ("close-without-answer", b"")):
            with self.subTest(fault), Worker(fault) as worker:
                self.assertIn(seen, worker.raw())
        with Worker("close-without-answer") as worker:
            self.assertEqual(worker.raw(), b"")
        with Worker("reset-without-answer", args=["--host", "127.0.0.1"]) as worker:
            with socket.create_connection(("127.0.0.1", int(worker.said[-1].rsplit(":", 1)[1]))) as peer:
                peer.sendall(b"POST /v1/completions HTTP/1.1\r\nX-Api-Key: secret\r\nContent-Length: 13\r\n\r\n{\"prompt\":\"\"}")
                with self.assertRaises(ConnectionResetError):
                    peer.recv(1)
        for wrong, sign in (("long", 1), ("short", -1)):
            with Worker(f"wrong-content-length={wrong}") as worker:
                head, body = worker.raw().split(b"\r\n\r\n", 1)
                declared = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                self.assertGreater((declared - len(body)) * sign, 0)

    def test_only_one_request_breaks(self):
        with Worker("status=500", "only-request=2") as worker:
            self.assertEqual([worker.ask("/v1/chat/completions", CHAT)[0].status for _ in range(3)], [200, 500, 200])

    def test_stale_keep_alive(self):
        with Worker("stale-keep-alive") as worker:
            connection = worker.connection()
            worker.ask("/v1/chat/completions", CHAT, connection=connection)
            with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
                worker.ask("/v1/chat/completions", CHAT, connection=connection)

    def test_a_client_that_goes_away_is_recorded(self):
        for fault, when in (("never-answer", "waiting"), ("first-byte-after-ms=60000", "before-first-byte"),
                            ("slow-stream-ms=60000", "after-chunks=0")):
            with Worker(fault) as worker, worker.connection() as connection:
                connection.request("POST", "/v1/chat/completions", json.dumps(CHAT | {"stream": True}),
                                   {"Authorization": "Bearer secret"})
                worker.wait_for("request n=1 POST /v1/chat/completions")
                if fault.startswith("slow"):
                    connection.getresponse().readline()  # the first chunk is there
                connection.close()
                self.assertIn(when, worker.wait_for("gone "))
        with Worker("hang-in-head") as worker, socket.socket(socket.AF_UNIX) as peer:
            peer.connect(worker.socket)
            peer.sendall(b"POST /v1/completions HTTP/1.1\r\nX-Api-Key: secret\r\nContent-Length: 13\r\n\r\n{\"prompt\":\"\"}")
            self.assertNotIn(b"\r\n\r\n", peer.recv(1000))

    def test_ignored_term_and_a_grandchild(self):
        with Worker("ignore-term") as worker:
            worker.process.terminate()
            worker.wait_for("signal Terminated")
            self.assertEqual(worker.ask("/health")[0].status, 200)
        with Worker("grandchild-holds-stdout=1", "stdout-noise=3", "say=hello there") as worker:
            self.assertIn("hello there\n", worker.said)
            start = time.monotonic()
            worker.process.kill()
            worker.process.wait()
            self.assertEqual(len(worker.process.stdout.read().splitlines()), 3)
            self.assertGreater(time.monotonic() - start, 0.2, "end of output came with end of process")

    def test_a_file_that_is_no_model(self):
        for content in (b"", b"GGUF", b"nonsense that is long enough to be one"):
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                end = subprocess.run([PROGRAM, "--model", file.name, "--host", "x.sock"], capture_output=True, text=True)
                self.assertEqual(end.returncode, 1)
                self.assertIn("GGUF", end.stderr)


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
