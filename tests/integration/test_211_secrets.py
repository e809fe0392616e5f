"""Where secrets come from, who may read them, and when they are read.

SPDX-License-Identifier: Apache-2.0
"""
import signal
import subprocess

import pytest

from client import github, post
from configtest import IS_ROOT, assert_says, command, failing_start, in_location, put
from server import RUN_AS, START_SECONDS, STOP_SECONDS, Server, accepts, wait_until

SECRET = "the secret of the tests of secrets"
ROTATED = "the secret that came after it"
FROM_FILE = "secret=file:${ROOT}/conf/github"


def assert_verifies(server, secret=SECRET, path="/page.html"):
    server.refusal("wrong-signature")
    assert post(server, path, github("some other secret", b"x"), b"x").status == 401
    assert post(server, path, github(secret, b"x"), b"x").status == 200


@pytest.fixture(scope="module")
def bench():
    """A ServerRoot in which configurations are tested; no server runs there."""
    server = Server("")
    yield server
    server.close()


# --- tested by an ordinary user ---------------------------------------------------------------------------------------

def as_ordinary_user(server, *arguments):
    """Runs httpd as somebody who may not read what root keeps for itself."""
    words = command(server, *arguments)
    if IS_ROOT:
        words = ["setpriv", f"--reuid={RUN_AS}", f"--regid={RUN_AS}", "--clear-groups", *words]
    return subprocess.run(words, capture_output=True, text=True, env=server.environment, timeout=START_SECONDS,
                          check=False)


@pytest.fixture
def closed_secret(bench):
    """Where a rule stands whose secret an ordinary user may not read."""
    if not (bench.root / "conf" / "closed").exists():
        bench.secret("closed", SECRET, 0o600 if IS_ROOT else 0)
    return put(bench, in_location("> AuthVerify github secret=file:${ROOT}/conf/closed"))


def test_an_ordinary_user_may_test_the_configuration(bench, closed_secret):
    result = as_ordinary_user(bench, "-t")
    assert result.returncode == 0, result.stderr
    assert "Syntax OK" in result.stderr
    assert_says(result.stderr, closed_secret, ['conf/closed" was not checked: this user may not read it'])


@pytest.mark.parametrize("words, text", [
    ("secret=file:${ROOT}/conf/closed strip=yes", "must be on or off"),
    ("secret=file:${ROOT}/conf/closed secret=file:${ROOT}/conf/no-such-file", "does not exist"),
], ids=["option", "missing secret"])
def test_an_ordinary_user_still_learns_of_mistakes(bench, closed_secret, words, text):
    where = put(bench, in_location(f"> AuthVerify github {words}"))
    result = as_ordinary_user(bench, "-t")
    assert result.returncode == 1
    assert_says(result.stderr, where, ["AuthVerify: ", text])


def test_an_ordinary_user_cannot_start_without_the_secret(bench, closed_secret):
    result = as_ordinary_user(bench, "-DFOREGROUND")
    assert result.returncode == 1
    assert_says(result.stderr, closed_secret, ["may not be read by this user; start httpd as root or as its owner"])


# --- sources ----------------------------------------------------------------------------------------------------------

def program(server, name, text, mode=0o700):
    """A program for exec:; it notes each run in a file of its name with .runs behind it."""
    path = server.root / "conf" / name
    path.write_text(f"#!/bin/sh\necho run >>'{path}.runs'\n{text}\n")
    path.chmod(mode)
    return f"secret=exec:{path}"


def runs(server, name):
    path = server.root / "conf" / f"{name}.runs"
    return path.read_text().count("run") if path.exists() else 0


PROGRAM_IN_PRESET = "AuthVerifyPreset mine github secret=exec:${ROOT}/conf/print-secret\n"


@pytest.mark.parametrize("config", [
    in_location("AuthVerify github secret=exec:${ROOT}/conf/print-secret"),
    PROGRAM_IN_PRESET + in_location("AuthVerify mine"),
    PROGRAM_IN_PRESET + in_location("AuthVerify mine") + in_location("AuthVerify mine realm=b", "/b"),
], ids=["of a rule", "of a preset", "of a preset that two rules use"])
def test_a_program_runs_once_for_each_start_and_never_for_a_test(config):
    server = Server(config)
    program(server, "print-secret", f"echo '{SECRET}'")
    server.write("page.html", "page")
    status, output = server.configtest()
    assert (status, runs(server, "print-secret")) == (0, 0), output
    with server:
        assert_verifies(server)
        assert runs(server, "print-secret") == 1
        server.graceful()
        assert_verifies(server)
        assert runs(server, "print-secret") == 2


# What is wrong with a program, and whether it must not run to be found.
PROGRAMS = {
    "fails": (lambda server: program(server, "fails", "exit 3"), "failed with status 3; run it by hand", False),
    "is killed": (lambda server: program(server, "is-killed", "kill -9 $$"), "was ended by signal 9; run it by hand",
                  False),
    "says nothing": (lambda server: program(server, "is-silent", "true"), "is empty; put a secret into it", False),
    "says too much": (lambda server: program(server, "is-loud", "head -c 70000 /dev/zero | tr '\\0' x"),
                      "gives more than 65536 bytes", False),
    "may not be run": (lambda server: program(server, "is-data", "true", 0o600), "cannot be run: Permission denied",
                       False),
    "is missing": (lambda server: "secret=exec:/no/such/program", "does not exist", True),
    "is writable by others": (lambda server: program(server, "is-open", "true", 0o777),
                              "is writable by others; run: chmod o-w",
                              True),
    "is writable by its group": (lambda server: program(server, "is-shared", "true", 0o770),
                                 "is writable by its group; run: chmod g-w", True),
}


@pytest.mark.parametrize("make, text, is_seen_unrun", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_program_that_gives_no_secret_stops_the_start(bench, make, text, is_seen_unrun):
    where = put(bench, in_location(f"> AuthVerify github {make(bench)}"))
    status, output = bench.configtest()
    assert status == int(is_seen_unrun), output
    if is_seen_unrun:
        assert_says(output, where, ["AuthVerify: ", text])
    status, output = failing_start(bench)
    assert status == 1, output
    assert_says(output, where, ["AuthVerify: ", text])


def test_secrets_come_from_the_environment_and_from_systemd():
    server = Server(in_location("AuthVerify github secret=env:HOOK_SECRET")
                    + in_location("AuthVerify github secret=credential:hook", "/credential/"))
    folder = server.root / "credentials"
    folder.mkdir()
    (folder / "hook").write_text(ROTATED + "\n")
    (folder / "hook").chmod(0o400)
    server.environment.update(CREDENTIALS_DIRECTORY=str(folder), HOOK_SECRET=SECRET)
    for name in ("page.html", "credential/page.html"):
        server.write(name, "page")
    with server:
        assert_verifies(server, SECRET)
        assert_verifies(server, ROTATED, "/credential/page.html")


LINE_ENDS = {"lf": (SECRET + "\n", SECRET), "crlf": (SECRET + "\r\n", SECRET),
             "two-lf": (SECRET + "\n\n", SECRET + "\n"),
             "blanks": (f" {SECRET} ", f" {SECRET} "), "cr": (SECRET + "\r", SECRET + "\r"),
             "lf-before": ("\n" + SECRET, "\n" + SECRET), "nul": (SECRET + "\0", SECRET + "\0")}


def test_one_line_end_is_cut_off_a_file_and_nothing_else():
    server = Server("".join(in_location(f"AuthVerify github secret=file:conf/{name}", f"/{name}/")
                            for name in LINE_ENDS))
    for name, (text, _) in LINE_ENDS.items():
        server.secret(name, text)
        server.write(f"{name}/page.html", "page")
    with server:
        for name, (_, secret) in LINE_ENDS.items():
            assert_verifies(server, secret, f"/{name}/page.html")


# --- restarts ---------------------------------------------------------------------------------------------------------

def test_a_graceful_restart_reads_the_secret_again_and_nothing_else_does():
    server = Server(in_location(f"AuthVerify github {FROM_FILE}"))
    server.secret("github", SECRET)
    server.write("page.html", "page")
    with server:
        assert_verifies(server, SECRET)
        server.secret("github", ROTATED)
        assert_verifies(server, SECRET)
        server.graceful()
        assert_verifies(server, ROTATED)
        assert post(server, "/page.html", github(SECRET, b"x"), b"x").status == 401


def test_during_a_rotation_both_secrets_are_valid():
    server = Server(in_location(f"AuthVerify github {FROM_FILE} secret=file:${{ROOT}}/conf/next"))
    server.secret("github", SECRET)
    server.secret("next", ROTATED)
    server.write("page.html", "page")
    with server:
        assert_verifies(server, SECRET)
        assert_verifies(server, ROTATED)


def end_of_graceful_restart(server):
    server.process.send_signal(signal.SIGUSR1)
    status = server.process.wait(START_SECONDS)
    wait_until(lambda: not accepts(server.port), STOP_SECONDS, "somebody still listens")
    return status


def test_a_graceful_restart_with_a_broken_secret_ends_httpd_as_every_mistake_does():
    """httpd gives up when a restart finds a mistake, whose ever it is; `apachectl graceful` asks `httpd -t` first."""
    stock = Server("", authverify=False)
    with stock:
        stock.configure("NoSuchDirective on\n")
        stock.allow("NoSuchDirective|Syntax error")
        stock_status = end_of_graceful_restart(stock)

    server = Server("")
    server.secret("github", SECRET)
    server.write("page.html", "page")
    where = put(server, in_location(f"> AuthVerify github {FROM_FILE}"))
    with server:
        assert_verifies(server)
        server.secret("github", "")
        status, output = server.configtest()
        assert status == 1
        assert_says(output, where, ["is empty; put a secret into it"])
        assert_verifies(server)
        server.expect(f"Syntax error on {where}: AuthVerify: secret file .* is empty; put a secret into it", 1)
        server.expect("AH00018: Configuration check failed, exiting", 1)
        assert end_of_graceful_restart(server) == stock_status == 1
