"""The file of a list of clients: read again when it changes, in every child, and never half.

SPDX-License-Identifier: Apache-2.0
"""
import itertools
import os
import re
import signal
import threading
import time

import pytest

from client import Connection, basic, get
from clients import bcrypt, put_clients, sha256
from configtest import IS_ROOT, in_location
from server import Server, wait_until

IN_FORCE_SECONDS = 1.5  # one, and the time to load and to ask
CONFIG = ('Header always set X-Who "%{AUTHVERIFY_CLIENT}e/%{AUTHVERIFY_ORG}e"\n'
          + in_location("AuthVerify bearer clients=file:conf/list\nSetHandler none", "/"))
LOADED = [r"AuthVerify: .* clients are in force"]
WATCHED = "the clients from before stay in force"


def line(name, *more):
    return " ".join([name, sha256(f"token-of-{name}"), *more]) + "\n"


def bearer(name):
    return {"Authorization": f"Bearer token-of-{name}"}


def make_server(text=line("first"), mpm="event", config=CONFIG, **more):
    server = Server(config, mpm=mpm, modules=["headers"], allow=LOADED + [r"refused reason="], **more)
    server.write("index.html", "here")
    server.write("x", "here")
    put_clients(server, "list", text)
    return server


def status(server, name, connection=None):
    return get(server, "/x", bearer(name), connection=connection).status


def knows(server, *names):
    return all(status(server, name) == 200 for name in names)


def await_in_force(server, name, seconds=IN_FORCE_SECONDS):
    wait_until(lambda: status(server, name) == 200, seconds, f"{name} is not known after {seconds} s")


# --- a change is in force everywhere, at once -------------------------------------------------------------------------

@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_change_is_in_force_in_every_child_within_a_second(mpm):
    with make_server(mpm=mpm) as server:
        wait_until(lambda: len(server.children()) >= (4 if mpm == "prefork" else 1), 10, "too few children")
        # A prefork child has one connection at a time: these are all children's.
        connections = [Connection(server.port) for _ in range(4)]
        assert [status(server, "first", connection) for connection in connections] == [200] * 4
        put_clients(server, "list", line("second"))
        begun = time.monotonic()
        for connection in connections:
            wait_until(lambda connection=connection: status(server, "second", connection) == 200, IN_FORCE_SECONDS,
                       "the new client is not known")
            assert status(server, "first", connection) == 401
        assert time.monotonic() - begun < IN_FORCE_SECONDS
        for connection in connections:
            connection.close()


def test_a_changed_password_is_forgotten_with_the_file():
    config = in_location("AuthVerify basic clients=file:conf/list\nSetHandler none", "/")
    with make_server(f"alice {bcrypt('the old password')}\n", config=config) as server:
        old, new = basic("alice", "the old password"), basic("alice", "the new password")
        assert [get(server, "/x", old).status for _ in range(3)] == [200] * 3
        put_clients(server, "list", f"alice {bcrypt('the new password')}\n")
        wait_until(lambda: get(server, "/x", new).status == 200, IN_FORCE_SECONDS, "the new password is not known")
        assert get(server, "/x", old).status == 401
        put_clients(server, "list", f"bob {bcrypt('the new password')}\n")
        wait_until(lambda: get(server, "/x", new).status == 401, IN_FORCE_SECONDS, "alice is still known")


def test_a_file_written_in_place_and_one_of_the_same_size():
    with make_server(line("first")) as server:
        for name in ("twice", "third"):
            (server.root / "conf" / "list").write_text(line(name))
            await_in_force(server, name)
        assert status(server, "first") == 401


def test_a_symbolic_link_is_followed_to_another_file():
    with make_server() as server:
        folder = server.root / "conf"
        put_clients(server, "other", line("second"))
        put_clients(server, "third", line("third"))
        (folder / "list").unlink()
        (folder / "list").symlink_to("other")
        await_in_force(server, "second")
        (folder / "link").symlink_to("third")
        os.replace(folder / "link", folder / "list")
        await_in_force(server, "third")


def test_two_lists_change_alone():
    config = in_location("AuthVerify bearer clients=file:conf/list,file:conf/other\nSetHandler none", "/")
    server = make_server(config=config)
    put_clients(server, "other", line("of-other"))
    with server:
        assert knows(server, "first", "of-other")
        put_clients(server, "other", line("second"))
        await_in_force(server, "second")
        assert knows(server, "first") and status(server, "of-other") == 401


def test_a_list_may_grow_a_thousandfold():
    with make_server() as server:
        put_clients(server, "list", "".join(line(f"c{number}") for number in range(5000)))
        await_in_force(server, "c4999", 3)
        assert knows(server, "c0", "c2500") and status(server, "first") == 401


# --- a file that is not right -----------------------------------------------------------------------------------------

GOOD = line("second")
TEXTS = {
    "byte-order-mark": ("\ufeff" + GOOD, r"line 1: begins with a byte-order mark"),
    "crlf": (GOOD.replace("\n", "\r\n"), r"line 1: .*CR LF"),
    "nul": (GOOD + "third\0" + GOOD, r"line 2: .*NUL"),
    "half-written": (GOOD + GOOD[:-10], r"line 2: does not end in a line feed"),
    "no-line-feed": (GOOD[:-1], r"line 1: does not end in a line feed"),
    "long-line": ("x" * (1 << 20) + "\n", r"line 1: .*longer than"),
    "long-line-at-the-end": (GOOD + "# " + "x" * (1 << 20), r"line 2: "),
    "empty": ("", r"names no client"),
    "comments": ("# nobody\n\n", r"names no client"),
    "id-alone": (GOOD + "third\n", r"line 2: "),
    "same-id": (GOOD + line("third") + "second plain:another-secret-of-it\n", r"line 3: has the id of line 1"),
    "same-secret": (GOOD + f"third {sha256('token-of-second')}\n", r"line 2: has a secret that line 1 has"),
    "no-kind": (GOOD + "third a-secret-in-the-open\n", r"line 2: word 2: is neither a secret"),
    "no-digest": (GOOD + "third sha256:aGVsbG8=\n", r"line 2: .*not the base64 of 32 bytes"),
    "no-bcrypt": (GOOD + "third bcrypt:$1$abc$def\n", r"line 2: .*no bcrypt hash"),
    "empty-secret": (GOOD + "third plain:\n", r"line 2: .*empty"),
    "many-secrets": (GOOD + "third " + " ".join(f"plain:secret-number-{n}" for n in range(9)) + "\n",
                     r"line 2: .*at most 8"),
    "unknown-limit": (GOOD + line("third", "color=red"), r"line 2: word 3: "),
    "limit-twice": (GOOD + line("third", "org=a", "org=b"), r"line 2: .*org= is given twice"),
    "empty-limit": (GOOD + line("third", "org="), r"line 2: .*org= is empty"),
    "network": (GOOD + line("third", "from=10.0.0.0/33"), r"line 2: .*from= .*prefix length"),
    "path": (GOOD + line("third", "paths=reports"), r"line 2: .*paths= "),
    "date": (GOOD + line("third", "expires=tomorrow"), r"line 2: .*expires= .*is no date"),
    "dates-crossed": (GOOD + line("third", "not-before=2026-02-01", "expires=2026-01-01"), r"line 2: .*not later than"),
    "percent": (GOOD + line("th%ird"), r"line 2: .*percent"),
    "quote": (GOOD + line("th'ird"), r"line 2: .*quote"),
    "hash-sign": (GOOD + line("third", "# a comment"), r"line 2: .*hash sign"),
}
SECRETS = ["a-secret-in-the-open", "aGVsbG8=", "$1$abc$def", "secret-number-1", "another-secret-of-it",
           sha256("token-of-second")[7:]]


def folder(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def another_user(path):
    os.chown(path, 1, 33)


PLACES = {
    "missing": (lambda path: path.unlink(), "does not exist"),
    "folder": (folder, "is a folder"),
    "pipe": (pipe, "is a device, pipe or socket"),
    "readable-by-all": (lambda path: path.chmod(0o644), "is readable by everybody"),
    "writable-by-group": (lambda path: path.chmod(0o660), "is writable by others"),
    "writable-by-all": (lambda path: path.chmod(0o642), "is writable by others"),
    "link-to-nothing": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "does not exist"),
}
if IS_ROOT:
    PLACES["of-another-user"] = (another_user, "belongs neither to root nor")
    PLACES["unreadable-for-children"] = (lambda path: path.chmod(0o600), "")


def assert_old_set_stays(server, pattern):
    """For three times as long as it takes to look again: the set from before, and the mistake said once."""
    server.expect(f"{WATCHED}.*{pattern}", 1)
    wait_until(lambda: any(WATCHED in each for each in server.new_lines()), 3, f"nothing is said of {pattern}")
    end = time.monotonic() + 0.75
    while time.monotonic() < end:
        assert (status(server, "first"), status(server, "second")) == (200, 401)
        time.sleep(0.02)


@pytest.fixture(scope="module")
def changing():
    with make_server() as server:
        yield server


MARKS = itertools.count()


@pytest.fixture
def right_at_first(changing):
    path = changing.root / "conf" / "list"
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    mark = f"mark-{next(MARKS)}"  # shows that this very file was read
    put_clients(changing, "list", line("first") + line(mark))
    await_in_force(changing, mark)
    return changing


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_is_not_right_leaves_the_old_set_in_force(right_at_first, name):
    text, said = TEXTS[name]
    put_clients(right_at_first, "list", text)
    assert_old_set_stays(right_at_first, said)
    lines = "\n".join(right_at_first.new_lines())
    assert not any(secret in lines for secret in SECRETS)


@pytest.mark.parametrize("name", PLACES)
def test_a_file_that_is_not_there_or_not_ours_leaves_the_old_set_in_force(right_at_first, name):
    spoil, said = PLACES[name]
    put_clients(right_at_first, "list", line("first"))
    spoil(right_at_first.root / "conf" / "list")
    assert_old_set_stays(right_at_first, said)


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_is_not_right_lets_no_server_start(name):
    text, said = TEXTS[name]
    server = make_server(text)
    code, output = server.configtest()
    server.close()
    assert code != 0
    assert re.search(said, output), output
    assert not any(secret in output for secret in SECRETS)


@pytest.mark.parametrize("name", PLACES)
def test_a_file_that_is_not_there_or_not_ours_lets_no_server_start(name):
    spoil, said = PLACES[name]
    server = make_server()
    spoil(server.root / "conf" / "list")
    code, output = server.configtest()
    server.close()
    assert code != 0 and said in output, output


def test_every_mistake_is_reported_and_after_twenty_no_more():
    server = make_server(line("first") + "".join(f"client-{number}\n" for number in range(30)))
    code, output = server.configtest()
    server.close()
    assert code != 0
    assert [f"line {number}:" in output for number in range(2, 32)] == [True] * 20 + [False] * 10


# --- under load -------------------------------------------------------------------------------------------------------

class Load:
    """Clients that never stop asking, and what they were told that nobody could rightly be told."""

    RIGHT = {"steady": {(200, "steady/both")}, "stranger": {(401, "(null)/(null)")},
             "one": {(200, "one/a"), (401, "(null)/(null)")}, "two": {(200, "two/b"), (401, "(null)/(null)")},
             "changing": {(200, "changing/a"), (200, "changing/b")}}

    def __init__(self, server, count=4):
        self._server = server
        self._stop = threading.Event()
        self.wrong = []
        self.asked = 0
        self.seen = set()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]

    def _ask(self, connection):
        for name, right in self.RIGHT.items():
            response = get(self._server, "/x", bearer(name), connection=connection)
            told = (response.status, response.get("X-Who"))
            self.seen.add(told)
            self.asked += 1
            if told not in right:
                self.wrong.append((name, told))

    def _run(self):
        while not self._stop.is_set():
            try:
                with Connection(self._server.port) as connection:
                    for _ in range(20):
                        self._ask(connection)
            except (AssertionError, OSError):
                pass  # httpd closes idle connections when it restarts; the next one is asked again

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


SETS = [line("steady", "org=both") + line("one", "org=a") + line("changing", "org=a"),
        "".join(line(f"more-{number}") for number in range(300)) + line("two", "org=b") + line("changing", "org=b")
        + line("steady", "org=both")]


def swap(server, times, pause=0.004):
    for number in range(times):
        put_clients(server, "list", SETS[number % 2])
        time.sleep(pause)


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_thousand_changes_under_load_bring_no_wrong_verdict(mpm):
    with make_server(SETS[0], mpm=mpm) as server, Load(server) as load:
        swap(server, 1000)
    assert load.wrong == []
    assert load.asked > 1000
    assert {(200, "changing/a"), (200, "changing/b")} <= load.seen


def test_changes_and_graceful_restarts_bring_no_wrong_verdict():
    with make_server(SETS[0]) as server:
        with Load(server) as load:
            swapping = threading.Thread(target=swap, args=(server, 600))
            swapping.start()
            for _ in range(4):
                server.graceful()
            swapping.join()
        assert load.wrong == []
        assert load.asked > 500
        put_clients(server, "list", line("last"))
        await_in_force(server, "last")


# --- restarts, and children that die ----------------------------------------------------------------------------------

def test_a_graceful_restart_keeps_the_set_that_was_in_force():
    with make_server() as server:
        put_clients(server, "list", line("second"))
        await_in_force(server, "second")
        put_clients(server, "list", "not right\n")
        server.expect(WATCHED)
        wait_until(lambda: any(WATCHED in each for each in server.new_lines()), 3, "nothing is said")
        server.graceful()
        assert knows(server, "second") and status(server, "first") == 401
        put_clients(server, "list", line("third"))
        await_in_force(server, "third")


def test_a_graceful_restart_takes_the_changed_set():
    with make_server() as server:
        put_clients(server, "list", line("second"))
        server.graceful()
        await_in_force(server, "second")
        assert status(server, "first") == 401


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_another_child_watches_when_the_one_that_did_is_killed(mpm):
    with make_server(mpm=mpm) as server:
        server.allow(r"AH00052: child pid \d+ exit signal Killed")
        wait_until(lambda: len(server.children()) >= (4 if mpm == "prefork" else 1), 10, "too few children")
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: pid not in server.children(), 5, "a killed child is still there")
        put_clients(server, "list", line("second"))
        await_in_force(server, "second", 4)  # the parent looks for dead children once a second
        assert status(server, "first") == 401
