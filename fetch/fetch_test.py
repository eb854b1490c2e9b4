#!/usr/bin/env python3
"""Holds hal0-fetch to what README.md says of it, against a server of its own on 127.0.0.1 and archives made here.

usage: fetch_test.py PROGRAM [unittest options]
"""
import http.server
import io
import json
import os
import pathlib
import socket
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import zipfile

PROGRAM = ""
CONTENT = bytes(range(256)) * 4096  # 1 MiB


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /PATH: what it does is the path's name."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        getattr(self, "get_" + self.path.strip("/").replace("-", "_"))()

    def begin(self, status, length, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def get_whole(self):
        self.begin(200, len(CONTENT))
        self.wfile.write(CONTENT)

    def get_ranged(self):
        first = int((self.headers.get("Range") or "bytes=0-")[len("bytes="):-1])
        if first >= len(CONTENT):
            return self.begin(416, 0, Content_Range=f"bytes */{len(CONTENT)}")
        self.begin(206, len(CONTENT) - first, Content_Range=f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.wfile.write(CONTENT[first:])

    def get_exact(self):
        first, last = (int(n) for n in self.headers["Range"][len("bytes="):].split("-"))
        last = min(last, len(CONTENT) - 1)
        if first > last:
            return self.begin(416, 0, Content_Range=f"bytes */{len(CONTENT)}")
        self.begin(206, last + 1 - first, Content_Range=f"bytes {first}-{last}/{len(CONTENT)}")
        self.wfile.write(CONTENT[first:last + 1])

    def get_lying(self):
        first = int(self.headers["Range"][len("bytes="):].split("-")[0])
        self.begin(206, len(CONTENT), Content_Range=f"bytes {first}-{first + 9}/10")
        self.wfile.write(CONTENT)

    def get_nothing(self):
        self.begin(206, 0, Content_Range="bytes 0-9/10")

    def get_other_part(self):
        self.begin(206, 10, Content_Range="bytes 7-16/17")
        self.wfile.write(b"x" * 10)

    def get_cut(self):
        self.begin(200, len(CONTENT))
        self.wfile.write(CONTENT[:1000])

    def get_missing(self):
        self.begin(404, 9)
        self.wfile.write(b"not here\n")

    def get_moved(self):
        self.begin(302, 0, Location="/whole")

    def get_sent_on(self):
        self.begin(302, 0, Location="http://127.0.0.1:1/whole?signature=abc")

    def get_file_moved(self):
        self.begin(302, 0, Location="file:///etc/hostname")

    def log_message(self, *_):
        pass


class FetchTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.root = pathlib.Path(self.dir.name)
        self.out = self.root / "out"
        self.part = self.root / "out.part"

    def run_it(self, *words):
        """(exit code, the objects of its stdout)"""
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=50, env=environment)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def refused(self, kind, *words, code=1):
        returned, said = self.run_it(*words)
        self.assertEqual((returned, said[-1]["error"]), (code, kind), said)
        return said[-1]["message"]


class Url(FetchTest):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.asked = []
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def at(self, name):
        return f"http://127.0.0.1:{self.server.server_port}/{name}"

    def test_a_file_comes_whole_and_progress_is_told(self):
        code, said = self.run_it("url", self.at("whole"), self.out, "--size", len(CONTENT))
        self.assertEqual((code, self.out.read_bytes()), (0, CONTENT))
        self.assertEqual(said[0]["total"], len(CONTENT))
        self.assertFalse(self.part.exists())

    def test_redirects_are_followed_to_http_only(self):
        self.assertEqual(self.run_it("url", self.at("moved"), self.out)[0], 0)
        self.assertEqual(self.out.read_bytes(), CONTENT)
        self.out.unlink()
        self.refused("invalid", "url", self.at("file-moved"), self.out)
        self.refused("invalid", "url", "file:///etc/hostname", self.out)
        self.assertFalse(self.out.exists())

    def test_whom_it_was_sent_on_to_is_named_without_the_rest(self):
        message = self.refused("unavailable", "url", self.at("sent-on"), self.out, code=3)
        self.assertIn(f"{self.at('sent-on')}, sent on to 127.0.0.1:1: ", message)
        self.assertNotIn("signature", message)

    def test_it_goes_on_where_it_stopped(self):
        self.refused("unavailable", "url", self.at("cut"), self.out)
        self.assertEqual(self.part.read_bytes(), CONTENT[:1000])
        self.assertFalse(self.out.exists())
        self.assertEqual(self.run_it("url", self.at("ranged"), self.out)[0], 0)
        self.assertEqual(self.server.asked[-1], ("/ranged", "bytes=1000-"))
        self.assertEqual(self.out.read_bytes(), CONTENT)

    def test_a_server_without_ranges_starts_anew(self):
        self.part.write_bytes(b"old")
        self.assertEqual(self.run_it("url", self.at("whole"), self.out)[0], 0)
        self.assertEqual(self.out.read_bytes(), CONTENT)

    def test_a_part_that_is_too_long_is_dropped(self):
        self.part.write_bytes(CONTENT + b"more")
        self.assertEqual(self.run_it("url", self.at("ranged"), self.out)[0], 0)
        self.assertEqual(self.out.read_bytes(), CONTENT)
        self.assertEqual([r for _, r in self.server.asked], [f"bytes={len(CONTENT) + 4}-", None])

    def test_a_part_that_is_whole_asks_nobody(self):
        self.part.write_bytes(CONTENT)
        self.assertEqual(self.run_it("url", self.at("whole"), self.out, "--size", len(CONTENT))[0], 0)
        self.assertEqual(self.server.asked, [])

    def test_another_part_than_asked_for_is_refused(self):
        self.part.write_bytes(b"12345")
        self.assertIn("another part", self.refused("unavailable", "url", self.at("other-part"), self.out))
        self.assertEqual(self.part.read_bytes(), b"12345")

    def test_another_size_than_expected_is_refused_before_it_comes(self):
        self.refused("corrupt", "url", self.at("whole"), self.out, "--size", 1000)
        self.assertEqual(self.part.stat().st_size, 0)

    def test_a_missing_file_says_so(self):
        self.assertIn("status 404", self.refused("not_found", "url", self.at("missing"), self.out))
        self.assertFalse(self.out.exists())

    def test_nobody_there_and_no_answer_have_their_own_code(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            there = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            self.refused("unavailable", "url", there, self.out, code=3)
            silent.listen()
            message = self.refused("unavailable", "url", there, self.out, "--answer-within", 1, code=3)
        self.assertIn("no answer within 1 s", message)

    def test_pieces_come_to_their_places(self):
        self.assertEqual(self.run_it("piece", self.at("exact"), 0, 1000, self.out)[0], 0)
        self.assertEqual(self.out.read_bytes(), CONTENT[:1000] + bytes(len(CONTENT) - 1000))
        self.assertLess(self.out.stat().st_blocks * 512, 100_000, "the rest is a hole")
        self.assertEqual(self.run_it("piece", self.at("exact"), len(CONTENT) - 10, 1000, self.out)[0], 0)
        self.assertEqual(self.out.read_bytes()[-10:], CONTENT[-10:])
        self.assertEqual(self.out.read_bytes()[:1001], CONTENT[:1000] + b"\0")
        self.assertEqual(self.server.asked, [("/exact", "bytes=0-999"), ("/exact", f"bytes={len(CONTENT) - 10}-{len(CONTENT) + 989}")])

    def test_of_a_server_without_ranges_the_beginning_is_had(self):
        self.assertEqual(self.run_it("piece", self.at("whole"), 0, 1000, self.out)[0], 0)
        self.assertEqual(self.out.read_bytes()[:1001], CONTENT[:1000] + b"\0")
        self.assertEqual(self.out.stat().st_size, len(CONTENT))
        self.assertIn("can't be had in parts", self.refused("unsupported", "piece", self.at("whole"), 5, 10, self.out))

    def test_a_piece_that_does_not_come_is_an_error(self):
        self.refused("not_found", "piece", self.at("missing"), 0, 10, self.out)
        self.refused("unavailable", "piece", self.at("other-part"), 0, 10, self.out)
        self.refused("unavailable", "piece", self.at("exact"), len(CONTENT), 10, self.out)
        self.assertIn("behind its own end", self.refused("unavailable", "piece", self.at("lying"), 1000, 10, self.out))
        self.assertLess(self.out.stat().st_size, 2000)
        self.refused("unavailable", "piece", self.at("nothing"), 0, 10, self.out)
        self.assertIn("stopped after 1000 B of", self.refused("unavailable", "piece", self.at("cut"), 0, 2000, self.out))

    def test_wrong_arguments(self):
        for words in (["piece", "http://x", "0", "0", "f"], ["piece", "http://x", "-1", "5", "f"], ["piece", "http://x", "0"], ["url"], ["url", "http://x"], ["url", "http://x", self.out, "--size", "many"], ["extract", "x"], []):
            self.assertEqual(self.run_it(*words)[0], 2, words)


class Archives(FetchTest):
    def tar(self, *entries, name="a.tar.gz"):
        """entries: (path, content), or (path, type, link target)"""
        path = self.root / name
        with tarfile.open(path, "w:gz") as archive:
            for entry in entries:
                info = tarfile.TarInfo(entry[0])
                content = entry[1] if len(entry) == 2 else b""
                info.size, info.mode = len(content), 0o4777 if entry[0].endswith(".sh") else 0o600
                if len(entry) == 3:
                    info.type, info.linkname = entry[1], entry[2]
                archive.addfile(info, io.BytesIO(content))
        return path

    def zip(self, members, name="a.whl"):
        path = self.root / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return path

    def test_members_of_several_archives_are_joined(self):
        one, two = self.zip({"x/y": b"1", "p/part": CONTENT}), self.tar(("./p/part", b"tail"))
        plain = self.root / "plain"
        plain.write_bytes(b"as it is")
        self.assertEqual(self.run_it("extract", self.out, one, "p/part", two, "p/part", plain, "")[0], 0)
        self.assertEqual(self.out.read_bytes(), CONTENT + b"tail" + b"as it is")

    def test_a_missing_member_leaves_nothing(self):
        one = self.zip({"a": b"1"})
        self.assertIn("has no file 'b'", self.refused("not_found", "extract", self.out, one, "a", one, "b"))
        self.assertEqual([p.name for p in self.root.iterdir()], ["a.whl"])

    def test_a_cut_archive_is_corrupt(self):
        one = self.zip({"a": os.urandom(100000)})
        one.write_bytes(one.read_bytes()[:50000])
        self.refused("corrupt", "extract", self.out, one, "a")
        one.write_bytes(b"nonsense")
        self.refused("corrupt", "unpack", one, "", self.out)
        self.refused("not_found", "extract", self.out, self.root / "absent", "a")

    def test_a_tree_is_unpacked_without_its_prefix(self):
        one = self.tar(("r-1/", tarfile.DIRTYPE, ""), ("r-1/src/é.c", b"int"), ("r-1/run.sh", b"#!"), ("other/x", b"no"),
                       ("r-1/src/up", tarfile.SYMTYPE, "../run.sh"), ("r-1/hard", tarfile.LNKTYPE, "r-1/run.sh"))
        self.assertEqual(self.run_it("unpack", one, "r-1/", self.out)[0], 0)
        found = sorted(str(p.relative_to(self.out)) for p in self.out.rglob("*"))
        self.assertEqual(found, ["hard", "run.sh", "src", "src/up", "src/é.c"])
        self.assertEqual((self.out / "src/up").read_bytes(), b"#!")
        self.assertEqual(stat.S_IMODE((self.out / "run.sh").stat().st_mode), 0o755)
        self.assertEqual(stat.S_IMODE((self.out / "src/é.c").stat().st_mode), 0o644)

    def test_nothing_below_the_prefix_is_an_error(self):
        self.refused("not_found", "unpack", self.zip({"a": b"1"}), "b/", self.out)

    def test_nothing_lands_or_leads_outside(self):
        link, hard = tarfile.SYMTYPE, tarfile.LNKTYPE
        evil = {
            "up": [("p/../../evil", b"x")],
            "absolute": [("p//etc/evil", b"x")],
            "link up": [("p/l", link, "../evil")],
            "link to the root": [("p/l", link, "/etc")],
            "link over a link": [("p/s", link, "."), ("p/l", link, "s/../evil")],
            "through a link": [("p/d/x", b"x"), ("p/l", link, "d"), ("p/l/evil", b"x")],
            "hard link": [("p/h", hard, "../evil")],
            "hard link beside": [("q/x", b"x"), ("p/h", hard, "q/x")],
            "device": [("p/null", tarfile.CHRTYPE, "")],
        }
        (self.root / "evil").write_bytes(b"mine")
        for name, entries in evil.items():
            with self.subTest(name):
                out = self.root / "in" / name
                code, said = self.run_it("unpack", self.tar(*entries), "p/", out)
                self.assertEqual(code, 1, said)
                self.assertEqual((self.root / "evil").read_bytes(), b"mine")
                leads = [p for p in out.rglob("*") if p.is_symlink() and out not in p.resolve().parents and p.resolve() != out]
                self.assertEqual(leads, [])
                self.assertNotIn("evil", [p.name for p in out.rglob("*")])


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
