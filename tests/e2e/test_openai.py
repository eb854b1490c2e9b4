"""The official client against the real engine and the starter models; its classes of errors against workers that fail."""
import math
import subprocess
import unittest

import openai

from harness import CHAT_MODEL, EMBED_MODEL, Home, eventually

SENTENCES = ["the cat sits on the mat", "a kitten rests on a rug", "stock markets fell sharply today"]
MESSAGES = [{"role": "user", "content": "What is the capital of France? One word."}]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b))


class OpenAI(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home("real")
        cls.home.slot("primary", CHAT_MODEL, context=2048)
        cls.home.slot("embed", EMBED_MODEL)
        cls.home.start().ready("primary", "embed")
        cls.client = cls.home.openai()

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def test_a_chat_is_answered_with_sense(self):
        answer = self.client.chat.completions.create(model="primary", messages=MESSAGES, max_tokens=24, temperature=0)
        self.assertIn("Paris", answer.choices[0].message.content)
        self.assertGreater(answer.usage.completion_tokens, 0)

    def test_slots_and_models_can_be_named_in_every_way(self):
        for name in ("primary", "hal0/primary", CHAT_MODEL, ""):
            answer = self.client.chat.completions.create(model=name, messages=MESSAGES, max_tokens=2)
            self.assertEqual(answer.choices[0].finish_reason, "length", name)

    def test_a_stream_comes_in_pieces_that_make_the_whole(self):
        asked = dict(model="primary", messages=MESSAGES, max_tokens=24, temperature=0, seed=1)
        whole = self.client.chat.completions.create(**asked).choices[0].message.content
        pieces = [c.choices[0].delta.content or "" for c in self.client.chat.completions.create(stream=True, **asked) if c.choices]
        self.assertGreater(len(pieces), 3)
        self.assertEqual("".join(pieces), whole)

    def test_completions(self):
        answer = self.client.completions.create(model="primary", prompt="One, two, three, four,", max_tokens=6, temperature=0)
        self.assertIn("five", answer.choices[0].text)

    def test_embeddings_mean_what_they_say(self):
        data = self.client.embeddings.create(model="embed", input=SENTENCES).data
        cat, kitten, stocks = (item.embedding for item in data)
        self.assertEqual(len(cat), 384)
        for a, b, expected in ((cat, kitten, 0.647), (cat, stocks, 0.053), (kitten, stocks, 0.071)):
            self.assertAlmostEqual(cosine(a, b), expected, delta=0.01)

    def test_models_lists_slots_and_models(self):
        ids = [m.id for m in self.client.models.list()]
        for id in ("primary", "embed", CHAT_MODEL, EMBED_MODEL):
            self.assertIn(id, ids)
            self.assertEqual(self.client.models.retrieve(id).id, id)

    def test_an_unknown_model_is_a_404_that_lists_what_exists(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        self.assertEqual(caught.exception.code, "model_not_found")
        self.assertIn("primary", str(caught.exception))
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("gpt-4o")

    def test_a_model_is_not_asked_for_what_it_cannot_do(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.embeddings.create(model="primary", input="x")
        self.assertIn("embed", str(caught.exception))

    def test_a_prompt_over_the_context_is_the_engines_own_error(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.chat.completions.create(model="primary", messages=[{"role": "user", "content": "word " * 5000}])
        self.assertIn("context", str(caught.exception))

    def test_responses_and_messages(self):
        answer = self.client.responses.create(model="primary", input="Say hi.", max_output_tokens=8)
        self.assertTrue(answer.output_text)
        message = self.home.http("POST", "/v1/messages", {"model": "primary", "max_tokens": 8, "messages": MESSAGES}).json
        self.assertEqual((message["type"], message["role"]), ("message", "assistant"))
        count = self.home.http("POST", "/v1/messages/count_tokens", {"model": "primary", "messages": MESSAGES}).json
        self.assertGreater(count["input_tokens"], 5)

    def test_tokenize_and_back(self):
        tokens = self.home.http("POST", "/tokenize", {"model": "primary", "content": "Hello there"}).json["tokens"]
        back = self.home.http("POST", "/detokenize", {"model": "primary", "tokens": tokens}).json["content"]
        self.assertEqual(back.strip(), "Hello there")

    def test_wrong_types_are_the_engines_own_error(self):
        for path, body in (("/v1/chat/completions", {"messages": "hello"}), ("/v1/chat/completions", {"messages": [1]}),
                           ("/v1/chat/completions", {}), ("/v1/completions", {"prompt": {}}), ("/v1/embeddings", {"input": {}}),
                           ("/v1/embeddings", {})):
            with self.subTest(path, body=body):
                slot = "embed" if "embeddings" in path else "primary"
                answer, own = self.home.http("POST", path, body), self.home.worker(slot, "POST", path, body)
                self.assertEqual((answer.status, answer.body), (400, own.body))
                self.assertEqual(answer.json["error"]["type"], "invalid_request_error")
                self.assertTrue(answer.json["error"]["message"])

    def test_invalid_utf8_is_refused_and_breaks_nothing(self):
        for path, body in (("/v1/chat/completions", b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}'),
                           ("/v1/embeddings", b'{"input": "\xc3("}'), ("/v1/rerankings", b'{"query": "\xff", "documents": ["a"]}')):
            answer = self.home.http("POST", path, body)
            self.assertEqual((answer.status, answer.json["error"]["type"]), (400, "invalid_request_error"), answer)
            # The last is read by hal0, which makes an embedding of each text.
            self.assertRegex(answer.json["error"]["message"], "ill-formed UTF-8 byte" if path != "/v1/rerankings" else "not JSON at byte 11")
        for slot in ("primary", "embed"):
            self.assertEqual(self.home.slot_view(slot)["restarts"], 0)
        self.assertEqual(self.home.http("POST", "/v1/embeddings", {"input": "a"}).status, 200)

    def test_curl(self):
        host, port = self.home.address
        done = subprocess.run(
            ["curl", "-sS", "--fail-with-body", "-N", f"http://{host}:{port}/v1/chat/completions", "-d",
             '{"messages":[{"role":"user","content":"Hi"}],"stream":true,"max_tokens":4}'], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.rstrip().endswith("data: [DONE]"), done.stdout[-300:])


class ErrorClasses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home()
        for slot, faults in {"primary": [], "dies": ["die-on-request=1"], "down": ["die-before-ready=1"],
                             "cut": ["die-mid-stream-after-chunks=3", "chunks=9"]}.items():
            cls.home.slot(slot, cls.home.fake_model(f"{slot}-model", *faults))
        cls.home.start("--key-file", cls.home.key_file()).ready("primary", "dies", "cut")
        eventually(lambda: cls.home.slot_view("down")["state"] == "error")

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def client(self, **options):
        return self.home.openai(**{"api_key": "s3cret-key"} | options)

    def raises(self, kind, status, code, client, model="primary"):
        for stream in (False, True):
            with self.assertRaises(openai.APIError) as caught:
                client.chat.completions.create(model=model, messages=MESSAGES, stream=stream)
            error = caught.exception
            self.assertEqual((type(error), error.status_code, error.code), (kind, status, code))
            self.assertEqual(error.request_id, error.response.headers["x-request-id"])
        return error

    def test_a_wrong_key(self):
        self.raises(openai.AuthenticationError, 401, "invalid_api_key", self.client(api_key="another"))

    def test_a_page_from_elsewhere(self):
        error = self.raises(openai.PermissionDeniedError, 403, "forbidden", self.client(default_headers={"Origin": "https://evil.example"}))
        self.assertIn("allowed_hosts", str(error))

    def test_what_is_asked_wrongly(self):
        self.raises(openai.NotFoundError, 404, "model_not_found", self.client(), "gpt-4o")
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client().embeddings.create(model="primary", input="x")
        self.assertEqual((caught.exception.status_code, caught.exception.code), (400, "invalid"))

    def test_a_worker_that_ends_and_one_that_does_not_come_up(self):
        with self.assertRaises(openai.InternalServerError) as caught:
            self.client().chat.completions.create(model="dies", messages=MESSAGES)
        self.assertEqual((caught.exception.status_code, caught.exception.code), (502, "worker_died"))
        error = self.raises(openai.InternalServerError, 503, "unavailable", self.client(), "down")
        self.assertIn("slot 'down' is down: its worker exited with code 1", str(error))

    def test_a_stream_that_is_cut(self):
        pieces = []
        with self.assertRaises(openai.APIError) as caught:
            for chunk in self.client().chat.completions.create(model="cut", messages=MESSAGES, stream=True):
                pieces.append(chunk.choices[0].delta.content or "")
        self.assertEqual("".join(pieces), "cut-model word1 word2", "what came before it is there")
        self.assertNotIsInstance(caught.exception, openai.APIStatusError)
        self.assertEqual((caught.exception.code, caught.exception.type), ("worker_died", "server_error"))
        self.assertIn("the worker of this model ended", str(caught.exception))
