"""The program authverify, run as a script would.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess
from pathlib import Path

from server import preset_folder

PROGRAM = Path(os.environ.get("AUTHVERIFY_BUILD", str(Path(__file__).resolve().parents[2]))) / "authverify"
OK, REFUSED, USAGE, FILE, NO_ANSWER = 0, 1, 2, 3, 4


def run(*words, status=OK, secret=None, folder=None, env=()):
    """What the program prints. Where it must fail, what it says of that."""
    done = subprocess.run([str(PROGRAM), *map(str, words)], input=secret, capture_output=True, text=True, cwd=folder,
                          timeout=60, env={**os.environ, **dict(env)})
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done.stderr if status in (USAGE, FILE, NO_ANSWER) else done.stdout


def check(request, *rules, status=OK, words=(), folder=None):
    rules = [word for rule in rules for word in ("--rule", rule)]
    return json.loads(run("check", "--path", preset_folder(), "--json", *rules, *words, request, status=status,
                          folder=folder))


def capture(path, headers, method="GET", target="/", body=b"", host="localhost"):
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n" + "".join(line + "\r\n" for line in headers) + "\r\n"
    path.write_bytes(head.encode() + body)
    return path
