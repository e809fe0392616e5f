"""The schemes whose credential stands in a header or in the query: token-pair, basic, bearer, api-key, and none.

Each with secret=, so with one sender. Lists of clients are the next file's.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import re

import pytest

from client import Connection, basic, curl, get
from configtest import assert_says, in_location, put
from server import Server, wait_until
from verdict import TELL, label_of, reason_of

TOKEN = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
OTHER_TOKEN = "9b2d6f10-1c3e-4a5b-8d7f-a0b1c2d3e4f5"
APPLICATION = "aa11bb22-cc33-dd44-ee55-ff6677889900"
SECRETS = {
    "pair-new": "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0LzXcVbNmQaWsEdRfTgYh",
    "pair-old": "PlOkIjUhYgTfRdEsWaQmNbVcXzL0kJ1hG2fD3sA4pO5iU6yT7r",
    "bearer-new": "mF_9.B5f-4.1JqM~new/bearer+token==",
    "bearer-old": "mF_9.B5f-4.1JqM~old/bearer+token",
    "key": "ak_test_0123456789abcdef&=+%",
    "plain-key": "ak_test_fedcba9876543210",
    "password": "correct:horse:b\u00e4ttery\u2713",
}
NEW, OLD, KEY, PLAIN_KEY = (SECRETS[name] for name in ("bearer-new", "bearer-old", "key", "plain-key"))

LOCATIONS = {
    "pair": "AuthVerify token-pair secret=file:conf/pair-new secret=file:conf/pair-old identity=" + TOKEN,
    "pair-required": f"AuthVerify token-pair secret=file:conf/pair-new identity={TOKEN} application={APPLICATION}",
    "pair-forbidden": f"AuthVerify token-pair secret=file:conf/pair-new identity={TOKEN} application=forbidden",
    "pair-renamed": "AuthVerify token-pair secret=file:conf/plain-key identity=ABC-1 token-header=X-Api-Id "
                    "secret-header=X-Api-Secret token-format=5[A-Z0-9-] secret-format=10-30[a-z0-9_]",
    "bearer": "AuthVerify bearer secret=file:conf/bearer-new secret=file:conf/bearer-old identity=deployer",
    "bearer-en": "AuthVerify bearer secret=file:conf/bearer-new prefix=EN",
    "bearer-any": "AuthVerify bearer secret=file:conf/bearer-new prefix=EN,none,Token",
    "bearer-kept": "AuthVerify bearer secret=file:conf/bearer-new strip=off",
    "key-header": "AuthVerify api-key secret=file:conf/plain-key in=header:X-Api-Key identity=sensor",
    "key-query": "AuthVerify api-key secret=file:conf/key in=query:api_key identity=sensor",
    "key-either": "AuthVerify api-key secret=file:conf/plain-key in=header:X-Api-Key,query:api_key",
    "basic": "AuthVerify basic secret=file:conf/password identity=alice",
    "none": "AuthVerify none methods=GET,OPTIONS",
    "none-user": "AuthVerify none methods=GET\nRequire valid-user",
    "none-or-user": "AuthVerify bearer secret=file:conf/bearer-new\nAuthVerify none methods=GET\nRequire valid-user",
    "none-also": "AuthVerify none methods=GET\nAuthVerifyAlso bearer secret=file:conf/bearer-new realm=besides",
    "all": "AuthVerify token-pair secret=file:conf/pair-new identity=" + TOKEN + """
            AuthVerify basic secret=file:conf/password identity=alice realm=people
            AuthVerify bearer secret=file:conf/bearer-new realm=robots
            AuthVerify api-key secret=file:conf/plain-key in=header:X-Api-Key,query:api_key""",
    "exclusive": """AuthVerify bearer secret=file:conf/bearer-new exclusive=on
            AuthVerify api-key secret=file:conf/plain-key in=header:X-Api-Key""",
    "fallback": """AuthVerify bearer secret=file:conf/bearer-new exclusive=on
            AuthVerify none methods=GET""",
    "also": """AuthVerify bearer secret=file:conf/bearer-new
            AuthVerifyAlso api-key secret=file:conf/plain-key in=header:X-Api-Key""",
    "methods": "AuthVerify bearer secret=file:conf/bearer-new methods=GET,DELETE",
    "paths": "AuthVerify bearer secret=file:conf/bearer-new paths=/paths/one,/paths/folder/*",
}

CONFIG = TELL + """
Protocols h2c http/1.1
ExtendedStatus On
ProxyPass "/server-status" "!"
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
<Location "/server-status">
    SetHandler server-status
</Location>
AuthVerifyHeader X-Told "%{client} %{scheme} %{rule} org=%{org}"
""" + "".join(f'<Location "/{name}">\n{lines}\n</Location>\n' for name, lines in LOCATIONS.items())


@pytest.fixture(scope="module")
def httpd(backend):
    server = Server(CONFIG, modules=["proxy", "proxy_http", "headers", "status", "http2", "authz_user"],
                    defines={"BACKEND": backend.port})
    for name, value in SECRETS.items():
        server.secret(name, value)
    with server:
        yield server


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


def bearer(token=NEW, word="Bearer"):
    return {"Authorization": f"{word} {token}" if word else token}


def pair(token=TOKEN, secret=SECRETS["pair-new"], application=None):
    fields = {"X-Auth-Token": token, "X-Auth-Secret": secret}
    return fields if application is None else {**fields, "X-Auth-Application": application}


def key(value=PLAIN_KEY):
    return {"X-Api-Key": value}


def password(user="alice", secret=SECRETS["password"]):
    return basic(user, secret)


def send(server, target, fields, method="GET"):
    """A request whose fields, name and value, may stand there twice."""
    lines = [("Host", "test.example"), *fields, ("Connection", "close")]
    with Connection(server.port) as connection:
        connection.send(f"{method} {target} HTTP/1.1\r\n".encode(),
                        *[f"{name}: {value}\r\n".encode("utf-8", "surrogateescape") for name, value in lines], b"\r\n")
        return connection.final_response()


def assert_accepted(response, backend, client=None, scheme=None):
    assert (response.status, reason_of(response)) == (200, "accepted"), response
    assert backend.count == 1
    if client:
        told = [value for name, value in backend.requests[0].headers if name == "X-Told"]
        assert told == [f"{client} {scheme} {scheme} org="]


def assert_refused(server, backend, response, status, reason):
    server.refusal(reason, 1)
    assert (response.status, reason_of(response)) == (status, reason), response
    assert backend.count == 0


class AccessLog:
    """What the access log gains from now on; httpd writes a line once the client has its answer."""

    def __init__(self, server):
        self._path = server.root / "logs" / "access_log"
        self._before = self._path.stat().st_size

    def lines(self):
        with open(self._path, "rb") as log:
            log.seek(self._before)
            return log.read().decode().splitlines()

    def await_line(self, beginning):
        wait_until(lambda: any(line.startswith(beginning) for line in self.lines()), 5,
                   lambda: f"no line begins with {beginning} in {self.lines()}")


def seen_names(backend):
    return {name.lower() for name, _ in backend.requests[0].headers}


# --- what is accepted -------------------------------------------------------------------------------------------------

ACCEPTED = {
    "pair": ("/pair", pair(), TOKEN, "token-pair", "pair-new"),
    "pair-older-secret": ("/pair", pair(secret=SECRETS["pair-old"]), TOKEN, "token-pair", "pair-old"),
    "pair-with-application": ("/pair-required", pair(application=APPLICATION), TOKEN, "token-pair", "pair-new"),
    "pair-without-application": ("/pair-forbidden", pair(), TOKEN, "token-pair", "pair-new"),
    "pair-renamed": ("/pair-renamed", {"X-Api-Id": "ABC-1", "X-Api-Secret": PLAIN_KEY}, "ABC-1", "token-pair",
                     "plain-key"),
    "bearer": ("/bearer", bearer(), "deployer", "bearer", "bearer-new"),
    "bearer-older-secret": ("/bearer", bearer(OLD), "deployer", "bearer", "bearer-old"),
    "bearer-in-any-case": ("/bearer", bearer(word="bEARER"), "deployer", "bearer", "bearer-new"),
    "bearer-two-blanks": ("/bearer", bearer(" " + NEW), "deployer", "bearer", "bearer-new"),
    "bearer-word": ("/bearer-en", bearer(word="EN"), "bearer", "bearer", "bearer-new"),
    "bearer-one-of-several-words": ("/bearer-any", bearer(word="token"), "bearer", "bearer", "bearer-new"),
    "bearer-without-word": ("/bearer-any", bearer(word=""), "bearer", "bearer", "bearer-new"),
    "key-in-header": ("/key-header", key(), "sensor", "api-key", "plain-key"),
    "key-in-query": ("/key-query?api_key=ak_test_0123456789abcdef%26%3D%2B%25", {}, "sensor", "api-key", "key"),
    "key-in-query-escaped": ("/key-query?%61pi%5fkey=%61k%5Ftest_0123456789abcdef%26=%2b%25", {}, "sensor", "api-key",
                             "key"),
    "key-in-first-of-two-places": ("/key-either", key(), "api-key", "api-key", "plain-key"),
    "key-in-second-of-two-places": ("/key-either?api_key=" + PLAIN_KEY, {}, "api-key", "api-key", "plain-key"),
    "basic": ("/basic", password(), "alice", "basic", "password"),
    "first-of-four": ("/all", pair(), TOKEN, "token-pair", "pair-new"),
    "second-of-four": ("/all", password(), "alice", "basic", "password"),
    "third-of-four": ("/all", bearer(), "bearer", "bearer", "bearer-new"),
    "fourth-of-four": ("/all", key(), "api-key", "api-key", "plain-key"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_right_credential_is_accepted_told_and_stripped(httpd, backend, name):
    target, fields, client, scheme, label = ACCEPTED[name]
    response = get(httpd, target, fields)
    assert_accepted(response, backend, client, scheme)
    assert label_of(response) == label
    secret_names = {field.lower() for field in fields} - {"x-auth-application"}
    assert not secret_names & seen_names(backend)
    assert "?" not in backend.requests[0].path
    assert not any(secret in str(backend.requests[0].headers) for secret in SECRETS.values())


def test_the_user_is_the_identity(httpd):
    log = AccessLog(httpd)
    assert get(httpd, "/bearer", bearer()).status == 200
    log.await_line('deployer 200 "GET /bearer ')


def test_strip_off_hands_the_credential_on(httpd, backend):
    assert_accepted(get(httpd, "/bearer-kept", bearer()), backend)
    assert ("Authorization", f"Bearer {NEW}") in backend.requests[0].headers


def test_the_credentials_of_every_rule_are_stripped_whichever_decided(httpd, backend):
    fields = {**pair(), **password("mallory", "guess"), **key("another")}
    assert_accepted(get(httpd, "/all?a=1&api_key=another&b=2", fields), backend, TOKEN, "token-pair")
    assert not {"x-auth-token", "x-auth-secret", "authorization", "x-api-key"} & seen_names(backend)
    assert backend.requests[0].path == "/all?a=1&b=2"


def test_an_authorization_that_no_rule_takes_is_not_touched(httpd, backend):
    assert_accepted(get(httpd, "/key-header", {**key(), **bearer("for-the-application")}), backend)
    assert ("Authorization", "Bearer for-the-application") in backend.requests[0].headers


# --- what is refused --------------------------------------------------------------------------------------------------

WRONG_SECRET = "a" * 50
NOT_PRESENTED, MALFORMED, TWICE = (401, "not-presented"), (401, "malformed-credential"), (400, "ambiguous-credential")
WRONG, UNKNOWN = (401, "wrong-secret"), (401, "unknown-client")

REFUSED = {
    "pair-nothing": ("/pair", [], NOT_PRESENTED),
    "pair-wrong": ("/pair", pair(secret=WRONG_SECRET), WRONG),
    "pair-unknown": ("/pair", pair(OTHER_TOKEN), UNKNOWN),
    "pair-unknown-and-wrong": ("/pair", pair(OTHER_TOKEN, WRONG_SECRET), WRONG),
    "pair-token-alone": ("/pair", {"X-Auth-Token": TOKEN}, MALFORMED),
    "pair-secret-alone": ("/pair", {"X-Auth-Secret": WRONG_SECRET}, MALFORMED),
    "pair-empty": ("/pair", pair("", ""), MALFORMED),
    "pair-short-token": ("/pair", pair(TOKEN[:-1]), MALFORMED),
    "pair-long-token": ("/pair", pair(TOKEN + "0"), MALFORMED),
    "pair-upper-case-token": ("/pair", pair(TOKEN.upper()), MALFORMED),
    "pair-hyphen-in-secret": ("/pair", pair(secret="-" + SECRETS["pair-new"][1:]), MALFORMED),
    "pair-eight-bit-token": ("/pair", pair(TOKEN[:-2] + "\u00e4"), MALFORMED),
    "pair-without-application": ("/pair-required", pair(), MALFORMED),
    "pair-empty-application": ("/pair-required", pair(application=""), MALFORMED),
    "pair-malformed-application": ("/pair", pair(application="*"), MALFORMED),
    "pair-another-application": ("/pair-required", pair(application=OTHER_TOKEN), (401, "wrong-application")),
    "pair-application-of-none": ("/pair", pair(application=APPLICATION), (401, "wrong-application")),
    "pair-forbidden-application": ("/pair-forbidden", pair(application=APPLICATION), MALFORMED),
    "pair-renamed-old-names": ("/pair-renamed", pair(), NOT_PRESENTED),
    "pair-renamed-format": ("/pair-renamed", {"X-Api-Id": "abc-1", "X-Api-Secret": PLAIN_KEY}, MALFORMED),
    "bearer-nothing": ("/bearer", [], NOT_PRESENTED),
    "bearer-wrong": ("/bearer", bearer(NEW[:-3]), WRONG),
    "bearer-other-case": ("/bearer", bearer(NEW.swapcase()), WRONG),
    "bearer-empty": ("/bearer", bearer(""), MALFORMED),
    "bearer-word-alone": ("/bearer", {"Authorization": "Bearer"}, MALFORMED),
    "bearer-two-words": ("/bearer", bearer(NEW + " x"), MALFORMED),
    "bearer-behind-a-tab": ("/bearer", bearer("\t" + NEW), MALFORMED),
    "bearer-under-another-word": ("/bearer", bearer(word="Token"), NOT_PRESENTED),
    "bearer-without-word": ("/bearer", bearer(word=""), NOT_PRESENTED),
    "bearer-without-word-twice": ("/bearer-any", [*bearer(word="").items(), *bearer(word="").items()], NOT_PRESENTED),
    "bearer-with-word-where-none-is-right": ("/bearer-any", bearer(), NOT_PRESENTED),
    "bearer-word-instead-of-another": ("/bearer-en", bearer(), NOT_PRESENTED),
    "key-nothing": ("/key-header", [], NOT_PRESENTED),
    "key-wrong": ("/key-header", key(PLAIN_KEY + "0"), WRONG),
    "key-empty": ("/key-header", key(""), MALFORMED),
    "key-with-blank": ("/key-header", key(PLAIN_KEY + " 0"), MALFORMED),
    "key-in-the-other-place": ("/key-header?X-Api-Key=" + PLAIN_KEY, [], NOT_PRESENTED),
    "key-query-wrong": ("/key-query?api_key=wrong", [], WRONG),
    "key-query-empty": ("/key-query?api_key=", [], MALFORMED),
    "key-query-no-value": ("/key-query?api_key", [], MALFORMED),
    "key-query-other-case": ("/key-query?API_KEY=" + PLAIN_KEY, [], NOT_PRESENTED),
    "key-query-broken-escape": ("/key-query?api_key=ak%zz", [], MALFORMED),
    "key-query-line-feed": ("/key-query?api_key=ak%0a", [], MALFORMED),
    "key-query-nul": ("/key-query?api_key=ak%00", [], MALFORMED),
    "key-query-twice": ("/key-query?api_key=a&x=1&api_key=a", [], TWICE),
    "key-query-twice-hidden": ("/key-query?api_key=a&%61pi_key=a", [], TWICE),
    "key-in-two-places": ("/key-either?api_key=" + PLAIN_KEY, key(), TWICE),
    "key-in-two-places-one-empty": ("/key-either?api_key=", key(), TWICE),
    "basic-nothing": ("/basic", [], NOT_PRESENTED),
    "basic-wrong": ("/basic", password(secret="wrong"), WRONG),
    "basic-unknown": ("/basic", password("bob"), UNKNOWN),
    "basic-empty": ("/basic", {"Authorization": "Basic "}, MALFORMED),
    "basic-empty-password": ("/basic", password(secret=""), MALFORMED),
    "basic-empty-user": ("/basic", password(""), MALFORMED),
    "basic-no-colon": ("/basic", {"Authorization": "Basic YWxpY2U="}, MALFORMED),
    "basic-no-base64": ("/basic", {"Authorization": "Basic alice:x"}, MALFORMED),
    "basic-no-padding": ("/basic", {"Authorization": password()["Authorization"].rstrip("=")}, MALFORMED),
    "basic-control-byte": ("/basic", password(secret=SECRETS["password"] + "\n"), MALFORMED),
    "basic-nul": ("/basic", password(secret=SECRETS["password"] + "\0x"), MALFORMED),
    "basic-too-long": ("/basic", password(secret="x" * 2048), MALFORMED),
    "basic-latin-1": ("/basic", {"Authorization": "Basic " + base64.b64encode(
        "alice:correct:horse:b\u00e4ttery".encode("latin-1")).decode()}, WRONG),
    "a-bad-credential-never-falls-through": ("/all", {**pair(secret=WRONG_SECRET), **bearer()}, WRONG),
    "an-empty-credential-never-falls-through": ("/all", {**key(), "Authorization": "Bearer"}, MALFORMED),
    "also-nothing": ("/also", [], NOT_PRESENTED),
    "also-first-alone": ("/also", bearer(), NOT_PRESENTED),
    "also-second-alone": ("/also", key(), NOT_PRESENTED),
    "also-first-wrong": ("/also", {**bearer("x"), **key()}, WRONG),
    "also-second-wrong": ("/also", {**bearer(), **key("x")}, WRONG),
    "exclusive": ("/exclusive", {**bearer(), **key()}, TWICE),
    "exclusive-other-wrong": ("/exclusive", {**bearer(), **key("x")}, TWICE),
    "exclusive-fallback-wrong": ("/fallback", bearer("x"), WRONG),
}

# httpd joins the values of fields of one name with ", ".
REPEATED = {
    "pair-token": ("/pair", [*pair().items(), ("X-Auth-Token", TOKEN)]),
    "pair-token-in-front": ("/pair", [("X-Auth-Token", OTHER_TOKEN), *pair().items()]),
    "pair-secret": ("/pair", [*pair().items(), ("X-Auth-Secret", SECRETS["pair-new"])]),
    "pair-application": ("/pair-required", [*pair(application=APPLICATION).items(), ("X-Auth-Application",
                                                                                     APPLICATION)]),
    "bearer": ("/bearer", [*bearer().items(), *bearer().items()]),
    "key": ("/key-header", [*key().items(), *key().items()]),
    "basic": ("/basic", [*password().items(), *password().items()]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_everything_else_is_refused(httpd, backend, name):
    target, fields, (status, reason) = REFUSED[name]
    fields = list(fields.items() if isinstance(fields, dict) else fields)
    assert_refused(httpd, backend, send(httpd, target, fields), status, reason)


@pytest.mark.parametrize("name", REPEATED)
def test_a_credential_given_twice_is_refused(httpd, backend, name):
    target, fields = REPEATED[name]
    httpd.allow_refusals("ambiguous-credential", "malformed-credential", "not-presented")
    response = send(httpd, target, fields)
    assert (response.status, reason_of(response), backend.count) == (400, "ambiguous-credential", 0)


def test_an_unknown_client_and_a_wrong_secret_get_one_answer(httpd):
    httpd.allow_refusals("unknown-client", "wrong-secret")
    for target, unknown, wrong in [("/pair", pair(OTHER_TOKEN), pair(secret=WRONG_SECRET)),
                                   ("/basic", password("bob"), password(secret="wrong"))]:
        first, second = get(httpd, target, unknown), get(httpd, target, wrong)
        ours = {"X-Test-Reason", "Date"}
        assert first.body == second.body
        assert ([field for field in first.headers if field[0] not in ours]
                == [field for field in second.headers if field[0] not in ours])


def test_an_exclusive_rule_takes_its_own_credential(httpd, backend):
    assert_accepted(get(httpd, "/exclusive", bearer()), backend, "bearer", "bearer")


def test_an_exclusive_rule_does_not_count_none_as_another_credential(httpd, backend):
    httpd.allow_refusals("ambiguous-credential")
    assert_accepted(get(httpd, "/fallback", bearer()), backend, "bearer", "bearer")


def test_rules_that_must_both_hold(httpd, backend):
    assert_accepted(get(httpd, "/also", {**bearer(), **key()}), backend, "bearer", "bearer")
    assert not {"authorization", "x-api-key"} & seen_names(backend)


# --- none -------------------------------------------------------------------------------------------------------------

def test_none_lets_its_methods_in_and_names_nobody(httpd, backend):
    log = AccessLog(httpd)
    response = get(httpd, "/none")
    assert (response.status, reason_of(response)) == (200, "accepted")
    told = [value for name, value in backend.requests[0].headers if name == "X-Told"]
    assert [value.split()[-3:] for value in told] == [["none", "none", "org="]]
    log.await_line('- 200 "GET /none ')


@pytest.mark.parametrize("method", ["HEAD", "POST", "get", "PROPFIND"])
def test_none_refuses_other_methods(httpd, backend, method):
    assert_refused(httpd, backend, send(httpd, "/none", [], method), 403, "method-not-allowed")


def test_none_comes_into_play_where_no_credential_is_shown(httpd, backend):
    assert_accepted(get(httpd, "/fallback"), backend)


def test_a_user_is_asked_for_where_no_rule_proves_one(httpd, backend):
    httpd.refusal("no-user", 2)
    for fields in ({}, bearer()):
        response = send(httpd, "/none-user", fields.items())
        assert (response.status, reason_of(response), response.all("WWW-Authenticate")) == (403, "no-user", [])
    assert backend.count == 0


def test_a_user_is_asked_for_where_another_rule_proves_one(httpd, backend):
    httpd.refusal("not-presented", 1)
    response = send(httpd, "/none-or-user", [])
    assert (response.status, reason_of(response), backend.count) == (401, "not-presented", 0)
    assert response.all("WWW-Authenticate") == ['Bearer realm="bearer"']
    assert_accepted(send(httpd, "/none-or-user", bearer().items()), backend, "bearer", "bearer")


def test_the_rule_besides_challenges_where_no_other_can(httpd, backend):
    httpd.refusal("not-presented", 1)
    response = send(httpd, "/none-also", [])
    assert (response.status, response.all("WWW-Authenticate")) == (401, ['Bearer realm="besides"'])
    assert_accepted(send(httpd, "/none-also", bearer().items()), backend)


# --- limits of a rule -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method,status", [("GET", 200), ("DELETE", 200), ("HEAD", 403), ("POST", 403), ("delete",
                                                                                                         403)])
def test_methods(httpd, backend, method, status):
    if status != 200:
        httpd.refusal("method-not-allowed", 1)
    assert send(httpd, "/methods", bearer().items(), method).status == status
    assert backend.count == (status == 200)


@pytest.mark.parametrize("path,status", [
    ("one", 200), ("one?x=/paths/two", 200), ("%6fne", 200), ("folder/", 200), ("folder/a/b", 200),
    ("two?x=/paths/one", 403),
    ("One", 403), ("one/", 403), ("onetwo", 403), ("folder", 403), ("folders/a", 403)])
def test_paths(httpd, backend, path, status):
    if status != 200:
        httpd.refusal("path-not-allowed", 1)
    assert get(httpd, f"/paths/{path}", bearer()).status == status
    assert backend.count == (status == 200)


def test_a_limit_of_the_rule_is_looked_at_before_the_credential(httpd, backend):
    assert_refused(httpd, backend, send(httpd, "/methods", bearer("wrong").items(), "POST"), 403, "method-not-allowed")


# --- challenges -------------------------------------------------------------------------------------------------------

CHALLENGES = {
    "bearer-nothing": ("/bearer", {}, "not-presented", ['Bearer realm="bearer"']),
    "bearer-wrong": ("/bearer", bearer("wrong"), "wrong-secret", ['Bearer realm="bearer", error="invalid_token"']),
    "bearer-malformed": ("/bearer", bearer("\u00e4"), "malformed-credential",
                         ['Bearer realm="bearer", error="invalid_token"']),
    "bearer-empty": ("/bearer", {"Authorization": "Bearer"}, "malformed-credential", ['Bearer realm="bearer"']),
    "basic-nothing": ("/basic", {}, "not-presented", ['Basic realm="basic", charset="UTF-8"']),
    "basic-wrong": ("/basic", password("bob"), "unknown-client", ['Basic realm="basic", charset="UTF-8"']),
    "pair": ("/pair", {}, "not-presented", ['AuthVerify realm="token-pair"']),
    "key": ("/key-header", {}, "not-presented", ['AuthVerify realm="api-key"']),
    "all": ("/all", {}, "not-presented", ['AuthVerify realm="token-pair"', 'Basic realm="people", charset="UTF-8"',
                                          'Bearer realm="robots"']),
    "all-bearer-wrong": ("/all", bearer("wrong"), "wrong-secret",
                         ['AuthVerify realm="token-pair"', 'Basic realm="people", charset="UTF-8"',
                          'Bearer realm="robots", error="invalid_token"']),
}


@pytest.mark.parametrize("name", CHALLENGES)
def test_the_challenge(httpd, name):
    target, fields, reason, challenges = CHALLENGES[name]
    httpd.refusal(reason, 1)
    response = send(httpd, target, fields.items())
    assert (response.status, reason_of(response)) == (401, reason)
    assert response.all("WWW-Authenticate") == challenges


def test_a_bearer_token_and_another_credential_are_an_invalid_request(httpd):
    httpd.allow_refusals("ambiguous-credential", "malformed-credential")
    response = send(httpd, "/bearer", [*bearer().items(), *bearer().items()])
    assert response.all("WWW-Authenticate") == ['Bearer realm="bearer", error="invalid_request"']
    response = send(httpd, "/exclusive", {**bearer(), **key()}.items())
    assert response.all("WWW-Authenticate")[0] == 'Bearer realm="bearer", error="invalid_request"'


def test_a_limit_brings_no_challenge(httpd):
    httpd.refusal("method-not-allowed", 1)
    assert send(httpd, "/methods", bearer().items(), "POST").all("WWW-Authenticate") == []


# --- a key in the query is in no log ----------------------------------------------------------------------------------

QUERIES = {
    "alone": ("api_key={}", ""),
    "first": ("api_key={}&a=1&b=2", "?a=1&b=2"),
    "middle": ("a=1&api_key={}&b=2", "?a=1&b=2"),
    "last": ("b=2&a=1&api_key={}", "?b=2&a=1"),
    "escaped-name": ("a=%41&%61pi_key={}", "?a=%41"),
    "odd-neighbours": ("=&a&&api_key={}&b=+%26&a=1", "?=&a&&b=+%26&a=1"),
    "neighbour-of-like-name": ("xapi_key=1&api_key={}&api_keyx=2", "?xapi_key=1&api_keyx=2"),
}


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("name", QUERIES)
def test_a_key_in_the_query_is_redacted_everywhere(httpd, backend, name, right):
    query, kept = QUERIES[name]
    value = PLAIN_KEY if right else "a-key-that-is-wrong"
    log = AccessLog(httpd)
    if not right:
        httpd.refusal("wrong-secret", 1)
    response = get(httpd, "/key-either?" + query.format(value))
    assert response.status == (200 if right else 401)
    status_page = get(httpd, "/server-status").body.decode()
    assert value not in status_page
    log.await_line(('api-key 200' if right else '- 401') + f' "GET /key-either{kept} HTTP/1.1"')
    assert value not in "".join(log.lines()) and value not in httpd.error_log.read_text()
    assert value.encode() not in response.body
    if right:
        assert [received.path for received in backend.requests] == [f"/key-either{kept}"]


def test_a_key_in_the_query_is_redacted_over_http_2(httpd, backend):
    log = AccessLog(httpd)
    url = f"http://127.0.0.1:{httpd.port}/key-either?a=1&api_key={PLAIN_KEY}&b=2"
    assert curl("--http2-prior-knowledge", url).status == 200
    log.await_line('api-key 200 "GET /key-either?a=1&b=2 HTTP/2.0"')
    assert PLAIN_KEY not in "".join(log.lines())
    assert [received.path for received in backend.requests] == ["/key-either?a=1&b=2"]


# --- configurations that are no rule ----------------------------------------------------------------------------------

MISTAKES = {
    "no-secret": ("bearer", "no secret= is given"),
    "no-place": ("api-key secret=file:conf/key", "in= must say where the key is"),
    "other-place": ("api-key secret=file:conf/key in=body:key", "in="),
    "body-place": ("api-key secret=file:conf/key in=%{body}", "in="),
    "empty-place": ("api-key secret=file:conf/key in=header:", "in="),
    "one-header-for-both": ("token-pair secret=file:conf/key token-header=X secret-header=x", "are one header"),
    "header-name": ("token-pair secret=file:conf/key token-header=X:Y", "cannot be the name of a header"),
    "format": ("token-pair secret=file:conf/key token-format=36[z-a]", "must be written as in 36[0-9a-f-]"),
    "format-without-length": ("token-pair secret=file:conf/key token-format=[a-z]",
                              "must be written as in 36[0-9a-f-]"),
    "application": ("token-pair secret=file:conf/key application=maybe", "application= is optional, required or forbid"),
    "application-unnamed": ("token-pair secret=file:conf/key application=required", "application=required needs clients="),
    "prefix": ("bearer secret=file:conf/key prefix=A,,B", "prefix="),
    "none-with-secret": ("none from=127.0.0.1 secret=file:conf/key", "takes neither secret= nor clients="),
    "none-without-limit": ("none", "lets everybody in"),
    "method-list": ("bearer secret=file:conf/key methods=GET,", "methods="),
    "path-list": ("bearer secret=file:conf/key paths=api", "paths="),
    "path-star": ("bearer secret=file:conf/key paths=/api*", "behind a slash"),
    "org-without-clients": ("bearer secret=file:conf/key org=acme", "are about the clients of clients="),
    "scopes-without-clients": ("bearer secret=file:conf/key scopes=read", "are about the clients of clients="),
    "literal-secret": ("bearer secret=abc", "secret="),
    "tolerance": ("bearer secret=file:conf/key tolerance=60", "tolerance= needs a time"),
    "unknown-option": ("bearer secret=file:conf/key prefixes=EN", "prefixes"),
    "clients-and-secret": ("bearer secret=file:conf/key clients=file:conf/clients", "keep one of them"),
}


@pytest.fixture(scope="module")
def unstarted():
    server = Server("")
    server.secret("key", KEY)
    server.secret("clients", "# nobody\nid plain:0123456789abcdef0123456789abcdef\n", 0o640)
    Server.give_to_children(server.root / "conf" / "clients")
    yield server
    server.close()


@pytest.mark.parametrize("name", MISTAKES)
def test_a_rule_that_cannot_be_right_is_no_configuration(unstarted, name):
    rule, said = MISTAKES[name]
    where = put(unstarted, in_location(f"> AuthVerify {rule}"))
    status, output = unstarted.configtest()
    assert status != 0
    assert_says(output, where, [said])


@pytest.mark.parametrize("first,second", [
    ("bearer secret=file:conf/key", "bearer secret=file:conf/key identity=other"),
    ("bearer secret=file:conf/key prefix=EN,none", "bearer secret=file:conf/key prefix=none"),
    ("api-key secret=file:conf/key in=header:X-Key", "token-pair secret=file:conf/key token-header=x-key"),
    ("none methods=GET", "bearer secret=file:conf/key"),
])
def test_a_rule_that_no_request_reaches_is_no_configuration(unstarted, first, second):
    put(unstarted, in_location(f"AuthVerify {first}\n> AuthVerify {second}"))
    status, output = unstarted.configtest()
    assert status != 0 and "AuthVerify" in output, output
