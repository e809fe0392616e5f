"""An authorization server that people use, Authlib's, gives tokens, is asked about them (RFC 7662) and takes them back (RFC
7009): what it calls active is let in, and nothing else.

Needs of Debian python3-authlib and python3-requests.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import secrets
import urllib.parse

import pytest
import requests

from client import get
from configtest import in_location
from issuer import Issuer
from server import Server, wait_until
from tokens import bearer

pytest.importorskip("authlib")
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # it sees paths, and TLS has ended before it

from authlib.oauth2 import rfc6749, rfc6750, rfc7009, rfc7662  # noqa: E402

METHODS = ["client_secret_basic", "client_secret_post"]
SECRETS = {"machine": "a-secret-of-a-machine-1", "api-gateway": "a-secret-of-this-server"}
API = "https://api.example.com/"


class Client(rfc6749.ClientMixin):
    def __init__(self, name):
        self.client_id = name

    def check_client_secret(self, secret):
        return secret == SECRETS[self.client_id]

    def check_endpoint_auth_method(self, method, endpoint):
        return method in METHODS

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope):
        return scope


class Token(rfc6749.TokenMixin):
    def __init__(self, said, client):
        self.said, self.client, self.revoked = said, client, False

    def check_client(self, client):
        return client.client_id == self.client.client_id

    def is_expired(self):
        return False

    def is_revoked(self):
        return self.revoked


class AuthorizationServer(rfc6749.AuthorizationServer):
    """Authlib's, with its tokens in memory, behind the HTTPS server of the tests."""

    def __init__(self, issuer):
        super().__init__(scopes_supported=["read", "write"])
        self.tokens = {}
        self.register_token_generator("default", rfc6750.BearerTokenGenerator(lambda **_: secrets.token_urlsafe(32)))
        self.register_grant(ClientCredentials)
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection)
        issuer.documents["/token"] = lambda *request: self.create_token_response(request)
        for name in ("introspection", "revocation"):
            issuer.documents[f"/{name}"] = lambda *request, name=name: self.create_endpoint_response(name, request)

    def query_client(self, name):
        return Client(name) if name in SECRETS else None

    def save_token(self, token, request):
        self.tokens[token["access_token"]] = Token(token, request.client)

    def create_oauth2_request(self, request):
        headers, form = request
        return rfc6749.OAuth2Request("POST", "https://issuer.example/", dict(urllib.parse.parse_qsl(form)), headers)

    def handle_response(self, status, body, headers):
        return status, json.dumps(body), dict(headers)

    def send_signal(self, *_, **__):
        pass


class ClientCredentials(rfc6749.grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class Revocation(rfc7009.RevocationEndpoint):
    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, text, hint):
        return self.server.tokens.get(text)

    def revoke_token(self, token, request):
        token.revoked = True


class Introspection(rfc7662.IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, text, hint):
        return self.server.tokens.get(text)

    def check_permission(self, token, client, request):
        return client.client_id == "api-gateway"

    def introspect_token(self, token):
        return {"client_id": token.client.client_id, "token_type": token.said["token_type"], "aud": API,
                "scope": token.said.get("scope", "")}


@pytest.fixture(scope="module", params=METHODS)
def site(request):
    with Issuer() as issuer:
        AuthorizationServer(issuer)
        rule = f"AuthVerify introspection endpoint={issuer.url}/introspection cache=1 " \
               f"endpoint-authorities={issuer.authorities} client-id=api-gateway secret=file:conf/secret " \
               f"authentication={request.param} audience={API} scopes=read"
        server = Server(in_location(rule, "/api/"))
        server.secret("secret", SECRETS["api-gateway"])
        server.write("api/x", "here")
        with server:
            yield server, issuer


def ask(issuer, path, **form):
    answer = requests.post(issuer.url + path, data=form, auth=("machine", SECRETS["machine"]),
                           verify=str(issuer.authorities), timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_token_of_authlib_is_good_until_it_is_revoked(site):
    server, issuer = site
    token = ask(issuer, "/token", grant_type="client_credentials", scope="read write")["access_token"]
    answer = get(server, "/api/x", bearer(token))
    assert (answer.status, answer.body) == (200, b"here")
    ask(issuer, "/revocation", token=token)
    server.refusal("inactive-token")
    wait_until(lambda: get(server, "/api/x", bearer(token)).status == 401, 5, "the revocation is not noticed")


def test_a_token_that_authlib_gave_for_something_else_is_not_enough(site):
    server, issuer = site
    server.refusal("client-not-allowed", 1)
    token = ask(issuer, "/token", grant_type="client_credentials", scope="write")["access_token"]
    assert get(server, "/api/x", bearer(token)).status == 403


def test_a_token_that_authlib_never_gave_is_none(site):
    server, _ = site
    server.refusal("inactive-token", 1)
    assert get(server, "/api/x", bearer(secrets.token_urlsafe(32))).status == 401
