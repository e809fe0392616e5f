"""Tokens that are bound to a certificate of the client (RFC 8705 section 3): good in its hands alone.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import http.client
import ssl
import subprocess

import pytest

from configtest import in_location
from server import Server
from tokens import SAID, SECRET, base64url, bearer, claims, hs256

RULE = f"AuthVerify jwt algorithms=HS256 secret=file:conf/shared {SAID}"
TLS = """
<VirtualHost 127.0.0.1:${TLS_PORT}>
    SSLEngine on
    SSLCertificateFile ${ROOT}/conf/server.pem
    SSLCertificateKeyFile ${ROOT}/conf/server.key
    SSLVerifyClient optional_no_ca
</VirtualHost>
"""


class Certificate:
    """One that nobody but its owner has signed."""

    def __init__(self, folder, name):
        self.file, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                        self.key, "-out", self.file], check=True, capture_output=True)
        self.der = ssl.PEM_cert_to_DER_cert(self.file.read_text())
        self.thumbprint = base64url(hashlib.sha256(self.der).digest())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return {name: Certificate(folder, name) for name in ("server", "ours", "other")}


@pytest.fixture(scope="module", params=["event", "prefork"])
def httpd(request, certificates):
    server = Server(TLS + in_location(RULE, "/api/"), mpm=request.param, tls=True,
                    modules=["socache_shmcb", "ssl"], allow=[r"AH02227|AH0190[69]|AH02276"])
    server.secret("shared", SECRET)
    for name in ("pem", "key"):
        source = certificates["server"].file if name == "pem" else certificates["server"].key
        server.secret(f"server.{name}", source.read_bytes())
    server.write("api/x", "here")
    with server:
        yield server


def call(server, token, certificate=None):
    """The status over TLS, with a certificate or without one; over plain TCP where the certificate is False."""
    if certificate is False:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    else:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate.file, certificate.key)
        connection = http.client.HTTPSConnection("127.0.0.1", server.tls_port, context=context, timeout=30)
    connection.request("GET", "/api/x", headers=bearer(token))
    status = connection.getresponse().status
    connection.close()
    return status


def bound_to(thumbprint, **more):
    return hs256(claims(cnf={"x5t#S256": thumbprint, **more}))


def test_a_bound_token_is_good_with_its_certificate_and_no_other(httpd, certificates):
    token = bound_to(certificates["ours"].thumbprint)
    httpd.refusal("unproven-binding", 6)
    for _ in range(2):  # what is remembered of a token must not outlive who shows it
        assert call(httpd, token, certificates["ours"]) == 200
        assert call(httpd, token, certificates["other"]) == 401
        assert call(httpd, token) == 401
        assert call(httpd, token, False) == 401


def test_a_token_that_is_bound_to_none_needs_none(httpd, certificates):
    token = hs256(claims())
    assert {call(httpd, token, certificate) for certificate in (certificates["ours"], None, False)} == {200}


@pytest.mark.parametrize("spoil", [
    lambda right: {"x5t#S256": right + "="},
    lambda right: {"x5t#S256": right[:-1]},
    lambda right: {"x5t#S256": ""},
    lambda right: {"x5t#S256": right.encode().hex()},
    lambda right: {"x5t#S256": 7},
    lambda right: {"x5t": right},
    lambda right: {"x5t#S256": right, "jkt": right},
    lambda right: {"jkt": right},
    lambda right: right,
    lambda right: [right],
], ids=["padded", "short", "empty", "hexadecimal", "a number", "SHA-1's name", "and a key", "a key", "a string", "a list"])
def test_a_binding_that_is_not_understood_is_none_that_is_proven(httpd, certificates, spoil):
    ours = certificates["ours"]
    httpd.refusal("unproven-binding", 1)
    assert call(httpd, hs256(claims(cnf=spoil(ours.thumbprint))), ours) == 401
