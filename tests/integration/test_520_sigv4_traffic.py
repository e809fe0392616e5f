"""Many clients at once, good and bad: each request ends as it must, under the name of the client that signed it.

SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from aws4_signer import Signer
from client import Connection, blocks, head
from clients import put_clients
from server import Server, wait_until

CONNECTIONS = 64
REQUESTS = 10_000
CLIENTS = 200
HOST = {"Host": "test.example"}
MPMS = ["event"] + (["worker"] if os.environ.get("AUTHVERIFY_LONG") == "1" else [])

# Each child has a thread for each connection: with none idle, it closes kept-alive connections.
CONFIG = """
StartServers 4
ServerLimit 4
ThreadsPerChild 64
MaxRequestWorkers 256
MaxSpareThreads 256
<Location "/">
    AuthVerify aws4 region=us-east-1 service=s3 unsigned-payload=on clients=file:conf/aws.clients
    AuthVerifyHeader X-Client %{client}
    SetHandler reflector
    ReflectorHeader X-Client
</Location>
"""


def signers():
    return [Signer(access_key=f"AKIDOFACLIENT{number:07d}", secret=f"{number:07d}/secretOfAClient+0123456789abcdef")
            for number in range(CLIENTS)]


# --- what is sent: (headers, target, segments of the body) ------------------------------------------------------------

def in_a_header(signer, target, body):
    signed = signer.sign("POST", target, HOST, body)
    return signed.headers, signed.target, [body]


def in_the_query(signer, target, body):
    signed = signer.presign("POST", target, HOST)
    return signed.headers, signed.target, [body]


def in_chunks(signer, target, body):
    signed, segments = signer.sign_stream("POST", target, HOST, blocks(body, 5000))
    return signed.headers, signed.target, segments


WAYS = [in_a_header, in_the_query, in_chunks]


def altered(segments):
    """Another last byte of the first segment that is of the body itself."""
    first = segments[0].removesuffix(b"\r\n")
    return [first[:-1] + b"!" + segments[0][len(first):], *segments[1:]]


def attempt(signer, way, number, fault):
    """(the request's segments, its body, what becomes of it)"""
    body = f"{signer.access_key} {number}\n".encode() * (1 + number % 400)
    used = {"another secret": replace(signer, secret=signer.secret[::-1]),
            "nobody": replace(signer, access_key="AKIDOFNOBODY00000000")}.get(fault, signer)
    headers, target, segments = way(used, f"/box/{number}?n={number}", body)
    reason = {"another secret": "wrong-signature", "nobody": "unknown-client"}.get(fault, "accepted")
    if fault == "altered" and way is not in_the_query:
        segments = altered(segments)
        reason = "wrong-signature" if way is in_chunks else "payload-mismatch"
    fields = {name: value for name, value in headers.items() if name != "Host"}
    fields["Content-Length"] = str(sum(map(len, segments)))
    return [head("POST", target, fields), *segments], body, reason


class Sender:
    """One connection of its own, opened again where httpd has closed it."""

    def __init__(self, port, clients, seed):
        self.port, self.clients, self.random, self.connection = port, clients, random.Random(seed), None
        self.wrong, self.reasons = [], Counter()

    def exchange(self, segments):
        self.connection = self.connection or Connection(self.port)
        self.connection.send(*segments)
        answer = self.connection.final_response()
        if answer.status != 200 or answer.get("Connection") == "close":
            self.connection.close()
            self.connection = None
        return answer

    def run(self, count):
        for _ in range(count):
            signer, way = self.random.choice(self.clients), self.random.choice(WAYS)
            fault = self.random.choice(["", "", "", "another secret", "nobody", "altered"])
            number = self.random.randrange(1_000_000)
            segments, body, reason = attempt(signer, way, number, fault)
            answer = self.exchange(segments)
            expected = (200, signer.access_key, body) if reason == "accepted" else (401, None, None)
            got = (answer.status, answer.get("X-Client"), answer.body if answer.status == 200 else None)
            self.reasons[reason] += 1
            if got != expected:
                self.wrong.append((signer.access_key, way.__name__, fault, answer))
        if self.connection:
            self.connection.close()
        return self


@pytest.mark.parametrize("mpm", MPMS)
def test_each_request_ends_as_it_must_under_the_name_of_its_signer(mpm):
    clients = signers()
    server = Server(CONFIG, mpm=mpm, modules=["reflector"], allow=[r"refused reason="])
    put_clients(server, "aws.clients", "".join(f"{one.access_key} plain:{one.secret}\n" for one in clients))
    with server:
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            share = -(-REQUESTS // CONNECTIONS)
            done = list(threads.map(lambda seed: Sender(server.port, clients, seed).run(share), range(CONNECTIONS)))
        wrong = [fault for sender in done for fault in sender.wrong]
        assert wrong == [], f"{len(wrong)} of {REQUESTS}: {wrong[:3]}"
        reasons = sum((sender.reasons for sender in done), Counter())
        accepted = reasons.pop("accepted")
        assert accepted + reasons.total() >= REQUESTS and min(accepted, *reasons.values()) > REQUESTS // 50

        def logged():
            lines = server.error_log.read_text(errors="replace")
            return Counter(re.findall(r"\brefused reason=([a-z-]+) .* client=", lines))
        wait_until(lambda: sum(logged().values()) >= reasons.total(), 5, lambda: f"{logged()}, not {reasons}")
        assert logged() == reasons
