"""Lists of clients for tests, written as an administrator would.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import os
import pwd
import subprocess

from server import RUN_AS


def sha256(secret):
    """A secret that is only compared, as a list keeps it."""
    data = secret if isinstance(secret, bytes) else secret.encode()
    return "sha256:" + base64.b64encode(hashlib.sha256(data).digest()).decode()


def bcrypt(password, cost=4):
    """A password, as a list keeps it."""
    data = password if isinstance(password, bytes) else password.encode()
    result = subprocess.run(["htpasswd", "-niB", "-C", str(cost), "user"], input=data, check=True, capture_output=True)
    return "bcrypt:" + result.stdout.decode().strip().partition(":")[2]


def put_clients(server, name, text, mode=0o640, group=True):
    """Puts a list in place as a whole: written beside it, then renamed. Returns its path."""
    path = server.root / "conf" / name
    beside = path.with_name(name + ".new")
    beside.write_bytes(text if isinstance(text, bytes) else text.encode())
    beside.chmod(mode)
    if os.geteuid() == 0 and group:
        os.chown(beside, 0, pwd.getpwnam(RUN_AS).pw_gid)
    os.replace(beside, path)
    return path
