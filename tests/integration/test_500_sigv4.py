"""Every request that AWS's suites, real clients and forgers have made is judged as its signer says, at its second.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
from collections import Counter

import pytest

from aws4_signer import Signer, canonical_value
from backends import RecordingBackend
from clock import Clock, shared_folder
from server import Server, wait_until
from sigv4 import Places, exchange, load_cases, load_published, sha256
from verdict import TELL, reason_of

SHARED = shared_folder()
CASES = load_cases(SHARED) if SHARED else []

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")

MPMS = ["event"] + (["worker", "prefork"] if os.environ.get("AUTHVERIFY_LONG") == "1" else [])

BEHIND = TELL + 'ProxyAddHeaders off\nProxyPreserveHost on\nProxyPass "/" "http://127.0.0.1:${BACKEND}/" nocanon\n'

# What httpd itself ends before any module is asked: its status, for the cases and the kinds of mutants. All others
# reach the handler where there is no rule.
ENDED_BY_HTTPD = {
    "case/s3-path-nul": 404,
    "case/generic-path-nul": 404,
    "case/generic-above-root": 400,
    "mut/host-removed": 400,
    "mut/host-duplicated": 400,
    "mut/path-bad-escape": 400,
}

# What httpd and mod_proxy say of paths that they refuse or do not hand on as they are; and of the short secret of some.
TALK = [r"refused reason=", r"shorter than 16 bytes", r"AH10244: invalid URI path",
        r"AH01136: Unescaped URL path matched ProxyPass"]

# What AWS would say, by the makers of the cases: our reasons for it.
REASONS = {
    "AccessDenied": {"header-not-signed", "malformed-credential", "too-early", "too-late"},
    "AuthorizationHeaderMalformed": {"malformed-credential", "wrong-scope", "not-presented"},
    "AuthorizationQueryParametersError": {"malformed-credential", "ambiguous-credential", "wrong-scope",
                                          "header-not-signed"},
    "BadDigest": {"checksum-mismatch"},
    "IncompleteBody": {"malformed-chunks", "wrong-signature"},
    "InvalidAccessKeyId": {"unknown-client", "malformed-credential"},
    "InvalidArgument": {"ambiguous-credential", "malformed-credential", "not-presented"},
    "InvalidRequest": {"malformed-credential", "ambiguous-credential", "payload-not-signed", "malformed-chunks",
                       "wrong-session-token", "wrong-signature"},
    "InvalidToken": {"wrong-session-token", "header-not-signed", "wrong-signature"},
    "InvalidURI": {"malformed-credential"},
    "MalformedTrailerError": {"malformed-chunks"},
    "MissingContentLength": {"length-required"},
    "RequestTimeTooSkewed": {"too-early", "too-late"},
    "SignatureDoesNotMatch": {"wrong-signature"},
    "XAmzContentSHA256Mismatch": {"payload-mismatch"},
}
# The makers look at the signature first; we look at what is cheaper to look at.
IN_OTHER_FORM = re.compile(r"mut/(sig|sha256|stream|signed-header)-|case/stream-")
FORM_REASONS = {"wrong-signature", "malformed-credential", "malformed-chunks", "length-required",
                "ambiguous-credential"}

# Under AuthVerifyErrorBody aws: our words for what AWS would say in others, as we look at the form of things first, and
# never tell an unknown key.
OTHER_WORDS = {
    "AccessDenied": {"AuthorizationHeaderMalformed"},
    "AuthorizationHeaderMalformed": {"AccessDenied"},
    "AuthorizationQueryParametersError": {"AccessDenied"},
    "IncompleteBody": {"SignatureDoesNotMatch"},
    "InvalidAccessKeyId": {"SignatureDoesNotMatch", "AuthorizationHeaderMalformed",
                           "AuthorizationQueryParametersError"},
    "InvalidArgument": {"AccessDenied", "AuthorizationHeaderMalformed"},
    "InvalidRequest": {"AuthorizationHeaderMalformed", "AuthorizationQueryParametersError", "IncompleteBody",
                       "InvalidArgument", "InvalidToken", "SignatureDoesNotMatch"},
    "InvalidToken": {"AccessDenied", "SignatureDoesNotMatch"},
    "InvalidURI": {"AuthorizationHeaderMalformed"},
    "MalformedTrailerError": {"IncompleteBody"},
    "SignatureDoesNotMatch": {"AuthorizationHeaderMalformed", "AuthorizationQueryParametersError", "IncompleteBody",
                              "InvalidArgument", "MissingContentLength"},
}
STATUSES = {"MissingContentLength": 411, "AccessDenied": 403, "SignatureDoesNotMatch": 403, "RequestTimeTooSkewed": 403}

# At least so many cases of a kind there must be.
FEWEST = {"suite": 170, "captures": 240, "mutants": 2500, "cases": 110, "interop": 20, "constructed-streams": 6}


def ended_by_httpd(case):
    return ENDED_BY_HTTPD.get(case.id) or ENDED_BY_HTTPD.get("/".join(case.id.split("/")[:2]))


JUDGED = [case for case in CASES if not ended_by_httpd(case)]
ACCEPTED = [case for case in JUDGED if case.accept]
REFUSED = [case for case in JUDGED if not case.accept]


class Running:
    """httpd with a rule for each distinct configuration, its clock, and what stands behind it."""

    def __init__(self, server, clock, places, backend):
        self.server = server
        self.clock = clock
        self.places = places
        self.backend = backend
        self.reasons = Counter()

    def send(self, case):
        self.backend.reset()
        self.clock.stop_at(case.clock)
        return exchange(self.places.port(case), case)


def make(mpm, backend, clock, with_rules=True, more=""):
    places = Places(CASES)
    server = Server("", mpm=mpm, modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port},
                    environment=clock.environment, allow=TALK)
    server.configure("AuthVerifyBody limit=64m\n" + places.config(server, BEHIND + more, with_rules))
    return server, places


@pytest.fixture(scope="module", params=MPMS)
def running(request):
    with Clock(CASES[0].clock, SHARED / "tools" / "fakeclock.c") as clock, RecordingBackend() as backend:
        server, places = make(request.param, backend, clock)
        with server:
            yield Running(server, clock, places, backend)


def names(cases):
    return [case.id for case in cases]


def values(headers, name):
    return [value for key, value in headers if key.lower() == name]


def assert_handed_on(case, got):
    """The handler got exactly what was proven, and neither a credential nor the framing that only carried the proof."""
    assert got.complete and (got.method, got.sha256, got.length) == (case.method, sha256(case.body), len(case.body))
    path = re.sub("^http://[^/]*", "", case.target).partition("?")[0]
    assert got.path.partition("?")[0] == path or path.startswith("//")  # mod_proxy hands on only one of these slashes
    assert "X-Amz-Signature" not in got.path
    assert not values(got.headers, "authorization")
    if case.body:
        assert values(got.headers, "content-length") == [str(len(case.body))]
    assert not values(got.headers, "transfer-encoding")
    if case.is_stream:
        assert "aws-chunked" not in "".join(values(got.headers, "content-encoding"))


@pytest.mark.parametrize("case", ACCEPTED, ids=names(ACCEPTED))
def test_what_its_owner_signed_is_accepted(running, case):
    answer = running.send(case)
    assert reason_of(answer) == "accepted", (case.why, answer)
    assert answer.status in (200, 206)  # a part of the answer for who asked for one
    assert running.backend.count == 1
    assert_handed_on(case, running.backend.requests[0])


@pytest.mark.parametrize("case", REFUSED, ids=names(REFUSED))
def test_what_its_owner_did_not_sign_is_refused(running, case):
    answer = running.send(case)
    assert answer.status in (400, 401, 411) and running.backend.count == 0, (case.why, case.code, answer)
    assert answer.get("X-Test-Result") == "refused", answer
    reason = reason_of(answer)
    running.reasons[reason] += 1
    expected = REASONS[case.code]
    if case.code == "SignatureDoesNotMatch" and IN_OTHER_FORM.match(case.id):
        expected = FORM_REASONS
    assert reason in expected, (case.why, case.code, answer)


def test_each_refusal_has_one_line_with_its_reason(running):
    lines = Counter()

    def all_are_there():
        text = running.server.error_log.read_text(errors="replace")
        lines.clear()
        lines.update(re.findall(r"\brefused reason=([a-z-]+) ", text))
        return lines == running.reasons
    wait_until(all_are_there, 5, lambda: f"answered {running.reasons}, logged {lines}")
    assert sum(lines.values()) == len(REFUSED)


def test_without_a_rule_each_case_reaches_the_handler_or_is_ended_by_httpd():
    """So a refusal above is the rule's."""
    with Clock(CASES[0].clock) as clock, RecordingBackend() as backend:
        server, places = make("event", backend, clock, with_rules=False)
        with server:
            for case in CASES:
                backend.reset()
                answer = exchange(places.port(case), case)
                status = ended_by_httpd(case)
                assert answer.status in ((status,) if status else (200, 206)), case.id
                assert backend.count == (0 if status else 1), case.id


def test_what_httpd_ends_is_ended_under_a_rule_as_well(running):
    ended = [case for case in CASES if ended_by_httpd(case)]
    assert len([case for case in ended if case.accept]) == 3
    for case in ended:
        answer = running.send(case)
        assert (answer.status, running.backend.count) == (ended_by_httpd(case), 0), case.id


def test_aws_s_clients_are_told_in_the_words_of_aws():
    with Clock(CASES[0].clock) as clock, RecordingBackend() as backend:
        server, places = make("event", backend, clock, more="AuthVerifyErrorBody aws\n")
        with server:
            running = Running(server, clock, places, backend)
            answers = {case: running.send(case) for case in REFUSED if case.method != "HEAD"}
    same = 0
    for case, answer in answers.items():
        code = re.search(rb"^<Error><Code>(\w+)</Code>", answer.body, re.M)[1].decode()
        same += code == case.code
        assert code == case.code or code in OTHER_WORDS[case.code], (case.id, case.code, code)
        assert answer.status == STATUSES.get(code, 400), (case.id, answer)
    assert same > len(answers) / 2
    told = {kind: {answer.body for case, answer in answers.items() if case.id.startswith(f"mut/{kind}/")}
            for kind in ("cred-unknown-key", "server-secret-differs")}
    assert len(set.union(*told.values())) == 1, "an unknown key is told from a wrong secret"


@pytest.mark.parametrize("suite", ["v4", "botocore"])
def test_the_signer_of_these_tests_makes_what_is_published(suite):
    made = 0
    for record in load_published(SHARED, suite):
        options = record["options"]
        signer = Signer(record["access_key"], record["secret"], record["session_token"], record["region"],
                        record["service"], s3=False)
        *_, names, payload = record["expected_canonical_request"].split("\n")
        fields = {}
        for name, value in record["headers"]:
            fields.setdefault(name.lower(), []).append(canonical_value(value))
        fields = {name: ",".join(field) for name, field in fields.items()}
        if record["wire_valid_http1"] and record["path_mode"] == "double" and not options["token_after_signing"]:
            stages = signer.stages(record["method"], record["raw_target"], fields, names.split(";"), payload,
                                   record["verify_time"])
            assert stages == (record["expected_canonical_request"], record["expected_string_to_sign"],
                              record["expected_signature"]), record["name"]
            made += 1
    assert made >= 30


def test_the_cases_are_all_there():
    kinds = Counter(family if (family := case.family.partition("/")[0]) in FEWEST else "captures" for case in CASES)
    assert {kind: count for kind, count in FEWEST.items() if kinds[kind] < count} == {}, kinds
    assert len(CASES) == len({case.id for case in CASES}) and len(ACCEPTED) > 700 and len(REFUSED) > 2100
