"""OAuth clients that people use ask the token endpoint for a token, and those that verify tokens take it.

Needs what node.py says, and of Debian python3-authlib, python3-jwt and python3-requests-oauthlib.
SPDX-License-Identifier: Apache-2.0
"""
import json

import pytest
import requests

from clients import bcrypt, put_clients, sha256
from issuing import AUDIENCE, KINDS, openssl, private_key
from node import run_node
from server import Server

jwt = pytest.importorskip("jwt")

ALGORITHMS = ["ES256", "RS256", "EdDSA"]
SECRETS = {"plain-client": "a-secret-of-letters", "odd client:1": "p%+ :ä/&=?#\"'"}
SITE = """
<Location "/{name}">
    AuthVerifyToken clients=file:{clients} key={key} algorithm={name} issuer=http://127.0.0.1:{port}/{name} \\
        audience={audience} insecure=on
</Location>
<Location "/{name}/token">
    SetHandler authverify-token
</Location>
<Location "/{name}/jwks">
    SetHandler authverify-jwks
</Location>
<Location "/.well-known/oauth-authorization-server/{name}">
    AuthVerifyToken clients=file:{clients} key={key} algorithm={name} issuer=http://127.0.0.1:{port}/{name} \\
        audience={audience} insecure=on
    SetHandler authverify-metadata
</Location>
<Location "/{name}/api">
    AuthVerify jwt keys=file:{public} algorithms={name} issuer=http://127.0.0.1:{port}/{name} audience={audience} \\
        type=at+jwt scopes=read
    SetHandler authverify-whoami
</Location>
"""


@pytest.fixture(scope="module")
def server():
    httpd = Server("", modules=["authn_core"])
    clients = put_clients(httpd, "clients", f"plain-client {sha256(SECRETS['plain-client'])} scopes=read,write\n"
                                            f"odd%20client%3A1 {bcrypt(SECRETS['odd client:1'])} scopes=read\n")
    parts = []
    for name in ALGORITHMS:
        assert name in KINDS
        private = private_key(name)
        httpd.secret(f"{name}.pub", openssl("pkey", "-pubout", stdin=private).stdout, 0o644)
        parts.append(SITE.format(name=name, clients=clients, key=httpd.secret(name, private), port=httpd.port,
                                 public=httpd.root / "conf" / f"{name}.pub", audience=AUDIENCE))
    httpd.configure("".join(parts))
    with httpd as running:
        yield running


def issuer(server, algorithm):
    return f"http://127.0.0.1:{server.port}/{algorithm}"


def call(server, algorithm, token):
    """The API behind a rule of the scheme jwt."""
    return requests.get(f"{issuer(server, algorithm)}/api", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def assert_verified(server, algorithm, token, client):
    """By PyJWT, with the keys that are published; and by httpd."""
    key = jwt.PyJWKClient(f"{issuer(server, algorithm)}/jwks").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key.key, algorithms=[algorithm], audience=AUDIENCE, issuer=issuer(server, algorithm))
    assert claims["client_id"] == client
    answer = call(server, algorithm, token)
    assert answer.status_code == 200 and answer.json()["client"] == client


@pytest.mark.parametrize("client", SECRETS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_oauth4webapi_finds_asks_and_validates(server, tmp_path, algorithm, client):
    text = json.dumps({"issuer": issuer(server, algorithm), "id": client, "secret": SECRETS[client],
                       "audience": AUDIENCE, "algorithm": algorithm, "parameters": {"scope": "read"}})
    for made in json.loads(run_node("oauth.mjs", text, tmp_path)).values():
        assert "error" not in made, made
        assert made["answer"]["scope"] == "read" and made["answer"]["expires_in"] == 600
        assert made["claims"]["client_id"] == client
        assert_verified(server, algorithm, made["answer"]["access_token"], client)


@pytest.mark.parametrize("wrong, error, reason", [
    ({"secret": "guess"}, "invalid_client", "wrong-secret"),
    ({"parameters": {"scope": "admin"}}, "invalid_scope", "scope-not-allowed")])
def test_oauth4webapi_is_told_why_not(server, tmp_path, wrong, error, reason):
    asked = {"issuer": issuer(server, "ES256"), "id": "plain-client", "secret": SECRETS["plain-client"],
             "audience": AUDIENCE, "algorithm": "ES256", "parameters": {}, **wrong}
    answers = json.loads(run_node("oauth.mjs", json.dumps(asked), tmp_path))
    server.refusal(reason, 2)
    assert [made["error"] for made in answers.values()] == [error, error]


# Authlib 1.2 does not form-encode what it puts into the header (RFC 6749 section 2.3.1): not every client can use it.
@pytest.mark.parametrize("way, client", [("client_secret_basic", "plain-client"),
                                         ("client_secret_post", "plain-client"),
                                         ("client_secret_post", "odd client:1")])
def test_authlib_asks(server, way, client):
    session = pytest.importorskip("authlib.integrations.requests_client").OAuth2Session
    asking = session(client, SECRETS[client], scope="read", token_endpoint_auth_method=way)
    token = asking.fetch_token(f"{issuer(server, 'ES256')}/token", grant_type="client_credentials")
    assert_verified(server, "ES256", token["access_token"], client)


@pytest.mark.parametrize("in_body", [True, False])
def test_requests_oauthlib_asks(server, monkeypatch, in_body):
    oauthlib = pytest.importorskip("requests_oauthlib")
    from oauthlib.oauth2 import BackendApplicationClient
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    session = oauthlib.OAuth2Session(client=BackendApplicationClient(client_id="plain-client", scope=["read"]))
    token = session.fetch_token(f"{issuer(server, 'ES256')}/token", client_id="plain-client",
                                client_secret=SECRETS["plain-client"], include_client_id=in_body)
    assert_verified(server, "ES256", token["access_token"], "plain-client")
