"""A large list of clients: what it costs to load and to keep. A tenth of a million, and with AUTHVERIFY_LONG a million.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import os
import re
from pathlib import Path

import pytest

from client import get
from clients import put_clients
from configtest import command, in_location
from server import Server, is_sanitized, session_members, wait_until

COUNT = 1_000_000 if os.environ.get("AUTHVERIFY_LONG") == "1" else 100_000
MOST_MEMORY = 300 * 2**20 * COUNT // 1_000_000
MOST_CPU_SECONDS = 5 * COUNT / 1_000_000
LOAD_SECONDS = 60  # this long a machine with much other work may take
CONFIG = in_location("AuthVerify bearer clients=file:conf/list\nSetHandler none", "/")
LOADED = r"AuthVerify: .*: \d+ clients are in force"


def token(number):
    return f"token-{number:08}-of-the-tests-of-many-clients"


def line(number):
    """As long as such a line is: an id like a UUID, a digest, two limits."""
    digest = base64.b64encode(hashlib.sha256(token(number).encode()).digest()).decode()
    return f"d3f269a9-932e-eeb0-05e7-{number:012} sha256:{digest} schemes=bearer org=org-{number % 1000}\n"


@pytest.fixture(scope="module")
def lines():
    return [line(number) for number in range(COUNT + 1)]


def make_server(text, mpm, more=""):
    server = Server(CONFIG + more, mpm=mpm, allow=[LOADED, r"refused reason="])
    server.write("x", "here")
    put_clients(server, "list", text)
    return server


def knows(server, number):
    return get(server, "/x", {"Authorization": f"Bearer {token(number)}"}).status == 200


def list_memory(server):
    """Bytes of the list's memory, of all processes together: each counts its share of what is shared."""
    total = 0
    for pid, _ in session_members(server.process.pid):
        text = Path(f"/proc/{pid}/smaps").read_text(encoding="ascii")
        for first, last, rest in re.findall(r"^(\w+)-(\w+) (.*?)(?=^\w+-\w+ |\Z)", text, re.M | re.S):
            if int(last, 16) - int(first, 16) >= 1 << 30 and "/dev/zero" in rest:
                total += int(re.search(r"^Pss:\s+(\d+) kB", rest, re.M)[1]) * 1024
    return total


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_a_large_list_is_kept_once_and_given_back_when_it_changes(lines, mpm):
    with make_server("".join(lines[:COUNT]), mpm) as server:
        assert knows(server, 0) and knows(server, COUNT - 1) and not knows(server, COUNT)
        alone = list_memory(server)
        assert 0 < alone <= MOST_MEMORY
        put_clients(server, "list", "".join(lines[1:]))
        wait_until(lambda: knows(server, COUNT), LOAD_SECONDS, "the changed list is not in force")
        assert not knows(server, 0) and knows(server, COUNT - 1)
        wait_until(lambda: list_memory(server) < alone * 1.1, LOAD_SECONDS, "the old list is still there")
        put_clients(server, "list", lines[0])
        wait_until(lambda: knows(server, 0), LOAD_SECONDS, "the short list is not in force")
        wait_until(lambda: list_memory(server) < alone / 10, LOAD_SECONDS, "the large list is still there")


def configtest_seconds(text):
    """CPU seconds of a configuration test that loads this list."""
    server = make_server(text, "event")
    child = os.posix_spawn("/usr/bin/env", ["env", *command(server, "-t")], server.environment,
                           file_actions=[(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
    _, status, used = os.wait4(child, 0)
    server.close()
    assert os.waitstatus_to_exitcode(status) == 0
    return used.ru_utime + used.ru_stime


@pytest.mark.skipif(is_sanitized(), reason="a sanitized module takes its own time")
def test_a_large_list_is_loaded_in_a_few_seconds(lines):
    assert configtest_seconds("".join(lines[:COUNT])) - configtest_seconds(lines[0]) <= MOST_CPU_SECONDS
