"""Token pairs for users of an application: who gets one, what it opens, where it is kept, and what is told of the rest.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import json
import re
import subprocess
import time
from datetime import datetime, timezone
from urllib.parse import urlencode

import pytest

from client import Connection, curl, get, head, post, request
from clients import put_clients, put_issued, put_users, sha256
from command_line import run
from configtest import IS_ROOT, assert_says, put
from issuing import FORM, ask, in_header, private_key, token_line
from server import LOG_SECONDS, RUN_AS, Server, wait_until

DESK = "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c10"
PHONE = "7f3e61d0-0b52-49c7-9d1e-3a5c8e2b4f60"
OLD = "00000000-0000-4000-8000-0000000000a1"
OTHER_WAY = "00000000-0000-4000-8000-0000000000a2"
AWAY = "00000000-0000-4000-8000-0000000000a3"
UNKNOWN = "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c11"
PASSWORD = "correct horse & battery"

APPLICATIONS = f"""
help-desk  {sha256(DESK)} org=acme environment=production scopes=tickets:read,tickets:write
phone      plain:{PHONE} schemes=user-credentials
old        {sha256(OLD)} expires=2020-01-01
other-way  {sha256(OTHER_WAY)} schemes=client-credentials
away       {sha256(AWAY)} from=192.0.2.0/24
billing    {sha256("billing-secret")} scopes=tickets:read
"""

USERS = {"jane": PASSWORD, "joe": "another password", "jos\u00e9": "with an accent", "j d": "with a blank"}


ENDPOINT = """
<Location "{path}">
    AuthUserFile "${{ROOT}}/conf/users"
    {line}
    SetHandler authverify-token
    {more}
</Location>
"""

API = """
<Location "/api">
    AuthVerify token-pair clients=file:conf/accounts,file:issued/issued.clients {options}
    SetHandler authverify-whoami
</Location>
"""


def endpoint(path, line, more=""):
    return ENDPOINT.format(path=path, line=line, more=more)


def users_line(*more, issued="issued/issued.clients", insecure=True):
    words = ["AuthVerifyToken", "clients=file:conf/applications", "users=file", f"issued=file:{issued}", *more]
    return " ".join(words + (["insecure=on"] if insecure else []))


def prepare(config="", mpm="event", modules=(), **more):
    """A server with applications, users, accounts and an empty list of pairs."""
    server = Server("", mpm=mpm, modules=["authn_core", "authn_file", "headers", *modules], **more)
    put_users(server, USERS)
    put_clients(server, "applications", APPLICATIONS)
    put_clients(server, "accounts", f"3f2504e0-4f89-41d3-9a0c-0305e82c3301 {sha256('A' * 50)}\n")
    put_issued(server)
    server.configure(config)
    return server


@pytest.fixture(scope="module")
def server():
    made = prepare(modules=["http2"])
    made.secret("signing.pem", private_key("ES256"))
    put_issued(made, name="few.clients")
    put_issued(made, name="short.clients")
    signed = token_line("file:conf/signing.pem", "conf/applications", "users=file", "issued=file:issued/issued.clients")
    parts = [endpoint("/login", users_line()), endpoint("/both", signed), API.format(options="application=required"),
             endpoint("/safe", users_line(insecure=False)),
             endpoint("/far", users_line("from=192.0.2.0/24")),
             endpoint("/few", users_line("user-pairs=2", issued="issued/few.clients")),
             endpoint("/short", users_line("user-lifetime=2", issued="issued/short.clients")),
             endpoint("/reader", users_line("scopes=tickets:read,other")),
             endpoint("/production", users_line("environment=production")),
             endpoint("/closed", users_line(), "Require all denied"),
             endpoint("/counted", users_line(), "AuthVerifyThrottle failures=3 network-failures=6 window=3600 tokens=1"),
             '<Location "/short-api">\nAuthVerify token-pair clients=file:issued/short.clients\n'
             'SetHandler authverify-whoami\n</Location>\n',
             '<Location "/tokens">\nAuthVerify bearer clients=file:issued/issued.clients\n</Location>\n',
             f'<Location "/keys">\n{users_line()}\nSetHandler authverify-jwks\n</Location>\n']
    made.configure("Protocols h2c http/1.1\n" + "".join(parts))
    with made as running:
        yield running


def login(server, path="/login", application=DESK, username="jane", password=PASSWORD, connection=None, **more):
    """Logs a user in; a parameter that is None is left out."""
    said = {"username": username, "password": password, **more}
    body = urlencode({name: value for name, value in said.items() if value is not None})
    fields = {"Content-Type": FORM, **({"X-Auth-Application": application} if application else {})}
    return post(server, path, fields, body.encode(), connection=connection)


def pair_of(answer):
    """(token, secret) of an answer."""
    assert answer.status == 200, answer
    api_token = answer.json()["users"][0]["api_token"]
    return api_token["token"], api_token["secret"]


def as_headers(pair, application=DESK):
    fields = {"X-Auth-Token": pair[0], "X-Auth-Secret": pair[1]}
    return {**fields, "X-Auth-Application": application} if application else fields


def refused(server, answer, status, error, reason):
    server.refusal(reason)
    assert (answer.status, answer.json()["error"]) == (status, error), answer
    assert answer.get("Cache-Control") == "no-store"
    return answer


def lines_of(server, name="issued.clients"):
    text = (server.root / "issued" / name).read_text()
    assert text.endswith("\n")
    return text.splitlines()


# --- what a user gets -------------------------------------------------------------------------------------------------

def test_a_user_gets_a_pair_and_calls(server):
    before = time.time()
    answer = login(server)
    assert answer.status == 200, answer
    assert (answer.get("Cache-Control"), answer.get("Pragma")) == ("no-store", "no-cache")
    assert answer.get("Content-Type") == "application/json"
    said = answer.json()
    token, secret = pair_of(answer)
    ends = said["users"][0]["api_token"]["expires_at"]
    assert said == {"status": "Authenticated", "users": [
        {"username": "jane", "api_token": {"token": token, "secret": secret, "expires_at": ends}}]}
    assert re.fullmatch("[0-9a-f-]{36}", token) and re.fullmatch("[A-Za-z0-9]{50}", secret)
    seconds = datetime.strptime(ends, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp() - before
    assert 12 * 3600 - 2 <= seconds <= 12 * 3600 + 2
    call = get(server, "/api", as_headers((token, secret)))
    assert call.status == 200
    assert call.json() == {"authenticated": True, "client": "jane", "scheme": "token-pair", "rule": "token-pair",
                           "org": "acme", "environment": "production", "scopes": ["tickets:read", "tickets:write"]}


def test_the_pair_is_the_applications(server):
    pair = pair_of(login(server))
    server.refusal("wrong-application", 1)
    assert get(server, "/api", as_headers(pair, PHONE)).status == 401
    server.refusal("malformed-credential", 1)
    assert get(server, "/api", as_headers(pair, None)).status == 401
    assert get(server, "/api", as_headers(pair)).status == 200


def test_the_pair_is_kept_as_a_digest(server):
    token, secret = pair_of(login(server, application=PHONE, username="j d", password=USERS["j d"]))
    line = next(line for line in lines_of(server) if line.startswith(token))
    digest = base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode()
    assert re.fullmatch(rf"{token} sha256:{re.escape(digest)} schemes=token-pair application={PHONE} user=j%20d "
                        r"expires=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line)
    assert get(server, "/api", as_headers((token, secret), PHONE)).json()["client"] == "j d"


def test_a_secret_of_a_pair_is_no_token(server):
    _, secret = pair_of(login(server))
    server.refusal("scheme-not-allowed")
    assert get(server, "/tokens", {"Authorization": f"Bearer {secret}"}).status == 403


def test_a_name_may_be_any_text(server):
    name = "jos\u00e9"
    pair = pair_of(login(server, username=name, password=USERS[name]))
    assert get(server, "/api", as_headers(pair)).json()["client"] == name


def test_no_two_pairs_are_one(server):
    pairs = [pair_of(login(server, username="joe", password=USERS["joe"])) for _ in range(5)]
    assert len({token for token, _ in pairs}) == len({secret for _, secret in pairs}) == 5
    assert all(get(server, "/api", as_headers(pair)).status == 200 for pair in pairs)


def test_a_pair_is_for_no_more_than_the_endpoint_says(server):
    pair = pair_of(login(server, "/reader"))
    assert get(server, "/api", as_headers(pair)).json()["scopes"] == ["tickets:read"]


def test_both_kinds_of_a_line(server):
    assert pair_of(login(server, "/both"))
    answer = ask(server, "/both", headers=in_header("billing", "billing-secret"))
    assert answer.json()["token_type"] == "Bearer"


def test_parameters_that_nobody_knows_are_passed_over(server):
    assert pair_of(login(server, account="acme", two_factor_code=""))


def test_a_user_logs_in_over_http2(server):
    answer = curl("--http2-prior-knowledge", "--header", f"X-Auth-Application: {DESK}", "--data-urlencode",
                  "username=jane", "--data-urlencode", f"password={PASSWORD}", f"http://127.0.0.1:{server.port}/login")
    assert get(server, "/api", as_headers(pair_of(answer))).status == 200


# --- who gets none ----------------------------------------------------------------------------------------------------

REFUSED = {
    "no application": ({"application": None}, 401, "invalid_client", "not-presented"),
    "an unknown application": ({"application": UNKNOWN}, 401, "invalid_client", "unknown-client"),
    "an unknown user": ({"username": "mallory"}, 401, "invalid_client", "unknown-client"),
    "a wrong password": ({"password": "guess"}, 401, "invalid_client", "wrong-secret"),
    "another user's password": ({"password": USERS["joe"]}, 401, "invalid_client", "wrong-secret"),
    "no user": ({"username": None}, 401, "invalid_client", "not-presented"),
    "an empty user": ({"username": ""}, 401, "invalid_client", "not-presented"),
    "no password": ({"password": None}, 401, "invalid_client", "not-presented"),
    "an empty password": ({"password": ""}, 401, "invalid_client", "not-presented"),
    "a client's name is no application": ({"application": "help-desk"}, 401, "invalid_client",
                                          "malformed-credential"),
    "a client's secret is no application": ({"application": "billing-secret"}, 401, "invalid_client",
                                            "malformed-credential"),
    "capitals": ({"application": DESK.upper()}, 401, "invalid_client", "malformed-credential"),
    "a line end in the name": ({"username": "jane\n"}, 401, "invalid_client", "malformed-credential"),
    "a control byte in the password": ({"password": PASSWORD + "\x7f"}, 401, "invalid_client",
                                       "malformed-credential"),
    "a long name": ({"username": "j" * 257}, 401, "invalid_client", "malformed-credential"),
    "the application is over": ({"application": OLD}, 400, "unauthorized_client", "client-expired"),
    "the application comes another way": ({"application": OTHER_WAY}, 400, "unauthorized_client",
                                          "scheme-not-allowed"),
    "the application is elsewhere": ({"application": AWAY}, 403, "unauthorized_client", "network-refused"),
    "the endpoint is elsewhere": ({"path": "/far"}, 403, "unauthorized_client", "network-refused"),
    "another environment": ({"path": "/production", "application": PHONE}, 400, "unauthorized_client",
                            "client-not-allowed"),
    "without TLS": ({"path": "/safe"}, 403, "unauthorized_client", "insecure-transport"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_user_is_refused(server, name):
    said, status, error, reason = REFUSED[name]
    before = lines_of(server)
    answer = refused(server, login(server, **said), status, error, reason)
    assert (answer.get("WWW-Authenticate") is not None) == (status == 401)
    assert lines_of(server) == before
    for secret in (PASSWORD, "guess", DESK, "jane"):
        assert secret not in answer.body.decode()


def test_all_that_is_wrong_looks_alike(server):
    server.allow_refusals("unknown-client", "wrong-secret")
    answers = [login(server, **said) for said in ({"application": UNKNOWN}, {"username": "mallory"},
                                                  {"password": "guess"}, {"application": UNKNOWN, "password": "x"})]
    seen = {(answer.status, answer.body, tuple(pair for pair in answer.headers if pair[0] != "Date"))
            for answer in answers}
    assert len(seen) == 1, seen


@pytest.mark.parametrize("field", ["username", "password"])
def test_a_parameter_twice_is_none(server, field):
    body = urlencode([("username", "jane"), ("password", PASSWORD), (field, "x")]).encode()
    answer = post(server, "/login", {"Content-Type": FORM, "X-Auth-Application": DESK}, body)
    refused(server, answer, 400, "invalid_request", "ambiguous-credential")


def test_an_application_twice_is_none(server):
    with Connection(server.port) as connection:
        body = urlencode({"username": "jane", "password": PASSWORD})
        fields = {"Content-Type": FORM, "X-Auth-Application": f"{DESK}\r\nX-Auth-Application: {PHONE}",
                  "Content-Length": len(body), "Connection": "close"}
        connection.send(head("POST", "/login", fields), body)
        refused(server, connection.final_response(), 400, "invalid_request", "ambiguous-credential")


@pytest.mark.parametrize("password", [PASSWORD + "%00", PASSWORD + "\0"])
def test_a_password_does_not_end_at_a_nul(server, password):
    body = f"username=jane&password={password.replace(' ', '+').replace('&', '%26')}"
    answer = post(server, "/login", {"Content-Type": FORM, "X-Auth-Application": DESK}, body.encode())
    refused(server, answer, 401, "invalid_client", "malformed-credential")


def test_only_a_form_is_taken(server):
    body = json.dumps({"username": "jane", "password": PASSWORD}).encode()
    answer = post(server, "/login", {"Content-Type": "application/json", "X-Auth-Application": DESK}, body)
    refused(server, answer, 400, "invalid_request", "malformed-token-request")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_only_a_post_is_taken(server, method):
    answer = request(server, method, "/login", {"X-Auth-Application": DESK})
    refused(server, answer, 405, "invalid_request", "method-refused")
    assert answer.get("Allow") == "POST"


def test_a_large_body_is_not_read(server):
    answer = login(server, more="x" * 16384)
    refused(server, answer, 413, "invalid_request", "body-too-large")


def test_a_line_for_users_signs_nothing(server):
    answer = ask(server, "/login", headers=in_header("billing", "billing-secret"))
    refused(server, answer, 401, "invalid_client", "not-presented")
    server.expect("needs an AuthVerifyToken with key=")
    assert get(server, "/keys").status == 500


# --- how many, and how long -------------------------------------------------------------------------------------------

def test_a_user_has_so_many_pairs_and_no_more(server):
    pairs = [pair_of(login(server, "/few")) for _ in range(2)]
    refused(server, login(server, "/few"), 403, "unauthorized_client", "too-many-pairs")
    assert pair_of(login(server, "/few", application=PHONE)), "another application's are others"
    assert pair_of(login(server, "/few", username="joe", password=USERS["joe"])), "and so are another user's"
    run("client", "revoke", str(server.root / "issued" / "few.clients"), pairs[0][0])
    assert pair_of(login(server, "/few")), "one that is gone makes room at once"


def test_a_pair_ends(server):
    pair = pair_of(login(server, "/short"))
    assert get(server, "/short-api", as_headers(pair)).status == 200
    wait_until(lambda: get(server, "/short-api", as_headers(pair)).status == 403, 5, "it does not end")
    server.refusal("client-expired")


def test_who_guesses_passwords_must_wait_and_others_need_not(server):
    server.refusal("wrong-secret", 3)
    for _ in range(3):
        assert login(server, "/counted", password="guess").status == 401
    answer = refused(server, login(server, "/counted"), 429, "temporarily_unavailable", "throttled")
    assert int(answer.get("Retry-After")) > 60
    assert pair_of(login(server, "/counted", username="joe", password=USERS["joe"]))
    assert pair_of(login(server, "/counted", username="joe", password=USERS["joe"])), "tokens= is about tokens"
    server.refusal("unknown-client", 3)
    for _ in range(3):
        assert login(server, "/counted", username="nobody", application=UNKNOWN).status == 401
    assert login(server, "/counted", username="joe", password=USERS["joe"]).status == 429, "the network has failed enough"


# --- what is written down ---------------------------------------------------------------------------------------------

def access_lines(server, mark):
    log = server.root / "logs" / "access_log"
    wait_until(lambda: mark in log.read_text(), LOG_SECONDS, f"{mark} is not logged")
    return [line for line in log.read_text().splitlines() if mark in line]


def test_the_access_log_says_who_and_why(server):
    login(server, "/login?mark=good")
    refused(server, login(server, "/login?mark=bad", password="x"), 401, "invalid_client", "wrong-secret")
    assert access_lines(server, "mark=good") == ['jane 200 "POST /login?mark=good HTTP/1.1" rule=users reason=-']
    assert access_lines(server, "mark=bad") == [
        '- 401 "POST /login?mark=bad HTTP/1.1" rule=users reason=wrong-secret']


@pytest.mark.parametrize("path", ["/login", "/both", "/closed"])
def test_a_password_in_the_query_is_refused_and_not_logged(server, path):
    if path == "/closed":
        server.expect("AH01630: client denied by server configuration")
        assert login(server, f"{path}?mark=query{path}&password=p1ain-mark").status == 403
    else:
        answer = login(server, f"{path}?mark=query{path}&password=p1ain-mark")
        refused(server, answer, 400, "invalid_request", "malformed-token-request")
    assert f'"POST {path}?mark=query{path} HTTP/1.1"' in access_lines(server, f"mark=query{path}")[0]


def test_no_log_holds_a_secret(server):
    pair = pair_of(login(server))
    get(server, "/api?mark=secrets", as_headers(pair))
    access_lines(server, "mark=secrets")
    texts = server.all_output() + (server.root / "logs" / "access_log").read_text()
    for secret in (*USERS.values(), PASSWORD.replace(" ", "+"), pair[1], DESK, PHONE, "p1ain-mark"):
        assert secret not in texts


# --- mistakes ---------------------------------------------------------------------------------------------------------

def mistaken(*words, clients="file:conf/applications"):
    line = " ".join(["> AuthVerifyToken", *([f"clients={clients}"] if clients else []), *words])
    return f'<Location "/login">\n{line}\nSetHandler authverify-token\n</Location>'


ISSUED = "issued=file:issued/issued.clients"
MISTAKES = {
    "no list of pairs": (mistaken("users=file"), ["AuthVerifyToken: issued= is missing", "add issued=file:PATH"]),
    "no users": (mistaken(ISSUED), ["users= is missing", "add users=file"]),
    "a time for nobody": (mistaken("user-lifetime=60"), ["users= is missing"]),
    "a number for nobody": (mistaken("user-pairs=6"), ["users= is missing"]),
    "no applications": (mistaken("users=file", ISSUED, clients=None), ["clients= is missing"]),
    "an unknown provider": (mistaken("users=ldab", ISSUED), [
        "users=ldab: no module that is loaded knows passwords under this name; there are: ", "file. Load its module"]),
    "an unknown provider behind a known one": (mistaken("users=file,ldab", ISSUED), ["users=ldab: no module"]),
    "an endless pair": (mistaken("users=file", ISSUED, "user-lifetime=31622401"), ["from 1 to 31622400 (366 days)"]),
    "a pair of no time": (mistaken("users=file", ISSUED, "user-lifetime=0"), ["from 1 to 31622400 (366 days)"]),
    "a time with a unit": (mistaken("users=file", ISSUED, "user-lifetime=12h"), ["from 1 to 31622400 (366 days)"]),
    "no pairs": (mistaken("users=file", ISSUED, "user-pairs=0"), ["user-pairs=: is a number from 1 to 10000"]),
    "too many pairs": (mistaken("users=file", ISSUED, "user-pairs=10001"), ["from 1 to 10000"]),
    "two lists": (mistaken("users=file", ISSUED + ",file:issued/other"), ["issued=: is one file, file:PATH"]),
    "a path alone": (mistaken("users=file", "issued=issued/issued.clients"), ["issued= names a file as file:PATH"]),
    "a missing list": (mistaken("users=file", "issued=file:issued/none"), [
        "issued/none does not exist; run: echo '#!issued' | install -m 0600 -o ", " /dev/stdin "]),
    "the applications": (mistaken("users=file", ISSUED, clients="file:conf/applications,file:issued/issued.clients"),
                         ["issued= is a file of clients= as well"]),
    "a list by hand": (mistaken("users=file", "issued=file:issued/by-hand"), [
        "by-hand is no list of issued pairs: its first line does not begin with #!issued"]),
    "an empty file": (mistaken("users=file", "issued=file:issued/empty"), [
        "its first line does not begin with #!issued"]),
    "a folder": (mistaken("users=file", "issued=file:issued"), ["issued is not a plain file"]),
    "a symbolic link": (mistaken("users=file", "issued=file:issued/link"), [
        "link is a symbolic link; name the file that it leads to"]),
    "readable by everybody": (mistaken("users=file", "issued=file:issued/open"), [
        "open is readable by everybody; run: chmod o= "]),
    "writable by the group": (mistaken("users=file", "issued=file:issued/shared"), [
        "shared is writable by others than its owner; run: chmod go-w "]),
    "a line that is wrong": (mistaken("users=file", "issued=file:issued/wrong"), ["wrong: line 2: "]),
    "half of what is signed": (mistaken("users=file", ISSUED, "algorithm=ES256"), ["key= is missing"]),
    "an older form without a key": (mistaken("users=file", ISSUED, "legacy=EN"), ["algorithm= is missing"]),
}


@pytest.fixture(scope="module")
def bench():
    """A server that is never started."""
    made = prepare()
    put_issued(made, "by-hand", "someone plain:else\n")
    put_issued(made, "empty", "")
    put_issued(made, name="open", mode=0o604)
    put_issued(made, name="shared", mode=0o620)
    put_issued(made, "wrong", "#!issued\nsomeone\n")
    (made.root / "issued" / "link").symlink_to(made.root / "issued" / "issued.clients")
    yield made
    made.close()


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_line_and_remedy(bench, name):
    config, parts = MISTAKES[name]
    where = put(bench, config)
    status, output = bench.configtest()
    assert status == 1
    assert_says(output, where, ["AuthVerifyToken: ", *parts])


@pytest.mark.skipif(not IS_ROOT, reason="only root can give a file away")
def test_a_list_of_another_owner_is_a_mistake(bench):
    put_issued(bench, name="roots", give=False)
    where = put(bench, mistaken("users=file", "issued=file:issued/roots"))
    status, output = bench.configtest()
    assert status == 1
    assert_says(output, where, [f"does not belong to the user that httpd runs as, who adds to it; run: chown {RUN_AS} "])


@pytest.mark.skipif(not IS_ROOT, reason="as one user, nobody can be kept from a folder of his own")
def test_a_folder_that_the_children_cannot_write_is_a_warning(bench):
    folder = bench.root / "closed"
    folder.mkdir(exist_ok=True)
    (bench.root / "issued" / "issued.clients").replace(folder / "issued.clients")
    status, output = bench.configtest(mistaken("users=file", "issued=file:closed/issued.clients").replace("> ", ""))
    put_issued(bench)
    assert status == 0
    assert "closed may not be written by the user that httpd runs as" in output
    assert "; until that is done expired pairs stay in the file" in output and "no change" not in output


def test_the_remedy_for_a_missing_list_makes_one(bench):
    config = mistaken("users=file", "issued=file:issued/made").replace("> ", "")
    status, output = bench.configtest(config)
    assert status == 1
    remedy = re.search(r"run: (.*)$", output, re.M).group(1)
    subprocess.run(["sh", "-c", remedy], check=True)
    assert bench.configtest(config)[0] == 0
    path = bench.root / "issued" / "made"
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, "#!issued\n")
    path.unlink()


def test_pairs_alone_need_nothing_that_signs(bench):
    status, output = bench.configtest(mistaken("users=file", ISSUED, "insecure=on").replace("> ", ""))
    assert status == 0, output
