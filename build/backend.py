#!/usr/bin/python3
"""The application behind build/run's httpd: it answers each request with what it received, and keeps a record.

SPDX-License-Identifier: Apache-2.0

    backend.py RECORD [USER]

Listens on a free port of 127.0.0.1, writes the port's number as its first line of output, and appends one JSON object
for each request to the file RECORD. Started by root it becomes USER.
"""
import hashlib
import http.server
import json
import os
import pwd
import signal
import sys


class Application(http.server.BaseHTTPRequestHandler):
    """Reads the whole request and tells what it was."""

    protocol_version = "HTTP/1.1"

    def received(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return {
            "method": self.command,
            "path": self.path,
            "headers": dict(self.headers.items()),
            "body-bytes": len(body),
            "body-sha256": hashlib.sha256(body).hexdigest(),
        }

    def answer(self):
        received = self.received()
        self.server.record.write(json.dumps(received) + "\n")
        self.server.record.flush()
        text = json.dumps(received, indent=2).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, format, *arguments):
        """The record says it all."""


def become(user):
    """Gives up root, for good."""
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for build/run, which ends this program
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
    server.record = open(sys.argv[1], "a", encoding="utf-8")
    if os.getuid() == 0 and len(sys.argv) > 2:
        become(sys.argv[2])
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
