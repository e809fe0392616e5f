"""Signs as AWS Signature Version 4 says, with each text on the way in the open. Written from the documentation alone,
so that it and the module agree only where both are right; test_500_sigv4 compares it with signers of others.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import itertools
import re
import time
import zlib
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

HMAC_ALGORITHM = "AWS4-HMAC-SHA256"
ECDSA_ALGORITHM = "AWS4-ECDSA-P256-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_AND_TRAILER = SIGNED_CHUNKS + "-TRAILER"
UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY = hashlib.sha256(b"").hexdigest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def written(now):
    """A second since 1970 as x-amz-date has it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def encode(data):
    return quote(data, safe="-_.~")


def canonical_path(path, s3):
    """S3: each segment decoded and encoded again. Others: dot segments and doubled slashes removed, then encoded."""
    if s3:
        return "/".join(encode(unquote_to_bytes(segment)) for segment in path.split("/")) or "/"
    segments = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    trailing = "/" if segments and re.search(r"/\.{0,2}$", path) else ""
    return "/" + "/".join(encode(segment) for segment in segments) + trailing


def canonical_query(query):
    pairs = (element.partition("=")[::2] for element in query.split("&") if element)
    encoded = [tuple(encode(unquote_to_bytes(part.replace("+", " "))) for part in pair) for pair in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded) if name != "X-Amz-Signature")


def canonical_value(value):
    return re.sub(" +", " ", value.strip())


@dataclass(frozen=True)
class Signed:
    """A signature, what it was made from, and the headers or the target that carry it."""

    canonical: str
    string_to_sign: str
    signature: str
    target: str
    headers: dict
    now: int


@dataclass(frozen=True)
class Signer:
    """The owner of one key."""

    access_key: str = "AKIDOFTHETESTS000001"
    secret: str = "secretOfTheTests/0123456789+abcdefghijkl"
    token: str = None
    region: str = "us-east-1"
    service: str = "s3"
    s3: bool = True

    def scope(self, now):
        return f"{written(now)[:8]}/{self.region}/{self.service}/aws4_request"

    def key(self, now):
        key = b"AWS4" + self.secret.encode()
        for part in self.scope(now).split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key

    def signature_of(self, text, now):
        return hmac.new(self.key(now), text.encode(), hashlib.sha256).hexdigest()

    def stages(self, method, target, headers, names, payload, now):
        """(canonical request, string to sign, signature)"""
        path, _, query = target.partition("?")
        values = {name.lower(): canonical_value(value) for name, value in headers.items()}
        lines = "".join(f"{name}:{values[name]}\n" for name in names)
        canonical = "\n".join([method, canonical_path(path, self.s3), canonical_query(query), lines, ";".join(names),
                               payload])
        text = "\n".join([HMAC_ALGORITHM, written(now), self.scope(now), sha256(canonical.encode())])
        return canonical, text, self.signature_of(text, now)

    def sign(self, method, target, headers=None, body=b"", payload=None, now=None):
        """Signs in a header. `headers` must have Host; all of them are signed. `payload` is what is said of the body
        instead of its hash."""
        now = int(time.time()) if now is None else now
        payload = payload or sha256(body)
        fields = {**headers, "X-Amz-Date": written(now)}
        if self.s3 or payload == UNSIGNED:
            fields["X-Amz-Content-Sha256"] = payload
        if self.token:
            fields["X-Amz-Security-Token"] = self.token
        names = sorted(name.lower() for name in fields)
        stages = self.stages(method, target, fields, names, payload, now)
        fields["Authorization"] = (f"{HMAC_ALGORITHM} Credential={self.access_key}/{self.scope(now)}, "
                                   f"SignedHeaders={';'.join(names)}, Signature={stages[2]}")
        return Signed(*stages, target, fields, now)

    def presign(self, method, target, headers=None, expires=300, payload=UNSIGNED, now=None):
        """Signs in the query. `headers` must have Host; all of them are signed."""
        now = int(time.time()) if now is None else now
        names = sorted(name.lower() for name in headers)
        parameters = {"X-Amz-Algorithm": HMAC_ALGORITHM, "X-Amz-Credential": f"{self.access_key}/{self.scope(now)}",
                      "X-Amz-Date": written(now), "X-Amz-SignedHeaders": ";".join(names)}
        if expires is not None:
            parameters["X-Amz-Expires"] = str(expires)
        if self.token:
            parameters["X-Amz-Security-Token"] = self.token
        target += ("&" if "?" in target else "?") + "&".join(f"{name}={encode(value)}"
                                                             for name, value in parameters.items())
        stages = self.stages(method, target, headers, names, payload, now)
        return Signed(*stages, f"{target}&X-Amz-Signature={stages[2]}", dict(headers), now)

    def chunk_text(self, seed, previous, data):
        """What is signed of one chunk of the stream whose head is `seed`."""
        return "\n".join([HMAC_ALGORITHM + "-PAYLOAD", written(seed.now), self.scope(seed.now), previous, EMPTY,
                          sha256(data)])

    def trailer_text(self, seed, previous, trailer):
        lines = "".join(f"{name.lower()}:{value}\n" for name, value in trailer.items())
        return "\n".join([HMAC_ALGORITHM + "-TRAILER", written(seed.now), self.scope(seed.now), previous,
                          sha256(lines.encode())])

    def stream(self, seed, chunks, trailer=None):
        """The segments of a body of signed chunks, ended by the empty one; with a signed trailer where there is one."""
        previous = seed.signature
        for data in itertools.chain(chunks, [b""]):
            previous = self.signature_of(self.chunk_text(seed, previous, data), seed.now)
            line = b"%x;chunk-signature=%s\r\n" % (len(data), previous.encode())
            yield line + data + b"\r\n" if data or trailer is None else line
        if trailer is not None:
            signature = self.signature_of(self.trailer_text(seed, previous, trailer), seed.now)
            lines = {**trailer, "x-amz-trailer-signature": signature}
            yield "".join(f"{name}:{value}\r\n" for name, value in lines.items()).encode() + b"\r\n"

    def sign_stream(self, method, target, headers, chunks, trailer=None, now=None):
        """(what was signed of the head, the segments of the body). `headers` must have Host."""
        fields = {**headers, "Content-Encoding": "aws-chunked",
                  "X-Amz-Decoded-Content-Length": str(sum(len(data) for data in chunks))}
        if trailer is not None:
            fields["X-Amz-Trailer"] = ",".join(trailer)
        payload = SIGNED_CHUNKS if trailer is None else SIGNED_CHUNKS_AND_TRAILER
        seed = self.sign(method, target, fields, payload=payload, now=now)
        return seed, list(self.stream(seed, chunks, trailer))


# NIST P-256: n of SEC 2 section 2.4.2; its name as an object identifier.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME256V1 = bytes.fromhex("06082a8648ce3d030107")


def ecdsa_key(access_key, secret):
    """The private key of AWS4-ECDSA-P256-SHA256, derived as NIST SP 800-108 section 4.1 has it in counter mode. Written
    as RFC 5915 says, without the public key, for openssl."""
    for counter in range(1, 255):
        text = b"\0\0\0\1" + ECDSA_ALGORITHM.encode() + b"\0" + access_key.encode() + bytes([counter]) + b"\0\0\1\0"
        candidate = int.from_bytes(hmac.new(b"AWS4A" + secret.encode(), text, hashlib.sha256).digest(), "big")
        if candidate <= ORDER - 2:
            break
    number = (candidate + 1).to_bytes(32, "big")
    content = b"\x02\x01\x01\x04\x20" + number + b"\xa0" + bytes([len(PRIME256V1)]) + PRIME256V1
    return b"\x30" + bytes([len(content)]) + content


def unsigned_stream(chunks, trailer):
    """The segments of a body whose chunks carry no signatures."""
    yield from (b"%x\r\n%s\r\n" % (len(data), data) for data in chunks if data)
    yield b"0\r\n" + "".join(f"{name}:{value}\r\n" for name, value in trailer.items()).encode() + b"\r\n"


def crc32(*blocks):
    """The checksum as x-amz-checksum-crc32 has it."""
    checksum = 0
    for block in blocks:
        checksum = zlib.crc32(block, checksum)
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()
