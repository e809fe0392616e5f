"""Deliveries that the providers' own verifiers have judged, as requests to a live httpd.

The cases are data kept beside the source tree; their README says what the members mean.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import re
import subprocess
from dataclasses import dataclass
from urllib.parse import urlsplit

from client import Connection, Response, curl, request
from server import free_port

# File of cases, and variant where a file has several: the preset that judges them.
PRESETS = {
    ("github", "X-Hub-Signature-256"): "github",
    ("bitbucket", None): "bitbucket",
    ("stripe", None): "stripe",
    ("slack", None): "slack",
    ("shopify", None): "shopify",
    ("standardwebhooks", "v1"): "standard-webhooks",
    ("standardwebhooks", "v1a"): "standard-webhooks-v1a",
    ("svix", "v1"): "svix",
    ("linear", None): "linear",
    ("zoom", None): "zoom",
    ("paddle", None): "paddle",
    ("pagerduty", None): "pagerduty",
    ("line", None): "line",
    ("discord", None): "discord",
}

# For cases that say nothing of the time.
ANY_TIME = 1767225600

CURL_STREAM_ERROR = 92  # see send_h2c
ATTEMPTS = 20


@dataclass(frozen=True)
class Case:
    id: str
    preset: str
    method: str
    origin: str   # scheme and host of the URL that was called
    host: str
    target: str   # path and query
    headers: tuple
    body: bytes
    secrets: tuple
    clock: int
    accept: bool  # the verdict of the provider's verifier
    edge: bool    # careful verifiers may differ
    note: str

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def rule(self):
        """What cannot stand at one place in one configuration with another."""
        return self.preset, self.secrets


def _case(record, preset):
    url = urlsplit(record["url"])
    if "public_key" in record:
        secrets = [record["public_key"]["value"]]
    else:
        secrets = record.get("secrets") or [record["secret"]]
    return Case(id=record["id"], preset=preset, method=record["method"], origin=f"{url.scheme}://{url.netloc}",
                host=url.netloc, target=url.path + (f"?{url.query}" if url.query else ""),
                headers=tuple(record["headers"].items()), body=base64.b64decode(record["body_base64"] or ""),
                secrets=tuple(secrets), clock=record["now"] or ANY_TIME, accept=record["expect"] == "accept",
                edge=record.get("edge", False), note=record.get("note") or "")


def load_cases(shared):
    """All cases of the presets above, in the order of their files."""
    cases = []
    for provider in dict.fromkeys(name for name, _ in PRESETS):
        records = json.loads((shared / "vectors" / "webhooks" / f"{provider}.json").read_text())
        for record in records["cases"] if isinstance(records, dict) else records:
            cases.append(_case(record, PRESETS[provider, record.get("variant")]))
    return cases


class Places:
    """Where each rule stands. Cases share URLs but not secrets, so rules for one path stand at several ports."""

    def __init__(self, cases):
        self._hosts = {}   # (origin, host): ports
        self._rules = {}   # (host, path): rules, in the order of the ports
        for case in cases:
            rules = self._rules.setdefault((case.host, case.path), [])
            if case.rule not in rules:
                rules.append(case.rule)
            ports = self._hosts.setdefault((case.origin, case.host), [])
            while len(ports) < len(rules):
                ports.append(free_port())

    def port(self, case):
        ports = self._hosts[case.origin, case.host]
        return ports[self._rules[case.host, case.path].index(case.rule)]

    def config(self, server, more=""):
        """Virtual hosts for all rules; writes the secrets' files. `more` stands in each virtual host."""
        return "".join(self._virtual_host(server, origin, host, index, port, more)
                       for (origin, host), ports in self._hosts.items() for index, port in enumerate(ports))

    def _virtual_host(self, server, origin, host, index, port, more):
        locations = "".join(self._location(server, path, rules[index])
                            for (name, path), rules in self._rules.items() if name == host and index < len(rules))
        return (f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName {host}\n"
                f"AuthVerifyExternalURL {origin}\n{more}{locations}</VirtualHost>\n")

    @staticmethod
    def _location(server, path, rule):
        preset, secrets = rule
        sources = [server.secret(f"{path.strip('/').replace('/', '-')}-{abs(hash(rule)):x}-{number}", secret)
                   for number, secret in enumerate(secrets)]
        options = " ".join(f"secret={source}" for source in sources)
        return f'<Location "{path}">\nAuthVerify {preset} {options}\n</Location>\n'


def send_http1(port, case):
    with Connection(port) as connection:
        headers = {**dict(case.headers), "Connection": "close"}
        return request(None, case.method, case.target, headers, case.body, connection, case.host)


def send_h2c(port, case, folder):
    """With nghttp, which curl 7.88 cannot stand in for: it loses answers that come before its body has gone out, also
    those of an httpd without this module. A header without a value is left to curl: nghttp does not send one."""
    body = folder / "body"
    body.write_bytes(case.body)
    if not all(value for _, value in case.headers):
        return _send_h2c_with_curl(port, case, body)
    fields = [(":method", case.method), (":authority", case.host), *case.headers]
    headers = [f"--header={name}: {value}" for name, value in fields]
    result = subprocess.run(["nghttp", "--verbose", "--no-dep", f"--data={body}", *headers,
                             f"http://127.0.0.1:{port}{case.target}"], capture_output=True, check=True, timeout=60)
    received = re.findall(r"recv \(stream_id=\d+(?:, sensitive)?\) (\S+): ?(.*)", result.stdout.decode("latin-1"))
    assert received, result.stdout + result.stderr
    return Response(int(dict(received)[":status"]), received)


def _send_h2c_with_curl(port, case, body):
    headers = {"Host": case.host, **dict(case.headers)}
    fields = [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
    arguments = [part for field in fields for part in ("--header", field)]
    answers = (curl("--http2-prior-knowledge", "--request", case.method, *arguments, "--data-binary", f"@{body}",
                    f"http://127.0.0.1:{port}{case.target}", tolerate=(CURL_STREAM_ERROR,)) for _ in range(ATTEMPTS))
    return next(answer for answer in answers if answer is not None)
