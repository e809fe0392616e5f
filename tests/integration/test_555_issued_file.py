"""The list of pairs that the token endpoint writes: in force at once in every child, whole whoever is killed, bounded.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import itertools
import os
import random
import re
import signal
import threading
import time

import pytest

from client import Connection, get
from clients import put_issued, sha256
from command_line import run
from configtest import IS_ROOT
from server import Server, wait_until
from test_554_user_pairs import (API, DESK, PASSWORD, PHONE, USERS, as_headers, endpoint, lines_of, login, pair_of,
                                 prepare, users_line)

CONFIG = endpoint("/login", users_line("user-pairs=10000")) + API.format(options="")
PAIR = re.compile(r"([0-9a-f-]{36}) sha256:[A-Za-z0-9+/=]{44} schemes=token-pair .*expires=\S+")
LOADED = r"AuthVerify: .* clients are in force"
LONG_AGO = "expires=2020-01-01T00:00:00Z"


def issued_line(number, *more):
    token = f"00000000-0000-4000-8000-{number:012x}"
    return f"{token} {sha256(f'secret {number}')} schemes=token-pair application={DESK} user=jane " + " ".join(more)


def is_good(server, pair, connection=None):
    return get(server, "/api", as_headers(pair), connection=connection).status == 200


def assert_whole(server):
    """Every line but comments is that of a pair, and no token is there twice."""
    lines = [line for line in lines_of(server) if not line.startswith("#")]
    assert all(PAIR.fullmatch(line) for line in lines), lines
    tokens = [line.split()[0] for line in lines]
    assert len(set(tokens)) == len(tokens)
    return tokens


class Users:
    """Threads that log in and call, until they are told to stop. A pair that was answered must be good at once."""

    def __init__(self, server, count, logins=None):
        self.server, self.logins = server, logins
        self.pairs, self.wrong, self.unanswered = [], [], 0
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(count)]

    def _run(self, number):
        name = list(USERS)[number % len(USERS)]
        for _ in itertools.count() if self.logins is None else range(self.logins):
            if self.is_over.is_set():
                return
            try:
                self._once(name)
            except (OSError, AssertionError, ValueError, IndexError):
                self.unanswered += 1  # a child was killed, or the connection with it

    def _once(self, name):
        answer = login(self.server, username=name, password=USERS[name])
        if answer.status != 200:
            self.wrong.append(answer)
            return
        pair = pair_of(answer)
        self.pairs.append(pair)
        call = get(self.server, "/api", as_headers(pair))
        if call.status != 200:
            self.wrong.append(call)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def join(self):
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()

    def __exit__(self, *_):
        self.is_over.set()
        self.join()


@pytest.mark.parametrize("mpm", ["prefork", "event"])
def test_pairs_of_many_at_once_are_good_in_every_child_and_none_is_lost(mpm):
    with prepare(CONFIG, mpm=mpm) as server:
        with Users(server, 8, logins=20) as users:
            users.join()
        assert not users.wrong and not users.unanswered
        assert len({token for token, _ in users.pairs}) == 160
        assert sorted(assert_whole(server)) == sorted(token for token, _ in users.pairs)
        if mpm == "prefork":
            connections = [Connection(server.port) for _ in range(4)]  # each has a child of its own
            last = users.pairs[-1]
            assert all(is_good(server, last, connection) for connection in connections)
            for connection in connections:
                connection.close()
        assert all(is_good(server, pair) for pair in users.pairs)


def test_nobody_logs_that_a_pair_is_in_force():
    """It is there without the file having been read again."""
    with prepare(CONFIG) as server:
        pairs = [pair_of(login(server)) for _ in range(40)]
        time.sleep(0.6)  # twice as long as the file is not looked at: what shall not come cannot be waited for
        assert not [line for line in server.new_lines() if "in force" in line]
        assert all(is_good(server, pair) for pair in pairs)


def test_pairs_outlive_children_and_restarts():
    with prepare(CONFIG) as server:
        pairs = [pair_of(login(server)) for _ in range(3)]
        server.graceful()
        pairs.append(pair_of(login(server)))
        assert all(is_good(server, pair) for pair in pairs)
        server.stop()
        server.start()
        assert all(is_good(server, pair) for pair in pairs)
        assert is_good(server, pair_of(login(server)))


def test_children_that_are_killed_leave_no_half_line_and_lose_no_pair():
    allow = [r"AH00052: child pid \d+ exit signal Killed", LOADED, r"AH00045|AH00046|AH00047", "server is within Min"]
    with prepare(CONFIG, mpm="prefork", allow=allow) as server:
        with Users(server, 6) as users:
            for _ in range(40):
                time.sleep(0.05)  # not a condition that is waited for: any point of their work is as good
                os.kill(random.choice(wait_until(server.children, 10, "no child is left")), signal.SIGKILL)
            wait_until(lambda: len(users.pairs) > 20, 20, "nobody logs in any more")
        assert not users.wrong, users.wrong[:3]
        assert {token for token, _ in users.pairs} <= set(assert_whole(server))
        assert all(is_good(server, pair) for pair in users.pairs)


def test_the_last_pair_may_be_revoked():
    with prepare(CONFIG, allow=[LOADED, "refused reason=unknown-client"]) as server:
        pair = pair_of(login(server))
        run("client", "revoke", server.root / "issued" / "issued.clients", pair[0])
        assert lines_of(server) == ["#!issued"]
        wait_until(lambda: not is_good(server, pair), 2, "it is still good")
        assert is_good(server, pair_of(login(server)))


def test_half_a_line_of_somebody_who_was_killed_is_cut_off():
    with prepare(CONFIG, allow=[LOADED]) as server:
        path = server.root / "issued" / "issued.clients"
        first = pair_of(login(server))
        server.allow("does not end in a line feed; the file may be half-written")
        with open(path, "a", encoding="ascii") as file:
            file.write(issued_line(1)[:70])
        second = pair_of(login(server))
        assert assert_whole(server) == [first[0], second[0]]
        assert is_good(server, first) and is_good(server, second)
        server.stop()
        with open(path, "a", encoding="ascii") as file:
            file.write(issued_line(2)[:70])
        server.start()
        assert assert_whole(server) == [first[0], second[0]]
        assert is_good(server, second)


def test_expired_pairs_are_taken_out_and_nothing_else():
    text = ["#!issued", "# a comment", *(issued_line(number, LONG_AGO) for number in range(8)), "",
            issued_line(100), issued_line(101, "expires=2100-01-01")]
    with prepare(CONFIG, allow=[LOADED]) as server:
        put_issued(server, text="\n".join(text) + "\n")
        wait_until(lambda: any("10 clients are in force" in line for line in server.new_lines()), 5, "it is not read")
        before = os.stat(server.root / "issued" / "issued.clients")
        pairs = [pair_of(login(server)) for _ in range(45)]
        lines = lines_of(server)
        after = os.stat(server.root / "issued" / "issued.clients")
        assert not [line for line in lines if LONG_AGO in line]
        assert lines[:3] == ["#!issued", "# a comment", ""] and lines[3:5] == text[-2:]
        assert sorted(line.split()[0] for line in lines[5:]) == sorted(token for token, _ in pairs)
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
        assert after.st_ino != before.st_ino
        assert os.listdir(server.root / "issued") == ["issued.clients"]
        assert all(is_good(server, pair) for pair in pairs)


@pytest.mark.skipif(not IS_ROOT, reason="as one user, nobody can be kept from a folder of his own")
def test_where_no_new_file_can_be_made_expired_pairs_stay_and_new_ones_are_good():
    with prepare(CONFIG, allow=[LOADED]) as server:
        folder = server.root / "issued"
        put_issued(server, text="#!issued\n" + "".join(issued_line(number, LONG_AGO) + "\n" for number in range(8)))
        os.chown(folder, 0, 0)
        folder.chmod(0o755)
        server.expect("no new file can be made beside", 1)
        pairs = [pair_of(login(server)) for _ in range(60)]
        assert len([line for line in lines_of(server) if LONG_AGO in line]) == 8
        assert all(is_good(server, pair) for pair in pairs)


def test_who_edits_the_list_meanwhile_and_who_logs_in_do_not_lose_each_others_work():
    with prepare(CONFIG, allow=[LOADED, "refused reason=unknown-client"]) as server:
        path = server.root / "issued" / "issued.clients"
        revoked, added = [], []
        with Users(server, 4) as users:
            for number in range(12):
                wait_until(lambda number=number: len(users.pairs) > 2 * number, 20, "nobody logs in any more")
                gone = users.pairs[number]
                run("client", "revoke", path, gone[0])
                revoked.append(gone)
                added.append(run("client", "add", path, f"user=hand-{number}", "schemes=token-pair").split()[1])
        assert not users.wrong and not users.unanswered
        wanted = {token for token, _ in users.pairs} - {token for token, _ in revoked} | set(added)
        assert {line.split()[0] for line in lines_of(server) if not line.startswith("#")} == wanted
        wait_until(lambda: not any(is_good(server, pair) for pair in revoked), 2, "a revoked pair is good")
        assert all(is_good(server, pair) for pair in users.pairs if pair not in revoked)


def spoil(server, how):
    path = server.root / "issued" / "issued.clients"
    away = path.with_name("away")
    if how == "missing":
        path.rename(away)
    elif how == "a symbolic link":
        path.rename(away)
        path.symlink_to(away)
    elif how == "a pipe":
        path.rename(away)
        os.mkfifo(path)
        server.give_to_children(path)
    elif how == "of another owner":
        os.chown(path, 0, -1)
        path.chmod(0o644)
    elif how == "not to be written":
        path.chmod(0o400)
    elif how == "not right":
        with open(path, "a", encoding="ascii") as file:
            file.write("nonsense\n")
    return path, away


def mend(path, away, how, mode, owner):
    if away.exists():
        path.unlink(missing_ok=True)
        away.rename(path)
    if how == "not right":
        path.write_text(path.read_text().replace("nonsense\n", ""))
    os.chown(path, owner, -1)
    path.chmod(mode)


BROKEN = {
    "missing": "cannot be opened: No such file",
    "a symbolic link": "cannot be opened: Too many levels of symbolic links",
    "a pipe": "is not a plain file",
    "of another owner": "cannot be opened: Permission denied",
    "not to be written": "cannot be opened: Permission denied",
    "not right": "line 3: has no secret behind its id",
}


@pytest.mark.skipif(not IS_ROOT, reason="the file cannot be given to another user")
@pytest.mark.parametrize("how", BROKEN)
def test_a_list_that_cannot_be_added_to_gives_nobody_a_pair(how):
    allow = [LOADED, "the clients from before stay in force"]
    with prepare(CONFIG, allow=allow) as server:
        pair = pair_of(login(server))
        path = server.root / "issued" / "issued.clients"
        before, owner, mode = path.read_text(), path.stat().st_uid, path.stat().st_mode & 0o777
        spoiled, away = spoil(server, how)
        server.expect(f"AuthVerifyToken issued=: .*{re.escape(BROKEN[how])}", 1)
        server.refusal("store-unavailable", 1)
        answer = login(server)
        assert (answer.status, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert answer.get("Retry-After") and answer.get("Cache-Control") == "no-store"
        assert is_good(server, pair), "the pairs from before stay good"
        mend(spoiled, away, how, mode, owner)
        assert path.read_text() == before
        assert is_good(server, pair_of(login(server)))


def test_who_locks_the_list_too_long_is_not_waited_for():
    with prepare(CONFIG) as server:
        with open(server.root / "issued" / "issued.clients", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            server.expect("is being changed by somebody else", 1)
            server.refusal("store-unavailable", 1)
            begun = time.monotonic()
            assert login(server).status == 503
            assert 1.5 < time.monotonic() - begun < 4
        assert login(server).status == 200
