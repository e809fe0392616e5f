"""Hostile tokens, byte by byte, and what HTTP makes of those of the bearer cases that must be looked into.

The cases are data kept beside the source tree, as those of attacks.py; their clock is stopped where they say.
SPDX-License-Identifier: Apache-2.0
"""
import json

import pytest

from attacks import final_status, judge, load_attacks, send
from backends import RecordingBackend
from client import request
from clock import Clock, shared_folder
from configtest import in_location
from server import Server, free_port, wait_until

SHARED = shared_folder()
ATTACKS, FIXTURES = load_attacks(SHARED, ("jwt",)) if SHARED else ([], {})
HTTP = json.loads((SHARED / "vectors/jose/bearer-http/bearer-http.json").read_text())["cases"] if SHARED else []
KEYSETS = json.loads((SHARED / "vectors/jose/jwt/keysets.json").read_text())["keysets"] if SHARED else {}

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")

SAID = "issuer={JWT_ISS} audience={JWT_AUD} tolerance=60"

# config_hint of a case: its rule.
RULES = {
    "jwt: RS256 only, public key rs": f"AuthVerify jwt keys=file:conf/rs.pem algorithms=RS256 {SAID}",
    "jwt: ES256 only, public key es": f"AuthVerify jwt keys=file:conf/es.pem algorithms=ES256 {SAID}",
    "jwt: HS256 only, shared secret, iss+aud+exp required":
        f"AuthVerify jwt secret=file:conf/shared algorithms=HS256 {SAID}",
}

# "config" of a case of the bearer cases, None where it has none.
HTTP_RULE = ("AuthVerify jwt keys=file:conf/asym.json algorithms=RS256 issuer=https://issuer.example/ "
             'audience=https://api.example/hooks {}\nAuthVerifyHeader X-Auth-Sub "%{{claim:sub}}"')
HTTP_RULES = {
    None: HTTP_RULE.format(""),
    "token_in=header,query": HTTP_RULE.format("in=header,query:access_token"),
    "optional": HTTP_RULE.format("") + "\nAuthVerifyMode optional\n<RequireAny>\nRequire authverify\n"
                                       "Require all granted\n</RequireAny>",
}
HTTP_NOW = 1767225600

# Where we answer otherwise: the status, and why.
CHOICES = {
    "http-011": (400, "two tokens in one value are two headers that the server has merged, which are one too many"),
    "JW-069": (200, "RFC 7515 section 4: a member that is not understood is ignored; nothing is decompressed, and the "
                    "payload is the plain text that was signed. Of the same token jwt-crit-313 says that it is right"),
}

judged = set()


class Places:
    """A port for each configuration: they all send to one host and path."""

    def __init__(self, rules, backend, now, host):
        self.backend = backend
        self._ports = {name: free_port() for name in rules}
        self.clock = Clock(now)
        config = "".join(f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName {host}\n"
                         'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
                         f"{in_location(rules[name], '/api')}</VirtualHost>\n" for name, port in self._ports.items())
        self.server = Server(config, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port},
                             allow=["refused reason=", "AH00561"], environment=self.clock.environment)

    def port(self, name):
        return self._ports[name]


@pytest.fixture(scope="module")
def attacked():
    with RecordingBackend() as backend:
        rules = {hint: rule.format(**FIXTURES) for hint, rule in RULES.items()}
        places = Places(rules, backend, FIXTURES["now"], FIXTURES["host"])
        for name in ("rs", "es"):
            places.server.secret(f"{name}.pem", FIXTURES["PUBLIC_KEYS"][name])
        places.server.secret("shared", FIXTURES["JWT_HS"])
        with places.clock, places.server:
            yield places


@pytest.fixture(scope="module")
def asked():
    with RecordingBackend() as backend:
        places = Places(HTTP_RULES, backend, HTTP_NOW, "test.example")
        places.server.secret("asym.json", json.dumps(KEYSETS["asym"]))
        with places.clock, places.server:
            yield places


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.id for attack in ATTACKS])
def test_the_verdict_holds(attacked, attack):
    attacked.clock.stop_at(attack.clock)
    attacked.backend.reset()
    answer = send(attacked.port(attack.hint), attack)
    wait_until(lambda: all(received.complete for received in attacked.backend.requests), 5, "the backend still reads")
    if attack.id in CHOICES:
        assert final_status(answer) == CHOICES[attack.id][0], CHOICES[attack.id][1]
    else:
        assert judge(attack, answer, attacked.backend.requests) == [], (attack.title, answer[:1000])
    assert FIXTURES["JWT_HS"].encode() not in answer
    judged.add(attack.id)


@pytest.mark.parametrize("case", HTTP, ids=[case["id"] for case in HTTP])
def test_the_answer(asked, case):
    asked.backend.reset()
    sent = case["request"]
    place = type("Place", (), {"port": asked.port(case.get("config"))})
    response = request(place, sent["method"], sent["target"], dict(sent["headers"]))
    challenges = response.all("WWW-Authenticate")
    assert response.status == CHOICES.get(case["id"], (case["expect_status"],))[0], case["desc"]
    assert asked.backend.count == (case["expect_status"] == 200)
    if "www_authenticate" in case:
        assert len(challenges) == 1 and challenges[0].startswith("Bearer ")
        assert 'error="invalid_token"' not in case["www_authenticate"] or 'error="invalid_token"' in challenges[0]
    assert case.get("must_not_contain", "\0") not in f"{response.headers} {response.body}"
    seen = [(name, value) for received in asked.backend.requests for name, value in received.headers]
    assert "backend_header" not in case or tuple(case["backend_header"]) in seen
    assert [name for name, _ in seen].count("X-Auth-Sub") == (asked.backend.count and case.get("config") != "optional")
    assert not any(name == "Authorization" for name, _ in seen)
    judged.add(case["id"])


def test_every_case_was_judged():
    assert judged == {attack.id for attack in ATTACKS} | {case["id"] for case in HTTP}
