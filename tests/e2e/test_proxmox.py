"""Proxmox under this guest: what `hal0 memory` and `hal0 fit` show of it, and that its token is nowhere. The decisions
have their tests in src/proxmox."""
import contextlib
import json
import os
import pathlib
import re
import tempfile
import unittest

from fake_proxmox import GIB, GUESTS, SECRET, TOKEN_ID, Server, authority, certificate, fingerprint, guest, status
from harness import Home, eventually


class Guest(unittest.TestCase):
    """A home in what hardware.json calls an LXC, which is 101 in its proxmox.json."""

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.made.cleanup)
        cls.directory = pathlib.Path(cls.made.name)
        cls.authority = authority(cls.directory, "cluster")
        cls.certificate, cls.key = certificate(cls.directory, "pve", authority=cls.authority)

    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)
        self.home.cli("probe", check=0)
        hardware = self.home.path / "config" / "hardware.json"
        report = json.loads(hardware.read_text())
        report["platform"]["kind"] = "lxc"
        hardware.write_text(json.dumps(report))
        self.server = self.serve(self.certificate, self.key)
        self.file = self.home.path / "config" / "proxmox.json"

    def serve(self, certificate, key):
        server = Server(certificate, key)
        self.addCleanup(server.close)
        return server

    def configure(self, mode=0o600, **keys):
        content = {"endpoint": self.server.endpoint, "token": {"id": TOKEN_ID, "secret": SECRET}, "vmid": 101,
                   "ca_file": str(self.authority[0]), **keys}
        self.file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
        self.file.chmod(mode)
        return self

    def look(self):
        return json.loads(self.home.cli("memory", "--json", check=0).stdout)

    def warning(self):
        """Of an asking that failed: the host is null then, and one warning says why."""
        view = self.look()
        self.assertIsNone(view["host"], view["warnings"])
        self.assertEqual([w for w in view["warnings"] if SECRET in w], [])
        found = [w for w in view["warnings"] if "roxmox" in w]
        self.assertEqual(len(found), 1, view["warnings"])
        return found[0]


class Shown(Guest):
    def test_without_the_file_there_is_nothing_and_nobody_is_asked(self):
        view = self.look()
        self.assertIsNone(view["host"])
        self.assertNotIn("node pve", self.home.cli("memory", check=0).stdout)
        self.assertEqual((self.server.asked, [w for w in view["warnings"] if "roxmox" in w]), ([], []))

    def test_the_node_of_this_guest_and_its_tenants(self):
        host = self.configure().look()["host"]
        self.assertEqual((host["node"], host["vmid"], host["total"], host["used"], host["free"], host["arc"]),
                         ("pve2", 101, 125 * GIB, 85 * GIB, 40 * GIB, 16 * GIB))
        self.assertEqual([(t["vmid"], t["kind"], t["running"], t["self"], t["memory"], t["memory_on_node"]) for t in host["tenants"]],
                         [(200, "qemu", True, False, 7 * GIB, 12 * GIB), (101, "lxc", True, True, 6 * GIB, None),
                          (102, "lxc", False, False, 0, None)])
        self.assertEqual((host["tenants"][0]["balloon"], host["tenants"][0]["balloon_min"]), (8 * GIB, 4 * GIB))
        self.assertEqual(host["tenants_use"], 18 * GIB)
        self.assertEqual(host["tenants_use"] + (host["gpu_pages"] or 0) + host["arc"] + host["unexplained"], host["used"])
        self.assertEqual(self.server.asked, [GUESTS, "/nodes/pve2/status", "/nodes/pve2/qemu?full=1", GUESTS])
        shown = self.home.cli("memory", check=0).stdout
        self.assertIn("node pve2 (Proxmox): 125 GiB, 85.0 GiB in use; 1 guest stopped", shown)
        self.assertRegex(shown, r"(?m)^container 101 hal0 \(this\) +6\.0 GiB +8\.0 GiB")
        self.assertRegex(shown, r"(?m)^VM 200 win +12\.0 GiB +8\.0 GiB of 16\.0 GiB")
        self.assertRegex(shown, r"(?m)^ZFS cache +16\.0 GiB")

    def test_the_daemon_tells_it_and_asks_once_for_all_who_look(self):
        self.configure()
        self.home.start()
        first = self.home.api("GET", "/api/memory").json
        self.assertEqual(first["host"]["node"], "pve2")
        asked = len(self.server.asked)
        # Of the next answers, which are read anew after a second, those within 5 s have the host of the first.
        later = eventually(lambda: (view := self.home.api("GET", "/api/memory").json)["time"] != first["time"] and view)
        self.assertEqual((later["host"]["used"], len(self.server.asked)), (85 * GIB, asked))
        self.file.unlink()
        eventually(lambda: self.home.api("GET", "/api/memory").json["host"] is None, message="the file is gone, and it is still shown")
        self.assertEqual(len(self.server.asked), asked)

    def test_a_guest_that_moves_meanwhile_is_shown_where_it_is(self):
        here = self.server.answers[GUESTS]
        self.server.answers[GUESTS] = [here, [guest("lxc", 101, "pve3", mem=5 * GIB, maxmem=8 * GIB)]]
        host = self.configure().look()["host"]
        self.assertEqual((host["node"], host["total"], len(host["tenants"])), ("pve3", 64 * GIB, 1))

    def test_lies_are_null_and_a_warning(self):
        self.server.answers["/nodes/pve2/status"] = status(125 * GIB, 126 * GIB, available=-1, arcsize="much")
        self.server.answers[GUESTS][1].update(mem="6442450944", maxmem=[])
        self.server.answers[GUESTS][2].update(mem=-5, memhost=1e300)
        view = self.configure().look()
        host = view["host"]
        self.assertEqual((host["total"], host["used"], host["free"], host["arc"], host["unexplained"], host["tenants_use"]),
                         (125 * GIB, None, None, None, None, None))
        by_vmid = {t["vmid"]: t for t in host["tenants"]}
        self.assertEqual(by_vmid[101]["memory"], 6 * GIB, "a number that was written as a string")
        self.assertEqual((by_vmid[200]["memory"], by_vmid[200]["memory_on_node"], by_vmid[101]["memory_max"]), (None, None, None))
        self.assertGreaterEqual(len([w for w in view["warnings"] if w.startswith("Proxmox says")]), 4)

    def test_what_the_node_has_left_decides_what_fits(self):
        def fit():
            return json.loads(self.home.cli("fit", "gemma-3-1b-it-Q4_K_M", "--device", "cpu", "--json", check=0).stdout)
        alone = fit()
        self.assertEqual((alone["pool"]["host_known"], alone["pool"]["free"], alone["fit"]["verdict"]), (False, None, "unknown"))
        self.configure()
        known = fit()
        self.assertEqual((known["pool"]["host_known"], known["pool"]["free"]), (True, 40 * GIB))
        self.assertIn(known["fit"]["verdict"], ("fits", "tight"))
        self.server.fault = lambda request: request.say(500, "broken")
        failed = fit()
        self.assertEqual(failed["pool"]["free"], None)
        self.assertIn("answers 500 broken", failed["notes"][-1])


class Refused(Guest):
    def test_a_file_that_others_can_read_is_not_used(self):
        self.configure(mode=0o644)
        self.assertEqual(self.warning(), f"{self.file} holds a secret and its mode is 0644, which lets others at it; "
                                         f"'chmod 600 {self.file}' mends it")
        self.assertEqual(self.server.asked, [])
        self.file.chmod(0o400)
        self.assertEqual(self.look()["host"]["node"], "pve2")

    def test_a_file_of_another_user_is_not_used(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a file away")
        self.configure()
        os.chown(self.file, 12345, 12345)
        self.assertIn("belongs to the user 12345, while hal0 runs as 0; 'sudo chown 0 ", self.warning())

    def test_a_fault_of_the_file_names_its_key(self):
        for keys, says in (({"endpoint": "http://pve"}, "'endpoint' must be"), ({"endpoint": None}, "'endpoint' is missing"),
                           ({"token": f"{TOKEN_ID}={SECRET}"}, "token must be an object"), ({"verify": False}, "there is no 'verify' here"),
                           ({"vmid": 7}, "'vmid' must be"), ({"fingerprint": "AB"}, "exclude each other")):
            self.configure(**keys)
            self.assertIn(says, self.warning())
        self.file.write_text(f'{{"token": "{SECRET}", ')
        self.assertIn("not JSON at byte", self.warning())
        self.file.write_bytes(SECRET.encode() * 4096)
        self.assertIn("larger than 65536 bytes", self.warning())
        self.assertEqual(self.server.asked, [])

    def test_without_a_number_it_asks_for_one(self):
        self.configure(vmid=None)
        self.assertIn("'vmid' must say it", self.warning())

    def test_what_the_server_refuses_is_said_with_its_reason(self):
        self.configure()
        say = lambda *words, **headers: lambda request: request.say(*words, **headers)
        for fault, says in (
                (say(401, "no such token 'memory' for user 'hal0@pve'"), "refuses the token 'hal0@pve!memory' (401 no such token"),
                (say(401, "invalid token value!"), "(401 invalid token value!)"),
                (say(401, "Authentication failed!", ""), "(401 Authentication failed!)"),
                (say(401, f"invalid token {SECRET}"), "(401 invalid token ***)"),
                (say(401, "x" * 70 + SECRET), "x***)"),  # a long line is cut, and not inside the secret
                (say(403, "Permission check failed (/, Sys.Audit)"), "need the role PVEAuditor on '/'"),
                (say(500, "got no worker"), "answers 500 got no worker"),
                (say(595, "No route to host"), "doesn't reach this guest's node (595 No route to host)"),
                (say(301, "Moved", Location=self.server.endpoint + "/api2/json/version"), "which isn't followed"),
                (say(200, "OK", "<html>"), "not as Proxmox does"),
                (say(200, "OK", b"\xff\xfe"), "not as Proxmox does"),
                (say(200, "OK", '{"data":[]}'), "no guest at all"),
                (say(200, "OK", "[" * 100000), "not as Proxmox does"),
                (say(200, "OK", b" " * (5 << 20)), "answers with more than 4.0 MiB"),
                (lambda request: setattr(request, "close_connection", True), "can't be asked")):
            self.server.fault = fault
            self.assertIn(says, self.warning())
        self.assertNotIn("/version", self.server.asked, "a redirect takes the token nowhere")

    def test_a_server_that_is_slow_is_not_waited_for(self):
        self.server.fault = lambda request: request.server.wait()
        self.configure()
        self.assertIn("doesn't answer in time", self.warning())

    def test_nobody_there(self):
        self.configure(endpoint="https://127.0.0.1:1")
        self.assertIn("can't be asked", self.warning())


class Trusted(Guest):
    """Whom the token is given to. A server that isn't trusted hears nothing at all."""

    def untrusted(self, says):
        self.assertIn(says, self.warning())
        self.assertEqual(self.server.asked, [])

    def test_by_its_fingerprint(self):
        seen = fingerprint(self.certificate)
        for form in (seen, seen.lower().replace(":", "")):
            self.assertEqual(self.configure(ca_file=None, fingerprint=form).look()["host"]["node"], "pve2")

    def test_not_by_another_fingerprint(self):
        self.configure(ca_file=None, fingerprint=":".join(["AB"] * 32))
        self.untrusted(f"its certificate has {fingerprint(self.certificate)}")

    def test_not_by_another_authority_nor_by_the_systems(self):
        other, _ = authority(self.directory, "other")
        self.configure(ca_file=str(other))
        self.untrusted("is not trusted")
        self.configure(ca_file=None)
        self.untrusted("is not trusted")
        self.configure(ca_file="/dev/null")
        self.untrusted("holds no certificate")

    def test_a_fingerprint_trusts_that_certificate_whatever_name_is_in_it(self):
        named = certificate(self.directory, "named", extension="subjectAltName=DNS:pve.lan")
        self.server = self.serve(*named)
        self.configure(ca_file=str(named[0]))
        self.untrusted("is not trusted")
        self.assertEqual(self.configure(ca_file=None, fingerprint=fingerprint(named[0])).look()["host"]["node"], "pve2")

    def test_not_when_it_has_expired(self):
        expired = certificate(self.directory, "expired", days=-1)
        self.server = self.serve(*expired)
        self.configure(ca_file=str(expired[0]))
        self.untrusted("expired")
        self.configure(ca_file=None, fingerprint=fingerprint(expired[0]))
        self.untrusted("expired")


def children_of(pid):
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)


def memory_of(pid):
    """All that can be read of a process's memory, piece by piece; each piece with the end of the one before."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end, mode = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            at, end, last = int(begin, 16), int(end, 16), b""
            while mode.startswith("r") and at < end and end - at < 1 << 32:
                try:
                    piece = os.pread(memory.fileno(), min(end - at, 1 << 24), at)
                except OSError:
                    break  # a hole, or the kernel's own
                yield last + piece
                last, at = piece[-64:], at + max(len(piece), 1)


def seen_of(file):
    """Empty where a process that hides itself lets nobody but root look."""
    try:
        return file.read_bytes()
    except PermissionError:
        return b""


class TheToken(Guest):
    """Is in proxmox.json and in the process that asks, and nowhere else, whatever the server does with it."""

    def setUp(self):
        super().setUp()
        guests = self.server.answers[GUESTS]
        guests[1]["name"] = f"hal0 {SECRET}"  # a server that gives it back
        guests[2]["tags"] = guests[3]["name"] = SECRET
        self.configure()

    def everything(self):
        home = self.home
        for words in (["memory"], ["memory", "--json"], ["places"], ["places", "--json"], ["status"], ["doctor"], ["probe"], ["slot", "list"],
                      ["model", "list"], ["job", "list"], ["events", "--no-follow"], ["fit", "nothing"], ["probe", "--record", str(home.path / "recorded")],
                      ["slot", "show", "primary"], ["slot", "explain", "primary"], ["slot", "logs", "primary"]):
            done = home.cli(*words)
            yield " ".join(words), done.stdout + done.stderr
        for path in ("status", "slots", "slots/primary", "slots/primary/explain", "slots/primary/logs", "models", "engines", "hardware",
                     "memory", "jobs", "events?follow=false"):
            answer = home.api("GET", f"/api/{path}")
            yield path, str(answer.headers) + answer.body.decode(errors="replace")
        for file in home.path.rglob("*"):
            if file.is_file() and file != self.file and file.suffix != ".gguf" and not file.is_symlink():
                yield str(file), file.read_bytes().decode(errors="replace")

    def test_it_is_in_nothing_that_anybody_can_read(self):
        home = self.home
        home.slot("primary", home.fake_model("m"))
        home.start().ready("primary")
        shown = home.api("GET", "/api/memory").json["host"]
        self.assertEqual(shown["tenants"][1]["name"], "hal0 ***", "what the server gives back of it is masked")
        self.server.fault = lambda request: request.say(401, SECRET, SECRET)
        eventually(lambda: home.api("GET", "/api/memory").json["host"] is None, message="it is not asked anew")
        found = dict(self.everything())
        self.assertEqual([name for name, text in found.items() if SECRET in text], [])
        self.assertIn("(401 ***)", found["memory"], "and it was asked for meanwhile")
        self.assertGreater(len(found), 30)

    def test_it_is_in_no_arguments_no_environment_and_not_in_the_daemons_memory(self):
        self.home.start()
        daemon = self.home.daemon.pid
        slow = self.server
        slow.fault = lambda request: (slow.wait(), request.say(500, "late"))
        with contextlib.closing(self.home_asks()):
            child, = eventually(lambda: slow.asked and [pid for pid in children_of(daemon) if "fetch" in (pathlib.Path(f"/proc/{pid}/comm").read_text())],
                                message="no hal0-fetch was seen")
            place = pathlib.Path(f"/proc/{child}")
            self.assertEqual((place / "cmdline").read_bytes().split(b"\0")[1:], [b"proxmox", b"lxc", b""])
            self.assertEqual(seen_of(place / "environ"), b"")
            self.assertRegex((place / "limits").read_text(), r"(?m)^Max core file size +0 +0 ")
            for pid in (daemon, child):
                for file in ("cmdline", "environ", "comm", "status", "maps"):
                    self.assertNotIn(SECRET.encode(), seen_of(pathlib.Path(f"/proc/{pid}") / file))
            # A child that is to leave a core: none is left, for its memory can't be looked at.
            slow.released.set()
        slow.fault = None
        eventually(lambda: self.home.api("GET", "/api/memory").json["host"], message="it doesn't ask again")
        if not os.access(f"/proc/{daemon}/mem", os.R_OK):
            self.skipTest("the daemon's memory can't be read here")
        pieces = list(memory_of(daemon))
        self.assertTrue(any(self.server.endpoint.encode() in piece or b"pve2" in piece for piece in pieces), "it isn't its memory")
        self.assertFalse(any(SECRET.encode() in piece for piece in pieces))

    def home_asks(self):
        """A request of which the answer is still out."""
        from harness import UnixConnection
        connection = UnixConnection(self.home.socket)
        connection.request("GET", "/api/memory")
        return connection


if __name__ == "__main__":
    unittest.main()
