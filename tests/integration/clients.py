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


def put_issued(server, name="issued.clients", text="#!issued\n", mode=0o600, give=True):
    """A list that the token endpoint writes, in a folder that is the run user's. Returns its path."""
    folder = server.root / "issued"
    folder.mkdir(exist_ok=True)
    server.give_to_children(folder)
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    if give:
        server.give_to_children(path)
    return path


def put_users(server, users, name="users", cost=4):
    """People's passwords in a file of mod_authn_file, which the children read."""
    path = server.root / "conf" / name
    path.write_text("".join(f"{user}:{bcrypt(password, cost).partition(':')[2]}\n" for user, password in users.items()),
                    encoding="utf-8")
    path.chmod(0o644)
    return path


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
