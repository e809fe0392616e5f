"""Clients that say exactly what a test wants them to say, and the signatures that senders put on their requests.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import json
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

TIMEOUT = 30
BLOCK = 65536


# --- bodies -----------------------------------------------------------------------------------------------------------

class Payload:
    """`size` bytes that look like no other payload's, with their SHA-256; also as a file for clients that want one."""

    def __init__(self, size):
        self.size = size
        block = hashlib.sha512(str(size).encode()).digest() * 1024
        self.data = (block * (size // len(block) + 1))[:size]
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        self._file = None

    @property
    def file(self):
        if self._file is None:
            self._file = tempfile.NamedTemporaryFile(prefix="authverify-payload-")
            self._file.write(self.data)
            self._file.flush()
        return self._file.name


# --- signatures -------------------------------------------------------------------------------------------------------

def _bytes(value):
    return value if isinstance(value, bytes) else value.encode()


def _hmac_hex(secret, text):
    return hmac.new(_bytes(secret), _bytes(text), hashlib.sha256).hexdigest()


def github(secret, body=b""):
    return {"X-Hub-Signature-256": "sha256=" + _hmac_hex(secret, body)}


def stripe(secret, body=b"", timestamp=None):
    timestamp = int(time.time()) if timestamp is None else timestamp
    proof = _hmac_hex(secret, f"{timestamp}.".encode() + _bytes(body))
    return {"Stripe-Signature": f"t={timestamp},v1={proof}"}


def slack(secret, body=b"", timestamp=None):
    timestamp = int(time.time()) if timestamp is None else timestamp
    proof = _hmac_hex(secret, f"v0:{timestamp}:".encode() + _bytes(body))
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": "v0=" + proof}


def standard_webhooks(secret, body=b"", identifier="msg_1", timestamp=None):
    """`secret` is written as senders hand it out: whsec_ and base64."""
    timestamp = int(time.time()) if timestamp is None else timestamp
    key = base64.b64decode(secret.removeprefix("whsec_"))
    proof = hmac.new(key, f"{identifier}.{timestamp}.".encode() + _bytes(body), hashlib.sha256).digest()
    return {"webhook-id": identifier, "webhook-timestamp": str(timestamp),
            "webhook-signature": "v1," + base64.b64encode(proof).decode()}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


# --- HTTP/1.1, byte by byte -------------------------------------------------------------------------------------------

class Response:
    def __init__(self, status, headers, body=b""):
        self.status = status
        self.headers = headers
        self.body = body

    def get(self, name, default=None):
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r}>"


class Connection:
    """One TCP or TLS connection. Nothing is sent, repeated or followed that the test did not ask for."""

    def __init__(self, port, tls=False, timeout=None, source=None, target="127.0.0.1"):
        self.socket = socket.create_connection((target, port), timeout or TIMEOUT, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.reader = self.socket.makefile("rb")

    def send(self, *segments):
        for segment in segments:
            self.socket.sendall(_bytes(segment))

    def send_in_background(self, segments):
        """Sends while the caller reads; a peer that has heard enough and closes is no error here."""
        def run():
            try:
                self.send(*segments)
            except OSError:
                pass
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def response(self, head_only=False):
        """The next response, an interim one included. None where the peer closed instead of answering."""
        line = self.reader.readline()
        if not line:
            return None
        version, status = line.split(None, 2)[:2]
        assert version in (b"HTTP/1.1", b"HTTP/1.0"), line
        headers = []
        while (line := self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name, value.strip()))
        response = Response(int(status), headers)
        if not head_only and response.status >= 200 and response.status not in (204, 304):
            response.body = self._body(response)
        return response

    def final_response(self):
        """The next response that is not an interim one."""
        response = self.response()
        while response is not None and response.status < 200:
            response = self.response()
        return response

    def _body(self, response):
        if (response.get("Transfer-Encoding") or "").lower() == "chunked":
            return b"".join(iter(self._chunk, b""))
        length = response.get("Content-Length")
        return self.reader.read() if length is None else self.reader.read(int(length))

    def _chunk(self):
        size = int(self.reader.readline().split(b";")[0], 16)
        data = self.reader.read(size)
        self.reader.readline()
        return data

    def is_closed(self, seconds=TIMEOUT):
        """True if the peer closes within `seconds` without saying anything more."""
        self.socket.settimeout(seconds)
        try:
            return self.reader.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.reader.close()
        self.socket.close()

    def abort(self):
        """Closes with a reset, as a client that has crashed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def head(method, path, headers, host="test.example"):
    fields = {"Host": host, **headers}
    return (f"{method} {path} HTTP/1.1\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode()


def blocks(data, size=BLOCK):
    return [data[at:at + size] for at in range(0, len(data), size)]


def chunked(data, size=BLOCK):
    """The segments of a chunked body."""
    return [b"%x\r\n%s\r\n" % (len(part), part) for part in blocks(data, size)] + [b"0\r\n\r\n"]


def request(server, method, path, headers=None, body=None, connection=None, host="test.example"):
    """One plain HTTP/1.1 request; on a connection of its own if none is given."""
    fields = dict(headers or {})
    if body is not None:
        fields["Content-Length"] = str(len(body))
    own = connection is None
    connection = connection or Connection(server.port)
    try:
        if own:
            fields.setdefault("Connection", "close")
        connection.send_in_background([head(method, path, fields, host), *blocks(_bytes(body or b""))])
        response = connection.final_response()
        assert response is not None, f"no answer to {method} {path}"
        return response
    finally:
        if own:
            connection.close()


def get(server, path, headers=None, **more):
    return request(server, "GET", path, headers, **more)


def post(server, path, headers=None, body=b"", **more):
    return request(server, "POST", path, headers, body, **more)


# --- the ways a body travels ------------------------------------------------------------------------------------------

def send_with_length(server, method, path, headers, payload):
    return request(server, method, path, headers, payload.data)


def send_chunked(server, method, path, headers, payload):
    with Connection(server.port) as connection:
        fields = {**headers, "Transfer-Encoding": "chunked", "Connection": "close"}
        connection.send_in_background([head(method, path, fields), *chunked(payload.data)])
        return connection.final_response()


def send_after_continue(server, method, path, headers, payload):
    """Sends the body once the server has asked for it, as RFC 9110 section 10.1.1 lets a client do."""
    with Connection(server.port) as connection:
        fields = {**headers, "Expect": "100-continue", "Content-Length": str(payload.size), "Connection": "close"}
        connection.send(head(method, path, fields))
        interim = connection.response()
        assert interim is not None
        if interim.status != 100:
            return interim
        connection.send_in_background(blocks(payload.data))
        return connection.final_response()


def curl(*arguments, stdin=None, tolerate=()):
    """Runs curl and gives its last response; None where there is none and curl ends with a status of `tolerate`."""
    with tempfile.TemporaryDirectory(prefix="authverify-curl-") as folder:
        heads, body = Path(folder, "heads"), Path(folder, "body")
        command = ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*", "--max-time", "120",
                   "--dump-header", heads, "--output", body, *arguments]
        result = subprocess.run(command, stdin=stdin or subprocess.DEVNULL, capture_output=True, check=False)
        assert result.returncode in (0, *tolerate), f"{result.args}: {result.returncode} {result.stderr.decode()}"
        if result.returncode and not (heads.exists() and heads.read_bytes().endswith(b"\r\n\r\n")):
            return None
        last = heads.read_text(encoding="latin-1").strip().replace("\r\n", "\n").split("\n\n")[-1].split("\n")
        fields = [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in last[1:]]
        return Response(int(last[0].split()[1]), fields, body.read_bytes() if body.exists() else b"")


def _curl_headers(headers):
    return [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]


def send_h2c(server, method, path, headers, payload):
    return curl("--http2-prior-knowledge", "--request", method, *_curl_headers(headers), "--data-binary",
                f"@{payload.file}", f"http://127.0.0.1:{server.port}{path}")


def send_h2_tls(server, method, path, headers, payload):
    return curl("--http2", "--request", method, *_curl_headers(headers), "--data-binary",
                f"@{payload.file}", f"https://127.0.0.1:{server.tls_port}{path}")


def send_h2c_without_length(server, method, path, headers, payload):
    with open(payload.file, "rb") as data:
        return curl("--http2-prior-knowledge", "--request", method, *_curl_headers(headers), "--upload-file", "-",
                    f"http://127.0.0.1:{server.port}{path}", stdin=data)


def h2c_status(server, path, headers, payload, *arguments):
    """The final status of an HTTP/2 request, also where the server gives it before it has the body (curl loses such an
    answer). None where the stream was reset without one."""
    fields = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    command = ["nghttp", "--verbose", "--no-dep", "--timeout=30", "--data", payload.file, *fields, *arguments,
               f"http://127.0.0.1:{server.port}{path}"]
    result = subprocess.run(command, capture_output=True, check=False)
    found = re.findall(rb"recv \(stream_id=\d+\) :status: ([2-5]\d\d)", result.stdout)
    return int(found[-1]) if found else None


HTTP1 = {"h1-length": send_with_length, "h1-chunked": send_chunked, "h1-continue": send_after_continue}
HTTP2 = {"h2c": send_h2c, "h2-tls": send_h2_tls, "h2c-without-length": send_h2c_without_length}
