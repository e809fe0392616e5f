"""`openssl dgst` signs as a provider's documentation says, now, and httpd accepts it; what was altered, it refuses.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import secrets
import subprocess
import time

import pytest

from deliveries import receiver

KEY = secrets.token_hex(24)
BODY = '{"name":"Zoë","text":"line\\r\\nline"}\r\n'.encode() + bytes(range(256))


def dgst(text, key=KEY):
    return subprocess.run(["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"key:{key}", "-binary"],
                          input=text, capture_output=True, check=True).stdout


def as_base64(proof):
    return base64.b64encode(proof).decode()


def hex_after(lead, body, key):
    return dgst(lead.encode() + body, key).hex()


# Preset: headers of a delivery of `body`, signed with `key` at `now` (text).
SENDERS = {
    "github": lambda body, now, key: {"X-Hub-Signature-256": "sha256=" + dgst(body, key).hex()},
    "bitbucket": lambda body, now, key: {"X-Hub-Signature": "sha256=" + dgst(body, key).hex()},
    "gitea": lambda body, now, key: {"X-Gitea-Signature": dgst(body, key).hex()},
    "pagerduty": lambda body, now, key: {"X-PagerDuty-Signature": "v1=" + dgst(body, key).hex()},
    "shopify": lambda body, now, key: {"X-Shopify-Hmac-Sha256": as_base64(dgst(body, key))},
    "line": lambda body, now, key: {"X-Line-Signature": as_base64(dgst(body, key))},
    "stripe": lambda body, now, key: {"Stripe-Signature": f"t={now},v1={hex_after(f'{now}.', body, key)}"},
    "paddle": lambda body, now, key: {"Paddle-Signature": f"ts={now};h1={hex_after(f'{now}:', body, key)}"},
    "slack": lambda body, now, key: {"X-Slack-Request-Timestamp": now,
                                     "X-Slack-Signature": f"v0={hex_after(f'v0:{now}:', body, key)}"},
    "zoom": lambda body, now, key: {"x-zm-request-timestamp": now,
                                    "x-zm-signature": f"v0={hex_after(f'v0:{now}:', body, key)}"},
}

TIMED = ["stripe", "paddle", "slack", "zoom"]


@pytest.fixture(scope="module")
def httpd():
    with receiver({preset: {"key": KEY} for preset in SENDERS}) as running:
        yield running


def sent_now(preset, body=BODY, key=KEY, age=0):
    return SENDERS[preset](body, str(int(time.time()) - age), key)


@pytest.mark.parametrize("preset", SENDERS)
def test_what_openssl_signed_is_accepted(httpd, preset):
    assert httpd.deliver(preset, sent_now(preset), BODY) == ("accepted", "key")


@pytest.mark.parametrize("preset", SENDERS)
def test_an_altered_body_is_refused(httpd, preset):
    assert httpd.deliver(preset, sent_now(preset), BODY[:-1]) == ("wrong-signature", None)


@pytest.mark.parametrize("preset", SENDERS)
def test_another_key_is_refused(httpd, preset):
    assert httpd.deliver(preset, sent_now(preset, key=KEY[::-1]), BODY) == ("wrong-signature", None)


@pytest.mark.parametrize("preset", TIMED)
def test_an_old_delivery_is_refused(httpd, preset):
    assert httpd.deliver(preset, sent_now(preset, age=3600), BODY) == ("too-late", None)
