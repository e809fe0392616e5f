"""tests/bench/run and run_heads work, and their counts are right. How long anything takes is no concern of this file.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from client import request
from server import LOG_SECONDS, Server, wait_until

BENCH = Path(__file__).resolve().parents[1] / "bench"
sys.path.insert(0, str(BENCH))
import loader
import memory

SHORT = ["--rounds", "1", "--seconds", "0.3"]
ROUND = 0.3
CONNECTIONS = 4
# Runs tests/bench/run with a server that lets everything pass in the place of one that verifies.
WITH_THE_RULE_SWITCHED_OFF = """
import runpy, sys
bench = sys.argv.pop(1)
sys.path[:0] = [bench, bench + "/../integration"]
import targets
targets.RULES = dict.fromkeys(targets.RULES, "AuthVerify off\\n")
runpy.run_path(bench + "/run", run_name="__main__")
"""


def run(*command):
    return subprocess.run(["/usr/bin/python3", *command], capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def delivery(tmp_path):
    return loader.Delivery("64k", tmp_path)


def server_that_verifies(secret):
    server = Server('<Location "/">\nAuthVerify github secret=file:${ROOT}/conf/secret\n</Location>')
    server.secret("secret", secret)
    server.write(loader.HOOK_PATH[1:], loader.ANSWER)
    return server


def statuses(server):
    """Of the access log: how often each status was answered."""
    lines = (server.root / "logs" / "access_log").read_text().splitlines()
    return Counter(line.split()[1] for line in lines)


def assert_logged(server, status, count):
    """The server has answered `status` so many times, and perhaps to a request that the loader no longer waited for."""
    wait_until(lambda: statuses(server)[status] >= count, LOG_SECONDS, lambda: f"{statuses(server)}, not {count}")
    assert statuses(server)[status] <= count + CONNECTIONS


def test_a_short_run_measures_every_target_at_all_work_it_was_asked_for(tmp_path):
    result = run(BENCH / "run", *SHORT, "--work", "1k,64k,aws4", "--json", tmp_path / "figures")
    assert result.returncode == 0, result.stdout + result.stderr
    figures = json.loads((tmp_path / "figures").read_text())
    targets = {"bare", "idle", "verifying", "verifying memory=1m"}
    assert figures["wrong"] == []
    assert set(figures["costs"]) == {"1k", "64k", "aws4"}
    for work, rows in figures["costs"].items():
        assert set(rows) == {"pure HMAC-SHA256", *targets}
        for name, row in rows.items():
            assert row["requests"] > 0 and len(row["rounds"]) == 1, (work, name)
            assert row["minimum"] > 0 and f"\n{name} " in result.stdout
    assert set(figures["memory"]) == targets
    assert figures["memory"]["verifying memory=1m"]["after"] > figures["memory"]["verifying"]["after"]
    assert figures["memory"]["verifying"]["after"] > figures["memory"]["bare"]["after"]


@pytest.mark.parametrize("work", ["1k", "aws4"])
def test_a_run_in_which_a_forged_request_passes_fails(work):
    result = run("-c", WITH_THE_RULE_SWITCHED_OFF, BENCH, *SHORT, "--work", work)
    assert result.returncode == 1
    for kind in ("altered", "of another secret", "unsigned"):
        assert f"verifying: a request of 1024 bytes, {kind}, was answered 200, not 401" in result.stderr


def test_a_list_is_read_again_under_load_and_the_ratio_printed():
    result = run(BENCH / "reload", "--clients", "2000", "--seconds", "2", "--rounds", "1")
    assert result.returncode == 0, result.stdout + result.stderr
    row = re.fullmatch(r"\s+([\d.]+)\s+([\d.]+) \|\s+([\d.]+)\s+([\d.]+) \|\s+(\d+)\s+([\d.]+)\s+(\d+) \|\s+([\d.]+)",
                       result.stdout.splitlines()[-1])
    quiet, busy, reloads, longest, answers, ratio = (float(row[at]) for at in (2, 4, 5, 6, 7, 8))
    assert reloads > 0 and longest > 0 and answers > 0 and abs(ratio - busy / quiet) < 0.02 + ratio / 50


def test_a_run_without_a_module_says_so(tmp_path):
    result = subprocess.run([BENCH / "run", "--quick"], capture_output=True, text=True, check=False,
                            env={"PATH": "/usr/sbin:/usr/bin:/bin", "AUTHVERIFY_SO": str(tmp_path / "missing.so")})
    assert result.returncode == 2
    assert "missing.so: build it" in result.stderr


def test_the_loader_counts_what_the_server_answered(delivery):
    with server_that_verifies(loader.SECRET) as server:
        server.allow_refusals("body-incomplete")  # what was on its way at the end is cut off
        answers = loader.load(server.port, delivery, ROUND, CONNECTIONS)
        assert answers.wrong == 0
        assert_logged(server, "200", answers.right)


def test_the_loader_counts_a_refusal_as_wrong(delivery):
    with server_that_verifies("another secret of the bench") as server:
        server.allow_refusals("wrong-signature", "body-incomplete")
        answers = loader.load(server.port, delivery, ROUND, CONNECTIONS)
        assert answers.right == 0
        assert_logged(server, "401", answers.wrong)


def test_the_loader_counts_another_answer_as_wrong(delivery):
    with server_that_verifies(loader.SECRET) as server:
        server.write(loader.HOOK_PATH[1:], "something else")
        answers = loader.load(server.port, delivery, ROUND, CONNECTIONS)
    assert answers.right == 0 and answers.wrong > 0


def test_a_held_request_is_read_but_for_its_last_byte_and_then_answered(delivery):
    with server_that_verifies(loader.SECRET) as server:
        request(server, "POST", loader.HOOK_PATH, delivery.headers, delivery.body)
        held, wrong = memory.hold(server, delivery, 2)
        assert held > 0 and wrong == 0
        wait_until(lambda: statuses(server) == {"200": 3}, LOG_SECONDS, lambda: f"{statuses(server)}")


# --- run_heads --------------------------------------------------------------------------------------------------------

# Runs tests/bench/run_heads with a server that lets everything pass in the place of one that verifies.
HEADS_WITH_THE_RULE_SWITCHED_OFF = """
import runpy, sys
bench = sys.argv.pop(1)
sys.path[:0] = [bench, bench + "/../integration"]
import head_targets
head_targets.rule = lambda work, folder: "off"
runpy.run_path(bench + "/run_heads", run_name="__main__")
"""
HEAD_WORKS = ["token-pair:1", "bearer:10k", "api-key:1", "basic", "networks:10", "introspection:again"]


def test_a_short_run_measures_every_server_at_every_work_it_was_asked_for(tmp_path):
    result = run(BENCH / "run_heads", *SHORT, "--without-peers", "--work", ",".join(HEAD_WORKS), "--json",
                 tmp_path / "figures")
    assert result.returncode == 0, result.stdout + result.stderr
    figures = json.loads((tmp_path / "figures").read_text())
    assert figures["wrong"] == [] and list(figures["works"]) == HEAD_WORKS
    for work, rows in figures["works"].items():
        assert {"bare", "idle", "verifying"} <= set(rows)
        assert all(row["requests"] > 0 and row["minimum"] > 0 and row["memory"] > 0 for row in rows.values())
        assert f"\n{work}: CPU" in result.stdout


def test_a_run_in_which_a_wrong_head_passes_fails():
    result = run("-c", HEADS_WITH_THE_RULE_SWITCHED_OFF, BENCH, *SHORT, "--without-peers", "--work",
                 "bearer:1,networks:10")
    assert result.returncode == 1
    for work, kind in (("bearer:1", "unsigned"), ("bearer:1", "of nobody"), ("bearer:1", "with a wrong secret"),
                       ("networks:10", "of a stranger")):
        assert f"{work}: verifying: a request {kind} was answered 200, not 40" in result.stderr


def test_the_loader_takes_turns():
    """Each of several heads is sent as often as the others."""
    with Server('LogFormat "%u %>s %{X-Number}i" authverify\nCustomLog logs/numbers authverify') as server:
        server.write(loader.HOOK_PATH[1:], loader.ANSWER)
        answers = loader.load(server.port, loader.Heads([{"X-Number": str(number)} for number in range(3)]), ROUND, 1)
        assert answers.wrong == 0 and answers.right > 30
        log = server.root / "logs" / "numbers"
        wait_until(lambda: len(log.read_text().splitlines()) >= answers.right, LOG_SECONDS, "the log is not complete")
        counts = Counter(log.read_text().split()[2::3])
    assert set(counts) == {"0", "1", "2"} and max(counts.values()) - min(counts.values()) <= 1
