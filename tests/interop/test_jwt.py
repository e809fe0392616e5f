"""Tokens of the libraries that people sign them with: npm's jose and jsonwebtoken, and PyJWT.

Needs what node.py says, and PyJWT with cryptography.
SPDX-License-Identifier: Apache-2.0
"""
import json
import tempfile

import pytest

from client import get
from configtest import in_location
from node import run_node
from server import Server
from tokens import SAID, bearer, claims

SECRET = "a shared secret that is as long as the longest hash: 64 bytes ..."
PUBLIC = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)]
SHARED = ["HS256", "HS384", "HS512"]
JOBS = [{"library": library, "algorithm": name} for library, names in
        [("jose", [*PUBLIC, "EdDSA", *SHARED]), ("jsonwebtoken", [*PUBLIC, *SHARED])] for name in names]


def location(name, algorithm, source):
    return in_location(f"AuthVerify jwt {source} algorithms={algorithm} {SAID}", f"/{name}/")


def answers(config, files, requests):
    """Statuses of requests (path, token) under a configuration with files of keys."""
    server = Server(config, allow=["refused reason=(wrong-signature|wrong-audience|token-expired)"])
    for name, text in files.items():
        server.secret(name, text)
    for path, _ in requests:
        server.write(path, "here")
    with server:
        return [get(server, f"/{path}", bearer(token)).status for path, token in requests]


def forged(token):
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[:4]}{'A' if signature[4] != 'A' else 'B'}{signature[5:]}"


def test_tokens_of_npm_packages():
    with tempfile.TemporaryDirectory() as folder:
        said = json.loads(run_node("tokens.mjs", json.dumps({"claims": claims(), "secret": SECRET, "jobs": JOBS}),
                                   folder))
    config = "".join(location(name, name, "secret=file:conf/shared" if name in SHARED else "keys=file:conf/set")
                     for name in {job["algorithm"] for job in JOBS})
    requests = [(f"{job['algorithm']}/x", token) for job, token in zip(JOBS, said["tokens"])]
    files = {"shared": SECRET, "set": json.dumps(said["keys"])}
    assert answers(config, files, requests) == [200] * len(JOBS)
    assert answers(config, files, [(path, forged(token)) for path, token in requests]) == [401] * len(JOBS)


def private_key(name):
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    if name.startswith("ES"):
        return ec.generate_private_key({"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[name]())
    return ed25519.Ed25519PrivateKey.generate() if name == "EdDSA" else rsa.generate_private_key(65537, 2048)


def pem_of(key):
    from cryptography.hazmat.primitives import serialization
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def test_tokens_of_pyjwt():
    jwt = pytest.importorskip("jwt")
    names = [*PUBLIC, "EdDSA", *SHARED]
    keys = {name: SECRET if name in SHARED else private_key(name) for name in names}
    config = "".join(location(name, name, f"{'secret' if name in SHARED else 'keys'}=file:conf/{name}")
                     for name in names)
    files = {name: key if name in SHARED else pem_of(key) for name, key in keys.items()}
    requests = [(f"{name}/x", jwt.encode(claims(), key, algorithm=name)) for name, key in keys.items()]
    assert answers(config, files, requests) == [200] * len(names)
    for other in (claims(aud="other"), claims(exp=1)):
        assert answers(config, files, [(f"{name}/x", jwt.encode(other, key, algorithm=name))
                                       for name, key in keys.items()]) == [401] * len(names)
    assert answers(config, files, [(path, forged(token)) for path, token in requests]) == [401] * len(names)
