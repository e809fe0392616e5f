"""An HTTP/2 client that says what a test wants it to say: any field, any number of times, whatever RFC 9113 thinks of
it.

SPDX-License-Identifier: Apache-2.0
"""
import re
import struct
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

from client import Connection

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
INITIAL_WINDOW_SIZE = 4
WINDOW, LARGEST_WINDOW = 65535, 2 ** 31 - 1
LARGEST_FRAME = 16384
STREAM = 1

# Server and protocol of the hostile requests. mod_http2 does not work under prefork.
MPMS = ["event", "worker", "prefork"]
OVER_HTTP2 = ["event-h2c", "worker-h2c"]
TRANSPORTS = MPMS + OVER_HTTP2

# What HTTP/1.1 says with a 400: the stream was malformed, and reset (RFC 9113 section 8.1.1).
RESET = b"HTTP/1.1 400 reset\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


@dataclass
class Answer:
    """Of the one stream."""
    heads: list = field(default_factory=list)
    body: bytes = b""
    is_reset: bool = False
    is_over: bool = False

    def as_http1(self):
        """In the words of HTTP/1.1, so that one judge judges both. Empty where nothing was answered."""
        if not self.heads:
            return RESET if self.is_reset else b""
        lines = []
        for head in self.heads:
            status = next(value for name, value in head if name == b":status")
            lines += [b"HTTP/1.1 " + status + b" "]
            lines += [name.title() + b": " + value for name, value in head if name != b":status"] + [b""]
        return b"\r\n".join(lines) + b"\r\n" + self.body


class Exchange:
    """One request on a connection of its own, and its answer."""

    def __init__(self, connection):
        self._connection = connection
        self._decoder = Decoder()
        self._answer = Answer()
        self._window = {0: WINDOW, STREAM: WINDOW}
        self._block = b""

    def run(self, fields, body):
        """The answer to the fields, (name, value) of bytes in order, and the body."""
        try:
            self._connection.send(PREFACE, *self._open_windows(), *self._head(fields, not body))
            self._send_body(body)
            while not self._answer.is_over:
                self._receive()
        except (ConnectionError, EOFError):
            pass  # the server has heard enough
        return self._answer

    @staticmethod
    def _open_windows():
        """We take whatever comes."""
        return [frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, LARGEST_WINDOW)),
                frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST_WINDOW - WINDOW))]

    @staticmethod
    def _head(fields, is_all):
        block = Encoder().encode(fields, huffman=False)
        parts = [block[at:at + LARGEST_FRAME] for at in range(0, len(block), LARGEST_FRAME)]
        kinds = [HEADERS] + [CONTINUATION] * (len(parts) - 1)
        flags = [END_STREAM if is_all else 0] + [0] * (len(parts) - 1)
        flags[-1] |= END_HEADERS
        return [frame(kind, flag, STREAM, part) for kind, flag, part in zip(kinds, flags, parts)]

    def _send_body(self, body):
        while body and not self._answer.is_over:
            room = min(LARGEST_FRAME, *self._window.values())
            if room <= 0:
                self._receive()
                continue
            part, body = body[:room], body[room:]
            for stream in self._window:
                self._window[stream] -= len(part)
            self._connection.send(frame(DATA, 0 if body else END_STREAM, STREAM, part))

    def _read(self, count):
        data = self._connection.reader.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def _receive(self):
        head = self._read(9)
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        payload = self._read(int.from_bytes(head[:3], "big"))
        if kind == SETTINGS and not flags & ACK:
            self._note_settings(payload)
            self._connection.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self._connection.send(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            self._window[stream] += int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self._answer.is_reset = int.from_bytes(payload[4:8], "big") != 0
        elif stream == STREAM:
            self._receive_answer(kind, flags, payload)

    def _note_settings(self, payload):
        for name, value in struct.iter_unpack(">HI", payload):
            if name == INITIAL_WINDOW_SIZE:
                self._window[STREAM] += value - WINDOW

    def _receive_answer(self, kind, flags, payload):
        if kind == RST_STREAM:
            self._answer.is_reset = self._answer.is_over = True
            return
        padding = payload[0] if flags & PADDED and kind in (DATA, HEADERS) else 0
        payload = payload[1:len(payload) - padding] if flags & PADDED and kind in (DATA, HEADERS) else payload
        if kind == DATA:
            self._answer.body += payload
        elif kind in (HEADERS, CONTINUATION):
            self._block += payload[5:] if kind == HEADERS and flags & PRIORITY else payload
            if flags & END_HEADERS:
                self._answer.heads.append(self._decoder.decode(self._block, raw=True))
                self._block = b""
        self._answer.is_over |= kind in (DATA, HEADERS) and bool(flags & END_STREAM)


class NotExpressible(Exception):
    """HTTP/2 has no bytes for it; the text says why."""


# A hop's own fields, which HTTP/2 has not (RFC 9113 section 8.2.2), as everybody sends them.
OF_THE_HOP = re.compile(rb"(?i)connection:\s*(close|keep-alive)\s*|keep-alive:.*")


def _request_line(line):
    match = re.fullmatch(rb"([^ \t]+) ([^ ]+) HTTP/1\.1", line)
    if not match:
        raise NotExpressible("there is no request line in it")
    return match[1], match[2]


def _authority(target, hosts):
    """(authority, target in origin form, the Host fields that are left). What stands before an "@" is no part of an
    authority here (RFC 9113 section 8.3.1)."""
    absolute = re.fullmatch(rb"(?i)https?://(?:[^/?@]*@)?([^/?]*)(.*)", target)
    if absolute:
        return absolute[1], absolute[2] or b"/", hosts
    return hosts[0] if hosts else b"", target, hosts[1:]


def translate(raw):
    """A request as HTTP/1.1 sends it, in the fields and the body of HTTP/2. Raises NotExpressible."""
    head, end, body = raw.partition(b"\r\n\r\n")
    if not end:
        raise NotExpressible("a head that does not end is no frame")
    first, *lines = head.split(b"\r\n")
    method, target = _request_line(first)
    lines = [line for line in lines if not OF_THE_HOP.fullmatch(line)]
    if any(line[:1] in b" \t" for line in lines):
        raise NotExpressible("a field has no lines that could be folded")
    if any(b":" not in line for line in lines):
        raise NotExpressible("a field has a name and a value, whatever they are")
    parts = [line.partition(b":") for line in lines]
    fields = [(name.lower(), value.strip(b" \t")) for name, _, value in parts]
    if any(name == b"transfer-encoding" for name, _ in fields):
        raise NotExpressible("a body has no other framing than DATA")
    if body and not any(name == b"content-length" for name, _ in fields):
        raise NotExpressible("what follows a head is its body, announced or not")
    authority, target, hosts = _authority(target, [value for name, value in fields if name == b"host"])
    pseudo = [(b":method", method), (b":scheme", b"http"), (b":authority", authority), (b":path", target)]
    rest = [(name, value) for name, value in fields if name != b"host"]
    return [each for each in pseudo if each[1]] + [(b"host", host) for host in hosts] + rest, body


def send(port, attack):
    """As attacks.send, over HTTP/2 with prior knowledge."""
    fields, body = translate(attack.bytes)
    with Connection(port) as connection:
        return Exchange(connection).run(fields, body).as_http1()


# --- what the tests of hostile requests share -------------------------------------------------------------------------

def names(excuses):
    """All ids of {reason: ids}."""
    return {name for ids in excuses.values() for name in ids}


def transports(attack, not_in_http2):
    """How an attack must have been judged: one that is bytes in every way that has bytes for it."""
    return TRANSPORTS if attack.is_raw and attack.id not in names(not_in_http2) else MPMS


def not_expressible(attacks):
    """{reason: ids} of the attacks that HTTP/2 has no bytes for."""
    found = {}
    for attack in attacks:
        try:
            translate(attack.bytes)
        except NotExpressible as reason:
            found.setdefault(str(reason), set()).add(attack.id)
    return found
