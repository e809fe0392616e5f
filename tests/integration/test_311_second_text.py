"""An internal redirect into a section that signs another text: what the first section kept in front of the body is not the
second's, however long it is.
SPDX-License-Identifier: Apache-2.0
"""
import subprocess

import pytest

from client import post
from server import Server

CONFIG = """
<Location "/first">
    AuthVerify signature signature=%{header:X-Signature} signed=%{header:X-Time}%{body} algorithm=ed25519 key-encoding=pem \\
        secret=file:${ROOT}/conf/public.pem
</Location>
<Location "/second">
    AuthVerify signature signature=%{header:X-Signature} signed=%{header:X-Other}%{body} algorithm=ed25519 key-encoding=pem \\
        secret=file:${ROOT}/conf/public.pem strip=off
</Location>
<Directory "${ROOT}/htdocs/first">
    RewriteEngine on
    RewriteRule "^(.*)$" "/second/$1"
</Directory>
"""


def openssl(*words, given=None):
    return subprocess.run(["openssl", *map(str, words)], input=given, stdout=subprocess.PIPE, check=True).stdout


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "private.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", path)
    return path


@pytest.fixture(scope="module")
def httpd(key):
    server = Server(CONFIG, modules=["rewrite"])
    server.secret("public.pem", openssl("pkey", "-in", key, "-pubout").decode())
    for name in ("first/x.html", "second/x.html"):
        server.write(name, "content")
    with server:
        yield server


def sign(key, text, folder):
    (folder / "text").write_bytes(text)
    return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", folder / "text").hex()


def test_the_second_section_believes_only_its_own_text(httpd, key, tmp_path):
    headers = {"X-Signature": sign(key, b"1111body", tmp_path), "X-Time": "1111", "X-Other": "2222"}
    httpd.refusal("wrong-signature", 1)
    assert post(httpd, "/first/x.html", headers, b"body").status == 401


def test_a_text_that_is_both_sections_own_passes_both(httpd, key, tmp_path):
    headers = {"X-Signature": sign(key, b"1111body", tmp_path), "X-Time": "1111", "X-Other": "1111"}
    assert post(httpd, "/first/x.html", headers, b"body").status == 200
