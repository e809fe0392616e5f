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

from loader import SIZES, pinned
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


def hmac_costs(sizes, folder, core):
    """(OpenSSL's version, CPU microseconds of the HMAC alone for each size). Builds its program in `folder`."""
    program = Path(folder, "hmac_cost")
    subprocess.run(["cc", "-O2", Path(__file__).with_name("hmac_cost.c"), "-lcrypto", "-o", program], check=True)
    result = subprocess.run([*pinned(core), program, *(str(SIZES[size]) for size in sizes)], check=True,
                            capture_output=True, text=True)
    version, *lines = result.stdout.splitlines()
    return version, {size: float(line.split()[1]) for size, line in zip(sizes, lines)}


def describe(openssl):
    processor = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    server = subprocess.run([httpd_binary(), "-v"], check=True, capture_output=True, text=True).stdout
    return {"httpd": server.splitlines()[0].partition(": ")[2], "openssl": openssl, "kernel": platform.release(),
            "cores": os.cpu_count(), "processor": processor[1] if processor else platform.machine()}
