"""AuthVerifyThrottle: who has failed too often must wait, and nobody else.

The clock stands still, so that nothing is forgotten but where a test puts it forward; each test comes from networks of
its own. Tests that are called cx_... are recipes among the hostile requests that are kept beside the source tree.
SPDX-License-Identifier: Apache-2.0
"""
import calendar
import itertools
import re
import subprocess
import threading

import pytest

from client import Connection, basic, github, head
from clients import bcrypt, put_clients, sha256
from clock import HTTP2_WAITS, Clock
from configtest import in_location
from server import Server, wait_until
from verdict import TELL, reason_of

NOW = calendar.timegm((2026, 6, 1, 12, 0, 0))
SECRET = "the secret of the throttle tests"
TOKEN = "a-token-of-the-throttle-tests"

CLIENTS = f"""
alice {bcrypt("right")}
bob {bcrypt("bobs")}
old {sha256("old")} expires=2026-05-01
away {sha256("away")} from=192.0.2.0/24
robot {sha256(TOKEN)}
"""

BASIC = "AuthVerify basic clients=file:conf/clients\n"
THROTTLE = "AuthVerifyThrottle failures=4 network-failures=8 window=40\n"  # one is forgotten in 10 s, in 5 s

# A path for each.
SECTIONS = {
    "basic": BASIC + THROTTLE,
    "twin": BASIC + THROTTLE,
    "streams": BASIC + THROTTLE,
    "tenfold": BASIC + "AuthVerifyThrottle failures=2\n",
    "thirds": BASIC + "AuthVerifyThrottle failures=3 window=40\n",
    "wide": BASIC + "AuthVerifyThrottle failures=2 ipv4=24\n",
    "bearer": "AuthVerify bearer clients=file:conf/clients\n" + THROTTLE,
    "hook": "AuthVerify github secret=file:conf/github\n" + THROTTLE,
    "optional": BASIC + THROTTLE + "AuthVerifyMode optional\nRequire authverify\n",
    "also": "AuthVerify none from=127.0.0.0/8\nAuthVerifyAlso basic clients=file:conf/clients\n" + THROTTLE,
    "either": BASIC + "AuthVerify none from=127.0.0.0/8\n" + THROTTLE,
    "outer": BASIC + THROTTLE,
    "outer/inner": "AuthVerifyErrorBody empty\n",
    "outer/observed": "AuthVerifyMode observe\n",
    "outer/own": THROTTLE,
    "outer/open": "AuthVerifyThrottle off\n",
    "aws": "AuthVerify aws4 region=us-east-1 service=execute-api access-key=AKIDEXAMPLEAKIDEXAMP "
           "secret=file:conf/github\nAuthVerifyErrorBody aws\n" + THROTTLE,
    "html": BASIC + THROTTLE + "AuthVerifyErrorBody html\n",
    "shared": BASIC + "ErrorDocument 401 /shared/page/x\n" + THROTTLE,
    "shared/page": "AuthVerify basic clients=file:conf/clients\n",
}

# A folder whose index is under a rule, one that lists what is, and a page that includes it.
CONFIG = f"""
Protocols h2c http/1.1
RemoteIPHeader X-Forwarded-For
RemoteIPTrustedProxy 127.0.0.1
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
<Directory "${{ROOT}}/htdocs/folder">
    DirectoryIndex index.txt
</Directory>
<Directory "${{ROOT}}/htdocs/list">
    Options +Indexes +Includes
</Directory>
<FilesMatch "^(index|ruled)\\.txt$">
    {BASIC}
    {THROTTLE}
</FilesMatch>
"""

_hosts = itertools.count(1)


def fresh_network():
    """An address of 127.0.0.0/8, in a /24 where nobody was before."""
    number = next(_hosts)
    return f"127.{1 + number // 250}.{number % 250}.7"


def neighbour(network):
    return network.removesuffix(".7") + ".8"


def site(paths, mpm="event", modules=(), config="", **more):
    server = Server("", mpm=mpm, modules=["headers", *modules], **more)
    server.secret("github", SECRET)
    put_clients(server, "clients", CLIENTS)
    for path in paths:
        server.write(f"{path}/x", "hello")
    server.write("folder/index.txt", "index")
    server.write("list/ruled.txt", "listed")
    server.write("list/page.shtml", '<!--#include virtual="ruled.txt" -->')
    server.configure(TELL + config + "".join(in_location(text, f"/{path}") for path, text in paths.items()))
    return server


@pytest.fixture(scope="module")
def clock():
    with Clock(NOW) as stopped:
        yield stopped


@pytest.fixture(scope="module")
def running(clock):
    with site(SECTIONS, modules=["remoteip", "http2", "dir", "autoindex", "include", "mime"], config=CONFIG, environment=clock.environment) as server:
        yield server


@pytest.fixture
def httpd(running, clock):
    clock.stop_at(NOW)
    running.allow(r"refused reason=(wrong-secret|wrong-signature|unknown-client|throttled) ")
    return running


def ask(httpd, path, headers, network, method="GET", body=b""):
    """One request from that network."""
    with Connection(httpd.port, source=network) as connection:
        length = {"Content-Length": str(len(body))} if body else {}
        connection.send(head(method, f"/{path}/x", {"Connection": "close", **length, **headers}), body)
        return connection.final_response()


def login(httpd, path, user, password, network):
    return ask(httpd, path, basic(user, password), network)


def fail(httpd, path, network, count, user="alice"):
    """`count` wrong passwords, each refused for that."""
    for _ in range(count):
        assert login(httpd, path, user, "wrong", network).status == 401


def assert_throttled(answer, seconds):
    assert answer.status == 429 and reason_of(answer) == "throttled"
    assert answer.get("Retry-After") == str(seconds)
    assert answer.get("WWW-Authenticate") is None


# --- who must wait ----------------------------------------------------------------------------------------------------

def test_cx_009_a_name_is_throttled_in_its_network(httpd):
    network = fresh_network()
    fail(httpd, "basic", network, 4)
    assert_throttled(login(httpd, "basic", "alice", "wrong", network), 10)
    assert_throttled(login(httpd, "basic", "alice", "right", network), 10)
    assert login(httpd, "basic", "bob", "bobs", network).status == 200


def test_cx_008_nobody_else_must_wait(httpd):
    network = fresh_network()
    fail(httpd, "basic", network, 4)
    assert login(httpd, "basic", "alice", "right", fresh_network()).status == 200
    assert login(httpd, "basic", "alice", "right", neighbour(network)).status == 200


def test_a_network_is_throttled_whatever_its_names(httpd):
    network = fresh_network()
    for number in range(8):
        fail(httpd, "basic", network, 1, f"user-{number}")
    assert_throttled(login(httpd, "basic", "alice", "right", network), 5)
    assert login(httpd, "basic", "alice", "right", fresh_network()).status == 200


def test_a_network_has_ten_times_the_failures_of_a_name(httpd):
    network = fresh_network()
    for number in range(10):
        fail(httpd, "tenfold", network, 2, f"user-{number}")
    assert_throttled(login(httpd, "tenfold", "alice", "right", network), 3)


def test_a_network_may_be_wider(httpd):
    network = fresh_network()
    fail(httpd, "wide", network, 2)
    assert_throttled(login(httpd, "wide", "alice", "right", neighbour(network)), 30)
    assert login(httpd, "wide", "alice", "right", fresh_network()).status == 200


def test_what_names_nobody_counts_for_its_network(httpd):
    network = fresh_network()
    for number in range(8):
        assert ask(httpd, "bearer", {"Authorization": f"Bearer guess-{number}"}, network).status == 401
    assert_throttled(ask(httpd, "bearer", {"Authorization": f"Bearer {TOKEN}"}, network), 5)


def test_a_known_and_an_unknown_name_wait_alike(httpd):
    answers = []
    for user in ("alice", "nobody"):
        network = fresh_network()
        fail(httpd, "html", network, 4, user)
        answers.append(login(httpd, "html", user, "right", network))
        assert_throttled(answers[-1], 10)
    known, unknown = answers
    assert known.body == unknown.body and known.headers == unknown.headers


@pytest.mark.parametrize("written", ["ALICE", "alice ", " alice", "Alice"])
def test_cx_005_a_name_written_otherwise_is_the_same(httpd, written):
    network = fresh_network()
    fail(httpd, "basic", network, 2)
    fail(httpd, "basic", network, 2, written)
    assert_throttled(login(httpd, "basic", "alice", "right", network), 10)


def test_cx_007_a_success_forgives_nothing(httpd):
    network = fresh_network()
    for _ in range(4):
        fail(httpd, "basic", network, 1)
        assert login(httpd, "basic", "bob", "bobs", network).status == 200
    assert_throttled(login(httpd, "basic", "alice", "right", network), 10)


# --- how long ---------------------------------------------------------------------------------------------------------

def test_failures_are_forgotten_one_by_one(httpd, clock):
    network = fresh_network()
    fail(httpd, "basic", network, 4)
    clock.stop_at(NOW + 9)
    assert_throttled(login(httpd, "basic", "alice", "right", network), 1)
    clock.stop_at(NOW + 10)
    assert login(httpd, "basic", "alice", "right", network).status == 200
    fail(httpd, "basic", network, 1)
    assert_throttled(login(httpd, "basic", "alice", "right", network), 10)
    clock.stop_at(NOW + 50)
    fail(httpd, "basic", network, 4)
    assert_throttled(login(httpd, "basic", "alice", "right", network), 10)


def test_a_fraction_of_a_second_is_waited_for(httpd):
    network = fresh_network()
    fail(httpd, "thirds", network, 3)
    assert_throttled(login(httpd, "thirds", "alice", "right", network), 14)


def test_waiting_requests_make_it_no_longer(httpd, clock):
    network = fresh_network()
    fail(httpd, "basic", network, 4)
    for _ in range(20):
        assert_throttled(login(httpd, "basic", "alice", "wrong", network), 10)
    clock.stop_at(NOW + 10)
    assert login(httpd, "basic", "alice", "right", network).status == 200


def test_a_slow_sender_is_counted_when_he_has_failed(httpd, clock):
    network = fresh_network()
    senders = [Connection(httpd.port, source=network) for _ in range(8)]
    for sender in senders:
        fields = {"X-Hub-Signature-256": "sha256=" + 64 * "0", "Content-Length": "4", "Expect": "100-continue"}
        sender.send(head("POST", "/hook/x", fields))
        assert sender.response().status == 100  # its request has begun
    clock.stop_at(NOW + 40)
    for sender in senders:
        sender.send(b"body")
        assert sender.final_response().status == 401
        sender.close()
    assert_throttled(ask(httpd, "hook", github(SECRET, b"body"), network, "POST", b"body"), 5)


# --- what counts ------------------------------------------------------------------------------------------------------

UNCOUNTED = {
    "nothing": ({}, 401, "not-presented"),
    "malformed": ({"Authorization": "Basic ***"}, 401, "malformed-credential"),
    "an expired client": (basic("old", "old"), 403, "client-expired"),
    "a client from elsewhere": (basic("away", "away"), 403, "network-refused"),
    "a right password": (basic("bob", "bobs"), 200, "accepted"),
}


@pytest.mark.parametrize("name", UNCOUNTED)
def test_what_is_no_failed_proof_counts_nothing(httpd, name):
    headers, status, reason = UNCOUNTED[name]
    network = fresh_network()
    httpd.allow_refusals(reason)
    for _ in range(12):
        answer = ask(httpd, "basic", headers, network)
        assert (answer.status, reason_of(answer)) == (status, reason)
    assert login(httpd, "basic", "alice", "right", network).status == 200


def test_who_shows_nothing_is_not_told_to_wait(httpd):
    network = fresh_network()
    httpd.allow_refusals("not-presented")
    for number in range(8):
        fail(httpd, "basic", network, 1, f"user-{number}")
    assert ask(httpd, "basic", {}, network).status == 401


def test_a_rule_without_a_proof_asks_nobody_to_wait(httpd):
    network = fresh_network()
    for number in range(8):
        fail(httpd, "either", network, 1, f"user-{number}")
    assert ask(httpd, "either", {}, network).status == 200
    assert_throttled(login(httpd, "either", "alice", "right", network), 5)


def test_a_rule_that_must_hold_besides_counts(httpd):
    network = fresh_network()
    fail(httpd, "also", network, 4)
    assert_throttled(login(httpd, "also", "alice", "right", network), 10)


def test_an_optional_credential_counts(httpd):
    network = fresh_network()
    fail(httpd, "optional", network, 4)
    assert_throttled(login(httpd, "optional", "alice", "right", network), 10)


def test_observing_counts_nothing(httpd):
    network = fresh_network()
    httpd.expect("would-refuse reason=wrong-secret", 12)
    for _ in range(12):
        assert login(httpd, "outer/observed", "alice", "wrong", network).status == 200
    assert login(httpd, "outer", "alice", "right", network).status == 200


def test_who_observes_lets_nobody_wait(httpd):
    network = fresh_network()
    fail(httpd, "outer", network, 4)
    assert reason_of(login(httpd, "outer/observed", "alice", "right", network)) == "would-accept"


def test_streams_of_one_connection_count_each(httpd):
    httpd.allow(HTTP2_WAITS)
    command = ["nghttp", "--null-out", "--stat", "--timeout=30"]
    urls = [f"http://127.0.0.1:{httpd.port}/streams/x?{number}" for number in range(4)]
    for password, status in (("wrong", "401"), ("right", "429")):
        field = f"--header=authorization: {basic('alice', password)['Authorization']}"
        result = subprocess.run([*command, field, *urls], check=True, capture_output=True, text=True)
        assert re.findall(r" (\d{3}) +\d+ /streams/x\?\d$", result.stdout, re.M) == 4 * [status]


# --- one request, several sections ------------------------------------------------------------------------------------

def test_an_error_page_does_not_count_again(httpd):
    network = fresh_network()
    fail(httpd, "shared", network, 4)
    assert_throttled(login(httpd, "shared", "alice", "right", network), 10)


def get_path(httpd, path, password, network):
    with Connection(httpd.port, source=network) as connection:
        connection.send(head("GET", path, {"Connection": "close", **basic("alice", password)}))
        return connection.final_response()


def test_an_index_that_is_refused_counts_once(httpd):
    network = fresh_network()
    httpd.allow("lookup-refused reason=")
    for _ in range(4):
        assert get_path(httpd, "/folder/", "wrong", network).status == 401
    wait_until(lambda: get_path(httpd, "/folder/index.txt", "right", network).status == 429, 5, "it is not counted")
    answer = get_path(httpd, "/folder/", "right", network)
    assert answer.status == 429 and answer.get("Retry-After") == "10"


@pytest.mark.parametrize("path", ["/list/", "/list/page.shtml"])
def test_what_is_only_looked_up_counts_nothing(httpd, path):
    network = fresh_network()
    httpd.allow("lookup-refused reason=|unable to include")
    for _ in range(12):
        assert get_path(httpd, path, "wrong", network).status == 200
    assert get_path(httpd, "/list/ruled.txt", "right", network).status == 200


# --- where a line counts ----------------------------------------------------------------------------------------------

def test_sections_inside_count_together(httpd):
    network = fresh_network()
    fail(httpd, "outer", network, 2)
    fail(httpd, "outer/inner", network, 2)
    assert_throttled(login(httpd, "outer", "alice", "right", network), 10)
    assert_throttled(login(httpd, "outer/inner", "alice", "right", network), 10)


def test_a_line_of_its_own_counts_for_itself(httpd):
    network = fresh_network()
    fail(httpd, "outer", network, 4)
    fail(httpd, "outer/own", network, 4)
    assert_throttled(login(httpd, "outer/own", "alice", "right", network), 10)
    assert login(httpd, "twin", "alice", "right", network).status == 200


def test_off_is_off(httpd):
    network = fresh_network()
    fail(httpd, "outer", network, 4)
    fail(httpd, "outer/open", network, 12)
    assert login(httpd, "outer/open", "alice", "right", network).status == 200


# --- before anything costs --------------------------------------------------------------------------------------------

def test_the_body_is_not_asked_for(httpd):
    network = fresh_network()
    for _ in range(8):
        assert ask(httpd, "hook", github("wrong", b"body"), network, "POST", b"body").status == 401
    with Connection(httpd.port, source=network) as connection:
        connection.send(head("POST", "/hook/x", {**github(SECRET, b"body"), "Content-Length": "4",
                                                 "Expect": "100-continue"}))
        assert_throttled(connection.response(), 5)


# --- what it looks like -----------------------------------------------------------------------------------------------

def test_the_answer_says_when_to_come_back(httpd):
    network = fresh_network()
    fail(httpd, "basic", network, 4)
    answer = login(httpd, "basic", "alice", "right", network)
    assert answer.get("Content-Type") == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Too Many Requests", "status": 429,
                             "detail": "There were too many attempts. Come back later."}
    httpd.expect(r"\[authverify:warn\] .*\[client 127[.\d:]+\] refused reason=throttled rule=basic client=- id=-: ", 1)
    wait_until(lambda: '- 429 "GET /basic/x HTTP/1.1" rule=basic reason=throttled'
               in (httpd.root / "logs" / "access_log").read_text(), 5, "the access log does not say why")


def test_aws_says_slow_down(httpd):
    network = fresh_network()
    fields = {"X-Amz-Date": "20260601T120000Z", "Authorization":
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEAKIDEXAMP/20260601/us-east-1/execute-api/aws4_request, "
              "SignedHeaders=host;x-amz-date, Signature=" + 64 * "0"}
    for _ in range(4):
        assert ask(httpd, "aws", fields, network).status == 403
    answer = ask(httpd, "aws", fields, network)
    assert answer.status == 503 and b"<Code>SlowDown</Code>" in answer.body and answer.get("Retry-After") == "10"


# --- behind a proxy, and IPv6 -----------------------------------------------------------------------------------------

def from_behind(httpd, address, password, user="alice"):
    return ask(httpd, "basic", {**basic(user, password), "X-Forwarded-For": address}, "127.0.0.1")


@pytest.mark.parametrize("first, same, other", [
    ("198.51.100.1", "198.51.100.1", "198.51.100.2"),
    ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:2::1"),
])
def test_the_address_is_the_one_that_mod_remoteip_vouches_for(httpd, first, same, other):
    for _ in range(4):
        assert from_behind(httpd, first, "wrong").status == 401
    assert_throttled(from_behind(httpd, same, "right"), 10)
    assert from_behind(httpd, other, "right").status == 200


def test_an_address_that_nobody_vouches_for_is_none(httpd):
    network = fresh_network()
    for number in range(4):
        fields = {**basic("alice", "wrong"), "X-Forwarded-For": f"203.0.113.{number}"}
        assert ask(httpd, "basic", fields, network).status == 401
    assert_throttled(login(httpd, "basic", "alice", "right", network), 10)


# --- processes and restarts -------------------------------------------------------------------------------------------

ONE = {"basic": SECTIONS["basic"]}


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_all_processes_count_together_over_a_restart(clock, mpm):
    clock.stop_at(NOW)
    with site(ONE, mpm, environment=clock.environment) as server:
        server.allow_refusals("wrong-secret", "throttled")
        network = fresh_network()
        held = [Connection(server.port, source=network) for _ in range(3)]  # each keeps a child of prefork busy
        for connection in held:
            connection.send(head("GET", "/basic/x", basic("alice", "wrong")))
            assert connection.final_response().status == 401
        fail(server, "basic", network, 1)
        assert_throttled(login(server, "basic", "alice", "right", network), 10)
        for connection in held:
            connection.close()
        server.graceful()
        assert_throttled(login(server, "basic", "alice", "right", network), 10)


def test_a_restart_with_more_lines_begins_anew(clock):
    clock.stop_at(NOW)
    with site(ONE, environment=clock.environment) as server:
        server.allow_refusals("wrong-secret", "throttled")
        network = fresh_network()
        fail(server, "basic", network, 4)
        server.configure(TELL + in_location(SECTIONS["basic"], "/basic") + in_location(SECTIONS["twin"], "/twin"))
        server.graceful()
        # children of before may answer for a moment
        wait_until(lambda: login(server, "basic", "alice", "right", network).status == 200, 5, "nothing is forgotten")
        fail(server, "basic", network, 4)
        assert_throttled(login(server, "basic", "alice", "right", network), 10)


def test_threads_do_not_lose_count(httpd):
    network = fresh_network()
    statuses = []

    def run():
        statuses.append(login(httpd, "basic", "alice", "wrong", network).status)
    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {401, 429} and statuses.count(401) >= 4
    assert login(httpd, "basic", "alice", "right", network).status == 429
