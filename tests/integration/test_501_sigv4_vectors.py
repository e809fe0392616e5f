"""This project's own cases of aws4, tests/vectors/aws4: the verdict, what is handed on, and each text on the way there.

SPDX-License-Identifier: Apache-2.0
"""
import itertools
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from aws4_signer import Signer, canonical_value, ecdsa_key
from backends import RecordingBackend
from client import Connection
from clock import Clock
from command_line import OK, REFUSED, check
from server import Server, free_port
from verdict import TELL, label_of, reason_of

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "aws4"
BEHIND = TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/" nocanon\nMergeSlashes off\nAllowEncodedSlashes NoDecode\n'


@dataclass(frozen=True)
class Vector:
    folder: Path
    rule: str
    head: str
    sent: bytes    # the body on its way
    body: bytes    # what it carries
    verdict: str   # "accept" or "refuse"
    detail: str    # label or reason
    clock: int

    @property
    def name(self):
        return self.folder.name

    @property
    def method(self):
        return self.head.split(" ", 1)[0]

    @property
    def target(self):
        return self.head.split(" ", 2)[1]

    @property
    def wire(self):
        return self.head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + self.sent

    def text(self, name):
        path = self.folder / f"{name}.txt"
        return path.read_bytes().decode() if path.exists() else None


def load(folder):
    head, _, sent = (folder / "request.txt").read_bytes().partition(b"\n\n")
    lines = dict(line.split(maxsplit=1) for line in (folder / "expect.txt").read_text().splitlines())
    verdict = "accept" if "accept" in lines else "refuse"
    carried = folder / "body.txt"
    return Vector(folder=folder, rule=(folder / "rule.txt").read_text().strip(), head=head.decode(), sent=sent,
                  body=carried.read_bytes() if carried.exists() else sent, verdict=verdict, detail=lines[verdict],
                  clock=int(lines["clock"]))


VECTORS = [load(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()]
STAGED = [vector for vector in VECTORS if vector.text("canonical") is not None]


def names(vectors):
    return [vector.name for vector in vectors]


# --- the texts --------------------------------------------------------------------------------------------------------

def dgst(text, *key):
    result = subprocess.run(["openssl", "dgst", "-sha256", *(["-mac", "HMAC", "-macopt", key[0]] if key else [])],
                            input=text.encode(), capture_output=True, check=True)
    return result.stdout.decode().split()[-1]


def key_of(vector, secret):
    """The signing key, in hexadecimal, as the README of the vectors makes it."""
    key = dgst(vector.text("string-to-sign").split("\n")[2].split("/")[0], f"key:AWS4{secret}")
    for part in vector.text("string-to-sign").split("\n")[2].split("/")[1:]:
        key = dgst(part, f"hexkey:{key}")
    return key


def secret_that_signed(vector):
    return vector.text("secret").removesuffix("\n").removeprefix("another" if "wrong-secret" in vector.name else "")


def texts_of(vector):
    """What is signed of the head, of each chunk and of the trailer, in order."""
    found = [vector.text(name) for name in ("string-to-sign", "chunk-1", "chunk-2", "chunk-3", "trailer")]
    return [text for text in found if text is not None]


HMAC = [vector for vector in STAGED if not vector.name.startswith("v4a")]
ECDSA = [vector for vector in STAGED if vector.name.startswith("v4a")]


@pytest.mark.parametrize("vector", HMAC, ids=names(HMAC))
def test_openssl_makes_each_signature_of_a_case_from_its_text(vector):
    key = key_of(vector, secret_that_signed(vector))
    assert vector.text("string-to-sign").split("\n")[3] == dgst(vector.text("canonical"))
    head, *chunks = texts_of(vector)
    previous = dgst(head, f"hexkey:{key}")
    assert f"Signature={previous}" in vector.head
    for text in chunks:
        assert text.split("\n")[3] == previous
        previous = dgst(text, f"hexkey:{key}")
        assert previous.encode() in vector.sent or vector.verdict == "refuse"


@pytest.mark.parametrize("vector", ECDSA, ids=names(ECDSA))
def test_openssl_verifies_each_signature_of_sigv4a(vector, tmp_path):
    access_key = re.search(r"access-key=(\S+)", vector.rule)[1]
    (tmp_path / "key").write_bytes(ecdsa_key(access_key, secret_that_signed(vector)))
    subprocess.run(["openssl", "ec", "-in", tmp_path / "key", "-inform", "DER", "-pubout", "-out", tmp_path / "public"],
                   check=True, capture_output=True)
    assert vector.text("string-to-sign").split("\n")[3] == dgst(vector.text("canonical"))
    signatures = re.findall("[Ss]ignature[=:]([0-9a-f]+)", vector.head + vector.sent.decode())
    for text, signature in zip(texts_of(vector), signatures, strict=True):
        (tmp_path / "signature").write_bytes(bytes.fromhex(signature))
        result = subprocess.run(["openssl", "dgst", "-sha256", "-verify", tmp_path / "public", "-signature",
                                 tmp_path / "signature"], input=text.encode(), capture_output=True, check=False)
        is_forged = vector.verdict == "refuse" and text.split("\n")[0].endswith("-PAYLOAD")
        assert result.returncode == 0 or is_forged


@pytest.mark.parametrize("vector", [vector for vector in STAGED if vector.verdict == "accept"],
                         ids=lambda vector: vector.name)
def test_the_canonical_request_is_that_of_the_request(vector):
    canonical = vector.text("canonical")
    signed, payload = canonical.split("\n")[-2:]
    service = vector.text("string-to-sign").split("\n")[2].split("/")[-2]
    fields = {}
    for line in vector.head.split("\n")[1:]:
        name, _, value = line.partition(":")
        fields[name.lower()] = canonical_value(value)
    made = Signer(s3=service == "s3").stages(vector.method, vector.target, fields, signed.split(";"), payload, 0)
    assert made[0] == canonical


# --- httpd ------------------------------------------------------------------------------------------------------------

class Running:
    """httpd with a rule for each case at a port of its own."""

    def __init__(self, server, clock, ports, backend):
        self.server, self.clock, self.ports, self.backend = server, clock, ports, backend

    def send(self, vector):
        self.backend.reset()
        self.clock.stop_at(vector.clock)
        with Connection(self.ports[vector.name]) as connection:
            connection.send_in_background([vector.wire])
            return connection.final_response()


def place(server, vector, port):
    (server.root / "conf" / vector.name).mkdir()
    rule = vector.rule
    for name in re.findall(r"file:(\S+)", rule):
        rule = rule.replace(f"file:{name}", server.secret(f"{vector.name}/{name}", (vector.folder / name).read_bytes()))
    return (f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName store.example\n{BEHIND}"
            f'<Location "/">\nAuthVerify {rule}\n</Location>\n</VirtualHost>\n')


@pytest.fixture(scope="module")
def running():
    ports = {vector.name: free_port() for vector in VECTORS}
    with Clock(VECTORS[0].clock) as clock, RecordingBackend() as backend:
        server = Server("", modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port},
                        environment=clock.environment)
        server.configure("".join(place(server, vector, ports[vector.name]) for vector in VECTORS))
        with server:
            yield Running(server, clock, ports, backend)


@pytest.mark.parametrize("vector", VECTORS, ids=names(VECTORS))
def test_a_case_ends_as_it_says(running, vector):
    answer = running.send(vector)
    if vector.verdict == "refuse":
        running.server.refusal(vector.detail, 1)
        assert reason_of(answer) == vector.detail and running.backend.count == 0, answer
        return
    assert (answer.status, label_of(answer)) == (200, vector.detail), answer
    (got,) = running.backend.requests
    assert (got.length, got.sha256) == (len(vector.body), answer.json()["sha256"])
    assert got.sha256 == dgst(vector.body.decode())


# --- the command line -------------------------------------------------------------------------------------------------

def lines_after(steps, title):
    """The lines that stand numbered behind a title of the explanation."""
    behind = steps[steps.index(title) + 1:]
    numbered = itertools.takewhile(bool, (re.fullmatch(r" *\d+  (.*)", line) for line in behind))
    return [match[1] for match in numbered]


@pytest.mark.parametrize("vector", VECTORS, ids=names(VECTORS))
def test_the_command_line_says_the_same_and_shows_the_texts(vector, tmp_path):
    shutil.copytree(vector.folder, tmp_path / "case")
    for path in (tmp_path / "case").iterdir():
        path.chmod(0o600)
    status = OK if vector.verdict == "accept" else REFUSED
    found = check("request.txt", vector.rule, words=("--time", vector.clock), folder=tmp_path / "case", status=status)
    assert found["reason"] == (vector.detail if vector.verdict == "refuse" else "accepted"), found
    if vector.verdict == "accept":
        assert found["label"] == vector.detail
        for title, name in (("canonical request:", "canonical"), ("string to sign:", "string-to-sign")):
            assert lines_after(found["steps"], title) == vector.text(name).split("\n")


def test_there_are_cases():
    assert len(VECTORS) >= 60 and {vector.verdict for vector in VECTORS} == {"accept", "refuse"}
