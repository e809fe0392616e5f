# WSGI: says what it received.
# SPDX-License-Identifier: Apache-2.0
import hashlib
import json


def application(environ, start_response):
    digest, length = hashlib.sha256(), 0
    while data := environ["wsgi.input"].read(65536):
        digest.update(data)
        length += len(data)
    environment = {name: value for name, value in environ.items() if isinstance(value, str)}
    text = json.dumps({"sha256": digest.hexdigest(), "length": length, "environment": environment}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]
