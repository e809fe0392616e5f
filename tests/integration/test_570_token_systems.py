"""Systems whose clients fetch a token first, end to end: the examples as they are, from the credential to the call.

SPDX-License-Identifier: Apache-2.0
"""
from pathlib import Path

import pytest

from client import curl, get
from clients import put_clients
from issuing import ask, in_header, openssl, private_key
from samples import filled, samples_of
from server import LOG_SECONDS, Server, wait_until

EXAMPLES = Path(__file__).resolve().parents[2] / "conf" / "examples"
SECRETS = {"MAIN_SECRET": "the main secret of acme", "SPARE_SECRET": "the spare secret of acme",
           "SANDBOX_SECRET": "a secret for trying", "ACME_SECRET": "p%+ :\u00e4", "OTHER_PASSWORD": "other password"}


def example(name, backend):
    """A server with the example. TLS ends before it, which ServerName says."""
    text = (EXAMPLES / f"{name}.conf").read_text(encoding="utf-8")
    server = Server("", modules=["proxy", "proxy_http", "authn_core"])
    for file, sample in samples_of(text).items():
        put_clients(server, file, filled(sample, SECRETS))
    key = private_key("ES256")
    server.secret(f"{name}.pem", key)
    server.secret(f"{name}.pub.pem", openssl("pkey", "-pubout", stdin=key).stdout, 0o644)
    text = text.replace("/etc/authverify/", f"{server.root}/conf/")
    server.configure("ServerName https://api.example.com\n"
                     + text.replace("127.0.0.1:8080", f"127.0.0.1:{backend.port}"))
    return server


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


# --- Signicat ---------------------------------------------------------------------------------------------------------

CONNECT = "/auth/open/connect"


@pytest.fixture(scope="module")
def signicat(backend):
    with example("signicat", backend) as running:
        yield running


@pytest.mark.parametrize("secret", ["MAIN_SECRET", "SPARE_SECRET"])
@pytest.mark.parametrize("way", ["basic", "post"])
def test_signicat_a_client_fetches_a_token_and_calls(signicat, backend, way, secret):
    client = ("prod-acme-signing", SECRETS[secret])
    said = {"headers": in_header(*client)} if way == "basic" else {"client_id": client[0], "client_secret": client[1]}
    answer = ask(signicat, f"{CONNECT}/token", scope="signicat-api", **said)
    assert answer.status == 200 and answer.get("Cache-Control") == "no-store"
    assert (answer.json()["token_type"], answer.json()["expires_in"], answer.json()["scope"]) == (
        "Bearer", 600, "signicat-api")
    call = get(signicat, "/sign/documents", {"Authorization": f"Bearer {answer.json()['access_token']}"})
    assert call.status == 200, call
    received = dict(backend.requests[-1].headers)
    assert (received["X-Client"], received["X-Scopes"]) == ("prod-acme-signing", "signicat-api")
    assert "Authorization" not in received


def test_signicat_a_token_without_the_permission_opens_nothing(signicat, backend):
    token = ask(signicat, f"{CONNECT}/token", headers=in_header("prod-acme-signing", SECRETS["MAIN_SECRET"]),
                scope="reports").json()["access_token"]
    signicat.refusal("client-not-allowed")
    assert get(signicat, "/sign/documents", {"Authorization": f"Bearer {token}"}).status == 403
    assert not backend.requests


def test_signicat_the_sandbox_has_no_token_of_production(signicat):
    signicat.refusal("client-not-allowed")
    answer = ask(signicat, f"{CONNECT}/token", headers=in_header("sandbox-acme-signing", SECRETS["SANDBOX_SECRET"]))
    assert (answer.status, answer.json()["error"]) == (400, "unauthorized_client")


def test_signicat_a_token_that_was_changed_opens_nothing(signicat, backend):
    token = ask(signicat, f"{CONNECT}/token", headers=in_header("prod-acme-signing", SECRETS["MAIN_SECRET"])).json()
    head, claims, signature = token["access_token"].split(".")
    changed = "B" if signature[0] == "A" else "A"
    signicat.refusal("wrong-signature")
    assert get(signicat, "/sign/x", {"Authorization": f"Bearer {head}.{claims}.{changed}{signature[1:]}"}).status == 401
    assert not backend.requests


# --- Syndigo ----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def syndigo(backend):
    with example("syndigo", backend) as running:
        yield running


def url(server, path):
    return f"http://127.0.0.1:{server.port}{path}"


def fetch(server, way, username, secret):
    """curl asks for a token, in the query or in the body."""
    fields = ["--data-urlencode", f"username={username}", "--data-urlencode", f"secret={secret}"]
    return curl(*(["--get"] if way == "query" else []), *fields, url(server, "/api/auth"))


@pytest.mark.parametrize("way", ["query", "body"])
@pytest.mark.parametrize("username, secret", [("acme-catalogue", "ACME_SECRET"), ("other-catalogue", "OTHER_PASSWORD")])
def test_syndigo_a_client_fetches_a_token_and_calls(syndigo, backend, way, username, secret):
    answer = fetch(syndigo, way, username, SECRETS[secret])
    assert answer.status == 200 and answer.get("Cache-Control") == "no-store"
    said = answer.json()
    assert sorted(said) == ["AuthHeader", "Value"] and said["AuthHeader"] == f"EN {said['Value']}"
    for header in (said["AuthHeader"], said["Value"], f"Bearer {said['Value']}"):
        backend.reset()
        assert get(syndigo, "/api/products", {"Authorization": header}).status == 200
        assert dict(backend.requests[-1].headers)["X-Client"] == username
        tried = get(syndigo, "/api/auth/test", {"Authorization": header})
        assert (tried.status, tried.json()["authenticated"], tried.json()["client"]) == (200, True, username)


def test_syndigo_a_client_without_a_token_is_refused(syndigo, backend):
    syndigo.refusal("not-presented", 2)
    assert get(syndigo, "/api/products").status == 401
    assert get(syndigo, "/api/auth/test").status == 401
    assert not backend.requests


@pytest.mark.parametrize("way", ["query", "body"])
def test_syndigo_a_wrong_secret_is_refused(syndigo, backend, way):
    syndigo.refusal("wrong-secret")
    answer = fetch(syndigo, way, "acme-catalogue", "guess")
    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")
    assert not backend.requests


def test_syndigo_no_log_holds_a_secret_of_the_query(syndigo):
    fetch(syndigo, "query", "acme-catalogue", SECRETS["ACME_SECRET"])
    assert get(syndigo, "/api/auth?username=acme-catalogue&secret=a%20plain-mark&x=1").status == 401
    syndigo.refusal("wrong-secret")
    log = syndigo.root / "logs" / "access_log"
    wait_until(lambda: "/api/auth?username=acme-catalogue&x=1 HTTP" in log.read_text(), LOG_SECONDS, "not logged")
    assert "plain-mark" not in log.read_text() + syndigo.all_output() and "secret=" not in log.read_text()
