"""wrk as the loader: one request, as GitHub or a client of AWS signs it, or several heads in turn, again and again, and
the answers counted.

SPDX-License-Identifier: Apache-2.0
"""
import math
import re
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from aws4_signer import Signer
from client import github

SECRET = "0123456789abcdef0123456789abcdef01234567"
ANSWER = "01234567890123456789"
HOST = "bench.test"


def of_github(body, secret):
    return github(secret, body)


def of_aws(body, secret):
    """A call of an API, its body hashed, with the headers that an SDK signs."""
    signer = Signer(secret=secret, service="execute-api", s3=False)
    signed = signer.sign("POST", AWS_PATH, {"Host": HOST, "Content-Type": "application/json"}, body)
    return {name: signed.headers[name] for name in ("X-Amz-Date", "Authorization")}


# path      where it is sent
# size      of the body
# connections  enough to keep a core busy. At 16 MiB one does, and leaves no request half done at the end of a round
# sign      makes the headers that prove a body under a secret
# hashed    how many bytes of HMAC are as much work as all hashing of one request
Work = namedtuple("Work", "path size connections sign hashed")
HOOK_PATH, AWS_PATH = "/hook", "/aws"
WORKS = {name: Work(HOOK_PATH, size, connections, of_github, size)
         for name, size, connections in (("1k", 1 << 10, 16), ("64k", 64 << 10, 8), ("1m", 1 << 20, 4),
                                         ("16m", 16 << 20, 1))}
WORKS["aws4"] = Work(AWS_PATH, 1 << 10, 16, of_aws, 1600)  # body, canonical request and string to sign: 27 blocks
STUCK_SECONDS = 60

Answers = namedtuple("Answers", "right wrong")


class Delivery:
    """A signed POST of the work `name`, with a JSON body of its size. Keeps the body in `folder` too, for wrk."""

    def __init__(self, name, folder):
        self.work = WORKS[name]
        head, tail = b'{"action":"opened","padding":"', b'"}'
        self.body = head + b"." * (self.work.size - len(head) - len(tail)) + tail
        self.unsigned = {"Host": HOST, "User-Agent": "GitHub-Hookshot/0", "Content-Type": "application/json",
                         "X-GitHub-Event": "push", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
        self.headers = self.signed(SECRET)
        self.method, self.path, self.pool = "POST", self.work.path, [self.headers]
        self.file = Path(folder, f"body-{name}")
        self.file.write_bytes(self.body)

    def signed(self, secret):
        """The headers under a secret."""
        return {**self.unsigned, **self.work.sign(self.body, secret)}


class Heads:
    """GETs without a body: one for each of `pool`, the headers of a request, in turn."""

    def __init__(self, pool):
        self.method, self.path, self.pool, self.file = "GET", HOOK_PATH, pool, "/dev/null"

    def turn(self, count):
        """The next load begins so many requests later: what a server was sent lately comes last."""
        count %= len(self.pool)
        self.pool = self.pool[count:] + self.pool[:count]


def pinned(core):
    """The beginning of a command that is to stay on one core; None: on any."""
    return [] if core is None else ["taskset", "-c", str(core)]


def load(port, delivery, seconds, connections, core=None):
    """Sends `delivery`, or Heads, over kept-alive connections for `seconds`. Counts as Answers: 200 with ANSWER, and
    all else."""
    command = [*pinned(core), "wrk", "-t1", f"-c{connections}", f"-d{math.ceil(seconds) + STUCK_SECONDS}s",
               "--timeout", f"{STUCK_SECONDS}s", "-s", Path(__file__).with_name("load.lua"),
               f"http://127.0.0.1:{port}{delivery.path}", "--", str(seconds), delivery.method, delivery.file, ANSWER]
    requests = ("\n".join(f"{name}: {value}" for name, value in headers.items()) for headers in delivery.pool)
    result = subprocess.run(command, input="\n\n".join(requests), capture_output=True, text=True, check=False)
    counts = re.search(r"^right=(\d+) wrong=(\d+)$", result.stdout, re.M)
    if not counts:
        raise RuntimeError(f"wrk: {result.stderr or result.stdout}")
    return Answers(*map(int, counts.groups()))
