"""Access tokens for run_heads, as an identity provider signs them, and the key that proves them.

Needs the Python package cryptography (Debian: python3-cryptography).
SPDX-License-Identifier: Apache-2.0
"""
import functools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from tokens import base64url, bearer, claims, text_of

ALGORITHMS = {"jwt-rs256": "RS256", "jwt-es256": "ES256"}
# By as many as that no token is remembered when its turn comes again: 4096 are, and of what came since one in 140 spares
# the place of one.
UNREMEMBERED = 20_480
AGAIN = 64


class Signer:
    """A fresh key of the algorithm."""

    def __init__(self, algorithm):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec, rsa
        self.algorithm = algorithm
        self._key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) if algorithm == "RS256"
                     else ec.generate_private_key(ec.SECP256R1()))
        self.pem = self._key.public_key().public_bytes(serialization.Encoding.PEM,
                                                       serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def _signature(self, text):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        if self.algorithm == "RS256":
            return self._key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return b"".join(part.to_bytes(32, "big")
                        for part in decode_dss_signature(self._key.sign(text, ec.ECDSA(hashes.SHA256()))))

    def token(self, number):
        said = base64url(text_of(claims(jti=f"{number:08}", scope="orders.read orders.write")))
        text = f"{base64url(text_of({'alg': self.algorithm, 'typ': 'JWT'}))}.{said}"
        return f"{text}.{base64url(self._signature(text.encode()))}"


@functools.cache
def signer(kind):
    return Signer(ALGORITHMS[kind])


@functools.cache
def tokens(kind):
    return [signer(kind).token(number) for number in range(UNREMEMBERED)]


def pool(kind, times):
    """Headers of requests in turn: each token new to the server, or sent again and again."""
    return [bearer(token) for token in tokens(kind)[:AGAIN if times == "again" else UNREMEMBERED]]


def wrong(kind):
    """What is wrong: headers."""
    genuine = tokens(kind)[0]
    head, said, signature = genuine.split(".")
    altered = base64url(text_of(claims(jti="00000000", scope="everything")))
    return {"unsigned": {}, "of another key": bearer(Signer(ALGORITHMS[kind]).token(0)),
            "with other claims": bearer(f"{head}.{altered}.{signature}"), "cut off": bearer(genuine[:-1])}
