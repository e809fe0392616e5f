"""AuthVerify off in .htaccess where the rule is the server's own: httpd merges the folder with its .htaccess before it merges
both with the server, so the folder's AuthVerifyOverride must count.
SPDX-License-Identifier: Apache-2.0
"""
import pytest

from client import get
from server import Server

SECRET = "the secret of the server's own rule"

CONFIG = """
AuthVerify github secret=file:${ROOT}/conf/github
<Directory "${ROOT}/htdocs/allowed">
    AllowOverride AuthConfig
    AuthVerifyOverride on
</Directory>
<Directory "${ROOT}/htdocs/silent">
    AllowOverride AuthConfig
</Directory>
<Directory "${ROOT}/htdocs/forbidden">
    AllowOverride AuthConfig
    AuthVerifyOverride off
</Directory>
"""


@pytest.fixture(scope="module")
def httpd():
    server = Server(CONFIG)
    server.secret("github", SECRET)
    for folder in ("allowed", "silent", "forbidden"):
        server.write(f"{folder}/.htaccess", "AuthVerify off\n")
        server.write(f"{folder}/x.html", "content")
    with server:
        yield server


def test_the_folder_that_may_switch_off_is_open(httpd):
    assert get(httpd, "/allowed/x.html").status == 200


@pytest.mark.parametrize("folder", ["silent", "forbidden"])
def test_a_folder_that_may_not_switch_off_is_not_served(httpd, folder):
    httpd.refusal("misconfigured", 1)
    assert get(httpd, f"/{folder}/x.html").status == 500
