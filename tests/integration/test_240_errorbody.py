"""What a refused client is told: its class and no more, in the body that the administrator chose.

SPDX-License-Identifier: Apache-2.0
"""
import time

import pytest

from client import Connection, basic, curl, get, github, head, post, request, slack
from server import Server

SECRET = "the secret of the tests of error bodies"
FROM_FILE = "secret=file:${ROOT}/conf/secret"
GITHUB = f"AuthVerify github {FROM_FILE}"
DOCUMENT = {
    "text": 'ErrorDocument 401 "a text of the administrator"',
    "local": "ErrorDocument 401 /open/sorry.html",
    "proxied": "ErrorDocument 401 /open/proxy/sorry",
    "missing": "ErrorDocument 401 /open/there-is-no-such-page",
}
PLACES = {
    "problem": GITHUB,
    "problem-said": f"{GITHUB}\nAuthVerifyErrorBody problem",
    "html": f"{GITHUB}\nAuthVerifyErrorBody html",
    "empty": f"{GITHUB}\nAuthVerifyErrorBody empty",
    "slack": f"AuthVerify slack {FROM_FILE}",
    "gitlab": f"AuthVerify gitlab realm=slack {FROM_FILE}",
    "query": f"AuthVerify signature realm=github signature=%{{query:sig}} signed=%{{body}} {FROM_FILE}",
    "host": "AuthVerify signature realm=slack signature=%{header:X-Signature} signed=%{header:Host}%{body} "
            + FROM_FILE,
    "merged": "AuthVerifyMode optional",
    "no-room": f"{GITHUB}\nAuthVerifyBody spool=${{ROOT}}/closed memory=4k",
    "small": f"{GITHUB}\nAuthVerifyBody limit=10",
    "two": f"{GITHUB}\nAuthVerify slack {FROM_FILE}",
    "realm": f'AuthVerify github "realm=our hooks" {FROM_FILE}\nAuthVerify slack realm=other {FROM_FILE}\n'
             'AuthName "not this"',
    "auth-name": f'AuthName "our \\"hooks\\""\n{GITHUB}',
    "basic": f'AuthType Basic\nAuthName theirs\nAuthUserFile "${{ROOT}}/conf/users"\nRequire valid-user\n{GITHUB}',
    "open": "",
    **{f"document-{name}": f"{GITHUB}\n{line}" for name, line in DOCUMENT.items()},
    **{f"document-{name}-empty": f"{GITHUB}\nAuthVerifyErrorBody empty\n{line}" for name, line in DOCUMENT.items()},
    "document-reset": f"{GITHUB}\nErrorDocument 401 default",
}
CONFIG = """
Protocols h2c http/1.1
Header always set X-Always kept
Header set X-Success only
""" + "".join(f"""
ProxyPass "/{name}/proxy/" "http://127.0.0.1:${{BACKEND}}/"
Alias "/{name}/" "${{ROOT}}/htdocs/"
<Location "/{name}/">
{lines}
</Location>
""" for name, lines in PLACES.items()) + f"""
<Location "/merged/page.html">
{GITHUB}
</Location>
"""  # the merge alone shows that nobody requires a proof

TEXTS = {
    "not-presented": (401, "Unauthorized", "This location needs a credential and none was sent."),
    "malformed": (401, "Unauthorized", "The credential does not prove this request."),
    "wrong": (401, "Unauthorized", "The credential does not prove this request."),
    "ambiguous": (400, "Bad Request", "The credential was sent more than once."),
    "method": (405, "Method Not Allowed", "This method is not available here."),
    "body": (413, "Request Entity Too Large", "The request's body is too large or took too long."),
    "busy": (503, "Service Unavailable", "The request cannot be checked at the moment."),
}


@pytest.fixture(scope="module")
def server(backend):
    started = Server(CONFIG, defines={"BACKEND": backend.port}, modules=[
        "proxy", "proxy_http", "alias", "headers", "http2", "authn_core", "authn_file", "auth_basic", "authz_user"],
        allow=["this user cannot write there"])
    started.secret("secret", SECRET)
    (started.root / "closed").mkdir(mode=0o555)
    (started.root / "conf" / "users").write_text("alice:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=\n")  # myPassword
    started.write("page.html", "page")
    started.write("sorry.html", "the administrator's page")
    with started:
        yield started


def refused(server, place, reason, headers=None, body=b"x", method="POST"):
    """The answer to a request that is refused for this reason."""
    server.refusal(reason)
    return request(server, method, f"/{place}/page.html", headers, body)


def old(seconds):
    return slack(SECRET, b"x", int(time.time()) - seconds)


REFUSALS = {
    "nothing": ("problem", "not-presented", lambda: {}, "not-presented"),
    "malformed": ("problem", "malformed-credential", lambda: {"X-Hub-Signature-256": "x"}, "malformed"),
    "wrong signature": ("slack", "wrong-signature", lambda: slack("wrong", b"x"), "wrong"),
    "too late": ("slack", "too-late", lambda: old(4000), "wrong"),
    "too early": ("slack", "too-early", lambda: old(-4000), "wrong"),
    "wrong secret": ("gitlab", "wrong-secret", lambda: {"X-Gitlab-Token": "wrong"}, "wrong"),
    "body too large": ("small", "body-too-large", lambda: github(SECRET, b"x" * 20), "body"),
}


# --- the bodies -------------------------------------------------------------------------------------------------------

def problem(text):
    status, title, detail = TEXTS[text]
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


@pytest.mark.parametrize("place, reason, headers, text", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_problem_names_the_class(server, place, reason, headers, text):
    body = b"x" * 20 if place == "small" else b"x"
    response = refused(server, place, reason, headers(), body)
    assert response.status == TEXTS[text][0]
    assert response.get("Content-Type") == "application/problem+json"
    assert response.get("Content-Length") == str(len(response.body))
    assert response.json() == problem(text)
    assert reason not in response.body.decode()


def test_a_credential_in_two_places_is_a_problem_of_the_request(server):
    server.refusal("ambiguous-credential", 1)
    response = get(server, "/query/page.html?sig=a&sig=b")
    assert (response.status, response.json()) == (400, problem("ambiguous"))
    assert not response.all("WWW-Authenticate")


def test_trace_is_a_problem_of_the_method(server):
    server.refusal("method-refused", 1)
    response = request(server, "TRACE", "/problem/page.html", github(SECRET))
    assert (response.status, response.json()) == (405, problem("method"))
    assert response.get("Allow")  # RFC 9110 section 15.5.6
    assert not response.all("WWW-Authenticate")


def test_no_room_says_when_to_try_again(server):
    server.refusal("no-room", 1)
    server.expect("the body cannot be kept in ", 1)
    body = b"x" * 10000
    response = post(server, "/no-room/page.html", github(SECRET, body), body)
    assert (response.status, response.json()) == (503, problem("busy"))
    assert int(response.get("Retry-After")) > 0
    assert not response.all("WWW-Authenticate")


def test_the_servers_own_fault_is_told_as_such_and_no_more(server):
    server.refusal("misconfigured", 1)
    response = get(server, "/merged/page.html")
    assert response.status == 500
    assert response.json()["detail"] == "The server could not check the request."


def test_an_explicit_problem_is_the_default(server):
    assert (refused(server, "problem-said", "not-presented").body == refused(server, "problem", "not-presented").body)


def without_date(response):
    return response.status, sorted((name, value) for name, value in response.headers if name != "Date"), response.body


def test_all_ways_to_be_wrong_have_one_answer_to_the_byte(server):
    answers = [without_date(refused(server, place, reason, headers()))
               for place, reason, headers, text in REFUSALS.values() if text == "wrong"]
    host = {"X-Signature": "0" * 64, "Host": "elsewhere.example"}
    answers.append(without_date(refused(server, "host", "wrong-host", host)))
    assert len(answers) == 5
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("place", ["problem", "html", "empty", "document-text", "document-local"])
def test_one_class_has_one_answer_to_the_byte(server, place):
    server.refusal("malformed-credential", 4)
    answers = [without_date(request(server, "POST", f"/{place}/page.html", {"X-Hub-Signature-256": value}, b"x"))
               for value in ("", "x", "sha256=00", "sha256=" + "g" * 64)]
    assert all(answer == answers[0] for answer in answers)


def test_html_is_what_httpd_itself_would_say(server):
    response = refused(server, "html", "not-presented")
    assert response.get("Content-Type").startswith("text/html")
    assert b"<title>401 Unauthorized</title>" in response.body
    assert b"credential and none was sent" not in response.body


def test_empty_is_empty(server):
    response = refused(server, "empty", "not-presented")
    assert (response.status, response.body) == (401, b"")
    assert (response.get("Content-Length"), response.get("Content-Type")) == ("0", None)


@pytest.mark.parametrize("place", ["problem", "html", "empty"])
def test_a_header_that_is_always_set_stays(server, place):
    response = refused(server, place, "not-presented")
    assert response.get("X-Always") == "kept"
    assert response.get("X-Success") is None


@pytest.mark.parametrize("place", ["problem", "html", "empty", "document-text", "document-local"])
def test_a_head_request_gets_the_head_alone(server, place):
    server.refusal("not-presented", 2)
    with Connection(server.port) as connection:
        connection.send(head("GET", f"/{place}/page.html", {}))
        whole = connection.final_response()
        connection.send(head("HEAD", f"/{place}/page.html", {}))
        answer = connection.response(head_only=True)
        connection.send(head("GET", "/open/page.html", {"Connection": "close"}))
        assert connection.final_response().body == b"page"  # so nothing stood between
    assert answer.status == 401
    for name in ("Content-Type", "WWW-Authenticate", "X-Always"):
        assert answer.all(name) == whole.all(name)
    assert answer.get("Content-Length") in (None, whole.get("Content-Length"))


@pytest.mark.parametrize("place", ["problem", "html", "empty"])
def test_a_keep_alive_connection_goes_on(server, place):
    server.refusal("not-presented", 3)
    with Connection(server.port) as connection:
        for _ in range(3):
            connection.send(head("POST", f"/{place}/page.html", {"Content-Length": "4"}) + b"body")
            assert connection.final_response().status == 401
        proven = request(server, "POST", f"/{place}/page.html", github(SECRET, b"body"), b"body", connection=connection)
        assert proven.body == b"page"


def test_an_old_client_gets_the_same_body(server):
    server.refusal("not-presented", 1)
    with Connection(server.port) as connection:
        connection.send("GET /problem/page.html HTTP/1.0\r\nHost: test.example\r\n\r\n")
        response = connection.final_response()
        assert (response.status, response.json()) == (401, problem("not-presented"))
        assert connection.is_closed()


@pytest.mark.parametrize("place, kind",
                         [("problem", "application/problem+json"), ("html", "text/html; charset=iso-8859-1"),
                                         ("empty", None), ("document-text", "text/html; charset=iso-8859-1")])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_http2_says_the_same(server, place, kind, method):
    server.refusal("not-presented", 2)
    arguments = ["--head"] if method == "HEAD" else []
    answer = curl("--http2-prior-knowledge", *arguments, f"http://127.0.0.1:{server.port}/{place}/page.html")
    expected = request(server, "GET", f"/{place}/page.html")
    assert (answer.status, answer.get("Content-Type"), answer.get("X-Always")) == (401, kind, "kept")
    assert answer.get("WWW-Authenticate") == 'AuthVerify realm="github"'
    if method == "GET":
        assert answer.body == expected.body


# --- what the administrator says otherwise ----------------------------------------------------------------------------

@pytest.mark.parametrize("style", ["", "-empty"])
@pytest.mark.parametrize("name, text",
                         [("text", b"a text of the administrator"), ("local", b"the administrator's page")])
def test_an_error_document_of_the_administrator_wins(server, name, text, style):
    response = refused(server, f"document-{name}{style}", "not-presented")
    assert (response.status, response.body) == (401, text)
    assert response.get("Content-Type") != "application/problem+json"
    assert response.all("WWW-Authenticate") == ['AuthVerify realm="github"']
    assert response.get("X-Always") == "kept"


@pytest.mark.parametrize("style", ["", "-empty"])
def test_an_error_document_of_a_backend_wins(server, backend, style):
    backend.reset()
    response = refused(server, f"document-proxied{style}", "wrong-signature", github("wrong", b"x"))
    assert response.json()["path"] == "/sorry"
    assert [(seen.path, seen.length) for seen in backend.requests] == [("/sorry", 0)]


def test_an_error_document_that_is_missing_is_still_a_refusal(server):
    response = refused(server, "document-missing", "not-presented")
    assert response.status == 401
    assert response.all("WWW-Authenticate") == ['AuthVerify realm="github"']
    assert b"page" != response.body


def test_an_error_document_that_is_reset_brings_ours_back(server):
    assert refused(server, "document-reset", "not-presented").json() == problem("not-presented")


# --- what is not ours -------------------------------------------------------------------------------------------------

def test_an_error_after_the_proof_keeps_its_own_body(server, backend):
    missing = get(server, "/problem/missing.html", github(SECRET))
    assert missing.status == 404
    assert b"<title>404 Not Found</title>" in missing.body
    backend.reset()
    backend.status = 401
    answer = get(server, "/problem/proxy/x", github(SECRET))
    backend.reset()
    assert (answer.status, answer.get("Content-Type"), answer.json()["path"]) == (401, "application/json", "/x")
    assert not answer.all("WWW-Authenticate")


def test_the_refusal_of_basic_is_its_own(server):
    answer = get(server, "/basic/page.html", github(SECRET))
    assert (answer.status, answer.all("WWW-Authenticate")) == (401, ['Basic realm="theirs"'])
    assert b"<title>401 Unauthorized</title>" in answer.body
    assert get(server, "/basic/page.html", {**github(SECRET), **basic("alice", "myPassword")}).body == b"page"


# --- challenges -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("place, challenges", [
    ("problem", ['AuthVerify realm="github"']), ("two", ['AuthVerify realm="github"']),
    ("realm", ['AuthVerify realm="our hooks"']), ("auth-name", ['AuthVerify realm="our \\"hooks\\""']),
    ("basic", ['AuthVerify realm="theirs"'])])
@pytest.mark.parametrize("reason, headers",
                         [("not-presented", {}), ("malformed-credential", {"X-Hub-Signature-256": "x"}),
                                             ("wrong-signature", github("wrong", b"x"))])
def test_a_challenge_for_each_scheme(server, place, challenges, reason, headers):
    assert refused(server, place, reason, headers).all("WWW-Authenticate") == challenges


def test_who_is_let_in_is_not_challenged(server):
    response = get(server, "/problem/page.html", github(SECRET))
    assert (response.status, response.all("WWW-Authenticate"), response.get("Retry-After")) == (200, [], None)
