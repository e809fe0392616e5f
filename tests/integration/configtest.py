"""How a configuration is put in place so that a mistake in it can be traced to its line, and what a failing start says.

SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess

import pytest

from server import START_SECONDS, httpd_binary, wait_until

IS_ROOT = os.geteuid() == 0


def in_location(lines, path="/"):
    return f'<Location "{path}">\n{lines}\n</Location>\n'


def put(server, marked):
    """Puts a configuration in place whose line of interest begins with "> "; returns "line N of FILE" of that line."""
    lines = marked.split("\n")
    at = next((number for number, line in enumerate(lines) if line.startswith("> ")), None)
    server.configure("\n".join(line.removeprefix("> ") for line in lines) + "\n")
    if at is None:
        return None
    before = len(server.config_file.read_text().split("\n")) - len(lines) - 1
    return f"line {before + at + 1} of {server.config_file}"


def command(server, *arguments):
    return [httpd_binary(), "-d", str(server.root), "-f", str(server.config_file), *arguments]


def await_second_reading(server):
    """httpd reads its configuration twice when it starts, and listens from the first time on."""
    wait_until(lambda: "resuming normal operations" in server.error_log.read_text(), START_SECONDS,
               "httpd is not ready")


def failing_start(server):
    """(exit status, all that was said) of a start that ends by itself. Fails if httpd comes up instead."""
    process = subprocess.Popen(command(server, "-DFOREGROUND"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=server.environment)
    try:
        output, _ = process.communicate(timeout=START_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        output, _ = process.communicate()
        pytest.fail(f"httpd started in spite of the mistake\n{output.decode()}")
    said = output.decode() + (server.error_log.read_text() if server.error_log.exists() else "")
    server.error_log.unlink(missing_ok=True)
    return process.returncode, said


def assert_says(output, where, parts):
    assert where in output, f"{where} is not named in:\n{output}"
    for part in parts:
        assert part in output, f"{part!r} is not said in:\n{output}"
