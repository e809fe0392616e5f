"""The machine: its cores, what is on it, and what an HMAC costs there.

SPDX-License-Identifier: Apache-2.0
"""
import os
import platform
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from loader import pinned
from server import httpd_binary


@contextmanager
def two_cores():
    """(core of the servers, core of whoever loads them, this program included); (None, None) where there is but one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("taskset"):
        yield None, None
        return
    os.sched_setaffinity(0, cores[1:2])
    yield cores[0], cores[1]
    os.sched_setaffinity(0, cores)


class Hmac:
    """The HMAC alone, by a program that is built in `folder`."""

    def __init__(self, folder, core):
        self.core = core
        self.program = Path(folder, "hmac_cost")
        subprocess.run(["cc", "-O2", Path(__file__).with_name("hmac_cost.c"), "-lcrypto", "-o", self.program], check=True)
        self.openssl = self._run(0.01, 1)[1]

    def _run(self, seconds, size):
        return subprocess.run([*pinned(self.core), self.program, str(seconds), str(size)], check=True,
                              capture_output=True, text=True).stdout.splitlines()

    def cost(self, seconds, size):
        """(how often it was done in `seconds`, CPU seconds that this took)."""
        done, taken = self._run(seconds, size)[0].split()
        return int(done), float(taken)


def describe(openssl=None):
    """What the figures depend on, for whoever reads them. `openssl` is left out where nothing is said of it."""
    processor = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    server = subprocess.run([httpd_binary(), "-v"], check=True, capture_output=True, text=True).stdout
    return {"httpd": server.splitlines()[0].partition(": ")[2], **({"openssl": openssl} if openssl else {}),
            "kernel": platform.release(), "cores": os.cpu_count(),
            "processor": processor[1] if processor else platform.machine()}
