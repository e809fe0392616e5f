"""authverify sign --send: what it sends is what a real httpd proves, and how it ends tells a script what came back.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from command_line import NO_ANSWER, OK, PROGRAM, REFUSED, USAGE, run
from server import Server, free_port, preset_folder, wait_until

KEY = "0123456789abcdef0123456789abcdef01234567"
PAIR = "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0LzXcVbNmQaWsEdRfTgYh"
TOKEN = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
LOCAL = ("127.0.0.1", 0)

CONFIG = """
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
<Location "/hook">
    AuthVerify github secret=file:conf/key
    AuthVerify stripe secret=file:conf/key
    AuthVerify slack secret=file:conf/key
</Location>
<Location "/pair">
    AuthVerify token-pair secret=file:conf/pair identity=%s
</Location>
<Location "/basic">
    AuthVerify basic secret=file:conf/key identity=alice
</Location>
<Location "/bearer">
    AuthVerify bearer secret=file:conf/key
    AuthVerify api-key secret=file:conf/key in=header:X-Key,query:key
</Location>
Listen 127.0.0.1:${TLS}
<VirtualHost 127.0.0.1:${TLS}>
    ServerName 127.0.0.1
    SSLEngine on
    SSLCertificateFile ${CERTIFICATE}/certificate.pem
    SSLCertificateKeyFile ${CERTIFICATE}/key.pem
</VirtualHost>
""" % TOKEN


@pytest.fixture(scope="module")
def local_certificate(tmp_path_factory):
    """A folder with key.pem and certificate.pem for 127.0.0.1, which no authority of the system knows."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                    "basicConstraints=critical,CA:FALSE", "-keyout", folder / "key.pem", "-out",
                    folder / "certificate.pem"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def httpd(backend, local_certificate):
    tls = free_port()
    server = Server(CONFIG, modules=["proxy", "proxy_http", "socache_shmcb", "ssl"],
                    defines={"BACKEND": backend.port, "TLS": tls, "CERTIFICATE": local_certificate})
    server.secret("key", KEY)
    server.secret("pair", PAIR)
    server.tls = f"https://127.0.0.1:{tls}"
    with server:
        yield server


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


@pytest.fixture
def body(tmp_path):
    path = tmp_path / "body"
    path.write_bytes('{"name":"Zoë"}\r\n'.encode() + bytes(range(256)))
    return path


def send(*words, secret=KEY, status=OK, url=None, env=()):
    return run("sign", *words, "--path", preset_folder(), "--url", url, "--send", secret=secret, status=status,
               env={"no_proxy": "*", **dict(env)})


def at(httpd, path):
    return f"http://127.0.0.1:{httpd.port}{path}"


# --- each scheme ------------------------------------------------------------------------------------------------------

SENDERS = {
    "pair": (["token-pair", "--client", TOKEN], PAIR, "/pair"),
    "basic": (["basic", "--client", "alice"], KEY, "/basic"),
    "bearer": (["bearer"], KEY, "/bearer"),
    "key-in-header": (["api-key", "in=header:X-Key"], KEY, "/bearer"),
    "key-in-query": (["api-key", "in=query:key"], KEY, "/bearer?a=1"),
}


@pytest.mark.parametrize("name", SENDERS)
def test_a_right_credential_is_sent_and_a_wrong_one_is_told(httpd, backend, name):
    words, secret, path = SENDERS[name]
    told = send(*words, secret=secret, url=at(httpd, path))
    assert told.startswith("status 200\n\n") and backend.count == 1
    httpd.refusal("wrong-secret", 1)
    told = send(*words, secret=secret[::-1], url=at(httpd, path), status=REFUSED)
    assert told.startswith("status 401\n\n") and "401" in told.partition("\n\n")[2] and backend.count == 1
    assert secret not in told and secret[::-1] not in told


@pytest.mark.parametrize("preset", ["github", "stripe", "slack"])
def test_a_delivery_is_sent_as_it_was_signed(httpd, backend, body, preset):
    send(preset, "--body", body, "--header", "Content-Type: application/json", url=at(httpd, "/hook"))
    [received] = backend.requests
    assert received.sha256 == hashlib.sha256(body.read_bytes()).hexdigest()
    assert dict(received.headers)["Content-Type"] == "application/json"
    httpd.refusal("wrong-signature", 1)
    send(preset, "--body", body, secret=KEY[::-1], url=at(httpd, "/hook"), status=REFUSED)


def test_what_is_sent_is_what_was_asked_for_and_nothing_besides(httpd, backend, body):
    send("bearer", "--method", "PUT", "--body", body, "--header", "X-Empty:", "--header", "X-Two: a", "--header",
         "X-Two: b", url=at(httpd, "/bearer/a~b/?q=%20&q"))
    [received] = backend.requests
    assert (received.method, received.path, received.length) == ("PUT", "/bearer/a~b/?q=%20&q", body.stat().st_size)
    names = [name.lower() for name, _ in received.headers]
    assert "content-type" not in names and "authorization" not in names and "x-empty" in names
    assert [value for name, value in received.headers if name == "X-Two"] == ["a, b"]


@pytest.mark.parametrize("method", ["HEAD", "DELETE", "OPTIONS", "POST"])
def test_every_method_ends(httpd, backend, method):
    told = send("bearer", "--method", method, url=at(httpd, "/bearer"))
    assert told.startswith("status 200\n\n") and backend.requests[0].method == method


def test_dot_segments_are_sent_as_they_were_signed(httpd, tmp_path):
    with socket.create_server(LOCAL) as listener:
        heads = answer_once(listener, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        send("bearer", url=f"http://127.0.0.1:{listener.getsockname()[1]}/a/../b")
    assert heads()[0].startswith(b"GET /a/../b HTTP/1.1\r\n")


def test_the_host_is_sent_as_it_was_signed():
    """With the port that is the scheme's own, too. A proxy sees it without a server on that port."""
    with socket.create_server(LOCAL) as proxy:
        heads = answer_once(proxy, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        way = {"no_proxy": "", "http_proxy": f"http://127.0.0.1:{proxy.getsockname()[1]}"}
        send("bearer", url="http://test.example:80/", env=way)
    assert b"\r\nHost: test.example:80\r\n" in heads()[0]


# --- the answer -------------------------------------------------------------------------------------------------------

def answer_once(listener, answer):
    """Takes one request, answers and closes. Returns a function that gives the heads that came."""
    heads = []

    def run_once():
        connection, _ = listener.accept()
        with connection:
            text = b""
            while b"\r\n\r\n" not in text:
                text += connection.recv(65536)
            heads.append(text)
            connection.sendall(answer)

    thread = threading.Thread(target=run_once, daemon=True)
    thread.start()

    def result():
        thread.join(10)
        return heads
    return result


@pytest.mark.parametrize("answer, expected", [
    ('{"a":"Zoë"}'.encode(), {"status": 202, "body": '{"a":"Zoë"}'}), (b"", {"status": 202, "body": ""}),
    (b"\xff\x00", {"status": 202, "body-base64": base64.b64encode(b"\xff\x00").decode()})])
def test_the_answer_as_an_object(answer, expected):
    with socket.create_server(LOCAL) as listener:
        answer_once(listener, b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
        told = send("bearer", "--json", url=f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert json.loads(told) == expected


def test_a_redirect_is_an_answer_and_takes_no_credential_along():
    with socket.create_server(LOCAL) as first, socket.create_server(LOCAL) as second:
        second.settimeout(0)
        answer_once(first, b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n"
                    % second.getsockname()[1])
        told = send("bearer", url=f"http://127.0.0.1:{first.getsockname()[1]}/", status=REFUSED)
        assert told == "status 307\n\n"
        with pytest.raises(BlockingIOError):
            second.accept()


def test_an_answer_without_an_end_is_not_kept():
    with socket.create_server(LOCAL) as listener:
        answer_once(listener, b"HTTP/1.1 200 OK\r\n\r\n" + bytes(17 << 20))
        said = send("bearer", url=f"http://127.0.0.1:{listener.getsockname()[1]}/", status=NO_ANSWER)
    assert "larger than 16 MiB" in said


def test_nobody_there_is_status_4_and_shows_no_key():
    said = send("api-key", "in=query:key", url=f"http://127.0.0.1:{free_port()}/", status=NO_ANSWER)
    assert said.startswith("authverify: no answer: ") and KEY not in said


# --- TLS --------------------------------------------------------------------------------------------------------------

def test_a_certificate_must_be_right(httpd, backend, local_certificate, certificate):
    assert "certificate" in send("bearer", url=f"{httpd.tls}/bearer", status=NO_ANSWER)
    said = send("bearer", "--ca", certificate / "certificate.pem", url=f"{httpd.tls}/bearer", status=NO_ANSWER)
    assert "certificate" in said
    name = httpd.tls.replace("127.0.0.1", "localhost")
    send("bearer", "--ca", local_certificate / "certificate.pem", url=f"{name}/bearer", status=NO_ANSWER)
    assert backend.count == 0
    send("bearer", "--ca", local_certificate / "certificate.pem", url=f"{httpd.tls}/bearer")
    assert backend.count == 1


# --- secrets and mistakes ---------------------------------------------------------------------------------------------

def test_no_process_has_the_secret_among_its_arguments(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(KEY)
    secret.chmod(0o600)
    with socket.create_server(LOCAL) as listener:
        command = [PROGRAM, "sign", "bearer", "--secret", f"file:{secret}", "--send", "--url",
                   f"http://127.0.0.1:{listener.getsockname()[1]}/"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "no_proxy": "*"}) as process:
            connection, _ = listener.accept()
            with connection:
                wait_until(lambda: KEY.encode() in connection.recv(65536, socket.MSG_PEEK), 5, "no credential came")
                seen = [Path("/proc", entry, "cmdline").read_bytes() for entry in os.listdir("/proc") if entry.isdigit()
                        and Path("/proc", entry, "cmdline").exists()]
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            assert process.wait(10) == OK
    assert any(b"sign\0bearer" in arguments for arguments in seen)
    assert not any(KEY.encode() in arguments for arguments in seen)


@pytest.mark.parametrize("words, said", [
    (["bearer", "--send"], "--url"), (["bearer", "--json"], "--send"), (["bearer", "--ca", "x"], "--send"),
    (["bearer", "--send", "--curl", "--url", "http://127.0.0.1/"], "either"),
    (["bearer", "--send", "--url", "127.0.0.1"], "http://"),
    (["bearer", "--send", "--url", "http://127.0.0.1/ x"], "no URL"),
    (["bearer", "--send", "--url", "http://a:b@127.0.0.1/"], "user"),
    (["bearer", "--send", "--url", "http://127.0.0.1/#a"], "fragment"),
    (["bearer", "--send", "--url", "http://127.0.0.1/", "--header", "X: a\r\nY: b"], "control byte"),
    (["bearer", "--send", "--url", "http://127.0.0.1/", "--method", "GET / HTTP/1.1\r\nX:"], "method")], ids=str)
def test_a_request_that_cannot_be_sent_as_it_is_written_is_not_sent(words, said):
    assert said in run("sign", *words, secret=KEY, status=USAGE)


def test_a_secret_of_two_lines_is_no_header():
    told = run("sign", "bearer", "--send", "--url", "http://127.0.0.1/", secret=f"{KEY}\r\nX: y", status=USAGE)
    assert "control byte" in told and KEY not in told


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "HTTP//127.0.0.1/", "httpx://127.0.0.1/"])
def test_only_http_is_spoken(url):
    assert "http://" in run("sign", "bearer", "--send", "--url", url, secret=KEY, status=USAGE)
