"""Holders of keys that tokens are bound to, and the proofs that they send (RFC 9449): made by openssl, without anything
of what is tested.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import functools
import hashlib
import json
import tempfile
import time
import uuid
from pathlib import Path

from tokens import base64url, claims, hs256, openssl, text_of

# What openssl calls a key, and of its public key in DER the last bytes that are its numbers.
KINDS = {
    "ES256": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], {"kty": "EC", "crv": "P-256"}, 32),
    "ES384": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], {"kty": "EC", "crv": "P-384"}, 48),
    "EdDSA": (["-algorithm", "ED25519"], {"kty": "OKP", "crv": "Ed25519"}, 32),
}

PREFIX_OF_P256 = bytes.fromhex("30770201010420"), bytes.fromhex("a00a06082a8648ce3d030107a14403420004")


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def numbers_of(der, size):
    """Both numbers of an ECDSA signature in DER, each of `size` bytes."""
    at, numbers = der.index(b"\x02"), []
    while at < len(der):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(size, "big"))
        at += 2 + length
    return b"".join(numbers)


class Holder:
    """Somebody with a key of his own, for the algorithm; made anew, or that of a private JWK on P-256."""

    def __init__(self, algorithm="ES256", jwk=None):
        self.algorithm = algorithm
        options, self._kind, self._size = KINDS[algorithm]
        if jwk:
            first, second = PREFIX_OF_P256
            numbers = [from_base64url(jwk[name]) for name in ("d", "x", "y")]
            der = first + numbers[0] + second + numbers[1] + numbers[2]
            self._private = openssl("pkey", "-inform", "DER", stdin=der)
        else:
            self._private = openssl("genpkey", *options)

    @functools.cached_property
    def jwk(self):
        der = openssl("pkey", "-pubout", "-outform", "DER", stdin=self._private)
        if self.algorithm == "EdDSA":
            return {**self._kind, "x": base64url(der[-self._size:])}
        return {**self._kind, "x": base64url(der[-2 * self._size:-self._size]), "y": base64url(der[-self._size:])}

    @property
    def thumbprint(self):
        """RFC 7638."""
        text = json.dumps(self.jwk, sort_keys=True, separators=(",", ":"))
        return base64url(hashlib.sha256(text.encode()).digest())

    def _sign(self, text):
        with tempfile.TemporaryDirectory() as folder:
            key, data = Path(folder, "key"), Path(folder, "data")
            key.write_bytes(self._private)
            data.write_bytes(text)
            if self.algorithm == "EdDSA":
                return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", data)
            return numbers_of(openssl("dgst", f"-sha{self.algorithm[2:]}", "-sign", key, data), self._size)

    def sign(self, header, said):
        """A compact token of these values (or texts)."""
        text = f"{base64url(text_of(header))}.{base64url(text_of(said))}"
        return f"{text}.{base64url(self._sign(text.encode()))}"

    def header(self, **more):
        """The header of a proof; None leaves a member out."""
        said = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk, **more}
        return {name: value for name, value in said.items() if value is not None}

    def proof(self, token, url, method="GET", header=None, **more):
        """A proof for one request; None leaves a claim out."""
        said = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time()),
                "ath": base64url(hashlib.sha256(token.encode()).digest()), **more}
        return self.sign(header or self.header(), {name: value for name, value in said.items() if value is not None})

    def token(self, **more):
        """A token that is bound to the key."""
        return hs256(claims(cnf={"jkt": self.thumbprint}, **more))


def shown(token, proof, word="DPoP"):
    """The headers of a request with both."""
    return {"Authorization": f"{word} {token}", "DPoP": proof}
