"""AuthVerifyPreflight: what a browser asks before it sends passes unproven, and nothing that only looks like it.

SPDX-License-Identifier: Apache-2.0
"""
import pytest

from backends import HANDLERS
from client import Connection, basic, curl, github, request
from configtest import assert_says, in_location, put
from server import Server
from verdict import TELL, reason_of

TOKEN = "a-token-of-the-preflight-tests"
BEARER = "AuthVerify bearer secret=file:conf/token identity=robot"
ON = "\nAuthVerifyPreflight on"
ASKS = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization"}

PLACES = {
    "on": BEARER + ON,
    "off": BEARER + "\nAuthVerifyPreflight off",
    "unsaid": BEARER,
    "network": BEARER + " from=192.0.2.0/24" + ON,
    "network-for-all": BEARER + "\nAuthVerifyAlso none from=192.0.2.0/24" + ON,
    "method": BEARER + " methods=GET" + ON,
    "nobody": "AuthVerify none methods=GET,PUT" + ON,
    "required": BEARER + ON + "\nRequire authverify client another",
    "user": BEARER + ON + "\nRequire valid-user",
    "theirs": BEARER + ON + "\nAuthType Basic\nAuthName theirs\nAuthUserFile conf/users\nRequire valid-user",
    "optional": BEARER + ON + "\nAuthVerifyMode optional\nRequire authverify",
    "observed": BEARER + ON + "\nAuthVerifyMode observe",
    "signed": "AuthVerify github secret=file:conf/token" + ON,
}
OUTER = in_location(BEARER + ON + '\nRewriteEngine on\nRewriteRule "moved$" "/outer/inner/x"', "/outer") + in_location("AuthVerifyPreflight off", "/outer/inner")
PROXIED = f'<Proxy "http://127.0.0.1:${{BACKEND}}/backend/">\n{BEARER}{ON}\n</Proxy>\n'
CONFIG = (TELL + """
Protocols h2c http/1.1
Header always set X-Test-User "expr=%{REMOTE_USER}"
AuthVerifyHeader X-Client "%{client}"
ScriptAlias "/script/" "${ROOT}/htdocs/cgi/"
ProxyPass "/script/" "!"
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
""" + "".join(in_location(lines, "/" + name) for name, lines in PLACES.items()) + in_location(PLACES["on"], "/script")
    + OUTER + PROXIED)
MODULES = ["proxy", "proxy_http", "headers", "http2", "cgid", "alias", "rewrite", "auth_basic", "authn_core", "authn_file",
           "authz_user"]


@pytest.fixture(scope="module")
def httpd(backend):
    server = Server(CONFIG, modules=MODULES, defines={"BACKEND": backend.port})
    server.secret("token", TOKEN)
    (server.root / "conf" / "users").write_text("")
    (server.htdocs / "cgi").mkdir()
    (server.htdocs / "cgi" / "hash.py").write_bytes((HANDLERS / "hash.py").read_bytes())
    (server.htdocs / "cgi" / "hash.py").chmod(0o755)
    with server:
        yield server


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


def ask(server, place, headers=(), method="OPTIONS", **more):
    return request(server, method, f"/{place}/x", {**ASKS, **dict(headers)}, **more)


def received(backend):
    return {name.lower(): value for name, value in backend.requests[-1].headers}


def assert_passed(response, backend, result="preflight"):
    assert (response.status, reason_of(response), backend.count) == (200, result, 1), response
    assert response.get("X-Test-User") == ""
    assert "x-client" not in received(backend)


def assert_refused(server, response, backend, reason, status=401):
    server.refusal(reason, 1)
    assert (response.status, reason_of(response), backend.count) == (status, reason, 0)


@pytest.mark.parametrize("place", ["on", "optional", "required", "signed", "outer", "backend"])
def test_a_preflight_passes_without_identity(httpd, backend, place):
    assert_passed(ask(httpd, place, {"X-Client": "root"}), backend)
    assert received(backend)["access-control-request-method"] == "PUT"


@pytest.mark.parametrize("place", ["off", "unsaid", "network", "network-for-all", "method", "outer/inner"])
def test_a_preflight_is_refused_where_it_may_not_pass(httpd, backend, place):
    assert_refused(httpd, ask(httpd, place), backend, "not-presented")


def test_a_preflight_is_decided_by_a_rule_that_proves_nobody(httpd, backend):
    assert_refused(httpd, ask(httpd, "nobody"), backend, "method-not-allowed", 403)


def test_a_preflight_that_is_redirected_to_where_none_passes_is_refused(httpd, backend):
    response = request(httpd, "OPTIONS", "/outer/moved", ASKS)
    assert (response.status, reason_of(response), backend.count) == (401, "not-presented", 0)


NO_PREFLIGHTS = {
    "another-method": ("GET", {}),
    "no-origin": ("OPTIONS", {"Origin": None}),
    "no-method-asked-about": ("OPTIONS", {"Access-Control-Request-Method": None}),
    "no-origin-at-all": ("OPTIONS", {"Origin": "app"}),
    "cookie": ("OPTIONS", {"Cookie": "session=1"}),
    "other-credential": ("OPTIONS", {"Authorization": "Digest x"}),
    "chunked": ("OPTIONS", {"Transfer-Encoding": "chunked"}),
    "body": ("OPTIONS", {"Content-Length": "5"}),
}


@pytest.mark.parametrize("name", NO_PREFLIGHTS)
def test_what_only_looks_like_a_preflight_is_proven_as_any_request(httpd, backend, name):
    method, changed = NO_PREFLIGHTS[name]
    fields = {key: value for key, value in {**ASKS, **changed}.items() if value is not None}
    with Connection(httpd.port) as connection:
        lines = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
        connection.send(f"{method} /on/x HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n{lines}\r\n", b"0\r\n\r\n")
        assert_refused(httpd, connection.final_response(), backend, "not-presented")


def test_a_credential_that_comes_along_decides(httpd, backend):
    response = ask(httpd, "on", {"Authorization": f"Bearer {TOKEN}"})
    assert (response.status, reason_of(response), received(backend)["x-client"]) == (200, "accepted", "robot")
    backend.reset()
    assert_refused(httpd, ask(httpd, "on", {"Authorization": "Bearer wrong"}), backend, "wrong-secret")


def test_a_signed_request_with_a_body_is_no_preflight_and_is_proven(httpd, backend):
    response = ask(httpd, "signed", github(TOKEN, b"body"), body=b"body")
    assert (response.status, reason_of(response), backend.requests[0].length) == (200, "accepted", 4)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "x_http_method_override"])
@pytest.mark.parametrize("place", ["on", "script"])
def test_a_preflight_cannot_become_another_method(httpd, backend, name, place):
    if place == "on":
        assert_passed(ask(httpd, place, {name: "DELETE"}), backend)
        assert not [key for key in received(backend) if "method" in key and "request" not in key]
        return
    environment = request(httpd, "OPTIONS", "/script/hash.py", {**ASKS, name: "DELETE"}).json()["environment"]
    assert environment["AUTHVERIFY_RESULT"] == "preflight" and "AUTHVERIFY_REASON" not in environment
    assert not {"REMOTE_USER", "HTTP_" + name.upper().replace("-", "_")} & set(environment)


def test_a_preflight_over_http_2_has_no_body_either(httpd, backend):
    url = f"http://127.0.0.1:{httpd.port}/on/x"
    fields = [part for name, value in ASKS.items() for part in ("--header", f"{name}: {value}")]
    assert_passed(curl("--http2-prior-knowledge", "--request", "OPTIONS", *fields, url), backend)
    backend.reset()
    httpd.refusal("not-presented", 1)
    with open("/bin/sh", "rb") as data:  # of no announced length; curl loses an answer that comes before it has sent all
        curl("--http2-prior-knowledge", "--request", "OPTIONS", *fields, "--upload-file", "-", url, stdin=data,
             tolerate=(55, 56, 92))
    assert backend.count == 0


def test_what_httpd_itself_requires_holds_all_the_same(httpd, backend):
    assert ask(httpd, "user").status == 401
    theirs = ask(httpd, "theirs")
    assert (theirs.status, theirs.all("WWW-Authenticate")) == (401, ['Basic realm="theirs"'])
    assert backend.count == 0


def test_what_is_observed_is_passed_on_as_it_came(httpd, backend):
    response = ask(httpd, "observed", {"X-HTTP-Method": "DELETE"})
    assert (response.status, reason_of(response)) == (200, "would-accept")
    assert received(backend)["x-http-method"] == "DELETE"


def test_every_preflight_has_a_line_at_debug(httpd, backend):
    httpd.expect(r"\[authverify:debug\] .* preflight reason=not-presented rule=- ", 1)
    assert_passed(ask(httpd, "on"), backend)


def test_the_connection_stays_usable(httpd, backend):
    with Connection(httpd.port) as connection:
        for _ in range(3):
            assert ask(httpd, "on", connection=connection).status == 200
        assert request(httpd, "PUT", "/on/x", {"Authorization": f"Bearer {TOKEN}"}, b"body",
                       connection=connection).status == 200
    assert [each.method for each in backend.requests] == ["OPTIONS"] * 3 + ["PUT"]


@pytest.mark.parametrize("marked, said", [
    (in_location("> AuthVerifyPreflight maybe"), "AuthVerifyPreflight must be On or Off"),
    (in_location("<Limit OPTIONS>\n> AuthVerifyPreflight on\n</Limit>"), "AuthVerifyPreflight: cannot stand inside <Limit>"),
])
def test_a_mistake_is_no_configuration(marked, said):
    server = Server("")
    where = put(server, marked)
    status, output = server.configtest()
    server.close()
    assert status != 0
    assert_says(output, where, [said])


def test_a_preflight_with_a_password_of_basic_is_none(httpd, backend):
    assert_refused(httpd, ask(httpd, "on", basic("alice", "secret")), backend, "not-presented")
