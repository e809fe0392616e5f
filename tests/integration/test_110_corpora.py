"""Every delivery that the providers' verifiers have judged is judged alike, at the second for which it was made.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import os

import pytest

from backends import RecordingBackend
from clock import Clock, HTTP2_WAITS, shared_folder
from corpora import ANY_TIME, PRESETS, Places, load_cases, send_h2c, send_http1
from server import Server
from verdict import TELL, reason_of

SHARED = shared_folder()
CASES = load_cases(SHARED) if SHARED else []
PLAIN = [case for case in CASES if not case.edge]
EDGES = [case for case in CASES if case.edge]

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")

# Where careful verifiers may differ: what ours does, and why.
CHOICES = {
    "stripe-025": ("too-early", "tolerance= holds both ways: a time far ahead is as wrong as one long ago"),
    "stripe-036": ("malformed-credential", "a time is digits and nothing after them"),
    "stripe-037": ("malformed-credential", "one text for one time: no leading zero"),
    "stripe-038": ("malformed-credential", "t twice: what is signed and what is checked could be two different times"),
    "paddle-024": ("too-early", "tolerance= holds both ways"),
    "paddle-026": ("accepted", "Paddle's documentation sends one h1 for each secret while one is rotated"),
    "pagerduty-009": ("accepted", "PagerDuty's own library reads hex of either case"),
    "line-020": ("malformed-credential", "base64 is strict: one text for one signature"),
    "line-021": ("malformed-credential", "base64 is strict: padding belongs to it"),
    "line-023": ("malformed-credential", "base64 is strict: nothing after the padding"),
    "discord-022": ("wrong-signature", "RFC 8032 section 5.1.7: S is below the order of the group"),
    "standardwebhooks-038": ("malformed-credential", "a time is digits and nothing after them"),
    "svix-034": ("malformed-credential", "a time is digits and nothing after them"),
}

TRANSPORTS = ["event-h1"]
if os.environ.get("AUTHVERIFY_LONG") == "1":
    TRANSPORTS += ["worker-h1", "prefork-h1", "event-h2c"]

VIRTUAL_HOST = TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'


class Running:
    """httpd with a rule for each distinct set of secrets, its clock, and what stands behind it."""

    def __init__(self, transport, server, clock, places, backend, folder):
        self.transport = transport
        self.server = server
        self.clock = clock
        self.places = places
        self.backend = backend
        self.folder = folder

    def send(self, case):
        self.backend.reset()
        port = self.places.port(case)
        self.clock.stop_at(case.clock)
        return send_h2c(port, case, self.folder) if self.transport.endswith("h2c") else send_http1(port, case)


@pytest.fixture(scope="module", params=TRANSPORTS)
def running(request, tmp_path_factory):
    mpm, _, protocol = request.param.partition("-")
    modules = ["proxy", "proxy_http", "headers"] + (["http2"] if protocol == "h2c" else [])
    allow = [r"refused reason=", r"shorter than 16 bytes"] + ([HTTP2_WAITS] if protocol == "h2c" else [])
    places = Places(CASES)
    with Clock(ANY_TIME, SHARED / "tools" / "fakeclock.c") as clock, RecordingBackend() as backend:
        server = Server("", mpm=mpm, modules=modules, defines={"BACKEND": backend.port}, environment=clock.environment,
                        allow=allow)
        more = VIRTUAL_HOST + ("Protocols h2c http/1.1\n" if protocol == "h2c" else "")
        server.configure(places.config(server, more))
        with server:
            yield Running(request.param, server, clock, places, backend, tmp_path_factory.mktemp("body"))


@pytest.mark.parametrize("case", PLAIN, ids=[case.id for case in PLAIN])
def test_the_verdict_is_that_of_the_provider(running, case):
    response = running.send(case)
    if case.accept:
        assert response.status == 200, (case.note, response)
        assert [received.sha256 for received in running.backend.requests] == [hashlib.sha256(case.body).hexdigest()]
    else:
        assert response.status in (400, 401), (case.note, response)
        assert running.backend.count == 0


@pytest.mark.parametrize("case", EDGES, ids=[case.id for case in EDGES])
def test_the_verdict_is_the_one_chosen(running, case):
    assert case.id in CHOICES, f"nothing is written down for this case: {case.note}"
    reason, why = CHOICES[case.id]
    response = running.send(case)
    assert reason_of(response) == reason, (why, response)
    assert (response.status == 200) == (reason == "accepted")
    assert running.backend.count == (reason == "accepted")


def test_every_preset_with_cases_has_some_that_it_accepts_and_some_that_it_refuses():
    for preset in PRESETS.values():
        verdicts = {case.accept for case in CASES if case.preset == preset}
        assert verdicts == {True, False}, preset


def test_every_choice_belongs_to_a_case():
    assert not set(CHOICES) - {case.id for case in CASES if case.edge}
