"""Each test that tests/COVERAGE.md names is there."""
import ast
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def unit_tests():
    return {f"{m[1]}.{m[2]}" for path in ROOT.glob("src/*/*_test.cpp")
            for m in re.finditer(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", path.read_text(), re.M)}


def python_tests():
    for path in [*ROOT.glob("tests/e2e/test_*.py"), *ROOT.glob("tests/tools/*_test.py"), ROOT / "fetch/fetch_test.py"]:
        for group in ast.parse(path.read_text()).body:
            if isinstance(group, ast.ClassDef):
                yield from (f"{path.stem}.{group.name}.{f.name}" for f in group.body if isinstance(f, ast.FunctionDef))


class Coverage(unittest.TestCase):
    def test_every_name_is_one_of_a_test(self):
        rows = [line for line in (ROOT / "tests/COVERAGE.md").read_text().splitlines() if re.match(r"\| (?!promise|what \|)", line)]
        self.assertGreater(len(rows), 100)
        known = unit_tests() | set(python_tests())
        for row in rows:
            tests = row.split(" | ", 1)[1]
            if "ctest `" in tests:
                continue
            named = re.findall(r"`(\w+(?:\.\w+)?\.\w+)`", re.sub(r"`\w+_test\.cpp`", "", tests))
            self.assertTrue(named, f"no test: {row}")
            self.assertEqual([name for name in named if name not in known], [], row)


if __name__ == "__main__":
    unittest.main()
