"""A signature that covers the URL covers what the sender called us, and nothing else.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import hmac

import pytest

from client import Connection, curl, get, head
from server import Server

SECRET = "the secret of the URL tests"
CONFIG = """
<Location "/">
    AuthVerify signature signature=%{header:X-Proof} "signed=%{method} %{url} %{body}" secret=file:${ROOT}/conf/secret
</Location>
<Location "/external">
    AuthVerifyExternalURL https://hooks.example.com
</Location>
<Location "/external/prefixed">
    AuthVerifyExternalURL https://hooks.example.com:8443/base/
</Location>
<Location "/external/as-registered">
    AuthVerifyExternalURL as-registered
</Location>
<Location "/host">
    AuthVerify signature signature=%{header:X-Proof} "signed=%{header:Host} %{body}" secret=file:${ROOT}/conf/secret
</Location>
<VirtualHost 127.0.0.1:${PORT}>
    ServerName test.example
    AllowEncodedSlashes NoDecode
    ServerAlias alias.example *.wild.example
</VirtualHost>
<VirtualHost 127.0.0.1:${PORT}>
    ServerName any.example
    AllowEncodedSlashes NoDecode
    ServerAlias *.anywhere.example *
</VirtualHost>
<VirtualHost 127.0.0.1:${TLS_PORT}>
    ServerName test.example
    AllowEncodedSlashes NoDecode
    SSLEngine on
    SSLCertificateFile "${CERTIFICATE}/certificate.pem"
    SSLCertificateKeyFile "${CERTIFICATE}/key.pem"
</VirtualHost>
"""


def proof(text):
    return {"X-Proof": hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()}


@pytest.fixture(scope="module")
def server(certificate):
    started = Server(CONFIG, modules=["socache_shmcb", "ssl"], tls=True, defines={"CERTIFICATE": certificate})
    started.secret("secret", SECRET)
    with started:
        yield started


def status_of(server, target, url, host="test.example"):
    """404: the proof was accepted; nothing stands there."""
    return get(server, target, proof(f"GET {url} "), host=host).status


@pytest.mark.parametrize("target", ["/", "/a?b=c", "/a%2Fb%20?x=%41&x=%41", "/a//b/./c?", "/%e4?q=a+b", "/a;p=1?d;e"])
def test_the_url_is_the_scheme_the_host_and_the_target_as_sent(server, target):
    assert status_of(server, target, f"http://test.example{target}") in (200, 404, 403)
    server.refusal("wrong-signature", 1)
    assert status_of(server, target, f"http://test.example{target}x") == 401


def test_another_way_to_write_a_target_is_another_url(server):
    server.refusal("wrong-signature", 3)
    for written, sent in (("/a%2fb", "/a/b"), ("/%61", "/a"), ("/a?x=1", "/a?x=%31")):
        assert status_of(server, sent, f"http://test.example{written}") == 401


def test_over_tls_the_scheme_is_https(server):
    (name, value), = proof("GET https://test.example/x ").items()
    answer = curl("--http1.1", "--header", f"{name}: {value}", "--header", "Host: test.example",
                  f"https://127.0.0.1:{server.tls_port}/x")
    assert answer.status == 404
    server.refusal("wrong-signature", 1)
    assert status_of(server, "/x", "https://test.example/x") == 401


@pytest.mark.parametrize("host",
                         ["test.example", "TEST.example", "test.example:8080", "alias.example", "a.wild.example"])
def test_a_name_of_the_virtual_host_is_taken_as_sent(server, host):
    assert status_of(server, "/x", f"http://{host}/x", host) == 404


@pytest.mark.parametrize("path", ["/x", "/host"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "test.example.evil.example", "localhost"])
def test_a_host_that_is_none_of_ours_is_refused_although_it_is_signed(backend, path, host):
    """With one virtual host httpd serves every name in it: what was sent to somebody else must not count here."""
    config = CONFIG.partition("<VirtualHost")[0]
    started = Server(config)
    started.secret("secret", SECRET)
    with started:
        started.refusal("wrong-host", 1)
        text = f"{host} " if path == "/host" else f"GET http://{host}{path} "
        assert get(started, path, proof(text), host=host).status == 401
        text = "test.example " if path == "/host" else f"GET http://test.example{path} "
        assert get(started, path, proof(text)).status == 404


@pytest.mark.parametrize("host", ["any.example", "what.ever.example", "10.0.0.1"])
def test_a_virtual_host_for_any_name_takes_any_name(server, host):
    assert status_of(server, "/x", f"http://{host}/x", host) == 404


@pytest.mark.parametrize("host", ["test.example", "10.0.0.1", "whatever.example"])
def test_the_external_url_replaces_scheme_and_host(server, host):
    assert status_of(server, "/external/x?y", "https://hooks.example.com/external/x?y", host) == 404
    assert status_of(server, "/external/prefixed?y", "https://hooks.example.com:8443/base/external/prefixed?y",
                     host) == 404
    server.refusal("wrong-signature", 1)
    assert status_of(server, "/external/x?y", f"http://{host}/external/x?y", host) == 401


def test_as_registered_takes_any_host_as_sent(server):
    target = "/external/as-registered"
    assert status_of(server, target, f"http://evil.example{target}", "evil.example") == 404


def test_an_absolute_target_is_the_url_of_its_own_host(server):
    with Connection(server.port) as connection:
        connection.send(head("GET", "http://test.example/x", proof("GET http://test.example/x ")))
        first = connection.response()
    assert first.status in (404, 401)
    server.allow_refusals("wrong-signature", "wrong-host")
    with Connection(server.port) as connection:
        connection.send(head("GET", "http://evil.example/x", proof("GET http://test.example/x ")))
        assert connection.response().status == 401
