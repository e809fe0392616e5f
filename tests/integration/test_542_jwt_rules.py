"""The rules of the RFCs for verifiers of JSON Web Tokens, a test for each, named after its number in the list that is
kept beside the source tree (rules.json). The list's tests say more on each; these fail when the rule is not kept.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import json
import socket
import time
from pathlib import Path

import pytest

from client import get
from clock import Clock, shared_folder
from configtest import in_location
from server import Server
from tokens import AUDIENCE, FAR, ISSUER, SAID, SECRET, Key, base64url, bearer, claims, hs256, key_set

SHARED = shared_folder()
RULES = json.loads((SHARED / "vectors/jose/rules.json").read_text()) if SHARED else []

# Rules of what is not this scheme's: who keeps them.
ELSEWHERE = {
    "R29": "binding to a key or a certificate", "R44": "binding to a key", "R46": "binding to a certificate",
    "R30": "the token endpoint", "R31": "the token endpoint", "R37": "the token endpoint", "R38": "the token endpoint",
    "R39": "RFC 9421", "R40": "RFC 9421", "R41": "RFC 9421", "R42": "RFC 9421", "R43": "RFC 9421",
    "R47": "introspection",
}

NOW = 1767225600
HS = f"algorithms=HS256 secret=file:conf/shared {SAID} tolerance=0"
OURS, OTHERS, THIRD = Key("ours"), Key("others"), Key()

PLACES = {
    "hs": f"AuthVerify jwt {HS}",
    "rs": f"AuthVerify jwt keys=file:conf/ours.jwks algorithms=RS256 {SAID} tolerance=0",
    "other-issuer": "AuthVerify jwt keys=file:conf/others.jwks algorithms=RS256 issuer=https://other.example/ "
                    f"audience={AUDIENCE}",
    "two-keys": f"AuthVerify jwt keys=file:conf/both.jwks algorithms=RS256 {SAID}",
    "typed": f"AuthVerify jwt {HS} type=at+jwt",
    "subject": f"AuthVerify jwt {HS} require=exp,sub\nRequire authverify client alice",
    "scope": f"AuthVerify jwt {HS}\nRequire authverify scope write",
    "shown": f"AuthVerify jwt {HS}\nAuthVerifyHeader X-User %{{client}}",
    "optional": f"AuthVerify jwt {HS}\nAuthVerifyMode optional\nRequire authverify",
}


@pytest.fixture(scope="module")
def httpd():
    with Clock(NOW) as clock:
        config = "".join(in_location(lines, f"/{name}/") for name, lines in PLACES.items())
        server = Server(config, allow=["refused reason=", "AH01630"], environment=clock.environment)
        server.secret("shared", SECRET)
        for name, keys in {"ours": [OURS], "others": [OTHERS], "both": [OURS, OTHERS]}.items():
            server.secret(f"{name}.jwks", key_set(*keys))
        for name in PLACES:
            server.write(f"{name}/x", "here")
        with server:
            yield server


def said(**more):
    return claims(iat=NOW - 5, **more)


def status(httpd, place, token):
    return get(httpd, f"/{place}/x", bearer(token)).status


def statuses(httpd, place, tokens):
    return [status(httpd, place, token) for token in tokens]


def sign_as(name, text, key=SECRET.encode()):
    """An HMAC of a header that says whatever it says."""
    hashes = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
    return base64url(hmac.new(key, text.encode(), hashes.get(name, hashlib.sha256)).digest())


def token_of(header, payload, key=SECRET.encode()):
    payload = payload if isinstance(payload, str) else json.dumps(payload)
    text = f"{base64url(json.dumps(header))}.{base64url(payload)}"
    return f"{text}.{sign_as(header['alg'], text, key)}"


def configtest(rule, **files):
    server = Server("")
    for name, text in files.items():
        server.secret(name, text)
    try:
        return server.configtest(in_location(rule))
    finally:
        server.close()


# --- RFC 8725: JSON Web Token Best Current Practices ----------------------------------------------------------------

def test_R01_the_set_of_algorithms_is_the_administrators():
    assert "algorithms= must say" in configtest(f"AuthVerify jwt secret=file:conf/shared {SAID}", shared=SECRET)[1]
    assert configtest(f"AuthVerify jwt {HS}", shared=SECRET)[0] == 0


def test_R02_no_algorithm_outside_of_that_set(httpd):
    text = json.dumps(said())
    names = ("HS256", "HS384", "HS512", "hs256", "HS1")
    assert statuses(httpd, "hs", [token_of({"alg": name}, text) for name in names]) == [200, 401, 401, 401, 401]


def test_R03_the_header_names_the_algorithm_of_the_signature(httpd):
    text = f'{base64url(json.dumps({"alg": "HS256"}))}.{base64url(json.dumps(said()))}'
    assert status(httpd, "hs", f"{text}.{sign_as('HS512', text)}") == 401
    assert status(httpd, "rs", OURS.sign(said(), {"alg": "PS256", "kid": "ours"})) == 401


@pytest.mark.parametrize("key", [OURS.pem.encode(), OURS.pem.strip().encode(), json.dumps(OURS.jwk).encode(), b"",
                                 base64.urlsafe_b64decode(OURS.jwk["n"] + "==")])
def test_R04_one_key_one_algorithm(httpd, key):
    assert status(httpd, "rs", token_of({"alg": "HS256", "kid": "ours"}, said(), key)) == 401
    both = configtest(f"AuthVerify jwt keys=file:conf/keys algorithms=RS256,HS256 {SAID}", keys=OURS.pem)
    assert "keep one kind" in both[1]
    assert "one key serves one algorithm" in configtest(
        f"AuthVerify jwt keys=file:conf/keys algorithms=RS256,PS256 {SAID}", keys=OURS.pem)[1]


def test_R05_none_is_no_algorithm(httpd):
    rule = f"AuthVerify jwt keys=file:conf/keys algorithms=none {SAID}"
    assert "is none of RS256" in configtest(rule, keys=OURS.pem)[1]
    for name in ("none", "None", "NONE", "nOnE", " none", "none ", "", None):
        text = f'{base64url(json.dumps({"alg": name}))}.{base64url(json.dumps(said()))}'
        assert statuses(httpd, "hs", [f"{text}.", text, f"{text}.AA", f"{text}.{sign_as('HS256', text)}"]) == [401] * 4


def test_R06_keys_and_algorithms_can_be_changed(httpd):
    assert statuses(httpd, "two-keys", [OURS.sign(said()), OTHERS.sign(said())]) == [200, 200]


def test_R07_nothing_is_taken_of_a_token_that_is_not_right_as_a_whole(httpd):
    good = hs256(said())
    header, payload, signature = good.split(".")
    other = base64url(json.dumps(said(sub="admin")))
    changed = signature[:-2] + ("A" if signature[-2] != "A" else "B") + signature[-1]
    assert statuses(httpd, "hs", [good, f"{header}.{other}.{signature}", f"{header}.{payload}.{changed}",
                                  f"{header}.{payload}.{signature[:-4]}", f"{header}.{payload}.{signature}AAAA",
                                  hs256(said(), secret="another secret of at least 32 bytes")]) == [200] + [401] * 5


def test_R08_a_token_in_a_token_is_none(httpd):
    inner = hs256(said())
    assert statuses(httpd, "hs", [hs256(inner, {"alg": "HS256", "cty": "JWT"}), hs256(json.dumps(inner)),
                                  hs256(said(), {"alg": "HS256", "cty": "jwt"}), f"{inner}.AA.AA"]) == [401] * 4


def test_R09_a_point_is_on_its_curve():
    for x in ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "A" * 43):
        jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw"}
        assert "no public key" in configtest(f"AuthVerify jwt keys=file:conf/keys algorithms=ES256 {SAID}",
                                             keys=json.dumps(jwk))[1]


def test_R10_a_secret_is_as_long_as_its_hash():
    assert "shorter than the hash" in configtest(f"AuthVerify jwt {HS}", shared="x" * 31)[1]
    assert configtest(f"AuthVerify jwt {HS}", shared="x" * 32)[0] == 0


@pytest.mark.parametrize("text", [b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\u0000"'])
def test_R11_header_and_claims_are_utf_8(httpd, text):
    payload = json.dumps(said()).encode()[:-1] + b',"x":' + text + b"}"
    assert status(httpd, "hs", hs256(payload)) == 401
    assert status(httpd, "hs", hs256(said(), b'{"alg":"HS256","x":' + text + b"}")) == 401
    assert statuses(httpd, "hs", [hs256(b"\xef\xbb\xbf" + json.dumps(said()).encode()),
                                  hs256(json.dumps(said()).encode("utf-16-le"))]) == [401, 401]


def test_R12_a_key_speaks_for_its_issuer_only(httpd):
    ours, others = said(), said(iss="https://other.example/")
    assert statuses(httpd, "rs", [OURS.sign(ours), OTHERS.sign(ours), OURS.sign(others)]) == [200, 401, 401]
    assert statuses(httpd, "other-issuer", [OTHERS.sign(others), OURS.sign(others), OTHERS.sign(ours)]) \
        == [200, 401, 401]
    assert "must be one issuer" in configtest(
        f"AuthVerify jwt secret=file:conf/shared algorithms=HS256 audience=a issuer={ISSUER},b", shared=SECRET)[1]
    assert "issuer= must say" in configtest(
        "AuthVerify jwt secret=file:conf/shared algorithms=HS256 audience=a", shared=SECRET)[1]


def test_R13_the_subject_is_one_that_may_come(httpd):
    assert status(httpd, "subject", hs256(said())) == 200
    assert status(httpd, "subject", hs256(said(sub="bob"))) == 403
    assert statuses(httpd, "subject", [hs256(said(sub=sub)) for sub in ("", 7, None, ["alice"], "alice\r\nX: y",
                                                                        "alice\x7f")]) == [401] * 6


AUDIENCES = [None, "", [], "other", AUDIENCE.upper(), AUDIENCE[:-1], AUDIENCE + "x", f"{AUDIENCE} other", 7, {},
             [[AUDIENCE]], [AUDIENCE, 7], {"a": AUDIENCE}]


def test_R14_a_token_is_for_this_server(httpd):
    assert statuses(httpd, "hs", [hs256(said(aud=aud)) for aud in AUDIENCES]) == [401] * len(AUDIENCES)
    assert statuses(httpd, "hs", [hs256(said(aud=aud)) for aud in (AUDIENCE, ["x", AUDIENCE])]) == [200, 200]


def test_R15_a_header_is_not_believed(httpd):
    """Nobody asks the address that it names, and the key that it brings proves nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/keys.json"
        for more in ({"jku": address}, {"x5u": address}, {"jwk": THIRD.jwk}, {"x5c": ["AA=="]},
                     {"jku": address, "kid": ""}, {"kid": "../ours"}, {"kid": "' OR 1=1"}, {"kid": "$(id)"},
                     {"kid": address}):
            assert status(httpd, "rs", THIRD.sign(said(), {"alg": "RS256", **more})) == 401
        with pytest.raises(TimeoutError):
            listener.accept()
    assert status(httpd, "rs", OURS.sign(said(), {"alg": "RS256", "kid": "ours", "jwk": THIRD.jwk})) == 200


def test_R16_a_type_that_is_asked_for_is_there(httpd):
    types = ("at+jwt", "application/at+jwt", "AT+JWT", "JWT", 7)
    typed = [hs256(said(), {"alg": "HS256", "typ": typ}) for typ in types]
    assert statuses(httpd, "typed", [*typed, hs256(said())]) == [200, 200, 200, 401, 401, 401]


def test_R17_a_token_of_another_kind_is_no_access_token(httpd):
    kinds = ("dpop+jwt", "logout+jwt", "secevent+jwt", "token-introspection+jwt", "application/dpop+jwt", "id+jwt")
    assert statuses(httpd, "hs", [hs256(said(), {"alg": "HS256", "typ": typ}) for typ in kinds]) == [401] * len(kinds)


# --- RFC 7515, 7519, 7797 ---------------------------------------------------------------------------------------------

def test_R18_nothing_critical_is_understood(httpd):
    for crit in (["exp"], [], None, "exp", ["alg"], ["b64"], ["x", "x"], [7]):
        assert status(httpd, "hs", hs256(said(), {"alg": "HS256", "crit": crit, "x": 1, "exp": FAR})) == 401


def test_R19_a_token_is_base64url_without_padding(httpd):
    header, payload, signature = hs256(said(x="??>>")).split(".")
    signed = [hs256(said(x="??>>" + " " * count)) for count in range(3)]
    assert any(len(token.split(".")[1]) % 4 for token in signed)
    text = f"{header}.{payload}="
    standard = f'{header}.{payload.replace("-", "+").replace("_", "/")}'
    last = signature[:-1] + chr(ord(signature[-1]) + 1)
    assert statuses(httpd, "hs", [f"{text}.{sign_as('HS256', text)}", f"{header}.{payload}.{signature}=",
                                  f"{header}.{payload[:4]} {payload[4:]}.{signature}", f"{header}.{payload}.{last}",
                                  f'"{header}.{payload}.{signature}"']) == [401] * 5
    assert standard == f"{header}.{payload}" or status(httpd, "hs", f"{standard}.{sign_as('HS256', standard)}") == 401


def test_R20_a_member_that_occurs_twice_is_refused(httpd):
    payload = json.dumps(said())[:-1]
    assert statuses(httpd, "hs", [hs256(said(), '{"alg":"HS256","alg":"HS256"}'),
                                  hs256(said(), '{"alg":"HS256","\\u0061lg":"none"}'),
                                  hs256(payload + ',"sub":"admin"}'),
                                  hs256(payload + ',"a":{"b":1,"b":2}}')]) == [401] * 4


def test_R21_a_header_is_an_object(httpd):
    headers = ('["HS256"]', "null", '"HS256"', "", " ", '{"alg":"HS256"}{}')
    texts = [f"{base64url(header)}.{base64url(json.dumps(said()))}" for header in headers]
    assert statuses(httpd, "hs", [f"{text}.{sign_as('HS256', text)}" for text in texts]) == [401] * len(texts)


def test_R22_an_audience_that_does_not_name_us_is_refused(httpd):
    assert statuses(httpd, "hs", [hs256(said(aud=["a", "b"])), hs256(said(aud=[])), hs256(said(aud="b"))]) == [401] * 3


def test_R23_a_token_is_over_at_its_end(httpd):
    ends = (NOW + 1, NOW, NOW - 1, NOW + 0.5, 1.5 + NOW)
    assert statuses(httpd, "hs", [hs256(said(exp=end)) for end in ends]) == [200, 401, 401, 401, 200]
    assert status(httpd, "hs", hs256(said(exp=None))) == 401


def test_R24_a_token_begins_when_it_says(httpd):
    assert statuses(httpd, "hs", [hs256(said(nbf=NOW + later)) for later in (-1, 0, 1, 0.5)]) == [200, 200, 401, 401]


@pytest.mark.parametrize("value", ["4102444800", True, [], {}, [FAR]])
def test_R25_times_are_numbers(httpd, value):
    for name in ("exp", "nbf", "iat"):
        assert status(httpd, "hs", hs256({**said(), name: value})) == 401
        assert status(httpd, "hs", hs256({**said(), name: None})) == 401


def test_R26_a_payload_is_always_encoded(httpd):
    assert statuses(httpd, "hs", [hs256(said(), {"alg": "HS256", "b64": value, **more}) for value in (False, True)
                                  for more in ({}, {"crit": ["b64"]})]) == [401] * 4


# --- RFC 9700: OAuth 2.0 Security Best Current Practice ---------------------------------------------------------------

def test_R27_an_audience_is_configured():
    assert "audience= must say" in configtest(
        f"AuthVerify jwt secret=file:conf/shared algorithms=HS256 issuer={ISSUER}", shared=SECRET)[1]


def test_R28_a_token_is_good_for_its_scopes_alone(httpd):
    assert status(httpd, "scope", hs256(said(scope="read write"))) == 200
    response = get(httpd, "/scope/x", bearer(hs256(said(scope="read"))))
    assert response.status == 403 and 'error="insufficient_scope"' in response.get("WWW-Authenticate")


def test_R32_no_token_in_the_query(httpd):
    assert get(httpd, f"/hs/x?access_token={hs256(said())}").status == 401


def test_R33_a_token_is_in_no_log(httpd):
    good, bad = hs256(said(sub="R33")), hs256(said(sub="R33-2"), secret="another secret of at least 32 bytes")
    assert statuses(httpd, "hs", [good, bad]) == [200, 401]
    for log in (httpd.root / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert not [part for token in (good, bad) for part in token.split(".")[1:] if part in text], log


def test_R34_a_token_that_another_server_got_is_no_good_here(httpd):
    assert status(httpd, "hs", hs256(said(aud="https://counterfeit.example/"))) == 401


def test_R35_a_header_that_we_assert_is_taken_from_every_request(httpd):
    """What reaches the handler: test_541_jwt.py, a_claim_header_of_the_client_is_not_believed."""
    assert get(httpd, "/shown/x", {"X-User": "admin"}).status == 401
    assert get(httpd, "/optional/x", {"X-User": "admin"}).status == 401


def test_R36_the_way_to_the_application_is_the_administrators():
    text = (Path(__file__).resolve().parents[2] / "docs" / "directives.md").read_text()
    assert "only this httpd reaches the handler" in " ".join(text.split("## AuthVerifyHeader")[1].split())


def test_R45_a_bound_token_is_no_bearer_token(httpd):
    for cnf in ({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}, {"x5t#S256": "AA"}, {}, None, "x"):
        assert status(httpd, "hs", hs256({**said(), "cnf": cnf})) == 401


# --- guard ------------------------------------------------------------------------------------------------------------

@pytest.mark.skipif(not SHARED, reason="the shared folder with the rules is not there (AUTHVERIFY_SHARED)")
def test_every_rule_has_its_test():
    tested = {name[5:8] for name in globals() if name.startswith("test_R")}
    assert tested | set(ELSEWHERE) == {rule["id"] for rule in RULES} and not tested & set(ELSEWHERE)


def test_the_clock_stands(httpd):
    assert abs(time.time() - NOW) > 86400 and statuses(httpd, "hs", [hs256(said(exp=NOW + 1))]) == [200]
