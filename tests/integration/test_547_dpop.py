"""Tokens that are bound to a key (RFC 9449): good with a proof of that key, made for the request, once.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import time

import pytest

from backends import RecordingBackend
from client import Connection, get, head, post, request
from clock import Clock
from configtest import in_location, put
from holder import Holder, shown
from server import Server
from tokens import SAID, SECRET, base64url, bearer, claims, hs256

RULE = f"AuthVerify jwt algorithms=HS256 secret=file:conf/shared {SAID}"
BOTH, ONLY = f"{RULE} dpop=optional", f"{RULE} dpop=required"
US = "http://test.example"
OURS, OTHER, EDWARDS, NIST384 = Holder(), Holder(), Holder("EdDSA"), Holder("ES384")
WORD = 'DPoP realm="jwt", algs="ES256 EdDSA"'

PLACES = {
    "both": BOTH, "only": ONLY, "off": RULE,
    "nonce": f"{ONLY} dpop-nonce=on",
    "short": f"{BOTH} dpop-tolerance=5:2", "listed": f"{ONLY} dpop-algorithms=ES384",
    "kept": f"{ONLY} strip=off",
    "scoped": f"{BOTH} scopes=admin",
    "required": f"{BOTH}\n<RequireAny>\nRequire authverify scope admin\n</RequireAny>",
    "described": f"{BOTH} resource-metadata=https://api.example/.well-known/oauth-protected-resource",
    "behind": f"{ONLY}\nAuthVerifyExternalURL https://api.example/v1",
    "beside": f"{BOTH}\nAuthVerifyAlso api-key in=header:X-Key secret=file:conf/key",
    "besides": f"AuthVerify api-key in=header:X-Key secret=file:conf/key\n{ONLY}".replace("AuthVerify jwt",
                                                                                          "AuthVerifyAlso jwt"),
    "observed": f"{ONLY}\nAuthVerifyMode observe",
    "open": f"{ONLY}\nAuthVerifyMode optional\n<RequireAny>\nRequire authverify\nRequire all granted\n</RequireAny>",
}
PRESET = ONLY.replace("AuthVerify jwt", "AuthVerifyPreset held jwt") + "\n"
REDIRECTS = """
ErrorDocument 404 /only/missing
<Directory "${ROOT}/htdocs/private">
    AllowOverride AuthConfig
</Directory>
"""


def locations(places):
    return "".join(in_location(rule, f"/{name}/") for name, rule in places.items())


@pytest.fixture(scope="module", params=["event", "prefork"])
def httpd(request):
    with RecordingBackend() as backend:
        config = f'{REDIRECTS}{PRESET}ProxyPass "/private/" "!"\nProxyPass "/gone/" "!"\n'
        config += 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n' + locations(PLACES)
        server = Server(config + in_location(ONLY, "/gone/"), mpm=request.param, modules=["proxy", "proxy_http"],
                        defines={"BACKEND": backend.port}, allow=["AH01630", "AH01797"])
        server.secret("shared", SECRET)
        server.secret("key", "the-key-of-a-gateway")
        server.write("private/x", "here")
        server.write("private/.htaccess", "AuthVerify held\n")
        with server:
            server.backend = backend
            yield server


def call(server, place, token, proof, **more):
    return get(server, f"/{place}/x", shown(token, proof, **more))


def seen_headers(server):
    return [name.lower() for name, _ in server.backend.requests[-1].headers]


def is_error(response, error):
    """The challenge for proofs says so, and no other one does."""
    challenges = response.all("WWW-Authenticate")
    return [challenge for challenge in challenges if "error=" in challenge] == [f'{WORD}, error="{error}"']


@pytest.mark.parametrize("holder", [OURS, EDWARDS], ids=["ES256", "EdDSA"])
@pytest.mark.parametrize("place", ["both", "only"])
def test_a_bound_token_is_good_with_its_proof(httpd, place, holder):
    token = holder.token()
    httpd.backend.reset()
    for _ in range(3):  # the token may be remembered; each request has a proof of its own
        assert call(httpd, place, token, holder.proof(token, f"{US}/{place}/x")).status == 200
    assert not {"authorization", "dpop"} & set(seen_headers(httpd))


def test_what_is_shown_is_handed_on_where_the_rule_says_so(httpd):
    token = OURS.token()
    assert call(httpd, "kept", token, OURS.proof(token, f"{US}/kept/x")).status == 200
    assert {"authorization", "dpop"} <= set(seen_headers(httpd))


def test_nobody_on_the_way_may_drop_the_proof(httpd):
    token = OURS.token()
    headers = {**shown(token, OURS.proof(token, f"{US}/kept/x")), "Connection": "close, DPoP"}
    assert get(httpd, "/kept/x", headers).status == 200
    assert "dpop" in seen_headers(httpd)


def test_a_token_that_is_bound_to_nothing_needs_no_proof_where_proofs_are_optional(httpd):
    assert get(httpd, "/both/x", bearer(hs256(claims()))).status == 200
    proof = OURS.proof(hs256(claims()), f"{US}/both/x")
    assert get(httpd, "/both/x", {**bearer(hs256(claims())), "DPoP": proof}).status == 200
    httpd.refusal("unbound-token", 1)
    response = get(httpd, "/only/x", bearer(hs256(claims())))
    assert response.status == 401 and is_error(response, "invalid_token")


def test_a_bound_token_is_none_to_bear(httpd):
    """RFC 9449 section 7.2: not even with its proof beside it."""
    token = OURS.token()
    httpd.refusal("unproven-binding", 4)
    for place in ("both", "only", "off"):
        assert get(httpd, f"/{place}/x", bearer(token)).status == 401
    response = call(httpd, "both", token, OURS.proof(token, f"{US}/both/x"), word="Bearer")
    assert response.status == 401
    assert response.all("WWW-Authenticate") == ['Bearer realm="jwt", error="invalid_token"', WORD]


def test_a_token_to_bear_is_none_that_is_bound(httpd):
    token = hs256(claims())
    httpd.refusal("unbound-token", 1)
    response = call(httpd, "both", token, OURS.proof(token, f"{US}/both/x"))
    assert response.status == 401 and is_error(response, "invalid_token")


def test_without_dpop_its_word_is_none(httpd):
    token = OURS.token()
    httpd.refusal("not-presented", 1)
    response = call(httpd, "off", token, OURS.proof(token, f"{US}/off/x"))
    assert response.status == 401 and response.all("WWW-Authenticate") == ['Bearer realm="jwt"']


TOKEN = OURS.token()


def spoiled(**more):
    return lambda: OURS.proof(TOKEN, f"{US}/both/x", **more)


def with_header(**more):
    return spoiled(header=OURS.header(**more))


def private_jwk():
    return {**OURS.jwk, "d": base64url(b"\1" * 32)}


def forged():
    first, _, signature = OURS.proof(TOKEN, f"{US}/both/x").rpartition(".")
    return f"{first}.{signature[:4]}{'A' if signature[4] != 'A' else 'B'}{signature[5:]}"


def signed_by_another():
    return OTHER.proof(TOKEN, f"{US}/both/x", header=OURS.header())


def with_a_mac():
    proof = OURS.proof(TOKEN, f"{US}/both/x").split(".")[1]
    return hs256(base64.urlsafe_b64decode(proof + "=="), OURS.header(alg="HS256"))


MALFORMED, TARGET, TIME = "malformed-proof", "wrong-proof-target", "proof-out-of-time"
SPOILED = {
    "no token at all": (lambda: "x", MALFORMED),
    "empty": (lambda: "", MALFORMED),
    "another key": (lambda: OTHER.proof(TOKEN, f"{US}/both/x"), "unproven-binding"),
    "a forged signature": (forged, "wrong-proof"),
    "another's signature": (signed_by_another, "wrong-proof"),
    "another token's hash": (spoiled(ath=base64url(b"\0" * 32)), "wrong-proof"),
    "no hash": (spoiled(ath=None), MALFORMED),
    "a padded hash": (spoiled(ath=base64url(b"\0" * 32) + "="), MALFORMED),
    "a short hash": (spoiled(ath=base64url(b"\0" * 31)), MALFORMED),
    "no type": (with_header(typ=None), MALFORMED),
    "another type": (with_header(typ="JWT"), MALFORMED),
    "no key": (with_header(jwk=None), MALFORMED),
    "a private key": (lambda: with_header(jwk=private_jwk())(), MALFORMED),
    "half a key": (lambda: with_header(jwk={"kty": "EC", "crv": "P-256", "x": OURS.jwk["x"]})(), MALFORMED),
    "a key as text": (with_header(jwk="key"), MALFORMED),
    "a key to encrypt": (lambda: with_header(jwk={**OURS.jwk, "use": "enc"})(), MALFORMED),
    "a key of another algorithm": (lambda: with_header(jwk={**OURS.jwk, "alg": "ES384"})(), MALFORMED),
    "no algorithm": (with_header(alg="none"), MALFORMED),
    "an algorithm that is not taken": (with_header(alg="RS256"), MALFORMED),
    "a MAC": (with_a_mac, MALFORMED),
    "crit": (with_header(crit=["exp"]), MALFORMED),
    "no id": (spoiled(jti=None), MALFORMED),
    "an empty id": (spoiled(jti=""), MALFORMED),
    "a long id": (spoiled(jti="x" * 257), MALFORMED),
    "a number as id": (spoiled(jti=7), MALFORMED),
    "a line end in the id": (spoiled(jti="a\nb"), MALFORMED),
    "no method": (spoiled(htm=None), MALFORMED),
    "no URL": (spoiled(htu=None), MALFORMED),
    "no time": (spoiled(iat=None), MALFORMED),
    "a time as text": (spoiled(iat=str(int(time.time()))), MALFORMED),
    "a time before all": (spoiled(iat=-1), MALFORMED),
    "a nonce that is none": (spoiled(nonce=7), MALFORMED),
    "another method": (spoiled(method="POST"), TARGET),
    "a method in lower case": (spoiled(method="get"), TARGET),
    "another path": (spoiled(htu=f"{US}/both/y"), TARGET),
    "another host": (spoiled(htu="http://api.example/both/x"), TARGET),
    "another scheme": (spoiled(htu="https://test.example/both/x"), TARGET),
    "another port": (spoiled(htu=f"{US}:8080/both/x"), TARGET),
    "a path alone": (spoiled(htu="/both/x"), TARGET),
    "a query": (spoiled(htu=f"{US}/both/x?a=1"), TARGET),
    "a fragment": (spoiled(htu=f"{US}/both/x#a"), TARGET),
    "the past": (lambda: spoiled(iat=int(time.time()) - 65)(), TIME),
    "the future": (lambda: spoiled(iat=int(time.time()) + 65)(), TIME),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_proof_that_is_not_right_proves_nothing(httpd, name):
    make, reason = SPOILED[name]
    httpd.backend.reset()
    httpd.refusal(reason, 1)
    response = call(httpd, "both", TOKEN, make())
    assert response.status == 401 and httpd.backend.count == 0
    assert is_error(response, "invalid_token" if reason == "unproven-binding" else "invalid_dpop_proof")
    assert response.get("DPoP-Nonce") is None


def test_what_makes_no_difference_makes_none(httpd):
    for name, more in {
        "a second's fraction": {"iat": time.time()},
        "letters of scheme and host": {"htu": "HTTP://Test.Example/both/x"},
        "a default port": {"htu": "http://test.example:80/both/x"}, "dots": {"htu": f"{US}/both/a/../%2e/x"},
        "encoding": {"htu": f"{US}/%62oth/%78"}, "a type in full": {"header": OURS.header(typ="application/DPoP+JWT")},
        "claims of its own": {"exp": 1, "note": ["x"]}, "a nonce that nobody asked for": {"nonce": "x"},
        "what the key is for":
            {"header": OURS.header(jwk={**OURS.jwk, "use": "sig", "key_ops": ["verify"], "ext": True})},
    }.items():
        assert call(httpd, "both", TOKEN, OURS.proof(TOKEN, f"{US}/both/x", **more)).status == 200, name


def test_the_query_of_the_request_is_no_matter(httpd):
    proof = OURS.proof(TOKEN, f"{US}/both/x")
    assert get(httpd, "/both/x?a=1&b=2", shown(TOKEN, proof)).status == 200


def test_a_proof_is_for_the_method(httpd):
    assert post(httpd, "/both/x", shown(TOKEN, OURS.proof(TOKEN, f"{US}/both/x", "POST")), b"body").status == 200
    assert httpd.backend.requests[-1].length == 4


def test_no_proof_and_two_are_not_one(httpd):
    httpd.refusal("malformed-proof", 1)
    response = get(httpd, "/both/x", {"Authorization": f"DPoP {TOKEN}"})
    assert response.status == 401 and is_error(response, "invalid_dpop_proof")
    httpd.refusal("ambiguous-credential", 3)
    first, second = OURS.proof(TOKEN, f"{US}/both/x"), OURS.proof(TOKEN, f"{US}/both/x")
    for lines in (f"DPoP: {first}\r\nDPoP: {second}", f"DPoP: {first}, {second}"):
        with Connection(httpd.port) as connection:
            start = head("GET", "/both/x", {"Authorization": f"DPoP {TOKEN}"})[:-2]
            connection.send(start + f"{lines}\r\n\r\n".encode())
            response = connection.final_response()
        assert response.status == 400 and is_error(response, "invalid_request")
    with Connection(httpd.port) as connection:  # RFC 9449 section 7.2
        connection.send(head("GET", "/both/x", {"Authorization": f"Bearer {TOKEN}", "DPoP": first})[:-2]
                        + f"Authorization: DPoP {TOKEN}\r\n\r\n".encode())
        assert connection.final_response().status == 400


def test_a_proof_is_good_once(httpd):
    proof = OURS.proof(TOKEN, f"{US}/both/x")
    httpd.refusal("proof-replayed", 2)
    assert call(httpd, "both", TOKEN, proof).status == 200
    for _ in range(2):
        response = call(httpd, "both", TOKEN, proof)
        assert response.status == 401 and is_error(response, "invalid_dpop_proof")


def test_an_id_is_its_key_s_own(httpd):
    """Nobody uses up another's ids; one's own are used up whatever else the proof says."""
    mine, theirs = OURS.token(), OTHER.token()
    said = {"jti": f"id-{time.time()}"}
    assert call(httpd, "both", mine, OURS.proof(mine, f"{US}/both/x", **said)).status == 200
    assert call(httpd, "both", theirs, OTHER.proof(theirs, f"{US}/both/x", **said)).status == 200
    httpd.refusal("proof-replayed", 1)
    assert call(httpd, "only", mine, OURS.proof(mine, f"{US}/only/x", **said)).status == 401


def test_a_proof_is_used_up_by_what_is_let_in_alone(httpd):
    """Whatever else refuses comes first."""
    proof, token = OURS.proof(TOKEN, f"{US}/beside/x"), OURS.token(exp=int(time.time()) - 600)
    httpd.refusal("not-presented", 1)
    httpd.refusal("wrong-secret", 1)
    httpd.refusal("token-expired", 1)
    assert call(httpd, "beside", TOKEN, proof).status == 401
    assert get(httpd, "/beside/x", {**shown(TOKEN, proof), "X-Key": "another"}).status == 401
    assert get(httpd, "/beside/x", {**shown(TOKEN, proof), "X-Key": "the-key-of-a-gateway"}).status == 200
    assert call(httpd, "both", token, OURS.proof(token, f"{US}/both/x")).status == 401


def test_a_proof_that_must_hold_besides_is_good_once(httpd):
    headers = {**shown(TOKEN, OURS.proof(TOKEN, f"{US}/besides/x")), "X-Key": "the-key-of-a-gateway"}
    httpd.refusal("proof-replayed", 1)
    assert get(httpd, "/besides/x", headers).status == 200
    assert get(httpd, "/besides/x", headers).status == 401


def test_a_proof_is_young(httpd):
    httpd.refusal("proof-out-of-time", 2)
    now = int(time.time())
    for age, status in ((0, 200), (-1, 200), (10, 401), (-8, 401)):
        assert call(httpd, "short", TOKEN, OURS.proof(TOKEN, f"{US}/short/x", iat=now - age)).status == status


def test_only_the_listed_algorithms_are_taken(httpd):
    token = NIST384.token()
    assert call(httpd, "listed", token, NIST384.proof(token, f"{US}/listed/x")).status == 200
    httpd.refusal("malformed-proof", 1)
    response = call(httpd, "listed", TOKEN, OURS.proof(TOKEN, f"{US}/listed/x"))
    assert response.all("WWW-Authenticate") == ['DPoP realm="jwt", algs="ES384", error="invalid_dpop_proof"']


def test_the_url_is_what_the_sender_calls_us(httpd):
    assert call(httpd, "behind", TOKEN, OURS.proof(TOKEN, "https://api.example/v1/behind/x")).status == 200
    httpd.refusal("wrong-proof-target", 1)
    assert call(httpd, "behind", TOKEN, OURS.proof(TOKEN, f"{US}/behind/x")).status == 401


def test_a_host_that_is_not_ours_is_none_to_prove_for(httpd):
    httpd.refusal("wrong-host", 1)
    response = get(httpd, "/both/x", shown(TOKEN, OURS.proof(TOKEN, "http://evil.example/both/x")), host="evil.example")
    assert response.status == 401 and is_error(response, "invalid_dpop_proof")
    assert get(httpd, "/both/x", bearer(hs256(claims())), host="evil.example").status == 200


def test_who_shows_nothing_is_told_both_ways(httpd):
    httpd.refusal("not-presented", 3)
    assert get(httpd, "/both/x").all("WWW-Authenticate") == ['Bearer realm="jwt"', WORD]
    assert get(httpd, "/only/x").all("WWW-Authenticate") == [WORD]
    where = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource"'
    assert get(httpd, "/described/x").all("WWW-Authenticate") == [f'Bearer realm="jwt", {where}', f"{WORD}, {where}"]


def test_a_scope_that_lacks_is_told_the_way_the_token_came(httpd):
    httpd.refusal("client-not-allowed", 2)
    told = f'{WORD}, error="insufficient_scope"'
    for place in ("scoped", "required"):
        response = call(httpd, place, TOKEN, OURS.proof(TOKEN, f"{US}/{place}/x"))
        assert (response.status, response.all("WWW-Authenticate")) == (403, [told])
    response = get(httpd, "/scoped/x", bearer(hs256(claims())))
    assert response.all("WWW-Authenticate") == ['Bearer realm="jwt", error="insufficient_scope"']


def test_a_nonce_is_asked_for_and_taken(httpd):
    httpd.refusal("nonce-required", 3)
    response = call(httpd, "nonce", TOKEN, OURS.proof(TOKEN, f"{US}/nonce/x"))
    nonce = response.get("DPoP-Nonce")
    assert response.status == 401 and is_error(response, "use_dpop_nonce")
    assert len(response.all("DPoP-Nonce")) == 1 and len(nonce) >= 16 and response.get("Cache-Control") == "no-store"
    response = call(httpd, "nonce", TOKEN, OURS.proof(TOKEN, f"{US}/nonce/x", nonce=nonce))
    assert response.status == 200
    for other in ("", nonce[:-1]):
        response = call(httpd, "nonce", TOKEN, OURS.proof(TOKEN, f"{US}/nonce/x", nonce=other or f"{nonce}x"))
        assert response.status == 401 and response.get("DPoP-Nonce")


def test_an_observed_proof_is_not_used_up(httpd):
    proof = OURS.proof(TOKEN, f"{US}/observed/x")
    for _ in range(2):
        assert call(httpd, "observed", TOKEN, proof).status == 200
    assert {"authorization", "dpop"} <= set(seen_headers(httpd))


def test_where_proofs_are_optional_by_mode_a_wrong_one_is_refused(httpd):
    assert get(httpd, "/open/x").status == 200
    assert call(httpd, "open", TOKEN, OURS.proof(TOKEN, f"{US}/open/x")).status == 200
    httpd.refusal("unproven-binding", 1)
    httpd.refusal("malformed-proof", 1)
    assert get(httpd, "/open/x", bearer(TOKEN)).status == 401
    assert get(httpd, "/open/x", {"Authorization": f"DPoP {TOKEN}"}).status == 401


def test_a_redirect_within_is_the_same_request(httpd):
    """The error document is proven by the same proof, for the URL that the client called."""
    httpd.backend.reset()
    assert call(httpd, "gone", TOKEN, OURS.proof(TOKEN, f"{US}/gone/x")).status == 200
    assert httpd.backend.requests[-1].path == "/only/missing"


def test_htaccess_uses_a_rule_with_proofs(httpd):
    proof = OURS.proof(TOKEN, f"{US}/private/x")
    httpd.refusal("proof-replayed", 1)
    assert call(httpd, "private", TOKEN, proof).body == b"here"
    assert call(httpd, "private", TOKEN, proof).status == 401


def test_neither_token_nor_proof_is_logged(httpd):
    proof = OURS.proof(TOKEN, f"{US}/both/x", jti="an-id-that-nobody-logs")
    assert call(httpd, "both", TOKEN, proof).status == 200
    said = httpd.error_log.read_text() + (httpd.root / "logs" / "access_log").read_text()
    assert proof not in said and proof.split(".")[1] not in said and "an-id-that-nobody-logs" not in said


def test_a_used_proof_is_remembered_over_a_graceful_restart(httpd):
    proof = OURS.proof(TOKEN, f"{US}/both/x")
    nonce = call(httpd, "nonce", TOKEN, OURS.proof(TOKEN, f"{US}/nonce/x")).get("DPoP-Nonce")
    httpd.refusal("proof-replayed", 1)
    httpd.refusal("nonce-required", 1)
    assert call(httpd, "both", TOKEN, proof).status == 200
    httpd.graceful()
    assert call(httpd, "both", TOKEN, proof).status == 401
    assert call(httpd, "nonce", TOKEN, OURS.proof(TOKEN, f"{US}/nonce/x", nonce=nonce)).status == 200


NOW = 1767225600
LONG_AGO = OURS.token(iat=NOW)


def test_nonces_pass_and_a_proof_is_forgotten_when_it_is_over():
    """A nonce is good for two spans, of which the second brings the next one along."""
    with Clock(NOW) as clock:
        server = Server(in_location(f"{ONLY} dpop-nonce=on", "/nonce/"), environment=clock.environment)
        server.secret("shared", SECRET)
        server.write("nonce/x", "here")
        with server:
            def ask(now, nonce=None):
                clock.stop_at(now)
                return call(server, "nonce", LONG_AGO, OURS.proof(LONG_AGO, f"{US}/nonce/x", iat=now, nonce=nonce))
            server.refusal("nonce-required", 2)
            nonce = ask(NOW).get("DPoP-Nonce")
            assert (ask(NOW + 119, nonce).status, ask(NOW + 119, nonce).get("DPoP-Nonce")) == (200, None)
            later = ask(NOW + 120, nonce)
            assert later.status == 200 and later.get("DPoP-Nonce") not in (None, nonce)
            assert later.get("Cache-Control") == "no-store"
            assert ask(NOW + 239, nonce).status == 200 and ask(NOW + 240, nonce).status == 401
            assert ask(NOW + 240, later.get("DPoP-Nonce")).status == 200


def test_a_full_memory_takes_no_proof():
    """4 KiB are two rows of 64: the 129th proof, at the latest, finds no room. Time makes room."""
    with Clock(NOW) as clock:
        server = Server("AuthVerifyReplay shm:4k\n" + in_location(ONLY), environment=clock.environment)
        server.secret("shared", SECRET)
        server.write("x", "here")
        with server:
            server.refusal("replay-memory-full")
            answers = []
            while len(answers) < 129 and 503 not in answers:
                first = OURS.proof(LONG_AGO, f"{US}/x", iat=NOW)
                response = get(server, "/x", shown(LONG_AGO, first))
                answers.append(response.status)
            assert set(answers) == {200, 503} and len(answers) > 64 and response.get("Retry-After")
            clock.stop_at(NOW + 62)
            assert get(server, "/x", shown(LONG_AGO, OURS.proof(LONG_AGO, f"{US}/x", iat=NOW + 62))).status == 200


MISTAKES = {
    "dpop=on": "dpop=",
    "dpop-tolerance=60": "are about dpop=optional and dpop=required",
    "dpop-nonce=on": "are about dpop=optional and dpop=required",
    "dpop-algorithms=ES256": "are about dpop=optional and dpop=required",
    "dpop=optional dpop-algorithms=HS256": "whose key would have to stand in the proof",
    "dpop=optional dpop-algorithms=ES256,none": '"none" is none of',
    "dpop=optional dpop-tolerance=3601": "an hour at most",
    "dpop=optional dpop-tolerance=60:3601": "an hour at most",
    "dpop=optional dpop-tolerance=x": "must be seconds",
    "dpop=optional dpop-nonce=1": "dpop-nonce=",
    "dpop=optional in=query:token": "dpop= is about Authorization",
    "dpop=optional prefix=Bearer,dpop": "takes no DPoP",
    "prefix=DPoP": "takes no DPoP",
    "resource-metadata=http://api.example/": "begins with https://",
    "resource-metadata=https://api.example/#x": "no fragment",
}


@pytest.fixture(scope="module")
def unstarted():
    server = Server("")
    server.secret("shared", SECRET)
    server.secret("key", "a-key-that-is-long-enough")
    yield server
    server.close()


@pytest.mark.parametrize("options", MISTAKES)
def test_a_mistake_is_told(unstarted, options):
    where = put(unstarted, f'<Location "/">\n> {RULE} {options}\n</Location>')
    status, said = unstarted.configtest()
    assert status and where in said and MISTAKES[options] in said, said


@pytest.mark.parametrize("line, sentence", [
    ("AuthVerify api-key in=header:X-Key secret=file:conf/key resource-metadata=https://api.example/",
     "resource-metadata= is for rules that take tokens"),
    ("AuthVerifyReplay redis://127.0.0.1", "must be shm, or shm:SIZE"),
    ("AuthVerifyReplay shm:4095", "4k at least"),
    ("AuthVerifyReplay shm:", "must be a number of bytes"),
])
def test_other_mistakes_are_told(unstarted, line, sentence):
    config = f"{line}\n" if line.startswith("AuthVerifyReplay") else in_location(line)
    status, said = unstarted.configtest(config)
    assert status and sentence in said, said


def test_what_is_right_is_taken(unstarted):
    config = in_location(f"{RULE} dpop=off") + in_location(f"{ONLY} prefix=EN,none in=header,query:t", "/a")
    config += in_location("AuthVerify bearer secret=file:conf/key resource-metadata=https://api.example/x", "/b")
    status, said = unstarted.configtest("AuthVerifyReplay shm\n" + config)
    assert not status, said
