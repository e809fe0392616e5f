"""What stands behind httpd in the tests: programs that say what they received, to the byte.

Each answers with a JSON object: "sha256" and "length" of the body, "environment" or "headers".
SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from server import START_SECONDS, accepts, free_port, wait_until

HANDLERS = Path(__file__).resolve().parent / "handlers"


class Received:
    """One request that a backend saw; `complete` is set once its body has ended as announced."""

    def __init__(self, method, path, headers):
        self.method = method
        self.path = path
        self.headers = headers
        self.length = 0
        self.sha256 = None
        self.complete = False


class RecordingBackend:
    """An HTTP/1.1 server that keeps a record of every request head it gets.

    answer_headers   more headers for each answer
    status           of each answer
    """

    def __init__(self):
        self.requests = []
        self.reset()
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def handle_any(self):
                backend.serve(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = handle_any

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def reset(self):
        self.requests.clear()
        self.answer_headers = {}
        self.status = 200

    @property
    def count(self):
        return len(self.requests)

    def serve(self, connection):
        target = connection.requestline.split()[1]  # BaseHTTPRequestHandler.path has lost slashes
        received = Received(connection.command, target, list(connection.headers.items()))
        self.requests.append(received)
        digest = hashlib.sha256()
        try:
            for data in _body(connection):
                digest.update(data)
                received.length += len(data)
        except EOFError:
            connection.close_connection = True
            return
        received.sha256 = digest.hexdigest()
        received.complete = True
        self._answer(connection, received)

    def _answer(self, connection, received):
        text = json.dumps({"sha256": received.sha256, "length": received.length, "method": received.method,
                           "path": received.path, "headers": received.headers}).encode()
        connection.send_response(self.status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)),
                            **self.answer_headers}.items():
            connection.send_header(name, value)
        connection.end_headers()
        if received.method != "HEAD":
            connection.wfile.write(text)

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _body(connection):
    """The body's bytes as they come. Raises EOFError where the peer ends it early."""
    if "chunked" in connection.headers.get("Transfer-Encoding", ""):
        yield from _chunks(connection.rfile)
        return
    left = int(connection.headers.get("Content-Length", 0))
    while left:
        data = connection.rfile.read1(min(left, 65536))
        if not data:
            raise EOFError
        left -= len(data)
        yield data


def _chunks(stream):
    while True:
        line = stream.readline()
        if not line:
            raise EOFError
        size = int(line.split(b";")[0], 16)
        data = stream.read(size)
        if len(data) < size or not stream.readline():
            raise EOFError
        if size == 0:
            return
        yield data


class PhpBackend:
    """php-cgi as a FastCGI server; it reads the body as a stream, without PHP's own limits."""

    def __init__(self):
        self.port = free_port()
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(
            ["php-cgi", "-n", "-b", f"127.0.0.1:{self.port}", "-d", "enable_post_data_reading=0", "-d",
             "post_max_size=0", "-d", "max_execution_time=120"],
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: accepts(self.port), START_SECONDS, "php-cgi does not accept connections")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(START_SECONDS)


# --- all content handlers in one httpd ------------------------------------------------------------------------------

HANDLER_MODULES = ["proxy", "proxy_http", "proxy_fcgi", "cgid", "alias", "wsgi", "dav", "dav_fs", "reflector"]

# Where each handler answers. PUT for dav, whose report is the file it stores; POST for all others.
HANDLER_PATHS = {"proxy": "/proxy/hook", "fcgi": "/fcgi/hash.php", "cgid": "/cgi/hash.py", "wsgi": "/wsgi",
                 "wsgi-daemon": "/wsgi-daemon", "dav": "/dav/stored", "reflector": "/reflector",
                 "static": "/static.txt"}

HANDLER_CONFIG = """
ProxyPass "/proxy/" "http://127.0.0.1:${BACKEND}/"
ProxyFCGIBackendType GENERIC
ProxyPass "/fcgi/" "fcgi://127.0.0.1:${PHP}${ROOT}/htdocs/fcgi/"
ScriptAlias "/cgi/" "${ROOT}/htdocs/cgi/"
WSGIScriptAlias "/wsgi" "${ROOT}/htdocs/wsgi/hash.wsgi" application-group=%{GLOBAL}
WSGIDaemonProcess behind processes=1 threads=4 home=${ROOT}/htdocs
WSGIScriptAlias "/wsgi-daemon" "${ROOT}/htdocs/wsgi/hash.wsgi" process-group=behind application-group=%{GLOBAL}
Alias "/dav/" "${ROOT}/upload/"
<Directory "${ROOT}/upload">
    Dav on
</Directory>
<Location "/reflector">
    SetHandler reflector
</Location>
"""


def install_handlers(server):
    """Puts the programs and files of HANDLER_CONFIG into the server's folders."""
    for name in ("cgi/hash.py", "wsgi/hash.wsgi", "fcgi/hash.php"):
        target = server.htdocs / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(HANDLERS / Path(name).name, target)
    server.write("static.txt", "static\n")
    server.write("reflector", "")


def what_handler_got(server, handler, response):
    """(SHA-256, length) of the body as the handler tells it; (None, None) of one that reads no body."""
    if handler == "static":
        assert response.body == b"static\n"
        return None, None
    if handler in ("dav", "reflector"):
        data = (server.root / "upload" / "stored").read_bytes() if handler == "dav" else response.body
        return hashlib.sha256(data).hexdigest(), len(data)
    report = response.json()
    return report["sha256"], report["length"]
