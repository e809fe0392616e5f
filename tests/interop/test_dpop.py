"""Proofs of possession by the libraries that people sign them with: npm's oauth4webapi, dpop and jose, PyJWT, Authlib.

Needs what node.py says, and of Debian python3-authlib and python3-jwt.
SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json
import time
import uuid

import pytest

from client import get
from configtest import in_location
from node import run_node
from server import Server
from test_jwt import private_key
from tokens import SAID, SECRET, base64url, claims, hs256

RULE = (f"AuthVerify jwt algorithms=HS256 secret=file:conf/shared {SAID} dpop=required "
        "dpop-algorithms=ES256,EdDSA,RS256,PS256\nAuthVerifyExternalURL http://127.0.0.1:${PORT}")
JOBS = [{"library": library, "algorithm": name} for library in ("oauth4webapi", "dpop", "jose")
        for name in ("ES256", "Ed25519", "RS256", "PS256")]


@pytest.fixture(scope="module")
def server():
    config = in_location(RULE, "/plain") + in_location(RULE.replace("dpop=", "dpop-nonce=on dpop="), "/nonce")
    httpd = Server(config)
    httpd.secret("shared", SECRET)
    for name in ("plain", "nonce"):
        httpd.write(name, "here")
    with httpd:
        yield httpd


def test_npm_packages_prove(server, tmp_path):
    base = f"http://127.0.0.1:{server.port}"
    text = json.dumps({"urls": {"plain": f"{base}/plain", "nonce": f"{base}/nonce"}, "secret": SECRET,
                       "claims": claims(), "jobs": JOBS})
    server.refusal("nonce-required", len(JOBS))
    server.refusal("unproven-binding", len(JOBS))
    server.refusal("proof-replayed", 8)
    wanted = {"fresh": 200, "again": 401, "borne": 401, "asked": 401, "nonce": 200}
    for job, answer in zip(JOBS, json.loads(run_node("proofs.mjs", text, tmp_path)), strict=True):
        assert answer == {name: status for name, status in wanted.items() if name in answer}, job
        assert ("again" in answer) == (job["library"] != "oauth4webapi")


def said_for(server, token):
    return {"jti": str(uuid.uuid4()), "htm": "GET", "htu": f"http://127.0.0.1:{server.port}/plain",
            "iat": int(time.time()), "ath": base64url(hashlib.sha256(token.encode()).digest())}


def by_pyjwt(algorithm, jwk, key, said):
    jwt = pytest.importorskip("jwt")
    return jwt.encode(said, key, algorithm=algorithm, headers={"typ": "dpop+jwt", "jwk": jwk})


def by_authlib(algorithm, jwk, key, said):
    jose = pytest.importorskip("authlib.jose")
    header = {"typ": "dpop+jwt", "alg": algorithm, "jwk": jwk}
    return jose.JsonWebSignature([algorithm]).serialize_compact(header, json.dumps(said).encode(), key).decode()


def public_jwk(key):
    """By PyJWT, of which 2.6 drops a coordinate's first byte where that is zero (RFC 7518 section 6.2.1.2)."""
    from jwt import algorithms
    public = key.public_key()
    if hasattr(public, "curve"):
        numbers = public.public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": base64url(numbers.x.to_bytes(32, "big")),
                "y": base64url(numbers.y.to_bytes(32, "big"))}
    name = "RSAAlgorithm" if hasattr(public, "public_numbers") else "OKPAlgorithm"
    jwk = json.loads(getattr(algorithms, name).to_jwk(public))
    return {member: value for member, value in jwk.items() if member != "key_ops"}


def thumbprint_of(jwk):
    """RFC 7638."""
    return base64url(hashlib.sha256(json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()).digest())


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256", "PS256"])
@pytest.mark.parametrize("prove", [by_pyjwt, by_authlib])
def test_python_proves(server, prove, algorithm):
    key = private_key(algorithm)
    jwk = public_jwk(key)
    token = hs256(claims(cnf={"jkt": thumbprint_of(jwk)}))
    headers = {"Authorization": f"DPoP {token}", "DPoP": prove(algorithm, jwk, key, said_for(server, token))}
    assert get(server, "/plain", headers).status == 200
    server.refusal("proof-replayed", 1)
    assert get(server, "/plain", headers).status == 401
