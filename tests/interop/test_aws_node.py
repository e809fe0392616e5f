"""The npm packages that sign for AWS sign, now, and httpd says of each request whose it is.

Needs what node.py says.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import json

import pytest

from aws_server import REGION, cloud
from node import run_node

BODY = b"line\r\n" + bytes(range(256)) * 4096

# Client: the object that it stores; None where it calls an API, which answers with the body.
CLIENTS = {"client-s3 put": "/box/a b/c+d", "client-s3 put stream": "/box/a b/c+d", "smithy api": None,
           "smithy s3": "/box/a b", "smithy presign": "/box/a b", "signature-v4a api": None, "aws4 api": None,
           "aws4 s3": "/box/a b", "aws4fetch api": None, "aws4fetch s3": "/box/a b"}


@pytest.fixture(scope="module")
def aws(certificate):
    with cloud(certificate) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_stored_yet(aws):
    aws.store.reset()


@pytest.fixture
def call(aws, tmp_path):
    def run(*clients, key=aws.key):
        """[(status, body)] of one call by each client."""
        jobs = [{"client": client, "endpoint": aws.endpoint, "region": REGION, "accessKey": key.access_key,
                 "secret": key.secret, "body": base64.b64encode(BODY).decode()} for client in clients]
        answers = json.loads(run_node("aws.mjs", json.dumps(jobs), tmp_path))
        return [(answer["status"], base64.b64decode(answer["body"])) for answer in answers]
    return run


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_signed_is_accepted_as_it_was(aws, call, client):
    ((status, answer),) = call(client)
    assert status == 200, answer
    stored = CLIENTS[client]
    assert aws.store.objects == ({stored: BODY} if stored else {}) and (stored or answer == BODY)
    ((_, target, headers),) = aws.store.requests
    assert "authorization" not in headers and "X-Amz-Signature" not in target
    assert headers["content-length"] == str(len(BODY)) and "aws-chunked" not in headers.get("content-encoding", "")


def test_the_s3_client_reads_what_it_stored(call):
    assert call("client-s3 put stream", "client-s3 get") == [(200, b""), (200, BODY)]


def test_a_client_with_another_secret_is_refused_and_the_s3_client_knows_why(aws, call):
    answers = dict(zip(CLIENTS, call(*CLIENTS, key=aws.key.wrong)))
    assert {client: status for client, (status, _) in answers.items()} == dict.fromkeys(CLIENTS, 403)
    for client in ("client-s3 put", "client-s3 put stream"):
        assert answers[client][1] == b"SignatureDoesNotMatch"
    assert aws.store.requests == []
