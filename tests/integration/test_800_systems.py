"""The systems of conf/examples/, end to end: each sender is played by a real HTTP client, against the example as it is.

The lists of clients are those that the examples show in their comments.
SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import hmac
import http.client
import json
import re
import urllib.parse
import urllib.request
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError

import pytest

from aws4_signer import Signer
from client import curl
from clients import put_clients, put_issued, put_users
from command_line import run
from samples import filled, samples_of
from server import Server, wait_until
from verdict import TELL, label_of, reason_of

EXAMPLES = Path(__file__).resolve().parents[2] / "conf" / "examples"
MODULES = ["proxy", "proxy_http", "headers", "authn_core", "authn_file", "authz_user"]
APPLICATION_ADDRESS = "127.0.0.1:8080"
EVENT = json.dumps({"type": "order.created", "id": 17}).encode()


# What httpd says where a Require denies.
DENIED = r"AH01630: client denied by server configuration"


def example(name, backend, secrets, files=(), allow=()):
    """A server with the example, its lists of clients, and the files of secrets that it names."""
    text = (EXAMPLES / f"{name}.conf").read_text(encoding="utf-8")
    server = Server("", modules=MODULES, allow=allow)
    for file, sample in samples_of(text).items():
        put_clients(server, file, filled(sample, secrets))
    for file, secret in dict(files).items():
        server.secret(file, secret)
    for file in re.findall(r"/var/lib/authverify/([\w.-]+\.clients)", text):
        put_issued(server, file)
    text = text.replace("/etc/authverify/", f"{server.root}/conf/").replace("/var/lib/authverify/",
                                                                            f"{server.root}/issued/")
    server.configure(TELL + text.replace(APPLICATION_ADDRESS, f"127.0.0.1:{backend.port}"))
    return server


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


class Sender:
    """Sends as one of the clients that people use, and says what became of it."""

    def __init__(self, server, backend):
        self.server, self.backend = server, backend

    def url(self, target):
        return f"http://127.0.0.1:{self.server.port}{target}"

    def curl(self, target, *arguments, body=None):
        self.backend.reset()
        data = () if body is None else ("--data-binary", body.decode())
        return curl(*arguments, *data, self.url(target))

    def http_client(self, method, target, headers=None, body=None):
        """Python's http.client. What it gives has the status, the reason and the label of ours."""
        self.backend.reset()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            answer.read()
            return Answer(answer)
        finally:
            connection.close()

    def urllib(self, target, body=None, headers=None, handler=None):
        """Python's urllib.request, which answers a challenge by itself where it has a password."""
        self.backend.reset()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *([handler] if handler else []))
        request = urllib.request.Request(self.url(target), body, headers or {})
        try:
            with opener.open(request, timeout=30) as answer:
                return Answer(answer)
        except HTTPError as error:
            with error:
                return Answer(error)

    def received(self):
        """Headers of the one request that the application got, names in lower case."""
        assert self.backend.count == 1
        return {name.lower(): value for name, value in self.backend.requests[0].headers}

    def refused(self, answer, status, reason):
        self.server.refusal(reason)
        assert (answer.status, reason_of(answer)) == (status, reason), answer
        assert self.backend.count == 0


class Answer:
    """What verdict.py asks of a response, from the standard library's."""

    def __init__(self, answer):
        self.status, self.headers = answer.status, answer.headers

    def get(self, name, default=None):
        return self.headers.get(name, default)

    def __repr__(self):
        return f"<{self.status} {self.headers.items()}>"


def accepted(answer):
    assert (answer.status, reason_of(answer)) == (200, "accepted"), answer
    return True


# --- Sirportly --------------------------------------------------------------------------------------------------------

ACCOUNT, DASHBOARD = "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
APPLICATION, OTHER_APPLICATION = "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c10", "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c11"
PAIRS = {"ACCOUNT_SECRET": "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0LzXcVbNmQaWsEdRfTgYh",
         "DASHBOARD_SECRET": "PlOkIjUhYgTfRdEsWaQmNbVcXzL0kJ1hG2fD3sA4pO5iU6yT7r",
         "APPLICATION_TOKEN": APPLICATION}
PASSWORDS = {"jane": "correct horse & battery", "joe": "another password"}
LOGIN = "/api/v2/authentication/authenticate"


def sirportly_server(backend):
    """TLS ends before it, which ServerName says."""
    server = example("sirportly", backend, PAIRS)
    put_users(server, PASSWORDS, "sirportly-users.htpasswd")
    text = server.config_file.read_text()
    server.config_file.write_text(text.replace("ServerName test.example", "ServerName https://test.example"))
    return server


@pytest.fixture(scope="module")
def sirportly(backend):
    with sirportly_server(backend) as server:
        yield Sender(server, backend)


def pair(token, secret, application=None):
    fields = {"X-Auth-Token": token, "X-Auth-Secret": PAIRS[secret]}
    return {**fields, "X-Auth-Application": application} if application else fields


def as_options(fields):
    return [part for name, value in fields.items() for part in ("--header", f"{name}: {value}")]


def test_sirportly_account_calls_the_api(sirportly):
    answer = sirportly.curl("/api/v2/tickets/all", *as_options(pair(ACCOUNT, "ACCOUNT_SECRET")))
    assert accepted(answer) and label_of(answer) == "main"
    got = sirportly.received()
    assert (got["x-client"], got["x-client-org"]) == (ACCOUNT, "acme")
    assert "x-auth-token" not in got and "x-auth-secret" not in got


def test_sirportly_account_posts_a_form(sirportly):
    form = b"subject=Hello"
    answer = sirportly.curl("/api/v2/tickets/submit", *as_options(pair(ACCOUNT, "ACCOUNT_SECRET")), body=form)
    assert accepted(answer) and sirportly.backend.requests[0].length == len(form)


def test_sirportly_pair_of_another_account_is_wrong(sirportly):
    fields = {**pair(ACCOUNT, "ACCOUNT_SECRET"), "X-Auth-Secret": PAIRS["DASHBOARD_SECRET"]}
    sirportly.refused(sirportly.http_client("GET", "/api/v2/tickets/all", fields), 401, "wrong-secret")
    unknown = pair(ACCOUNT[:-1] + "2", "ACCOUNT_SECRET")
    sirportly.refused(sirportly.http_client("GET", "/api/v2/tickets/all", unknown), 401, "unknown-client")


def test_sirportly_token_restricted_to_methods_paths_and_addresses(sirportly):
    fields = pair(DASHBOARD, "DASHBOARD_SECRET")
    sirportly.refused(sirportly.http_client("GET", "/api/v2/tickets/all", fields), 403, "network-refused")


@pytest.mark.parametrize("method, target, reason", [("GET", "/api/v2/tickets/all", "accepted"),
                                                    ("POST", "/api/v2/tickets/submit", "method-not-allowed"),
                                                    ("GET", "/api/v2/users/all", "path-not-allowed")])
def test_sirportly_restrictions_from_the_right_address(backend, method, target, reason):
    server = sirportly_server(backend)
    name = "sirportly.clients"
    text = (server.root / "conf" / name).read_text()
    assert "from=192.0.2.0/24" in text
    put_clients(server, name, text.replace("from=192.0.2.0/24", "from=127.0.0.1"))
    with server:
        sender = Sender(server, backend)
        answer = sender.http_client(method, target, pair(DASHBOARD, "DASHBOARD_SECRET"))
        assert accepted(answer) if reason == "accepted" else sender.refused(answer, 403, reason) is None


def log_in(sirportly, username="jane", password=PASSWORDS["jane"], application=APPLICATION):
    """As an application does; the answer."""
    fields = ["--data-urlencode", f"username={username}", "--data-urlencode", f"password={password}"]
    return sirportly.curl(LOGIN, "--header", f"X-Auth-Application: {application}", *fields)


def user_pair(answer, application=APPLICATION):
    """The headers that the application sends from then on."""
    assert answer.status == 200 and answer.get("Cache-Control") == "no-store", answer
    said = json.loads(answer.body)
    assert said["status"] == "Authenticated"
    issued = said["users"][0]["api_token"]
    assert re.fullmatch("[0-9a-f-]{36}", issued["token"]) and re.fullmatch("[A-Za-z0-9]{50}", issued["secret"])
    fields = {"X-Auth-Token": issued["token"], "X-Auth-Secret": issued["secret"]}
    return {**fields, "X-Auth-Application": application} if application else fields


def test_sirportly_a_user_logs_in_and_calls_with_the_application_and_not_without(sirportly):
    answer = log_in(sirportly)
    assert sirportly.backend.count == 0, "the API never sees a password"
    for target in ("/api/v2/tickets/all", "/api/v2/me"):
        sirportly.backend.reset()
        assert accepted(sirportly.curl(target, *as_options(user_pair(answer))))
        got = sirportly.received()
        assert (got["x-client"], got["x-client-org"], got["x-auth-application"]) == ("jane", "acme", APPLICATION)
        assert "x-auth-token" not in got and "x-auth-secret" not in got
        sirportly.backend.reset()
        other = sirportly.http_client("GET", target, user_pair(answer, OTHER_APPLICATION))
        sirportly.refused(other, 401, "wrong-application")
    sirportly.refused(sirportly.http_client("GET", "/api/v2/tickets/all", user_pair(answer, None)), 401,
                      "wrong-application")
    sirportly.refused(sirportly.http_client("GET", "/api/v2/me", user_pair(answer, None)), 401, "malformed-credential")


def test_sirportly_account_is_no_user(sirportly):
    answer = sirportly.http_client("GET", "/api/v2/me", pair(ACCOUNT, "ACCOUNT_SECRET", APPLICATION))
    sirportly.refused(answer, 401, "unknown-client")


@pytest.mark.parametrize("said, reason", [
    ({"application": OTHER_APPLICATION}, "unknown-client"), ({"username": "mallory"}, "unknown-client"),
    ({"password": "guess"}, "wrong-secret"), ({"username": "joe"}, "wrong-secret"), ({"password": ""}, "not-presented")])
def test_sirportly_who_is_not_known_gets_no_pair(sirportly, said, reason):
    answer = log_in(sirportly, **said)
    sirportly.refused(answer, 401, reason)
    assert json.loads(answer.body)["error"] == "invalid_client"


def test_sirportly_pair_that_was_revoked_is_good_no_more(sirportly):
    fields = user_pair(log_in(sirportly, "joe", PASSWORDS["joe"]))
    assert accepted(sirportly.http_client("GET", "/api/v2/me", fields))
    issued = sirportly.server.root / "issued" / "sirportly-issued.clients"
    sirportly.server.allow("clients are in force")
    run("client", "revoke", issued, fields["X-Auth-Token"])
    wait_until(lambda: sirportly.http_client("GET", "/api/v2/me", fields).status == 401, 2, "it is still good")
    sirportly.server.refusal("unknown-client")


@pytest.mark.parametrize("fields", [pair(ACCOUNT.upper(), "ACCOUNT_SECRET"), pair(ACCOUNT[:-1], "ACCOUNT_SECRET"),
                                    {**pair(ACCOUNT, "ACCOUNT_SECRET"), "X-Auth-Secret": "short"},
                                    {"X-Auth-Token": ACCOUNT}, {"X-Auth-Secret": PAIRS["ACCOUNT_SECRET"]}])
def test_sirportly_formats(sirportly, fields):
    sirportly.refused(sirportly.http_client("GET", "/api/v2/tickets/all", fields), 401, "malformed-credential")


# --- Sighten ----------------------------------------------------------------------------------------------------------

KEYS = {"ACME_KEY": "ak_acme_5f1c1a7be0d84b6c", "SOLAR_KEY": "ak_solar_0b7d93e2a1c54f88",
        "PASSWORD": "correct:horse \u2713", "TOKEN": "tok_live_6d0d3a5f9b7e4c21",
        "TEST_TOKEN": "tok_test_91b2c3d4e5f60718", "AWS_SECRET": "awsSecretOfSighten/0123456789+abcdefghij"}
JSON = {"Content-Type": "application/json", "X-Fixed": "yes"}


@pytest.fixture(scope="module")
def sighten(backend):
    with example("sighten", backend, KEYS, allow=[DENIED]) as server:
        yield Sender(server, backend)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def password_handler(user, password, url):
    """Answers a Basic challenge, as urllib does it."""
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, url, user, password)
    return urllib.request.HTTPBasicAuthHandler(passwords)


@pytest.mark.parametrize("key, client, org", [("ACME_KEY", "acme-headers", "acme"),
                                              ("SOLAR_KEY", "solar-headers", "solar")])
def test_sighten_headers_for_several_organisations(sighten, key, client, org):
    answer = sighten.http_client("POST", "/sighten/leads", {**JSON, "X-Sighten-Key": KEYS[key]}, EVENT)
    assert accepted(answer)
    got = sighten.received()
    assert (got["x-sighten-credential"], got["x-sighten-organisation"]) == (client, org)
    assert "x-sighten-key" not in got and got["x-fixed"] == "yes"
    assert sighten.backend.requests[0].sha256 == hashlib.sha256(EVENT).hexdigest()


def test_sighten_basic(sighten):
    answer = sighten.curl("/sighten/leads", "--user", f"sighten:{KEYS['PASSWORD']}", *as_options(JSON), body=EVENT)
    assert accepted(answer)
    got = sighten.received()
    assert got["x-sighten-credential"] == "sighten" and "authorization" not in got
    wrong = sighten.curl("/sighten/leads", "--user", "sighten:wrong", *as_options(JSON), body=EVENT)
    sighten.refused(wrong, 401, "wrong-secret")
    assert 'charset="UTF-8"' in " ".join(wrong.all("WWW-Authenticate"))


def test_sighten_token(sighten):
    answer = sighten.urllib("/sighten/leads", EVENT, {**JSON, **bearer(KEYS["TOKEN"])})
    assert accepted(answer) and label_of(answer) == "2027"
    assert sighten.received()["x-sighten-organisation"] == "acme"


def test_sighten_test_credential_is_for_the_test_environment_only(sighten):
    token = bearer(KEYS["TEST_TOKEN"])
    assert accepted(sighten.http_client("POST", "/test/sighten/leads", {**JSON, **token}, EVENT))
    sighten.refused(sighten.http_client("POST", "/sighten/leads", {**JSON, **token}, EVENT), 403, "client-not-allowed")
    live = bearer(KEYS["TOKEN"])
    sighten.refused(sighten.http_client("POST", "/test/sighten/leads", {**JSON, **live}, EVENT), 403,
                    "client-not-allowed")


def test_sighten_key_is_no_token(sighten):
    answer = sighten.http_client("POST", "/sighten/leads", {**JSON, **bearer(KEYS["ACME_KEY"])}, EVENT)
    sighten.refused(answer, 403, "scheme-not-allowed")


SIGHTEN_AWS = Signer("AKIDSIGHTENACME00001", KEYS["AWS_SECRET"], region="us-west-2", service="execute-api", s3=False)
BASE = {"Host": "test.example"}


def aws_signed(signer, target, body=EVENT):
    return signer.sign("POST", target, {**BASE, **JSON}, body).headers


def test_sighten_aws4(sighten):
    answer = sighten.http_client("POST", "/sighten/leads?a=1", aws_signed(SIGHTEN_AWS, "/sighten/leads?a=1"), EVENT)
    assert accepted(answer)
    got = sighten.received()
    assert (got["x-sighten-credential"], got["x-sighten-organisation"]) == ("AKIDSIGHTENACME00001", "acme")
    assert "authorization" not in got and sighten.backend.requests[0].sha256 == hashlib.sha256(EVENT).hexdigest()


def test_sighten_aws4_by_curl(sighten):
    answer = sighten.curl("/sighten/leads", "--aws-sigv4", "aws:amz:us-west-2:execute-api", "--user",
                          f"AKIDSIGHTENACME00001:{KEYS['AWS_SECRET']}", *as_options({**BASE, **JSON}), body=EVENT)
    assert accepted(answer) and sighten.received()["x-sighten-credential"] == "AKIDSIGHTENACME00001"


@pytest.mark.parametrize("change, status, reason", [
    ({"secret": "another"}, 401, "wrong-signature"), ({"region": "us-east-1"}, 401, "wrong-scope"),
    ({"service": "s3"}, 401, "wrong-scope"), ({"access_key": "AKIDSIGHTENACME00002"}, 401, "unknown-client")])
def test_sighten_aws4_is_that_of_the_credential(sighten, change, status, reason):
    fields = aws_signed(replace(SIGHTEN_AWS, **change), "/sighten/leads")
    sighten.refused(sighten.http_client("POST", "/sighten/leads", fields, EVENT), status, reason)


def test_sighten_aws4_covers_the_body(sighten):
    fields = aws_signed(SIGHTEN_AWS, "/sighten/leads")
    sighten.refused(sighten.http_client("POST", "/sighten/leads", fields, EVENT + b" "), 401, "wrong-signature")


def test_sighten_aws4_secret_is_no_key(sighten):
    answer = sighten.http_client("POST", "/sighten/leads", {**JSON, "X-Sighten-Key": KEYS["AWS_SECRET"]}, EVENT)
    sighten.refused(answer, 403, "scheme-not-allowed")


def test_sighten_content_type_is_the_registered_one(sighten):
    fields = {"Content-Type": "text/xml", **bearer(KEYS["TOKEN"])}
    answer = sighten.http_client("POST", "/sighten/leads", fields, b"<a/>")
    assert answer.status == 403 and sighten.backend.count == 0


def test_sighten_without_authentication(sighten):
    assert accepted(sighten.curl("/sighten/ping"))
    sighten.refused(sighten.http_client("POST", "/sighten/ping", {}, b""), 403, "method-not-allowed")
    sighten.refused(sighten.http_client("GET", "/sighten/leads"), 401, "not-presented")


# --- webhook destinations ---------------------------------------------------------------------------------------------

DESTINATION = {"PASSWORD": "events password: long", "OLD_TOKEN": "old.token~1/2+3==", "NEW_TOKEN": "new.token~1/2+3==",
               "API_KEY": "key+with/odd=characters&more"}
HMAC_SECRET = "a secret that both sides know"


@pytest.fixture(scope="module")
def destinations(backend):
    files = {"destination.secret": HMAC_SECRET + "\n"}
    with example("webhook-destinations", backend, DESTINATION, files, allow=[DENIED]) as server:
        yield Sender(server, backend)


def event_arrived(destinations, sender):
    received = destinations.backend.requests[0]
    assert destinations.received().get("x-event-sender") == sender
    assert (received.method, received.sha256) == ("POST", hashlib.sha256(EVENT).hexdigest())


def test_destination_default(destinations):
    assert accepted(destinations.http_client("POST", "/events/default", JSON, EVENT))
    destinations.refused(destinations.http_client("GET", "/events/default"), 403, "method-not-allowed")


def test_destination_basic(destinations):
    url = destinations.url("/events/basic")
    destinations.server.refusal("not-presented", 1)  # urllib asks first and answers the challenge
    answer = destinations.urllib("/events/basic", EVENT, JSON, password_handler("events", DESTINATION["PASSWORD"], url))
    assert accepted(answer)
    event_arrived(destinations, "events")


def test_destination_basic_with_a_wrong_password(destinations):
    answer = destinations.curl("/events/basic", "--user", "events:guess", body=EVENT)
    destinations.refused(answer, 401, "wrong-secret")


@pytest.mark.parametrize("token, label", [("OLD_TOKEN", "2026"), ("NEW_TOKEN", "2027")])
def test_destination_bearer_while_the_token_is_changed(destinations, token, label):
    answer = destinations.curl("/events/bearer", "--oauth2-bearer", DESTINATION[token], body=EVENT)
    assert accepted(answer) and label_of(answer) == label
    event_arrived(destinations, "orders-bearer")


def test_destination_bearer_that_is_unknown(destinations):
    answer = destinations.curl("/events/bearer", "--oauth2-bearer", "guess", body=EVENT)
    destinations.refused(answer, 401, "unknown-client")
    assert answer.get("WWW-Authenticate") == 'Bearer realm="events", error="invalid_token"'


def test_destination_key_in_a_header(destinations):
    answer = destinations.http_client("POST", "/events/key", {**JSON, "X-Events-Key": DESTINATION["API_KEY"]}, EVENT)
    assert accepted(answer)
    event_arrived(destinations, "orders-key")
    assert "x-events-key" not in destinations.received()


def test_destination_key_in_the_query_reaches_neither_application_nor_log(destinations):
    query = urllib.parse.urlencode([("first", "1"), ("events_key", DESTINATION["API_KEY"]), ("last", "a b")])
    assert accepted(destinations.http_client("POST", f"/events/key?{query}", JSON, EVENT))
    event_arrived(destinations, "orders-key")
    assert destinations.backend.requests[0].path == "/events/key?first=1&last=a+b"
    log = destinations.server.root / "logs" / "access_log"
    wait_until(lambda: "/events/key?first=1&last=a+b" in log.read_text(), 5, lambda: log.read_text())
    assert "events_key" not in log.read_text()


def test_destination_key_in_both_places(destinations):
    key = urllib.parse.quote_plus(DESTINATION["API_KEY"])
    fields = {**JSON, "X-Events-Key": DESTINATION["API_KEY"]}
    answer = destinations.http_client("POST", f"/events/key?events_key={key}", fields, EVENT)
    destinations.refused(answer, 400, "ambiguous-credential")


def signature(body):
    return {"X-Events-Signature": hmac.new(HMAC_SECRET.encode(), body, hashlib.sha256).hexdigest()}


def test_destination_signed(destinations):
    assert accepted(destinations.http_client("POST", "/events/signed", {**JSON, **signature(EVENT)}, EVENT))
    event_arrived(destinations, "orders-signed")
    changed = destinations.http_client("POST", "/events/signed", {**JSON, **signature(EVENT)}, EVENT + b" ")
    destinations.refused(changed, 401, "wrong-signature")


def test_destination_that_is_none(destinations):
    answer = destinations.http_client("POST", "/events/other", {**JSON, **signature(EVENT)}, EVENT)
    assert answer.status == 403 and destinations.backend.count == 0
