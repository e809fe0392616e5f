"""What the module tells of itself and of a caller: public keys, metadata, who am I.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json

import pytest

from client import Connection, basic, get, github, head, post, request
from clients import put_clients, sha256
from issuing import ISSUER, ask, decode, openssl, private_key, read_token, token_line
from server import Server

CLIENTS = f"""
cli-1  first:{sha256("s3cret!")} org=acme environment=test scopes=read,write
plain  {sha256("plain-secret")}
"""
SECRET = "0123456789abcdef" * 2
PAGES = """
<Location "{path}">
    {line}
</Location>
<Location "{path}/token">
    SetHandler authverify-token
</Location>
<Location "{path}/jwks">
    SetHandler authverify-jwks
</Location>
<Location "{path}/metadata">
    SetHandler authverify-metadata
</Location>
"""


def whoami(path, lines):
    return f'<Location "{path}">\nSetHandler authverify-whoami\n{lines}\n</Location>\n'


@pytest.fixture(scope="module")
def keys():
    return [private_key("ES256"), private_key("ES256")]


@pytest.fixture(scope="module")
def server(keys):
    httpd = Server("", modules=["authn_core", "authz_user"])
    clients = put_clients(httpd, "clients", CLIENTS)
    new, old = (httpd.secret(f"key{number}", key) for number, key in enumerate(keys))
    shared = httpd.secret("shared", SECRET)
    rule = f"AuthVerify basic clients=file:{clients}"
    httpd.configure(
        PAGES.format(path="/oauth", line=token_line([new, old], clients, "scopes=read,write"))
        + PAGES.format(path="/older", line=token_line([old], clients))
        + PAGES.format(path="/shared", line=token_line([shared], clients, algorithm="HS256"))
        + PAGES.format(path="/nothing", line="")
        + whoami("/me", rule) + whoami("/open", "") + whoami("/anyone", "AuthVerify none methods=GET")
        + whoami("/observed", f"{rule}\nAuthVerifyMode observe")
        + whoami("/perhaps", f"{rule}\nAuthVerifyMode optional\n<RequireAny>\nRequire authverify\n"
                 "Require all granted\n</RequireAny>")
        + whoami("/hook", f"AuthVerify github secret={shared}"))
    with httpd as running:
        yield running


# --- keys -------------------------------------------------------------------------------------------------------------

def test_every_key_is_published_by_its_name(server, keys):
    answer = get(server, "/oauth/jwks")
    assert answer.status == 200 and answer.get("Content-Type") == "application/jwk-set+json"
    assert answer.get("Cache-Control") == "max-age=600"
    found = answer.json()["keys"]
    assert [sorted(key) for key in found] == [["alg", "crv", "kid", "kty", "use", "x", "y"]] * 2
    for key, private in zip(found, keys, strict=True):
        point = openssl("pkey", "-pubout", "-outform", "DER", stdin=private).stdout[-64:]
        assert decode(key["x"]) + decode(key["y"]) == point
        members = json.dumps({name: key[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        assert decode(key["kid"]) == hashlib.sha256(members.encode()).digest()


def test_the_first_key_signs_and_the_others_are_known(server, keys):
    names = [key["kid"] for key in get(server, "/oauth/jwks").json()["keys"]]
    for path, private, kid in (("/oauth/token", keys[0], names[0]), ("/older/token", keys[1], names[1])):
        answer = ask(server, path, client_id="cli-1", client_secret="s3cret!")
        header, _ = read_token(answer.json()["access_token"], private)
        assert header["kid"] == kid


def test_a_shared_secret_is_not_published(server):
    assert get(server, "/shared/jwks").body == b'{"keys":[]}'
    assert "jwks_uri" not in get(server, "/shared/metadata").json()


@pytest.mark.parametrize("page", ["/oauth/jwks", "/oauth/metadata"])
def test_a_page_that_is_known_is_not_sent_again(server, page):
    tag = get(server, page).get("ETag")
    again = get(server, page, {"If-None-Match": tag})
    assert (again.status, again.body, again.get("ETag")) == (304, b"", tag)
    assert get(server, page, {"If-None-Match": '"other"'}).status == 200
    assert get(server, page.replace("/oauth", "/older")).get("ETag") != tag


@pytest.mark.parametrize("page", ["/oauth/jwks", "/oauth/metadata"])
def test_a_page_is_only_read(server, page):
    answer = post(server, page, body=b"x")
    assert answer.status == 405 and "GET" in answer.get("Allow")


@pytest.mark.parametrize("page", ["/nothing/jwks", "/nothing/metadata"])
def test_a_page_without_its_line_says_so(server, page):
    server.expect("needs an AuthVerifyToken")
    assert get(server, page).status == 500


def test_metadata_say_where_tokens_are(server):
    answer = get(server, "/oauth/metadata")
    assert answer.get("Content-Type") == "application/json"
    assert answer.json() == {
        "issuer": ISSUER, "token_endpoint": f"{ISSUER}/token", "jwks_uri": f"{ISSUER}/jwks",
        "scopes_supported": ["read", "write"], "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"]}


# --- who am I ---------------------------------------------------------------------------------------------------------

def test_a_caller_is_told_who_he_is(server):
    answer = get(server, "/me", basic("cli-1", "s3cret!"))
    assert answer.json() == {"authenticated": True, "client": "cli-1", "scheme": "basic", "rule": "basic",
                             "secret": "first", "org": "acme", "environment": "test", "scopes": ["read", "write"]}
    assert answer.get("Cache-Control") == "no-store"
    assert get(server, "/me", basic("plain", "plain-secret")).json() == {
        "authenticated": True, "client": "plain", "scheme": "basic", "rule": "basic", "scopes": []}


def test_a_wrong_caller_is_refused_as_anywhere(server):
    server.refusal("wrong-secret")
    answer = get(server, "/me", basic("cli-1", "x"))
    assert answer.status == 401 and "Basic" in answer.get("WWW-Authenticate")


def test_a_body_may_be_signed(server):
    answer = post(server, "/hook", github(SECRET, b"delivery"), b"delivery")
    assert answer.json()["client"] == "github" and answer.json()["secret"] == "shared"


@pytest.mark.parametrize("path", ["/open", "/anyone", "/observed", "/perhaps"])
def test_where_nobody_is_proven_nobody_is_there(server, path):
    if path == "/observed":
        server.expect("would-refuse reason=not-presented")
    assert get(server, path).json() == {"authenticated": False}


def test_what_is_observed_proves_nobody(server):
    assert get(server, "/observed", basic("cli-1", "s3cret!")).json() == {"authenticated": False}


def test_who_may_stay_unknown_is_known_where_he_says_so(server):
    assert get(server, "/perhaps", basic("cli-1", "s3cret!")).json()["client"] == "cli-1"


def test_the_head_alone_may_be_asked_for(server):
    page = get(server, "/oauth/jwks")
    with Connection(server.port) as connection:
        connection.send(head("HEAD", "/oauth/jwks", {"Connection": "close"}))
        answer = connection.response(head_only=True)
        assert (answer.status, answer.get("Content-Length")) == (200, str(len(page.body)))
        assert connection.is_closed()


def test_another_method_is_let_through_where_the_rule_does(server):
    assert request(server, "PUT", "/me", basic("plain", "plain-secret"), b"x").json()["authenticated"]
