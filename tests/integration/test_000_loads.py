"""The module loads into every MPM, and leaves nothing behind.

SPDX-License-Identifier: Apache-2.0
"""
import subprocess

import pytest

from client import get, github, post
from server import Server, module_under_test

SECRET = "a secret of the loading tests"


def test_the_module_exports_its_record_and_nothing_else():
    result = subprocess.run(["nm", "-D", "--defined-only", module_under_test()], check=True, capture_output=True,
                            text=True)
    assert [line.split()[-1] for line in result.stdout.splitlines()] == ["authverify_module"]


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_loaded_module_without_a_rule_changes_nothing(mpm):
    with Server("", mpm=mpm) as server:
        server.write("page.html", "open")
        assert get(server, "/page.html").body == b"open"
        server.graceful()
        assert get(server, "/page.html").body == b"open"


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_rule_refuses_what_is_unsigned_or_forged_and_admits_what_is_signed(mpm):
    server = Server('<Location "/">\nAuthVerify github secret=file:${ROOT}/conf/github\n</Location>', mpm=mpm)
    server.secret("github", SECRET)
    with server:
        server.write("page.html", "proven")
        server.refusal("not-presented", 1)
        server.refusal("wrong-signature", 1)
        assert get(server, "/page.html").status == 401
        assert post(server, "/page.html", github("another secret", b"x"), b"x").status == 401
        accepted = post(server, "/page.html", github(SECRET, b"x"), b"x")
        assert (accepted.status, accepted.body) == (200, b"proven")


def test_configtest_accepts_a_good_rule_and_starts_nothing():
    server = Server('<Location "/">\nAuthVerify github secret=file:${ROOT}/conf/github\n</Location>')
    server.secret("github", SECRET)
    status, output = server.configtest()
    assert status == 0, output
    assert "Syntax OK" in output
    server.close()
