"""The handler receives the body that was signed, to the byte, however it travelled and whoever handles it.

SPDX-License-Identifier: Apache-2.0
"""
import gzip
import hashlib
import hmac
import itertools
import os
import subprocess
from contextlib import contextmanager

import pytest

from backends import HANDLER_CONFIG, HANDLER_MODULES, HANDLER_PATHS, install_handlers, what_handler_got
from client import (HTTP1, HTTP2, Connection, Payload, chunked, get, github, head, post, request)
from server import Server, is_sanitized

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
ScriptAliasMatch "^/cgi-(many|whole)$" "${ROOT}/htdocs/cgi/hash.py"
<Location "/cgi-many">
    AuthVerify github secret=file:${ROOT}/conf/k1 secret=file:${ROOT}/conf/k2 secret=file:${ROOT}/conf/k3 \\
        secret=file:${ROOT}/conf/k4 secret=file:${ROOT}/conf/k5 secret=file:${ROOT}/conf/k6
</Location>
<LocationMatch "^/(proxy/|cgi-)whole$">
    AuthVerify signature signature=%{header:X-Proof} "signed=%{body}%{lf}%{body}" secret=file:${ROOT}/conf/github
</LocationMatch>
<Location "/proxy/little-memory">
    AuthVerifyBody memory=4k
</Location>
<Location "/cgi/hash.py/below">
    AuthVerify github secret=file:${ROOT}/conf/k1
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
    modules = [name if mpm != "prefork" else name.replace("cgid", "cgi") for name in HANDLER_MODULES]
    server = Server(CONFIG, mpm=mpm, modules=modules + ["http2", "socache_shmcb", "ssl"], defines=defines, tls=True,
                    **more)
    server.secret("github", SECRET)
    for number in range(1, 7):
        server.secret(f"k{number}", f"the secret of the body tests, number {number}")
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
    stock = HTTP2["h2c"](server, "POST", "/open-reflector", {}, payloads[0])
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


@pytest.mark.parametrize("transport", ["h1-length", "h1-chunked", "h2c"])
@pytest.mark.parametrize("path,memory", [("/proxy/x", 128 * 1024), ("/proxy/little-memory", 4096)])
def test_bodies_around_what_is_kept_in_memory_arrive_unchanged(server, path, memory, transport):
    for size in (memory - 1, memory, memory + 1, 2 * memory - 1, 2 * memory, 2 * memory + 1, 3 * memory):
        payload = Payload(size)
        answer = {**HTTP1, **HTTP2}[transport](server, "POST", path, github(SECRET, payload.data), payload)
        assert (answer.status, answer.json()["sha256"]) == (200, payload.sha256), size
    server.assert_nothing_spooled()


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("size", [0, 11, MIB])
def test_every_one_of_many_secrets_proves_a_body(server, payloads, number, size):
    payload = payloads[size]
    proof = github(f"the secret of the body tests, number {number}", payload.data)
    answer = HTTP1["h1-chunked"](server, "POST", "/cgi-many", proof, payload)
    assert answer.status == 200
    assert (answer.json()["sha256"], answer.json()["environment"]["AUTHVERIFY_SECRET_LABEL"]) == (payload.sha256,
                                                                                                  f"k{number}")


def test_a_lookup_of_the_path_behind_a_script_takes_no_body(server, payloads):
    """httpd asks itself where /below would be, for PATH_TRANSLATED: under a rule that this request does not meet."""
    server.lookup_refusal("wrong-signature", 2)
    for size in (11, MIB):
        proof = github("the secret of the body tests, number 1", payloads[size].data)
        answer = HTTP1["h1-length"](server, "POST", "/cgi/hash.py/below", proof, payloads[size])
        assert (answer.status, answer.json()["sha256"]) == (200, payloads[size].sha256)
        assert answer.json()["environment"]["AUTHVERIFY_SECRET_LABEL"] == "k1"


@pytest.mark.parametrize("transport", ["h1-length", "h1-chunked", "h2c"])
@pytest.mark.parametrize("path", ["/proxy/whole", "/cgi-whole"])
def test_a_body_that_is_needed_whole_arrives_unchanged(server, payloads, path, transport):
    send = {**HTTP1, **HTTP2}[transport]
    for size in SIZES:
        data = payloads[size].data
        proof = hmac.new(SECRET.encode(), data + b"\n" + data, hashlib.sha256).hexdigest()
        answer = send(server, "POST", path, {"X-Proof": proof}, payloads[size])
        assert answer.status == 200, size
        assert answer.json()["sha256"] == payloads[size].sha256
    server.refusal("wrong-signature", 1)
    assert send(server, "POST", path, {"X-Proof": proof}, payloads[MIB]).status == 401
    server.assert_nothing_spooled()


@pytest.mark.parametrize("path,size",
                         [("/proxy/x", 1000), ("/proxy/x", 300000), ("/wsgi", 300000), ("/static.txt", 1000)])
def test_streams_of_one_http2_connection_do_not_disturb_each_other(server, path, size):
    count, payload = 400, Payload(size)
    server.allow_refusals("wrong-signature", "malformed-credential")
    (name, good), = github(SECRET, payload.data).items()
    (_, forged), = github("another secret", payload.data).items()
    for value, kind in ((good, "2xx"), (forged, "4xx"), ("refused without the body", "4xx"), (good, "2xx")):
        report = subprocess.run(["h2load", "-n", str(count), "-c", "2", "-m", "16", "-d", payload.file, "-H",
                                 f"{name}: {value}",
                                 f"http://127.0.0.1:{server.port}{path}"], check=True, capture_output=True,
                                text=True).stdout
        assert f"{count} {kind}" in report, report
    server.assert_nothing_spooled()


def test_an_http_1_0_body_arrives_unchanged(server, payloads):
    data = payloads[65537].data
    with Connection(server.port) as connection:
        connection.send_in_background([head("POST", "/proxy/x",
                                            {**github(SECRET, data), "Content-Length": str(len(data))}).replace(
            b"HTTP/1.1", b"HTTP/1.0"), data])
        assert connection.response().json()["sha256"] == payloads[65537].sha256


def test_webdav_reads_its_questions_from_the_proven_body(server):
    question = b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'
    server.refusal("wrong-signature", 1)
    answer = request(server, "PROPFIND", "/dav/", {**github(SECRET, question), "Depth": "0"}, question)
    assert (answer.status, b"multistatus" in answer.body) == (207, True)
    assert request(server, "PROPFIND", "/dav/", {**github(SECRET, question), "Depth": "0"},
                   question + b" ").status == 401


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
                          for name, proof,
                          body in (("1", good, b"good"), ("2", forged, b"evil"), ("3", good, b"good"))])
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


# What is signed, and how often it holds the body: once is fed to the digest on the way, twice needs the body whole.
MEMORY_RULES = {"digest": ("%{body}", 1), "whole": ("%{body}%{body}", 2)}
MEMORY_CONFIG = """
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
MaxSpareThreads 16
LimitRequestBody 0
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
AuthVerifyBody limit=2g
""" + "".join(f"""
<Location "/{name}">
    AuthVerify signature signature=%{{header:X-Proof}} signed={template} secret=file:${{ROOT}}/conf/github
</Location>
""" for name, (template, _) in MEMORY_RULES.items())


def stream_signed(server, need, size):
    """Posts `size` bytes without ever holding them; returns the SHA-256 sent and the handler's answer."""
    block = Payload(MIB).data
    proof, digest = hmac.new(SECRET.encode(), digestmod=hashlib.sha256), hashlib.sha256()
    for _ in range(MEMORY_RULES[need][1] * (size // MIB)):
        proof.update(block)
    for _ in range(size // MIB):
        digest.update(block)
    fields = {"X-Proof": proof.hexdigest(), "Content-Length": str(size), "Connection": "close"}
    with Connection(server.port, timeout=300) as connection:
        connection.send_in_background(itertools.chain([head("POST", f"/{need}", fields)],
                                                      itertools.repeat(block, size // MIB)))
        return digest.hexdigest(), connection.final_response()


@pytest.mark.skipif(is_sanitized(), reason="the sanitizer keeps freed memory; the plain build runs this")
@pytest.mark.parametrize("need,size", [("digest", (1024 if LONG else 96) * MIB), ("whole", 96 * MIB)])
def test_memory_stays_flat_while_a_large_body_passes_through_a_proxy(backend, need, size):
    server = Server(MEMORY_CONFIG, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port})
    server.secret("github", SECRET)
    with server:
        for _ in range(4):
            assert stream_signed(server, need, 2 * MIB)[1].status == 200
        before = server.anonymous_memory()
        digest, answer = stream_signed(server, need, size)
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
