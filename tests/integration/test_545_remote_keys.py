"""Keys that an issuer publishes: fetched once for all, exchanged when they change, kept while nobody answers, and never
waited for by a request.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import signal
import threading
import time

import pytest

from client import get
from clock import Clock
from configtest import in_location
from issuer import Issuer
from server import LOG_SECONDS, Server, wait_until
from tokens import AUDIENCE, ISSUER, Key, bearer, claims

FIRST, SECOND, THIRD = Key("first"), Key("second"), Key("third")
RS = f"AuthVerify jwt algorithms=RS256 issuer={ISSUER} audience={AUDIENCE}"
METADATA = "/.well-known/oauth-authorization-server"
NOTICE = [r"authverify:notice.* AuthVerify: keys of \S+: \d+ are in force"]
TROUBLE = [r"authverify:(warn|error).* AuthVerify: keys of \S+: "]


def rule(issuer, path="/keys", more=""):
    kind = "metadata" if "well-known" in path else "jwks"
    return f"{RS} keys={kind}:{issuer.url}{path} keys-authorities={issuer.authorities} {more}"


def status(server, key, path="/api/x", **said):
    return get(server, path, bearer(key.sign(claims(**said)))).status


class Scene:
    """httpd, its issuer, and the clock of httpd."""

    def __init__(self, lines, mpm="event", allow=TROUBLE, prepare=None):
        self.now = int(time.time()) + 60  # the certificate that is made meanwhile holds by then
        self.clock = Clock(self.now)
        self.issuer = Issuer()
        if prepare:
            prepare(self.issuer)
        text = lines if isinstance(lines, str) else lines(self.issuer)
        self.server = Server(in_location(text, "/api/"), mpm=mpm, allow=NOTICE + list(allow),
                             environment=self.clock.environment)
        self.server.write("api/x", "here")

    def later(self, seconds):
        self.now += seconds
        self.clock.stop_at(self.now)

    def until(self, key, wanted):
        self.server.allow_refusals("unknown-key", "keys-unavailable")
        wait_until(lambda: self.answers(key) == wanted, 10, lambda: f"wanted {wanted}")

    def answers(self, key):
        try:
            return status(self.server, key)
        except ConnectionResetError:
            return None  # a child that was killed had taken the connection

    def __enter__(self):
        self.clock.__enter__()
        self.server.__enter__()
        return self

    def __exit__(self, *exception):
        self.server.__exit__(*exception)
        self.issuer.die()
        self.clock.__exit__(*exception)


def eventually(condition, seconds=10):
    wait_until(condition, seconds, lambda: "it did not come to that")


def published(*keys):
    return lambda issuer: issuer.publish(*keys)


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_token_is_proven_by_a_published_key(mpm):
    with Scene(rule, mpm, prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        assert scene.issuer.asked == {"/keys": 1}
        scene.server.refusal("unknown-key")
        assert status(scene.server, SECOND) == 401
        scene.server.refusal("wrong-signature")
        forged = Key("first")
        assert status(scene.server, forged) == 401


def test_keys_that_are_exchanged_count_within_a_minute():
    with Scene(rule, prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.publish(SECOND)
        scene.later(61)
        scene.until(SECOND, 200)
        scene.server.refusal("unknown-key")
        assert status(scene.server, FIRST) == 401
        assert scene.issuer.asked == {"/keys": 2}


def test_a_token_that_was_proven_goes_with_its_key():
    with Scene(rule, prepare=published(FIRST, SECOND)) as scene:
        scene.until(FIRST, 200)
        token = bearer(FIRST.sign(claims()))
        assert {get(scene.server, "/api/x", token).status for _ in range(3)} == {200}
        scene.issuer.publish(SECOND, THIRD)
        scene.later(61)
        scene.until(THIRD, 200)
        scene.server.refusal("unknown-key")
        assert get(scene.server, "/api/x", token).status == 401


def test_keys_are_asked_for_again_when_they_are_old():
    with Scene(lambda issuer: rule(issuer, more="keys-refresh=300"), prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.publish(FIRST, SECOND)
        scene.later(299)
        time.sleep(0.6)
        assert scene.issuer.asked == {"/keys": 1}
        scene.later(1)
        eventually(lambda: scene.issuer.asked == {"/keys": 2})
        scene.until(SECOND, 200)


def test_tokens_of_unknown_keys_make_one_question_a_minute_over_all_processes():
    with Scene(rule, "prefork", prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.server.allow_refusals("unknown-key")
        for _ in range(3):
            scene.later(61)
            threads = [threading.Thread(target=lambda: [status(scene.server, THIRD) for _ in range(10)])
                       for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            time.sleep(0.7)
        assert scene.issuer.asked == {"/keys": 4}


def test_keys_are_kept_while_nobody_answers_and_then_no_longer():
    with Scene(lambda issuer: rule(issuer, more="keys-refresh=300 keys-stale=1000"), prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.die()
        scene.later(900)
        time.sleep(0.6)
        assert status(scene.server, FIRST) == 200
        scene.server.expect(r"those from before stay in force for a while", 1)
        scene.later(101)
        scene.server.allow_refusals("keys-unavailable")
        refused = get(scene.server, "/api/x", bearer(FIRST.sign(claims())))
        assert (refused.status, refused.get("Retry-After")) == (503, "10")
        scene.issuer.rise()
        scene.later(60)
        scene.until(FIRST, 200)


def test_before_the_first_keys_nobody_is_let_in_or_waits():
    def stalls(issuer):
        issuer.publish(FIRST)
        issuer.stall = 4

    with Scene(rule, prepare=stalls) as scene:
        scene.server.refusal("keys-unavailable")
        began = time.monotonic()
        assert status(scene.server, FIRST) == 503
        assert time.monotonic() - began < 3
        scene.until(FIRST, 200)


LIES = {
    "not JSON": "keys? no",
    "no set": "{}",
    "nothing usable": json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}]}),
    "too large": json.dumps({"keys": [], "more": "x" * 300_000}),
    "an error": (500, "sorry", {}),
    "not there": (404, "", {}),
    "nothing": "",
    "a redirect": (302, "", {"Location": "/elsewhere"}),
    "cut short": (200, "{", {"Content-Length": "100"}),
}


@pytest.mark.parametrize("name", LIES)
def test_what_is_no_set_of_keys_replaces_none(name):
    with Scene(lambda issuer: rule(issuer, more="keys-refresh=60"), prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.publish(SECOND, path="/elsewhere")
        scene.issuer.documents["/keys"] = LIES[name]
        scene.later(61)
        scene.server.expect(r"those from before stay in force for a while", 1)
        eventually(lambda: scene.issuer.asked["/keys"] >= 2)
        eventually(lambda: "stay in force" in scene.server.error_log.read_text())
        assert status(scene.server, FIRST) == 200
        scene.server.refusal("unknown-key")
        assert status(scene.server, SECOND) == 401
        assert "/elsewhere" not in scene.issuer.asked


def test_a_certificate_of_nobody_is_not_believed():
    def unproven(issuer):
        return f"{RS} keys=jwks:{issuer.url}/keys"

    with Scene(unproven, prepare=published(FIRST)) as scene:
        scene.server.expect(r"authverify:error.*tokens are refused with 503 until then")
        eventually(lambda: "503 until then" in scene.server.error_log.read_text())
        scene.server.refusal("keys-unavailable")
        assert status(scene.server, FIRST) == 503
        assert scene.issuer.asked == {}


def metadata(publisher, **more):
    publisher.publish(FIRST)
    publisher.documents[METADATA] = json.dumps({"issuer": ISSUER, "jwks_uri": f"{publisher.url}/keys", **more})


def test_metadata_leads_to_the_keys():
    with Scene(lambda issuer: rule(issuer, METADATA), prepare=metadata) as scene:
        scene.until(FIRST, 200)
        assert scene.issuer.asked == {METADATA: 1, "/keys": 1}


@pytest.mark.parametrize("more, sentence", [
    ({"issuer": "https://other.example/"}, "is not issuer="),
    ({"issuer": None}, "is not issuer="),
    ({"jwks_uri": "http://127.0.0.1/keys"}, "no .jwks_uri. that begins with https"),
    ({"jwks_uri": "file:///etc/passwd"}, "no .jwks_uri. that begins with https"),
    ({"jwks_uri": None}, "no .jwks_uri. that begins with https"),
])
def test_metadata_of_somebody_else_leads_nowhere(more, sentence):
    with Scene(lambda issuer: rule(issuer, METADATA), prepare=lambda issuer: metadata(issuer, **more)) as scene:
        scene.server.expect(sentence)
        eventually(lambda: "503 until then" in scene.server.error_log.read_text())
        scene.server.refusal("keys-unavailable")
        assert status(scene.server, FIRST) == 503
        assert "/keys" not in scene.issuer.asked


def test_keys_are_kept_over_a_graceful_restart():
    with Scene(rule, prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        scene.issuer.die()
        scene.server.graceful()
        for _ in range(20):
            assert status(scene.server, FIRST) == 200


def test_whoever_holds_the_watchdog_may_die():
    with Scene(lambda issuer: rule(issuer, more="keys-refresh=60"), "prefork", prepare=published(FIRST)) as scene:
        scene.until(FIRST, 200)
        for child in scene.server.children():
            os.kill(child, signal.SIGKILL)
        scene.issuer.publish(SECOND)
        scene.later(61)
        scene.until(SECOND, 200)


def test_two_rules_with_one_source_ask_once_and_other_algorithms_by_themselves():
    def lines(issuer):
        other = rule(issuer).replace("algorithms=RS256", "algorithms=RS512")
        return rule(issuer) + "\n</Location>\n" + in_location(rule(issuer), "/again/") + in_location(
            other, "/other/") + '<Location "/nothing/">'

    with Scene(lines, prepare=published(FIRST)) as scene:
        scene.server.write("again/x", "here")
        scene.until(FIRST, 200)
        assert status(scene.server, FIRST, "/again/x") == 200
        eventually(lambda: scene.issuer.asked == {"/keys": 2})
