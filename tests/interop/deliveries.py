"""What both kinds of senders here share: one httpd with a rule for each preset, and what stands behind it.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
from contextlib import contextmanager

from backends import RecordingBackend
from client import post
from server import Server
from verdict import TELL, label_of, reason_of

BEHIND = TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'


class Receiver:
    """httpd, and the backend behind it. Each preset answers at /NAME."""

    def __init__(self, server, backend):
        self._server = server
        self._backend = backend

    def deliver(self, preset, headers, body):
        """(reason, label of the secret or None) httpd tells. The backend must have got exactly what was accepted."""
        self._backend.reset()
        response = post(self._server, f"/{preset}", headers, body)
        got = [received.sha256 for received in self._backend.requests]
        accepted = reason_of(response) == "accepted"
        assert response.status == (200 if accepted else 401), response
        assert got == ([hashlib.sha256(body).hexdigest()] if accepted else [])
        return reason_of(response), label_of(response)


@contextmanager
def receiver(secrets):
    """`secrets`: for each preset its secrets by name, in order."""
    with RecordingBackend() as backend:
        server = Server("", modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port},
                        allow=[r"refused reason="])
        server.configure(BEHIND + "".join(_location(server, preset, named) for preset, named in secrets.items()))
        with server:
            yield Receiver(server, backend)


def _location(server, preset, named):
    folder = server.root / "conf" / preset
    folder.mkdir()
    options = " ".join(f"secret={server.secret(f'{preset}/{name}', text)}" for name, text in named.items())
    return f'<Location "/{preset}">\nAuthVerify {preset} {options}\n</Location>\n'
