"""The flags of `hal0 serve` and the settings of hal0.toml, each by what it does. How they are read and refused is
src/app/settings_test.cpp."""
import contextlib
import http.client
import json
import pathlib
import unittest

from harness import CHAT, Home, eventually


class Flags(unittest.TestCase):
    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.close)

    def refused(self, *flags):
        done = self.home.cli("serve", *flags, check=1)
        self.assertFalse(self.home.worker_pids())
        return done.stderr

    def test_listen_goes_over_the_file_and_may_be_repeated(self):
        home = self.home
        (home.path / "config/hal0.toml").write_text('listen = "127.0.0.1:1"\n')
        home.start("--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0")
        listen = home.api("GET", "/api/status").json["listen"]
        self.assertEqual([a.rsplit(":", 1)[0] for a in listen], ["127.0.0.1", "127.0.0.2"])
        for address in listen:
            ip, port = address.rsplit(":", 1)
            home.address = (ip, int(port))
            self.assertEqual(home.http("GET", "/health").status, 200, address)

    def test_allowed_host_is_added_to_the_files(self):
        home = self.home
        (home.path / "config/hal0.toml").write_text('listen = "127.0.0.1:0"\nallowed_hosts = ["one.lan"]\n')
        home.start("--allowed-host", "two.lan", "--allowed-host", "three.lan")
        for host, status in (("one.lan", 200), ("two.lan", 200), ("three.lan", 200), ("four.lan", 403)):
            self.assertEqual(home.http("GET", "/health", headers={"Host": host}).status, status, host)

    def test_body_max(self):
        home = self.home
        home.slot("primary", home.fake_model("m"))
        home.start("--body-max", "4 KiB").ready("primary")
        fits, large = ({**CHAT, "pad": "x" * size} for size in (3000, 5000))
        self.assertEqual(home.http("POST", "/v1/chat/completions", fits).status, 200)
        answer = home.http("POST", "/v1/chat/completions", large)
        self.assertEqual(answer.status, 413)
        self.assertIn("4.0 KiB", answer.json["error"]["message"])
        with contextlib.closing(home.raw()) as peer:
            peer.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + b" " * 5000)
            self.assertRegex(peer.recv(1000), rb"^HTTP/1.1 413 ", "nor in chunks")

    def test_log_level(self):
        self.home.start("--log-level", "error")
        self.assertNotIn("listens on", self.home.daemon_log())
        self.home.terminate()
        self.home.start("--log-level", "info")
        self.assertIn("listens on", self.home.daemon_log())

    def test_bad_values_say_which_flag(self):
        for flags, words in ((["--listen", "here"], "--listen: 'here' is not an address"), (["--body-max", "much"], "--body-max: 'much'"),
                             (["--allowed-host", "http://x"], "--allowed-host: 'http://x'"), (["--log-level", "loud"], "--log-level: 'loud'"),
                             (["--key-file", "/nowhere/key"], "/nowhere/key")):
            self.assertIn(words, self.refused(*flags), flags)

    def test_an_address_that_this_machine_does_not_have(self):
        self.home.fake_model("m")
        key = self.home.path / "key"
        key.write_text("abc\n")
        key.chmod(0o600)
        self.assertIn("192.0.2.7", self.refused("--listen", "192.0.2.7:8080", "--key-file", str(key)))


class File(unittest.TestCase):
    def test_many_addresses_a_key_file_and_loops(self):
        with Home() as home:
            key = home.path / "key"
            key.write_text("from-the-file\n")
            key.chmod(0o600)
            (home.path / "config/hal0.toml").write_text(f'listen = ["127.0.0.1:0", "0.0.0.0:0"]\nkey_file = "{key}"\nloops = 3\n')
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            status = home.api("GET", "/api/status").json
            self.assertEqual((len(status["listen"]), status["loops"]), (2, 3))
            asked = {"Authorization": "Bearer from-the-file"}
            for address in status["listen"]:
                home.address = ("127.0.0.1", int(address.rsplit(":", 1)[1]))
                self.assertEqual(home.http("GET", "/health").status, 401, address)
                for _ in range(10):  # whichever loop takes it
                    self.assertEqual(home.http("POST", "/v1/chat/completions", CHAT, headers=asked).status, 200, address)

    def test_the_unix_socket_alone(self):
        with Home() as home:
            (home.path / "config/hal0.toml").write_text("listen = []\n")
            home.slot("primary", home.fake_model("m"))
            home.start(wait=False)
            eventually(home._answers)
            self.assertEqual(home.api("GET", "/api/status").json["listen"], [])
            home.ready("primary")
            self.assertEqual(home.api("POST", "/v1/chat/completions", CHAT).status, 200)

    def test_limits(self):
        settings = '[limits]\nbody_max = "4 KiB"\nwaiting_max = 2\n'
        with Home(settings=settings) as home:
            home.slot("primary", home.fake_model("m", "ready-after-ms=60000"), enabled=False)
            home.start()
            self.assertEqual(home.http("POST", "/v1/chat/completions", {**CHAT, "pad": "x" * 5000}).status, 413)
            body = json.dumps(CHAT).encode()
            peers = []
            for _ in range(2):
                peers.append(home.raw())
                peers[-1].sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            eventually(lambda: home.slot_view("primary")["waiting"] == 2)
            answer = home.http("POST", "/v1/chat/completions", CHAT)
            self.assertEqual(answer.status, 503, answer)
            self.assertIn("retry-after", answer.headers)
            for peer in peers:
                peer.close()

    def test_model_roots(self):
        with Home() as home:
            elsewhere = home.path / "my models"
            elsewhere.mkdir()
            home.fake_model("far")
            (home.models / "far").rename(elsewhere / "far")
            (home.path / "config/hal0.toml").write_text(f'listen = "127.0.0.1:0"\n[models]\nroots = ["{elsewhere}"]\n')
            home.slot("primary", "far")
            home.start().ready("primary")
            self.assertEqual(pathlib.Path(home.api("GET", "/api/models/far").json["directory"]), elsewhere / "far")

    def test_keys_that_mean_nothing_are_warned_of(self):
        with Home(settings="lisen = 1\n") as home:
            home.start()
            self.assertIn("'lisen' means nothing here and is ignored; did you mean 'listen'?", home.daemon_log())

    def test_by_default_it_is_loopback_8080(self):
        with Home() as home:
            (home.path / "config/hal0.toml").unlink()
            home.start(wait=False)

            def told():
                return home.daemon.poll() is not None or home._answers()
            eventually(told)
            if home.daemon.poll() is None:
                self.assertEqual(home.api("GET", "/api/status").json["listen"], ["127.0.0.1:8080"])
                connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=10)
                connection.request("GET", "/health")
                self.assertEqual(connection.getresponse().status, 200)
                connection.close()
            else:  # another hal0 of this machine has it
                self.assertIn("127.0.0.1:8080", home.daemon_log())
