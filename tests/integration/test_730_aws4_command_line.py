"""authverify sign and check for AWS signatures: what one makes, a live httpd proves; what differs, the other tells.

SPDX-License-Identifier: Apache-2.0
"""
import json
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from command_line import OK, REFUSED, USAGE, capture, run
from server import Server

KEY = "AKIDACMEREPORTS00001"
SECRET = "Zq8vN2xT5yLr0KcWb7HdEj3MfUaS9oGiP4nVtX1e"
TOKEN = "a session token of more than sixteen bytes"
API = ["aws4", "region=eu-central-1", "service=execute-api"]
S3 = ["aws4", "region=eu-central-1", "service=s3"]

CONFIG = f"""
ServerName 127.0.0.1
<Location "/api">
    AuthVerify {" ".join(API)} access-key={KEY} secret=file:conf/secret
</Location>
<Location "/box">
    AuthVerify {" ".join(S3)} access-key={KEY} secret=file:conf/secret
</Location>
<Location "/temporary">
    AuthVerify {" ".join(API)} access-key={KEY} secret=file:conf/secret session-token=file:conf/token
</Location>
"""


@pytest.fixture(scope="module")
def httpd():
    server = Server(CONFIG)
    server.secret("secret", SECRET)
    server.secret("token", TOKEN)
    for folder in ("api", "box", "temporary"):
        server.write(f"{folder}/page.html", "a page")
    server.url = f"http://127.0.0.1:{server.port}"
    with server:
        yield server


def path(server, name):
    return Path(server.root) / "conf" / name


def sign(server, rule, target, *words, **more):
    secret = f"file:{path(server, 'secret')}"
    return run("sign", *rule, "--client", KEY, "--secret", secret, "--url", f"{server.url}{target}", *words, **more)


def test_signed_headers_are_accepted(httpd):
    assert "status 200" in sign(httpd, API, "/api/page.html?b=2&a=%20x", "--send", "--header", "X-Amz-Meta-A: a  b")


def test_s3_is_signed_by_its_own_rules(httpd):
    assert "status 200" in sign(httpd, S3, "/box/page.html", "--send")


def test_a_signature_of_another_service_is_refused(httpd):
    httpd.refusal("wrong-scope")
    assert "status 401" in sign(httpd, S3, "/api/page.html", "--send", status=REFUSED)


def test_a_session_token_goes_with_its_key(httpd):
    word = f"session-token=file:{path(httpd, 'token')}"
    assert "status 200" in sign(httpd, [*API, f"access-key={KEY}", word], "/temporary/page.html", "--send")


def test_a_presigned_url_is_good_on_its_own(httpd):
    url = sign(httpd, S3, "/box/page.html?v=1", "--expires", "60").splitlines()[-1]
    assert "X-Amz-Expires=60" in url and "X-Amz-SignedHeaders=host" in url
    assert urllib.request.urlopen(url).read() == b"a page"
    httpd.refusal("wrong-signature")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url.replace("v=1", "v=2"))


@pytest.mark.parametrize("words, sentence", [
    (["--expires", "0"], "a week (604800) at most"),
    (["--expires", "604801"], "a week (604800) at most"),
    (["--expires", "1h"], "a week (604800) at most"),
])
def test_a_lifetime_that_no_verifier_takes_is_refused(httpd, words, sentence):
    assert sentence in sign(httpd, S3, "/box/x", *words, status=USAGE)


@pytest.mark.parametrize("rule, sentence", [
    (["aws4", "region=*", "service=s3"], "which region?"),
    (["bearer"], "--expires is for aws4"),
])
def test_what_cannot_be_signed_is_said(httpd, rule, sentence):
    assert sentence in sign(httpd, rule, "/box/x", "--expires", "60", status=USAGE)


def made_request(server, folder):
    headers = sign(server, API, "/api/x?b=2&a=1").splitlines()
    return capture(folder / "request", headers, target="/api/x?b=2&a=1", host=server.url.removeprefix("http://"))


def decide(server, request, *words, secret="secret", status=OK):
    rule = f"{' '.join(API)} access-key={KEY} secret=file:{path(server, secret)}"
    return json.loads(run("check", "--rule", rule, "--json", *words, request, status=status))


def test_check_shows_both_texts(httpd, tmp_path):
    made = decide(httpd, made_request(httpd, tmp_path))
    assert made["accepted"] and made["client"] == KEY
    assert made["signed-text"].startswith("GET\\n/api/x\\na=1&b=2\\nhost:")
    steps = "\n".join(made["steps"])
    assert "   1  AWS4-HMAC-SHA256\n" in steps and "which was sent" in steps
    assert SECRET not in json.dumps(made)


@pytest.mark.parametrize("change, sentence", [
    (lambda text: text, "the client's canonical request is the same"),
    (lambda text: text + "\n", "the client's canonical request is the same"),
    (lambda text: text.replace("b=2", "b=3"), "the client's canonical request differs first in line 3: a=1&b=3"),
    (lambda text: text.rsplit("\n", 1)[0], "the client's canonical request has fewer lines than this one"),
    (lambda text: "AWS4-HMAC-SHA256\n20200101T000000Z", "the client's string to sign differs first in line 2"),
])
def test_check_tells_where_the_client_s_text_differs(httpd, tmp_path, change, sentence):
    request = made_request(httpd, tmp_path)
    text = decide(httpd, request)["signed-text"].replace("\\n", "\n")
    (tmp_path / "text").write_text(change(text))
    steps = decide(httpd, request, "--signed-text", tmp_path / "text")["steps"]
    assert any(step.startswith(sentence) for step in steps), steps


def test_a_wrong_secret_and_an_old_capture_are_told(httpd, tmp_path):
    request = made_request(httpd, tmp_path)
    httpd.secret("other", "another secret of more than sixteen bytes")
    wrong = decide(httpd, request, secret="other", status=REFUSED)
    assert wrong["reason"] == "wrong-signature" and any("which was not sent" in step for step in wrong["steps"])
    late = decide(httpd, request, "--time", str(int(time.time()) + 901), status=REFUSED)
    assert late["reason"] == "too-late"
