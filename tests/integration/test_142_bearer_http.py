"""What HTTP makes of a bearer token (RFC 6750, RFC 9110 section 11): every case that needs no look into the token.

The cases are data kept beside the source tree; the token that they send is an opaque one here, a client's in a list.
SPDX-License-Identifier: Apache-2.0
"""
import json

import pytest

from backends import RecordingBackend
from client import request
from clients import put_clients, sha256
from clock import shared_folder
from configtest import in_location
from server import Server, free_port

SHARED = shared_folder()
CASES = json.loads((SHARED / "vectors/jose/bearer-http/bearer-http.json").read_text())["cases"] if SHARED else []
BY_ID = {case["id"]: case for case in CASES}

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")

EXPORT = 'AuthVerifyHeader X-Auth-Sub "%{client}"\n'

# "config" of a case, None where it has none: what stands at its location.
RULES = {
    None: EXPORT + "AuthVerify bearer clients=file:conf/tokens",
    "optional": EXPORT + "AuthVerify bearer clients=file:conf/tokens\nAuthVerifyMode optional\n"
                         "Require authverify\nRequire all granted",
}

# What a scheme decides that looks into the token.
NEEDS_JWT = {
    "http-015": "bearer reads no query",
    "http-016": "the time is in the token",
    "http-018": "the name is in the token",
}

# Where we answer otherwise: the status, and why.
CHOICES = {
    "http-011": (400, "two tokens in one value are two headers that the server has merged, which are one too many"),
}

judged = set()


class Places:
    """A port for each configuration, and what stands behind all of them."""

    def __init__(self, backend):
        self.backend = backend
        self._ports = {name: free_port() for name in RULES}

    def config(self):
        return "".join(f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\n"
                       'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
                       f"{in_location(RULES[name], '/api')}</VirtualHost>\n" for name, port in self._ports.items())

    def send(self, case):
        self.backend.reset()
        sent = case["request"]
        place = type("Place", (), {"port": self._ports[case.get("config")]})
        return request(place, sent["method"], sent["target"], dict(sent["headers"]))


@pytest.fixture(scope="module")
def places():
    with RecordingBackend() as backend:
        made = Places(backend)
        server = Server(made.config(), modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port},
                        allow=[r"refused reason="])
        token = dict(BY_ID["http-022"]["request"]["headers"])["Authorization"].partition(" ")[2]
        put_clients(server, "tokens", f"svc-42 {sha256(token)}\n")
        with server:
            yield made


def faults(case, response, received):
    """What is wrong with the answer and with what the backend received: sentences."""
    wrong = []
    challenges = response.all("WWW-Authenticate")
    if response.status != CHOICES.get(case["id"], (case["expect_status"],))[0]:
        wrong.append(f"status {response.status}")
    if len(received) != (case["expect_status"] == 200):
        wrong.append(f"the backend received {len(received)} requests")
    if "www_authenticate" in case and not any(challenge.startswith("Bearer ") for challenge in challenges):
        wrong.append(f"the challenge is {challenges}")
    told = f"{response.headers} {response.body}"
    if case.get("must_not_contain", "\0") in told:
        wrong.append(f"the answer contains {case['must_not_contain']}: {told}")
    name = case.get("backend_must_not_see", "")
    wrong += [f"the backend received {each.headers}" for each in received
              if any(key.lower() == name.lower() for key, _ in each.headers)]
    return wrong


@pytest.mark.parametrize("name", [name for name in BY_ID if name not in NEEDS_JWT])
def test_the_answer(places, name):
    response = places.send(BY_ID[name])
    assert faults(BY_ID[name], response, places.backend.requests) == [], BY_ID[name]["desc"]
    judged.add(name)


def test_a_word_without_a_token_brings_no_error_code(places):
    """RFC 6750 section 3.1: a request without authentication information gets none; an invalid token is told so."""
    assert places.send(BY_ID["http-005"]).get("WWW-Authenticate") == 'Bearer realm="bearer"'
    assert 'error="invalid_token"' in places.send(BY_ID["http-023"]).get("WWW-Authenticate")


def test_a_header_that_says_who_the_client_is_was_set_here(places):
    """http-018 and http-020 with the name that the list has."""
    spoofed = [["X-Auth-Sub", "admin"]]
    proven = {**BY_ID["http-022"], "config": "optional"}
    proven["request"] = {**proven["request"], "headers": proven["request"]["headers"] + spoofed}
    assert places.send(proven).status == 200
    assert [value for key, value in places.backend.requests[0].headers if key == "X-Auth-Sub"] == ["svc-42"]


# --- guard ------------------------------------------------------------------------------------------------------------

def test_every_case_was_judged_or_needs_more():
    assert set(NEEDS_JWT) | set(CHOICES) <= set(BY_ID)
    assert set(BY_ID) - set(NEEDS_JWT) == judged
