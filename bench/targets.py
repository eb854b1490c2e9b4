"""What bench/gateway measures: the stand-in worker itself, and proxies in front of it. And what the kernel knows
of their processes."""
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

BIN = pathlib.Path(__file__).resolve().parent.parent / "build" / "release" / "bin"
UPSTREAM = BIN / "bench-upstream"
# The proxy has a core of its own; worker and load share what is left, one core at least.
CORES = sorted(os.sched_getaffinity(0))
PROXY_CORES, OTHER_CORES = {CORES[-1]}, set(CORES[:-1]) or set(CORES)


@contextlib.contextmanager
def on_cores(cores):
    """What is started within runs on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def exe_of(pid):
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe")


def processes_of(exe):
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and exe_of(name) == str(exe)]


def cpu_us(pids):
    return sum(int(path.read_text().split()[0]) for pid in pids
               for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e3


def resident_kb(pids):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) for pid in pids)


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def answers_health(address):
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class Direct:
    """No proxy: the worker itself."""

    load_cores = PROXY_CORES  # no proxy needs it

    def __init__(self, name, address):
        self.name, self.address = name, address

    def pids(self):
        return []


class Proxy:
    """A gateway with a directory of its own. Each kind brings its `exe`, `argv` and `environment`."""

    load_cores = OTHER_CORES
    environment = {}

    def __init__(self, name, home):
        self.name, self.home, self.process = name, home, None
        self.address = free_address()
        home.mkdir()

    def start(self):
        """Until /health is answered; gives the milliseconds that took."""
        with on_cores(PROXY_CORES), open(self.home / "log", "a") as log:
            begin = time.monotonic()
            # Of a session of its own, as all services are: the kernel shares out a core by sessions first
            # (autogroup, sched(7)), and hal0's workers have their own in any case.
            self.process = subprocess.Popen(self.argv, env=os.environ | self.environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        while not answers_health(self.address):
            if self.process.poll() is not None or time.monotonic() > begin + 10:
                sys.exit(f"{self.name} does not come up:\n{(self.home / 'log').read_text()}")
            time.sleep(0.0002)
        return (time.monotonic() - begin) * 1e3

    def settle(self):
        """Once the worker behind it answers: where it runs, if it was the proxy that started it."""

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def pids(self):
        children = [int(pid) for path in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
                    for pid in path.read_text().split()]
        return [pid for pid in (self.process.pid, *children) if exe_of(pid) == self.exe]


class Nginx(Proxy):
    exe = os.path.realpath(shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or "/usr/sbin/nginx")

    def __init__(self, name, home, upstream):
        super().__init__(name, home)
        config = home / "nginx.conf"
        temp_paths = [f"{kind}_temp_path {home}/{kind};"
                      for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
        config.write_text(f"""
            daemon off;
            worker_processes 1;
            {"user root;" if os.geteuid() == 0 else ""}
            pid {home}/pid;
            error_log stderr crit;
            events {{ worker_connections 8192; }}
            http {{
                access_log off;
                keepalive_requests 100000000;
                client_max_body_size 64m;
                {" ".join(temp_paths)}
                upstream worker {{ server {upstream}; keepalive 1024; keepalive_requests 100000000; }}
                server {{
                    listen {self.address} backlog=4096;
                    location / {{
                        proxy_pass http://worker;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_buffering off;
                        proxy_request_buffering off;
                    }}
                }}
            }}""")
        self.argv = [self.exe, "-e", "stderr", "-p", str(home), "-c", str(config)]


class Hal0(Proxy):
    """hal0 with bench-upstream as its engine, and slots that serve it. Slots that are not enabled are only there."""

    exe = str(BIN / "hal0")

    def __init__(self, name, home, slots=("primary",), enabled=True):
        super().__init__(name, home)
        self.environment = {"HAL0_HOME": str(home)}
        self.argv = [self.exe, "serve", "--listen", self.address]
        engine = home / "cache/engines/llama.cpp/1-bench"
        self.worker_exe = engine / "bin/llama-server"
        self.worker_exe.parent.mkdir(parents=True)
        shutil.copy(UPSTREAM, self.worker_exe)
        self.write(engine / "engine.json", json.dumps(
            {"id": "llama.cpp", "version": "1", "key": "bench", "backend": "cpu", "cpu_features": []}))
        key, value = b"general.architecture", b"bench"
        header_only = (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) +  # version 3, no tensors, one key: a text
                       struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(value)) + value)
        model = home / "data/models/bench"
        model.mkdir(parents=True)
        (model / "bench.gguf").write_bytes(header_only)
        self.write(model / "model.json", json.dumps(
            {"schema": 1, "id": "bench", "kind": "chat", "context_max": 4096,
             "files": [{"name": "bench.gguf", "size": len(header_only),
                        "sha256": hashlib.sha256(header_only).hexdigest()}]}))
        for slot in slots:
            self.write(home / f"config/slots/{slot}.toml", f'model = "bench"\nenabled = {str(enabled).lower()}\n')

    @staticmethod
    def write(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def settle(self):
        for pid in processes_of(self.worker_exe):
            os.sched_setaffinity(pid, OTHER_CORES)
        while len(self.pids()) > 1:  # where there is no report the box is probed once, by children of a moment
            time.sleep(0.01)

    def stop(self):
        super().stop()
        for pid in processes_of(self.worker_exe):  # workers outlive the daemon
            os.kill(pid, signal.SIGTERM)
