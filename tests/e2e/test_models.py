"""Models: what stands in the store, what its sidecar says, and what is noticed of damage."""
import hashlib
import json
import pathlib
import unittest

from harness import CHAT_MODEL, EMBED_MODEL, Home, eventually

# What the starter models are, by the hashes that people can look up.
STARTERS = {CHAT_MODEL: ("chat", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
            EMBED_MODEL: ("embed", "270f75cc92921a9c850d301dbbd6884585b02530f86879eb58dae50089d8e27e")}


class Starters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home("real")

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def test_each_stands_with_its_sidecar_and_the_bytes_it_names(self):
        for id, (kind, sha256) in STARTERS.items():
            model = json.loads(self.home.cli("model", "show", id, "--json", check=0).stdout)
            self.assertEqual((model["state"], model["kind"]), ("present", kind))
            directory = pathlib.Path(model["directory"])
            sidecar = json.loads((directory / "model.json").read_text())
            self.assertEqual((sidecar["schema"], sidecar["id"], sidecar["kind"]), (1, id, kind))
            self.assertTrue(sidecar["source"].startswith("pypi:"), "where it came from")
            for file in sidecar["files"]:
                data = (directory / file["name"]).read_bytes()
                self.assertEqual((len(data), hashlib.sha256(data).hexdigest(), sha256), (file["size"], file["sha256"], sha256))

    def test_pulling_what_is_there_does_nothing(self):
        for id in STARTERS:
            directory = pathlib.Path(json.loads(self.home.cli("model", "show", id, "--json", check=0).stdout)["directory"])
            before = {p.name: p.stat().st_mtime_ns for p in directory.iterdir()}
            self.assertIn(id, self.home.cli("model", "pull", id, check=0).stdout)
            self.assertEqual(json.loads(self.home.cli("model", "pull", id, "--json", check=0).stdout)["state"], "present")
            self.assertEqual({p.name: p.stat().st_mtime_ns for p in directory.iterdir()}, before)

    def test_they_are_listed(self):
        table = self.home.cli("model", "list", check=0).stdout
        for id in STARTERS:
            self.assertIn(id, table)
            self.assertIn(id, self.home.cli("model", "list", "--present", "--names", check=0).stdout.split())
        with Home() as empty:
            offered = empty.cli("model", "list", "--names", check=0).stdout.split()
            self.assertLessEqual(set(STARTERS), set(offered))
            self.assertFalse([id for id in offered if "test" in id], "what is for tests is not offered")


class Verify(unittest.TestCase):
    def test_every_byte_is_held_against_the_sidecar(self):
        with Home() as home:
            home.fake_model("m")
            sidecar, file = home.models / "m/model.json", home.models / "m/m.gguf"
            record = json.loads(sidecar.read_text())
            record["files"][0]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
            sidecar.write_text(json.dumps(record))
            home.start()
            home.cli("model", "verify", "m", check=0)
            self.assertEqual(home.api("GET", "/api/models/m").json["state"], "present")
            data = bytearray(file.read_bytes())
            data[-1] ^= 1
            file.write_bytes(data)
            answer = home.api("POST", "/api/models/m/verify")
            self.assertEqual((answer.status, answer.json["kind"]), (202, "model.verify"), answer)
            self.assertEqual(self.ended(home, answer.json["id"])["state"], "failed")
            self.assertIn("m.gguf", home.cli("model", "verify", "m", check=1).stderr)
            self.assertEqual(home.api("GET", "/api/models/m").json["state"], "damaged")

    @staticmethod
    def ended(home, job):
        def view():
            return home.api("GET", f"/api/jobs/{job}").json
        eventually(lambda: view()["state"] != "running")
        return view()

    def test_a_model_copied_in_by_hand_is_there(self):
        with Home() as home:
            home.slot("primary", "m")
            home.start()
            eventually(lambda: home.slot_view("primary")["state"] == "error")
            home.fake_model("m")
            self.assertEqual(home.api("GET", "/api/models/m").json["state"], "present")
            home.cli("slot", "load", "primary", check=0)
