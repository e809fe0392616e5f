"""What a refused client is told, and what the log keeps for the administrator.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import time

import pytest

from client import Connection, get, github, head, post, slack, stripe
from server import Server, wait_until

SECRET = "the secret of the answer tests"
RULE = "AuthVerify github secret=file:${ROOT}/conf/secret"
CONFIG = f"""
Header always set X-Always kept
Header set X-Only-On-Success yes
<Location "/problem">
    {RULE}
</Location>
<Location "/html">
    {RULE}
    AuthVerifyErrorBody html
</Location>
<Location "/empty">
    {RULE}
    AuthVerifyErrorBody empty
</Location>
<Location "/empty/document">
    ErrorDocument 401 "a text of the administrator"
</Location>
<Location "/named">
    AuthName "the hooks"
    {RULE}
</Location>
<Location "/realm">
    AuthName "the hooks"
    {RULE} "realm=its own"
</Location>
<Location "/several">
    {RULE}
    AuthVerify stripe secret=file:${{ROOT}}/conf/secret
    AuthVerify slack secret=file:${{ROOT}}/conf/secret
</Location>
<Location "/token">
    AuthVerify gitlab secret=file:${{ROOT}}/conf/secret
</Location>
<Location "/inner">
    AuthVerify off
</Location>
"""


@pytest.fixture(scope="module")
def server():
    started = Server(CONFIG, modules=["authn_core", "headers"])
    started.secret("secret", SECRET)
    started.write("inner/page", "content")
    with started:
        yield started


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_a_refusal_is_a_problem_document(server, method):
    server.refusal("not-presented", 1)
    with Connection(server.port) as connection:
        connection.send(head(method, "/problem", {"Content-Length": "0"}))
        answer = connection.response()
        assert get(server, "/inner/page", connection=connection).body == b"content"
    assert answer.get("Content-Type") == "application/problem+json"
    assert int(answer.get("Content-Length")) == len(answer.body)
    assert {"type": "about:blank", "title": "Unauthorized", "status": 401}.items() <= answer.json().items()


def test_the_other_bodies_are_what_httpd_writes_and_nothing(server):
    server.refusal("not-presented", 2)
    page = get(server, "/html")
    assert page.get("Content-Type").startswith("text/html") and b"<h1>Unauthorized</h1>" in page.body
    nothing = get(server, "/empty")
    assert (nothing.status, nothing.body, nothing.get("Content-Length")) == (401, b"", "0")


def test_the_administrators_document_and_headers_stay(server):
    server.refusal("not-presented", 2)
    document, problem = get(server, "/empty/document"), get(server, "/problem")
    assert (document.status, document.body) == (401, b"a text of the administrator")
    for answer in (document, problem):
        assert answer.get("X-Always") == "kept"
        assert answer.get("X-Only-On-Success") is None


@pytest.mark.parametrize("path,challenges", [
    ("/problem", ['AuthVerify realm="github"']), ("/named", ['AuthVerify realm="the hooks"']),
    ("/realm", ['AuthVerify realm="its own"']), ("/several", ['AuthVerify realm="github"'])])
def test_a_refusal_challenges_once_for_each_scheme(server, path, challenges):
    server.allow_refusals("not-presented", "wrong-signature")
    assert get(server, path).all("WWW-Authenticate") == challenges
    assert get(server, path, github("another secret")).all("WWW-Authenticate") == challenges


def told(answer):
    """All that the client learns."""
    return answer.status, answer.body, sorted((name, value) for name, value in answer.headers if name != "Date")


def test_the_client_learns_the_class_of_a_refusal_and_no_more(server):
    server.refusal("wrong-signature", 3)
    server.refusal("too-late", 1)
    server.refusal("too-early", 1)
    now = int(time.time())
    answers = [post(server, "/several", fields, b"x") for fields in (
        github("another secret", b"x"), stripe("another secret", b"x"), slack("another secret", b"x"),
        stripe(SECRET, b"x", now - 4000), slack(SECRET, b"x", now + 4000))]
    assert answers[0].status == 401
    assert len({repr(told(answer)) for answer in answers}) == 1
    text = repr(told(answers[0])).lower()
    for word in ("signature", "late", "early", "tolerance", "stripe", "slack"):
        assert word not in text


def test_a_token_that_is_wrong_tells_nothing_of_where(server):
    tokens = [SECRET[:-1] + "?", "?" + SECRET[1:], SECRET + "x", "x"]
    server.allow_refusals("wrong-secret", "wrong-signature")
    answers = [get(server, "/token", {"X-Gitlab-Token": token}) for token in tokens]
    assert answers[0].status == 401
    assert len({repr(told(answer)) for answer in answers}) == 1
    assert get(server, "/token", {"X-Gitlab-Token": SECRET}).status == 404


def test_an_answer_of_503_says_when_to_come_again(server):
    server.refusal("no-room", 1)
    server.expect("the body cannot be kept in ")
    server.allow("this user cannot write there")
    server.spool.rename(server.root / "spool-away")
    try:
        body = b"x" * 300000
        answer = post(server, "/problem", github(SECRET, body), body)
        assert (answer.status, answer.get("Retry-After").isdigit()) == (503, True)
        assert json.loads(answer.body)["status"] == 503
    finally:
        (server.root / "spool-away").rename(server.spool)


# --- the log ----------------------------------------------------------------------------------------------------------

def test_a_refusal_is_one_line_with_its_reason_its_rule_and_the_id(server):
    server.refusal("wrong-signature", 1)
    post(server, "/problem", {**github("another secret", b"x"), "X-GitHub-Delivery": "delivery-7"}, b"x")
    lines = wait_until(lambda: [line for line in server.new_lines() if "refused" in line], 5, "no line")
    assert re.search(r"\[authverify:warn\] .*\[client 127\.0\.0\.1:\d+\] "
                     r"refused reason=wrong-signature rule=github client=- id=delivery-7", lines[0])


@pytest.mark.parametrize("delivery",
                         ["tab\tinside", "x" * 3000, 'quote" and \\', "caf\u00e9", "a b rule=forged client=forged"],
                         ids=["tab", "long", "quote", "accent", "forged"])
def test_an_id_cannot_forge_or_flood_the_log(server, delivery):
    server.expect(r"refused reason=", 1)
    fields = {**github("another secret", b"x"), "X-GitHub-Delivery": delivery}
    with Connection(server.port) as connection:
        connection.send(head("POST", "/problem", {**fields, "Content-Length": "1"}).decode().encode("latin-1"), b"x")
        assert connection.response().status in (400, 401)
    line, = wait_until(lambda: [line for line in server.new_lines() if "refused reason=" in line], 5, "no line")
    assert len(line) < 1000
    assert all(" " <= character <= "~" for character in line)
    assert " client=forged" not in line


def in_log(server):
    return server.error_log.read_text().splitlines()


def test_at_the_usual_level_the_log_holds_what_is_wrong_and_not_what_is_missing():
    started = Server(CONFIG + "LogLevel authverify:warn\n", modules=["authn_core", "headers"])
    started.secret("secret", SECRET)
    with started:
        started.refusal("wrong-signature", 1)
        assert get(started, "/problem").status == 401
        assert get(started, "/problem", {"X-Hub-Signature-256": "nonsense"}).status == 401
        assert get(started, "/problem", github("another secret")).status == 401
        assert get(started, "/problem", github(SECRET)).status == 404
        wait_until(lambda: "wrong-signature" in started.error_log.read_text(), 5, "not logged")
        assert not [line for line in in_log(started) if re.search("not-presented|malformed|accepted", line)]


def test_a_flood_of_refusals_is_summed_up_once_a_second():
    started = Server(CONFIG + "LogLevel authverify:info\n", modules=["authn_core", "headers"])
    started.secret("secret", SECRET)
    refused = 200
    with started:
        started.refusal("wrong-signature")
        with Connection(started.port) as connection:
            for _ in range(refused):
                assert get(started, "/problem", github("another secret"), connection=connection).status == 401
        started.stop()
        lines = [line for line in in_log(started) if "refused reason=wrong-signature " in line]
        single = [line for line in lines if " rule=" in line]
        sums = [line for line in lines if " network=127.0.0.0/24 count=" in line]
        assert sums and len(single) < refused / 2
        assert len(single) + sum(int(re.search(r"count=(\d+)", line).group(1)) for line in sums) == refused


def test_no_log_at_any_level_holds_a_secret_or_a_right_proof():
    started = Server(CONFIG + "LogLevel authverify:trace8\n", modules=["authn_core", "headers"],
                     allow=[r"\[authverify:"])
    started.secret("secret", SECRET)
    proof = github(SECRET, b"signed")["X-Hub-Signature-256"].removeprefix("sha256=")
    with started:
        assert post(started, "/problem", github(SECRET, b"signed"), b"signed").status == 404
        assert post(started, "/problem", github("another secret", b"signed"), b"signed").status == 401
        assert post(started, "/problem", {"X-Hub-Signature-256": f"sha256={proof}0"}, b"signed").status == 401
        assert get(started, "/token", {"X-Gitlab-Token": SECRET}).status == 404
        assert get(started, "/token", {"X-Gitlab-Token": SECRET + "x"}).status == 401
        started.stop()
        logs = "".join(path.read_text() for path in (started.root / "logs").iterdir())
    assert "wrong-" in logs
    assert SECRET not in logs
    assert proof not in logs
