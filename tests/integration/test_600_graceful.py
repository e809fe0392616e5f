"""Verdicts while httpd restarts under load, and what a restart takes over and gives back.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import signal
import threading
from pathlib import Path

import pytest

from client import Connection, Payload, get, github, head, post
from server import Server, is_sanitized, session_members, wait_until

SECRET = "the secret of the restart tests"
LONG = os.environ.get("AUTHVERIFY_LONG") == "1"
MPMS = ["event", "worker", "prefork"]
MOST_AT_REST = 1 + 8  # the parent, and MaxSpareServers of prefork; the other MPMs have fewer
CONFIG = """
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
<Location "/">
    AuthVerify github secret=file:${ROOT}/conf/github
    AuthVerifyBody memory=16k
</Location>
"""
SMALL, LARGE = Payload(300).data, Payload(200000).data


def make_server(backend, mpm, config=CONFIG, **more):
    server = Server(config, mpm=mpm, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port}, **more)
    server.secret("github", SECRET)
    return server


class Load:
    """Threads that send signed and forged requests, each on a connection of its own.

    wrong   answers that are not the right one: a verdict, or a body that arrived changed
    lost    connections that were refused, reset or closed before the whole answer was there"""

    def __init__(self, server, threads=4):
        self.server = server
        self.wrong, self.lost = [], []
        self.counts = {"accepted": 0, "refused": 0}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]

    def _run(self, number):
        turn = number
        while not self._stop.is_set():
            turn += 1
            body = LARGE if turn % 5 == 0 else SMALL
            self._send(turn % 2 == 0, body)

    def _send(self, good, body):
        try:
            answer = post(self.server, "/x", github(SECRET if good else "another secret", body), body)
            report = answer.json()
        except (OSError, AssertionError, ValueError) as error:
            self.lost.append(repr(error))
            return
        with self._lock:
            self.counts["accepted" if good else "refused"] += 1
            if answer.status != (200 if good else 401) or good and report["length"] != len(body):
                self.wrong.append(repr(answer))

    def wait_for(self, more):
        target = sum(self.counts.values()) + more
        wait_until(lambda: sum(self.counts.values()) >= target, 60,
                   lambda: f"no progress: {self.counts} {self.wrong[:3]}")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


@pytest.mark.parametrize("mpm", MPMS)
def test_every_verdict_is_right_while_httpd_restarts_gracefully_under_load(backend, mpm):
    with make_server(backend, mpm) as server:
        server.allow_refusals("wrong-signature")
        with Load(server) as load:
            for _ in range(20 if LONG else 4):
                load.wait_for(40)
                server.graceful()
            load.wait_for(40)
        assert load.wrong == load.lost == []
        assert min(load.counts.values()) > 50
        server.assert_nothing_spooled()


@pytest.mark.parametrize("mpm", MPMS)
def test_every_verdict_is_right_while_children_are_killed_under_load(backend, mpm):
    with make_server(backend, mpm) as server:
        server.allow_refusals("wrong-signature")
        server.allow(r"AH00052: child pid \d+ exit signal Killed")
        with Load(server) as load:
            for _ in range(10 if LONG else 3):
                load.wait_for(30)
                victim = server.children()[0]
                os.kill(victim, signal.SIGKILL)
                wait_until(lambda: victim not in server.children(), 20, "a killed child is still there")
                wait_until(server.children, 20, "no child took the place of the killed one")
            load.wait_for(40)
        assert load.wrong == []


@pytest.mark.parametrize("mpm", MPMS)
def test_a_request_that_has_begun_is_finished_by_the_old_generation(backend, mpm):
    with make_server(backend, mpm) as server:
        with Connection(server.port) as connection:
            connection.send(head("POST", "/x", {**github(SECRET, LARGE), "Content-Length": str(len(LARGE))}),
                            LARGE[:100000])
            wait_until(server.spooled, 10, "the body did not reach the spool folder")
            server.graceful()
            connection.send(LARGE[100000:])
            assert connection.response().json()["length"] == len(LARGE)
        server.assert_nothing_spooled()


@pytest.mark.parametrize("mpm", MPMS)
def test_a_new_secret_counts_from_the_restart_on_and_an_old_one_no_more(backend, mpm):
    with make_server(backend, mpm) as server:
        server.secret("github", "the next secret of the restart tests")
        assert get(server, "/x", github(SECRET)).status == 200
        old = set(server.children())
        server.graceful()
        wait_until(lambda: not old & set(server.children()), 20, "the old children did not leave")
        assert get(server, "/x", github("the next secret of the restart tests")).status == 200
        server.refusal("wrong-signature", 1)
        assert get(server, "/x", github(SECRET)).status == 401


def test_a_restart_with_a_bad_secret_ends_httpd_rather_than_opening_it(backend):
    server = make_server(backend, "event")
    with server:
        (server.root / "conf" / "github").write_bytes(b"")
        server.allow(r"AH00018|Syntax error on line|AH00526|Configuration Failed|AuthVerify")
        server.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: server.process.poll() is not None, 20, "httpd goes on")
        with pytest.raises(OSError):
            get(server, "/x")


@pytest.mark.parametrize("mpm", MPMS)
def test_restarts_leak_no_descriptors_and_no_processes(backend, mpm):
    def descriptors():
        folder = Path(f"/proc/{server.process.pid}/fd")
        return sorted(re.sub(r"\d+", "N", os.readlink(entry)) for entry in folder.iterdir())

    def settled():
        return len(session_members(server.process.pid))
    with make_server(backend, mpm) as server:
        for _ in range(2):
            server.graceful()
        before = descriptors()
        for _ in range(8):
            server.graceful()
            assert get(server, "/x", github(SECRET)).status == 200
        wait_until(lambda: descriptors() == before, 10, lambda: f"{descriptors()} are not {before}")
        wait_until(lambda: settled() <= MOST_AT_REST, 20, lambda: f"{settled()} processes are left")


ONE_CHILD = CONFIG.replace('${BACKEND}/"', '${BACKEND}/" disablereuse=on') + """
StartServers 1
ServerLimit 1
MaxRequestWorkers 16
MaxSpareThreads 16
"""


def test_a_child_keeps_no_descriptor(backend):
    def descriptors():
        names = []
        for entry in Path(f"/proc/{server.children()[0]}/fd").iterdir():
            try:
                names.append(os.readlink(entry))
            except FileNotFoundError:
                continue
        return sorted(name for name in names if not name.startswith("socket:"))
    with make_server(backend, "event", ONE_CHILD) as server:
        server.allow_refusals("wrong-signature", "not-presented", "body-incomplete")

        def one_round():
            assert post(server, "/x", github(SECRET, LARGE), LARGE).status == 200
            assert post(server, "/x", github("another secret", LARGE), LARGE).status == 401
            assert get(server, "/x").status == 401
            with Connection(server.port) as connection:
                connection.send(head("POST", "/x", {**github(SECRET), "Content-Length": "100000"}), b"x" * 50000)
        for _ in range(3):
            one_round()
        server.assert_nothing_spooled()
        before = descriptors()
        for _ in range(20):
            one_round()
        server.assert_nothing_spooled()
        wait_until(lambda: descriptors() == before, 10, lambda: f"{descriptors()} are not {before}")


@pytest.mark.skipif(is_sanitized(), reason="the sanitizer keeps freed memory; the plain build runs this")
def test_the_first_and_the_thousandth_request_of_a_child_are_judged_alike(backend):
    with make_server(backend, "event", ONE_CHILD) as server:
        server.allow_refusals("wrong-signature")
        before = None
        with Connection(server.port) as connection:
            for turn in range(1000):
                good = turn % 3 != 0
                answer = post(server, "/x", github(SECRET if good else "no", SMALL), SMALL, connection=connection)
                assert answer.status == (200 if good else 401), turn
                if turn == 300:
                    before = server.anonymous_memory()
        assert server.anonymous_memory() - before < 1 << 20


def test_a_child_that_serves_few_connections_makes_way_for_the_next(backend):
    with make_server(backend, "prefork", CONFIG + "MaxConnectionsPerChild 3\n") as server:
        server.allow_refusals("wrong-signature")
        for turn in range(60):
            good = turn % 2 == 0
            assert post(server, "/x", github(SECRET if good else "no", LARGE), LARGE).status == (200 if good else 401)
