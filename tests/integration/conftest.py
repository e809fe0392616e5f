"""Every test reads the error log of every server that runs; a line that it did not declare fails it.

SPDX-License-Identifier: Apache-2.0
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from backends import PhpBackend, RecordingBackend
from server import Server


@pytest.fixture(autouse=True)
def error_logs_hold_nothing_unexpected():
    yield
    problems = []
    for server in list(Server.alive):
        try:
            server.check_log()
        except AssertionError as error:
            server.keep = True
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        for server in Server.alive:
            server.keep = True


@pytest.fixture(scope="session")
def long_run():
    return os.environ.get("AUTHVERIFY_LONG") == "1"


@pytest.fixture(scope="module")
def backend():
    with RecordingBackend() as running:
        yield running


@pytest.fixture(scope="session")
def php():
    with PhpBackend() as running:
        yield running


@pytest.fixture(scope="session")
def certificate():
    """A folder with key.pem and certificate.pem for test.example."""
    folder = Path(tempfile.mkdtemp(prefix="authverify-tls-"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days",
                    "2", "-subj", "/CN=test.example", "-addext", "basicConstraints=critical,CA:FALSE", "-addext",
                    "subjectAltName=DNS:test.example", "-keyout", folder / "key.pem", "-out",
                    folder / "certificate.pem"], check=True, capture_output=True)
    yield folder
    shutil.rmtree(folder)
