"""Who may ask at all."""
import os
import subprocess
import unittest

from harness import HAL0, Home


class Access(unittest.TestCase):
    def test_hosts_and_origins(self):
        with Home(settings='allowed_hosts = ["box.lan"]\n') as home:
            home.start()
            for headers, status in (({"Host": "localhost"}, 200), ({"Host": "127.0.0.1:8080"}, 200), ({"Host": "box.lan:8080"}, 200),
                                    ({"Host": "evil.example"}, 403), ({"Origin": "https://evil.example"}, 403),
                                    ({"Origin": "null"}, 403), ({"Origin": "http://localhost:3000"}, 200),
                                    ({"Origin": "http://box.lan"}, 200)):
                answer = home.http("GET", "/v1/models", headers=headers)
                self.assertEqual(answer.status, status, headers)
                if status == 403:
                    self.assertIn("allowed_hosts", answer.json["error"]["message"])
            preflight = home.http("OPTIONS", "/v1/models", headers={"Origin": "http://localhost:3000"})
            self.assertEqual(preflight.status, 204)
            self.assertEqual(preflight.headers["access-control-allow-origin"], "http://localhost:3000")

    def test_an_open_address_needs_a_key_file(self):
        with Home() as home:
            done = subprocess.run([HAL0, "serve", "--listen", "0.0.0.0:0"], env=home.env, capture_output=True, text=True, timeout=20)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("key", done.stderr)

    def test_with_a_key_every_request_needs_it(self):
        with Home() as home:
            key = home.path / "key"
            key.write_text("s3cret-key\n")
            key.chmod(0o600)
            home.start("--listen", "0.0.0.0:0", "--key-file", str(key))
            home.address = ("127.0.0.1", home.address[1])
            self.assertEqual(home.http("GET", "/v1/models").status, 401)
            self.assertEqual(home.http("GET", "/api/status").status, 401)
            self.assertEqual(home.http("GET", "/v1/models", headers={"Authorization": "Bearer wrong"}).status, 401)
            self.assertEqual(home.http("GET", "/v1/models", headers={"Authorization": "Bearer s3cret-key"}).status, 200)
            self.assertEqual(home.http("GET", "/v1/models", headers={"x-api-key": "s3cret-key"}).status, 200)
            self.assertEqual(home.api("GET", "/v1/models").status, 200, "its owner comes by the unix socket")

    def test_a_key_file_that_others_can_read_is_refused(self):
        with Home() as home:
            key = home.path / "key"
            key.write_text("s3cret\n")
            key.chmod(0o644)
            done = subprocess.run([HAL0, "serve", "--key-file", str(key)], env=home.env, capture_output=True, text=True, timeout=20)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("chmod 600", done.stderr)

    def test_the_unix_socket_and_keys_are_the_owners_alone(self):
        with Home() as home:
            home.slot("primary", home.fake_model("m"))
            home.start().ready("primary")
            self.assertEqual(os.stat(home.path / "run").st_mode & 0o777, 0o700)
            for name in ("key", "spec.json"):
                self.assertEqual(os.stat(home.path / "run/slots/primary" / name).st_mode & 0o077, 0)
            pid = home.slot_view("primary")["pid"]
            secret = (home.path / "run/slots/primary/key").read_text().strip()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                self.assertNotIn(secret.encode(), file.read())
