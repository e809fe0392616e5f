"""Each shipped preset accepts what its provider sends, refuses what was altered, and says in its head what it does.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from backends import RecordingBackend
from client import github, post, request
from clock import Clock
from server import Server, preset_folder
from vectors import ANY_TIME, load_vectors, location
from verdict import TELL, label_of, reason_of


def name_of(path):
    return path.stem


PRESETS = sorted(Path(preset_folder()).glob("*.conf"), key=name_of)
VECTORS = load_vectors()
ACCEPTED = [vector for vector in VECTORS if vector.verdict == "accept" and vector.signed is not None]

BEHIND = TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'


# --- the files --------------------------------------------------------------------------------------------------------

def test_all_presets_are_there():
    assert [path.stem for path in PRESETS] == [
        "bitbucket", "discord", "gitea", "github", "gitlab", "line", "linear", "paddle", "pagerduty", "shopify",
        "slack", "standard-webhooks", "standard-webhooks-v1a", "stripe", "svix", "zoom"]


@pytest.mark.parametrize("path", PRESETS, ids=name_of)
def test_the_head_names_the_documentation_and_what_is_signed(path):
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# ") and lines[1] == "# SPDX-License-Identifier: Apache-2.0"
    head = "\n".join(line for line in lines if line.startswith("#"))
    assert re.search(r"^# Documentation  https://\S+$", head, re.M)
    for word in ("Signed", "Not signed", "Secret"):
        assert re.search(rf"^# {word} +\S", head, re.M), word


@pytest.mark.parametrize("path", PRESETS, ids=name_of)
def test_a_file_defines_the_preset_of_its_name_and_nothing_else(path):
    text = re.sub(r"\\\n\s*", "", path.read_text())
    directives = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert [words[:3] for words in directives] == [["AuthVerifyPreset", path.stem, "signature"]]


@pytest.mark.parametrize("path", PRESETS, ids=name_of)
def test_every_preset_has_a_vector_that_it_accepts_and_one_that_it_refuses(path):
    assert {vector.verdict for vector in VECTORS if vector.preset == path.stem} == {"accept", "refuse"}


def test_a_preset_file_can_also_be_included():
    server = Server(f'Include "{preset_folder()}/github.conf"\n'
                    '<Location "/">\nAuthVerify github secret=file:${ROOT}/conf/github\n</Location>\n')
    secret = "a secret of the included preset"
    server.secret("github", secret)
    server.allow(r"preset")
    with server:
        server.write("page.html", "proven")
        server.refusal("wrong-signature", 1)
        assert post(server, "/page.html", github(secret, b"x"), b"x").status == 200
        assert post(server, "/page.html", github(secret, b"x"), b"y").status == 401


# --- the vectors ------------------------------------------------------------------------------------------------------

def openssl_hmac(key, text):
    return subprocess.run(["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"],
                          input=text, capture_output=True, check=True).stdout


def openssl_verifies(public_key, signature, text, folder):
    der = bytes.fromhex("302a300506032b6570032100") + public_key  # RFC 8410 section 4
    for name, data in (("key", der), ("signature", signature), ("text", text)):
        (folder / name).write_bytes(data)
    return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", folder / "key",
                           "-rawin", "-in", folder / "text", "-sigfile", folder / "signature"], capture_output=True,
                          check=False).returncode == 0


def key_of(vector):
    secret = vector.secrets[vector.detail]
    if vector.preset == "discord":
        return bytes.fromhex(secret)
    if vector.preset in ("standard-webhooks", "standard-webhooks-v1a", "svix"):
        return base64.b64decode(re.sub(r"^wh(sec|pk)_", "", secret))
    return secret.encode()


@pytest.mark.parametrize("vector", ACCEPTED, ids=lambda vector: vector.name)
def test_the_signed_text_of_a_vector_is_signed(vector, tmp_path):
    values = " ".join(value for _, value in vector.headers)
    if vector.preset == "discord":
        signature = bytes.fromhex(dict(vector.headers)["X-Signature-Ed25519"])
        assert openssl_verifies(key_of(vector), signature, vector.signed, tmp_path)
    elif vector.preset == "standard-webhooks-v1a":
        signature = base64.b64decode(re.search(r"v1a,(\S+)", values)[1])
        assert openssl_verifies(key_of(vector), signature, vector.signed, tmp_path)
    else:
        proof = openssl_hmac(key_of(vector), vector.signed)
        assert base64.b64encode(proof).decode() in values or proof.hex() in values.lower()


@pytest.fixture(scope="module")
def running():
    with Clock(ANY_TIME) as clock, RecordingBackend() as backend:
        server = Server("", modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port},
                        environment=clock.environment, allow=[r"refused reason="])
        server.configure(BEHIND + "".join(location(server, vector) for vector in VECTORS))
        with server:
            yield server, clock, backend


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_verdict_is_the_expected_one(running, vector):
    server, clock, backend = running
    clock.stop_at(vector.clock)
    backend.reset()
    response = request(server, vector.method, vector.target, dict(vector.headers), vector.body)
    if vector.verdict == "accept":
        assert (response.status, reason_of(response), label_of(response)) == (200, "accepted", vector.detail)
        assert [received.sha256 for received in backend.requests] == [hashlib.sha256(vector.body).hexdigest()]
    else:
        assert (response.status, reason_of(response)) == (401, vector.detail)
        assert backend.count == 0
