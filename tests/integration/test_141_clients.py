"""Many senders in one rule: who they are, what each may do, and what the handler learns of them.

SPDX-License-Identifier: Apache-2.0
"""
import calendar

import pytest

from client import basic, get, github, post, request
from clients import bcrypt, put_clients, sha256
from clock import Clock
from configtest import assert_says, in_location, put
from server import Server
from verdict import TELL, label_of, reason_of

NOW = calendar.timegm((2026, 6, 1, 12, 0, 0))
DAY = 86400
TOKEN = "3f2504e0-4f89-41d3-9a0c-0305e82c33{:02x}"
APPLICATION = "aa11bb22-cc33-dd44-ee55-ff6677889900"
SECRET = "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0LzXcVbNmQaWsEdRfTg{:02d}"

LIST = f"""
# Pairs. A comment, and empty lines, are nothing.

{TOKEN.format(1)}   first:{sha256(SECRET.format(1))} second:plain:{SECRET.format(2)}\torg=acme environment=test \
scopes=read,write
{TOKEN.format(2)} {sha256(SECRET.format(3))} application={APPLICATION}
{TOKEN.format(3)} {sha256(SECRET.format(4))} user=z%c3%b6e%20x

# Tokens, keys.
robot {sha256("robot-token")} org=acme scopes=read environment=live
getter {sha256("getter-token")} methods=GET,HEAD
near {sha256("near-token")} from=127.0.0.1,192.0.2.0/24
far {sha256("far-token")} from=192.0.2.0/24
reporter {sha256("reporter-token")} paths=/any/reports/*,/any/status
keyed {sha256("keyed-token")} schemes=api-key
any%20name%23 {sha256("named-token")} org=b%26b
rotated old:{sha256("rotated-old")};expires=2026-06-02 new:{sha256("rotated-new")};not-before=2026-06-01T13:00:00Z
over {sha256("over-token")} expires=2026-06-01
early {sha256("early-token")} not-before=2026-06-02
soon {sha256("soon-token")} expires=2026-06-01T12:00:01Z
signer plain:the-secret-of-the-signer

# People.
alice {bcrypt("correct:horse:b" + chr(228) + "ttery")} org=acme
bob {bcrypt("one password")} {bcrypt("another password")}
carol {bcrypt("x" * 71)} schemes=bearer
dave {sha256("not-a-password-hash")}
"""

MORE = f"late {sha256('late-token')}\nrobot-2 {sha256('robot-2-token')} org=other scopes=read\n"

BEARER = "AuthVerify bearer clients=file:conf/list"
LOCATIONS = {
    "pair": "AuthVerify token-pair clients=file:conf/list",
    "pair-of-one": f"AuthVerify token-pair clients=file:conf/list application={APPLICATION}",
    "basic": "AuthVerify basic clients=file:conf/list",
    "any": BEARER,
    "key": "AuthVerify api-key clients=file:conf/list in=header:X-Api-Key,query:api_key",
    "two-lists": "AuthVerify bearer clients=file:conf/list,file:conf/more",
    "org": BEARER + " org=acme,other",
    "environment": BEARER + " environment=live",
    "scopes": BEARER + " scopes=read",
    "scopes-all": "AuthVerify token-pair clients=file:conf/list scopes=read,write",
    "scopes-too-many": "AuthVerify token-pair clients=file:conf/list scopes=read,write,admin",
    "limits-add-up": BEARER + " methods=HEAD,POST",
    "require-org": BEARER + "\nRequire authverify org acme",
    "require-scope": BEARER + "\nRequire authverify scope admin read",
    "require-environment": BEARER + "\nRequire authverify environment live",
    "require-client": BEARER + "\nRequire authverify client robot getter",
    "require-scheme": BEARER + "\nAuthVerify api-key clients=file:conf/list in=header:X-Api-Key\n"
                               "Require authverify scheme api-key",
    "require-all": BEARER + "\n<RequireAll>\nRequire authverify org acme\nRequire authverify scope read\n"
                            "Require not authverify environment live\n</RequireAll>",
    "require-any": BEARER + "\n<RequireAny>\nRequire authverify client getter\n"
                           "Require authverify org acme\n</RequireAny>",
    "also": BEARER + "\nAuthVerifyAlso api-key clients=file:conf/list in=header:X-Api-Key",
    "also-any": BEARER + " any-client=on\nAuthVerifyAlso api-key clients=file:conf/list in=header:X-Api-Key",
}



@pytest.fixture(scope="module")
def clock():
    with Clock(NOW) as stopped:
        yield stopped


@pytest.fixture(scope="module")
def httpd(backend, clock):
    server = Server("", modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port},
                    environment=clock.environment)
    put_clients(server, "list", LIST)
    put_clients(server, "more", MORE)
    server.configure(
        TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\nAuthVerifyHeader X-Client "%{client}"\n'
        'AuthVerifyHeader X-Of "%{org}/%{environment}/%{scopes}/%{scheme}/%{rule}"\n'
        'Header always set X-Test-Environment "%{AUTHVERIFY_CLIENT}e/%{AUTHVERIFY_ORG}e/%{AUTHVERIFY_ENVIRONMENT}e/'
        '%{AUTHVERIFY_SCOPES}e"\n'
        + "".join(in_location(lines, f"/{name}") for name, lines in LOCATIONS.items()))
    with server:
        yield server


@pytest.fixture(autouse=True)
def as_at_first(backend, clock):
    backend.reset()
    clock.stop_at(NOW)


def pair(number, secret, application=None):
    fields = {"X-Auth-Token": TOKEN.format(number), "X-Auth-Secret": SECRET.format(secret)}
    return fields if application is None else {**fields, "X-Auth-Application": application}


def bearer(name):
    return {"Authorization": f"Bearer {name}-token"}


def key(name):
    return {"X-Api-Key": f"{name}-token"}


def received(backend, name):
    return next((value for key, value in backend.requests[0].headers if key == name), None)


def assert_refused(server, response, status, reason):
    server.refusal(reason, 1)
    assert (response.status, reason_of(response)) == (status, reason)


# --- who comes --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path,headers,client,label", [
    ("/pair", pair(1, 1), TOKEN.format(1), "first"),
    ("/pair", pair(1, 2), TOKEN.format(1), "second"),
    ("/pair", pair(2, 3, APPLICATION), TOKEN.format(2), None),
    ("/any", bearer("robot"), "robot", None),
    ("/any", bearer("named"), "any name#", None),
    ("/key", key("keyed"), "keyed", None),
    ("/key?api_key=robot-token", {}, "robot", None),
    ("/any", {"Authorization": "Bearer the-secret-of-the-signer"}, "signer", None),
    ("/basic", basic("alice", "correct:horse:b\u00e4ttery"), "alice", None),
    ("/basic", basic("bob", "one password"), "bob", None),
    ("/basic", basic("bob", "another password"), "bob", None),
    ("/two-lists", bearer("robot"), "robot", None),
    ("/two-lists", bearer("late"), "late", None),
])
def test_a_client_is_known_by_its_secret(httpd, backend, path, headers, client, label):
    response = get(httpd, path, headers)
    assert (response.status, reason_of(response), label_of(response)) == (200, "accepted", label), response
    assert received(backend, "X-Client") == client


def test_user_names_the_client_for_the_handler(httpd, backend):
    assert get(httpd, "/pair", pair(3, 4)).status == 200
    assert received(backend, "X-Client").encode("latin-1").decode() == "z\u00f6e x"


@pytest.mark.parametrize("path,headers,status,reason", [
    ("/pair", pair(1, 3), 401, "wrong-secret"),
    ("/pair", pair(9, 1), 401, "unknown-client"),
    ("/pair", pair(2, 3), 401, "wrong-application"),
    ("/pair", pair(2, 3, APPLICATION[::-1]), 401, "wrong-application"),
    ("/pair", pair(1, 1, APPLICATION), 401, "wrong-application"),
    ("/pair-of-one", pair(1, 1, APPLICATION), 401, "wrong-application"),
    ("/pair-of-one", pair(1, 1, APPLICATION[::-1]), 401, "wrong-application"),
    ("/pair-of-one", pair(2, 3, APPLICATION[::-1]), 401, "wrong-application"),
    ("/pair-of-one", pair(2, 3), 401, "malformed-credential"),
    ("/any", bearer("nobody"), 401, "unknown-client"),
    ("/any", bearer("late"), 401, "unknown-client"),
    ("/any", {"Authorization": "Bearer robot"}, 401, "unknown-client"),
    ("/any", {"Authorization": "Bearer " + sha256("robot-token")[7:]}, 401, "unknown-client"),
    ("/key", key("nobody"), 401, "unknown-client"),
    ("/basic", basic("alice", "wrong"), 401, "wrong-secret"),
    ("/basic", basic("Alice", "correct:horse:b\u00e4ttery"), 401, "unknown-client"),
    ("/basic", basic("mallory", "one password"), 401, "unknown-client"),
    ("/basic", basic("carol", "x" * 71 + "y"), 401, "wrong-secret"),
    ("/basic", basic("carol", "x" * 71), 403, "scheme-not-allowed"),
    ("/any", bearer("keyed"), 403, "scheme-not-allowed"),
])
def test_nobody_else_is(httpd, backend, path, headers, status, reason):
    assert_refused(httpd, get(httpd, path, headers), status, reason)
    assert backend.count == 0


def test_a_limit_tells_nothing_to_who_cannot_prove(httpd):
    httpd.refusal("wrong-secret", 2)
    assert get(httpd, "/pair", {**pair(2, 4), "X-Auth-Application": APPLICATION}).status == 401
    assert get(httpd, "/basic", basic("carol", "wrong")).status == 401


# --- what each may do -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method,path,name,reason", [
    ("GET", "/any", "getter", None),
    ("HEAD", "/any", "getter", None),
    ("POST", "/any", "getter", "method-not-allowed"),
    ("get", "/any", "getter", "method-not-allowed"),
    ("GET", "/any", "near", None),
    ("GET", "/any", "far", "network-refused"),
    ("GET", "/any/reports/1", "reporter", None),
    ("GET", "/any/reports/", "reporter", None),
    ("GET", "/any/status?x=/any/other", "reporter", None),
    ("GET", "/any/reports", "reporter", "path-not-allowed"),
    ("GET", "/any/other", "reporter", "path-not-allowed"),
    ("GET", "/any/reports/../other", "reporter", "path-not-allowed"),
    ("GET", "/any/reports/..;/other", "reporter", "path-not-allowed"),
    ("GET", "/any/reports/%2e%2e/other", "reporter", "path-not-allowed"),
    ("GET", "/any/reports/%252e%252e/other", "reporter", "path-not-allowed"),
    ("GET", "/any/other?/any/reports/1", "reporter", "path-not-allowed"),
    ("POST", "/limits-add-up", "robot", None),
    ("HEAD", "/limits-add-up", "getter", None),
    ("GET", "/limits-add-up", "getter", "method-not-allowed"),
    ("POST", "/limits-add-up", "getter", "method-not-allowed"),
    ("GET", "/org", "robot", None),
    ("GET", "/org", "getter", "client-not-allowed"),
    ("GET", "/org", "named", "client-not-allowed"),
    ("GET", "/environment", "robot", None),
    ("GET", "/environment", "getter", "client-not-allowed"),
    ("GET", "/scopes", "robot", None),
    ("GET", "/scopes", "getter", "client-not-allowed"),
])
def test_limits_of_a_client(httpd, method, path, name, reason):
    if reason:
        httpd.refusal(reason, 1)
    assert request(httpd, method, path, bearer(name)).status == (403 if reason else 200)


def test_a_rule_may_take_the_pairs_of_one_application(httpd):
    assert get(httpd, "/pair-of-one", pair(2, 3, APPLICATION)).status == 200


def test_all_scopes_of_a_rule_are_needed(httpd):
    assert get(httpd, "/scopes-all", pair(1, 1)).status == 200
    assert_refused(httpd, get(httpd, "/scopes-too-many", pair(1, 1)), 403, "client-not-allowed")


# --- time -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("at,token,status,label", [
    (NOW, "rotated-old", 200, "old"),
    (NOW, "rotated-new", 401, None),
    (NOW + 3599, "rotated-new", 401, None),
    (NOW + 3600, "rotated-new", 200, "new"),
    (NOW + 3600, "rotated-old", 200, "old"),
    (NOW + DAY // 2 - 1, "rotated-old", 200, "old"),
    (NOW + DAY // 2, "rotated-old", 401, None),
    (NOW + DAY // 2, "rotated-new", 200, "new"),
])
def test_a_secret_is_valid_in_its_time(httpd, clock, at, token, status, label):
    clock.stop_at(at)
    httpd.allow_refusals("wrong-secret", "unknown-client")
    response = get(httpd, "/any", {"Authorization": f"Bearer {token}"})
    assert (response.status, label_of(response)) == (status, label)


@pytest.mark.parametrize("at,name,status", [
    (NOW - DAY // 2 - 1, "over", 200), (NOW - DAY // 2, "over", 403), (NOW, "over", 403),
    (NOW, "early", 403), (NOW + DAY // 2 - 1, "early", 403), (NOW + DAY // 2, "early", 200),
    (NOW, "soon", 200), (NOW + 1, "soon", 403)])
def test_a_client_is_valid_in_its_time(httpd, clock, at, name, status):
    clock.stop_at(at)
    if status != 200:
        httpd.refusal("client-expired", 1)
    assert get(httpd, "/any", bearer(name)).status == status


# --- what the handler learns ------------------------------------------------------------------------------------------

def test_the_handler_learns_what_the_client_is(httpd, backend):
    forged = {"X-Of": "admin", "X_Of": "admin", "X-Client": "admin", "X_CLIENT": "admin"}
    response = get(httpd, "/pair", {**pair(1, 1), **forged})
    assert received(backend, "X-Of") == "acme/test/read,write/token-pair/token-pair"
    assert "admin" not in str(backend.requests[0].headers)
    assert response.get("X-Test-Environment") == f"{TOKEN.format(1)}/acme/test/read,write"


def test_what_a_client_is_not_is_empty(httpd, backend):
    response = get(httpd, "/any", bearer("getter"))
    assert received(backend, "X-Of") == "///bearer/bearer"
    assert response.get("X-Test-Environment") == "getter/(null)/(null)/(null)"


def test_a_value_is_handed_on_decoded(httpd, backend):
    assert get(httpd, "/any", bearer("named")).status == 200
    assert received(backend, "X-Of") == "b&b///bearer/bearer"


# --- Require ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path,headers,status", [
    ("/require-org", bearer("robot"), 200), ("/require-org", bearer("getter"), 403), ("/require-org", {}, 401),
    ("/require-scope", bearer("robot"), 200), ("/require-scope", bearer("getter"), 403),
    ("/require-environment", bearer("robot"), 200), ("/require-environment", bearer("getter"), 403),
    ("/require-client", bearer("robot"), 200), ("/require-client", bearer("getter"), 200),
    ("/require-client", bearer("near"), 403),
    ("/require-scheme", key("robot"), 200), ("/require-scheme", bearer("robot"), 403),
    ("/require-all", bearer("robot"), 403),
    ("/require-any", bearer("getter"), 200), ("/require-any", bearer("robot"), 200), ("/require-any", bearer("near"),
                                                                                      403),
    ("/require-any", {}, 401), ("/require-any", bearer("nobody"), 401),
])
def test_require(httpd, backend, path, headers, status):
    httpd.allow_refusals("not-presented", "unknown-client")
    httpd.allow("AH01630|AH01631|authorization failure")
    assert get(httpd, path, headers).status == status
    assert backend.count == (status == 200)


# --- two lists --------------------------------------------------------------------------------------------------------

def test_two_rules_demand_one_client(httpd, backend):
    assert get(httpd, "/also", {**bearer("robot"), **key("robot")}).status == 200
    assert received(backend, "X-Client") == "robot"


@pytest.mark.parametrize("headers,status,reason", [
    ({**bearer("robot"), **key("getter")}, 401, "client-mismatch"),
    ({**bearer("robot"), **key("nobody")}, 401, "unknown-client"),
    ({**bearer("nobody"), **key("robot")}, 401, "unknown-client"),
    ({**bearer("keyed"), **key("keyed")}, 403, "scheme-not-allowed"),
    ({**bearer("robot"), **key("far")}, 403, "network-refused"),
    (bearer("robot"), 401, "not-presented"),
    (key("robot"), 401, "not-presented"),
])
def test_two_rules_that_do_not_both_hold(httpd, backend, headers, status, reason):
    assert_refused(httpd, get(httpd, "/also", headers), status, reason)
    assert backend.count == 0


def test_two_rules_of_two_clients_where_that_is_said(httpd, backend):
    assert get(httpd, "/also-any", {**bearer("robot"), **key("getter")}).status == 200
    assert received(backend, "X-Client") == "robot"
    assert_refused(httpd, get(httpd, "/also-any", {**bearer("robot"), **key("nobody")}), 401, "unknown-client")


# --- signatures of many senders ---------------------------------------------------------------------------------------

@pytest.fixture
def signed(backend):
    server = Server("", modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port})
    put_clients(server, "list", "one plain:the-secret-of-one old:plain:an-older-secret-of-one\n"
                                "two plain:the-secret-of-two\n"
                                f"three {sha256('the-secret-of-three')}\n")
    server.configure(TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\nAuthVerifyHeader X-Client "%{client}"\n'
                     + in_location('AuthVerify signature "signature=%{header:X-Hub-Signature-256}" prefix=sha256= '
                                   '"client=%{header:X-Sender}" unsigned-ok=client clients=file:conf/list'))
    with server:
        yield server


@pytest.mark.parametrize("name,secret,label", [("one", "the-secret-of-one", None), ("one", "an-older-secret-of-one",
                                                                                    "old"),
                                               ("two", "the-secret-of-two", None)])
def test_a_signature_is_of_the_client_that_it_names(signed, backend, name, secret, label):
    response = post(signed, "/", {**github(secret, b"{}"), "X-Sender": name}, b"{}")
    assert (response.status, label_of(response), received(backend, "X-Client")) == (200, label, name)


@pytest.mark.parametrize("name,reason", [("two", "wrong-signature"), ("three", "unknown-client"),
                                         ("nobody", "unknown-client"),
                                         ("", "malformed-credential")])
def test_a_signature_of_one_is_none_of_another(signed, backend, name, reason):
    signed.allow_refusals("wrong-signature", "unknown-client", "malformed-credential", "not-presented")
    response = post(signed, "/", {**github("the-secret-of-one", b"{}"), "X-Sender": name}, b"{}")
    assert (response.status, reason_of(response), backend.count) == (401, reason, 0)


# --- mistakes ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rule,said", [
    ("bearer clients=list", "file:PATH"),
    ("bearer clients=file:", "file:PATH"),
    ("bearer clients=file:conf/list,file:conf/none", "does not exist"),
    ("none methods=GET clients=file:conf/list", "takes neither secret= nor clients="),
    ("bearer clients=file:conf/list secret=file:conf/list", "keep one of them"),
    ("github clients=file:conf/list", "client="),
    ('signature "signature=%{header:X-S}" "client=%{header:X-C}" clients=file:conf/list', "unsigned-ok=client"),
    ('signature "signature=%{header:X-S}" "client=%{header:X-C}" unsigned-ok=client secret=file:conf/list', "clients="),
])
def test_a_rule_that_names_no_list_is_no_configuration(rule, said):
    server = Server("")
    put_clients(server, "list", f"a {sha256('the-secret-of-a')}\n")
    where = put(server, in_location(f"> AuthVerify {rule}"))
    status, output = server.configtest()
    server.close()
    assert status != 0
    assert_says(output, where, [said])
