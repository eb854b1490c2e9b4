"""Ranking by cosine, held against the embeddings that the same slot gives."""
import random
import unittest

from harness import EMBED_MODEL, Home
from test_openai import cosine

SUBJECTS = ["cats", "stocks", "rain", "bread", "trains", "music", "volcanoes", "football", "tea", "moons"]
VERBS = ["sleep on", "rise above", "fall under", "move past", "smell like"]
THINGS = ["the mat", "the market", "mountains", "old bridges", "a warm oven"]


class Rerank(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home("real")
        cls.home.slot("embed", EMBED_MODEL)
        cls.home.start().ready("embed")

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def embed(self, texts):
        data = self.home.http("POST", "/v1/embeddings", {"model": "embed", "input": texts}, timeout=300).json["data"]
        return [item["embedding"] for item in sorted(data, key=lambda item: item["index"])]

    def check(self, query, documents, path="/v1/rerankings", **fields):
        answer = self.home.http("POST", path, {"model": "embed", "query": query, "documents": documents, **fields}, timeout=300)
        self.assertEqual(answer.status, 200, answer)
        texts = [d["text"] if isinstance(d, dict) else d for d in documents]
        asked, *vectors = self.embed([query, *texts])
        scores = [cosine(asked, v) for v in vectors]
        results = answer.json["results"]
        for result in results:
            self.assertAlmostEqual(result["relevance_score"], scores[result["index"]], delta=0.001)
        got = [scores[r["index"]] for r in results]
        for earlier, later in zip(got, got[1:]):
            self.assertGreaterEqual(earlier, later - 0.001)
        return results

    def test_scores_are_the_cosines_and_the_order_is_theirs(self):
        documents = ["stock markets fell", {"text": "a kitten rests"}, "the weather is fine"]
        for path in ("/v1/rerankings", "/v1/rerank", "/rerank"):
            self.assertEqual(self.check("a cat sleeps", documents, path)[0]["index"], 1)

    def test_a_thousand_shuffled_documents(self):
        documents = [f"{s} {v} {t} {n}" for s in SUBJECTS for v in VERBS for t in THINGS for n in ("today", "often", "at night", "in May")]
        random.Random(7).shuffle(documents)
        self.assertEqual(len(documents), 1000)
        results = self.check("sleeping cats", documents)
        self.assertEqual(sorted(r["index"] for r in results), list(range(1000)))
        self.assertIn("cats", documents[results[0]["index"]])

    def test_top_n_and_return_documents(self):
        results = self.check("tea", ["trains", "tea", "a cup of tea"], top_n=2, return_documents=True)
        self.assertEqual(len(results), 2)
        self.assertIn("tea", results[0]["document"]["text"])

    def test_bad_bodies_name_the_fault(self):
        good = {"model": "embed", "query": "q", "documents": ["d"]}
        for change, word in (({"documents": []}, "documents"), ({"documents": "d"}, "documents"), ({"documents": [1]}, "documents"),
                             ({"documents": [{"body": "x"}]}, "text"), ({"query": 3}, "query"), ({"top_n": 0}, "top_n"),
                             ({"top_n": "2"}, "top_n")):
            answer = self.home.http("POST", "/v1/rerankings", {**good, **change})
            self.assertEqual(answer.status, 400, change)
            self.assertIn(word, answer.json["error"]["message"])
