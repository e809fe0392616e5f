"""The file of from=file: is read again when it changes, in every child, and never half.

SPDX-License-Identifier: Apache-2.0
"""
import itertools
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from client import Connection, get
from clients import put_clients
from configtest import IS_ROOT, in_location
from server import Server, wait_until

IN_FORCE_SECONDS = 1.5  # one, and the time to load and to ask
CONFIG = in_location("AuthVerify none from=file:conf/ranges\nSetHandler none", "/")
LOADED = r"AuthVerify: .* (networks|clients) are in force"
STAYS = "the networks from before stay in force"
MPMS = ["event", "prefork"]


def put_networks(server, text, mode=0o644):
    return put_clients(server, "ranges", text, mode)


def make_server(text="127.0.0.1\n", mpm="event", config=CONFIG, **more):
    server = Server(config, mpm=mpm, allow=[LOADED, r"refused reason=network-refused"], **more)
    server.write("index.html", "here")
    server.write("x", "here")
    put_networks(server, text)
    return server


def connect(server, last):
    return Connection(server.port, source=f"127.0.0.{last}")


def status(server, last):
    """What 127.0.0.`last` is told."""
    with connect(server, last) as connection:
        return get(server, "/x", {"Connection": "close"}, connection=connection).status


def statuses(server, *lasts):
    return [status(server, last) for last in lasts]


def await_in_force(server, last, seconds=IN_FORCE_SECONDS):
    wait_until(lambda: status(server, last) == 200, seconds, f"127.0.0.{last} is not let in after {seconds} s")


def await_children(server, mpm):
    wait_until(lambda: len(server.children()) >= (4 if mpm == "prefork" else 1), 10, "too few children")


# --- a change is in force everywhere, at once -------------------------------------------------------------------------

@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_change_is_in_force_in_every_child_within_a_second(mpm):
    with make_server("127.0.0.1\n", mpm=mpm) as server:
        await_children(server, mpm)
        # A prefork child has one connection at a time: these are all children's.
        connections = [(connect(server, 1), connect(server, 2)) for _ in range(2)]

        def told():
            return [get(server, "/x", connection=connection).status for pair in connections for connection in pair]
        assert told() == [200, 403] * 2
        put_networks(server, "127.0.0.2\n")
        begun = time.monotonic()
        wait_until(lambda: told() == [403, 200] * 2, IN_FORCE_SECONDS, "the new network is not let in everywhere")
        assert time.monotonic() - begun < IN_FORCE_SECONDS
        for pair in connections:
            for connection in pair:
                connection.close()


def test_a_file_written_in_place_and_a_link_that_is_moved():
    with make_server() as server:
        path = server.root / "conf" / "ranges"
        path.write_text("127.0.0.2\n")
        await_in_force(server, 2)
        (path.parent / "other").write_text("127.0.0.3\n")
        (path.parent / "link").symlink_to("other")
        os.replace(path.parent / "link", path)
        await_in_force(server, 3)
        assert statuses(server, 1, 2) == [403, 403]


def test_a_file_that_several_rules_name_is_loaded_once():
    rule = "AuthVerify bearer secret=file:conf/token from=file:conf/ranges"
    config = ("AuthVerifyPreset near bearer from=file:${ROOT}/conf/ranges\n"
              + in_location("AuthVerify near secret=file:conf/token", "/a") + in_location(rule, "/b") + CONFIG)
    server = make_server(config=config)
    server.secret("token", "a token of these tests")
    with server:
        server.expect(LOADED, 1)
        put_networks(server, "127.0.0.2\n127.0.0.3\n")
        await_in_force(server, 2)
        server.graceful()
        assert sum(": 2 networks are in force" in each for each in server.new_lines()) == 1



# --- a file that is not right -----------------------------------------------------------------------------------------

GOOD = "127.0.0.2\n"
TEXTS = {
    "byte-order-mark": ("\ufeff" + GOOD, r"line 1: begins with a byte-order mark"),
    "nul": (GOOD + "127.0.0.3\0\n", r"line 2: holds a NUL byte"),
    "half-written": (GOOD + "127.0.0.0/2", r"line 2: does not end in a line feed"),
    "long-line": (GOOD + " " * (1 << 20) + "\n", r"line 2: is longer than 64 KiB"),
    "long-line-at-the-end": (GOOD + "#" * (1 << 20), r"line 2: does not end in a line feed"),
    "empty": ("", r"names no network"),
    "comments": ("# nobody\n\n", r"names no network"),
    "name": (GOOD + "localhost\n", r"line 2: \"localhost\" is not an IP address"),
    "bits-behind": (GOOD + "127.0.0.1/8\n", r"line 2: .* has bits behind its prefix"),
    "crossed": (GOOD + "127.0.0.9-127.0.0.3\n", r"line 2: .* is a range from high to low"),
}


def folder(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


PLACES = {
    "missing": (lambda path: path.unlink(), "does not exist"),
    "folder": (folder, "is a folder"),
    "pipe": (pipe, "is a device, pipe or socket"),
    "writable-by-group": (lambda path: path.chmod(0o664), "is writable by others"),
    "writable-by-all": (lambda path: path.chmod(0o646), "is writable by others"),
    "link-to-nothing": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "does not exist"),
}
if IS_ROOT:
    PLACES["of-another-user"] = (lambda path: os.chown(path, 1, 33), "belongs neither to root nor")
    PLACES["unreadable-for-children"] = (lambda path: path.chmod(0o600), "chmod g.r")


def assert_old_set_stays(server, pattern):
    """For three times as long as it takes to look again: the set from before, and the mistake said once."""
    server.expect(f"{STAYS}.*{pattern}", 1)
    wait_until(lambda: any(STAYS in each for each in server.new_lines()), 3, f"nothing is said of {pattern}")
    end = time.monotonic() + 0.75
    while time.monotonic() < end:
        assert statuses(server, 1, 2) == [200, 403]
        time.sleep(0.02)


@pytest.fixture(scope="module")
def changing():
    with make_server() as server:
        yield server


MARKS = itertools.count(100)


@pytest.fixture
def right_at_first(changing):
    path = changing.root / "conf" / "ranges"
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    mark = next(MARKS)  # shows that this very file was read
    put_networks(changing, f"127.0.0.1\n127.0.0.{mark}\n")
    await_in_force(changing, mark)
    return changing


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_is_not_right_leaves_the_old_set_in_force(right_at_first, name):
    text, said = TEXTS[name]
    put_networks(right_at_first, text)
    assert_old_set_stays(right_at_first, said)


@pytest.mark.parametrize("name", PLACES)
def test_a_file_that_is_not_there_or_not_ours_leaves_the_old_set_in_force(right_at_first, name):
    spoil, said = PLACES[name]
    put_networks(right_at_first, "127.0.0.1\n")
    spoil(right_at_first.root / "conf" / "ranges")
    assert_old_set_stays(right_at_first, said)


@pytest.mark.parametrize("name", [*TEXTS, *PLACES])
def test_a_file_that_is_not_right_lets_no_server_start(name):
    text, said = TEXTS.get(name, (GOOD, None))
    server = make_server(text)
    if name in PLACES:
        spoil, said = PLACES[name]
        spoil(server.root / "conf" / "ranges")
    code, output = server.configtest()
    server.close()
    assert code != 0
    assert re.search(f"AuthVerify: from=: .*{said}", output), output


def test_every_mistake_is_reported_and_after_twenty_no_more():
    server = make_server("".join(f"127.0.0.{number}/8\n" for number in range(1, 31)))
    code, output = server.configtest()
    server.close()
    assert code != 0
    assert [f"line {number}:" in output for number in range(1, 31)] == [True] * 20 + [False] * 10


# --- under load -------------------------------------------------------------------------------------------------------

class Load:
    """Clients that never stop asking, and what they were told that nobody could rightly be told."""

    RIGHT = {1: {200}, 2: {403}, 3: {200, 403}, 4: {200, 403}}

    def __init__(self, server):
        self._server = server
        self._stop = threading.Event()
        self.wrong = []
        self.asked = 0
        self.seen = set()
        self._threads = [threading.Thread(target=self._run, args=(last,), daemon=True) for last in self.RIGHT]

    def _run(self, last):
        while not self._stop.is_set():
            try:
                with connect(self._server, last) as connection:
                    for _ in range(50):
                        told = get(self._server, "/x", connection=connection).status
                        self.asked += 1
                        self.seen.add((last, told))
                        if told not in self.RIGHT[last]:
                            self.wrong.append((last, told))
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


SETS = ["127.0.0.1\n127.0.0.3\n",
        "".join(f"10.0.{number // 100}.{number % 100 * 2}\n" for number in range(3000)) + "127.0.0.4\n127.0.0.1\n"]
BOTH = {(1, 200), (2, 403), (3, 200), (3, 403), (4, 200), (4, 403)}


def swap(server, times, pause=0.01):
    for number in range(times):
        put_networks(server, SETS[number % 2])
        time.sleep(pause)


@pytest.mark.parametrize("mpm", MPMS)
def test_changes_under_load_bring_no_wrong_verdict(mpm):
    with make_server(SETS[0], mpm=mpm) as server, Load(server) as load:
        swap(server, 400)
    assert load.wrong == []
    assert load.asked > 400 and load.seen == BOTH


def test_changes_and_graceful_restarts_bring_no_wrong_verdict():
    with make_server(SETS[0]) as server:
        with Load(server) as load:
            swapping = threading.Thread(target=swap, args=(server, 250))
            swapping.start()
            for _ in range(4):
                server.graceful()
            swapping.join()
        assert load.wrong == []
        put_networks(server, "127.0.0.9\n")
        await_in_force(server, 9)


# --- restarts, and children that die ----------------------------------------------------------------------------------

def test_a_graceful_restart_keeps_the_set_that_was_in_force():
    with make_server() as server:
        put_networks(server, "127.0.0.2\n")
        await_in_force(server, 2)
        put_networks(server, "not right\n")
        server.expect(STAYS)
        wait_until(lambda: any(STAYS in each for each in server.new_lines()), 3, "nothing is said")
        server.graceful()
        assert statuses(server, 1, 2) == [403, 200]
        put_networks(server, "127.0.0.3\n")
        await_in_force(server, 3)


def test_a_graceful_restart_takes_the_changed_set():
    with make_server() as server:
        put_networks(server, "127.0.0.2\n")
        server.graceful()
        await_in_force(server, 2)
        assert status(server, 1) == 403


@pytest.mark.parametrize("mpm", MPMS)
def test_another_child_watches_when_the_one_that_did_is_killed(mpm):
    with make_server(mpm=mpm) as server:
        server.allow(r"AH00052: child pid \d+ exit signal Killed")
        await_children(server, mpm)
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: pid not in server.children(), 5, "a killed child is still there")
        put_networks(server, "127.0.0.2\n")
        await_in_force(server, 2, 4)  # the parent looks for dead children once a second
        assert status(server, 1) == 403


def mapped(server):
    """[(first address, size, what)] of the address space of the server's first process."""
    lines = [line.split() for line in Path(f"/proc/{server.process.pid}/maps").read_text(encoding="ascii").splitlines()]
    spans = [([int(end, 16) for end in line[0].split("-")], line[-1]) for line in lines]
    return [(first, last - first, what) for (first, last), what in spans]


def lists(server):
    """The memory of lists: nothing else is as large."""
    return [first for first, size, _ in mapped(server) if size >= 1 << 30]


def test_a_restart_may_load_the_module_elsewhere():
    rules = CONFIG + in_location("AuthVerify bearer clients=file:conf/list", "/api")
    server = make_server(config=rules)
    put_clients(server, "list", "somebody plain:a-token-of-these-tests\n")
    server.write("api", "here")
    with server:
        before = [first for first, _, what in mapped(server) if "mod_authverify" in what]
        server.modules += ["rewrite", "proxy", "proxy_http", "dav", "headers", "http2", "ssl", "socache_shmcb"]
        server.configure(rules)
        server.graceful()
        assert before[0] not in [first for first, _, what in mapped(server) if "mod_authverify" in what]
        assert statuses(server, 1, 2) == [200, 403]
        assert get(server, "/api", {"Authorization": "Bearer a-token-of-these-tests"}).status == 200


def test_a_file_that_is_no_longer_named_takes_no_memory():
    with make_server() as server:
        assert len(lists(server)) == 1
        server.configure(in_location("AuthVerify none from=127.0.0.1", "/"))
        server.graceful()
        assert lists(server) == []
        server.configure(CONFIG)
        server.graceful()
        assert statuses(server, 1, 2) == [200, 403]


# --- who will read it later -------------------------------------------------------------------------------------------

UNREACHED = "until that is done no change of the file will be seen but by a restart"
LISTED = in_location("AuthVerify bearer clients=file:conf/list", "/")
FILES = {"networks": (CONFIG, "ranges", 0o644, GOOD), "clients": (LISTED, "list", 0o640, "a plain:secret-of-a\n")}


def in_a_folder(config, name):
    return config.replace(f"conf/{name}", f"conf/closed/{name}")


@pytest.mark.skipif(not IS_ROOT, reason="only root starts children as another user")
@pytest.mark.parametrize("kind", FILES)
def test_a_folder_that_keeps_the_children_out_is_told_at_start_and_by_configtest(kind):
    config, name, mode, text = FILES[kind]
    server = make_server(config=in_a_folder(config, name))
    closed = server.root / "conf" / "closed"
    closed.mkdir(mode=0o700)
    os.replace(put_clients(server, name, text, mode), closed / name)
    said = rf"{closed}/{name} may not be read by www-data, who may not enter {closed}; .*{UNREACHED}"
    code, output = server.configtest()
    assert code == 0 and re.search(said, output), output
    with server:
        server.expect(said, 2)  # at start, and at the restart below; and a child does not say it again
        server.graceful()
        get(server, "/x")
        server.allow("refused reason=not-presented")
        closed.chmod(0o755)
        put_clients(server, name, text + text.replace("a ", "b ").replace("-a", "-b").replace("0.2", "0.3"), mode)
        os.replace(server.root / "conf" / name, closed / name)
        wait_until(lambda: any(f"2 {kind} are in force" in each for each in server.new_lines()), 3, "it is not read")


@pytest.mark.skipif(not IS_ROOT, reason="only root starts children as another user")
def test_a_group_that_is_not_the_children_s_is_told_at_start():
    config, name, mode, text = FILES["clients"]
    server = make_server(config=config)
    put_clients(server, name, text, mode, group=False)
    with server:
        server.expect(rf"conf/{name} may not be read by www-data; .*{UNREACHED}", 1)
        get(server, "/x")
        server.allow("refused reason=not-presented")


def test_what_the_children_can_read_is_not_warned_of():
    server = make_server()
    code, output = server.configtest()
    server.close()
    assert code == 0 and UNREACHED not in output
