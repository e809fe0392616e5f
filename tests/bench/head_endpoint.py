"""Opaque tokens for run_heads, and the endpoint that is asked about them.

SPDX-License-Identifier: Apache-2.0
"""
import functools
import json
import sys
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from issuer import Issuer
from tokens import AUDIENCE, bearer, claims

KIND = "introspection"
AGAIN = 64
PATH = "/introspect"


def tokens():
    return [f"2YotnFZFEjr1zCsicMWpAA.{number:08}" for number in range(AGAIN)]


def answer(_, form):
    is_known = urllib.parse.parse_qs(form)["token"][0] in tokens()
    said = claims(jti="00000000", scope="orders.read orders.write")
    return json.dumps({"active": True, "token_type": "Bearer", **said} if is_known else {"active": False})


@functools.cache
def endpoint():
    """Lives as long as the run: its threads end with the process."""
    issuer = Issuer()
    issuer.documents[PATH] = answer
    return issuer


def rule(secret):
    """What follows AuthVerify: no answer is asked for twice in a run."""
    issuer = endpoint()
    return f"introspection endpoint={issuer.url}{PATH} endpoint-authorities={issuer.authorities} client-id=bench " \
           f"secret=file:{secret} audience={AUDIENCE} cache=3600"


def pool():
    """Headers of requests in turn."""
    return [bearer(token) for token in tokens()]


def wrong():
    """What is wrong: headers."""
    return {"unsigned": {}, "of nobody": bearer(tokens()[0][:-1] + "x"), "cut off": bearer(tokens()[0][:-1])}
