"""A hal0 of a test's own: its home, its daemon, and ways to speak to it.

Home("real") serves the installed llama.cpp and the starter models; what is missing is installed first, once per machine.
Home("fake") serves tests/fake_worker as its engine, whose models carry the faults they shall show.
"""
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HAL0 = os.environ["HAL0_BIN"]
FAKE_WORKER = pathlib.Path(HAL0).parent / "fake-worker"
CACHE = pathlib.Path(os.environ.get("HAL0_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "hal0")
CHAT_MODEL, EMBED_MODEL = "smollm2-135m-instruct", "all-minilm-l6-v2"
RERANK_MODEL = "all-minilm-l6-v2-rerank-test"  # a cross-encoder whose scores mean nothing
CHAT = {"messages": [{"role": "user", "content": "Say hello."}]}


def eventually(what, seconds=30, message="it did not happen"):
    """Asks until it is so. For the world outside; inside hal0 nothing polls."""
    end = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{message} (within {seconds} s)")
        time.sleep(0.02)


@contextlib.contextmanager
def running(*command, env, seconds=60):
    """A program whose output is read as it comes; over after so long, so that who reads does not wait for ever."""
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True) as process:
        def end():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        guard = threading.Timer(seconds, end)
        guard.start()
        try:
            yield process
        finally:
            guard.cancel()
            end()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("hal0", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.headers = {k.lower(): v for k, v in response.getheaders()}

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


def start_ticks(pid):
    """With the pid it names a process for good (proc(5))."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]


def shared_store():
    """The engine and the starter models, in the machine's cache: got once, whatever clone the tests run in."""
    home = CACHE / "tests-home"
    env = {**os.environ, "HAL0_HOME": str(home), "HAL0_CACHE": str(CACHE)}
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "tests-home.lock", "w") as lock:  # another run may be getting the same
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["engine", "install", "llama.cpp"], *(["model", "pull", m] for m in (CHAT_MODEL, EMBED_MODEL, RERANK_MODEL))):
            subprocess.run([HAL0, *command], env=env, check=True, stdout=subprocess.DEVNULL)
    return home / "data" / "models"


class Home:
    store = None  # of the real models, once asked for

    def __init__(self, engine="fake", settings="", directory=None):
        self.temporary = None if directory else tempfile.mkdtemp(prefix="hal0-e2e-")
        self.path = pathlib.Path(directory or self.temporary)
        self.env = {**os.environ, "HAL0_HOME": str(self.path)}
        for name in ("HAL0_URL", "HAL0_KEY", "HAL0_CACHE"):
            self.env.pop(name, None)
        self.slots = self.path / "config" / "slots"
        self.slots.mkdir(parents=True)
        self.models = self.path / "data" / "models"
        self.models.mkdir(parents=True)
        self.daemon = None
        self.fake = engine != "real"
        if engine == "real":
            Home.store = Home.store or shared_store()
            self.env["HAL0_CACHE"] = str(CACHE)
            settings += f'\n[models]\nroots = ["{self.models}", "{Home.store}"]\n'
        else:
            self._fake_engine()
        (self.path / "config" / "hal0.toml").write_text('listen = "127.0.0.1:0"\n' + settings)

    def _fake_engine(self):
        build = self.path / "cache" / "engines" / "llama.cpp" / "1-fake"
        (build / "bin").mkdir(parents=True)
        (build / "bin" / "llama-server").symlink_to(FAKE_WORKER)
        (build / "engine.json").write_text(json.dumps(
            {"schema": 1, "id": "llama.cpp", "version": "1", "key": "fake", "backend": "cpu", "compiler": "", "built_at": "",
             "cpu_features": [], "programs": ["llama-server"]}))

    # ---- files

    def fake_model(self, id, *faults, kind="chat"):
        """A model whose worker shows these faults; what it did is recorded in the file that record(id) reads."""
        directory = self.models / id
        directory.mkdir(exist_ok=True)
        subprocess.run([ROOT / "tests/fake_worker/make_model", directory / "m.gguf", f"record={self.path}/{id}.record", *faults],
                       check=True)
        self.describe(id, kind)
        return id

    def describe(self, id, kind="chat"):
        file = self.models / id / "m.gguf"
        (self.models / id / "model.json").write_text(json.dumps(
            {"schema": 1, "id": id, "name": id, "kind": kind, "licence": "", "source": "test", "context_max": 4096,
             "files": [{"name": "m.gguf", "size": file.stat().st_size, "sha256": "0" * 64}]}))

    def record(self, id):
        file = self.path / f"{id}.record"
        return file.read_text().splitlines() if file.exists() else []

    def loads(self, id):
        return sum(" load" in f" {line}" for line in self.record(id))

    def slot(self, name, model, **keys):
        if self.fake:  # a check would be one more request: tests that mean it say so
            keys = {"check_output": False} | keys
        lines = [f'model = "{model}"'] + [f"{k} = {json.dumps(v)}" for k, v in keys.items()]
        (self.slots / f"{name}.toml").write_text("\n".join(lines) + "\n")

    def key_file(self, text="s3cret-key"):
        file = self.path / "key"
        file.write_text(text + "\n")
        file.chmod(0o600)
        return str(file)

    # ---- the daemon

    def start(self, *arguments, wait=True):
        self.log = open(self.path / "daemon.log", "ab")
        self.daemon = subprocess.Popen([HAL0, "serve", *arguments], env=self.env, stdin=subprocess.DEVNULL,
                                       stdout=self.log, stderr=self.log)
        if wait:
            eventually(self._answers, message="the daemon does not answer: " + self.daemon_log())
            host, port = self.api("GET", "/api/status").json["listen"][0].rsplit(":", 1)
            self.address = (host, int(port))
        return self

    def _answers(self):
        if self.daemon.poll() is not None:
            raise AssertionError("the daemon ended: " + self.daemon_log())
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.api("GET", "/health").status == 200

    def daemon_log(self):
        file = self.path / "daemon.log"
        return file.read_text(errors="replace")[-2000:] if file.exists() else ""

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def terminate(self):
        self.daemon.terminate()
        return self.daemon.wait(30)

    @property
    def socket(self):
        short = self.path / "run" / "hal0.sock"
        if short.parent.exists():
            return str(short)
        return json.loads(self.cli("places", "--json", check=0).stdout)["runtime"] + "/hal0.sock"

    # ---- speaking to it

    def api(self, method, path, body=None, headers=None, timeout=60):
        """Over the unix socket, as the CLI does."""
        connection = UnixConnection(self.socket, timeout)
        return self._ask(connection, method, path, body, headers)

    def http(self, method, path, body=None, headers=None, timeout=60):
        """Over TCP, as other programs do."""
        return self._ask(http.client.HTTPConnection(*self.address, timeout=timeout), method, path, body, headers)

    @staticmethod
    def _ask(connection, method, path, body, headers):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            return Answer(connection.getresponse())

    def worker(self, slot, method, path, body=None, timeout=60):
        """Past hal0, straight to the slot's worker: what hal0's answer is held against."""
        key = (pathlib.Path(self.socket).parent / "slots" / slot / "key").read_text().strip()
        connection = UnixConnection(self.slot_view(slot)["address"].removeprefix("unix:"), timeout)
        return self._ask(connection, method, path, body, {"Authorization": f"Bearer {key}"})

    def raw(self, timeout=20):
        return socket.create_connection(self.address, timeout)

    def slot_view(self, name):
        return self.api("GET", f"/api/slots/{name}").json

    def ready(self, *names, seconds=60):
        for name in names:
            eventually(lambda name=name: self.slot_view(name).get("state") == "ready", seconds,
                       f"slot {name} is not ready: {self.slot_view(name)}")
        return self

    def openai(self, **options):
        import openai
        host, port = self.address
        return openai.OpenAI(**{"base_url": f"http://{host}:{port}/v1", "api_key": "none", "max_retries": 0, "timeout": 60} | options)

    def cli(self, *arguments, check=None, **options):
        done = subprocess.run([HAL0, *arguments], env={**self.env, **options.pop("env", {})}, capture_output=True, text=True,
                              timeout=options.pop("timeout", 60), stdin=subprocess.DEVNULL, **options)
        if check is not None and done.returncode != check:
            raise AssertionError(f"hal0 {' '.join(arguments)}: {done.returncode}: {done.stdout}{done.stderr}")
        return done

    # ---- the end

    def worker_pids(self):
        """Of all that runs out of this home, the daemon apart."""
        mark, found = f"{self.path}".encode(), []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (process / "cmdline").read_bytes()
                if mark in line and b"--api-key-file" in line:
                    found.append(int(process.name))
        return found

    def close(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        if hasattr(self, "log"):
            self.log.close()
        for pid in self.worker_pids():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if self.temporary:
            shutil.rmtree(self.temporary, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
