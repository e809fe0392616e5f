"""A refusal comes as early as it can, hands nothing on, leaves nothing behind, and never turns a body into a request.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import hashlib
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from client import Connection, Payload, chunked, curl, get, github, h2c_status, head, post, request, stripe
from server import Server, wait_until

SECRET = "the secret of the refusal tests"
MODULES = ["proxy", "proxy_http", "http2", "reqtimeout", "alias"]
CONFIG = """
Protocols h2c http/1.1
RequestReadTimeout body=0
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
<Location "/">
    AuthVerify github secret=file:${ROOT}/conf/github
    AuthVerifyBody memory=64k
</Location>
<Location "/stripe">
    AuthVerify stripe secret=file:${ROOT}/conf/github
</Location>
<Location "/limited">
    AuthVerifyBody limit=1k
</Location>
<Location "/core-limited">
    LimitRequestBody 1024
</Location>
<Location "/slow">
    AuthVerifyBody timeout=1
</Location>
<Location "/error-text">
    ErrorDocument 401 "a text of the administrator"
</Location>
<Location "/error-proxied">
    ErrorDocument 401 /open/error
</Location>
<Location "/open">
    AuthVerify off
</Location>
<VirtualHost 127.0.0.1:${PORT}>
    ServerName test.example
</VirtualHost>
<VirtualHost 127.0.0.1:${PORT}>
    ServerName hurried.example
    RequestReadTimeout body=1
</VirtualHost>
<VirtualHost 127.0.0.1:${PORT}>
    ServerName impatient.example
    Timeout 1
</VirtualHost>
"""


def make_server(backend, config=CONFIG, **more):
    server = Server(config, modules=MODULES, defines={"BACKEND": backend.port}, **more)
    server.secret("github", SECRET)
    return server


@pytest.fixture(scope="module")
def shared_server(backend):
    with make_server(backend) as started:
        yield started


@pytest.fixture
def server(shared_server, backend):
    """The shared server; each test has its backend's record for itself and leaves nothing in its spool folder."""
    backend.reset()
    yield shared_server
    shared_server.assert_nothing_spooled()


GOOD_FORM = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
NEEDS_NO_BODY = {
    "not-presented": ("/x", {}, 401),
    "malformed-credential": ("/x", {"X-Hub-Signature-256": "sha256=xyz"}, 401),
    "too-late": ("/stripe", stripe(SECRET, b"", 1000000000), 401),
    "too-early": ("/stripe", stripe(SECRET, b"", int(time.time()) + 86400), 401),
    "body-too-large": ("/limited", GOOD_FORM, 413),
}
MEGABYTE = {"Content-Length": "1000000"}


@pytest.mark.parametrize("reason", NEEDS_NO_BODY)
def test_a_refusal_that_needs_no_body_comes_before_100_continue(server, backend, reason):
    path, proof, status = NEEDS_NO_BODY[reason]
    server.refusal(reason, 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", path, {**proof, **MEGABYTE, "Expect": "100-continue"}))
        assert connection.response().status == status
        assert connection.is_closed()
    assert backend.count == 0


@pytest.mark.parametrize("reason", NEEDS_NO_BODY)
def test_a_refusal_that_needs_no_body_does_not_wait_for_one(server, backend, reason):
    path, proof, status = NEEDS_NO_BODY[reason]
    server.refusal(reason, 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", path, {**proof, **MEGABYTE}))
        assert connection.response().status == status
        assert connection.is_closed()
    assert backend.count == 0


@pytest.mark.parametrize("reason", NEEDS_NO_BODY)
def test_a_refusal_over_http2_that_needs_no_body_does_not_wait_for_one(server, backend, reason):
    path, proof, status = NEEDS_NO_BODY[reason]
    server.refusal(reason, 1)
    assert h2c_status(server, path, proof, Payload(1000000)) == status
    assert backend.count == 0


def test_limit_request_body_is_enforced_before_100_continue(server, backend):
    server.refusal("body-too-large", 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", "/core-limited", {**GOOD_FORM, **MEGABYTE, "Expect": "100-continue"}))
        assert connection.response().status == 413
    assert backend.count == 0


def test_a_body_that_must_be_read_is_asked_for_once(server):
    body = b"asked for"
    with Connection(server.port) as connection:
        connection.send(head("POST", "/x", {**github(SECRET, body), "Content-Length": "9", "Expect": "100-continue"}))
        assert connection.response().status == 100
        connection.send(body)
        assert connection.response().status == 200
        assert get(server, "/x", github(SECRET), connection=connection).status == 200


def test_a_forged_body_is_refused_after_100_continue_and_the_connection_goes_on(server):
    server.refusal("wrong-signature", 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", "/x",
                             {**github(SECRET, b"other"), "Content-Length": "5", "Expect": "100-continue"}))
        assert connection.response().status == 100
        connection.send(b"forge")
        assert connection.response().status == 401
        assert get(server, "/x", github(SECRET), connection=connection).status == 200


# --- a body is never read as a request --------------------------------------------------------------------------------

SMUGGLED = b"GET /open/smuggled HTTP/1.1\r\nHost: test.example\r\n\r\n"


def as_length(body):
    return {"Content-Length": str(len(body))}, [body]


def as_chunks(body):
    return {"Transfer-Encoding": "chunked"}, chunked(body)


# Path, credential, reason of the refusal, whether the body is read before the answer.
REFUSED = [("/x", {}, "not-presented", False),
           ("/x", {"X-Hub-Signature-256": "nonsense"}, "malformed-credential", False),
           ("/error-text", {}, "not-presented", False), ("/error-proxied", {}, "not-presented", False),
           ("/x", GOOD_FORM, "wrong-signature", True)]
OVERSIZED = [("/limited", GOOD_FORM, "body-too-large", False)]
DESYNCHRONISING = [
    (*refused[:3], moment, framing, copies)
    for copies in (1, 3000) for framing in (as_length, as_chunks) for moment in ("with the head", "after the answer")
    for refused in REFUSED + (OVERSIZED if copies > 1 and framing is as_length else [])
    if moment == "with the head" or not refused[3]]


@pytest.mark.parametrize("path,proof,reason,moment,framing,copies", DESYNCHRONISING)
def test_a_refused_connection_never_reads_a_body_as_the_next_request(server, backend, path, proof, reason, moment,
                                                                     framing,
                                                                     copies):
    body = SMUGGLED * copies
    server.refusal(reason, 1)
    fields, segments = framing(body)
    follow_up = head("GET", "/x/follow-up", github(SECRET))
    with Connection(server.port) as connection:
        if moment == "with the head":
            connection.send_in_background([b"".join([head("POST", path, {**proof, **fields}), *segments, follow_up])])
        else:
            connection.send(head("POST", path, {**proof, **fields}))
        refusal = connection.response()
        assert refusal.status == (413 if reason == "body-too-large" else 200 if path == "/error-proxied" else 401)
        if moment == "after the answer":
            connection.send_in_background([*segments, follow_up])
        with contextlib.suppress(ConnectionError):
            answer = connection.response()
            assert answer is None or answer.json()["path"] == "/x/follow-up"
    assert "/open/smuggled" not in [received.path for received in backend.requests]
    assert [received.path for received in backend.requests if received.length] == []


def test_a_refused_connection_stays_open_where_nothing_is_unread(server):
    server.refusal("not-presented", 3)
    with Connection(server.port) as connection:
        for method in ("GET", "GET", "DELETE"):
            assert request(server, method, "/x", connection=connection).status == 401
        assert get(server, "/x", github(SECRET), connection=connection).status == 200


def test_a_refused_head_request_has_no_body(server):
    server.refusal("not-presented", 1)
    with Connection(server.port) as connection:
        connection.send(head("HEAD", "/x", {}))
        assert connection.response(head_only=True).status == 401
        assert get(server, "/x", github(SECRET), connection=connection).status == 200


# --- size -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("framing", [as_length, as_chunks])
def test_the_limit_is_exact(server, backend, framing):
    server.refusal("body-too-large", 1)
    for size, status in ((1023, 200), (1024, 200), (1025, 413)):
        body = b"x" * size
        fields, segments = framing(body)
        with Connection(server.port) as connection:
            connection.send_in_background([head("POST", "/limited", {**github(SECRET, body), **fields}), *segments])
            assert connection.final_response().status == status, size
    assert [received.length for received in backend.requests] == [1023, 1024]


@pytest.mark.parametrize("path", ["/limited", "/core-limited"])
def test_a_chunked_body_over_the_limit_ends_there(server, backend, path):
    server.refusal("body-too-large", 1)
    body = b"x" * 5000000
    with Connection(server.port) as connection:
        connection.send_in_background([head("POST", path, {**github(SECRET, body), "Transfer-Encoding": "chunked"}),
                                       *chunked(body)])
        assert connection.final_response().status == 413
    assert backend.count == 0


@pytest.mark.parametrize("announcing", [(), ("--no-content-length",)])
def test_http2_bodies_over_the_limit_are_refused(server, backend, announcing):
    server.refusal("body-too-large", 1)
    payload = Payload(200000)
    assert h2c_status(server, "/limited", github(SECRET, payload.data), payload, *announcing) == 413
    assert backend.count == 0


# --- time -------------------------------------------------------------------------------------------------------------

def drip(connection, seconds):
    """Sends one byte after the other until the server answers."""
    deadline = time.monotonic() + seconds
    connection.socket.settimeout(0.1)
    while time.monotonic() < deadline:
        try:
            connection.send(b"x")
            if connection.socket.recv(1, 0x2):  # MSG_PEEK
                break
        except TimeoutError:
            continue
    connection.socket.settimeout(20)


def test_a_body_that_takes_longer_than_its_timeout_is_refused(server, backend):
    server.refusal("body-too-slow", 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", "/slow", {**GOOD_FORM, "Content-Length": "100000"}))
        started = time.monotonic()
        drip(connection, 10)
        assert connection.response().status == 408
        assert 0.8 < time.monotonic() - started < 5
        assert connection.is_closed()
    assert backend.count == 0


def test_a_body_that_stops_is_refused_when_its_timeout_is_over(server, backend):
    server.refusal("body-too-slow", 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", "/slow", {**GOOD_FORM, "Content-Length": "100000"}), b"x" * 50000)
        started = time.monotonic()
        assert connection.response().status == 408
        assert 0.8 < time.monotonic() - started < 5
    assert backend.count == 0


def test_an_http2_body_that_stops_is_refused_when_its_timeout_is_over(server, backend):
    server.refusal("body-too-slow", 1)
    (proof, value), = GOOD_FORM.items()
    client = subprocess.Popen(["curl", "--silent", "--http2-prior-knowledge", "--header", f"{proof}: {value}",
                               "--request",
                               "POST", "--upload-file", "-", f"http://127.0.0.1:{server.port}/slow"],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client.stdin.write(b"x" * 300000)
        client.stdin.flush()
        started = time.monotonic()
        wait_until(lambda: any("refused" in line for line in server.new_lines()), 15, "the body is still waited for")
        assert time.monotonic() - started < 5
    finally:
        client.kill()
        client.wait()
        client.stdin.close()
    assert backend.count == 0


@pytest.mark.parametrize("host", ["hurried.example", "impatient.example"])
def test_the_timeouts_of_httpd_end_a_body_too(server, backend, host):
    server.refusal("body-too-slow", 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", "/x", {**GOOD_FORM, "Content-Length": "100000"}, host), b"x" * 50000)
        started = time.monotonic()
        answer = connection.response()
        assert answer is None or answer.status == 408
        assert 0.8 < time.monotonic() - started < 5
    assert backend.count == 0


# --- a body that is not what was announced ----------------------------------------------------------------------------

@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("sent", [0, 10, 90000])
@pytest.mark.parametrize("end", ["half_close", "close", "abort"])
def test_a_client_that_goes_away_in_the_middle_is_refused(server, backend, framing, sent, end):
    server.refusal("body-incomplete", 1)
    part = b"x" * sent
    if framing == "length":
        fields, segments = {"Content-Length": "100000"}, [part]
    else:
        fields, segments = {"Transfer-Encoding": "chunked"}, chunked(part)[:-1] + [b"1000\r\nbut"]
    connection = Connection(server.port)
    connection.send(head("POST", "/x", {**github(SECRET, part), **fields}), *segments)
    getattr(connection, end)()
    if end == "half_close":
        assert connection.response().status == 400
        assert connection.is_closed()
        connection.close()
    server.check_log()
    assert backend.count == 0


def test_an_http2_client_that_goes_away_in_the_middle_is_refused(server, backend):
    server.refusal("body-incomplete", 1)
    (proof, value), = GOOD_FORM.items()
    client = subprocess.Popen(["curl", "--silent", "--http2-prior-knowledge", "--header", f"{proof}: {value}",
                               "--request",
                               "POST", "--upload-file", "-", f"http://127.0.0.1:{server.port}/x"],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client.stdin.write(b"x" * 300000)
    client.stdin.flush()
    wait_until(server.spooled, 10, "the body did not reach the spool folder")
    client.kill()
    client.wait()
    client.stdin.close()
    server.check_log()
    assert backend.count == 0


def test_a_body_longer_than_announced_ends_where_it_was_announced(server, backend):
    with Connection(server.port) as connection:
        connection.send(head("POST", "/x",
                             {**github(SECRET, b"hello"), "Content-Length": "5"}) + b"hello, world\r\n\r\n")
        answer = connection.response()
        assert (answer.status, answer.json()["sha256"]) == (200, hashlib.sha256(b"hello").hexdigest())
        rest = connection.response()
        assert rest is None or rest.status == 400
    assert backend.count == 1


def test_a_signature_over_more_than_was_announced_proves_nothing(server, backend):
    server.refusal("wrong-signature", 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", "/x",
                             {**github(SECRET, b"hello, world"), "Content-Length": "5"}) + b"hello, world")
        assert connection.response().status == 401
    assert backend.count == 0


@pytest.mark.parametrize("length", [5, 20])
def test_an_http2_body_of_another_length_than_announced_is_not_handed_on(server, backend, length):
    server.allow_refusals("body-incomplete", "malformed-request")
    body = b"twelve bytes"
    (proof, value), = github(SECRET, body).items()
    curl("--http2-prior-knowledge", "--header", f"{proof}: {value}", "--header", f"Content-Length: {length}",
         "--data-binary",
         body, f"http://127.0.0.1:{server.port}/x", tolerate=(16, 52, 55, 56, 92))
    assert backend.count == 0


@pytest.mark.parametrize("body", [b"zz\r\n", b"-1\r\n", b"fffffffffffffffff\r\n", b"5 5\r\nhello\r\n0\r\n\r\n",
                                  b"5\r\nhelloXX0\r\n\r\n"])
def test_a_malformed_chunk_is_refused(server, backend, body):
    server.refusal("malformed-request", 1)
    with Connection(server.port) as connection:
        connection.send(head("POST", "/x", {**github(SECRET, b"hello"), "Transfer-Encoding": "chunked"}) + body)
        assert connection.final_response().status in (400, 413)
        assert connection.is_closed()
    assert backend.count == 0


# --- no room ----------------------------------------------------------------------------------------------------------

NO_ROOM = b"x" * 1000000
# From a child that starts meanwhile.
SPOOL_NOTICE = r"this user cannot write there; bodies beyond memory= will be refused"


def require_no_room(server, backend):
    """A body that needs the spool folder is refused with 503; one that does not is served."""
    server.refusal("no-room", 2)
    server.expect(r"the body cannot be kept in ", 2)
    for framing in (as_length, as_chunks):
        fields, segments = framing(NO_ROOM)
        with Connection(server.port) as connection:
            connection.send_in_background([head("POST", "/x", {**github(SECRET, NO_ROOM), **fields}), *segments])
            answer = connection.final_response()
        assert answer.status == 503
        assert answer.get("Retry-After").isdigit()
    assert backend.count == 0
    assert post(server, "/x", github(SECRET, b"small"), b"small").status == 200
    server.assert_nothing_spooled()
    server.check_log()


def require_room(server):
    answer = post(server, "/x", github(SECRET, NO_ROOM), NO_ROOM)
    assert (answer.status, answer.json()["sha256"]) == (200, hashlib.sha256(NO_ROOM).hexdigest())
    server.assert_nothing_spooled()


def test_a_spool_folder_that_is_not_writable_is_no_room_until_it_is(backend):
    backend.reset()
    with make_server(backend, allow=[SPOOL_NOTICE]) as server:
        if os.geteuid() == 0:
            os.chown(server.spool, 0, 0)
        server.spool.chmod(0o555)
        require_no_room(server, backend)
        server.spool.chmod(0o755)
        server.give_to_children(server.spool)
        require_room(server)


def test_a_spool_folder_that_is_gone_is_no_room(backend):
    backend.reset()
    with make_server(backend, allow=[SPOOL_NOTICE]) as server:
        server.spool.rmdir()
        require_no_room(server, backend)
        server.spool.mkdir()
        server.give_to_children(server.spool)
        require_room(server)


@contextlib.contextmanager
def small_disk():
    """A file system of 256 KiB. Yields its folder, or None where this user may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="authverify-disk-"))
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "authverify-test", folder], check=False).returncode == 0
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def limit_file_size(server, size):
    """From the next generation of children on, none writes a file of more than `size` bytes."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    old = set(server.children())
    server.graceful()
    wait_until(lambda: not old & set(server.children()), 20, "the old children did not leave")


def test_a_file_size_limit_is_no_room_until_it_is_lifted(backend):
    backend.reset()
    with make_server(backend) as server:
        limit_file_size(server, 256 * 1024)
        require_no_room(server, backend)
        limit_file_size(server, resource.RLIM_INFINITY)
        require_room(server)


def test_a_full_disk_is_no_room_until_there_is_some(backend):
    backend.reset()
    with small_disk() as folder:
        if folder is None:
            pytest.skip("only root may mount a small disk; a file size limit stands for it in the test before")
        with make_server(backend, CONFIG + f'AuthVerifyBody "spool={folder}"\n',
                         allow=[r"is kept in memory \(tmpfs\)"]) as server:
            require_no_room(server, backend)
            server.assert_nothing_spooled(folder)
            subprocess.run(["mount", "-o", "remount,size=8m", folder], check=True)
            require_room(server)
            server.assert_nothing_spooled(folder)
