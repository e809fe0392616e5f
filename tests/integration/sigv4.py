"""Requests that AWS's published suites, real clients and their forgers made, as requests to a live httpd.

The cases are data kept beside the source tree; their README says what the members mean.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import json
from dataclasses import dataclass

from attacks import send
from client import Response
from server import free_port

SUITES = ("v4", "v4a", "botocore", "chunked")

# What httpd is told so that it hands on whatever a client may sign.
LENIENT = """
LimitRequestFields 300
LimitRequestLine 65536
LimitRequestFieldSize 65536
AllowEncodedSlashes NoDecode
MergeSlashes Off
"""

# Words of the rule for options of a case. What is not named here must not occur.
WORDS = {
    ("require_content_sha256", False): "content-sha256=optional",
    ("require_expires", False): "expires=optional",
    ("require_decoded_length", False): "decoded-length=optional",
    ("allow_unsigned_payload", True): "unsigned-payload=on",
    ("allow_unsigned_payload", False): "unsigned-payload=off",
    ("path_plus_space", True): "plus=space",
    ("token_may_be_unsigned", True): "token=unsigned",
    ("token_after_signing", True): "token=unsigned",
}
PATHS = {"s3": "", "double": "", "double-nonorm": "path=raw", "raw": "path=raw", "s3-merge": "path=s3-merge"}


@dataclass(frozen=True)
class Rule:
    """What one rule and its virtual host have to say."""

    access_key: str
    secret: str
    token: str     # None: the key is not temporary
    words: str
    origin: str    # for AuthVerifyExternalURL; "" for none

    def config(self, server, name):
        sources = f"access-key={self.access_key} secret={server.secret(f'{name}.secret', self.secret)}"
        if self.token is not None:
            sources += f" session-token={server.secret(f'{name}.token', self.token)}"
        external = f"AuthVerifyExternalURL {self.origin}\n" if self.origin else ""
        return f'{external}<Location "/">\nAuthVerify aws4 {sources} {self.words}\n</Location>\n'


def _rule(server):
    options = {"allow_unsigned_payload": True, **server["options"]}
    prefix = options.pop("prefix", None)
    unsigned = options.pop("unsigned_amz_ok", [])
    words = [f"region={server['region']}", f"service={server['service']}", "s3=on" if server["s3"] else "s3=off",
             PATHS[server["path_mode"]]]
    words += [WORDS[option] for option in options.items() if option[1] is not False or option in WORDS]
    words += [f"unsigned-headers={','.join(unsigned)}"] if unsigned else []
    return Rule(access_key=server["access_key"], secret=server["secret"], token=server["session_token"],
                words=" ".join(dict.fromkeys(word for word in words if word)),
                origin=f"http://s3.example.com{prefix}" if prefix else "")


@dataclass(frozen=True)
class Case:
    id: str
    family: str     # file of cases
    raw: bytes      # the request, to the byte
    rule: Rule
    clock: int
    accept: bool
    code: str       # what AWS would say, as the maker of the case thinks, where it is not accepted
    why: str

    @property
    def segments(self):
        return ((0, self.raw),)

    @property
    def method(self):
        return self.raw.split(b" ", 1)[0].decode()

    @property
    def target(self):
        return self.raw.split(b" ", 2)[1].decode("latin-1")

    @property
    def is_stream(self):
        return b"streaming-" in self.header(b"x-amz-content-sha256").lower()

    def header(self, name):
        """The first value; empty where there is none."""
        lines = self.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        fields = (line.split(b":", 1) for line in lines)
        return next((field[1].strip() for field in fields if len(field) == 2 and field[0].lower() == name), b"")

    @property
    def body(self):
        """What the handler is to get: without HTTP's chunks, and without AWS's."""
        body = self.raw.partition(b"\r\n\r\n")[2]
        if b"chunked" in self.header(b"transfer-encoding").lower():
            body = _unchunked(body)
        return _unchunked(body) if self.is_stream else body


def _unchunked(data):
    """The data of chunks; what stands in their lines and after the last one is left out."""
    found, at = [], 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end].split(b";")[0], 16)
        if size == 0:
            return b"".join(found)
        found.append(data[end + 2:end + 2 + size])
        at = end + 2 + size + 2


def _captured(record, family):
    server = record["server"]
    return Case(id=record["name"], family=family, raw=base64.b64decode(record["raw_request_base64"]),
                rule=_rule(server), clock=server["verify_time"], accept=record["expect"] == "accept",
                code=record.get("expect_code"), why=record.get("why") or record.get("note") or "")


def _published(record, family):
    body = base64.b64decode(record["body_base64"])
    fields = [(name.encode("utf-8"), value.encode("utf-8")) for name, value in record["headers"]]
    names = {name.lower() for name, _ in fields}
    if body and not names & {b"content-length", b"transfer-encoding"}:
        fields.append((b"Content-Length", b"%d" % len(body)))
    head = b"".join(b"%s: %s\r\n" % field for field in fields)
    raw = f"{record['method']} {record['raw_target']} HTTP/1.1\r\n".encode("utf-8") + head + b"\r\n" + body
    return Case(id=record["name"], family=family, raw=raw, rule=_rule({**record, "s3": record["path_mode"] == "s3"}),
                clock=record["verify_time"], accept=record["expect"] == "accept", code="SignatureDoesNotMatch",
                why=record.get("note") or "")


def load_published(shared, name):
    """The cases of one suite, as they are."""
    return json.loads((shared / "vectors" / "sigv4" / "suite" / f"{name}.json").read_text())["cases"]


def load_cases(shared):
    """All cases that can be sent as HTTP/1.1."""
    cases = []
    for name in SUITES:
        records = load_published(shared, name)
        cases += [_published(record, f"suite/{name}") for record in records if record["wire_valid_http1"]]
    for file in sorted((shared / "vectors" / "sigv4" / "captures").glob("*.json")):
        content = json.loads(file.read_text())
        assert content["count"] == len(content["cases"]), file
        cases += [_captured(record, file.stem) for record in content["cases"]]
    return cases


class Places:
    """A port for each rule: the cases share paths and hosts."""

    def __init__(self, cases):
        rules = sorted({case.rule for case in cases}, key=repr)
        self._ports = {rule: free_port() for rule in rules}

    def port(self, case):
        return self._ports[case.rule]

    def config(self, server, more="", with_rules=True):
        """Virtual hosts for all rules; writes the secrets' files. `more` stands in each virtual host."""
        hosts = []
        for number, (rule, port) in enumerate(self._ports.items()):
            guard = rule.config(server, f"aws4-{number}") if with_rules else ""
            hosts.append(f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName s3.example.com\n"
                         f"ServerAlias *\n{LENIENT}{more}{guard}</VirtualHost>\n")
        return "".join(hosts)


def exchange(port, case):
    """The final answer to the case on a connection of its own, whose sending half is closed after the last byte: a body
    that is shorter than announced ends there. None where the server closes without one."""
    data = send(port, case, half_close=True)
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        status = int(line.split(" ", 2)[1])
        if status >= 200:
            headers = [(name, value.strip()) for name, _, value in (field.partition(":") for field in fields)]
            return Response(status, headers, data)
    return None


def sha256(data):
    return hashlib.sha256(data).hexdigest()
