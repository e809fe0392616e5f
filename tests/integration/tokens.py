"""Tokens as senders make them, signed without anything of what is tested: by Python's hmac and by openssl.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import functools
import hashlib
import hmac
import json
import subprocess
import tempfile
import time
from pathlib import Path

ISSUER = "https://issuer.example/"
AUDIENCE = "https://api.example/"
SECRET = "a shared secret of at least 32 bytes"
FAR = 4102444800  # the year 2100

# What a rule for these tokens says besides its keys.
SAID = f"issuer={ISSUER} audience={AUDIENCE}"


def base64url(value):
    return base64.urlsafe_b64encode(value if isinstance(value, bytes) else value.encode()).rstrip(b"=").decode()


def text_of(part):
    return part if isinstance(part, (str, bytes)) else json.dumps(part, separators=(",", ":"))


def claims(**more):
    """Claims of a token that is in force; None leaves one out."""
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": int(time.time()) - 5, "exp": FAR, **more}
    return {name: value for name, value in said.items() if value is not None}


def hs256(said, header=None, secret=SECRET):
    """A token of claims (or of a text) that is signed with a shared secret."""
    text = f"{base64url(text_of(header or {'alg': 'HS256'}))}.{base64url(text_of(said))}"
    return f"{text}.{base64url(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True).stdout


class Key:
    """An RSA key for RS256, made anew."""

    def __init__(self, kid=None):
        self.kid = kid
        self.private = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-quiet")
        self.pem = openssl("pkey", "-pubout", stdin=self.private).decode()

    @functools.cached_property
    def jwk(self):
        modulus = openssl("rsa", "-modulus", "-noout", stdin=self.private).decode().strip().partition("=")[2]
        named = {"kid": self.kid} if self.kid else {}
        return {"kty": "RSA", "n": base64url(bytes.fromhex(modulus)), "e": "AQAB", **named}

    def sign(self, said, header=None):
        named = {"kid": self.kid} if self.kid else {}
        text = f"{base64url(text_of(header or {'alg': 'RS256', **named}))}.{base64url(text_of(said))}"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "private.pem"
            file.write_bytes(self.private)
            signature = openssl("dgst", "-sha256", "-sign", str(file), stdin=text.encode())
        return f"{text}.{base64url(signature)}"


def key_set(*keys):
    return json.dumps({"keys": [key.jwk for key in keys]})


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
