"""The official client against the real engine and the starter models."""
import math
import subprocess
import unittest

import openai

from harness import CHAT_MODEL, EMBED_MODEL, Home

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
                answer = self.home.http("POST", path, body)
                self.assertIn(answer.status, (400, 500), answer)
                self.assertTrue(answer.json["error"]["message"])

    def test_invalid_utf8_is_refused_and_breaks_nothing(self):
        for path, body in (("/v1/chat/completions", b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}'),
                           ("/v1/embeddings", b'{"input": "\xc3("}'), ("/v1/rerankings", b'{"query": "\xff", "documents": ["a"]}')):
            answer = self.home.http("POST", path, body)
            self.assertIn(answer.status, (400, 500), answer)
            self.assertTrue(answer.json["error"]["message"])
        self.assertEqual(self.home.slot_view("primary")["restarts"], 0)
        self.assertEqual(self.home.http("POST", "/v1/embeddings", {"input": "a"}).status, 200)

    def test_curl(self):
        host, port = self.home.address
        done = subprocess.run(
            ["curl", "-sS", "--fail-with-body", "-N", f"http://{host}:{port}/v1/chat/completions", "-d",
             '{"messages":[{"role":"user","content":"Hi"}],"stream":true,"max_tokens":4}'], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.rstrip().endswith("data: [DONE]"), done.stdout[-300:])
