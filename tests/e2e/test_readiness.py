"""A worker that says it is ready is asked something small before it serves; garbage is told, and served all the same."""
import unittest

from harness import CHAT_MODEL, EMBED_MODEL, RERANK_MODEL, Home, eventually


class Readiness(unittest.TestCase):
    def home(self, engine="fake"):
        home = Home(engine)
        self.addCleanup(home.close)
        return home

    def test_the_starter_models_are_sane(self):
        home = self.home("real")
        home.slot("primary", CHAT_MODEL)
        home.slot("embed", EMBED_MODEL)
        home.slot("rerank", RERANK_MODEL)
        home.start()
        for name in ("primary", "embed", "rerank"):
            slot = home.ready(name).slot_view(name)
            self.assertIsNone(slot["suspicious"], slot["cause"])
            self.assertIn("loaded in", slot["cause"])
        home.kill()
        home.start()
        self.assertIsNone(home.ready("primary").slot_view("primary")["suspicious"])

    def test_garbage_is_told_wherever_the_slot_is_shown(self):
        home = self.home()
        home.slot("primary", home.fake_model("broken", "garbage=same"), check_output=True)
        home.slot("fine", home.fake_model("sane"), check_output=True)
        home.start()
        slot = home.ready("primary").slot_view("primary")
        self.assertEqual((slot["suspicious"], home.ready("fine").slot_view("fine")["suspicious"]), ("it repeats one token", None))
        self.assertIn("output suspicious: it repeats one token", slot["cause"])
        listed = home.cli("slot", "list").stdout
        self.assertRegex(listed, r"primary +ready")
        self.assertIn("output suspicious: it repeats one token", listed)
        self.assertNotIn("fine: ", listed)
        self.assertIn("Its output may be garbage: it repeats one token.", home.cli("slot", "explain", "primary").stdout)
        answer = home.api("POST", "/v1/chat/completions", {"model": "primary", "messages": [{"role": "user", "content": "hi"}]})
        self.assertEqual(answer.status, 200, "it serves all the same")
        home.kill()
        home.start()
        self.assertEqual(home.ready("primary").slot_view("primary")["suspicious"], "it repeats one token", "the next daemon knows")

    def test_it_can_be_switched_off(self):
        home = self.home()
        home.slot("primary", home.fake_model("broken", "garbage=same"), check_output=False)
        home.slot("unheeded", home.fake_model("other", "garbage=same"), check_output=True)
        home.start()
        self.assertIsNone(home.ready("primary").slot_view("primary")["suspicious"])
        self.assertNotIn("loaded in 0 s", home.slot_view("primary")["cause"])
        pid = home.ready("unheeded").slot_view("unheeded")["pid"]
        home.slot("unheeded", "other", check_output=False)
        eventually(lambda: home.slot_view("unheeded")["suspicious"] is None, message="it is still said")
        self.assertEqual(home.slot_view("unheeded")["pid"], pid)
        self.assertEqual(sum("request" in line for line in home.record("broken")), 0)


if __name__ == "__main__":
    unittest.main()
