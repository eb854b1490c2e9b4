"""What loads truly take: kept in measured.json beside the model, and the next estimate learns of it."""
import json
import os
import pathlib
import subprocess
import unittest

from harness import CHAT, CHAT_MODEL, EMBED_MODEL, ROOT, Home, eventually

MIB = 1 << 20
SETTINGS = {"context": 2048, "parallel": 2}


def private(pid):
    """Of a process: its own memory, and what of the model it has mapped."""
    own = mapped = 0
    of_model = False
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if not "A" <= line[0] <= "Z":
            of_model = line.endswith(".gguf")
        elif line.startswith("Rss:"):
            size = int(line.split()[1]) << 10
            own, mapped = (own, mapped + size) if of_model else (own + size, mapped)
    return own, mapped


class Measured(unittest.TestCase):
    def setUp(self):
        self.home = Home("real")
        self.addCleanup(self.home.close)
        # The shared store is everybody's: a model of one's own, whose files are links.
        for model in (CHAT_MODEL, EMBED_MODEL):
            directory = self.home.models / model
            directory.mkdir()
            for file in (*(Home.store / model).glob("*.gguf"), Home.store / model / "model.json"):
                (directory / file.name).symlink_to(file)

    def measured(self, model=CHAT_MODEL):
        return self.home.models / model / "measured.json"

    def loads(self, model=CHAT_MODEL):
        try:
            return json.loads(self.measured(model).read_text())["loads"]
        except (OSError, ValueError, KeyError):
            return []

    def fit(self, model=CHAT_MODEL, context=2048, parallel=2):
        done = self.home.cli("fit", model, "--ctx", str(context), "--parallel", str(parallel), "--device", "cpu", "--json", check=0)
        return json.loads(done.stdout)

    def process(self, view):
        return next(term for term in view["devices"][0]["terms"] if term["name"] == "process")

    def hold(self, view, pid):
        """The estimate is not under what the worker has, and at most 256 MiB over."""
        own, mapped = private(pid)
        self.assertGreaterEqual(view["total"], own + mapped)
        self.assertLessEqual(view["total"], own + mapped + 256 * MIB)

    def test_a_load_corrects_the_next_estimate(self):
        home = self.home
        before = self.process(self.fit())
        self.assertIn("tokens of the vocabulary", before["source"])
        home.slot("primary", CHAT_MODEL, **SETTINGS)
        home.slot("embed", EMBED_MODEL, context=512)
        home.start().ready("primary", "embed")
        eventually(lambda: self.loads() and self.loads(EMBED_MODEL), message="no measured.json: " + home.daemon_log())
        pid = home.slot_view("primary")["pid"]
        view = self.fit()
        self.assertRegex(self.process(view)["source"], r"^measured on this box on 20\d\d-\d\d-\d\d, 1 load of this model: ")
        # The look at its output has touched some of its buffers, which count for the process's own.
        self.assertLess(self.process(view)["bytes"], before["bytes"] + (4 << 20))
        self.hold(view, pid)
        self.hold(self.fit(EMBED_MODEL, 512, 1), home.slot_view("embed")["pid"])
        self.assertEqual(home.api("POST", "/v1/chat/completions", {"model": "primary", "max_tokens": 16, **CHAT}).status, 200)
        self.hold(self.fit(), pid)
        self.assertIn("vocabulary", self.process(json.loads(home.cli("fit", CHAT_MODEL, "--root", str(ROOT / "tests/boxes/halo-128-512m-framework"), "--json",
                                                                     check=0).stdout))["source"], "another box has its own")
        self.assertEqual(home.api("GET", f"/api/models/{CHAT_MODEL}").json["state"], "present")
        home.cli("model", "verify", CHAT_MODEL, check=0)

        home.kill()  # its workers live on
        home.start().ready("primary")
        self.assertTrue(home.slot_view("primary")["adopted"])
        eventually(lambda: self.loads()[-1]["own_used"], message="an adopted worker is looked at too: " + home.daemon_log())
        home.api("POST", "/api/slots/primary/unload")
        home.api("POST", "/api/slots/primary/load")
        home.ready("primary")
        eventually(lambda: len(self.loads()) == 2, message="one more load: " + home.daemon_log())
        self.assertTrue(all(load["own_loaded"] for load in self.loads()))
        self.hold(self.fit(), home.slot_view("primary")["pid"])

    def test_a_damaged_file_is_begun_anew(self):
        home = self.home
        self.measured().write_text('{"schema":1,"loads":')
        self.assertIn("vocabulary", self.process(self.fit())["source"])
        home.slot("primary", CHAT_MODEL, **SETTINGS)
        home.start().ready("primary")
        eventually(lambda: len(self.loads()) == 1, message="no load is kept")
        eventually(lambda: "begun anew" in home.daemon_log(), message="the daemon doesn't say so")  # once it is written

    def test_one_of_a_newer_hal0_is_left_alone(self):
        home = self.home
        newer = '{"schema":7,"loads":"elsewhere"}'
        self.measured().write_text(newer)
        home.slot("primary", CHAT_MODEL, **SETTINGS)
        home.slot("embed", EMBED_MODEL, context=512)
        home.start().ready("primary", "embed")
        eventually(lambda: self.loads(EMBED_MODEL), message=home.daemon_log())
        self.assertEqual(home.api("POST", "/v1/chat/completions", {"model": "primary", "max_tokens": 4, **CHAT}).status, 200)
        self.assertEqual(self.measured().read_text(), newer)

    @unittest.skipUnless(os.geteuid() == 0, "only root makes a full disk")
    def test_a_full_disk_does_not_hurt_the_slot(self):
        home = self.home
        directory = home.models / CHAT_MODEL
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory], capture_output=True).returncode:
            self.skipTest("this container may not mount")
        self.addCleanup(subprocess.run, ["umount", "-l", str(directory)])
        for file in (*(Home.store / CHAT_MODEL).glob("*.gguf"), Home.store / CHAT_MODEL / "model.json"):
            (directory / file.name).symlink_to(file)
        with open(directory / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        home.slot("primary", CHAT_MODEL, **SETTINGS)
        home.start().ready("primary")
        eventually(lambda: "can't be kept" in home.daemon_log(), message=home.daemon_log())
        self.assertEqual(home.slot_view("primary")["state"], "ready")
        self.assertEqual(home.api("POST", "/v1/chat/completions", {"model": "primary", "max_tokens": 4, **CHAT}).status, 200)
        self.assertFalse(self.measured().exists())


if __name__ == "__main__":
    unittest.main()
