"""One provider from end to end: GitHub's deliveries through mod_proxy_http, and what the application gets of them.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib

import pytest

from client import Connection, HTTP1, Payload, get, github, head, post, request
from server import Server
from verdict import TELL, label_of, reason_of

SECRET = "a secret of the github tests"
OLDER_SECRET = "an older secret of the github tests"
BODY = b'{"ref":"refs/heads/main","text":"Z\xc3\xb6e\\r\\n"}\r\n'
DELIVERY = "5e6d0a30-0000-4000-8000-000000000001"

CONFIG = TELL + """
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
<Location "/hooks/github">
    AuthVerify github secret=file:${ROOT}/conf/new secret=file:${ROOT}/conf/old
    AuthVerifyHeader X-Proven-Sender %{client}
</Location>
"""


@pytest.fixture(scope="module")
def httpd(backend):
    server = Server(CONFIG, modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port})
    server.secret("new", SECRET)
    server.secret("old", OLDER_SECRET)
    with server:
        yield server


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


def delivery(body=BODY, secret=SECRET, **more):
    return {"X-GitHub-Event": "push", "X-GitHub-Delivery": DELIVERY, "Content-Type": "application/json",
            **github(secret, body), **more}


# --- what is accepted -------------------------------------------------------------------------------------------------

def test_a_genuine_delivery_reaches_the_application_byte_for_byte(httpd, backend):
    response = post(httpd, "/hooks/github", delivery(), BODY)
    assert (response.status, reason_of(response), label_of(response)) == (200, "accepted", "new")
    assert [(received.method, received.path, received.sha256) for received in backend.requests] == [
        ("POST", "/hooks/github", hashlib.sha256(BODY).hexdigest())]


def test_the_application_learns_the_sender_and_does_not_see_the_signature(httpd, backend):
    forged = {"X-Proven-Sender": "somebody else", "X_Proven_Sender": "somebody else"}
    assert post(httpd, "/hooks/github", delivery(**forged), BODY).status == 200
    headers = backend.requests[0].headers
    assert [value for name, value in headers if name.lower().replace("_", "-") == "x-proven-sender"] == ["github"]
    assert "x-hub-signature-256" not in [name.lower() for name, _ in headers]
    assert ("X-GitHub-Delivery", DELIVERY) in headers


def test_the_older_secret_is_valid_and_is_told_apart(httpd):
    response = post(httpd, "/hooks/github", delivery(secret=OLDER_SECRET), BODY)
    assert (response.status, label_of(response)) == (200, "old")


@pytest.mark.parametrize("way", HTTP1)
@pytest.mark.parametrize("size", [0, 1, 8192, 65536, 131072, 131073, 1 << 20])
def test_bodies_of_every_size_arrive_whole(httpd, backend, way, size):
    payload = Payload(size)
    response = HTTP1[way](httpd, "POST", "/hooks/github", delivery(payload.data), payload)
    assert response.status == 200, response
    assert [(received.length, received.sha256) for received in backend.requests] == [(size, payload.sha256)]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH"])
def test_the_signature_alone_decides_whatever_the_method(httpd, method):
    httpd.refusal("wrong-signature", 1)
    assert request(httpd, method, "/hooks/github", delivery(b"")).status == 200
    assert request(httpd, method, "/hooks/github", delivery(b"x")).status == 401


def test_a_path_without_a_rule_stays_open(httpd, backend):
    assert get(httpd, "/elsewhere").status == 200
    assert backend.count == 1


# --- what is refused --------------------------------------------------------------------------------------------------

PROOF = github(SECRET, BODY)["X-Hub-Signature-256"]

REFUSED = {
    "no signature": (None, "not-presented"),
    "empty": ("", "malformed-credential"),
    "only the prefix": ("sha256=", "malformed-credential"),
    "no prefix": (PROOF[7:], "malformed-credential"),
    "prefix in capitals": ("SHA256=" + PROOF[7:], "malformed-credential"),
    "another prefix": ("sha1=" + PROOF[7:], "malformed-credential"),
    "capitals": ("sha256=" + PROOF[7:].upper(), "malformed-credential"),
    "one digit too few": (PROOF[:-1], "malformed-credential"),
    "one byte too few": (PROOF[:-2], "malformed-credential"),
    "one byte too many": (PROOF + "00", "malformed-credential"),
    "not hexadecimal": (PROOF[:-1] + "g", "malformed-credential"),
    "two signatures": (f"{PROOF}, {PROOF}", "malformed-credential"),
    "one bit off": (PROOF[:-1] + "0123456789abcdef"[int(PROOF[-1], 16) ^ 1], "wrong-signature"),
    "another secret's": (github("another secret", BODY)["X-Hub-Signature-256"], "wrong-signature"),
    "another body's": (github(SECRET, BODY + b"x")["X-Hub-Signature-256"], "wrong-signature"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_this_delivery_signed_is_refused(httpd, backend, name):
    value, reason = REFUSED[name]
    headers = delivery()
    del headers["X-Hub-Signature-256"]
    if value is not None:
        headers["X-Hub-Signature-256"] = value
    httpd.refusal(reason, 1)
    response = post(httpd, "/hooks/github", headers, BODY)
    assert (response.status, reason_of(response)) == (401, reason)
    assert backend.count == 0


def test_a_refusal_tells_the_class_and_no_more(httpd):
    httpd.refusal("wrong-signature", 2)
    answers = [post(httpd, "/hooks/github", delivery(secret=secret), BODY) for secret in ("a secret", "another")]
    assert answers[0].body == answers[1].body
    assert answers[0].get("Content-Type") == "application/problem+json"
    assert answers[0].json()["status"] == 401
    assert answers[0].all("WWW-Authenticate") == answers[1].all("WWW-Authenticate")
    assert answers[0].get("WWW-Authenticate").startswith("AuthVerify realm=")
    for answer in answers:
        assert PROOF[7:] not in repr(answer) and SECRET not in repr(answer)


def test_the_log_names_the_rule_and_the_delivery_and_no_proof(httpd):
    httpd.expect(rf"refused reason=wrong-signature rule=github .*{DELIVERY}", 1)
    assert post(httpd, "/hooks/github", delivery(secret="another secret"), BODY).status == 401
    text = httpd.error_log.read_text()
    sent = github("another secret", BODY)["X-Hub-Signature-256"][7:]
    assert [word for word in (SECRET, PROOF[7:], sent) if word in text] == []


def test_a_signature_sent_twice_is_refused(httpd, backend):
    httpd.expect(r"refused reason=(?:malformed|ambiguous)-credential", 1)
    line = f"X-Hub-Signature-256: {PROOF}\r\n".encode()
    with Connection(httpd.port) as connection:
        first = head("POST", "/hooks/github", {"Content-Length": str(len(BODY)), "Connection": "close"})
        connection.send(first[:-2] + line + line + b"\r\n" + BODY)
        assert connection.final_response().status in (400, 401)
    assert backend.count == 0


def test_a_connection_goes_on_after_a_refusal(httpd, backend):
    httpd.refusal("wrong-signature", 2)
    with Connection(httpd.port) as connection:
        for secret, status in ((SECRET, 200), ("wrong", 401), (SECRET, 200), ("wrong", 401), (OLDER_SECRET, 200)):
            assert post(httpd, "/hooks/github", delivery(secret=secret), BODY, connection=connection).status == status
    assert [received.sha256 for received in backend.requests] == [hashlib.sha256(BODY).hexdigest()] * 3
