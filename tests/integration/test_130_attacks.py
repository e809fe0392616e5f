"""Hostile bodies, signatures, times, empty values, calls as of AWS: every verdict that must hold does, in every MPM.

SPDX-License-Identifier: Apache-2.0
"""
import threading
import time
from dataclasses import replace

import pytest

import http2
from attacks import (CLASSES, Places, RULES, custom_proof, expected_proofs, final_status, judge, load_attacks, secrets,
                     send)
from aws4_signer import Signer
from backends import RecordingBackend
from client import head
from clock import Clock, HTTP2_WAITS, shared_folder
from server import Server, wait_until

SHARED = shared_folder()
ATTACKS, FIXTURES = load_attacks(SHARED) if SHARED else ([], {})
BY_ID = {attack.id: attack for attack in ATTACKS}

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")

NOW = FIXTURES.get("now", 0)
MODULES = ["proxy", "proxy_http", "deflate", "filter", "reqtimeout"]

# The client stops sending before the announced end: it has to close its half, or nothing but a timeout tells.
CUT_OFF = {"BD-002"}

# One byte a second, fifteen of them: a test of its own, which sends to all MPMs at once.
SLOW = {"BD-012"}

# Tests of their own: a recipe, and a path that S3 reads in another way than the row.
APART = {"V4-101", "V4-048"}

# Rows that leave the choice to us: what we chose, and why.
CHOICES = {
    "SM-077": (200, "blanks around a field are the one freedom that a field list has"),
    "EV-023": (200, "a request without a body has an empty body, and that is signed like any other"),
    "V4-006": (200, "its rule says unsigned-payload=on"),
    "V4-049": (404, "httpd's own: AllowEncodedSlashes is off"),
    "BD-016": (200, "what follows the announced end is not of this request, and the connection ends with it"),
}

# Configurations that httpd must not start with: what stands after "AuthVerify", and the directive's line in the error.
BROKEN = {
    "EV-001": "github secret=",
    "EV-002": "github secret=file:${ROOT}/conf/empty",
    "EV-004": "github secret=${UNSET}",
    "EV-005": "github secret=file:${UNSET}",
    "EV-010": "On",
}

# Cases of the classes that ask for what this server cannot yet be told to do.
EXCUSED = {
    "for S3 the encoded letter is the letter, and signed as such; the backend gets the letter":
        ["V4-048"],
    "judged by test_131_header_attacks":
        ["BD-009", "EV-007", "LG-005", "LG-009", "LG-020", "LG-021", "LG-022", "LG-023", "LG-025", "LG-026", "LG-029",
         "LG-030", "LK-002", "LK-003", "LK-004", "LK-005", "LK-006"],
}

# The rows that HTTP/2 has no bytes for, by what http2.translate says of them.
NOT_IN_HTTP2 = {
    "a body has no other framing than DATA": ["BD-005"],
    "what follows a head is its body, announced or not": ["BD-017"],
}

# Where the choice is another over HTTP/2.
CHOICES_IN_HTTP2 = {
    "BD-016": (400, "a body of another length than announced makes a stream malformed"),
}

# What another test asks over HTTP/2.
ELSEWHERE_IN_HTTP2 = {
    "mod_reqtimeout sees no streams; the rule's own timeout does: test_410_refusals": ["BD-012"],
}

SIGNED = [attack for attack in ATTACKS if attack.hint in RULES]
PLAIN = [attack for attack in SIGNED if attack.id not in SLOW | APART]

# A signature in parameters of other names than AWS gives them is not known for one: httpd logs the URL.
WHERE_NO_RULE_LOOKS = ["V4-083"]

# What httpd says at this LogLevel that is no fault: a child that crashes is not among it.
TALK = [r"\[\w+:(?:info|debug|trace\d)\]", r"refused reason="]

# (id, transport) that were judged in this run; the guard at the end reads it.
judged = set()


class Running:
    """Two servers of one MPM, one with its clock stopped, spoken to in one protocol, and what stands behind them."""

    def __init__(self, transport, backend, places, stopped, ticking):
        self.transport = transport
        self.is_http2 = transport.endswith("h2c")
        self.choices = CHOICES | CHOICES_IN_HTTP2 if self.is_http2 else CHOICES
        self.backend = backend
        self.places = places
        self.stopped = stopped
        self.ticking = ticking

    def send(self, attack):
        self.backend.reset()
        places = self.places["stopped" if attack.clock else "ticking"]
        port = places.port(attack)
        answer = http2.send(port, attack) if self.is_http2 else send(port, attack, attack.id in CUT_OFF)
        wait_until(lambda: all(received.complete for received in self.backend.requests), 5, "the backend still reads")
        return answer


def make_server(transport, backend, places, environment=None):
    mpm, _, protocol = transport.partition("-")
    server = Server("", mpm=mpm, modules=MODULES + (["http2"] if protocol else []), defines={"BACKEND": backend.port},
                    environment=environment, allow=TALK + ([HTTP2_WAITS] if protocol else []))
    server.configure("LogLevel debug authverify:trace8\n" + ("Protocols h2c http/1.1\n" if protocol else "")
                     + places.config(server))
    return server


@pytest.fixture(scope="module", params=http2.TRANSPORTS)
def running(request):
    more = "AuthVerifyHeader X-Remote-User %{client}\n"
    places = {name: Places(FIXTURES, more) for name in ("stopped", "ticking")}
    with RecordingBackend() as backend, Clock(NOW, SHARED / "tools" / "fakeclock.c") as clock:
        with make_server(request.param, backend, places["stopped"], clock.environment) as stopped, \
                make_server(request.param, backend, places["ticking"]) as ticking:
            yield Running(request.param, backend, places, stopped, ticking)


@pytest.mark.parametrize("attack", PLAIN, ids=[attack.id for attack in PLAIN])
def test_the_verdict_holds(running, attack):
    assert attack.clock in (None, NOW)
    if running.is_http2 and attack.id in http2.names(NOT_IN_HTTP2):
        return
    answer = running.send(attack)
    assert judge(attack, answer, running.backend.requests) == [], (attack.title, answer[:1000])
    if not attack.must_not_fail:
        status, why = running.choices[attack.id]
        assert final_status(answer) == status, why
    told = [text for text in secrets(FIXTURES) | expected_proofs(attack, FIXTURES) if text in answer]
    assert not told, f"{attack.title}: the answer tells {told}"
    judged.add((attack.id, running.transport))


def test_chunks_that_changed_places_with_their_signatures_are_refused(running):
    attack = BY_ID["V4-101"]
    signer = Signer(FIXTURES["AKID"], FIXTURES["ASECRET"], region=FIXTURES["REGION"])
    data = [b"1" * 64, b"2" * 64, b"3" * 64]
    signed, chunks = signer.sign_stream("PUT", "/api/obj", {"Host": FIXTURES["host"]}, data, now=NOW)
    fields = {**signed.headers, "Content-Length": str(sum(map(len, chunks))), "Connection": "close"}
    begin = head("PUT", "/api/obj", fields, fields.pop("Host"))
    good = replace(attack, segments=((0, begin + b"".join(chunks)),))
    assert final_status(running.send(good)) == 200
    swapped = replace(attack, segments=((0, begin + chunks[1] + chunks[0] + b"".join(chunks[2:])),))
    assert judge(attack, running.send(swapped), running.backend.requests) == []
    judged.add((attack.id, running.stopped.mpm))


def test_an_encoded_letter_is_the_letter_for_s3_and_the_backend_gets_what_was_signed(running):
    answer = running.send(BY_ID["V4-048"])
    assert final_status(answer) == 200
    assert [received.path for received in running.backend.requests] == ["/api/obj"]


def test_a_compressed_body_is_proven_as_sent_and_handed_on_inflated(running):
    attack = BY_ID["BD-013"]
    running.send(attack)
    assert [received.length for received in running.backend.requests] == [50]


@pytest.mark.parametrize("name", ["k1", "k2"])
@pytest.mark.parametrize("target", [b"/api/hook", b"/api/hook?admin=1"])
def test_what_the_custom_sender_signs_is_accepted(running, name, target):
    """Without this, the refusals of its rows would say nothing."""
    body, timestamp, nonce = b'{"event":"ping","n":1}', str(NOW).encode(), b"n-0000000000000001"
    proof = custom_proof(FIXTURES["CUSTOM"][name], b"POST", target, timestamp, nonce, body).hex()
    attack = replace(BY_ID["SM-111"], segments=((0, (
        b'POST %s HTTP/1.1\r\nHost: t.local\r\nX-Signature: keyid="%s",ts="%s",nonce="%s",sig="%s"\r\n'
        b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
        % (target, name.encode(), timestamp, nonce, proof.encode(), len(body), body))),))
    assert final_status(running.send(attack)) == 200
    assert [received.length for received in running.backend.requests] == [len(body)]


def test_no_log_holds_a_secret_or_a_proof_that_would_have_been_right(running):
    forbidden = secrets(FIXTURES).union(*(expected_proofs(attack, FIXTURES) for attack in PLAIN))
    elsewhere = [BY_ID[name].bytes.partition(b" HTTP/1.1\r\n")[0] for name in WHERE_NO_RULE_LOOKS]
    for server in (running.stopped, running.ticking):
        for log in (server.root / "logs").iterdir():
            lines = [line for line in log.read_bytes().splitlines() if not any(text in line for text in elsewhere)]
            text = b"\n".join(lines)
            assert [word for word in forbidden if word in text] == [], log.name
        assert b"refused reason=" in server.error_log.read_bytes()


def test_a_slow_body_frees_its_worker_in_time():
    attack = BY_ID["BD-012"]
    results = {}

    def run(mpm, port, backend):
        begun = time.monotonic()
        answer = send(port, attack)
        results[mpm] = (judge(attack, answer, backend.requests), time.monotonic() - begun)

    with RecordingBackend() as backend:
        servers, threads = [], []
        try:
            for mpm in http2.MPMS:
                places = Places(FIXTURES)
                servers.append(make_server(mpm, backend, places).start())
                threads.append(threading.Thread(target=run, args=(mpm, places.port(attack), backend)))
                threads[-1].start()
            for thread in threads:
                thread.join()
        finally:
            for server in servers:
                server.close()
    for mpm in http2.MPMS:
        wrong, seconds = results[mpm]
        assert (wrong, seconds <= 15) == ([], True), (mpm, wrong, seconds)
        judged.add((attack.id, mpm))


@pytest.mark.parametrize("name", BROKEN)
def test_httpd_does_not_start_with_an_empty_secret_or_no_scheme(name):
    server = Server(f'<Location "/api">\nAuthVerify {BROKEN[name]}\n</Location>\n')
    server.secret("empty", "")
    line = server.config_file.read_text().splitlines().index(f"AuthVerify {BROKEN[name]}") + 1
    status, output = server.configtest()
    assert status != 0, output
    assert f"line {line} of {server.config_file}" in output or f"{server.config_file}:{line}" in output, output
    judged.update((name, transport) for transport in http2.TRANSPORTS)
    server.close()


def test_require_authverify_without_a_rule_lets_nobody_in():
    attack = BY_ID["EV-011"]
    with RecordingBackend() as backend:
        server = Server('ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
                        '<Location "/api">\nRequire authverify\n</Location>\n',
                        modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port})
        with server:
            server.expect(r"AH01630: client denied by server configuration", 1)
            assert judge(attack, send(server.port, attack), backend.requests) == []
        judged.update((attack.id, transport) for transport in http2.TRANSPORTS)


# --- guards -----------------------------------------------------------------------------------------------------------

def test_every_choice_and_every_excuse_belongs_to_a_case():
    excused = [name for names in EXCUSED.values() for name in names]
    assert len(excused) == len(set(excused))
    assert not set(excused) - set(BY_ID)
    assert set(CHOICES) == {attack.id for attack in SIGNED if not attack.must_not_fail}


def test_every_case_that_must_not_fail_was_judged_or_is_excused():
    required = [attack for attack in ATTACKS if attack.must_not_fail]
    assert {attack.kind for attack in required} == set(CLASSES)
    excused = {name for names in EXCUSED.values() for name in names}
    elsewhere = NOT_IN_HTTP2 | ELSEWHERE_IN_HTTP2
    missing = [(attack.id, transport) for attack in required for transport in http2.transports(attack, elsewhere)
               if attack.id not in excused and (attack.id, transport) not in judged]
    assert not missing, missing


def test_what_is_not_said_in_http2_cannot_be_said_there():
    assert http2.not_expressible(PLAIN) == {reason: set(names) for reason, names in NOT_IN_HTTP2.items()}
