"""Serves the files of a directory over http, in ranges, and remembers what was asked."""
import http.server
import pathlib
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        file = self.server.directory / self.path.split("?")[0].strip("/")
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        if not file.is_file():
            return self.send_error(404)
        size = file.stat().st_size
        if not self.server.ranges:
            return self.whole(file, size)
        first, last = (int(n) for n in asked[len("bytes="):].split("-"))
        last = min(last, size - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        with file.open("rb") as content:
            content.seek(first)
            self.wfile.write(content.read(last + 1 - first))

    def whole(self, file, size):
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        with file.open("rb") as content:
            while piece := content.read(1 << 20):
                try:
                    self.wfile.write(piece)
                except OSError:  # the client has had enough
                    return

    def log_message(self, *_):
        pass


class Ranges(http.server.ThreadingHTTPServer):
    def __init__(self, directory, ranges=True):
        super().__init__(("127.0.0.1", 0), Handler)
        self.directory, self.ranges, self.asked = pathlib.Path(directory), ranges, []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def at(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def stop(self):
        self.shutdown()
        self.server_close()
