"""AuthVerifyMode: enforce refuses what is not proven, optional leaves who shows nothing to Require, observe watches.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import resource
import shutil
import time

import pytest

from backends import HANDLERS
from client import (HTTP1, Connection, Payload, get, github, head, post, request, send_after_continue, send_chunked,
                    send_h2c, send_h2c_without_length, send_with_length, stripe)
from server import STOP_SECONDS, Server, wait_until

SECRET = "the secret of the tests of modes"
RULE = "AuthVerify github secret=file:${ROOT}/conf/github"
ALSO = "AuthVerifyAlso stripe secret=file:${ROOT}/conf/github"
LIMIT, MEMORY = 100 * 1024, 16 * 1024
NO_SPOOL = r"this user cannot write there"  # said by each child that starts
TRANSPORTS = {**HTTP1, "h2c": send_h2c, "h2c-without-length": send_h2c_without_length}

LENGTHLESS = ["h1-chunked", "h2c-without-length"]

# Each location below stands beside one of the same handlers without any rule.
OBSERVING = f"AuthVerifyMode observe\n{RULE}\nAuthVerifyBody limit={LIMIT} memory={MEMORY}\n"
PLACES = {
    "plain": "",
    "observed": OBSERVING,
    "observed-no-spool": OBSERVING + "AuthVerifyBody spool=${ROOT}/closed",
    "observed-slow": OBSERVING + "AuthVerifyBody timeout=500ms",
    "observed-require": OBSERVING + "Require authverify client somebody-else",
    "observed-also": OBSERVING + ALSO,
    "enforced": f"AuthVerifyMode enforce\n{RULE}",
    "default": RULE,
}
CONFIG = """
Protocols h2c http/1.1
AuthVerifyHeader X-Client "%{client}"
""" + "".join(f"""
ProxyPass "/{name}/proxy/" "http://127.0.0.1:${{BACKEND}}/"
ScriptAlias "/{name}/cgi/" "${{ROOT}}/htdocs/cgi/"
Alias "/{name}/static/" "${{ROOT}}/htdocs/static/"
<Location "/{name}/">
{lines}
</Location>
""" for name, lines in PLACES.items())


def make_server(backend):
    made = Server(CONFIG, modules=["proxy", "proxy_http", "cgid", "alias", "http2"], defines={"BACKEND": backend.port},
                  allow=[NO_SPOOL])
    made.secret("github", SECRET)
    (made.root / "closed").mkdir(mode=0o555)
    return made


@pytest.fixture(scope="module")
def server(backend):
    started = make_server(backend)
    started.write("static/page.txt", "static")
    (started.htdocs / "cgi").mkdir()
    shutil.copy(HANDLERS / "hash.py", started.htdocs / "cgi")
    with started:
        yield started


@pytest.fixture(scope="module")
def payloads():
    return {size: Payload(size) for size in SIZES}


# --- enforce ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("place", ["enforced", "default"])
def test_enforce_is_the_default_and_refuses_what_is_not_proven(server, backend, place):
    backend.reset()
    server.refusal("not-presented", 1)
    server.refusal("wrong-signature", 1)
    path = f"/{place}/proxy/hook"
    assert get(server, path).status == 401
    assert post(server, path, github("another secret", b"x"), b"x").status == 401
    assert backend.count == 0
    assert post(server, path, github(SECRET, b"x"), b"x").status == 200
    assert dict(backend.requests[0].headers)["X-Client"] == "github"


# --- observe ----------------------------------------------------------------------------------------------------------

SIZES = [0, 1, MEMORY - 1, MEMORY, MEMORY + 1, 65536, LIMIT - 1, LIMIT, LIMIT + 1, 3 << 20]
CREDENTIALS = {
    "none": lambda data: {},
    "signed": lambda data: github(SECRET, data),
    "forged": lambda data: github("another secret", data),
    "malformed": lambda data: {"X-Hub-Signature-256": "sha256=nothing"},
    "empty": lambda data: {"X-Hub-Signature-256": ""},
}


def expected_reason(credential, size):
    if credential in ("malformed", "empty"):
        return "malformed-credential"
    if credential == "none":
        return "not-presented"
    if size > LIMIT:
        return "body-too-large"
    return None if credential == "signed" else "wrong-signature"


def seen_by_backend(backend, transport):
    """All but Expect: who asked for the body, as an observer has to, has answered that by then. How mod_proxy frames a
    body of no announced length depends on how much of it is there at once; a script tells that in a test of its own."""
    received = backend.requests[-1]
    assert received.complete
    excused = ["Expect"] + (["Content-Length", "Transfer-Encoding"] if transport in LENGTHLESS else [])
    headers = [(name, value) for name, value in received.headers if name not in excused]
    return received.method, received.path, headers, received.length, received.sha256


@pytest.mark.parametrize("credential, transport", [
    (credential, transport) for credential in CREDENTIALS for transport in TRANSPORTS
    if credential != "empty" or transport in HTTP1])  # curl sends no empty header
def test_observe_changes_nothing_that_a_backend_sees(server, backend, payloads, credential, transport):
    backend.reset()
    send = TRANSPORTS[transport]
    sizes = SIZES if credential in ("signed", "forged") else [1, LIMIT + 1]
    for size in sizes:
        payload = payloads[size]
        headers = {**CREDENTIALS[credential](payload.data), "X-Client": "root", "User-Agent": "sender"}
        assert send(server, "POST", "/plain/proxy/hook?a=1", headers, payload).status == 200
        plain = seen_by_backend(backend, transport)
        assert send(server, "POST", "/observed/proxy/hook?a=1", headers, payload).status == 200
        assert plain[3:] == (size, payload.sha256)
        assert seen_by_backend(backend, transport) == plain, f"{size} bytes"
        reason = expected_reason(credential, size)
        if reason:
            server.expect(rf"would-refuse reason={reason} ")
    assert "X-Client" not in dict(backend.requests[-1].headers)
    if credential in ("signed", "forged"):
        assert "X-Hub-Signature-256" in dict(backend.requests[-1].headers)


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_observe_changes_nothing_in_the_answer(server, credential):
    def answer(path):
        response = post(server, path, CREDENTIALS[credential](b"data"), b"data")
        headers = sorted((name, value) for name, value in response.headers if name != "Date")
        return response.status, headers, response.body

    server.allow("would-refuse reason=")
    assert answer("/observed/static/page.txt") == answer("/plain/static/page.txt")


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_observe_tells_a_script_what_it_would_have_done_and_nothing_else(server, credential):
    headers = {**CREDENTIALS[credential](b"data"), "X_Client": "root", "X-Client": "root", "Connection": "close"}
    plain = post(server, "/plain/cgi/hash.py", headers, b"data").json()["environment"]
    reason = expected_reason(credential, 4)
    if reason:
        server.expect(rf"would-refuse reason={reason} ", 1)
    observed = post(server, "/observed/cgi/hash.py", headers, b"data").json()["environment"]
    ours = {name: observed.pop(name) for name in list(observed) if name.startswith("AUTHVERIFY_")}
    for environment in (plain, observed):
        for name in ("REMOTE_PORT", "REQUEST_URI", "SCRIPT_NAME", "CONTEXT_PREFIX"):
            environment.pop(name)
    assert observed == plain
    assert not [name for name in plain if "CLIENT" in name or name.startswith("REMOTE_USER") or name == "AUTH_TYPE"]
    assert ours["AUTHVERIFY_RESULT"] == ("would-refuse" if reason else "would-accept")
    assert ours.get("AUTHVERIFY_REASON") == reason
    assert ("AUTHVERIFY_CLIENT" in ours) == (reason is None)


@pytest.mark.parametrize("send, size", [
    (send, size) for send in (send_with_length, send_chunked, send_h2c, send_h2c_without_length)
    for size in (0, 5, MEMORY + 1, LIMIT + 1)
    if size or send != send_h2c_without_length])  # how that one is announced is a matter of chance
def test_observe_does_not_change_how_a_body_is_announced(server, send, size):
    def announced(place):
        report = send(server, "POST", f"/{place}/cgi/hash.py", github(SECRET, payload.data), payload).json()
        assert (report["length"], report["sha256"]) == (size, payload.sha256)
        return [report["environment"].get(name) for name in ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT")]

    payload = Payload(size)
    server.allow("would-refuse reason=body-too-large")
    assert announced("observed") == announced("plain")


@pytest.mark.parametrize("place, reason", [("observed-also", "not-presented"), ("observed-require", None)])
def test_observe_refuses_for_no_other_rule_either(server, place, reason):
    if reason:
        server.expect(rf"would-refuse reason={reason} ", 1)
    assert post(server, f"/{place}/static/page.txt", github(SECRET, b"x"), b"x").body == b"static"


def test_observe_logs_at_the_level_of_the_refusal(server):
    server.expect(r"\[authverify:info\] .* would-refuse reason=not-presented rule=- ", 1)
    server.expect(r"\[authverify:warn\] .* would-refuse reason=wrong-signature rule=github ", 1)
    get(server, "/observed/static/page.txt")
    post(server, "/observed/static/page.txt", github("another secret", b"x"), b"x")
    assert not [line for line in server.new_lines() if " refused " in line]


@pytest.mark.parametrize("credential", ["signed", "forged"])
@pytest.mark.parametrize("transport", ["h1-length", "h1-chunked", "h2c", "h2c-without-length"])
def test_an_observed_body_that_cannot_be_kept_arrives_whole(server, backend, payloads, transport, credential):
    for size in (MEMORY, MEMORY + 1, LIMIT, LIMIT + 1, 3 << 20):
        payload = payloads[size]
        server.allow(r"would-refuse reason=(body-too-large|wrong-signature|no-room) ")
        server.allow(r"the body cannot be kept in .*/closed \(AuthVerifyBody spool=\)")
        response = TRANSPORTS[transport](server, "POST", "/observed-no-spool/proxy/hook",
                                         CREDENTIALS[credential](payload.data), payload)
        assert (response.status, response.json()["sha256"]) == (200, payload.sha256), f"{size} bytes: {response!r}"
    assert [line for line in server.new_lines() if "would-refuse reason=no-room" in line]
    server.assert_nothing_spooled()


@pytest.mark.parametrize("transport", ["h1-length", "h1-chunked", "h2c"])
def test_an_observed_body_that_does_not_fit_on_the_disk_arrives_whole(backend, payloads, transport):
    with make_server(backend) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (40000, resource.RLIM_INFINITY))
        old = set(server.children())
        server.graceful()
        wait_until(lambda: not old & set(server.children()), STOP_SECONDS, "the old children did not leave")
        server.expect("would-refuse reason=no-room ", 1)
        server.expect(r"the body cannot be kept in .*/spool \(AuthVerifyBody spool=\)", 1)
        payload = payloads[65536]
        response = TRANSPORTS[transport](server, "POST", "/observed/proxy/hook", github(SECRET, payload.data), payload)
        assert (response.status, response.json()["sha256"]) == (200, payload.sha256)
        server.assert_nothing_spooled()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_observed_body_that_is_slow_arrives_whole(server, framing):
    parts = [b"first half, ", b"second half"]
    body = b"".join(parts)
    server.expect("would-refuse reason=body-too-slow ", 1)
    with Connection(server.port) as connection:
        fields = {**github(SECRET, body), "Connection": "close"}
        if framing == "length":
            connection.send(head("POST", "/observed-slow/proxy/hook", {**fields, "Content-Length": str(len(body))}),
                            parts[0])
            time.sleep(0.8)  # longer than timeout=: the time that passes is what is tested
            connection.send(parts[1])
        else:
            connection.send(head("POST", "/observed-slow/proxy/hook", {**fields, "Transfer-Encoding": "chunked"}),
                            b"c\r\n" + parts[0] + b"\r\n")
            time.sleep(0.8)
            connection.send(b"b\r\n" + parts[1] + b"\r\n0\r\n\r\n")
        response = connection.final_response()
    assert (response.status, response.json()["sha256"]) == (200, hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("credential, size",
                         [("none", 5), ("malformed", 5), ("forged", 5), ("signed", 5), ("signed", LIMIT + 1)])
def test_observe_holds_no_100_continue_back(server, payloads, credential, size):
    payload = Payload(size)
    server.allow("would-refuse reason=")
    with Connection(server.port) as connection:
        connection.send(head("POST", "/observed/proxy/hook",
                             {**CREDENTIALS[credential](payload.data), "Connection": "close",
                                                              "Expect": "100-continue", "Content-Length": str(size)}))
        assert connection.response().status == 100
        connection.send_in_background([payload.data])
        assert connection.final_response().json()["sha256"] == payload.sha256


@pytest.mark.parametrize("size", [5, MEMORY + 1, LIMIT + 1])
@pytest.mark.parametrize("credential", ["none", "signed", "forged"])
def test_a_connection_goes_on_after_an_observed_body_that_no_handler_reads(server, payloads, credential, size):
    data = Payload(size).data
    server.allow("would-refuse reason=")
    with Connection(server.port) as connection:
        for _ in range(3):
            response = request(server, "POST", "/observed/static/page.txt", CREDENTIALS[credential](data), data,
                               connection=connection)
            assert (response.status, response.body) == (200, b"static")


# --- optional ---------------------------------------------------------------------------------------------------------

EITHER = "<RequireAny>\nRequire authverify\nRequire expr \"%{HTTP:X-Pass} == 'yes'\"\n</RequireAny>\n"
OPTIONAL_PLACES = {
    "either": f"AuthVerifyMode optional\n{RULE}\n{EITHER}",
    "alone": f"AuthVerifyMode optional\n{RULE}\nRequire authverify",
    "client": f"AuthVerifyMode optional\n{RULE}\nRequire authverify client github other",
    "other": f"AuthVerifyMode optional\n{RULE}\nRequire authverify client other",
    "scheme": f"AuthVerifyMode optional\n{RULE}\nRequire authverify scheme signature",
    "also": f"AuthVerifyMode optional\n{RULE}\n{ALSO}\n{EITHER}",
    "not": f"AuthVerifyMode optional\n{RULE}\n"
           "<RequireAll>\nRequire all granted\n<RequireNone>\nRequire authverify\n</RequireNone>\n</RequireAll>",
    # The rules come from the section around, so configtest cannot see that nobody asks for a proof.
    "merged": RULE,
    "merged/optional": "AuthVerifyMode optional",
    "merged/required": f"AuthVerifyMode optional\n{EITHER}",
    "merged/required/inner": "AuthVerifyErrorBody empty",
}
OPTIONAL = "AuthVerifyHeader X-Client \"%{client}\"\n" + "".join(f"""
ProxyPass "/{name}/proxy/" "http://127.0.0.1:${{BACKEND}}/"
ScriptAlias "/{name}/cgi/" "${{ROOT}}/htdocs/cgi/"
<Location "/{name}/">
{lines}
</Location>
""" for name, lines in OPTIONAL_PLACES.items())
PASS = {"X-Pass": "yes"}


@pytest.fixture(scope="module")
def optional(backend):
    started = Server(OPTIONAL, modules=["proxy", "proxy_http", "cgid", "alias"], defines={"BACKEND": backend.port})
    started.secret("github", SECRET)
    (started.htdocs / "cgi").mkdir()
    shutil.copy(HANDLERS / "hash.py", started.htdocs / "cgi")
    with started:
        yield started


@pytest.mark.parametrize("place, headers, status", [
    ("either", {}, 401), ("either", PASS, 200), ("either", github(SECRET), 200),
    ("either", {**github(SECRET), **PASS}, 200),
    ("alone", {}, 401), ("alone", PASS, 401), ("alone", github(SECRET), 200),
    ("client", {}, 401), ("client", github(SECRET), 200), ("other", {}, 401), ("other", github(SECRET), 403),
    ("scheme", {}, 401), ("scheme", github(SECRET), 200), ("not", {}, 200), ("not", github(SECRET), 403),
    ("merged", {}, 401), ("merged", github(SECRET), 200), ("merged/required", {}, 401), ("merged/required", PASS, 200),
    ("merged/required", github(SECRET), 200), ("merged/required/inner", PASS, 200), ("merged/required/inner", {}, 401),
])
def test_require_decides_over_who_shows_nothing(optional, backend, place, headers, status):
    backend.reset()
    optional.allow_refusals("not-presented")
    optional.allow(r"AH0163[01]|AH01629")
    response = get(optional, f"/{place}/proxy/hook", headers)
    assert response.status == status
    assert backend.count == (status == 200)
    assert len(response.all("WWW-Authenticate")) == (status == 401)
    if status == 200:
        client = "github" if "X-Hub-Signature-256" in headers else None
        assert dict(backend.requests[0].headers).get("X-Client") == client


@pytest.mark.parametrize("place", ["either", "alone", "not", "merged/required"])
@pytest.mark.parametrize("headers, reason", [
    (github("another secret"), "wrong-signature"), ({"X-Hub-Signature-256": "sha256=nothing"}, "malformed-credential"),
    ({"X-Hub-Signature-256": ""}, "malformed-credential")], ids=["wrong", "malformed", "empty"])
def test_a_wrong_credential_is_refused_whatever_else_would_let_it_in(optional, backend, place, headers, reason):
    backend.reset()
    optional.refusal(reason, 1)
    assert get(optional, f"/{place}/proxy/hook", {**headers, **PASS}).status == 401
    assert backend.count == 0


def test_half_a_credential_is_not_nothing(optional, backend):
    backend.reset()
    optional.refusal("not-presented", 1)
    assert get(optional, "/also/proxy/hook", {**github(SECRET), **PASS}).status == 401
    assert backend.count == 0
    assert get(optional, "/also/proxy/hook", PASS).status == 200
    assert get(optional, "/also/proxy/hook", {**github(SECRET), **stripe(SECRET), "X-Pass": "no"}).status == 200


def test_who_shows_nothing_has_no_identity(optional):
    environment = get(optional, "/either/cgi/hash.py",
                      {**PASS, "X-Client": "root", "X_Client": "root"}).json()["environment"]
    assert environment["AUTHVERIFY_RESULT"] == "unproven"
    assert environment["AUTHVERIFY_REASON"] == "not-presented"
    assert not {"AUTHVERIFY_CLIENT", "AUTHVERIFY_RULE", "REMOTE_USER", "AUTH_TYPE", "HTTP_X_CLIENT"} & set(environment)


def test_who_is_let_in_without_a_credential_is_no_refusal_in_the_log(optional):
    assert get(optional, "/either/proxy/hook", PASS).status == 200
    assert not [line for line in optional.new_lines() if "refused" in line]


def test_who_shows_a_credential_has_an_identity(optional):
    environment = post(optional, "/either/cgi/hash.py", github(SECRET, b"x"), b"x").json()["environment"]
    assert (environment["AUTHVERIFY_RESULT"], environment["REMOTE_USER"], environment["HTTP_X_CLIENT"]) == (
        "accepted", "github", "github")


def test_a_body_under_optional_arrives_whole_with_and_without_a_credential(optional, backend):
    payload = Payload(300000)
    for send in (send_with_length, send_chunked, send_after_continue):
        for headers in (PASS, github(SECRET, payload.data)):
            response = send(optional, "POST", "/either/proxy/hook", headers, payload)
            assert (response.status, response.json()["sha256"]) == (200, payload.sha256)


def test_optional_without_require_is_closed_where_merging_makes_it_so(optional, backend):
    backend.reset()
    optional.refusal("misconfigured", 1)
    assert get(optional, "/merged/optional/proxy/hook").status == 500
    assert backend.count == 0
    assert get(optional, "/merged/optional/proxy/hook", github(SECRET)).status == 200
