"""An issuer of tokens as the network knows it: an HTTPS server that publishes keys, answers what it is asked about tokens,
and that can rotate, stall, lie and die.

SPDX-License-Identifier: Apache-2.0
"""
import json
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Issuer:
    """Use as a context manager.

    documents   path -> what is answered: text, or (status, text, headers), or a function that gives one of them for the
                headers and the form that were posted
    stall       seconds that every answer takes more
    asked       path -> how often it was asked for
    posted      (headers, form as text) of what was posted, in order
    connections how many there were
    """

    def __init__(self, name="127.0.0.1", port=0):
        self.documents, self.asked, self.stall = {}, {}, 0
        self.posted, self.connections, self._open = [], 0, set()
        self.folder = Path(tempfile.mkdtemp(prefix="authverify-issuer-"))
        self.folder.chmod(0o755)
        self.authorities = self.folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{name}", "-keyout",
                        self.folder / "key.pem", "-out", self.authorities], check=True, capture_output=True)
        self.authorities.chmod(0o644)
        self._start(port)

    def _start(self, port):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                issuer.connections += 1
                issuer._open.add(self.connection)

            def finish(self):
                issuer._open.discard(self.connection)
                super().finish()

            def log_message(self, *_):
                pass

            def do_GET(self):
                issuer.answer(self)
                self.close_connection = True

            def do_POST(self):
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                issuer.posted.append((self.headers, form))
                issuer.answer(self, form)

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authorities, self.folder / "key.pem")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, request, form=None):
        self.asked[request.path] = self.asked.get(request.path, 0) + 1
        found = self.documents.get(request.path, (404, "", {}))
        if callable(found):
            found = found(request.headers, form)
        status, text, headers = found if isinstance(found, tuple) else (200, found, {})
        time.sleep(self.stall)
        body = text if isinstance(text, bytes) else text.encode()
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        try:
            request.end_headers()
            request.wfile.write(body)
        except OSError:
            request.close_connection = True  # whoever asked has gone

    def publish(self, *keys, path="/keys"):
        self.documents[path] = json.dumps({"keys": [key.jwk for key in keys]})

    def die(self):
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended by itself

    def rise(self):
        self._start(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.die()
