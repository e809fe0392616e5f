"""Hostile requests, byte by byte, with the verdict that each must get.

The cases are data kept beside the source tree; their README says what the members mean. Here they get their
configuration, are sent, and are judged.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import calendar
import hashlib
import hmac
import json
import re
import threading
import time
from dataclasses import dataclass

from aws4_signer import UNSIGNED, Signer, canonical_value, sha256
from client import Connection
from clients import put_clients
from server import free_port

CLASSES = ("body", "sig_malleability", "timestamps", "empty_values", "log_leak", "sigv4")

AWS4 = "aws4 access-key=AKIDEXAMPLE region=us-east-1 service=s3 tolerance=300"

# The sender of these signs its key's name not, and makes each delivery unique, which nobody remembers here.
CUSTOM = ('signature "fields=%{header:X-Signature}" signature=%{field:sig} client=%{field:keyid} unsigned-ok=client '
          'timestamp=%{field:ts} tolerance=300 id=%{field:nonce} '
          '"signed=%{method}%{lf}%{target}%{lf}%{timestamp}%{lf}%{id}%{lf}%{body-sha256}"')

# config_hint of a case: the rule without its secret, the fixture that is its secret, what else stands beside it.
RULES = {
    "hmac: github style (X-Hub-Signature-256)": ("github", "WH_GITHUB", ""),
    "hmac: github style (X-Hub-Signature-256); max body 1 MiB": ("github", "WH_GITHUB", "AuthVerifyBody limit=1m\n"),
    "hmac: github style (X-Hub-Signature-256); RequestReadTimeout body=10,MinRate=500":
        ("github", "WH_GITHUB", "RequestReadTimeout body=10,MinRate=500\n"),
    "hmac: github style (X-Hub-Signature-256); SetInputFilter DEFLATE after auth":
        ("github", "WH_GITHUB", "SetInputFilter DEFLATE\n"),
    "hmac: stripe style, tolerance 300": ("stripe tolerance=300", "WH_STRIPE", ""),
    "hmac: slack style, tolerance 300": ("slack tolerance=300", "WH_SLACK", ""),
    "hmac: shopify style (base64)": ("shopify", "WH_SHOPIFY", ""),
    "hmac: custom keyid/ts/nonce, tolerance 300, replay shm": (CUSTOM, "CUSTOM", ""),
    "hmac: standard-webhooks, tolerance 300": ("standard-webhooks tolerance=300", "WH_STD", ""),
    "sigv4: AKIDEXAMPLE region us-east-1 service s3, skew 300": (AWS4, "ASECRET", ""),
    "sigv4: AKIDEXAMPLE region us-east-1 service s3, skew 300; unsigned payload allowed":
        (AWS4 + " unsigned-payload=on", "ASECRET", ""),
}


@dataclass(frozen=True)
class Attack:
    id: str
    kind: str            # class of the case
    title: str
    hint: str
    must_not_fail: bool
    clock: int           # the second it was made for; None for any
    segments: tuple      # (seconds to wait, bytes to send)
    expect: dict
    is_raw: bool         # bytes to send; otherwise a recipe

    @property
    def bytes(self):
        return b"".join(data for _, data in self.segments)


def _attack(record):
    if "segments" in record:
        segments = [(part["delay_ms"] / 1000, base64.b64decode(part["base64"])) for part in record["segments"]]
    else:
        segments = [(0, base64.b64decode(record.get("raw_request_base64", "")))]
    return Attack(id=record["id"], kind=record["class"], title=record["title"], hint=record["config_hint"],
                  must_not_fail=record["must_not_fail"], clock=record.get("needs_clock"), segments=tuple(segments),
                  expect=record["expect"], is_raw=record["kind"] == "raw")


def load_attacks(shared, classes=CLASSES):
    """(cases of the classes, fixtures)"""
    folder = shared / "vectors" / "attacks"
    records = json.loads((folder / "cases.json").read_text())["cases"]
    fixtures = json.loads((folder / "fixtures.json").read_text())
    return [_attack(record) for record in records if record["class"] in classes], fixtures


class Places:
    """A port for each configuration that a case asks for: they all send to one host and path."""

    def __init__(self, fixtures, more=""):
        self._fixtures = fixtures
        self._more = more
        self._ports = {hint: free_port() for hint in RULES}

    def port(self, attack):
        return self._ports[attack.hint]

    def config(self, server):
        """Virtual hosts for all rules; writes the secrets' files."""
        return "".join(self._virtual_host(server, hint, port) for hint, port in self._ports.items())

    def _virtual_host(self, server, hint, port):
        rule, fixture, beside = RULES[hint]
        secrets = self._fixtures[fixture]
        if isinstance(secrets, dict):
            put_clients(server, fixture, "".join(f"{name} plain:{secret}\n" for name, secret in secrets.items()))
            source = f"clients=file:conf/{fixture}"
        else:
            source = f"secret={server.secret(fixture, secrets)}"
        return (f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName {self._fixtures['host']}\n"
                f'ProxyPass "/" "http://127.0.0.1:${{BACKEND}}/"\n{self._more}'
                f"{beside if beside.startswith('Request') else ''}"
                f'<Location "/api">\nAuthVerify {rule} {source}\n'
                f"{'' if beside.startswith('Request') else beside}</Location>\n</VirtualHost>\n")


def send(port, attack, half_close=False):
    """Everything the server says to the attack on a connection of its own, until it closes."""
    with Connection(port) as connection:
        def run():
            try:
                for delay, data in attack.segments:
                    time.sleep(delay)
                    connection.send(data)
                if half_close:
                    connection.half_close()
            except OSError:
                pass  # the server has heard enough
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        answer = b""
        try:
            while data := connection.socket.recv(65536):
                answer += data
        except ConnectionError:
            pass
        return answer


def final_status(answer):
    """The first status that is not an interim one; "close" where the server answered nothing."""
    statuses = [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d{3}) ", answer, re.M)]
    return next((status for status in statuses if status >= 200), "close")


def is_expected(status, words):
    return status in words or (status != "close" and f"{status // 100}xx" in words)


BACKEND_COUNTS = {"none": (0,), "one": (1,), "at_most_one": (0, 1)}


def judge(attack, answer, received):
    """What is wrong with the answer, and with what the backend received: sentences."""
    status = final_status(answer)
    wrong = []
    if not is_expected(status, attack.expect["status_any"]):
        wrong.append(f"status {status}, not one of {attack.expect['status_any']}")
    if len(received) not in BACKEND_COUNTS[attack.expect["backend"]]:
        wrong.append(f"the backend received {len(received)} requests, not {attack.expect['backend']}")
    for name, value in attack.expect.get("backend_sees", {}).items():
        if name == "headers_absent":
            seen = {header.lower() for each in received for header, _ in each.headers}
            wrong += [f"the backend received {header}" for header in value if header.rstrip("?").lower() in seen]
        elif name != "body_sha256":
            wrong.append(f"{name} is not judged here")
        elif received and received[0].sha256 != value:
            wrong.append("the backend received another body")
    if status != "close" and status >= 500 and status not in attack.expect["status_any"]:
        wrong.append("the server's own fault")
    return wrong


# --- what must appear nowhere -----------------------------------------------------------------------------------------

def _both(proof):
    return {proof.hex().encode(), base64.b64encode(proof)}


def secrets(fixtures):
    """Every secret that a rule here is configured with, as written and as decoded."""
    values = [fixtures[fixture] for _, fixture, _ in RULES.values()]
    each = [text for value in values for text in (value.values() if isinstance(value, dict) else [value])]
    written = {text.encode() for text in each}
    encoded = {text[len(b"whsec_"):] for text in written if text.startswith(b"whsec_") and text.endswith(b"=")}
    return written | {base64.b64decode(text) for text in encoded}


def custom_proof(key, method, target, timestamp, nonce, body):
    text = b"\n".join([method, target, timestamp, nonce, hashlib.sha256(body).hexdigest().encode()])
    return hmac.new(key.encode(), text, hashlib.sha256).digest()


def custom_proofs(attack, fixtures):
    """Under each key that there is."""
    head, _, body = attack.bytes.partition(b"\r\n\r\n")
    method, target, _ = head.partition(b"\r\n")[0].split(b" ")
    nonce = re.search(rb'nonce="(.*?)"', head)
    return set().union(*(_both(custom_proof(key, method, target, re.search(rb'ts="(.*?)"', head)[1],
                                            nonce[1] if nonce else b"", body)) for key in fixtures["CUSTOM"].values()))


def expected_proofs(attack, fixtures):
    """The proofs that would have been right for what the attack sends, as text."""
    rule, fixture, _ = RULES[attack.hint]
    if rule == CUSTOM:
        return custom_proofs(attack, fixtures)
    head, _, body = attack.bytes.partition(b"\r\n\r\n")
    key = fixtures[fixture].encode()
    preset = rule.split()[0]
    lead = {b""}
    if preset == "aws4":
        return expected_aws4(head, body, key)
    if preset == "standard-webhooks":
        key = base64.b64decode(key[len("whsec_"):])
        values = [re.search(rb"^%s: ?(.*?)\r?$" % name, head + b"\r", re.M)
                  for name in (b"webhook-id", b"webhook-timestamp")]
        lead = {b"".join(value[1] + b"." for value in values if value)}
    elif preset == "stripe":
        lead = {t + b"." for t in re.findall(rb"\bt=([^,\s]+)", head)}
    elif preset == "slack":
        lead = {b"v0:" + t + b":" for t in re.findall(rb"^X-Slack-Request-Timestamp: ?(.*?)\r?$", head + b"\r", re.M)}
    return set().union(*(_both(hmac.new(key, text + body, hashlib.sha256).digest()) for text in lead), set())


def expected_aws4(head, body, key):
    """The signature of the head that would have been right, where it says of itself what is signed."""
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    values = {name.lower(): value for name, _, value in (field.partition(":") for field in fields)}
    names = re.search(r"SignedHeaders=([\w;-]+)", head.decode("latin-1"))
    now = re.search(r"\b(\d{8}T\d{6}Z)\b", head.decode("latin-1"))
    if not names or not now or not set(names[1].split(";")) <= set(values):
        return set()
    payload = values.get("x-amz-content-sha256", UNSIGNED if "X-Amz-Algorithm" in target else sha256(body)).strip()
    fields = {name: canonical_value(value) for name, value in values.items()}
    seconds = calendar.timegm(time.strptime(now[1], "%Y%m%dT%H%M%SZ"))
    signed = Signer(secret=key.decode()).stages(method, target, fields, names[1].split(";"), payload, seconds)
    return {signed[2].encode()}
