"""What somebody can do to a request between its signer and httpd: none of it reaches a handler, and no answer tells which
access keys there are.

SPDX-License-Identifier: Apache-2.0
"""
from dataclasses import replace

import pytest

from aws4_signer import UNSIGNED, Signer
from backends import HANDLER_CONFIG, HANDLER_MODULES, install_handlers
from client import Connection, chunked, head, request
from server import Server

SIGNER = Signer()
HOST = {"Host": "test.example"}
RULE = f"AuthVerify aws4 access-key={SIGNER.access_key} secret=file:conf/aws.secret region=us-east-1 service=s3"

CONFIG = HANDLER_CONFIG + f"""
MergeTrailers on
AuthVerifyErrorBody aws
<Location "/">
    {RULE}
</Location>
<Location "/api">
    AuthVerify aws4 access-key={SIGNER.access_key} secret=file:conf/aws.secret region=us-east-1 service=execute-api
</Location>
<Location "/temporary">
    {RULE} session-token=file:conf/aws.token
</Location>
ProxyPass "/temporary/" "http://127.0.0.1:${{BACKEND}}/"
"""


@pytest.fixture(scope="module")
def shared_server(backend, php):
    made = Server(CONFIG, modules=HANDLER_MODULES, defines={"BACKEND": backend.port, "PHP": php.port})
    made.secret("aws.secret", SIGNER.secret)
    made.secret("aws.token", "the token of the temporary key")
    install_handlers(made)
    with made:
        yield made


@pytest.fixture
def server(shared_server, backend):
    backend.reset()
    return shared_server


def send(server, method, target, fields, *segments):
    with Connection(server.port) as connection:
        connection.send(head(method, target, {"Connection": "close", **fields}), *segments)
        return connection.final_response()


def test_a_trailer_adds_no_header_to_those_that_were_signed(server, backend):
    signed = SIGNER.sign("PUT", "/proxy/x", {**HOST, "X-Amz-Acl": "private"}, body=b"data")
    fields = {**signed.headers, "Transfer-Encoding": "chunked"}
    *data, _ = chunked(b"data")
    answer = send(server, "PUT", "/proxy/x", fields, *data, b"0\r\n\r\n")
    assert answer.status == 200
    sent = backend.requests[0].headers
    backend.reset()
    answer = send(server, "PUT", "/proxy/x", fields, *data,
                  b"0\r\nX-Amz-Acl: public-read\r\nX-Amz-Copy-Source: /other\r\nContent-Type: text/x-added\r\n\r\n")
    assert answer.status == 200
    assert backend.requests[0].headers == sent


@pytest.mark.parametrize("target", ["http://test.example?other=/proxy/x", "http://test.example?/proxy/x"])
def test_a_target_without_a_path_is_not_the_path_in_its_query(server, backend, target):
    signed = SIGNER.sign("GET", "/proxy/x", HOST)
    assert send(server, "GET", "http://test.example/proxy/x", signed.headers).status == 200
    backend.reset()
    server.refusal("wrong-signature", 1)
    assert send(server, "GET", target, signed.headers).status == 403
    assert not backend.requests


# --- which keys are there ---------------------------------------------------------------------------------------------

WRONG = {"another secret": replace(SIGNER, secret=SIGNER.secret[::-1]),
         "nobody's key": replace(SIGNER, access_key="AKIDOFNOBODY00000000")}


@pytest.mark.parametrize("token", [None, "a token", "the token of the temporary key"])
@pytest.mark.parametrize("path, service", [("/proxy/x", "s3"), ("/temporary/x", "s3"), ("/api", "execute-api")])
@pytest.mark.parametrize("payload", [None, UNSIGNED])
def test_an_unknown_key_and_a_wrong_signature_get_one_answer(server, backend, path, service, token, payload):
    server.expect("refused reason=")
    answers = set()
    for signer in WRONG.values():
        used = replace(signer, token=token, service=service, s3=service == "s3")
        signed = used.sign("PUT", path, HOST, b"data", payload=payload)
        answer = request(server, "PUT", path, signed.headers, b"data")
        answers.add((answer.status, answer.body, tuple(name for name, _ in answer.headers)))
    assert len(answers) == 1
    assert not backend.requests


def test_a_token_is_asked_of_who_has_the_key(server):
    server.refusal("wrong-session-token", 2)
    for path, token in (("/proxy/x", "a token"), ("/temporary/x", "another token")):
        signed = replace(SIGNER, token=token).sign("PUT", path, HOST, b"data")
        answer = request(server, "PUT", path, signed.headers, b"data")
        assert answer.status == 400 and b"InvalidToken" in answer.body
    signed = replace(SIGNER, token="the token of the temporary key").sign("PUT", "/temporary/x", HOST, b"data")
    assert request(server, "PUT", "/temporary/x", signed.headers, b"data").status == 200
