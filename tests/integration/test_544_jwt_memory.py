"""Tokens that were proven before: they end when they end, and are good for one rule and its keys.

SPDX-License-Identifier: Apache-2.0
"""
import pytest

from client import get
from clock import Clock
from configtest import in_location
from server import Server
from tokens import AUDIENCE, SAID, Key, bearer, claims, key_set

FIRST = Key("first")
RS = f"AuthVerify jwt keys=file:conf/issuer.jwks algorithms=RS256 tolerance=0 {SAID}"
NOW = 1767225600
TIMES = 3  # requests with one token: at least two find it remembered, since one child answers them all


def statuses(server, path, token, times=TIMES):
    return {get(server, path, bearer(token)).status for _ in range(times)}


@pytest.fixture(scope="module")
def httpd():
    with Clock(NOW) as clock:
        config = "".join(in_location(lines, f"/{name}/") for name, lines in {
            "one": RS, "scoped": f"{RS} scopes=read",
            "other": RS.replace(AUDIENCE, "https://other.example/"), "young": f"{RS} max-age=60",
            "claim": f"{RS}\nRequire authverify claim tenant:acme",
        }.items())
        server = Server(config, allow=["refused reason=", "AH01630"], environment=clock.environment)
        server.secret("issuer.jwks", key_set(FIRST))
        for name in ("one", "scoped", "other", "young", "claim"):
            server.write(f"{name}/x", "here")
        with server:
            server.clock = clock
            yield server


@pytest.fixture(autouse=True)
def the_clock_is_put_back(request):
    yield
    if "httpd" in request.fixturenames:
        request.getfixturevalue("httpd").clock.stop_at(NOW)


def test_a_remembered_token_ends(httpd):
    token = FIRST.sign(claims(iat=NOW, exp=NOW + 2))
    assert statuses(httpd, "/one/x", token) == {200}
    httpd.clock.stop_at(NOW + 1)
    assert statuses(httpd, "/one/x", token) == {200}
    httpd.clock.stop_at(NOW + 2)
    assert statuses(httpd, "/one/x", token) == {401}
    httpd.clock.stop_at(NOW - 1)
    assert statuses(httpd, "/one/x", token) == {401}


def test_a_remembered_token_grows_old(httpd):
    token = FIRST.sign(claims(iat=NOW, exp=NOW + 9000))
    assert statuses(httpd, "/young/x", token) == {200}
    httpd.clock.stop_at(NOW + 60)
    assert statuses(httpd, "/young/x", token) == {200}
    httpd.clock.stop_at(NOW + 61)
    assert statuses(httpd, "/young/x", token) == {401}


def test_what_is_remembered_is_good_for_its_rule(httpd):
    token = FIRST.sign(claims(iat=NOW))
    assert statuses(httpd, "/one/x", token) == {200}
    assert statuses(httpd, "/other/x", token) == {401}
    assert statuses(httpd, "/scoped/x", token) == {403}


def test_claims_of_a_remembered_token_are_known(httpd):
    assert statuses(httpd, "/claim/x", FIRST.sign(claims(iat=NOW, tenant="acme"))) == {200}
    assert statuses(httpd, "/claim/x", FIRST.sign(claims(iat=NOW, tenant="other"))) == {403}


def test_a_token_that_is_nearly_a_remembered_one_is_not(httpd):
    token = FIRST.sign(claims(iat=NOW, sub="nearly"))
    assert statuses(httpd, "/one/x", token) == {200}
    head, _, signature = token.rpartition(".")
    other = "B" if signature[8] != "B" else "C"
    for forged in (f"{head}.{signature[:8]}{other}{signature[9:]}", f"{token}A", token[:-1], f"{token}."):
        assert statuses(httpd, "/one/x", forged) == {401}
