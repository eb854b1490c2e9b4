"""Runs the end-to-end tests and closes with 'N passed, N failed'.

usage: suite.py [PATTERN...]      only tests whose dotted name contains one of the patterns
"""
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
for name in ("NO_PROXY", "no_proxy"):  # what the tests ask is on this machine, whatever proxy leads out of it
    os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost,::1"]))


def flat(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flat(item)
        else:
            yield item


class Result(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.good = getattr(self, "good", 0) + 1
        took = time.monotonic() - self.began
        if took > 5:
            self.stream.writeln(f"  {took:.0f} s  {test.id()}")


def main():
    wanted = sys.argv[1:]
    tests = [t for t in flat(unittest.defaultTestLoader.discover(HERE, "test_*.py"))
             if not wanted or any(w in t.id() for w in wanted)]
    result = unittest.TextTestRunner(resultclass=Result, verbosity=1).run(unittest.TestSuite(tests))
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{getattr(result, 'good', 0)} passed, {bad} failed", flush=True)
    sys.exit(1 if bad or not tests else 0)


if __name__ == "__main__":
    main()
