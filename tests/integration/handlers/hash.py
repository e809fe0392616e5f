#!/usr/bin/python3 -SE
# CGI: says what it received.
# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
import os
import sys

digest, length = hashlib.sha256(), 0
while data := sys.stdin.buffer.read(65536):
    digest.update(data)
    length += len(data)
text = json.dumps({"sha256": digest.hexdigest(), "length": length, "environment": dict(os.environ)})
print(f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}", end="")
