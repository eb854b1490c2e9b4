"""Ranking: by cosine, held against the embeddings that the same slot gives; by a cross-encoder, against the worker's own."""
import random
import unittest

from harness import EMBED_MODEL, RERANK_MODEL, Home
from test_openai import cosine

SUBJECTS = ["cats", "stocks", "rain", "bread", "trains", "music", "volcanoes", "football", "tea", "moons"]
VERBS = ["sleep on", "rise above", "fall under", "move past", "smell like"]
THINGS = ["the mat", "the market", "mountains", "old bridges", "a warm oven"]
NONSENSE = (({"documents": []}, "documents"), ({"documents": "d"}, "documents"), ({"documents": [1]}, "documents"),
            ({"documents": [{"body": "x"}]}, "text"), ({"query": 3}, "query"), ({"top_n": 0}, "top_n"), ({"top_n": "2"}, "top_n"))


def thousand():
    documents = [f"{s} {v} {t} {n}" for s in SUBJECTS for v in VERBS for t in THINGS for n in ("today", "often", "at night", "in May")]
    random.Random(7).shuffle(documents)
    assert len(documents) == 1000
    return documents


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
            self.assertEqual("document" in result, fields.get("return_documents", False), "only where it is asked for")
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
        documents = thousand()
        results = self.check("sleeping cats", documents)
        self.assertEqual(sorted(r["index"] for r in results), list(range(1000)))
        self.assertIn("cats", documents[results[0]["index"]])

    def test_top_n_and_return_documents(self):
        results = self.check("tea", ["trains", "tea", "a cup of tea"], top_n=2, return_documents=True)
        self.assertEqual(len(results), 2)
        for result in results:
            self.assertEqual(result["document"]["text"], ["trains", "tea", "a cup of tea"][result["index"]])
        self.check("tea", ["trains", "tea"], return_documents=False)

    def test_bad_bodies_name_the_fault(self):
        good = {"model": "embed", "query": "q", "documents": ["d"]}
        for change, word in NONSENSE:
            answer = self.home.http("POST", "/v1/rerankings", {**good, **change})
            self.assertEqual(answer.status, 400, change)
            self.assertIn(word, answer.json["error"]["message"])


class CrossEncoder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home("real")
        cls.home.slot("embed", EMBED_MODEL)
        cls.home.slot("rerank", RERANK_MODEL)
        cls.home.start().ready("embed", "rerank")

    @classmethod
    def tearDownClass(cls):
        cls.home.close()

    def ask(self, body, path="/v1/rerankings"):
        answer = self.home.http("POST", path, body, timeout=300)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def own(self, query, documents):
        """Of the engine, by index."""
        answer = self.home.worker("rerank", "POST", "/v1/rerank", {"query": query, "documents": documents}, timeout=300).json
        return {r["index"]: r["relevance_score"] for r in answer["results"]}

    def check(self, results, own):
        for result in results:
            self.assertAlmostEqual(result["relevance_score"], own[result["index"]], delta=1e-4)
        scores = [r["relevance_score"] for r in results]
        self.assertEqual(scores, sorted(scores, reverse=True))

    def test_the_engines_own_scores_are_taken(self):
        texts = ["stock markets fell", "a kitten rests", "the weather is fine"]
        own = self.own("a cat sleeps", texts)
        self.assertGreater(max(own.values()) - min(own.values()), 0.001, "the three differ")
        documents = [texts[0], {"text": texts[1]}, texts[2]]
        for path in ("/v1/rerankings", "/v1/rerank", "/rerank"):
            for model in ("rerank", RERANK_MODEL):
                results = self.ask({"model": model, "query": "a cat sleeps", "documents": documents}, path)["results"]
                self.assertEqual(sorted(r["index"] for r in results), [0, 1, 2])
                self.check(results, own)
                self.assertFalse([r for r in results if "document" in r], "only where it is asked for")

    def test_the_body_has_the_shape_of_the_cosines(self):
        def shape(value):
            if isinstance(value, dict):
                return {k: shape(v) for k, v in value.items()}
            return [shape(v) for v in value] if isinstance(value, list) else type(value).__name__
        asked = {"query": "tea", "documents": ["trains", {"text": "a cup of tea"}, "tea"], "top_n": 2, "return_documents": True}
        own, cosine_s = (self.ask({"model": model, **asked}) for model in ("rerank", "embed"))
        self.assertEqual(shape(own), shape(cosine_s))
        self.assertEqual(len(own["results"]), 2)
        for result in own["results"]:
            self.assertEqual(result["document"]["text"], ["trains", "a cup of tea", "tea"][result["index"]])

    def test_a_thousand_documents(self):
        documents = thousand()
        results = self.ask({"model": "rerank", "query": "sleeping cats", "documents": documents})["results"]
        self.assertEqual(sorted(r["index"] for r in results), list(range(1000)))
        own = self.own("sleeping cats", documents[:50])
        self.check([r for r in results if r["index"] < 50], own)
        scores = [r["relevance_score"] for r in results]
        self.assertEqual(scores, sorted(scores, reverse=True))

    def test_documents_are_validated_as_for_the_cosines(self):
        for change, word in NONSENSE:
            answer = self.home.http("POST", "/v1/rerankings", {"model": "rerank", "query": "q", "documents": ["d"], **change})
            self.assertEqual(answer.status, 400, change)
            self.assertIn(word, answer.json["error"]["message"])

    def test_where_none_is_named_the_cross_encoder_ranks(self):
        results = self.ask({"query": "tea", "documents": ["trains", "a cup of tea"]})["results"]
        self.check(results, self.own("tea", ["trains", "a cup of tea"]))
