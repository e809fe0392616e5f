"""wrk as the loader: one delivery as GitHub signs it, sent again and again, and its answers counted.

SPDX-License-Identifier: Apache-2.0
"""
import math
import re
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from client import github

SECRET = "0123456789abcdef0123456789abcdef01234567"
PATH = "/hook"
ANSWER = "01234567890123456789"
SIZES = {"1k": 1 << 10, "64k": 64 << 10, "1m": 1 << 20, "16m": 16 << 20}
# Enough to keep a core busy. At 16 MiB one does, and leaves no request half done at the end of a round.
CONNECTIONS = {"1k": 16, "64k": 8, "1m": 4, "16m": 1}
STUCK_SECONDS = 60

Answers = namedtuple("Answers", "right wrong")


class Delivery:
    """A POST to PATH with a JSON body of exactly `size` bytes. Keeps the body in `folder` too, for wrk."""

    def __init__(self, size, folder):
        head, tail = b'{"action":"opened","padding":"', b'"}'
        self.body = head + b"." * (size - len(head) - len(tail)) + tail
        self.headers = {"User-Agent": "GitHub-Hookshot/0", "Content-Type": "application/json", "X-GitHub-Event": "push",
                        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", **github(SECRET, self.body)}
        self.file = Path(folder, f"body-{size}")
        self.file.write_bytes(self.body)


def pinned(core):
    """The beginning of a command that is to stay on one core; None: on any."""
    return [] if core is None else ["taskset", "-c", str(core)]


def load(port, delivery, seconds, connections, core=None):
    """Sends `delivery` over kept-alive connections for `seconds`. Counts as Answers: 200 with ANSWER, and all else."""
    headers = [f"{name}: {value}" for name, value in delivery.headers.items()]
    command = [*pinned(core), "wrk", "-t1", f"-c{connections}", f"-d{math.ceil(seconds) + STUCK_SECONDS}s",
               "--timeout", f"{STUCK_SECONDS}s", "-s", Path(__file__).with_name("load.lua"),
               f"http://127.0.0.1:{port}{PATH}", "--", str(seconds), delivery.file, ANSWER, *headers]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = re.search(r"^right=(\d+) wrong=(\d+)$", result.stdout, re.M)
    if not counts:
        raise RuntimeError(f"wrk: {result.stderr or result.stdout}")
    return Answers(*map(int, counts.groups()))
