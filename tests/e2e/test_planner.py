"""hal0-planner of the installed engine: what it says is what the engine does, from the header alone, whatever the file."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from gguf_files import Gguf, drafting, header_of, projector, sparse, split
from harness import CHAT_MODEL, EMBED_MODEL, ROOT, Home, eventually, running

CONTEXTS, KV_TYPES = (4096, 32768, 131072), ("f16", "q8_0", "q4_0")
QUESTIONS = [(context, kv) for context in CONTEXTS for kv in KV_TYPES]


class Planner(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home("real")
        cls.programs = pathlib.Path(json.loads(cls.home.cli("engine", "show", "llama.cpp", "--json", check=0).stdout)["directory"]) / "bin"
        (cls.chat,) = (Home.store / CHAT_MODEL).glob("*.gguf")
        (cls.embed,) = (Home.store / EMBED_MODEL).glob("*.gguf")

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hal0-e2e-planner-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def ask(self, *argv, questions=("context=4096",)):
        """The planner's answers: as many as questions, and nothing else on its stdout."""
        done = subprocess.run([self.programs / "hal0-planner", *map(str, argv)], input="".join(q + "\n" for q in questions),
                              capture_output=True, text=True, timeout=60)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(answers), len(questions), done.stdout + done.stderr)
        return answers

    def sums(self, answer):
        return {term: sum(buffer[term] for buffer in answer["buffers"]) for term in ("model", "context", "compute")}

    def fit_params(self, model, context, kv):
        """What the engine's own planner prints, in MiB; nothing when it refuses."""
        done = subprocess.run([self.programs / "llama-fit-params", "-m", model, "-c", str(context), "-ctk", kv, "-ctv", kv,
                               "--fit-print", "on"], capture_output=True, text=True, timeout=60)
        host = re.search(r"^Host (\d+) (\d+) (\d+)", done.stdout, re.M)
        return host and dict(zip(("model", "context", "compute"), map(int, host.groups())))

    def log_of_server(self, model, *flags):
        """The sizes, in MiB, that llama-server logs once it has loaded the model."""
        log, address = self.directory / "server.log", self.directory / "s.sock"
        address.unlink(missing_ok=True)
        with open(log, "wb") as out, subprocess.Popen(
                [self.programs / "llama-server", "-m", model, "--host", address, "--fit", "off", "--no-ui",
                 "--offline", "--log-verbosity", "5", *flags], stdout=out, stderr=out, stdin=subprocess.DEVNULL) as server:
            try:
                eventually(lambda: "listening on" in log.read_text(), 120, "llama-server does not come up")
            finally:
                server.kill()
        return {kind: sum(float(size) for size in re.findall(kind + r"\s+buffer size =\s+([\d.]+) MiB", log.read_text()))
                for kind in ("KV", "compute", "output")}

    def test_it_says_what_the_engines_own_planner_says(self):
        answers = self.ask(self.chat, questions=[f"context={c} kv_k={kv} kv_v={kv} outputs=0" for c, kv in QUESTIONS])
        for (context, kv), answer in zip(QUESTIONS, answers):
            said = {term: size >> 20 for term, size in self.sums(answer).items()}
            self.assertEqual(said, self.fit_params(self.chat, context, kv), (context, kv))

    def test_it_says_what_the_server_then_takes(self):
        for parallel in (1, 4):
            (answer,) = self.ask(self.chat, questions=[f"context=8192 parallel={parallel} outputs={parallel}"])
            taken = self.log_of_server(self.chat, "-c", "8192", "--parallel", str(parallel))
            sums = self.sums(answer)
            for said, kind in ((sums["context"], "KV"), (sums["compute"], "compute"), (answer["output"], "output")):
                self.assertAlmostEqual(said / 2**20, taken[kind], delta=0.01, msg=f"{kind}, {parallel} at a time")

    def test_a_draft_model_has_a_context_of_its_own(self):
        main, draft = self.ask(self.chat, questions=["context=8192 parallel=2 outputs=8 outputs_each=4", "context=8192 parallel=2 outputs=2"])
        taken = self.log_of_server(self.chat, "-c", "8192", "--parallel", "2", "-md", self.chat, "--spec-type", "draft-simple")
        for term, kind in (("context", "KV"), ("compute", "compute")):
            self.assertAlmostEqual((self.sums(main)[term] + self.sums(draft)[term]) / 2**20, taken[kind], delta=0.02, msg=kind)

    def test_layers_that_draft_have_a_context_of_their_own(self):
        """MTP: the model's weights, which it is loaded with, are counted once."""
        model = drafting(self.directory / "mtp.gguf", ROOT / "tests/archs/headers/glm4moe-moe.gguf")
        settings = "context=8192 parallel=2 kv_k=q8_0 kv_v=q8_0 outputs=8 outputs_each=4 states=3 load_mtp=1"
        main, layers = self.ask(model, questions=[settings, settings + " mtp=1"])
        tensors = sum(-(-size // 32) * 32 for _, size in Gguf(model).sizes())
        self.assertEqual((self.sums(main)["model"], self.sums(layers)["model"]), (tensors, 0))
        self.assertEqual(self.sums(main)["context"], 8192 * 2 * (128 + 128) * 34 // 32, "one layer of the two")
        self.assertEqual(self.sums(layers)["context"], 8192 * 2 * (128 + 128) * 2, "one layer, two heads, f16 whatever the model's cache is")
        self.assertGreater(self.sums(layers)["compute"], 0)
        hidden = 256 * 4 * (2048 + 2)
        self.assertEqual(layers["output"], 2 * 128 * 4 + hidden)
        self.assertIn("no layers that draft", self.ask(self.chat, questions=["context=4096 mtp=1"])[0]["error"])

    def test_a_projector_is_planned_as_the_server_loads_it(self):
        file = projector(self.directory / "mmproj.gguf", 576)
        (answer,) = self.ask("--projector", file)
        tensors = sum(size for _, size in Gguf(file).sizes())
        self.log_of_server(self.chat, "--mmproj", file)
        compute = re.search(r"reserve_compute_meta:\s+CPU compute buffer size =\s+([\d.]+) MiB", (self.directory / "server.log").read_text())
        self.assertAlmostEqual((self.sums(answer)["model"] - tensors) / 2**20, float(compute[1]), delta=0.01)
        for none in (self.chat, self.directory / "server.log", self.directory / "nowhere"):
            self.assertEqual(self.ask("--projector", none)[0].get("kind"), "model", none)

    def test_the_header_is_enough(self):
        for model in (self.chat, self.embed):
            header = header_of(model, self.directory / "header.gguf")
            self.assertLess(header.stat().st_size, model.stat().st_size / 10)
            questions = [f"context={c} kv_k={kv}" for c, kv in QUESTIONS] + ["context=512 batch=512 embeddings=1"]
            whole = self.ask(model, questions=questions)
            self.assertEqual(self.ask("--size", model.stat().st_size, header, questions=questions), whole)
            stretched = sparse(self.directory / "sparse.gguf", header.read_bytes(), model.stat().st_size)
            self.assertEqual(self.ask(stretched, questions=questions), whole)

    def test_every_architecture_is_answered_as_the_engines_own_planner_does(self):
        """Small models of all of them, as headers (tests/archs): each setting is asked of the header alone and of a file of the
        whole's size, and one KV type at each context of llama-fit-params."""
        headers = sorted((ROOT / "tests/archs/headers").glob("*.gguf"))
        self.assertEqual(len(headers), 128)
        refusals = set()
        for header in headers:
            size = Gguf(header).whole_size()
            model = sparse(self.directory / "model.gguf", header.read_bytes(), size)
            questions = [f"context={c} kv_k={kv} kv_v={kv} outputs=0" for c, kv in QUESTIONS]
            answers = self.ask("--size", size, header, questions=questions)
            self.assertEqual(answers, self.ask(model, questions=questions), header.name)
            for context, kv in zip(CONTEXTS, KV_TYPES):
                answer = answers[QUESTIONS.index((context, kv))]
                said = None if "error" in answer else {term: size >> 20 for term, size in self.sums(answer).items()}
                self.assertEqual(said, self.fit_params(model, context, kv), f"{header.name}: {context} {kv} {answer}")
            refusals.update(answer["error"] for answer in answers if "error" in answer)
            self.assertFalse([a for a in answers if "error" not in a and a["output"] is None], header.name)
        for refusal in refusals:  # of caches that a model can't have
            self.assertRegex(refusal, "K cache type q._0 with block size 32 does not divide|quantized V cache requires")

    def test_a_model_in_parts_is_the_same_model(self):
        (whole,) = self.ask(self.chat)
        (first, first_header), (second, second_header) = split(self.chat, self.directory)
        self.assertEqual(self.ask(first), [whole], "the engine finds the other part by its name")
        self.assertEqual(self.ask(first, second), [whole])
        sizes = [part.stat().st_size for part in (first, second)]
        headers = [self.directory / "one", self.directory / "two"]
        for header, part, size in zip(headers, (first, second), (first_header, second_header)):
            header.write_bytes(part.read_bytes()[:size])
        self.assertEqual(self.ask("--size", sizes[0], headers[0], "--size", sizes[1], headers[1]), [whole])
        (refused,) = self.ask("--size", sizes[0], headers[0])
        self.assertEqual(refused["kind"], "model")

    def test_an_open_model_answers_as_a_fresh_one_does(self):
        questions = ["context=131072 parallel=4", "context=4096 kv_k=q8_0 ubatch=256", "context=4096 gpu_layers=0", "context=4096 flash=off"]
        self.assertEqual(self.ask(self.chat, questions=questions), [self.ask(self.chat, questions=[q])[0] for q in questions])

    def test_settings_that_the_engine_refuses_are_refused_in_its_words(self):
        refused, after = self.ask(self.chat, questions=["context=4096 kv_v=q8_0 flash=off", "context=4096"])
        self.assertEqual(refused["kind"], "settings")
        self.assertIn("quantized V cache requires flash_attn", refused["error"])
        self.assertNotIn("error", after)

    def test_a_question_it_does_not_know_is_not_answered_as_another(self):
        for question in ("context=4096 ubach=256", "context=0", "context=4096 kv_k=f17", "parallel=1", "context=4096x"):
            self.assertEqual(self.ask(self.chat, questions=[question])[0].get("kind"), "request", question)

    def test_hostile_files_are_errors(self):
        header = header_of(self.chat, self.directory / "header.gguf").read_bytes()
        tokens = header.index(b"tokenizer.ggml.tokens") + len(b"tokenizer.ggml.tokens") + 8
        files = {"empty": b"", "foreign": b"PK\3\4" + bytes(5000), "cut": header[:len(header) // 2],
                 "no architecture": header.replace(b"general.architecture", b"general.architectura"),
                 "unknown architecture": header.replace(b"\5\0\0\0\0\0\0\0llama", b"\5\0\0\0\0\0\0\0lamma", 1),
                 "no layers": header.replace(b"llama.block_count", b"llama.block_coont"),
                 "a trillion tokens": header[:tokens] + (1 << 40).to_bytes(8, "little") + header[tokens + 8:]}
        os.mkfifo(self.directory / "pipe")
        for name, content in files.items():
            (self.directory / name).write_bytes(content)
        for name in (*files, "pipe", "nowhere"):
            (answer,) = self.ask("--size", 1 << 42, self.directory / name)
            self.assertEqual(answer.get("kind"), "model", f"{name}: {answer}")
        self.assertIn("larger", self.ask("--size", 10, self.directory / "cut")[0]["error"])

    def test_it_ends_with_who_asks(self):
        # What remains open at the end of `sh`, however it ends, is nothing: the kernel closes the planner's stdin.
        script = f"mkfifo {self.directory}/in; '{self.programs}/hal0-planner' '{self.chat}' < {self.directory}/in & echo $!; exec 3> {self.directory}/in; kill -9 $$"
        with running("/bin/sh", "-c", script, env=self.home.env) as shell:
            pid = int(shell.stdout.readline())
            eventually(lambda: not pathlib.Path(f"/proc/{pid}/exe").exists(), 20, "the planner lives on")


if __name__ == "__main__":
    unittest.main()
