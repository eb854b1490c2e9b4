"""The tables of bench/gateway: its figures, what is aimed at, and how they are shown."""
import datetime
import pathlib
import platform
import re
import statistics
import subprocess

DIRECT_UNIX, DIRECT_TCP = "direct unix", "direct TCP"
NGINX_TCP, NGINX_UNIX, HAL0 = "nginx → TCP", "nginx → unix", "hal0 → unix"

# Each figure: what its row says, digits shown, and the aims: of hal0's ratio to another, or of hal0's own value
# where the other is None.
FASTER = {NGINX_UNIX: ("≥", 1.25), NGINX_TCP: ("≥", 1.5)}
CHEAPER = {NGINX_UNIX: ("≤", 0.70), NGINX_TCP: ("≤", 0.60)}
FIGURES = {
    "rate_1": ("requests/s, c=1", 0, FASTER),
    "cpu_1": ("CPU per request, c=1, µs", 1, CHEAPER),
    "rate_64": ("requests/s, c=64", 0, FASTER),
    "cpu_64": ("CPU per request, c=64, µs", 1, CHEAPER),
    "wrk_rate_64": ("requests/s, c=64, by wrk", 0, FASTER),
    "wrk_cpu_64": ("CPU per request, c=64, by wrk, µs", 1, CHEAPER),
    "first_us": ("time to first byte, µs", 0, {}),
    "added_us": ("added time to first byte, µs", 0, {}),
    "cpu_chunk": ("CPU per paced SSE chunk, 100 streams, µs", 1, {NGINX_UNIX: ("≤", 0.85)}),
    "stream_kb": ("memory per open stream, kB", 1, {NGINX_UNIX: ("≤", 0.10)}),
    "prompt_ms": ("4 MB prompt, ms", 1, {}),
    "prompt_cpu": ("4 MB prompt, CPU, ms", 2, {}),
    "idle_mb": ("memory when idle, MB", 1, {None: ("≤", 15)}),
    "start_ms": ("from exec to the first answer, ms", 1, {None: ("≤", 50)}),
    "models_us": ("/v1/models with 100 entries, µs", 0, {None: ("≤", 1000)}),
}


def spread(values, digits=2):
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def verdict(aims, other, values):
    if other not in aims:
        return ""
    sign, bound = aims[other]
    median = statistics.median(values)
    reached = median >= bound if sign == "≥" else median <= bound
    return f"{sign} {bound:g}: {'reached' if reached else '**not reached**'}"


def medians(rounds):
    """Every target's own values."""
    names = list(rounds[0])
    rows = []
    for key, (row, digits, _) in FIGURES.items():
        columns = [[one[name][key] for one in rounds if key in one[name]] for name in names]
        if any(columns):
            rows.append([row, *(f"{statistics.median(column):,.{digits}f}" if column else "–" for column in columns)])
    return table(["median", *names], rows)


def ratios(rounds, other):
    """hal0's values by the other's of the same round."""
    rows = []
    for key, (row, _, aims) in FIGURES.items():
        values = [one[HAL0][key] / one[other][key] for one in rounds if key in one[HAL0] and one[other].get(key)]
        if values:
            rows.append([row, spread(values), verdict(aims, other, values)])
    return table([f"hal0 / {other}", "median (min–max)", "aim"], rows)


def own_aims(rounds):
    rows = []
    for key, (row, digits, aims) in FIGURES.items():
        values = [one[HAL0][key] for one in rounds if key in one[HAL0]]
        if None in aims and values:
            rows.append([row, spread(values, digits), verdict(aims, None, values)])
    return table(["hal0 alone", "median (min–max)", "aim"], rows)


def output_of(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()


def where_and_when(cores, *programs):
    """`programs`: the versions of others that were measured, as words."""
    root = pathlib.Path(__file__).resolve().parent.parent
    cpu = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return ", ".join([str(datetime.date.today()), "commit " + output_of("git", "-C", root, "describe", "--always", "--dirty"),
                      cpu[1] if cpu else platform.machine(), f"{cores} cores", f"Linux {platform.release()}", *programs])


def report(rounds, others):
    """`rounds`: for each a {target: {figure: value}}."""
    tables = [medians(rounds)]
    if HAL0 in rounds[0]:
        tables += [ratios(rounds, other) for other in others if other in rounds[0]] + [own_aims(rounds)]
    return "\n".join(tables)
