"""A stream of signed chunks: the handler, whichever it is, gets the body that they carry, once the last one is proven.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import hmac
import itertools
import os
import select
import subprocess

import pytest

from aws4_signer import SIGNED_CHUNKS, UNSIGNED, UNSIGNED_CHUNKS, Signer, crc32, sha256, unsigned_stream
from backends import HANDLER_CONFIG, HANDLER_MODULES, HANDLER_PATHS, install_handlers, what_handler_got
from client import Connection, Payload, chunked, head, post
from server import Server, is_sanitized

LONG = os.environ.get("AUTHVERIFY_LONG") == "1"
MIB = 1 << 20
MEMORY = 128 * 1024  # what is kept of a body unless it is told otherwise
SIGNER = Signer()
HOST = {"Host": "test.example"}
RULE = f"AuthVerify aws4 access-key={SIGNER.access_key} secret=file:conf/aws.secret region=us-east-1 service=s3"

CONFIG = HANDLER_CONFIG + f"""
Protocols h2c http/1.1
<Location "/">
    {RULE} unsigned-payload=on
</Location>
AuthVerifyBody limit=2g
LimitRequestBody 0
"""

# All but the one that reads no body.
HANDLERS = [handler for handler in HANDLER_PATHS if handler != "static"]


@pytest.fixture(scope="module")
def server(backend, php):
    made = Server(CONFIG, modules=HANDLER_MODULES + ["http2"], defines={"BACKEND": backend.port, "PHP": php.port})
    made.secret("aws.secret", SIGNER.secret)
    install_handlers(made)
    with made:
        yield made


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


def cut(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


# --- what is sent -----------------------------------------------------------------------------------------------------

def signed(method, target, chunks):
    seed, segments = SIGNER.sign_stream(method, target, HOST, chunks)
    return seed.headers, segments


def signed_with_trailer(method, target, chunks):
    trailer = {"x-amz-checksum-crc32": crc32(*chunks)}
    seed, segments = SIGNER.sign_stream(method, target, HOST, chunks, trailer)
    return seed.headers, segments


def unsigned_with_trailer(method, target, chunks):
    data = b"".join(chunks)
    fields = {**HOST, "Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(len(data)),
              "X-Amz-Trailer": "x-amz-checksum-crc32"}
    seed = SIGNER.sign(method, target, fields, payload=UNSIGNED_CHUNKS)
    return seed.headers, list(unsigned_stream(chunks, {"x-amz-checksum-crc32": crc32(*chunks)}))


STREAMS = {"signed": signed, "signed-with-trailer": signed_with_trailer, "unsigned-with-trailer": unsigned_with_trailer}


# --- the ways it travels ----------------------------------------------------------------------------------------------

def without_host(headers):
    return {name: value for name, value in headers.items() if name != "Host"}


def answer_to(server, method, target, fields, segments):
    with Connection(server.port) as connection:
        sent = {**without_host(fields), "Connection": "close"}
        connection.send_in_background([head(method, target, sent), *segments])
        return connection.final_response()


def with_length(server, method, target, headers, segments):
    length = {"Content-Length": str(sum(map(len, segments)))}
    return answer_to(server, method, target, {**headers, **length}, segments)


def in_http_chunks(server, method, target, headers, segments):
    """In chunks of HTTP that end elsewhere than those of AWS."""
    fields = {**headers, "Transfer-Encoding": "chunked"}
    return answer_to(server, method, target, fields, chunked(b"".join(segments), 1000))


def byte_by_byte(server, method, target, headers, segments):
    data = b"".join(segments)
    return answer_to(server, method, target, {**headers, "Content-Length": str(len(data))}, cut(data, 1))


WAYS = {"length": with_length, "http-chunks": in_http_chunks}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("handler", HANDLERS)
def test_every_handler_gets_what_the_chunks_carry(server, handler, kind, way):
    method, target = ("PUT" if handler == "dav" else "POST"), HANDLER_PATHS[handler]
    for size in (0, 1, 65536, MIB + 1):
        payload = Payload(size)
        headers, segments = STREAMS[kind](method, target, cut(payload.data, 65536))
        answer = WAYS[way](server, method, target, headers, segments)
        assert answer.status in (200, 201, 204), answer
        assert what_handler_got(server, handler, answer) == (payload.sha256, size)
    server.assert_nothing_spooled()


@pytest.mark.parametrize("chunk", [1, 7, 8192, 65536, MIB])
@pytest.mark.parametrize("kind", STREAMS)
def test_a_body_around_what_is_kept_in_memory_arrives(server, kind, chunk):
    for size in (MEMORY - 1, MEMORY, MEMORY + 1) if chunk > 7 else (1000,):
        payload = Payload(size)
        headers, segments = STREAMS[kind]("POST", "/proxy/x", cut(payload.data, chunk))
        answer = with_length(server, "POST", "/proxy/x", headers, segments)
        assert (answer.status, answer.json()["sha256"]) == (200, payload.sha256)
    server.assert_nothing_spooled()


def test_a_stream_may_come_byte_by_byte(server):
    headers, segments = signed_with_trailer("POST", "/proxy/x", [b"first", b"second\r\n"])
    answer = byte_by_byte(server, "POST", "/proxy/x", headers, segments)
    assert (answer.status, answer.json()["sha256"]) == (200, sha256(b"firstsecond\r\n"))


@pytest.mark.parametrize("kind", STREAMS)
def test_the_handler_does_not_learn_that_there_were_chunks(server, kind):
    headers, segments = STREAMS[kind]("POST", "/cgi/hash.py", [b"some data"])
    answer = with_length(server, "POST", "/cgi/hash.py", headers, segments)
    environment = answer.json()["environment"]
    assert environment["CONTENT_LENGTH"] == "9"
    told = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_X_AMZ_DECODED_CONTENT_LENGTH",
            "HTTP_X_AMZ_CONTENT_SHA256", "HTTP_X_AMZ_TRAILER", "HTTP_AUTHORIZATION")
    assert not [name for name in told if name in environment]


def test_another_coding_stays(server):
    fields = {**HOST, "Content-Encoding": "aws-chunked,gzip", "X-Amz-Decoded-Content-Length": "9"}
    seed = SIGNER.sign("POST", "/cgi/hash.py", fields, payload=SIGNED_CHUNKS)
    segments = list(SIGNER.stream(seed, [b"some data"]))
    answer = with_length(server, "POST", "/cgi/hash.py", seed.headers, segments)
    assert answer.json()["environment"]["HTTP_CONTENT_ENCODING"] == "gzip"


def test_over_http2(server, tmp_path):
    payload = Payload(MIB)
    headers, segments = signed_with_trailer("POST", "/proxy/x", cut(payload.data, 65536))
    (tmp_path / "body").write_bytes(b"".join(segments))
    fields = [word for name, value in without_host(headers).items() for word in ("--header", f"{name}: {value}")]
    result = subprocess.run(["nghttp", "--no-dep", "--data", tmp_path / "body", *fields, "--header",
                             ":authority: test.example", f"http://127.0.0.1:{server.port}/proxy/x"],
                            capture_output=True, text=True, check=True, timeout=60)
    assert f'"sha256": "{payload.sha256}", "length": {MIB}' in result.stdout


# --- nothing before the last ------------------------------------------------------------------------------------------

def start(server, headers, segments):
    """A connection on which a stream has begun; the caller sends the rest."""
    connection = Connection(server.port)
    fields = {**without_host(headers), "Content-Length": str(sum(map(len, segments))), "Connection": "close"}
    connection.send(head("POST", "/proxy/x", fields))
    return connection


@pytest.mark.parametrize("kind", STREAMS)
def test_the_backend_hears_nothing_before_the_last_byte(server, backend, kind):
    headers, segments = STREAMS[kind]("POST", "/proxy/x", cut(Payload(MIB).data, 65536))
    data = b"".join(segments)
    with start(server, headers, [data]) as connection:
        connection.send(data[:-1])
        assert not select.select([connection.socket], [], [], 0.3)[0] and backend.count == 0
        connection.send(data[-1:])
        assert connection.final_response().status == 200 and backend.count == 1


def test_a_bad_chunk_ends_a_stream(server, backend):
    """What follows it was not sent yet, but for what is looked at at once."""
    headers, segments = signed("POST", "/proxy/x", cut(Payload(4 * MIB).data, 65536))
    with start(server, headers, segments) as connection:
        server.refusal("wrong-signature", 1)
        connection.send(segments[0], segments[1][:100] + b"!" + segments[1][101:], *segments[2:10])
        assert connection.final_response().status == 401
    assert backend.count == 0


# Claims whose proof is in the head: (headers, segments of the body).
UP_TO_THE_HEAD = {
    "chunks": lambda: signed("POST", "/proxy/x", [b"data"]),
    "unsigned-chunks": lambda: unsigned_with_trailer("POST", "/proxy/x", [b"data"]),
    "unsigned": lambda: (SIGNER.sign("POST", "/proxy/x", HOST, payload=UNSIGNED).headers, [b"data"]),
    "hash": lambda: (SIGNER.sign("POST", "/proxy/x", HOST, body=b"data").headers, [b"data"]),
}


@pytest.mark.parametrize("claim", UP_TO_THE_HEAD)
def test_a_wrong_signature_of_the_head_is_refused_before_a_body_is_asked_for(server, claim):
    headers, segments = UP_TO_THE_HEAD[claim]()
    fields = {**without_host(headers), "Content-Length": str(sum(map(len, segments))), "Expect": "100-continue"}
    with Connection(server.port) as connection:
        connection.send(head("POST", "/proxy/x", fields))
        assert connection.response().status == 100
        connection.send(*segments)
        assert connection.response().json()["sha256"] == sha256(b"data")
    fields["Authorization"] = fields["Authorization"][:-64] + "0" * 64
    with Connection(server.port) as connection:
        server.refusal("wrong-signature", 1)
        connection.send(head("POST", "/proxy/x", fields))
        assert connection.response().status == 401


INSIDE = 'signature signature=%{header:X-Signature} "signed=%{json:/a}%{body}" secret=file:conf/aws.secret'
BESIDE = {"first": (RULE, INSIDE), "second": (INSIDE, RULE.replace("AuthVerify ", ""))}


@pytest.mark.parametrize("order", BESIDE)
def test_beside_a_rule_that_looks_inside_a_stream_is_refused_and_a_body_is_not(order):
    """Nobody would have what was sent: in whichever order they stand, and for the same reason."""
    one, other = BESIDE[order]
    rules = f"AuthVerify {one.removeprefix('AuthVerify ')}\nAuthVerifyAlso {other}"
    made = Server(f'<Location "/">\n{rules}\n</Location>')
    made.secret("aws.secret", SIGNER.secret)
    with made as server:
        headers, segments = signed("POST", "/x", [b'{"a":"text"}'])
        proof = {"X-Signature": hmac.new(SIGNER.secret.encode(), b'text{"a":"text"}', "sha256").hexdigest()}
        server.refusal("body-not-understood", 1)
        assert post(server, "/x", {**without_host(headers), **proof}, b"".join(segments)).status == 401
        plain = SIGNER.sign("POST", "/x", HOST, body=b'{"a":"text"}').headers
        assert post(server, "/x", {**without_host(plain), **proof}, b'{"a":"text"}').status in (200, 404)


# --- memory -----------------------------------------------------------------------------------------------------------

MEMORY_CONFIG = f"""
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
MaxSpareThreads 16
LimitRequestBody 0
AuthVerifyBody limit=2g
ProxyPass "/" "http://127.0.0.1:${{BACKEND}}/"
<Location "/">
    {RULE} unsigned-payload=on
</Location>
"""


def send_large(server, kind, size):
    """Sends `size` bytes without ever holding them: (their SHA-256, the answer)."""
    block, count = Payload(MIB).data, size // MIB
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(block)
    fields = {**HOST, "Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(size)}
    if kind == "signed":
        seed = SIGNER.sign("POST", "/x", fields, payload=SIGNED_CHUNKS)
        segments = SIGNER.stream(seed, itertools.repeat(block, count))
    else:
        seed = SIGNER.sign("POST", "/x", {**fields, "X-Amz-Trailer": "x-amz-checksum-crc32"}, payload=UNSIGNED_CHUNKS)
        trailer = {"x-amz-checksum-crc32": crc32(*itertools.repeat(block, count))}
        segments = unsigned_stream(itertools.repeat(block, count), trailer)
    sent = {**without_host(seed.headers), "Transfer-Encoding": "chunked", "Connection": "close"}
    framed = (b"%x\r\n%s\r\n" % (len(segment), segment) for segment in segments)
    with Connection(server.port, timeout=300) as connection:
        connection.send_in_background(itertools.chain([head("POST", "/x", sent)], framed, [b"0\r\n\r\n"]))
        return digest.hexdigest(), connection.final_response()


@pytest.mark.skipif(is_sanitized(), reason="the sanitizer keeps freed memory; the plain build runs this")
@pytest.mark.parametrize("kind", ["signed", "unsigned"])
def test_memory_stays_flat_while_a_large_stream_passes(backend, kind):
    size = (1024 if LONG else 96) * MIB
    server = Server(MEMORY_CONFIG, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port})
    server.secret("aws.secret", SIGNER.secret)
    with server:
        for _ in range(4):
            assert send_large(server, kind, 2 * MIB)[1].status == 200
        before = server.anonymous_memory()
        digest, answer = send_large(server, kind, size)
        assert answer.status == 200, answer
        assert (answer.json()["sha256"], answer.json()["length"]) == (digest, size)
        assert server.anonymous_memory() - before <= 2 * MIB
        server.assert_nothing_spooled()
