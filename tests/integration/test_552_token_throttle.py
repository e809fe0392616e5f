"""AuthVerifyThrottle at the token endpoint: who guesses must wait, and who fetches a token for each request.

The clock stands still, so that nothing is forgotten but where a test puts it forward.
SPDX-License-Identifier: Apache-2.0
"""
import calendar
import itertools
from urllib.parse import urlencode

import pytest

from client import Connection, head
from clients import bcrypt, put_clients, sha256
from clock import Clock
from issuing import AUDIENCE, FORM, ISSUER, in_header, openssl, private_key, token_line
from server import Server

NOW = calendar.timegm((2026, 6, 1, 12, 0, 0))

CLIENTS = f"""
billing {sha256("its-secret")} scopes=read
slow {bcrypt("a-password")}
busy {sha256("busy-secret")}
over {sha256("over-secret")} expires=2026-05-01
"""

SITE = """
<Location "/token">
    {line}
    AuthVerifyThrottle failures=4 network-failures=8 window=40
    SetHandler authverify-token
</Location>
<Location "/few">
    {line}
    AuthVerifyThrottle tokens=5 window=40
    SetHandler authverify-token
</Location>
<Location "/api">
    AuthVerify jwt keys=file:{public} algorithms=ES256 issuer={issuer} audience={audience}
    AuthVerifyThrottle failures=4 network-failures=8 window=40
</Location>
"""

_hosts = itertools.count(1)


def fresh_network():
    return f"127.40.{next(_hosts)}.7"


@pytest.fixture(scope="module")
def clock():
    with Clock(NOW) as stopped:
        yield stopped


@pytest.fixture(scope="module")
def running(clock):
    server = Server("", environment=clock.environment)
    clients = put_clients(server, "clients", CLIENTS)
    key = private_key("ES256")
    source = server.secret("key", key)
    server.secret("public", openssl("pkey", "-pubout", stdin=key).stdout, 0o644)
    server.write("api/x", "hello")
    line = token_line(source, clients, "legacy=EN")
    server.configure(SITE.format(line=line, public=server.root / "conf" / "public", issuer=ISSUER, audience=AUDIENCE))
    with server:
        yield server


@pytest.fixture
def server(running, clock):
    clock.stop_at(NOW)
    return running


def ask(server, network, client, secret, form=True, path="/token", **more):
    """Asks for a token with the client in the body, or in the header."""
    fields = {"client_id": client, "client_secret": secret} if form else {}
    body = urlencode({"grant_type": "client_credentials", **fields, **more}).encode()
    headers = {"Content-Type": FORM, "Content-Length": str(len(body)), "Connection": "close",
               **({} if form else in_header(client, secret))}
    with Connection(server.port, source=network) as connection:
        connection.send(head("POST", path, headers), body)
        return connection.final_response()


def fail(server, network, count, client="billing", form=True, path="/token"):
    server.allow_refusals("wrong-secret", "unknown-client")
    for _ in range(count):
        answer = ask(server, network, client, "wrong", form, path)
        assert (answer.status, answer.json()["error"]) == (401, "invalid_client")


def assert_waits(server, answer, seconds, reason="throttled"):
    server.refusal(reason)
    assert answer.status == 429 and answer.get("Retry-After") == str(seconds)
    assert answer.get("Content-Type") == "application/json" and answer.get("Cache-Control") == "no-store"
    assert answer.json() == {"error": "temporarily_unavailable",
                             "error_description": "There were too many attempts. Come back later."}
    assert answer.get("WWW-Authenticate") is None


@pytest.mark.parametrize("form", [True, False])
@pytest.mark.parametrize("client, secret", [("billing", "its-secret"), ("nobody", "x"), ("slow", "a-password")])
def test_a_client_that_was_guessed_at_waits(server, clock, client, secret, form):
    network = fresh_network()
    fail(server, network, 4, client, form)
    assert_waits(server, ask(server, network, client, secret, form), 10)
    assert ask(server, network, "busy", "busy-secret").status == 200
    assert ask(server, fresh_network(), client, secret, form).status == (401 if client == "nobody" else 200)
    clock.stop_at(NOW + 10)
    assert ask(server, network, client, secret, form).status == (401 if client == "nobody" else 200)


def test_a_network_waits_before_its_body_is_read(server):
    network = fresh_network()
    for number in range(8):
        fail(server, network, 1, f"client-{number}")
    assert_waits(server, ask(server, network, "billing", "its-secret"), 5)
    with Connection(server.port, source=network) as connection:
        connection.send(head("POST", "/token", {"Content-Type": FORM, "Content-Length": "10",
                                                "Expect": "100-continue"}))
        assert_waits(server, connection.response(), 5)


def test_the_older_form_is_counted_as_well(server):
    network = fresh_network()
    server.allow_refusals("wrong-secret", "throttled")

    def ask_legacy(secret):
        with Connection(server.port, source=network) as connection:
            connection.send(head("GET", f"/token?username=billing&secret={secret}", {"Connection": "close"}))
            return connection.final_response()
    for _ in range(4):
        assert ask_legacy("wrong").status == 401
    assert_waits(server, ask_legacy("its-secret"), 10)
    assert_waits(server, ask(server, network, "billing", "its-secret"), 10)


@pytest.mark.parametrize("client, secret, more, status, reason", [
    ("over", "over-secret", {}, 400, "client-expired"),
    ("billing", "its-secret", {"scope": "write"}, 400, "scope-not-allowed"),
    ("billing", "its-secret", {"grant_type": "password"}, 400, "unsupported-grant"),
    ("", "its-secret", {}, 401, "not-presented"),
])
def test_what_is_no_wrong_secret_counts_nothing(server, client, secret, more, status, reason):
    network = fresh_network()
    server.allow_refusals(reason)
    for _ in range(12):
        assert ask(server, network, client, secret, **more).status == status
    assert ask(server, network, "billing", "its-secret").status == 200


def test_guesses_at_the_endpoint_and_at_the_api_are_apart(server):
    network = fresh_network()
    for number in range(8):
        fail(server, network, 1, f"client-{number}")
    token = ask(server, fresh_network(), "slow", "a-password").json()["access_token"]
    with Connection(server.port, source=network) as connection:
        connection.send(head("GET", "/api/x", {"Authorization": f"Bearer {token}", "Connection": "close"}))
        assert connection.final_response().status == 200


def test_a_forged_token_is_a_failed_proof(server):
    network = fresh_network()
    server.allow_refusals("wrong-signature", "throttled")
    token = ask(server, fresh_network(), "slow", "a-password").json()["access_token"]

    def call(token):
        with Connection(server.port, source=network) as connection:
            connection.send(head("GET", "/api/x", {"Authorization": f"Bearer {token}", "Connection": "close"}))
            return connection.final_response().status
    forged = token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:]
    assert [call(forged) for _ in range(8)] == 8 * [401]
    assert call(token) == 429


def ask_few(server, client="busy", secret="busy-secret"):
    return ask(server, fresh_network(), client, secret, path="/few")


# TK-021 of the hostile requests: many tokens for one client. What was given stays good, and nobody else must wait.
def test_tk_021_a_client_gets_as_many_tokens_as_it_may(server, clock):
    answers = [ask_few(server) for _ in range(5)]
    assert [answer.status for answer in answers] == 5 * [200]
    for _ in range(20):
        assert_waits(server, ask_few(server), 8, "too-many-tokens")
    server.expect(r"\[authverify:warn\] .* refused reason=too-many-tokens rule=token client=busy id=-: ", 21)
    assert ask_few(server, "billing", "its-secret").status == 200
    for answer in answers:
        with Connection(server.port) as connection:
            fields = {"Authorization": f"Bearer {answer.json()['access_token']}", "Connection": "close"}
            connection.send(head("GET", "/api/x", fields))
            assert connection.final_response().status == 200
    clock.stop_at(NOW + 8)
    assert ask_few(server).status == 200
    assert_waits(server, ask_few(server), 8, "too-many-tokens")


def test_a_wrong_secret_uses_up_no_token_and_is_not_counted(server):
    network = fresh_network()
    fail(server, network, 20, "slow", path="/few")
    assert ask(server, network, "slow", "a-password", path="/few").status == 200
