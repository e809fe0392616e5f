"""A token endpoint for tests: its keys and clients, requests for tokens, and tokens read by openssl.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import json
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote_plus, urlencode

from client import basic, post

ISSUER = "https://id.example.com"
AUDIENCE = "https://api.example.com"
FORM = "application/x-www-form-urlencoded"
SECRET = "a shared secret of at least 32 bytes"

# How openssl makes a key for an algorithm.
KINDS = {
    "RS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "PS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ES256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ES384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "EdDSA": ["-algorithm", "ED25519"],
}


def openssl(*arguments, stdin=b"", check=True):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, check=check, capture_output=True)


def private_key(algorithm):
    """A private key in PEM, made anew; for HMAC the secret."""
    return openssl("genpkey", "-quiet", *KINDS[algorithm]).stdout if algorithm in KINDS else SECRET.encode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _der_integer(number):
    data = number.lstrip(b"\0") or b"\0"
    data = (b"\0" if data[0] & 0x80 else b"") + data
    return b"\x02" + bytes([len(data)]) + data


def _der_signature(raw):
    """ECDSA's two numbers as openssl wants them."""
    half = len(raw) // 2
    body = _der_integer(raw[:half]) + _der_integer(raw[half:])
    return b"\x30" + bytes([len(body)]) + body


def _is_signed(text, signature, algorithm, private):
    if algorithm.startswith("HS"):
        return hmac.compare_digest(signature, hmac.new(private, text, hashlib.sha256).digest())
    with tempfile.TemporaryDirectory() as folder:
        key, proof, signed = (Path(folder, name) for name in ("key", "proof", "text"))
        key.write_bytes(openssl("pkey", "-pubout", stdin=private).stdout)
        proof.write_bytes(_der_signature(signature) if algorithm.startswith("ES") else signature)
        signed.write_bytes(text)
        if algorithm == "EdDSA":
            command = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", key, "-sigfile", proof, "-in", signed]
        else:
            padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
            command = ["dgst", f"-sha{algorithm[2:]}", *(padding if algorithm.startswith("PS") else []), "-verify", key,
                       "-signature", proof, signed]
        return openssl(*command, check=False).returncode == 0


def read_token(token, private):
    """(header, claims) of a token, once its signature is found right."""
    text, _, signature = token.rpartition(".")
    header, claims = (json.loads(decode(part)) for part in text.split("."))
    assert _is_signed(text.encode(), decode(signature), header["alg"], private), "the signature is wrong"
    return header, claims


def token_line(key, clients, *more, algorithm="ES256", issuer=ISSUER, insecure=True):
    """An AuthVerifyToken line; `key` is a source or several."""
    keys = [key] if isinstance(key, str) else key
    words = [f"clients=file:{clients}", *(f"key={each}" for each in keys), f"algorithm={algorithm}",
             f"issuer={issuer}", f"audience={AUDIENCE}", *more]
    return "AuthVerifyToken " + " ".join(words + (["insecure=on"] if insecure else [])) + "\n"


def in_header(client, secret):
    """client_secret_basic."""
    return basic(quote_plus(client), quote_plus(secret))


def ask(server, path="/oauth/token", headers=None, grant_type="client_credentials", **parameters):
    """Asks for a token; a parameter that is None is left out."""
    said = {"grant_type": grant_type, **parameters}
    body = urlencode({name: value for name, value in said.items() if value is not None})
    return post(server, path, {"Content-Type": FORM, **(headers or {})}, body.encode())
