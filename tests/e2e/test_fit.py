"""`hal0 fit` and `hal0 loadout`: bytes, verdicts and what is said to people. Verdicts for each box are src/memory's tests."""
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from gguf_files import Gguf, drafting, projector
from harness import CHAT_MODEL, EMBED_MODEL, ROOT, Home
from ranges import Ranges

BOXES = ROOT / "tests/boxes"
GIB = 1 << 30


class Fit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home("real")
        cls.engine = json.loads(cls.home.cli("engine", "show", "llama.cpp", "--json").stdout)

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def json(self, *argv):
        return json.loads(self.home.cli(*map(str, argv), "--json").stdout)

    def term(self, view, name):
        return sum(term["bytes"] for device in view["devices"] for term in device["terms"] if term["name"] == name)

    def planned(self, question):
        model, = (Home.store / CHAT_MODEL).glob("*.gguf")
        done = subprocess.run([self.engine["directory"] + "/bin/hal0-planner", model], input=question + "\n", capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)

    def test_the_engines_own_plan_to_the_byte(self):
        view = self.json("fit", CHAT_MODEL, "--ctx", 2048, "--parallel", 4, "--kv-type", "q8_0", "--device", "cpu")
        self.assertEqual((view["exactness"], view["from"]), ("exact", "store"), view["planned_by"])
        plan = self.planned("context=8192 parallel=4 kv_k=q8_0 kv_v=q8_0 outputs=4")
        for term, name in (("model", "weights"), ("context", "context"), ("compute", "compute buffer")):
            self.assertEqual(self.term(view, name), sum(buffer[term] for buffer in plan["buffers"]), name)
        self.assertEqual(self.term(view, "output buffer"), plan["output"])
        self.assertEqual(view["total"], sum(device["total"] for device in view["devices"]))
        self.assertEqual(view["settings"]["context"], 2048)
        beside = self.json("fit", CHAT_MODEL, "--ctx", 2048, "--parallel", 4, "--kv-type", "q8_0", "--device", "cpu", "--cache-ram", 64)
        self.assertEqual((self.term(beside, "prompt cache"), beside["total"] - view["total"]), (64 << 20, 64 << 20))
        self.assertIn(view["fit"]["verdict"], ("fits", "tight", "pages", "unknown"))
        self.assertLessEqual(view["context_that_fits"], view["context_max"])

    def test_what_is_loaded_with_it_is_counted(self):
        flags = ("--ctx", 2048, "--device", "cpu")
        alone = self.json("fit", CHAT_MODEL, *flags)
        view = self.json("fit", CHAT_MODEL, *flags, "--draft", CHAT_MODEL, "--kv-type", "q8_0")
        draft = self.planned("context=2048 outputs=1")
        for term, name in (("model", "draft weights"), ("context", "draft context"), ("compute", "draft compute buffer")):
            self.assertEqual(self.term(view, name), sum(buffer[term] for buffer in draft["buffers"]), name)
        self.assertEqual((view["draft"], view["exactness"]), (CHAT_MODEL, "exact"))
        self.assertEqual(self.term(view, "output buffer"), 4 * self.term(alone, "output buffer"), "three tokens are checked with one")
        with tempfile.TemporaryDirectory() as directory:
            file = projector(pathlib.Path(directory) / "mmproj.gguf", 576)
            view = self.json("fit", CHAT_MODEL, *flags, "--mmproj", file)
            tensors = sum(size for _, size in Gguf(file).sizes())
            buffer = self.term(view, "mmproj compute buffer")
            self.assertEqual((self.term(view, "mmproj"), view["total"] - alone["total"]), (tensors, tensors + buffer))
            self.assertGreater(buffer, 0)
            self.assertEqual((view["mmproj"], view["exactness"]), (str(file), "least"))
            self.assertTrue([note for note in view["notes"] if "large image" in note])
            self.assertEqual(view["context_that_fits"], alone["context_that_fits"], "so small a one changes nothing")
            text = self.home.cli("fit", CHAT_MODEL, "--mmproj", str(file), "--device", "cpu", check=0).stdout
            self.assertIn(f"the projector {file}", text)
            other = projector(pathlib.Path(directory) / "other.gguf", 960)
            refused = self.home.cli("fit", CHAT_MODEL, "--mmproj", str(other), "--device", "cpu", check=1).stdout
            self.assertIn(f"It doesn't load as it is: the projector {other} isn't for this model: it gives 960 numbers for each token", refused)
            model = drafting(pathlib.Path(directory) / "mtp.gguf", ROOT / "tests/archs/headers/glm4moe-moe.gguf")
            view = self.json("fit", model, *flags, "--mtp")
            self.assertEqual((self.term(view, "MTP context"), view["mtp"], view["exactness"]), (2048 * 2 * (128 + 128) * 2, True, "bound"))
            unplanned = self.json("fit", model, "--ctx", 2048, "--mtp", "--root", BOXES / "halo-128-512m-framework")
            for terms in (("MTP context",), ("MTP compute buffer",), ("weights", "token embeddings")):
                bound, exact = (sum(self.term(one, term) for term in terms) for one in (unplanned, view))
                self.assertGreaterEqual(bound, exact, terms)
            refused = self.home.cli("fit", CHAT_MODEL, "--mmproj", str(model), check=2)
            self.assertIn("is no projector (mmproj) but a model of the architecture 'glm4moe'", refused.stderr)
        self.assertIn("no layers that draft", self.home.cli("fit", CHAT_MODEL, "--mtp", "--device", "cpu", check=1).stderr)
        other = self.home.cli("fit", CHAT_MODEL, "--draft", "Qwen3-4B-Instruct-2507-Q4_K_M", check=2)
        self.assertIn("their vocabularies differ", other.stderr)
        self.assertIn("there is nothing to draft", self.home.cli("fit", EMBED_MODEL, "--draft", CHAT_MODEL, check=2).stderr)

    def test_for_another_backend_than_the_engines_it_is_a_bound(self):
        view = self.json("fit", CHAT_MODEL, "--root", BOXES / "halo-128-512m-framework")
        self.assertEqual((view["exactness"], view["settings"]["backend"], view["settings"]["device"]), ("bound", "vulkan", "gpu0"))
        self.assertIn("plans for cpu, not for vulkan", view["planned_by"])
        self.assertEqual(view["fit"]["verdict"], "fits")
        self.assertEqual(view["pool"]["total"], 131006464 * 1024 + GIB // 2, "GTT is a cap, and not added")
        self.assertEqual(view["pool"]["cap"], 67075309568)

    def test_a_model_that_is_not_here_is_sized_by_its_loadout(self):
        view = self.json("fit", "Hermes-4-70B-Q4_K_M", "--ctx", 8192, "--root", BOXES / "halo-128-512m-framework")
        self.assertEqual((view["from"], view["fit"]["verdict"], view["size"]), ("loadout", "fits", 42470588416))
        self.assertEqual(self.term(view, "context"), 80 * 8 * (128 + 128) * 2 * 8192)
        self.assertGreater(view["context_that_fits"], 8192)

    def test_a_file_and_its_loadout_are_one(self):
        name = "Qwen3-30B-A3B-Instruct-2507-Q4_K_M"
        subprocess.run([ROOT / "tests/scale/make", self.home.path / "scale", name], check=True)
        box = BOXES / "halo-128-512m-framework"
        file, loadout = (self.json("fit", what, "--root", box) for what in (self.home.path / f"scale/{name}.gguf", name))
        for term in ("context", "compute buffer", "output buffer"):
            self.assertEqual(self.term(file, term), self.term(loadout, term), term)
        self.assertAlmostEqual(self.term(file, "weights"), self.term(loadout, "weights"), delta=4096)

    def test_what_lies_elsewhere_is_sized_by_its_header(self):
        name = "Qwen3-30B-A3B-Instruct-2507-Q4_K_M"
        subprocess.run([ROOT / "tests/scale/make", self.home.path / "elsewhere", name], check=True)
        server = Ranges(self.home.path / "elsewhere")
        self.addCleanup(server.stop)
        here = self.json("fit", self.home.path / f"elsewhere/{name}.gguf", "--device", "cpu")
        there = self.json("fit", server.at(f"{name}.gguf?download=true"), "--device", "cpu")
        self.assertEqual((there["from"], there["model"]), ("url", server.at(f"{name}.gguf?download=true")))
        for part in ("size", "devices", "total", "exactness", "planned_by", "fault"):
            self.assertEqual(there[part], here[part], part)
        asked = len(server.asked)
        self.assertLess(asked, 8)
        self.json("fit", server.at(f"{name}.gguf?download=true"), "--device", "cpu", "--ctx", 8192)
        self.assertEqual(len(server.asked), asked, "kept for the next question")
        places = json.loads(self.home.cli("places", "--json").stdout)
        key = hashlib.sha256(server.at(f"{name}.gguf?download=true").encode()).hexdigest()[:16]
        kept = pathlib.Path(places["cache"]) / "headers" / key
        self.addCleanup(shutil.rmtree, kept)
        size = (kept / f"{name}.gguf").stat()
        self.assertEqual(size.st_size, there["size"])
        self.assertLess(size.st_blocks * 512, 40 << 20)
        self.assertIn("status 404", self.home.cli("fit", server.at("absent.gguf"), check=1).stderr)
        private = server.at("absent.gguf").replace("http://", "http://me:pass%20word@")
        said = self.home.cli("fit", private, check=2).stderr
        self.assertIn("with a user or a password in it", said)
        self.assertNotIn("pass%20word", said)
        (server.directory / "page.html").write_text("<html>")
        self.assertIn("page.html: it isn't a GGUF file", self.home.cli("fit", server.at("page.html"), check=1).stderr)
        self.assertFalse(list(kept.parent.glob("*.*")), "nothing is left of those")

    def test_a_server_without_ranges_will_do(self):
        name = "Qwen3-30B-A3B-Instruct-2507-Q4_K_M"
        subprocess.run([ROOT / "tests/scale/make", self.home.path / "plain", name], check=True)
        server = Ranges(self.home.path / "plain", ranges=False)
        self.addCleanup(server.stop)
        url = server.at(f"{name}.gguf")
        there = self.json("fit", url, "--device", "cpu")
        here = self.json("fit", self.home.path / f"plain/{name}.gguf", "--device", "cpu")
        self.assertEqual((there["total"], there["size"]), (here["total"], here["size"]))
        cache = pathlib.Path(json.loads(self.home.cli("places", "--json").stdout)["cache"])
        shutil.rmtree(cache / "headers" / hashlib.sha256(url.encode()).hexdigest()[:16])

    def test_an_incomplete_file_does_not_load_whatever_room_there_is(self):
        model, = (Home.store / CHAT_MODEL).glob("*.gguf")
        cut = self.home.path / "cut.gguf"
        cut.write_bytes(model.read_bytes()[:-1000])
        said = self.home.cli("fit", str(cut), "--device", "cpu", check=1).stdout
        self.assertRegex(said, r"^It doesn't load as it is: \S+cut.gguf is incomplete, \d+ B are missing\.\nApart from that: It fits")
        drafted = self.home.cli("fit", CHAT_MODEL, "--draft", str(cut), "--device", "cpu", "--json", check=1).stdout
        self.assertIn("cut.gguf is incomplete", json.loads(drafted)["fault"])
        foreign = self.home.path / "foreign.gguf"
        foreign.write_bytes(model.read_bytes().replace(b"llama", b"f\x1bura"))
        said = self.home.cli("fit", str(foreign), "--device", "cpu", check=1)
        self.assertIn("It doesn't load as it is: ", said.stdout)
        self.assertNotIn("\x1b", said.stdout + said.stderr)
        seeing = projector(self.home.path / "mmproj.gguf", 576)
        self.assertIn("give it as --mmproj", self.home.cli("fit", str(seeing), check=2).stderr)

    def test_never_says_why(self):
        view = self.json("fit", "Qwen3-235B-A22B-Instruct-2507-Q4_K_M", "--root", BOXES / "halo-128-96g-rocm")
        self.assertEqual((view["fit"]["verdict"], view["fit"]["limit"], view["context_that_fits"]), ("never", "pool", 0))
        self.assertLess(view["fit"]["headroom"], 0)
        said = self.home.cli("fit", "Qwen3-235B-A22B-Instruct-2507-Q4_K_M", "--root", str(BOXES / "halo-128-96g-rocm")).stdout
        self.assertRegex(said, r"^It never fits here: 13\d GiB needed(, \S+ GiB of it)? in the unified pool, which has 12\d GiB for models\.\n")

    def test_in_a_container_what_the_host_has_left_is_unknown(self):
        view = self.json("fit", "Qwen3-4B-Instruct-2507-Q4_K_M", "--root", BOXES / "lxc-privileged")
        self.assertEqual((view["fit"]["verdict"], view["pool"]["total"], view["context_that_fits"]), ("unknown", None, None))
        self.assertFalse(view["pool"]["host_known"])

    def test_what_is_wrong_is_said(self):
        self.assertIn("did you mean 'Hermes-4-70B-Q4_K_M'?", self.home.cli("fit", "Hermes-4-70B-Q4_KM", check=1).stderr)
        self.assertIn("hal0 model pull gemma-3-270m", self.home.cli("fit", "gemma-3-270m", check=1).stderr)
        self.assertIn("the type of the cache can't be 'q9'", self.home.cli("fit", CHAT_MODEL, "--kv-type", "q9", check=2).stderr)
        (self.home.path / "no.gguf").write_text("no model at all")
        self.assertIn("no.gguf: it isn't a GGUF file", self.home.cli("fit", str(self.home.path / "no.gguf"), check=1).stderr)
        self.assertIn("it has cpu", self.home.cli("fit", CHAT_MODEL, "--device", "gpu7", check=1).stderr)
        self.assertIn("a cache of q8_0 needs flash attention", self.home.cli("fit", CHAT_MODEL, "--kv-type", "q8_0", "--fa", "off", "--device", "cpu", check=2).stderr)

    def test_the_daemon_answers_as_the_command_does(self):
        home = Home("real")
        self.addCleanup(home.close)
        home.slot("primary", CHAT_MODEL)
        words = ("fit", CHAT_MODEL, "--ctx", "1024", "--kv-type", "q8_0", "--device", "cpu", "--json")
        told = json.loads(home.cli(*words).stdout)  # by the command itself
        home.start()
        home.ready("primary")

        def asked(query):
            answer = home.api("GET", "/api/fit?device=cpu&model=" + query)
            self.assertEqual(answer.status, 200, answer)
            return answer.json

        view = asked(f"{CHAT_MODEL}&context=1024&kv_type=q8_0")
        for part in ("settings", "exactness", "planned_by", "context_max"):
            self.assertEqual(view[part], told[part], part)
        for term in ("weights", "context", "compute buffer", "output buffer"):  # the process's own is learned of by the load
            self.assertEqual(self.term(view, term), self.term(told, term), term)
        self.assertEqual((view["fit"]["stays"], view["fit"]["evict"]), (["primary"], []))
        self.assertEqual((told["fit"]["stays"], json.loads(home.cli(*words).stdout)["fit"]["stays"]), ([], ["primary"]))
        self.assertIn("a cache of q8_0 needs", home.cli("fit", CHAT_MODEL, "--kv-type", "q8_0", "--fa", "off", check=2).stderr)
        for context in (256, 2048, 4096):
            again = asked(f"{CHAT_MODEL}&context={context}")
            self.assertEqual((again["exactness"], again["settings"]["context"]), ("exact", context))
        refused = home.api("GET", "/api/fit?model=nothing-like-it")
        self.assertEqual(refused.status, 404)
        self.assertIn("hal0 model list", refused.json["error"]["message"])

    def test_loadouts_are_sized_for_a_box(self):
        self.assertEqual(len(self.json("loadout", "list")), 8)
        self.assertRegex(self.home.cli("loadout", "list").stdout, r"past the hard ceiling .*: .*Qwen3-235B-A22B")
        shown = self.home.cli("loadout", "show", "max").stdout
        self.assertIn("often given as 50.0 GB", shown)
        for box, verdict in (("halo-128-2g-evo-x2", "unknown"), ("halo-128-512m-framework", "fits"), ("halo-64-512m", "never")):
            large = {tier["id"]: tier for tier in self.json("loadout", "fit", "coding", "--root", BOXES / box)["tiers"]}["large"]
            self.assertEqual(large["fit"]["verdict"], verdict, box)
        self.assertEqual((large["context_that_fits"], large["smaller"]), (0, "Qwen3-Coder-30B-A3B-Instruct-Q4_K_M"))
        self.assertEqual(large["total"], sum(slot["total"] for slot in large["slots"]))
        small = {tier["id"]: tier for tier in self.json("loadout", "fit", "coding", "--root", BOXES / "cpu-only-firecracker")["tiers"]}["large"]
        self.assertNotEqual(small["smaller"], "Qwen3-Coder-30B-A3B-Instruct-Q4_K_M", "which doesn't fit there either")


if __name__ == "__main__":
    unittest.main()
