"""The program authverify, run as a script would.

SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess
from pathlib import Path

PROGRAM = Path(os.environ.get("AUTHVERIFY_BUILD", str(Path(__file__).resolve().parents[2]))) / "authverify"
OK, REFUSED, USAGE, FILE, NO_ANSWER = 0, 1, 2, 3, 4


def run(*words, status=OK, secret=None, folder=None, env=()):
    """What the program prints. Where it must fail, what it says of that."""
    done = subprocess.run([str(PROGRAM), *map(str, words)], input=secret, capture_output=True, text=True, cwd=folder,
                          timeout=60, env={**os.environ, **dict(env)})
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done.stderr if status in (USAGE, FILE, NO_ANSWER) else done.stdout
