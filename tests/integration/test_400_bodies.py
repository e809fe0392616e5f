"""The handler receives the body that was signed, to the byte, however it travelled and whoever handles it.

SPDX-License-Identifier: Apache-2.0
"""
import gzip
import hashlib
import hmac
import os
from contextlib import contextmanager

import pytest

from backends import HANDLER_CONFIG, HANDLER_MODULES, HANDLER_PATHS, install_handlers, what_handler_got
from client import (HTTP1, HTTP2, Connection, Payload, chunked, get, github, head, post, request)
from server import Server

SECRET = "the secret of the body tests"
LONG = os.environ.get("AUTHVERIFY_LONG") == "1"
MIB = 1 << 20
SIZES = [0, 1, 11, 1024, 8000, 8192, 16384, 65535, 65536, 65537, MIB, 33 * MIB + 7]

CONFIG = HANDLER_CONFIG + """
Protocols h2 h2c http/1.1
<VirtualHost 127.0.0.1:${TLS_PORT}>
    ServerName test.example
    SSLEngine on
    SSLCertificateFile "${CERTIFICATE}/certificate.pem"
    SSLCertificateKeyFile "${CERTIFICATE}/key.pem"
</VirtualHost>
<Location "/">
    AuthVerify github secret=file:${ROOT}/conf/github
</Location>
<Location "/open-reflector">
    SetHandler reflector
    AuthVerify off
</Location>
AuthVerifyBody limit=2g
LimitRequestBody 0
"""


@contextmanager
def running(mpm, backend, php, certificate, **more):
    defines = {"BACKEND": backend.port, "PHP": php.port, "CERTIFICATE": certificate}
    server = Server(CONFIG, mpm=mpm, modules=HANDLER_MODULES + ["http2", "socache_shmcb", "ssl"], defines=defines, tls=True, **more)
    server.secret("github", SECRET)
    install_handlers(server)
    server.write("open-reflector", "")
    with server:
        yield server


@pytest.fixture(scope="module")
def payloads():
    return {size: Payload(size) for size in SIZES}


@pytest.fixture(scope="module")
def server(backend, php, certificate):
    with running("event", backend, php, certificate) as started:
        yield started


def deliver(server, handler, send, payload):
    """Sends one signed payload and requires that the handler got exactly that."""
    method = "PUT" if handler == "dav" else "POST"
    response = send(server, method, HANDLER_PATHS[handler], github(SECRET, payload.data), payload)
    context = f"{payload.size} bytes to {handler}: {response!r}"
    assert response is not None and response.status in ((201, 204) if handler == "dav" else (200,)), context
    digest, length = what_handler_got(server, handler, response)
    if handler != "static":
        assert (digest, length) == (payload.sha256, payload.size), context


@pytest.mark.parametrize("transport", HTTP1)
@pytest.mark.parametrize("handler", HANDLER_PATHS)
def test_http1_bodies_arrive_unchanged(server, payloads, handler, transport):
    for size in SIZES:
        deliver(server, handler, HTTP1[transport], payloads[size])
    server.assert_nothing_spooled()


@pytest.mark.parametrize("transport", HTTP2)
@pytest.mark.parametrize("handler", [name for name in HANDLER_PATHS if name != "reflector"])
def test_http2_bodies_arrive_unchanged(server, payloads, handler, transport):
    for size in SIZES:
        deliver(server, handler, HTTP2[transport], payloads[size])
    server.assert_nothing_spooled()


@pytest.mark.parametrize("transport", HTTP2)
def test_reflector_on_http2_answers_as_it_does_without_a_rule(server, payloads, transport):
    stock = HTTP2[transport](server, "POST", "/open-reflector", {}, payloads[0])
    for size in (0, 1024, 65537):
        payload = payloads[size]
        ruled = HTTP2[transport](server, "POST", "/reflector", github(SECRET, payload.data), payload)
        assert (ruled.status, ruled.body) == (stock.status, stock.body) == (200, b"")


def deliver_all(server, payloads, transports, sizes):
    for handler in HANDLER_PATHS:
        for name, send in transports.items():
            if handler != "reflector" or name in HTTP1:
                for size in sizes:
                    deliver(server, handler, send, payloads[size])
    server.assert_nothing_spooled()


def test_bodies_arrive_unchanged_on_worker(backend, php, certificate, payloads):
    with running("worker", backend, php, certificate) as server:
        deliver_all(server, payloads, {**HTTP1, **HTTP2}, SIZES if LONG else [0, 8192, MIB])


def test_bodies_arrive_unchanged_on_prefork(backend, php, certificate, payloads):
    with running("prefork", backend, php, certificate, allow=[r"AH10034"]) as server:
        deliver_all(server, payloads, HTTP1, SIZES if LONG else [0, 8192, MIB])
        deliver(server, "proxy", HTTP2["h2c"], payloads[MIB])
        server.assert_nothing_spooled()


def test_a_chunked_body_is_handed_on_with_its_length(server, backend, payloads):
    backend.reset()
    deliver(server, "proxy", HTTP1["h1-chunked"], payloads[65537])
    fields = {name.lower(): value for name, value in backend.requests[-1].headers}
    assert fields["content-length"] == "65537"
    assert "transfer-encoding" not in fields
    response = HTTP1["h1-chunked"](server, "POST", "/cgi/hash.py", github(SECRET, payloads[11].data), payloads[11])
    assert response.json()["environment"]["CONTENT_LENGTH"] == "11"
    assert "HTTP_TRANSFER_ENCODING" not in response.json()["environment"]


def test_a_body_in_many_small_segments_arrives_unchanged(server):
    body = bytes(range(256)) * 8
    with Connection(server.port) as connection:
        connection.send(head("POST", "/proxy/x", {**github(SECRET, body), "Transfer-Encoding": "chunked"}))
        for segment in chunked(body, 7):
            connection.send(segment[:1], segment[1:])
        assert connection.final_response().json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_body_of_a_get_request_is_verified_and_handed_on(server):
    answer = request(server, "GET", "/proxy/x", github(SECRET, b"in a GET"), b"in a GET")
    assert answer.json()["sha256"] == hashlib.sha256(b"in a GET").hexdigest()
    server.refusal("wrong-signature", 1)
    assert request(server, "GET", "/proxy/x", github(SECRET, b"in a GET"), b"in a get").status == 401


def test_a_changed_body_is_refused_before_any_handler_sees_it(server, backend, payloads):
    backend.reset()
    server.refusal("wrong-signature")
    server.allow_refusals("wrong-signature")
    for size in (1, 8192, 65537, MIB):
        data = payloads[size].data
        for forged in (data[:-1] + bytes([data[-1] ^ 1]), data + b"x", data[:-1]):
            for send in ("h1-length", "h1-chunked", "h2c"):
                other = Payload(0)
                other.data, other.size = forged, len(forged)
                answer = {**HTTP1, **HTTP2}[send](server, "POST", "/proxy/x", github(SECRET, data), other)
                assert answer.status == 401, (size, len(forged), send)
    assert backend.count == 0
    server.assert_nothing_spooled()


def test_pipelined_requests_are_answered_in_order(server):
    bodies = [b"first", b"", b"x" * 70000, b"fourth", b"y" * 300000, b"last"]
    with Connection(server.port) as connection:
        segments = [head("POST", f"/proxy/{at}", {**github(SECRET, body), "Content-Length": str(len(body))}) + body
                    for at, body in enumerate(bodies)]
        connection.send_in_background([b"".join(segments)])
        for at, body in enumerate(bodies):
            answer = connection.final_response().json()
            assert (answer["path"], answer["sha256"]) == (f"/{at}", hashlib.sha256(body).hexdigest())


def test_pipelined_chunked_requests_are_answered_in_order(server):
    bodies = [b"first", b"", b"x" * 70000, b"last"]
    with Connection(server.port) as connection:
        segments = [head("POST", f"/proxy/{at}", {**github(SECRET, body), "Transfer-Encoding": "chunked"})
                    + b"".join(chunked(body)) for at, body in enumerate(bodies)]
        connection.send_in_background([b"".join(segments)])
        for at, body in enumerate(bodies):
            answer = connection.final_response().json()
            assert (answer["path"], answer["sha256"]) == (f"/{at}", hashlib.sha256(body).hexdigest())


def test_a_forged_request_in_a_pipeline_leaves_its_neighbours_alone(server, backend):
    backend.reset()
    server.refusal("wrong-signature", 1)
    good, forged = github(SECRET, b"good"), github("another secret", b"evil")
    with Connection(server.port) as connection:
        connection.send(*[head("POST", f"/proxy/{name}", {**proof, "Content-Length": "4"}) + body
                          for name, proof, body in (("1", good, b"good"), ("2", forged, b"evil"), ("3", good, b"good"))])
        assert [connection.final_response().status for _ in range(3)] == [200, 401, 200]
    assert [received.path for received in backend.requests] == ["/1", "/3"]


def test_signatures_cover_the_bytes_of_the_wire_before_content_decoding(backend):
    config = """
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
<Location "/">
    SetInputFilter DEFLATE
    AuthVerify github secret=file:${ROOT}/conf/github
</Location>
"""
    server = Server(config, modules=["proxy", "proxy_http", "deflate", "filter"], defines={"BACKEND": backend.port})
    server.secret("github", SECRET)
    plain = "".join(f"line {number} of what is compressed\n" for number in range(9000)).encode()
    packed = gzip.compress(plain)
    with server:
        answer = post(server, "/x", {**github(SECRET, packed), "Content-Encoding": "gzip"}, packed)
        assert answer.status == 200
        assert answer.json()["sha256"] == hashlib.sha256(plain).hexdigest()
        server.refusal("wrong-signature", 1)
        assert post(server, "/x", {**github(SECRET, plain), "Content-Encoding": "gzip"}, packed).status == 401


def stream_signed(server, path, size):
    """Posts `size` bytes without ever holding them; returns the SHA-256 sent and the handler's answer."""
    block = Payload(MIB).data
    proof, digest = hmac.new(SECRET.encode(), digestmod=hashlib.sha256), hashlib.sha256()
    for _ in range(size // MIB):
        proof.update(block)
        digest.update(block)
    fields = {"X-Hub-Signature-256": "sha256=" + proof.hexdigest(), "Content-Length": str(size), "Connection": "close"}
    with Connection(server.port, timeout=300) as connection:
        connection.send_in_background(part for parts in ([head("POST", path, fields)], (block for _ in range(size // MIB)))
                                      for part in parts)
        return digest.hexdigest(), connection.final_response()


def test_memory_stays_flat_while_a_large_body_passes_through_a_proxy(backend):
    config = """
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
MaxSpareThreads 16
LimitRequestBody 0
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
<Location "/">
    AuthVerify github secret=file:${ROOT}/conf/github
    AuthVerifyBody limit=2g
</Location>
"""
    size = 1024 * MIB if LONG else 96 * MIB
    server = Server(config, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port})
    server.secret("github", SECRET)
    with server:
        for _ in range(4):
            assert stream_signed(server, "/warm", 2 * MIB)[1].status == 200
        before = server.anonymous_memory()
        digest, answer = stream_signed(server, "/large", size)
        assert answer.status == 200
        assert (answer.json()["sha256"], answer.json()["length"]) == (digest, size)
        assert server.anonymous_memory() - before <= 2 * MIB
        server.assert_nothing_spooled()


def test_the_static_handler_leaves_the_connection_usable_after_a_body(server):
    with Connection(server.port) as connection:
        for body in (b"x" * 300000, b"", b"y"):
            answer = post(server, "/static.txt", github(SECRET, body), body, connection=connection)
            assert (answer.status, answer.body) == (200, b"static\n")
        assert get(server, "/static.txt", github(SECRET), connection=connection).status == 200
