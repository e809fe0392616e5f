"""The token endpoint: who gets a token, what it says, what a refused client is told, and what is written down of it.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import time

import pytest

from client import Connection, basic, curl, get, head, post, request
from clients import bcrypt, put_clients, sha256
from issuing import AUDIENCE, FORM, ISSUER, KINDS, ask, in_header, private_key, read_token, token_line
from server import LOG_SECONDS, Server, wait_until

CLIENTS = f"""
cli-1      sha256-label:{sha256("s3cret!")} next:{sha256("another secret")} scopes=hooks:write,hooks:read
cli%3A2    {bcrypt("p%+ :ä")} scopes=hooks:write
named      {sha256("named-secret")} user=Alice org=acme environment=production
tester     {sha256("test-secret")} environment=test
away       {sha256("away-secret")} from=192.0.2.0/24
old        {sha256("old-secret")} expires=2020-01-01
soon       {sha256("soon-secret")} expires=SOON
header     {sha256("header-secret")} schemes=bearer
proper     {sha256("proper-secret")} schemes=bearer,client-credentials
narrow     {sha256("narrow-secret")} paths=/api/*
getter     {sha256("getter-secret")} methods=GET
"""

ENDPOINT = """
<Location "{path}">
    {line}
    SetHandler authverify-token
    {more}
</Location>
"""


def soon():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 300))


def endpoint(path, line, more=""):
    return ENDPOINT.format(path=path, line=line, more=more)


@pytest.fixture(scope="module")
def keys():
    return {name: private_key(name) for name in (*KINDS, "HS256")}


@pytest.fixture(scope="module")
def server(keys):
    httpd = Server("", modules=["http2", "headers", "authn_core"])
    clients = put_clients(httpd, "clients", CLIENTS.replace("SOON", soon()))
    sources = {name: httpd.secret(name, key) for name, key in keys.items()}
    line = token_line(sources["ES256"], clients)
    parts = ["Protocols h2c http/1.1\n", endpoint("/oauth/token", line)]
    parts += [endpoint(f"/{name}", token_line(source, clients, algorithm=name)) for name, source in sources.items()]
    parts += [endpoint("/safe", token_line(sources["ES256"], clients, insecure=False)),
              endpoint("/production", token_line(sources["ES256"], clients, "environment=production")),
              endpoint("/writers", token_line(sources["ES256"], clients, "scopes=hooks:write", "lifetime=60")),
              endpoint("/realm", token_line(sources["ES256"], clients, '"realm=Our API"')),
              endpoint("/far", token_line(sources["ES256"], clients, "from=192.0.2.0/24")),
              endpoint("/small", line, 'AuthVerifyBody limit=64 timeout=1'),
              endpoint("/near", line, "AuthVerify none from=127.0.0.1"),
              endpoint("/both", line, f"AuthVerify basic clients=file:{clients}"),
              endpoint("/observed", line, f"AuthVerify basic clients=file:{clients}\nAuthVerifyMode observe"),
              endpoint("/closed", token_line(sources["ES256"], clients, "legacy=EN"), "Require all denied"),
              '<Location "/none">\nSetHandler authverify-token\n</Location>\n']
    httpd.configure("".join(parts))
    with httpd as running:
        yield running


def refused(server, answer, status, error, reason):
    server.refusal(reason)
    assert (answer.status, answer.json()["error"]) == (status, error), answer
    assert answer.get("Cache-Control") == "no-store"
    assert answer.get("Content-Type") == "application/json"
    return answer


# --- what a token says ------------------------------------------------------------------------------------------------

def test_a_client_gets_a_token(server, keys):
    before = int(time.time())
    answer = ask(server, headers=in_header("cli-1", "s3cret!"))
    assert answer.status == 200, answer
    assert (answer.get("Cache-Control"), answer.get("Pragma")) == ("no-store", "no-cache")
    assert answer.get("Content-Type") == "application/json"
    said = answer.json()
    assert {name: said[name] for name in said if name != "access_token"} == {
        "token_type": "Bearer", "expires_in": 600, "scope": "hooks:write hooks:read"}
    header, claims = read_token(said["access_token"], keys["ES256"])
    assert header["typ"] == "at+jwt" and header["alg"] == "ES256" and len(header["kid"]) == 43
    assert before <= claims["iat"] <= int(time.time())
    assert claims["exp"] == claims["iat"] + 600
    assert len(claims["jti"]) == 22
    assert {name: claims[name] for name in claims if name not in ("iat", "exp", "jti")} == {
        "iss": ISSUER, "sub": "cli-1", "aud": AUDIENCE, "client_id": "cli-1", "scope": "hooks:write hooks:read"}


def test_a_scope_is_said_as_it_was_sent(server, keys):
    body = b"grant_type=client_credentials&client_id=cli-1&client_secret=s3cret!&scope=hooks:read"
    answer = post(server, "/oauth/token", {"Content-Type": FORM}, body)
    assert answer.json()["scope"] == "hooks:read"
    assert read_token(answer.json()["access_token"], keys["ES256"])[1]["scope"] == "hooks:read"


def test_no_two_tokens_are_one(server):
    tokens = {ask(server, headers=in_header("cli-1", "s3cret!")).json()["access_token"] for _ in range(5)}
    assert len(tokens) == 5


@pytest.mark.parametrize("algorithm", [*KINDS, "HS256"])
def test_each_algorithm_signs(server, keys, algorithm):
    answer = ask(server, f"/{algorithm}", client_id="cli-1", client_secret="s3cret!")
    header, _ = read_token(answer.json()["access_token"], keys[algorithm])
    assert header["alg"] == algorithm
    assert ("kid" in header) == (algorithm != "HS256"), "the digest of a secret is nobody's business"


def test_a_client_that_has_more_says_so(server, keys):
    answer = ask(server, client_id="named", client_secret="named-secret")
    assert "scope" not in answer.json()
    _, claims = read_token(answer.json()["access_token"], keys["ES256"])
    assert (claims["sub"], claims["client_id"]) == ("Alice", "named")
    assert (claims["org"], claims["environment"]) == ("acme", "production")
    assert "scope" not in claims


def test_a_token_does_not_outlive_its_client(server, keys):
    answer = ask(server, client_id="soon", client_secret="soon-secret")
    assert 0 < answer.json()["expires_in"] <= 300
    _, claims = read_token(answer.json()["access_token"], keys["ES256"])
    assert claims["exp"] - claims["iat"] == answer.json()["expires_in"]


def test_the_line_says_how_long_and_what_for(server, keys):
    answer = ask(server, "/writers", client_id="cli-1", client_secret="s3cret!")
    assert (answer.json()["scope"], answer.json()["expires_in"]) == ("hooks:write", 60)


# --- how a client says who it is --------------------------------------------------------------------------------------

GRANTED = {
    "post": {"client_id": "cli-1", "client_secret": "s3cret!"},
    "a second secret": {"client_id": "cli-1", "client_secret": "another secret"},
    "post, escaped": {"client_id": "cli:2", "client_secret": "p%+ :ä"},
    "basic": {"headers": in_header("cli-1", "s3cret!")},
    "basic, escaped": {"headers": in_header("cli:2", "p%+ :ä")},
    "basic, named again": {"headers": in_header("cli-1", "s3cret!"), "client_id": "cli-1"},
    "basic, an empty secret beside": {"headers": in_header("cli-1", "s3cret!"), "client_secret": ""},
    "a parameter that nobody knows": {"client_id": "cli-1", "client_secret": "s3cret!", "resource": "x"},
    "a charset": {"client_id": "cli-1", "client_secret": "s3cret!",
                  "headers": {"Content-Type": "Application/X-WWW-Form-URLencoded ; charset=UTF-8"}},
    "may come by this way": {"client_id": "proper", "client_secret": "proper-secret"},
}


@pytest.mark.parametrize("name", GRANTED)
def test_a_client_is_known(server, name):
    assert ask(server, **GRANTED[name]).status == 200


REFUSED = {
    "nobody": ({}, 401, "invalid_client", "not-presented"),
    "no secret": ({"client_id": "cli-1"}, 401, "invalid_client", "not-presented"),
    "an empty secret": ({"client_id": "cli-1", "client_secret": ""}, 401, "invalid_client", "not-presented"),
    "no name": ({"client_secret": "s3cret!"}, 401, "invalid_client", "not-presented"),
    "an unknown name": ({"client_id": "cli-9", "client_secret": "s3cret!"}, 401, "invalid_client", "unknown-client"),
    "a wrong secret": ({"client_id": "cli-1", "client_secret": "s3cret"}, 401, "invalid_client", "wrong-secret"),
    "a longer secret": ({"client_id": "cli-1", "client_secret": "s3cret!!"}, 401, "invalid_client", "wrong-secret"),
    "another's secret": ({"client_id": "cli-1", "client_secret": "named-secret"}, 401, "invalid_client",
                         "wrong-secret"),
    "a wrong password": ({"client_id": "cli:2", "client_secret": "p%+ :a"}, 401, "invalid_client", "wrong-secret"),
    "basic, wrong": ({"headers": in_header("cli-1", "bad")}, 401, "invalid_client", "wrong-secret"),
    "basic, not escaped": ({"headers": basic("cli-1", "100%")}, 401, "invalid_client", "malformed-credential"),
    "basic, not base64": ({"headers": {"Authorization": "Basic %%%"}}, 401, "invalid_client", "malformed-credential"),
    "basic, no secret": ({"headers": basic("cli-1", "")}, 401, "invalid_client", "malformed-credential"),
    "basic and post": ({"headers": in_header("cli-1", "s3cret!"), "client_secret": "s3cret!"}, 400, "invalid_request",
                       "ambiguous-credential"),
    "basic and another name": ({"headers": in_header("cli-1", "s3cret!"), "client_id": "named"}, 400,
                               "invalid_request", "ambiguous-credential"),
    "no grant": ({"grant_type": None, "client_id": "cli-1", "client_secret": "s3cret!"}, 400, "invalid_request",
                 "malformed-token-request"),
    "an empty grant": ({"grant_type": "", "client_id": "cli-1", "client_secret": "s3cret!"}, 400, "invalid_request",
                       "malformed-token-request"),
    "another grant": ({"grant_type": "password", "client_id": "cli-1", "client_secret": "s3cret!", "username": "a",
                       "password": "b"}, 400, "unsupported_grant_type", "unsupported-grant"),
    "a grant in capitals": ({"grant_type": "Client_Credentials", "client_id": "cli-1", "client_secret": "s3cret!"},
                            400, "unsupported_grant_type", "unsupported-grant"),
    "JSON": ({"headers": {"Content-Type": "application/json"}, "client_id": "cli-1", "client_secret": "s3cret!"}, 400,
             "invalid_request", "malformed-token-request"),
    "a scope too many": ({"client_id": "cli-1", "client_secret": "s3cret!", "scope": "hooks:read admin"}, 400,
                         "invalid_scope", "scope-not-allowed"),
    "half a scope": ({"client_id": "cli-1", "client_secret": "s3cret!", "scope": "hooks"}, 400, "invalid_scope",
                     "scope-not-allowed"),
    "two scopes as one": ({"client_id": "cli-1", "client_secret": "s3cret!", "scope": "hooks:read,hooks:write"}, 400,
                          "invalid_scope", "scope-not-allowed"),
    "a scope of somebody who has none": ({"client_id": "named", "client_secret": "named-secret", "scope": "a"}, 400,
                                         "invalid_scope", "scope-not-allowed"),
    "expired": ({"client_id": "old", "client_secret": "old-secret"}, 400, "unauthorized_client", "client-expired"),
    "not this way": ({"client_id": "header", "client_secret": "header-secret"}, 400, "unauthorized_client",
                     "scheme-not-allowed"),
    "not from here": ({"client_id": "away", "client_secret": "away-secret"}, 403, "unauthorized_client",
                      "network-refused"),
    "not for this path": ({"client_id": "narrow", "client_secret": "narrow-secret"}, 403, "unauthorized_client",
                          "path-not-allowed"),
    "not by this method": ({"client_id": "getter", "client_secret": "getter-secret"}, 403, "unauthorized_client",
                           "method-not-allowed"),
    "the endpoint is elsewhere": ({"path": "/far", "client_id": "cli-1", "client_secret": "s3cret!"}, 403,
                                  "unauthorized_client", "network-refused"),
    "the endpoint gives less": ({"path": "/writers", "client_id": "cli-1", "client_secret": "s3cret!",
                                 "scope": "hooks:read"}, 400, "invalid_scope", "scope-not-allowed"),
    "the test's client in production": ({"path": "/production", "client_id": "tester", "client_secret": "test-secret"},
                                        400, "unauthorized_client", "client-not-allowed"),
    "no environment in production": ({"path": "/production", "client_id": "cli-1", "client_secret": "s3cret!"}, 400,
                                     "unauthorized_client", "client-not-allowed"),
    "without TLS": ({"path": "/safe", "client_id": "cli-1", "client_secret": "s3cret!"}, 403, "unauthorized_client",
                    "insecure-transport"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_client_is_refused(server, name):
    said, status, error, reason = REFUSED[name]
    answer = refused(server, ask(server, **said), status, error, reason)
    assert "s3cret" not in answer.body.decode()
    assert (answer.get("WWW-Authenticate") is not None) == (status == 401)


def test_production_has_its_own(server):
    assert ask(server, "/production", client_id="named", client_secret="named-secret").status == 200


def test_a_refusal_is_challenged(server):
    answer = refused(server, ask(server, "/realm", client_id="x", client_secret="y"), 401, "invalid_client",
                     "unknown-client")
    assert answer.all("WWW-Authenticate") == ['Basic realm="Our API", charset="UTF-8"']


def test_unknown_and_wrong_look_alike(server):
    server.allow_refusals("unknown-client", "wrong-secret")
    unknown = ask(server, client_id="cli-9", client_secret="x")
    wrong = ask(server, client_id="cli-1", client_secret="x")
    assert unknown.body == wrong.body
    assert [pair for pair in unknown.headers if pair[0] != "Date"] == [pair for pair in wrong.headers
                                                                       if pair[0] != "Date"]


TWICE = {
    "grant_type": ("grant_type=client_credentials&grant_type=client_credentials&client_id=cli-1&client_secret=s3cret!",
                   "malformed-token-request"),
    "scope": ("grant_type=client_credentials&client_id=cli-1&client_secret=s3cret!&scope=hooks:read&scope=hooks:read",
              "malformed-token-request"),
    "client_id": ("grant_type=client_credentials&client_id=cli-1&client_id=named&client_secret=s3cret!",
                  "ambiguous-credential"),
    "client_secret": ("grant_type=client_credentials&client_id=cli-1&client_secret=bad&client_secret=s3cret!",
                      "ambiguous-credential"),
    "client_secret, escaped": (
        "grant_type=client_credentials&client_id=cli-1&client_secret=bad&client%5Fsecret=s3cret!",
        "ambiguous-credential"),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_parameter_twice_is_none(server, name):
    body, reason = TWICE[name]
    answer = post(server, "/oauth/token", {"Content-Type": FORM}, body.encode())
    refused(server, answer, 400, "invalid_request", reason)


@pytest.mark.parametrize("body", [b"client_id=cli-1&client_secret=s3cret!%00x", b"client_id=cli-1&client_secret=%zz",
                                  b"client_id=cli-1%00&client_secret=s3cret!"])
def test_what_cannot_be_decoded_is_no_client(server, body):
    answer = post(server, "/oauth/token", {"Content-Type": FORM}, b"grant_type=client_credentials&" + body)
    refused(server, answer, 401, "invalid_client", "malformed-credential")


def test_two_authorization_headers_are_none(server):
    first, second = (basic("cli-1", secret)["Authorization"] for secret in ("s3cret!", "bad"))
    with Connection(server.port) as connection:
        body = b"grant_type=client_credentials"
        connection.send(head("POST", "/oauth/token", {"Content-Type": FORM, "Content-Length": str(len(body)),
                                                      "Authorization": f"{first}\r\nAuthorization: {second}",
                                                      "Connection": "close"}), body)
        refused(server, connection.final_response(), 400, "invalid_request", "ambiguous-credential")


# --- the request itself -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_only_a_post_is_taken(server, method):
    answer = request(server, method, "/oauth/token?grant_type=client_credentials", in_header("cli-1", "s3cret!"))
    refused(server, answer, 405, "invalid_request", "method-refused")
    assert answer.get("Allow") == "POST"


def test_a_large_body_is_not_read(server):
    with Connection(server.port) as connection:
        connection.send(head("POST", "/oauth/token", {"Content-Type": FORM, "Content-Length": "1048576",
                                                      "Expect": "100-continue"}))
        refused(server, connection.response(), 413, "invalid_request", "body-too-large")


@pytest.mark.parametrize("size, path", [(16385, "/oauth/token"), (65, "/small")])
def test_a_chunked_body_is_bounded(server, size, path):
    with Connection(server.port) as connection:
        body = b"x" * size
        connection.send_in_background([head("POST", path, {"Content-Type": FORM, "Transfer-Encoding": "chunked",
                                                           "Connection": "close"}),
                                       b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)])
        refused(server, connection.final_response(), 413, "invalid_request", "body-too-large")


def test_a_body_of_the_largest_size_is_read(server):
    asked = b"grant_type=client_credentials&client_id=cli-1&client_secret=s3cret!&x="
    body = asked + b"y" * (16384 - len(asked))
    assert post(server, "/oauth/token", {"Content-Type": FORM}, body).status == 200


def test_a_slow_body_is_not_waited_for(server):
    with Connection(server.port) as connection:
        connection.send(head("POST", "/small", {"Content-Type": FORM, "Content-Length": "30"}), b"grant_type=")
        refused(server, connection.final_response(), 408, "invalid_request", "body-too-slow")


def test_a_connection_goes_on_after_a_refusal(server):
    with Connection(server.port) as connection:
        body = b"grant_type=client_credentials"
        first = head("POST", "/safe", {"Content-Type": FORM, "Content-Length": str(len(body))})
        connection.send(first + body)  # at once: what is here already is taken off the connection
        refused(server, connection.final_response(), 403, "unauthorized_client", "insecure-transport")
        answer = post(server, "/oauth/token", {"Content-Type": FORM, **in_header("cli-1", "s3cret!")}, body,
                      connection=connection)
        assert answer.status == 200


def test_the_endpoint_speaks_http2(server):
    answer = curl("--http2-prior-knowledge", "--user", "cli-1:s3cret!", "--data", "grant_type=client_credentials",
                  f"http://127.0.0.1:{server.port}/oauth/token")
    assert answer.status == 200 and answer.json()["token_type"] == "Bearer"


# --- beside other rules -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/near", "/both", "/observed"])
def test_rules_of_the_same_section_hold_besides(server, path):
    answer = ask(server, path, headers=in_header("named", "named-secret"))
    assert answer.status == 200 and answer.json()["access_token"]


def test_a_rule_of_the_same_section_refuses_first(server):
    server.refusal("wrong-secret")
    answer = ask(server, "/both", headers=in_header("cli-1", "bad"))
    assert answer.status == 401 and "error" not in answer.json()


def test_observing_rules_opens_no_endpoint(server):
    server.expect("would-refuse reason=wrong-secret")
    refused(server, ask(server, "/observed", headers=in_header("cli-1", "bad")), 401, "invalid_client", "wrong-secret")


def test_a_handler_without_its_line_says_so(server):
    server.expect("needs an AuthVerifyToken")
    assert ask(server, "/none", headers=in_header("cli-1", "s3cret!")).status == 500


# --- what is written down ---------------------------------------------------------------------------------------------

def access_lines(server, mark):
    """Lines of the access log that hold `mark`. A request is logged once its answer is out."""
    log = server.root / "logs" / "access_log"
    wait_until(lambda: mark in log.read_text(), LOG_SECONDS, f"{mark} is not logged")
    return [line for line in log.read_text().splitlines() if mark in line]


def test_the_access_log_says_who_and_why(server):
    ask(server, "/oauth/token?mark=good", client_id="named", client_secret="named-secret")
    refused(server, ask(server, "/oauth/token?mark=bad", client_id="named", client_secret="x"), 401, "invalid_client",
            "wrong-secret")
    assert access_lines(server, "mark=good") == ['Alice 200 "POST /oauth/token?mark=good HTTP/1.1" rule=token reason=-']
    assert access_lines(server, "mark=bad") == [
        '- 401 "POST /oauth/token?mark=bad HTTP/1.1" rule=token reason=wrong-secret']


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_secret_in_the_query_is_refused_and_not_logged(server, method):
    answer = request(server, method, f"/oauth/token?mark=query{method}&client_id=cli-1&client_secret=s3cret!&z=1",
                     {"Content-Type": FORM}, b"grant_type=client_credentials" if method == "POST" else None)
    if method == "POST":
        refused(server, answer, 400, "invalid_request", "malformed-token-request")
    else:
        refused(server, answer, 405, "invalid_request", "method-refused")
    lines = access_lines(server, f"mark=query{method}")
    assert f'"{method} /oauth/token?mark=query{method}&client_id=cli-1&z=1 HTTP/1.1"' in lines[0]


def test_a_secret_is_gone_before_anybody_else_refuses(server):
    server.expect("AH01630: client denied by server configuration")
    assert get(server, "/closed?mark=closed&username=cli-1&secret=s3cret!&client_secret=s3cret!").status == 403
    assert '"GET /closed?mark=closed&username=cli-1 HTTP/1.1"' in access_lines(server, "mark=closed")[0]


def test_no_log_holds_a_secret(server):
    ask(server, headers=in_header("cli-1", "s3cret!"))
    texts = server.all_output() + (server.root / "logs" / "access_log").read_text()
    encoded = base64.b64encode(b"cli-1:s3cret!").decode()
    for secret in ("s3cret", "another secret", "named-secret", "p%+ :ä", encoded):
        assert secret not in texts


def test_the_reason_is_not_the_clients(server):
    answer = refused(server, ask(server, client_id="old", client_secret="old-secret"), 400, "unauthorized_client",
                     "client-expired")
    assert "expired" not in answer.body.decode()


def test_get_of_another_page_is_not_the_endpoints(server):
    assert get(server, "/other").status == 404
