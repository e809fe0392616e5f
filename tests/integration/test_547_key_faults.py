"""What can become of the keys that an issuer publishes, row by row of the cases: nothing of it lets anybody in, takes keys
away that were good, or stops httpd.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import gzip
import json
import os
import signal
import time
from types import SimpleNamespace

import pytest

from attacks import load_attacks
from client import get
from clock import shared_folder
from issuer import Issuer
from test_545_remote_keys import FIRST, RS, SECOND, Scene, eventually, published, rule, status
from tokens import Key, base64url, bearer, claims, hs256, text_of

SHARED = shared_folder()
KEPT = "those from before stay in force for a while"
HTML = "<!DOCTYPE html><title>Sorry</title><p>We are working on it."
rows = set()


def row(name):
    """The test judges that row of the cases."""
    def add(test):
        rows.add(name)
        return test
    return add


def often(issuer, more=""):
    return rule(issuer, more=f"keys-refresh=60 {more}")


def jwk(members, kid="second"):
    """A key as Key has it, of which only what is published is of interest."""
    return SimpleNamespace(jwk={"kid": kid, **members})


def replaced(scene, document):
    """FIRST is in force; then the issuer answers with `document`. Returns when that was seen to be worth nothing."""
    scene.until(FIRST, 200)
    scene.issuer.documents["/keys"] = document
    scene.later(61)
    scene.server.expect(KEPT, 1)
    eventually(lambda: KEPT in scene.server.error_log.read_text())
    assert status(scene.server, FIRST) == 200


@row("JK-001")
def test_httpd_starts_while_nobody_answers():
    """Every five seconds it tries again: neither at once nor ever later."""
    with Scene(rule, prepare=lambda issuer: issuer.die()) as scene:
        scene.server.expect(r"authverify:error.*tokens are refused with 503 until then")
        eventually(lambda: "503 until then" in scene.server.error_log.read_text())
        scene.server.refusal("keys-unavailable")
        assert status(scene.server, FIRST) == 503
        scene.issuer.publish(FIRST)
        scene.issuer.rise()
        time.sleep(0.7)  # httpd's clock stands still
        assert scene.issuer.asked == {}
        scene.later(5)
        scene.until(FIRST, 200)
        assert scene.issuer.asked == {"/keys": 1}


GARBAGE = {"a page": HTML, "nothing": "", "cut off": json.dumps({"keys": [FIRST.jwk]})[:-9],
           "noise in gzip's clothes": (200, gzip.compress(b"{}")[:12] + os.urandom(64), {"Content-Encoding": "gzip"})}


@row("JK-003")
@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_replaces_nothing(name):
    with Scene(often, prepare=published(FIRST)) as scene:
        replaced(scene, GARBAGE[name])


@row("JK-005")
@pytest.mark.parametrize("count, sentence", [(100_000, "larger than 256 KiB"), (257, "it holds more than 256 keys")])
def test_too_many_keys_are_none(count, sentence):
    many = json.dumps({"keys": [{"kty": "EC", "kid": str(i)} for i in range(count)]})
    with Scene(often, prepare=published(FIRST)) as scene:
        replaced(scene, many)
        assert sentence in scene.server.error_log.read_text()


@row("JK-006")
@pytest.mark.parametrize("text", ["[" * 10_000, '{"keys":' * 10_000, '{"keys":[' + "[" * 10_000 + "]" * 10_000 + "]}"])
def test_a_deep_document_is_none(text):
    with Scene(often, prepare=published(FIRST)) as scene:
        replaced(scene, text)


@row("JK-008")
def test_a_key_that_was_taken_out_is_refused_after_the_next_question():
    """At once, also a token that was proven before: keys-refresh= is how long that takes at most."""
    with Scene(often, prepare=published(FIRST, SECOND)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.publish(SECOND)
        scene.later(60)
        eventually(lambda: scene.issuer.asked == {"/keys": 2})
        scene.until(FIRST, 401)
        assert status(scene.server, SECOND) == 200


@row("JK-009")
def test_a_public_key_does_not_become_a_shared_secret():
    """Neither the issuer's own, nor the text of the public key that everybody knows."""
    with Scene(often, prepare=published(FIRST, SECOND)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.publish(jwk({"kty": "oct", "alg": "HS256", "k": base64url(FIRST.pem)}, "first"), SECOND)
        scene.later(61)
        scene.until(FIRST, 401)
        assert status(scene.server, SECOND) == 200
        scene.server.allow_refusals("algorithm-not-allowed")
        forged = hs256(claims(), {"alg": "HS256", "kid": "first"}, FIRST.pem)
        assert get(scene.server, "/api/x", bearer(forged)).status == 401


@row("JK-010")
def test_keys_of_one_name_are_tried_a_few_of_them():
    twins = [Key("twin") for _ in range(6)]
    with Scene(rule, prepare=published(*twins)) as scene:
        scene.until(twins[0], 200)
        assert [status(scene.server, key) for key in twins[1:4]] == [200] * 3
        for key in twins[4:]:
            scene.server.refusal("wrong-signature")
            assert status(scene.server, key) == 401


def number(value):
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


MODULUS = int.from_bytes(base64.urlsafe_b64decode(SECOND.jwk["n"] + "=="), "big")
UNFIT = {
    "RSA of 512 bits": ("RS256", {"kty": "RSA", "n": number((1 << 511) + 111), "e": "AQAB"}),
    "an exponent of one": ("RS256", {"kty": "RSA", "n": number(MODULUS), "e": "AQ"}),
    "an even modulus": ("RS256", {"kty": "RSA", "n": number(MODULUS + 1), "e": "AQAB"}),
    "a point beside its curve": ("ES256", {"kty": "EC", "crv": "P-256", "x": base64url(b"\1" * 32),
                                           "y": base64url(b"\2" * 32)}),
}


@row("JK-012")
@pytest.mark.parametrize("name", UNFIT)
def test_an_unfit_key_is_left_out(name):
    """The others of the set count."""
    algorithm, members = UNFIT[name]
    with Scene(lambda issuer: rule(issuer).replace("=RS256", f"=RS256,{algorithm}" if algorithm != "RS256" else "=RS256"),
               prepare=published(jwk(members), FIRST)) as scene:
        scene.server.expect(r"authverify:warn.* AuthVerify: keys of \S+: .*second", 1)
        scene.until(FIRST, 200)
        text = ".".join(base64url(text_of(part)) for part in ({"alg": algorithm, "kid": "second"}, claims()))
        size = 64 if algorithm == "ES256" else 256
        for signature in (b"\0" * (size - 1) + b"\1", b"\1" * size):
            assert get(scene.server, "/api/x", bearer(f"{text}.{base64url(signature)}")).status == 401


def certificates(issuer, name):
    """What the rule trusts, so that only what is wrong can refuse it."""
    return f"{RS} keys=jwks:https://{name}:{issuer.port}/keys keys-authorities={issuer.authorities} keys-refresh=60"


@row("JK-015")
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_certificate_of_another_name_is_not_believed(name):
    """The same one is, under the name that it is for."""
    with Scene(lambda issuer: certificates(issuer, name), prepare=published(FIRST)) as scene:
        if name == "127.0.0.1":
            scene.until(FIRST, 200)
            return
        scene.server.expect(r"authverify:error.*tokens are refused with 503 until then")
        eventually(lambda: "503 until then" in scene.server.error_log.read_text())
        scene.server.refusal("keys-unavailable")
        assert status(scene.server, FIRST) == 503


@row("JK-015")
def test_keys_are_kept_when_the_certificate_has_expired():
    with Scene(lambda issuer: often(issuer, "keys-stale=1000000"), prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.publish(SECOND)
        scene.later(3 * 86400)
        scene.server.expect(KEPT, 1)
        eventually(lambda: KEPT in scene.server.error_log.read_text())
        assert status(scene.server, FIRST) == 200
        scene.server.refusal("unknown-key")
        assert status(scene.server, SECOND) == 401


@row("JK-015")
def test_keys_are_kept_when_somebody_else_answers():
    """At the same address, with a certificate of his own."""
    with Scene(often, prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.die()
        with Issuer(port=scene.issuer.port) as other:
            other.publish(SECOND)
            scene.later(61)
            scene.server.expect(KEPT, 1)
            eventually(lambda: KEPT in scene.server.error_log.read_text())
            assert status(scene.server, FIRST) == 200
            assert other.asked == {}


@row("JK-016")
def test_an_error_page_that_says_200_replaces_nothing():
    with Scene(often, prepare=published(FIRST)) as scene:
        replaced(scene, (200, HTML, {"Content-Type": "text/html"}))


@row("JK-018")
def test_a_child_that_dies_in_the_middle_of_an_answer_leaves_the_keys_as_they_are():
    with Scene(often, "prefork", prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.publish(SECOND)
        scene.issuer.stall = 1
        scene.later(61)
        eventually(lambda: scene.issuer.asked["/keys"] == 2)
        for child in scene.server.children():
            os.kill(child, signal.SIGKILL)
        eventually(lambda: scene.answers(FIRST) == 200)
        scene.issuer.stall = 0
        scene.later(61)
        scene.until(SECOND, 200)


@pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")
def test_every_row_has_its_test():
    assert rows == {attack.id for attack in load_attacks(SHARED, ("jwks_fault",))[0]}
