"""Who was proven, and what the handler and the logs see of the credential.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import hmac
import itertools
import shutil

import pytest

from backends import HANDLERS
from client import Connection, Payload, get, github, head, post, send_h2c, slack, standard_webhooks
from server import LOG_SECONDS, Server, wait_until

SECRET = "the secret of the tests of identity"
OTHER = "another secret of the same tests"
TOKEN = "whsec_dGhlIHNlY3JldCBvZiB0aGUgdGVzdHMgb2YgaWRlbnRpdHk="
FROM_FILE = "secret=file:${ROOT}/conf/first.secret"
MARKS = itertools.count()
BY_QUERY = f"AuthVerify signature signature=%{{query:sig}} signed=%{{method}}%{{lf}}%{{path}} {FROM_FILE}"

PLACES = {
    "github": f"AuthVerify github {FROM_FILE} secret=file:${{ROOT}}/conf/second.secret",
    "named": f"AuthVerify github identity=team-a {FROM_FILE}",
    "standard": "AuthVerify standard-webhooks secret=file:${ROOT}/conf/token.secret",
    "slack": f"AuthVerify slack strip=off {FROM_FILE}",
    "stripped-slack": f"AuthVerify slack {FROM_FILE}",
    "kept": f"AuthVerify github strip=off {FROM_FILE}",
    "query": BY_QUERY,
    "query-kept": f"{BY_QUERY} strip=off",
    "both": f"AuthVerify github {FROM_FILE}\nAuthVerify slack {FROM_FILE}",
    "inner": f"AuthVerify github {FROM_FILE}\nAuthVerifyHeader X-Client inner\nAuthVerifyHeader X-Percent 100%%",
    "open": "",
    "off": "AuthVerify off",
    "errors": f'AuthVerify github {FROM_FILE}\nErrorDocument 401 /open/proxy/sorry',
    "errors-cgi": f'AuthVerify github {FROM_FILE}\nErrorDocument 401 /open/cgi/hash.py',
    "trailers": f"AuthVerify github {FROM_FILE}",
}
CONFIG = """
Protocols h2c http/1.1
ExtendedStatus On
MergeTrailers on
AuthVerifyHeader X-Client "%{client}"
AuthVerifyHeader X-All "%{client}/%{scheme}/%{rule}"
LogFormat "%{X-Mark}i %>s %<{AUTHVERIFY_RESULT}e %<{AUTHVERIFY_REASON}e %{AUTHVERIFY_RESULT}e \\
%{AUTHVERIFY_REASON}e %{AUTHVERIFY_RULE}e %{AUTHVERIFY_CLIENT}e %u" verdicts
CustomLog logs/verdicts verdicts
LogFormat "%{X-Mark}i %r|%m %U%q|%<U|%{X-Hub-Signature-256}i" requests
CustomLog logs/requests requests
<Location "/status">
    SetHandler server-status
</Location>
SetEnvIf X-Client "." SPOOFED=yes
<Location "/condition/require/">
    Require expr "%{HTTP:X-Client} == 'forged-name'"
</Location>
<Location "/condition/environment/">
    Require env SPOOFED
</Location>
<Location "/condition/rewrite/">
    Require all denied
</Location>
RewriteEngine on
RewriteCond "%{HTTP:X-Client}" "forged"
RewriteRule "^/condition/rewrite/" "/open/cgi/hash.py" [PT]
<Location "/query/spelling/">
    CheckSpelling on
</Location>
LuaMapHandler "^/query/lua$" "${ROOT}/htdocs/target.lua"
<Directory "${ROOT}/htdocs/pages">
    Options +Includes
    SetOutputFilter INCLUDES
</Directory>
Alias "/open/pages/" "${ROOT}/htdocs/pages/"
RewriteRule "^/query/rewritten/(.*)" "http://127.0.0.1:${BACKEND}/$1" [P]
""" + "".join(f"""
ProxyPass "/{name}/proxy/" "http://127.0.0.1:${{BACKEND}}/"
ProxyPass "/{name}/nocanon/" "http://127.0.0.1:${{BACKEND}}/" nocanon
ProxyPassMatch "^/{name}/match/(.*)" "http://127.0.0.1:${{BACKEND}}/$1"
ScriptAlias "/{name}/cgi/" "${{ROOT}}/htdocs/cgi/"
<Location "/{name}/handler">
    SetHandler "proxy:http://127.0.0.1:${{BACKEND}}"
</Location>
<Location "/{name}/">
{lines}
</Location>
""" for name, lines in PLACES.items())


@pytest.fixture(scope="module")
def server(backend):
    started = Server(CONFIG, defines={"BACKEND": backend.port},
                     modules=["proxy", "proxy_http", "cgid", "alias", "http2", "status", "include", "rewrite",
                              "setenvif",
                              "speling", "lua", "mime"],
                     allow=["signed= does not cover the body"])
    started.secret("first.secret", SECRET)
    started.secret("second.secret", OTHER)
    started.secret("token.secret", TOKEN)
    (started.htdocs / "cgi").mkdir()
    shutil.copy(HANDLERS / "hash.py", started.htdocs / "cgi")
    started.write("query/spelling/page.html", "page")
    started.write("target.lua",
                  "function handle(r)\n    r:puts(r.unparsed_uri, '|', r.the_request, '|', r.args or '')\n"
                                "    return apache2.OK\nend\n")
    started.write("pages/include.html", '<!--#include virtual="/open/cgi/hash.py" -->')
    with started:
        yield started


@pytest.fixture(autouse=True)
def fresh(backend):
    backend.reset()


def environment(server, path, headers, body=b"", **more):
    response = post(server, path, headers, body, **more)
    assert response.status == 200, response
    return response.json()["environment"]


def ours(variables):
    return {name[11:]: value for name, value in variables.items() if name.startswith("AUTHVERIFY_")}


def received(backend):
    """Name and value of each header of the last request that reached the backend."""
    return backend.requests[-1].headers


def values(headers, name):
    """All values under any spelling that a handler may take for this name."""
    return [value for key, value in headers if key.lower().replace("_", "-") == name.lower()]


# --- the environment --------------------------------------------------------------------------------------------------

def test_the_environment_says_who_was_proven_and_how(server):
    found = environment(server, "/github/cgi/hash.py", {**github(SECRET, b"x"), "X-GitHub-Delivery": "72d3162e-cc78"},
                        b"x")
    assert ours(found) == {"RESULT": "accepted", "SCHEME": "signature", "RULE": "github", "CLIENT": "github",
                           "ID": "72d3162e-cc78", "SECRET_LABEL": "first.secret"}
    assert (found["REMOTE_USER"], found["AUTH_TYPE"]) == ("github", "AuthVerify")


def test_the_label_says_which_secret_matched(server):
    found = environment(server, "/github/cgi/hash.py", github(OTHER, b"x"), b"x")
    assert found["AUTHVERIFY_SECRET_LABEL"] == "second.secret"


def test_identity_names_who_a_rule_proves(server):
    found = environment(server, "/named/cgi/hash.py", github(SECRET, b"x"), b"x")
    assert (ours(found)["CLIENT"], ours(found)["RULE"], found["REMOTE_USER"]) == ("team-a", "github", "team-a")
    assert found["HTTP_X_ALL"] == "team-a/signature/github"


def test_a_signed_id_is_exported(server):
    found = environment(server, "/standard/cgi/hash.py", standard_webhooks(TOKEN, b"x", "msg_27"), b"x")
    assert (found["AUTHVERIFY_ID"], found["AUTHVERIFY_RULE"]) == ("msg_27", "standard-webhooks")


@pytest.mark.parametrize("identifier, exported", [
    ("x" * 256, "x" * 256), ("x" * 257, None), ("a b", None), ("a\x01b", None), ("caf\xe9", None), ("", None),
    ("<a>\"'\\%20", "<a>\"'\\%20")], ids=["256", "257", "blank", "control", "latin-1", "empty", "punctuation"])
def test_an_unsigned_id_is_exported_where_it_is_short_and_visible(server, identifier, exported):
    with Connection(server.port) as connection:
        connection.send(head("POST", "/github/cgi/hash.py", {**github(SECRET), "X-GitHub-Delivery": identifier,
                                                              "Connection": "close"}).decode().encode("latin-1"))
        response = connection.final_response()
    if response.status == 400:  # httpd itself refuses control bytes in a header
        assert identifier == "a\x01b"
        return
    assert ours(response.json()["environment"]).get("ID") == exported


def test_a_signed_id_that_is_too_long_is_malformed(server):
    server.refusal("malformed-credential", 1)
    assert post(server, "/standard/cgi/hash.py", standard_webhooks(TOKEN, b"x", "x" * 257), b"x").status == 401


@pytest.mark.parametrize("place", ["open", "off"])
def test_where_no_rule_is_in_force_there_is_no_identity(server, place):
    found = environment(server, f"/{place}/cgi/hash.py", github(SECRET, b"x"), b"x")
    assert not ours(found)
    assert not {"REMOTE_USER", "AUTH_TYPE", "HTTP_X_CLIENT", "HTTP_X_ALL"} & set(found)


def mark():
    """A header by which a request's line is found in the logs: httpd writes it after the answer."""
    return {"X-Mark": f"mark-{next(MARKS)}"}


def line_of(server, name, marked):
    """The line of the marked request in a log, without its mark."""
    start = marked["X-Mark"] + " "
    lines = wait_until(lambda: [line[len(start):] for line in (server.root / "logs" / name).read_text().splitlines()
                                if line.startswith(start)], LOG_SECONDS, f"{name} has no such line")
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("path, headers, reason, line", [
    ("/github/proxy/x", github(SECRET), None, "200 accepted - accepted - github github github"),
    ("/named/proxy/x", github(SECRET), None, "200 accepted - accepted - github team-a team-a"),
    ("/github/proxy/x", {}, "not-presented", "401 refused not-presented refused not-presented - - -"),
    ("/github/proxy/x", github("wrong"), "wrong-signature",
     "401 refused wrong-signature refused wrong-signature github - -"),
    ("/github/proxy/x", {"X-Hub-Signature-256": "x"}, "malformed-credential",
     "401 refused malformed-credential refused malformed-credential github - -"),
    ("/open/proxy/x", github(SECRET), None, "200 - - - - - - -"),
    ("/errors/proxy/x", github("wrong"), "wrong-signature", "200 refused wrong-signature "),
], ids=["accepted", "identity", "nothing", "wrong", "malformed", "open", "error document"])
def test_the_access_log_can_tell_every_verdict(server, path, headers, reason, line):
    if reason:
        server.refusal(reason, 1)
    marked = mark()
    get(server, path, {**headers, **marked})
    assert line_of(server, "verdicts", marked).startswith(line)


# --- headers for the handler ------------------------------------------------------------------------------------------

def test_headers_are_set_from_what_was_proven(server, backend):
    post(server, "/both/proxy/x", slack(SECRET, b"x"), b"x")
    assert values(received(backend), "X-All") == ["slack/signature/slack"]
    post(server, "/inner/proxy/x", github(SECRET, b"x"), b"x")
    assert values(received(backend), "X-Client") == ["inner"]
    assert values(received(backend), "X-All") == ["github/signature/github"]
    assert values(received(backend), "X-Percent") == ["100%"]


FORGERY = "forged-name"
FORGED = [("X-Client", FORGERY), ("x-client", FORGERY), ("X_Client", FORGERY), ("x_CLIENT", FORGERY),
          ("X-All", FORGERY),
          ("X_All", FORGERY), ("X-Percent", FORGERY), ("X_Percent", FORGERY)]


def send_forged(server, path, more=(), method="POST"):
    """A request with its own copies of every exported header, some of them twice."""
    fields = [*more, *FORGED, *FORGED[:2], ("Host", "test.example"), ("Content-Length", "0"), ("Connection", "close")]
    with Connection(server.port) as connection:
        connection.send(f"{method} {path} HTTP/1.1\r\n", "".join(f"{name}: {value}\r\n" for name, value in fields),
                        "\r\n")
        return connection.final_response()


@pytest.mark.parametrize("path, proven", [
    ("/github/proxy/x", True), ("/kept/proxy/x", True), ("/open/proxy/x", False), ("/off/proxy/x", False),
    ("/errors/proxy/x", False), ("/github/match/x", True), ("/github/handler/x", True)])
def test_a_clients_own_copy_reaches_no_backend(server, backend, path, proven):
    more = github(SECRET).items() if proven else ()
    if path.startswith("/errors"):
        server.refusal("not-presented", 1)
    send_forged(server, path, more)
    assert backend.count == 1
    assert values(received(backend), "X-Client") == (["github"] if proven else [])
    assert values(received(backend), "X-All") == (["github/signature/github"] if proven else [])
    assert values(received(backend), "X-Percent") == []


@pytest.mark.parametrize("path, proven, status", [
    ("/github/cgi/hash.py", True, 200), ("/open/cgi/hash.py", False, 200), ("/errors-cgi/cgi/hash.py", False, 401),
    ("/open/pages/include.html", False, 200)])
def test_a_clients_own_copy_reaches_no_script(server, path, proven, status):
    if status == 401:
        server.refusal("not-presented", 1)
    response = send_forged(server, path, github(SECRET).items() if proven else (), "GET" if "pages" in path else "POST")
    assert response.status == status
    found = response.json()["environment"]
    assert found.get("HTTP_X_CLIENT") == ("github" if proven else None)
    assert FORGERY.encode() not in response.body


def test_a_clients_own_copy_over_http2_reaches_no_backend(server, backend):
    payload = Payload(5)
    forged = {"X-Client": FORGERY, "X_Client": FORGERY}
    signed = github(SECRET, payload.data)
    assert send_h2c(server, "POST", "/github/proxy/x", {**signed, **forged}, payload).status == 200
    assert values(received(backend), "X-Client") == ["github"]
    assert send_h2c(server, "POST", "/open/proxy/x", forged, payload).status == 200
    assert values(received(backend), "X-Client") == []


@pytest.mark.parametrize("handler", ["cgi/hash.py", "proxy/x"])
def test_a_clients_own_copy_in_a_trailer_reaches_no_handler(server, backend, handler):
    with Connection(server.port) as connection:
        fields = {**github(SECRET, b"data"), "Transfer-Encoding": "chunked", "Connection": "close"}
        connection.send(head("POST", f"/trailers/{handler}", fields),
                        b"4\r\ndata\r\n0\r\nX-Client: forged-name\r\nX_Client: forged-name\r\n"
                        b"X-All: forged-name\r\nX-Other: seen\r\n\r\n")
        response = connection.final_response()
    assert response.status == 200
    assert FORGERY.encode() not in response.body
    if handler.startswith("cgi"):
        assert response.json()["environment"]["HTTP_X_CLIENT"] == "github"
        assert response.json()["environment"]["HTTP_X_OTHER"] == "seen"  # trailers are merged: the test tests something
    else:
        assert values(received(backend), "X-Client") == ["github"]


@pytest.mark.parametrize("condition", ["require", "environment", "rewrite"])
def test_a_clients_own_copy_meets_no_condition(server, condition):
    server.expect("AH01630: client denied by server configuration", 1)
    assert send_forged(server, f"/condition/{condition}/page").status == 403


@pytest.mark.parametrize("connection_header", [
    "close, X-Client", "X-Client, close", "close,x-client,X-ALL", "close, X_Client, x_all", "close, , X-Client"])
def test_the_connection_header_cannot_strike_an_exported_header(server, backend, connection_header):
    post(server, "/github/proxy/x", {**github(SECRET, b"x"), "Connection": connection_header}, b"x")
    assert values(received(backend), "X-Client") == ["github"]
    assert values(received(backend), "X-All") == ["github/signature/github"]


@pytest.mark.parametrize("named",
                         ["X-Slack-Signature", "x-slack-request-timestamp",
                          "X-Slack-Signature,X-Slack-Request-Timestamp"])
def test_the_connection_header_cannot_strike_a_signed_header(server, backend, named):
    signed = slack(SECRET, b"x")
    post(server, "/slack/proxy/x", {**signed, "Connection": f"close, {named}, X-Other", "X-Other": "hop"}, b"x")
    for name, value in signed.items():
        assert values(received(backend), name) == [value]
    assert values(received(backend), "X-Other") == []


# --- the credential: headers ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("place, seen", [("github", False), ("kept", True)])
def test_the_credential_is_taken_out_of_the_headers_unless_told_otherwise(server, backend, place, seen):
    credential = github(SECRET, b"x")
    found = environment(server, f"/{place}/cgi/hash.py", credential, b"x")
    post(server, f"/{place}/proxy/x", credential, b"x")
    kept = [credential["X-Hub-Signature-256"]] if seen else []
    assert [found[name] for name in found if name == "HTTP_X_HUB_SIGNATURE_256"] == kept
    assert values(received(backend), "X-Hub-Signature-256") == kept


def test_only_the_credential_is_taken_out(server, backend):
    signed = slack(SECRET, b"x")
    post(server, "/stripped-slack/proxy/x", {**signed, "X-Other": "1"}, b"x")
    assert values(received(backend), "X-Slack-Signature") == []
    assert values(received(backend), "X-Slack-Request-Timestamp") == [signed["X-Slack-Request-Timestamp"]]
    assert values(received(backend), "X-Other") == ["1"]


def test_the_credential_of_every_rule_is_taken_out_whichever_decided(server, backend):
    post(server, "/both/proxy/x", {**github(SECRET, b"x"), **slack("wrong", b"x")}, b"x")
    assert values(received(backend), "X-All") == ["github/signature/github"]
    assert values(received(backend), "X-Hub-Signature-256") == values(received(backend), "X-Slack-Signature") == []


def test_a_credential_of_no_rule_here_is_left_alone(server, backend):
    post(server, "/open/proxy/x", github(SECRET, b"x"), b"x")
    assert values(received(backend), "X-Hub-Signature-256")
    post(server, "/github/proxy/x", {**github(SECRET, b"x"), "Authorization": "Bearer of-the-backend"}, b"x")
    assert values(received(backend), "Authorization") == ["Bearer of-the-backend"]


# --- the credential: the query ----------------------------------------------------------------------------------------

def in_query(path, secret=SECRET, method="GET"):
    return hmac.new(secret.encode(), f"{method}\n{path}".encode(), hashlib.sha256).hexdigest()


QUERIES = {
    "alone": ("sig={}", ""),
    "first": ("sig={}&a=1&b=2", "a=1&b=2"),
    "middle": ("a=1&sig={}&b=2", "a=1&b=2"),
    "last": ("b=%2F+x&a=%C3%A9&a=2&sig={}", "b=%2F+x&a=%C3%A9&a=2"),
    "encoded name": ("a=1&s%69g={}", "a=1"),
    "other parameters like it": ("sigs=1&sig={}&SIG=2&a=sig=3", "sigs=1&SIG=2&a=sig=3"),
    "blanks": ("flag&sig={}&empty=", "flag&empty="),
    "doubled separators": ("a=1&&sig={}&b=2", "a=1&&b=2"),
    "a question mark": ("a=1?2&sig={}", "a=1?2"),
}
HANDLERS_OF_QUERY = ["cgi/hash.py", "proxy/x", "nocanon/x", "match/x", "handler/x", "rewritten/x"]


@pytest.mark.parametrize("query, left", QUERIES.values(), ids=QUERIES.keys())
@pytest.mark.parametrize("handler", HANDLERS_OF_QUERY)
def test_the_credential_is_taken_out_of_the_query_and_nothing_else(server, backend, handler, query, left):
    path = f"/query/{handler}"
    signature = in_query(path)
    marked = mark()
    response = get(server, f"{path}?{query.format(signature)}", marked)
    assert response.status == 200
    wanted = "?" + left if left else ""
    assert line_of(server, "requests", marked) == f"GET {path}{wanted} HTTP/1.1|GET {path}{wanted}|{path}|-"
    if handler.startswith("cgi"):
        found = response.json()["environment"]
        assert (found["QUERY_STRING"], found["REQUEST_URI"]) == (left, path + wanted)
        assert signature not in str(found)
    else:
        assert backend.requests[-1].path.partition("?")[1:] == wanted.partition("?")[1:]
        assert signature not in str(received(backend)) + backend.requests[-1].path


def test_strip_off_leaves_the_query_as_it_is(server, backend):
    path = "/query-kept/proxy/x"
    target = f"{path}?a=1&sig={in_query(path)}&b=2"
    marked = mark()
    assert get(server, target, marked).status == 200
    assert backend.requests[-1].path == f"/x?a=1&sig={in_query(path)}&b=2"
    assert line_of(server, "requests", marked).startswith(f"GET {target} HTTP/1.1|GET {target}|")


@pytest.mark.parametrize("query, reason, status", [
    ("a=1&sig={wrong}&b=2", "wrong-signature", 401), ("sig={wrong}x", "malformed-credential", 401),
    ("sig={right}&sig={right}", "ambiguous-credential", 400),
    ("sig={right}&s%69g={wrong}", "ambiguous-credential", 400)])
def test_a_refused_credential_is_not_in_the_log_either(server, backend, query, reason, status):
    path = "/query/proxy/x"
    right, wrong = in_query(path), in_query(path, "wrong")
    server.refusal(reason, 1)
    marked = mark()
    assert get(server, f"{path}?{query.format(right=right, wrong=wrong)}", marked).status == status
    line = line_of(server, "requests", marked)
    assert line.startswith(f"GET {path}{'?a=1&b=2' if 'a=1' in query else ''} HTTP/1.1|")
    text = line + "".join(server.new_lines()) + (server.root / "logs" / "access_log").read_text()
    assert right not in text and wrong not in text
    assert backend.count == 0


def test_a_credential_in_the_query_over_http2_is_not_in_the_log(server, backend):
    path = "/query/proxy/x"
    signature = in_query(path, method="POST")
    marked = mark()
    assert send_h2c(server, "POST", f"{path}?a=1&sig={signature}&b=2", marked, Payload(3)).status == 200
    assert line_of(server, "requests", marked).startswith(f"POST {path}?a=1&b=2 HTTP/2.0|POST {path}?a=1&b=2|")
    assert backend.requests[-1].path == "/x?a=1&b=2"


def test_a_credential_in_an_absolute_target_is_not_in_the_log(server, backend):
    path = "/query/proxy/x"
    marked = mark()
    assert get(server, f"http://test.example{path}?a=1&sig={in_query(path)}", marked).status == 200
    assert line_of(server, "requests", marked).startswith(f"GET http://test.example{path}?a=1 HTTP/1.1|GET {path}?a=1|")
    assert backend.requests[-1].path == "/x?a=1"


def test_a_credential_in_the_query_is_nowhere_in_the_request_that_a_module_sees(server):
    target = "/query/lua"
    assert get(server, f"{target}?a=1&sig={in_query(target)}").body.decode() == (
        f"{target}?a=1|GET {target}?a=1 HTTP/1.1|a=1")


def test_a_credential_in_the_query_is_in_no_corrected_address(server):
    target = "/query/spelling/pgae.html"
    server.allow("AH03247|AH0324")
    response = get(server, f"{target}?a=1&sig={in_query(target)}")
    assert (response.status, response.get("Location").partition("?")[1:]) == (301, ("?", "a=1"))


def test_a_credential_in_the_query_is_on_no_status_page(server):
    """The page shows the target of a request that is being handled, so of one whose handler waits for its body. httpd
    notes the target as soon as it has the head, a moment before any module can change it."""
    path = "/query/proxy/x"
    signature = in_query(path, method="POST")
    with Connection(server.port) as connection:
        connection.send(head("POST", f"{path}?waits=1&sig={signature}", {"Content-Length": "2", "Connection": "close"}))
        wait_until(lambda: "waits=1" in (page := get(server, "/status").body.decode()) and signature[:8] not in page,
                   LOG_SECONDS,
                   "the credential is on the page")
        connection.send("ab")
        assert connection.final_response().status == 200


def test_the_secret_and_the_credential_are_in_no_log_at_all(server):
    server.refusal("wrong-signature", 1)
    good, bad, marked = github(SECRET, b"the last"), github("wrong", b"the last"), mark()
    assert post(server, "/github/proxy/x", good, b"the last").status == 200
    assert post(server, "/github/proxy/x", {**bad, **marked}, b"the last").status == 401
    line_of(server, "requests", marked)
    line_of(server, "verdicts", marked)
    logs = "".join(path.read_text(errors="replace") for path in (server.root / "logs").iterdir() if path.is_file())
    for text in (good["X-Hub-Signature-256"][7:], bad["X-Hub-Signature-256"][7:], SECRET, OTHER):
        assert text not in logs
