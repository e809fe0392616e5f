"""Proofs of possession by npm's jose and dpop, right and spoiled, on a live httpd whose clock stands.

The cases are data kept beside the source tree; their README says what the members mean. Those of a sequence are sent in
order. Where a case says which nonce the server gave out, ours gives out another: a proof with that one in it is signed
anew, with the key that another case makes public.
SPDX-License-Identifier: Apache-2.0
"""
import json
from collections import Counter

import pytest

from backends import RecordingBackend
from client import Connection
from clock import Clock, shared_folder
from configtest import in_location
from holder import Holder, from_base64url
from server import Server, free_port

SHARED = shared_folder()
FOLDER = SHARED / "vectors/jose" if SHARED else None
CASES = json.loads((FOLDER / "dpop/dpop.json").read_text())["cases"] if SHARED else []
KEYSETS = json.loads((FOLDER / "jwt/keysets.json").read_text())["keysets"] if SHARED else {}

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")

judged = Counter()


def parts_of(proof):
    """Header and claims; None where there are none to read."""
    try:
        return [json.loads(from_base64url(part)) for part in proof.split(".")[:2]]
    except ValueError:
        return [None, None]


def proof_of(case):
    return next((value for name, value in case["request"]["headers"] if name == "DPoP"), "")


def origin_of(case):
    return "/".join(case["request"]["url"].split("/")[:3])


def rule_of(case):
    policy = case["policy"]
    lines = (f"AuthVerify jwt keys=file:conf/{policy['keyset']}.json algorithms=RS256 issuer=https://issuer.example/ "
             f"audience=https://api.example/hooks dpop=optional dpop-tolerance={policy['iat_window']} "
             f"dpop-algorithms={','.join(policy['proof_algs'])}")
    return f"{lines} dpop-nonce={'on' if 'nonce' in policy else 'off'}\nAuthVerifyExternalURL {origin_of(case)}"


RULES = sorted({rule_of(case) for case in CASES})


class Hosts:
    """A port for each rule: they all send to one backend."""

    def __init__(self, backend, clock):
        self.backend, self.clock = backend, clock
        self._ports = {rule: free_port() for rule in RULES}
        config = "".join(f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\n"
                         'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
                         f"{in_location(rule)}</VirtualHost>\n" for rule, port in self._ports.items())
        self.server = Server(config, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port},
                             allow=["refused reason="], environment=clock.environment)

    def send(self, case, headers):
        """The answer, to the headers as they are listed, twice where they are listed twice."""
        self.clock.stop_at(case["policy"]["now"])
        self.backend.reset()
        target = case["request"]["url"].removeprefix(origin_of(case))
        lines = [f"{case['request']['method']} {target} HTTP/1.1", "Host: test.example", "Connection: close",
                 "Content-Length: 0", *(f"{name}: {value}" for name, value in headers)]
        with Connection(self._ports[rule_of(case)]) as connection:
            connection.send("\r\n".join([*lines, "", ""]))
            return connection.final_response()


@pytest.fixture(scope="module")
def hosts():
    with RecordingBackend() as backend, Clock(CASES[0]["policy"]["now"]) as clock:
        places = Hosts(backend, clock)
        for name, keys in KEYSETS.items():
            places.server.secret(f"{name}.json", json.dumps(keys))
        with places.server:
            yield places


def published_key():
    """The private key that stands in a proof which is refused for that."""
    headers = [parts_of(proof_of(case))[0] or {} for case in CASES]
    return next(header["jwk"] for header in headers if "d" in header.get("jwk", {}))


def with_our_nonce(case, headers, nonce):
    """The same, with the nonce that we gave out in the place of the one that the case says the server did."""
    header, claims = parts_of(proof_of(case))
    if not claims or claims.get("nonce") != case["policy"]["nonce"]:
        return headers
    proof = Holder(jwk=published_key()).sign(header, {**claims, "nonce": nonce})
    return [(name, proof if name == "DPoP" else value) for name, value in headers]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_proof(hosts, case):
    headers = [tuple(header) for header in case["request"]["headers"]]
    if "nonce" in case["policy"]:
        asked = hosts.send(case, [(name, value) for name, value in headers if name != "DPoP"] + [
            ("DPoP", Holder(jwk=published_key()).sign(*without_nonce(case)))])
        headers = with_our_nonce(case, headers, asked.get("DPoP-Nonce"))
    response = hosts.send(case, headers)
    challenges = response.all("WWW-Authenticate")
    if case["expect"] == "accept":
        assert response.status == 200 and hosts.backend.count == 1, (case["desc"], challenges)
        assert not {"authorization", "dpop"} & {name.lower() for name, _ in hosts.backend.requests[0].headers}
    else:
        assert response.status in (400, 401) and hosts.backend.count == 0, case["desc"]
        assert [challenge for challenge in challenges if challenge.startswith("DPoP ")] or response.status == 400
    if "expect_header" in case:
        name, part = case["expect_header"]
        assert any(part in value for value in response.all(name)) and response.get("DPoP-Nonce")
    judged[case["id"]] += 1


def without_nonce(case):
    header, claims = parts_of(next(proof_of(each) for each in CASES if each["expect"] == "accept"
                                   and parts_of(proof_of(each))[0]["alg"] == "ES256"))
    return header, {**claims, "jti": f"asks for the nonce of {case['id']}"}


def test_every_case_was_judged():
    assert set(judged) == {case["id"] for case in CASES} and set(judged.values()) == {1}
