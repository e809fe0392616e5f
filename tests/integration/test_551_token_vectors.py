"""Requests for tokens that others have written down, with the answer that each must get; and hostile ones.

The cases are data kept beside the source tree.
SPDX-License-Identifier: Apache-2.0
"""
import json

import pytest

from attacks import final_status, load_attacks, send
from client import request
from clients import bcrypt, put_clients, sha256
from clock import shared_folder
from issuing import AUDIENCE, ISSUER, openssl, private_key, read_token, token_line
from server import Server, free_port

SHARED = shared_folder()
pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")


def load_cases():
    path = SHARED / "vectors" / "jose" / "token-endpoint" / "token-endpoint.json"
    return json.loads(path.read_text(encoding="utf-8"))["cases"]


CASES = load_cases() if SHARED else []
ATTACKS, FIXTURES = load_attacks(SHARED, ("token_endpoint",)) if SHARED else ([], {})

# The cases' clients, and the attacks' one.
CLIENTS = f"""
cli-1 {sha256("s3cret!")} scopes=hooks:write,hooks:read
cli%3A2 {bcrypt("p%+ :ä")} scopes=hooks:write
client1 {sha256("client-secret-0123456789")} scopes=read
"""

SITE = """
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    <Location "/oauth/token">
        {line}
        SetHandler authverify-token
    </Location>
    <Location "/api/auth">
        {legacy}
        SetHandler authverify-token
    </Location>
    <Location "/api">
        AuthVerify jwt keys=file:{public} algorithms=ES256 prefix=Bearer,EN issuer={issuer} audience={audience}
    </Location>
    <Location "/api/auth">
        AuthVerify off
    </Location>
</VirtualHost>
"""


class Sites:
    """The same endpoint twice: one does without TLS, one does not."""

    def __init__(self, server, key, insecure, secure):
        self.server, self.key, self.insecure, self.secure = server, key, insecure, secure


@pytest.fixture(scope="module")
def sites():
    httpd = Server("", modules=["authn_core"])
    clients = put_clients(httpd, "clients", CLIENTS)
    key = private_key("ES256")
    source = httpd.secret("key", key)
    httpd.secret("public", openssl("pkey", "-pubout", stdin=key).stdout, 0o644)
    httpd.write("api", "hello")
    ports = free_port(), free_port()
    httpd.configure("".join(SITE.format(
        port=port, public=httpd.root / "conf" / "public", issuer=ISSUER, audience=AUDIENCE,
        line=token_line(source, clients, insecure=port == ports[0]),
        legacy=token_line(source, clients, "legacy=EN", insecure=port == ports[0])) for port in ports))
    with httpd as running:
        yield Sites(running, key, *ports)


class Site:
    def __init__(self, port):
        self.port = port


def issued(sites):
    """A token of the older form, for the cases that go on with one."""
    answer = request(Site(sites.insecure), "GET", "/api/auth?username=cli-1&secret=s3cret!")
    assert answer.status == 200
    return answer.json()["Value"]


def assert_expected(case, answer):
    expected = case["expect"]
    assert answer.status == case["expect_status"], answer
    for member in expected.get("json", ()):
        assert member in answer.json()
    for member, value in expected.get("json_eq", {}).items():
        assert answer.json()[member] == value
    if "error" in expected:
        assert answer.json()["error"] == expected["error"]
    if "header" in expected:
        name, _, start = expected["header"].partition(": ")
        assert answer.get(name).startswith(start)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_gets_its_answer(sites, case):
    asked = case["request"]
    sites.server.allow(r"(?<!-)refused reason=")
    headers = {name: value.replace("<Value>", issued(sites) if "<Value>" in value else "")
               for name, value in asked["headers"]}
    port = sites.secure if asked.get("scheme") == "http" else sites.insecure
    body = asked.get("body")
    answer = request(Site(port), asked["method"], asked["path"], headers, body.encode() if body is not None else None)
    assert_expected(case, answer)


# Recipes and not requests: test_552_token_throttle.py, test_556_revoked_pairs.py.
NAMED = {"TK-021", "TK-023"}
RAW = [attack for attack in ATTACKS if attack.is_raw]


@pytest.mark.parametrize("attack", RAW, ids=[attack.id for attack in RAW])
def test_an_attack_gets_nothing_that_is_not_its_own(sites, attack):
    sites.server.allow(r"(?<!-)refused reason=")
    answer = send(sites.insecure, attack)
    head, _, body = answer.partition(b"\r\n\r\n")
    status, allowed = final_status(answer), attack.expect["status_any"]
    assert status in allowed or ("2xx" in allowed and status == 200), answer[:500]
    assert b"Cache-Control: no-store" in head and b"Access-Control" not in head
    assert b"client-secret-0123456789" not in answer
    if status != 200:
        assert json.loads(body)["error"]
        return
    _, claims = read_token(json.loads(body)["access_token"], sites.key)
    assert claims["sub"] == "client1" and claims["exp"] == claims["iat"] + 600


def test_every_case_was_there():
    assert len(CASES) == 14 and {attack.id for attack in ATTACKS if not attack.is_raw} == NAMED
