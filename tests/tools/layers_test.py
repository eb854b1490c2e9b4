"""tools/layers.py over small trees made here: each fault is told, and nothing else is."""
import importlib.util
import pathlib
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


def load(name):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


layers = load("layers")
CMAKE = "hal0_room(base USES fmt::fmt)\n# hal0_room(old)\nhal0_room(os NEEDS base)\nhal0_room(models\n  NEEDS os USES LibArchive::LibArchive)\nhal0_room(http NEEDS os)\n"


class Layers(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)
        self.root = pathlib.Path(self.home.name)
        self.write("CMakeLists.txt", CMAKE)
        for room in ("base", "os", "models", "http"):
            self.write(f"src/{room}/README.md", "# room\n")
            self.write(f"src/{room}/{room}.cpp", f'#include "{room}/{room}.hpp"\n')
            self.write(f"src/{room}/{room}.hpp", "#pragma once\n// What it is for.\n#include <string>\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def faults(self, name=None, text=None):
        if name:
            self.write(name, text)
        return layers.check(self.root)

    def assert_one(self, faults, words):
        self.assertEqual(1, len(faults), faults)
        self.assertIn(words, faults[0])

    def test_a_clean_tree_passes(self):
        self.assertEqual([], self.faults())

    def test_an_include_downwards_passes_also_through_another_room(self):
        self.assertEqual([], self.faults("src/models/x.cpp", '#include "base/base.hpp"\n#include "os/os.hpp"\n'))

    def test_an_include_upwards_is_told_with_its_line(self):
        self.assert_one(self.faults("src/os/x.cpp", '\n#include "http/http.hpp"\n'), "src/os/x.cpp:2: os may not include http")

    def test_an_include_sideways_is_told(self):
        self.assert_one(self.faults("src/http/x.cpp", '#include "models/models.hpp"\n'), "http may not include models")

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual([], self.faults("src/os/x.cpp", '// #include "http/http.hpp"\n/*\n#include <curl/curl.h>\n*/\n'))

    def test_an_include_without_its_room_is_told(self):
        self.assert_one(self.faults("src/os/x.cpp", '#include "os.hpp"\n'), 'write "os/os.hpp"')

    def test_libraries_have_their_rooms(self):
        for header, room, words in (("boost/json.hpp", "http", "json/ only"), ("toml++/toml.h", "models", "toml/ only"),
                                    ("fmt/format.h", "os", "base/ only"), ("curl/curl.h", "os", "fetch/ only"),
                                    ("nettle/sha2.h", "models", "os/ only")):
            with self.subTest(header):
                self.assert_one(self.faults(f"src/{room}/x.cpp", f"#include <{header}>\n"), words)
                self.write(f"src/{room}/x.cpp", "")

    def test_a_library_a_room_uses_passes_and_another_room_may_not(self):
        self.assertEqual([], self.faults("src/models/x.cpp", "#include <archive.h>\n"))
        self.assert_one(self.faults("src/http/x.cpp", "#include <archive_entry.h>\n"), "does not USE that library")

    def test_a_library_nobody_knows_is_told(self):
        self.assert_one(self.faults("src/http/x.cpp", "#include <asio/io_context.hpp>\n"), "no door for")

    def test_only_os_speaks_to_the_kernel(self):
        self.assertEqual([], self.faults("src/os/x.cpp", "#include <sys/epoll.h>\n#include <unistd.h>\n"))
        self.assert_one(self.faults("src/http/x.cpp", "#include <sys/socket.h>\n"), "only os/ speaks to the kernel")

    def test_threads_live_in_os_and_in_the_log(self):
        for good in ("src/os/x.cpp", "src/base/log.cpp", "src/http/x_test.cpp"):
            self.assertEqual([], self.faults(good, "#include <mutex>\n"), good)
        self.assert_one(self.faults("src/base/other.cpp", "#include <thread>\n"), "threads and locks")

    def test_files_are_opened_in_os(self):
        self.assert_one(self.faults("src/models/x.cpp", "#include <fstream>\n"), "files are opened in os/ only")

    def test_tests_may_use_the_test_library_and_others_not(self):
        self.assertEqual([], self.faults("src/http/x_test.cpp", "#include <gtest/gtest.h>\n#include <unistd.h>\n"))
        self.assert_one(self.faults("src/http/x.cpp", "#include <gtest/gtest.h>\n"), "only tests")

    def test_a_heavy_header_in_a_header_is_told(self):
        self.assertEqual([], self.faults("src/http/x.cpp", "#include <regex>\n"))
        self.assert_one(self.faults("src/http/x.hpp", "#pragma once\n// X.\n#include <regex>\n"), "everybody pays")

    def test_nothing_sleeps(self):
        for line in ("std::this_thread::sleep_for(1s);", "usleep(3);", "::sleep(1);", "nanosleep(&a, &b);"):
            with self.subTest(line):
                self.assert_one(self.faults("src/os/x_test.cpp", f"void f() {{ {line} }}\n"), "nothing sleeps")

    def test_words_about_sleep_and_programs_called_sleep_are_no_sleep(self):
        text = '// sleep_for(1s) is refused\nauto a = "exec sleep 5"; auto c = \'"\'; // usleep(1)\nauto r = R"(")"; // sleep(1)\n'
        self.assertEqual([], self.faults("src/os/x_test.cpp", text))

    def test_a_file_over_the_limit_is_told(self):
        self.assertEqual([], self.faults("src/os/x.cpp", "\n" * 500))
        self.assert_one(self.faults("src/os/x.cpp", "\n" * 501), "501 lines, the limit is 500")

    def test_a_readme_is_there_and_short(self):
        self.assert_one(self.faults("src/os/README.md", "\n" * 31), "31 lines, the limit is 30")
        (self.root / "src/os/README.md").unlink()
        self.assert_one(self.faults(), "src/os/README.md: missing")

    def test_a_header_says_what_it_is_for(self):
        self.assert_one(self.faults("src/os/x.hpp", "#pragma once\n\nstruct X {};\n"), "one sentence")
        self.assert_one(self.faults("src/os/x.hpp", "// X.\nstruct X {};\n"), "no #pragma once")

    def test_a_folder_that_is_no_room_is_told(self):
        self.assert_one(self.faults("src/loose/x.cpp", ""), "room 'loose' is not declared")

    def test_a_room_without_sources_is_told(self):
        self.assert_one(self.faults("CMakeLists.txt", CMAKE + "hal0_room(ghost NEEDS base)\n"), "'ghost' has no sources")

    def test_an_arrow_upwards_is_told(self):
        cmake = CMAKE.replace("hal0_room(os NEEDS base)", "hal0_room(os NEEDS base http)")
        self.assert_one(self.faults("CMakeLists.txt", cmake), "os NEEDS http, which is not declared above it")

    def test_the_repository_itself_has_rooms(self):
        found = []
        rooms = layers.read_rooms((TOOLS.parent / "CMakeLists.txt").read_text(), found)
        self.assertEqual([], found)
        self.assertIn("base", rooms)
        self.assertIn("base", layers.reach(rooms, "os"))


if __name__ == "__main__":
    unittest.main()
