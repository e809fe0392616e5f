"""Hostile credentials in headers and queries, addresses, methods, paths and framing: the verdicts hold, in every MPM.

SPDX-License-Identifier: Apache-2.0
"""
import re
from pathlib import Path

import pytest

import http2
from attacks import final_status, load_attacks, send
from backends import RecordingBackend
from client import get
from clients import put_clients, sha256
from clock import shared_folder
from configtest import in_location
from header_attacks import BODY_ROWS, CLASSES, HOSTS, MODULES, PAIR, Hosts, judge, secrets
from server import Server, session_members, wait_until

SHARED = shared_folder()
ALL, FIXTURES = load_attacks(SHARED, (*CLASSES, "body")) if SHARED else ([], {})

# The classes of test_130 are judged there where the rule is a signature.
OF_SIGNATURES = {"body", "log_leak", "empty_values"}
ATTACKS = [attack for attack in ALL if attack.id in BODY_ROWS or attack.kind != "body"
           and not (attack.kind in OF_SIGNATURES and attack.hint.startswith("hmac"))]
BY_ID = {attack.id: attack for attack in ATTACKS}

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")


# Rows that leave the choice to us: what we chose, and why.
CHOICES = {
    "HS-016": (200, "blanks around a value belong to the line, not to the value"),
    "HS-022": (400, "httpd's own: HttpProtocolOptions Strict"),
    "HS-034": (400, "httpd's own"),
    "BB-021": (401, "base64 has one way to write a text, and that one is padded"),
    "AK-043": (200, "any number of parameters that a request line holds"),
    "MT-020": (405, "TRACE is never answered under a rule"),
    "MT-022": (200, "a preflight passes where AuthVerifyPreflight says so"),
    "MT-025": (401, "a preflight has no body; what has one is proven as any request"),
    "MT-034": (200, "the URL's host counts and not Host, as for httpd; the rule is this virtual host's"),
    "MT-041": (200, "httpd without mod_http2 takes no upgrade"),
    "PA-054": (200, "the administrator exempted every URL that ends in /health"),
    "IP-007": (403, "mod_remoteip does not take the value, and the proxy's own address is not in from="),
    "IP-015": (200, "mod_remoteip takes the list, and the last address is in from="),
    "BD-011": (417, "httpd's own"),
}

# Rows whose verdict is not ours to reach, or is another test's, or that ask for what is not there yet.
EXCUSED = {
    "no status page yet": ["LK-006"],
    "there is no list of networks to refuse": ["IP-038", "IP-039"],
    "httpd 2.4 listens on no socket of the file system": ["IP-040"],
    "test_160_networks": ["IP-032", "IP-033", "IP-035", "IP-036", "IP-041"],
    "test_133_config_attacks": ["IP-050", "IP-053", "IP-055", "IP-057", "IP-058", "IP-061", "IP-062"],
    "test_130_attacks": ["EV-010", "EV-011"],
    "every kind of handler: test_330_handover and test_400_bodies": ["AI-036"],
    "mod_remoteip reads 012 as octal, and vouches for 10.1.2.3 because the peer is a proxy it is told to believe":
        ["IP-010"],
    "mod_remoteip keeps the proxy's own address, 127.0.0.1, which from=127/8 takes: the header changed nothing":
        ["IP-011", "IP-013"],
    "the bytes are those of BB-001, which has to be accepted": ["BB-012"],
    "the page is answered, and its part is not included: what reaches the backend is nothing": ["AI-011", "AI-012"],
    "mod_log_forensic and mod_dumpio write what comes in; the manual says so": ["LG-030"],
    "what is spooled: test_400_bodies": ["LK-004"],
    "httpd's own pools hold what came in until they are used again": ["LK-005"],
}
EXCUSED_IDS = {name for names in EXCUSED.values() for name in names}

# The rows that HTTP/2 has no bytes for, by what http2.translate says of them.
NOT_IN_HTTP2 = {
    "there is no request line in it": ["MT-031", "MT-038", "SG-018"],
    "a head that does not end is no frame": ["HS-022"],
    "a field has no lines that could be folded": ["SG-015"],
    "what follows a head is its body, announced or not": ["SG-057"],
    "a body has no other framing than DATA": ["SG-002", "SG-006", "SG-008", "SG-013", "SG-034", "SG-035", "SG-036",
                                              "SG-037", "SG-039", "SG-041", "SG-042", "SG-044", "SG-045", "SG-050",
                                              "SG-051", "SG-052", "SG-053", "SG-054", "SG-056"],
}

# Where the choice is another over HTTP/2.
CHOICES_IN_HTTP2 = {
    "HS-034": (200, "LimitRequestFields is that of HTTP/1.1's reader"),
    "MT-041": (400, "a hop's own field makes a stream malformed"),
}

RAW = [attack for attack in ATTACKS if attack.hint in HOSTS and attack.is_raw and attack.id not in EXCUSED_IDS]

# A key in a place of the URL that no rule of that host reads is not known for one: httpd logs the URL.
WHERE_NO_RULE_LOOKS = ["AK-003", "AK-008", "AK-009", "AK-010", "AK-018", "AK-020", "AK-021", "AK-027", "AK-028",
                       "AS-033",
                       "MT-036"]

# What httpd says at this LogLevel that is no fault: a child that crashes is not among it.
TALK = [r"\[\w+:(?:info|debug|trace\d)\]", r"refused reason=", "mod_cache is loaded", "AH01093", "AH01095", "AH10244",
        "AH00687", r"\[include:error\].* unable to include", r"AH01276", r"\.htaccess: AuthVerify"]

# (id, transport) that were judged in this run; the guard at the end reads it.
judged = set()


class Running:
    """A server of one MPM, spoken to in one protocol, and what stands behind it."""

    def __init__(self, transport, server, hosts, backend):
        self.transport = transport
        self.is_http2 = transport.endswith("h2c")
        self.choices = CHOICES | CHOICES_IN_HTTP2 if self.is_http2 else CHOICES
        self.server = server
        self.hosts = hosts
        self.backend = backend

    def send(self, attack):
        self.backend.reset()
        answer = (http2.send if self.is_http2 else send)(self.hosts.port(attack), attack)
        wait_until(lambda: all(received.complete for received in self.backend.requests), 5, "the backend still reads")
        return answer


@pytest.fixture(scope="module", params=http2.TRANSPORTS)
def running(request):
    mpm, _, protocol = request.param.partition("-")
    more = ["http2"] if protocol else []
    with RecordingBackend() as backend:
        server = Server("", mpm=mpm, modules=MODULES + more, defines={"BACKEND": backend.port}, allow=TALK)
        hosts = Hosts(FIXTURES)
        server.configure("LogLevel debug authverify:trace8\nKeepAliveTimeout 1\n"
                         + ("Protocols h2c http/1.1\n" if protocol else "") + hosts.config(server))
        with server:
            yield Running(request.param, server, hosts, backend)


@pytest.mark.parametrize("attack", RAW, ids=[attack.id for attack in RAW])
def test_the_verdict_holds(running, attack):
    if running.is_http2 and attack.id in http2.names(NOT_IN_HTTP2):
        return
    answer = running.send(attack)
    assert judge(attack, answer, running.backend.requests, FIXTURES) == [], (attack.title, answer[:1000])
    if not attack.must_not_fail:
        status, why = running.choices[attack.id]
        assert final_status(answer) == status, why
    told = [text for text in secrets(FIXTURES) if text in answer]
    assert not told, f"{attack.title}: the answer tells {told}"
    judged.add((attack.id, running.transport))


@pytest.mark.parametrize("name", ["AI-011", "AI-012"])
def test_a_part_of_a_page_is_not_included_from_a_protected_place(running, name):
    answer = running.send(BY_ID[name])
    assert final_status(answer) == 200 and b"an error occurred" in answer
    assert b"the page" not in answer and running.backend.count == 0


@pytest.mark.parametrize("name", ["AI-017", "AI-018"])
def test_an_answer_under_a_rule_is_in_no_cache(running, name):
    proven = {"X-Auth-Token": FIXTURES["T1"], "X-Auth-Secret": FIXTURES["S1"], "Host": FIXTURES["host"]}
    port = running.hosts.port(BY_ID[name])
    place = type("Place", (), {"port": port})
    running.backend.answer_headers = {"Cache-Control": "max-age=600"}
    assert get(place, "/api/v1/cached", proven).status == 200
    answer = running.send(BY_ID[name])
    assert final_status(answer) == 401 and running.backend.count == 0


def test_no_log_holds_a_secret_or_a_line_that_an_attacker_began(running):
    elsewhere = [BY_ID[name].bytes.partition(b" HTTP/1.1\r\n")[0] for name in WHERE_NO_RULE_LOOKS]
    for log in (running.server.root / "logs").iterdir():
        text = log.read_bytes()
        lines = [line for line in text.splitlines() if not any(request in line for request in elsewhere)]
        assert [word for word in secrets(FIXTURES) if word in b"\n".join(lines)] == [], log.name
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text.decode("latin-1").encode("latin-1")), log.name
    lines = running.server.error_log.read_text().splitlines()
    assert [line for line in lines if not re.match(r"\[\w{3} \w{3} \d\d ", line)] == []
    assert any("refused reason=" in line for line in lines)


def test_no_process_shows_a_secret_to_others(running):
    forbidden = secrets(FIXTURES)
    for pid, _ in session_members(running.server.process.pid):
        for name in ("environ", "cmdline"):
            text = Path("/proc", str(pid), name).read_bytes()
            assert [word for word in forbidden if word in text] == []
    judged.add(("LK-002", running.transport))


def test_the_lists_are_in_memory_that_has_no_name(running):
    for pid, _ in session_members(running.server.process.pid):
        maps = Path("/proc", str(pid), "maps").read_text()
        assert [line for line in maps.splitlines() if "/dev/shm" in line or "/SYSV" in line] == []
    judged.add(("LK-003", running.transport))


@pytest.mark.parametrize("line", ["{token} {secret} user=a%0d%0aX-Evil:%201", "{token} {secret} user=a%0ab",
                                  "{token} {secret} org=a%7fb", "a%0db {secret}", "{token} {secret} scopes=a,b%0d"])
def test_a_name_that_would_become_a_second_header_is_no_name(line):
    server = Server("")
    put_clients(server, "pairs", line.format(token=FIXTURES["T1"], secret=sha256(FIXTURES["S1"])) + "\n")
    status, output = server.configtest(in_location(PAIR, "/api"))
    server.close()
    assert status != 0 and "line 1" in output, output
    judged.update(("IS-013", transport) for transport in http2.TRANSPORTS)


@pytest.mark.parametrize("text", ["", "# nobody\n", "\n\n"])
def test_a_list_of_nobody_is_no_list(text):
    server = Server("")
    put_clients(server, "pairs", text)
    status, output = server.configtest(in_location(PAIR, "/api"))
    assert status != 0 and "names no client" in output, output
    server.close()
    judged.update(("EV-007", transport) for transport in http2.TRANSPORTS)


def test_a_rule_for_some_methods_only_is_no_configuration():
    server = Server(f'<Location "/api">\n<Limit GET>\n{PAIR}\n</Limit>\n</Location>\n')
    put_clients(server, "pairs", f"{FIXTURES['T1']} {sha256(FIXTURES['S1'])}\n")
    status, output = server.configtest()
    assert status != 0 and "<Limit" in output, output
    server.close()


def test_a_cgi_program_sees_no_credential():
    server = Server("", modules=["cgid", "alias"])
    put_clients(server, "pairs", f"{FIXTURES['T1']} {sha256(FIXTURES['S1'])}\n")
    server.write("cgi/printenv", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n", 0o755)
    server.configure('ScriptAlias "/cgi-bin/" "${ROOT}/htdocs/cgi/"\n' + in_location(PAIR, "/cgi-bin"))
    with server:
        response = get(server, "/cgi-bin/printenv", {"X-Auth-Token": FIXTURES["T1"], "X-Auth-Secret": FIXTURES["S1"]})
        assert response.status == 200
        assert f"REMOTE_USER={FIXTURES['T1']}\n".encode() in response.body
        assert b"HTTP_X_AUTH" not in response.body and FIXTURES["S1"].encode() not in response.body
    judged.update(("LG-025", transport) for transport in http2.TRANSPORTS)


# --- guards -----------------------------------------------------------------------------------------------------------

def test_every_choice_and_every_excuse_belongs_to_a_case():
    excused = [name for names in EXCUSED.values() for name in names]
    assert len(excused) == len(set(excused))
    assert not set(excused) - set(BY_ID)
    assert set(CHOICES) == {attack.id for attack in RAW if not attack.must_not_fail}


def test_every_case_that_must_not_fail_was_judged_or_is_excused():
    required = [attack for attack in ATTACKS if attack.must_not_fail]
    assert {attack.kind for attack in required} >= set(CLASSES)
    missing = [(attack.id, transport) for attack in required for transport in http2.transports(attack, NOT_IN_HTTP2)
               if attack.id not in EXCUSED_IDS and (attack.id, transport) not in judged]
    assert not missing, missing


def test_what_is_not_said_in_http2_cannot_be_said_there():
    assert http2.not_expressible(RAW) == {reason: set(names) for reason, names in NOT_IN_HTTP2.items()}
