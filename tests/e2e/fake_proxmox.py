"""A stand-in for Proxmox's API over TLS, with certificates of its own: what it says is data, how it says it is a fault."""
import http.server
import json
import ssl
import subprocess
import threading

GIB = 1 << 30
TOKEN_ID = "hal0@pve!memory"
SECRET = "c0ffee00-1234-4abc-8def-5ec2e7f00d42"
GUESTS = "/cluster/resources?type=vm"


def certificate(directory, name, days=2, extension="subjectAltName=IP:127.0.0.1", authority=None):
    """(certificate, key) as paths, signed by `authority` (the same pair), else by itself."""
    key, request, made = (directory / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
    openssl = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-addext", extension, "-keyout", key, "-out", request)
    signer = ("-CA", authority[0], "-CAkey", authority[1], "-CAcreateserial") if authority else ("-key", key)
    openssl("x509", "-req", "-in", request, *signer, "-days", days, "-copy_extensions", "copy", "-out", made)
    return made, key


def authority(directory, name):
    """As a cluster has one of its own, which signs the certificates of its nodes."""
    return certificate(directory, name, extension="basicConstraints=critical,CA:TRUE")


def fingerprint(certificate):
    done = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"], check=True,
                          capture_output=True, text=True)
    return done.stdout.strip().split("=", 1)[1]


def guest(kind, vmid, node, **more):
    return {"id": f"{kind}/{vmid}", "type": kind, "vmid": vmid, "node": node, "status": "running", "name": f"g{vmid}",
            "template": 0, "uptime": 81418, "cpu": 0.0026, "maxcpu": 2, "disk": 838225920, "tags": "a;b", **more}


def status(total, used, **more):
    """As /nodes/NODE/status has it; many of its numbers are strings."""
    return {"cpu": 0.05, "loadavg": ["0.10", "0.20", "0.30"], "cpuinfo": {"mhz": "2400.000", "hvm": "1"},
            "memory": {"total": total, "used": used, "free": total - used, **more}, "swap": {"total": 0, "used": 0, "free": 0},
            "ksm": {"shared": 0}, "pveversion": "pve-manager/8.2.4/faa83925c9641325"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server, path = self.server, self.path.removeprefix("/api2/json")
        server.asked.append(path)
        if self.headers.get("Authorization") != f"PVEAPIToken={TOKEN_ID}={SECRET}":
            return self.say(401, "No ticket")
        if server.fault:
            return server.fault(self)
        found = server.answers.get(path)
        if isinstance(found, list) and path == GUESTS and found and isinstance(found[0], list):
            found = found.pop(0) if len(found) > 1 else found[0]  # one after the other
        if found is None:
            return self.say(500, "hostname lookup 'x' failed")
        self.say(200, "OK", json.dumps({"data": found}))

    def say(self, status, reason, body='{"data":null}', **headers):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status, reason)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate, key):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.fault, self.released = [], None, threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.endpoint = f"https://127.0.0.1:{self.server_port}"
        # A cluster of three: the guest is 101, on the second of them, which isn't the one that is asked first.
        self.answers = {
            GUESTS: [guest("lxc", 100, "pve1", mem=2 * GIB, maxmem=4 * GIB),
                     guest("lxc", 101, "pve2", name="hal0", mem=6 * GIB, maxmem=8 * GIB),
                     guest("qemu", 200, "pve2", name="win", mem=7 * GIB, maxmem=16 * GIB, memhost=12 * GIB),
                     guest("lxc", 102, "pve2", status="stopped", mem=0, maxmem=GIB),
                     guest("qemu", 900, "pve2", status="stopped", template=1),
                     guest("qemu", 300, "pve3", mem=GIB, maxmem=2 * GIB)],
            "/nodes/pve1/status": status(32 * GIB, 30 * GIB),
            "/nodes/pve2/status": status(125 * GIB, 85 * GIB, available=40 * GIB, arcsize=16 * GIB),
            "/nodes/pve3/status": status(64 * GIB, 8 * GIB),
            "/nodes/pve2/qemu?full=1": [{"vmid": "200", "balloon": 8 * GIB, "balloon_min": 4 * GIB}],
        }
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, *_):
        pass  # a client that doesn't trust it leaves in the middle of a handshake

    def wait(self, seconds=20):
        """For a fault: until the test has seen what it wants to see."""
        self.released.wait(seconds)

    def close(self):
        self.released.set()
        self.shutdown()
        self.server_close()
