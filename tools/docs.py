#!/usr/bin/env python3
"""Hold the documents against the tree: links lead somewhere, each ADR has its three parts and is listed in
docs/architecture.md, which has a row for every room of CMakeLists.txt. Prints each fault, exits 1 if there was one.
    tools/docs.py [ROOT]
"""
import pathlib
import re
import sys

SKIP = {"build", ".git", ".cache", "node_modules"}
ADR_PARTS = ["## Context", "## Decision", "## Consequences"]
ADR_LINES_MAX = 60  # one page


def documents(root):
    for path in sorted(root.rglob("*.md")):
        if not SKIP & set(path.relative_to(root).parts):
            yield path


def check_links(root, path, faults):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:|#", target):
            continue
        if not (path.parent / target.split("#")[0]).exists():
            faults.append(f"{path.relative_to(root)}: link to {target}, which is not there")


def check_adrs(root, faults):
    architecture = root / "docs/architecture.md"
    known = architecture.read_text() if architecture.exists() else ""
    for path in sorted((root / "docs/adr").glob("*.md")):
        name, text = path.relative_to(root), path.read_text()
        if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name):
            faults.append(f"{name}: is named NNNN-what-was-decided.md")
        lines = text.splitlines()
        for part in ADR_PARTS:
            if part not in lines:
                faults.append(f"{name}: has no '{part}'")
        if len(lines) > ADR_LINES_MAX:
            faults.append(f"{name}: {len(lines)} lines, the limit is {ADR_LINES_MAX}")
        if f"adr/{path.name}" not in known:
            faults.append(f"{name}: is not listed in docs/architecture.md")


def check_rooms(root, faults):
    architecture = root / "docs/architecture.md"
    if not architecture.exists():
        faults.append("docs/architecture.md: missing")
        return
    cmake = re.sub(r"#[^\n]*", "", (root / "CMakeLists.txt").read_text())
    for room in re.findall(r"\bhal0_room\(\s*(\w+)", cmake):
        if not re.search(rf"^\| `{room}/`", architecture.read_text(), re.M):
            faults.append(f"docs/architecture.md: its table of rooms has no row for `{room}/`")


def check(root):
    faults = []
    for path in documents(root):
        check_links(root, path, faults)
    check_adrs(root, faults)
    check_rooms(root, faults)
    return faults


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent.parent
    found = check(pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else here)
    for fault in found:
        print(fault)
    sys.exit(1 if found else 0)
