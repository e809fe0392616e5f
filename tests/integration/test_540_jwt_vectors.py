"""269 signed and mis-signed tokens, each under the rule that its case describes, on a live httpd whose clock stands.

The cases are data kept beside the source tree; their README says what the members mean. A set of keys with which httpd
does not start counts as a refusal; where that is so because one key could serve two algorithms, the token is tried
under each of them alone as well.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
from collections import Counter

import pytest

from backends import RecordingBackend
from client import request
from clock import Clock, shared_folder
from configtest import in_location
from server import Server

SHARED = shared_folder()
FOLDER = SHARED / "vectors/jose/jwt" if SHARED else None
CASES = json.loads((FOLDER / "jwt.json").read_text())["cases"] if SHARED else []
KEYSETS = json.loads((FOLDER / "keysets.json").read_text())["keysets"] if SHARED else {}

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")

# Cases of which HTTP hands us less than the whole: bytes that are no part of a header's value.
ENDED_BY_HTTPD = {
    "jwt-encoding-398",  # a line feed ends the line
    "jwt-encoding-412",  # 100 000 dots are longer than a header may be
}

NAMES = {"algs": "algorithms", "iss": "issuer", "aud": "audience", "leeway": "tolerance", "require": "require",
         "typ": "type", "max_age": "max-age"}


def value_of(value):
    return ",".join(value) or "none" if isinstance(value, list) else str(value)


def rule_of(policy):
    """The line of a policy, but for the folder of its keys."""
    said = {NAMES[name]: value_of(value) for name, value in policy.items() if name in NAMES and value is not None}
    options = " ".join(f'"{name}={value}"' for name, value in said.items())
    return f"AuthVerify jwt keys=file:conf/{policy['keyset']}.json {options}"


def alone(policy):
    """The policy once for each of its algorithms."""
    return [{**policy, "algs": [name]} for name in policy["algs"]]


RULES = sorted({rule_of(policy) for case in CASES for policy in [case["policy"], *alone(case["policy"])]})

judged = Counter()


def token_of(case):
    return case["token"].encode() if "token" in case else base64.b64decode(case["token_b64"])


@pytest.fixture(scope="module")
def refused_rules():
    """What configtest says of each rule that httpd does not start with."""
    server = Server("")
    for name, keys in KEYSETS.items():
        server.secret(f"{name}.json", json.dumps(keys))
    found = {}
    for rule in RULES:
        status, said = server.configtest(in_location(rule))
        if status:
            found[rule] = said
    server.close()
    return found


@pytest.fixture(scope="module")
def places(refused_rules):
    """A location for each rule."""
    with RecordingBackend() as backend, Clock(CASES[0]["policy"]["now"]) as clock:
        config = 'LimitRequestFieldSize 32768\nProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
        config += 'AuthVerifyHeader X-Subject "%{client}"\n'
        for number, rule in enumerate(RULES):
            config += in_location(rule, f"/{number}/") if rule not in refused_rules else ""
        server = Server(config, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port},
                        allow=[r"refused reason=", "AH00561", r"keys= (mixed-oct|rsa-private).json holds a secret"],
                        environment=clock.environment)
        for name, keys in KEYSETS.items():
            server.secret(f"{name}.json", json.dumps(keys))
        with server:
            server.backend = backend
            yield server


def send(server, rule, token):
    server.backend.reset()
    value = b"Bearer " + token
    return request(server, "GET", f"/{RULES.index(rule)}/x", {"Authorization": value.decode("latin-1")})


def reasons(server):
    """Of the refusals in the access log since the last look."""
    log = server.root / "logs" / "access_log"
    return log.read_text(errors="replace").splitlines()[-1]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_token(places, refused_rules, case):
    rule, told = rule_of(case["policy"]), refused_rules.get(rule_of(case["policy"]))
    if told:
        assert case["expect"] == "reject", told
        assert "keys=" in told or "algorithms=" in told, told
    rules = [each for each in [rule, *map(rule_of, alone(case["policy"]))] if each not in refused_rules]
    for each in rules if case["expect"] == "reject" else [rule]:
        response = send(places, each, token_of(case))
        if case["expect"] == "accept":
            assert response.status == 200, (case["desc"], reasons(places))
            assert [value for name, value in places.backend.requests[0].headers if name == "X-Subject"]
            assert not any(name == "Authorization" for name, _ in places.backend.requests[0].headers)
        elif case["id"] in ENDED_BY_HTTPD:
            assert response.status == 400 and places.backend.count == 0
        else:
            assert response.status == 401 and places.backend.count == 0, case["desc"]
            assert response.get("WWW-Authenticate").startswith('Bearer realm="jwt"')
    judged[case["id"]] += bool(rules) or bool(told)


def test_every_case_was_judged():
    assert set(judged) == {case["id"] for case in CASES} and set(judged.values()) == {1}


def test_a_set_that_httpd_does_not_start_with_has_a_key_that_is_unfit(refused_rules):
    """No case is refused by mistake: these sets, and nothing else, keep httpd from starting."""
    sets = {rule.partition("conf/")[2].partition(".json")[0]: said for rule, said in refused_rules.items()
            if "could serve" not in said and "beside others" not in said}
    known = {"rsa-use-enc": '"use" is not sig', "dup-entry-kid-number": '"kid" is empty or no string',
             "empty": "no key in it serves", "rsa-e1": "exponent", "rsa-n-stdb64": "not base64url",
             "rsa-n-number": '"n" is missing', "rsa-missing-e": '"e" is missing', "ec-zero": "no public key",
             "ec-crv-mismatch": "coordinates", "hs-empty": '"k" is missing, empty', "hs-16": "shorter than the hash",
             "k256": "no key in it serves", "ed448": "no key in it serves"}
    served = {name: said for name, said in sets.items() if name in known}
    assert {name for name, said in served.items() if known[name] in said} == set(known)
    assert all("no key in it serves" in said for name, said in sets.items() if name not in known), sets.keys()
