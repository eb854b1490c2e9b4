#!/usr/bin/env python3
"""Hold the sources against the arrows drawn in CMakeLists.txt and against the house's limits.

A room may include itself and the rooms it NEEDS, directly or through them. Each library, the kernel, threads
and files have one door. Prints each line that goes another way and exits 1 if there was one.
    tools/layers.py [ROOT]
"""
import pathlib
import re
import sys
from dataclasses import dataclass

FILE_LINES_MAX = 500
README_LINES_MAX = 30
ALLOWED_LONG: dict[str, str] = {}  # "src/room/file.cpp": "why it may be longer"

# A header that only some rooms may include: pattern of what stands in <>, the rooms, what to do instead.
# A room in src/ that is not named here finds its own way through the door's face.
DOORS = [
    (r"boost/.*", {"json"}, "Boost.JSON lives in json/ only"),
    (r"toml\+\+/.*", {"toml"}, "toml++ lives in toml/ only"),
    (r"fmt/.*", {"base"}, "fmt is named in base/ only: include base/format.hpp"),
    (r"curl/.*", {"fetch"}, "libcurl lives in fetch/ only"),
    (r"nettle/.*", {"os"}, "nettle lives in os/ only: os/file.hpp has sha256"),
    (r"mutex|shared_mutex|condition_variable|thread|future|semaphore|latch|barrier", {"os", "base/log"},
     "threads and locks live in os/ and base/log only: use Loop, Inbox, Pool"),
    (r"fstream|filesystem", {"os"}, "files are opened in os/ only: use os/file.hpp"),
]
# C headers of libraries; a room that names the library in USES may include them. Any other .h is the kernel's.
C_LIBRARIES = {r"archive(_entry)?\.h": "archive", r"zlib\.h": "zlib", r"sqlite3\.h": "sqlite",
               r"systemd/.*\.h": "systemd"}
TEST_ONLY = re.compile(r"(gtest|gmock)/")
HEAVY_IN_HEADER = re.compile(r"regex|iostream|boost/.*|toml\+\+/.*|curl/.*")
SLEEPS = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|clock_nanosleep)\b|\bsleep\s*\(")
SYSTEM_INCLUDE = re.compile(r"\s*#\s*include\s+<([^>]+)>")
ROOM_INCLUDE = re.compile(r'\s*#\s*include\s+"([^"/]+)/')
BARE_INCLUDE = re.compile(r'\s*#\s*include\s+"([^"/]+)"')


@dataclass
class Room:
    needs: list[str]
    uses: list[str]


class Faults(list):
    def at(self, where, what):
        self.append(f"{where}: {what}")


def read_rooms(text, faults):
    """The rooms of CMakeLists.txt in their order, which must be bottom up: an unknown name is a cycle or a typo."""
    rooms: dict[str, Room] = {}
    text = re.sub(r"#[^\n]*", "", text)
    for call in re.finditer(r"\bhal0_room\(([^)]*)\)", text):
        words = call[1].split()
        lists = {"": [], "NEEDS": [], "USES": []}
        key = ""
        for word in words:
            if word in lists:
                key = word
            else:
                lists[key].append(word)
        if len(lists[""]) != 1:
            faults.at("CMakeLists.txt", f"hal0_room({call[1].strip()}): one name, then NEEDS …, then USES …")
            continue
        name = lists[""][0]
        for other in lists["NEEDS"]:
            if other not in rooms:
                faults.at("CMakeLists.txt", f"{name} NEEDS {other}, which is not declared above it")
        rooms[name] = Room([n for n in lists["NEEDS"] if n in rooms], lists["USES"])
    if not rooms:
        faults.at("CMakeLists.txt", "no hal0_room() found")
    return rooms


def reach(rooms, name):
    found = {name}
    for other in rooms[name].needs:
        found |= reach(rooms, other)
    return found


def is_test(path):
    return path.stem.endswith("_test") or path.stem.startswith("test_") or path.stem.startswith("fake_")


def without_comments(text):
    """The same lines with comments blanked; string contents stay (an include has one)."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m[0]) if m[0].startswith("/") else m[0]
    literals = r'''R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'|'''
    return re.sub(literals + r"//[^\n]*|/\*.*?\*/", blank, text, flags=re.S)


def check_system_include(header, name, room, declared, test, faults):
    for pattern, allowed, instead in DOORS:
        if re.fullmatch(pattern, header):
            at_door = any(str(name).removeprefix("src/").startswith(a + ("." if "/" in a else "/")) for a in allowed)
            if not at_door and not test:
                faults.at(name, f"includes <{header}>; {instead}")
            return
    if TEST_ONLY.match(header):
        if not test:
            faults.at(name, f"includes <{header}>; only tests (*_test.cpp, test_*.hpp) may")
        return
    for pattern, library in C_LIBRARIES.items():
        if re.fullmatch(pattern, header):
            if not any(library in used.lower() for used in declared.uses):
                faults.at(name, f"includes <{header}>, but {room} does not USE that library in CMakeLists.txt")
            return
    if header.endswith("intrin.h"):
        return  # the processor's, not the kernel's
    if header.endswith(".h") and room != "os" and not test:
        faults.at(name, f"includes <{header}>; only os/ speaks to the kernel")
    elif "/" in header and not header.endswith(".h"):
        faults.at(name, f"includes <{header}> of a library tools/layers.py has no door for")


def check_source(root, path, rooms, faults):
    name = path.relative_to(root)
    room, test = name.parts[1], is_test(path)
    if room not in rooms:
        faults.at(name, f"room '{room}' is not declared in CMakeLists.txt")
        return
    allowed = reach(rooms, room)
    text = path.read_text()
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        where = f"{name}:{number}"
        if m := ROOM_INCLUDE.match(line):
            if m[1] not in allowed:
                faults.at(where, f"{room} may not include {m[1]} (it NEEDS {' '.join(rooms[room].needs) or 'nothing'})")
        elif m := BARE_INCLUDE.match(line):
            faults.at(where, f'write "{room}/{m[1]}": includes name their room')
        elif m := SYSTEM_INCLUDE.match(line):
            found = Faults()
            check_system_include(m[1], name, room, rooms[room], test, found)
            if path.suffix == ".hpp" and not test and HEAVY_IN_HEADER.fullmatch(m[1]):
                found.at(name, f"includes <{m[1]}> in a header: everybody pays for it; include it in a .cpp")
            faults.extend(f"{where}:{f.partition(':')[2]}" for f in found)
    if path.suffix == ".hpp":
        opening = [line for line in text.splitlines() if line.strip() and line.strip() != "#pragma once"]
        if "#pragma once" not in text:
            faults.at(name, "no #pragma once")
        if not opening or not opening[0].startswith(("//", "/*")):
            faults.at(name, "a header opens with one sentence on what it is for")


def check_limits(root, path, faults):
    name = path.relative_to(root)
    text = path.read_text()
    lines = text.count("\n") + (not text.endswith("\n"))
    if lines > FILE_LINES_MAX and str(name) not in ALLOWED_LONG:
        faults.at(name, f"{lines} lines, the limit is {FILE_LINES_MAX}")
    if path.suffix in (".cpp", ".hpp"):
        for number, line in enumerate(without_comments(text).splitlines(), 1):
            if SLEEPS.search(line):
                faults.at(f"{name}:{number}", "nothing sleeps: wait for the event, or use a Timer or a FakeClock")


def check_readme(root, room, faults):
    name = f"src/{room}/README.md"
    if not (root / name).exists():
        if (root / "src" / room).exists():
            faults.at(name, "missing: purpose, main types, may use, must not")
        return
    lines = len((root / name).read_text().splitlines())
    if lines > README_LINES_MAX:
        faults.at(name, f"{lines} lines, the limit is {README_LINES_MAX}")


def check(root):
    faults = Faults()
    rooms = read_rooms((root / "CMakeLists.txt").read_text(), faults)
    for room in rooms:
        if not any((root / "src" / room).glob("*.[ch]pp")):
            faults.at("CMakeLists.txt", f"room '{room}' has no sources under src/{room}")
        check_readme(root, room, faults)
    for path in sorted((root / "src").rglob("*.[ch]pp")):
        check_source(root, path, rooms, faults)
    for folder in ("src", "fetch", "tests", "bench", "tools"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".py"):
                check_limits(root, path, faults)
    return faults


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent.parent
    found = check(pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else here)
    for fault in found:
        print(fault)
    sys.exit(1 if found else 0)
