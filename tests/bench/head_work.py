"""What run_heads asks for: requests whose head alone says who sends them, the lists of those who may, and the requests
that must be refused.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import os
import pwd
import random
import subprocess
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import head_endpoint
import head_tokens
from client import basic
from server import RUN_AS

POOL = 64  # clients, far apart in the list, that take turns
USER, PASSWORD = "alice", "correct horse battery staple"
BCRYPT_COST = 5
KEY_HEADER = "X-Api-Key"
STRANGER = "127.0.0.2"
SCHEMES = ("token-pair", "bearer", "api-key")
COUNTS = {"1": 1, "10k": 10_000, "1m": 1_000_000}
NETWORKS = {"10": 10, "1k": 1_000, "100k": 100_000}
# What verifying may add to bare httpd, in microseconds.
GOALS = {**dict.fromkeys(SCHEMES, 1.5), "basic": 3.0, "networks": 0.5, "jwt-rs256:first": 26, "jwt-rs256:again": 4,
         "jwt-es256:first": 90, "jwt-es256:again": 4, "introspection:again": 4}


@dataclass
class Work:
    """One row of servers to compare."""

    name: str
    kind: str  # a scheme, one of jwt with its algorithm, or "networks"
    count: int  # of clients or networks
    right: list  # headers of each request
    wrong: dict = field(default_factory=dict)  # what is wrong: headers
    refusal: int = 401
    stranger: bool = False  # a right request from STRANGER must be refused
    hash: str = ""  # of PASSWORD


# --- clients ----------------------------------------------------------------------------------------------------------

def token(number):
    text = hashlib.sha256(b"token %d" % number).hexdigest()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def secret(number):
    """50 letters and digits."""
    text = base64.b64encode(hashlib.sha512(b"secret %d" % number).digest(), b"ab")
    return text[:50].decode()


def write(path, lines, mode=0o644):
    """A file for servers to read, whole, one line each."""
    with open(path, "w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in lines)
    path.chmod(mode)
    return path


def client_list(folder, count):
    """As authverify client add writes it: each client's secret is its token's, its key, and half of its pair."""
    def line(number):
        digest = hashlib.sha256(secret(number).encode()).digest()
        return f"{token(number)} sha256:{base64.b64encode(digest).decode()}"
    path = Path(folder, f"clients-{count}")
    if not path.exists():
        write(path, map(line, range(count)), 0o640)
        give(path)
    return path


def give(path):
    """A list of clients belongs to root and is for httpd's children alone."""
    if os.geteuid() == 0:
        os.chown(path, 0, pwd.getpwnam(RUN_AS).pw_gid)


def bcrypt():
    """The password as htpasswd keeps it."""
    done = subprocess.run(["htpasswd", "-niB", "-C", str(BCRYPT_COST), USER], input=PASSWORD, text=True, check=True,
                          capture_output=True)
    return done.stdout.strip().partition(":")[2]


# --- networks ---------------------------------------------------------------------------------------------------------

def networks(count):
    """Networks that no test comes from, in no order, and this machine's loopback address at the end."""
    chance, found = random.Random(count), set()
    while len(found) < count - 1:
        bits = chance.choice((20, 24, 24, 28, 32))
        address = chance.randrange(11 << 24, 100 << 24) >> (32 - bits) << (32 - bits)
        found.add(f"{IPv4Address(address)}/{bits}")
    ordered = sorted(found)
    chance.shuffle(ordered)
    return [*ordered, "127.0.0.1/32"]


# --- requests ---------------------------------------------------------------------------------------------------------

def credential(scheme, number, proof=None):
    """The headers by which a client proves itself."""
    proof = proof or secret(number)
    if scheme == "token-pair":
        return {"X-Auth-Token": token(number), "X-Auth-Secret": proof}
    return {KEY_HEADER: proof} if scheme == "api-key" else {"Authorization": f"Bearer {proof}"}


def scheme_work(scheme, name):
    count = COUNTS[name]
    chosen = sorted({(count - 1) * i // (POOL - 1) for i in range(POOL)})
    return Work(f"{scheme}:{name}", scheme, count, [credential(scheme, number) for number in chosen],
                {"unsigned": {}, "of nobody": credential(scheme, count),
                 "with a wrong secret": credential(scheme, 0, secret(0)[::-1])})


def basic_work():
    return Work("basic", "basic", 1, [basic(USER, PASSWORD)],
                {"unsigned": {}, "with a wrong password": basic(USER, PASSWORD[:-1]),
                 "of nobody": basic("bob", PASSWORD)},
                hash=bcrypt())


def network_work(name):
    return Work(f"networks:{name}", "networks", NETWORKS[name], [{}], refusal=403, stranger=True)


def jwt_work(kind, times):
    return Work(f"{kind}:{times}", kind, 1, head_tokens.pool(kind, times), head_tokens.wrong(kind))


def endpoint_work():
    return Work("introspection:again", head_endpoint.KIND, 1, head_endpoint.pool(), head_endpoint.wrong())


WORKS = {**{f"{scheme}:{count}": lambda s=scheme, c=count: scheme_work(s, c) for scheme in SCHEMES for count in COUNTS},
         "basic": basic_work, **{f"networks:{count}": lambda c=count: network_work(c) for count in NETWORKS},
         **{f"{kind}:{times}": lambda k=kind, t=times: jwt_work(k, t)
            for kind in head_tokens.ALGORITHMS for times in ("first", "again")},
         "introspection:again": endpoint_work}
