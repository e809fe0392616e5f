"""The providers' own SDKs sign, now, and httpd says of each delivery what the SDK says of it.

Needs what node.py says.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import secrets
import time
from dataclasses import dataclass

import pytest

from deliveries import receiver
from node import run_node

SDKS = ["github", "line", "standard-webhooks", "stripe", "svix"]
SDKS_WITH_TIME = ["standard-webhooks", "stripe", "svix"]

# JSON, because that is what the SDKs send and stripe's parses; with what a careless verifier would change.
BODIES = {
    "plain": '{"id":"evt_1","type":"invoice.paid"}',
    "blanks": '{\r\n  "id" : "evt_2",\n\t"list" : [ 1,  2 ]\n}\n',
    "unicode": '{"name":"Zoë 🎉 日本語","escaped":"\\u00e9\\ud83d\\ude00"}',
    "long": json.dumps({"items": ["0123456789abcdef"] * 20000}),
}


def fresh_secret(sdk):
    """As the provider hands it out."""
    if sdk in ("standard-webhooks", "svix"):
        return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    return ("whsec_" if sdk == "stripe" else "") + secrets.token_hex(16)


SECRETS = {sdk: {name: fresh_secret(sdk) for name in ("new", "old")} for sdk in SDKS}


@dataclass(frozen=True)
class Delivery:
    """What one SDK signs, and what arrives of it."""

    sdk: str
    kind: str
    body: str
    arriving: str
    secret: str
    age: int
    reason: str
    label: str = None

    @property
    def job(self):
        """For sign.mjs. The receiver's own view of the secret is the newer one, unless the older one signed."""
        configured = SECRETS[self.sdk]["old" if self.label == "old" else "new"]
        return {"sdk": self.sdk, "id": f"msg_{secrets.token_hex(8)}", "time": int(time.time()) - self.age,
                "signed": {"secret": self.secret, "body": self.body},
                "sent": {"secret": configured, "body": self.arriving}}


def _deliveries(sdk):
    new, old = SECRETS[sdk].values()
    for kind, body in BODIES.items():
        yield Delivery(sdk, f"accepted-{kind}", body, body, new, 0, "accepted", "new")
    body = BODIES["plain"]
    yield Delivery(sdk, "older-secret", body, body, old, 0, "accepted", "old")
    yield Delivery(sdk, "altered", body, body.replace("evt_1", "evt_2"), new, 0, "wrong-signature")
    yield Delivery(sdk, "line-end-added", body, body + "\n", new, 0, "wrong-signature")
    yield Delivery(sdk, "wrong-secret", body, body, fresh_secret(sdk), 0, "wrong-signature")
    if sdk in SDKS_WITH_TIME:
        yield Delivery(sdk, "recent", body, body, new, 240, "accepted", "new")
        yield Delivery(sdk, "stale", body, body, new, 3600, "too-late")


DELIVERIES = [delivery for sdk in SDKS for delivery in _deliveries(sdk)]


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """What sign.mjs makes of all deliveries: {delivery: {"headers", "accepted"}}."""
    text = json.dumps([delivery.job for delivery in DELIVERIES])
    answers = run_node("sign.mjs", text, tmp_path_factory.mktemp("node"))
    return dict(zip(DELIVERIES, json.loads(answers), strict=True))


@pytest.fixture(scope="module")
def httpd():
    with receiver(SECRETS) as running:
        yield running


@pytest.mark.parametrize("delivery", DELIVERIES, ids=lambda delivery: f"{delivery.sdk}-{delivery.kind}")
def test_httpd_and_the_sdk_agree(signed, httpd, delivery):
    made = signed[delivery]
    assert made["accepted"] == (delivery.reason == "accepted"), "the SDK itself says otherwise"
    told = httpd.deliver(delivery.sdk, made["headers"], delivery.arriving.encode())
    assert told == (delivery.reason, delivery.label)
