"""What the sender called: the URL, the host, the path and the query as they were signed.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import hmac

import pytest

from client import Connection, curl, head
from server import Server, free_port

SECRET = "the secret of the tests of external URLs"
FROM_FILE = "secret=file:${ROOT}/conf/secret"
SIGNATURE = f"signature=%{{header:X-Signature}} {FROM_FILE}"
BY_URL = f'AuthVerify signature "signed=%{{method}}%{{lf}}%{{url}}%{{lf}}%{{body}}" {SIGNATURE}'
BY_HOST = f'AuthVerify signature "signed=%{{header:Host}} %{{body}}" {SIGNATURE}'
BY_PARTS = f'AuthVerify signature "signed=%{{method}} %{{path}} %{{query}} %{{query:name}}%{{lf}}%{{body}}" {SIGNATURE}'
BODY = b'{"a": 1}'

PLACES = {
    "url": BY_URL,
    "host": BY_HOST,
    "parts": BY_PARTS,
    "github": f"AuthVerify github {FROM_FILE}",
    "fixed": f"{BY_URL}\nAuthVerifyExternalURL https://hooks.example.com",
    "fixed/inner": "AuthVerifyExternalURL http://inner.example:8080",
    "fixed/registered": "AuthVerifyExternalURL as-registered",
    "slash": f"{BY_URL}\nAuthVerifyExternalURL https://hooks.example.com/",
    "prefix": f"{BY_URL}\nAuthVerifyExternalURL https://hooks.example.com/base/v1",
    "prefix-slash": f"{BY_URL}\nAuthVerifyExternalURL https://hooks.example.com:8443/base/",
    "registered": f"{BY_URL}\nAuthVerifyExternalURL as-registered",
    "registered/fixed": "AuthVerifyExternalURL https://hooks.example.com",
    "registered/kept": "AuthVerifyErrorBody empty",
    "fixed-host": f"{BY_HOST}\nAuthVerifyExternalURL https://hooks.example.com",
    "registered-host": f"{BY_HOST}\nAuthVerifyExternalURL as-registered",
}
LOCATIONS = 'AliasMatch "^/" "${ROOT}/htdocs/page.html"\n' + "".join(
    f'<Location "/{name}/">\n{lines}\n</Location>\n' for name, lines in PLACES.items())
CONFIG = f"""
Protocols h2 h2c http/1.1
{LOCATIONS}
<VirtualHost 127.0.0.1:${{PORT}}>
    ServerName test.example
    ServerAlias hooks.example.com *.wild.example
</VirtualHost>
<VirtualHost 127.0.0.1:${{PORT}}>
    ServerName other.example
</VirtualHost>
Listen 127.0.0.1:${{STAR_PORT}}
<VirtualHost 127.0.0.1:${{STAR_PORT}}>
    ServerName star.example
    ServerAlias *
</VirtualHost>
<VirtualHost 127.0.0.1:${{TLS_PORT}}>
    ServerName test.example
    SSLEngine on
    SSLCertificateFile "${{CERTIFICATE}}/certificate.pem"
    SSLCertificateKeyFile "${{CERTIFICATE}}/key.pem"
</VirtualHost>
"""


@pytest.fixture(scope="module")
def server(certificate):
    star_port = free_port()
    started = Server(CONFIG, modules=["alias", "http2", "ssl", "socache_shmcb"], tls=True,
                     defines={"STAR_PORT": star_port, "CERTIFICATE": certificate})
    started.star_port = star_port
    started.secret("secret", SECRET)
    started.write("page.html", "page")
    with started:
        yield started


def proof(text):
    return {"X-Signature": hmac.new(SECRET.encode(), text.encode() + BODY, hashlib.sha256).hexdigest()}


def url_proof(url, method="POST"):
    return proof(f"{method}\n{url}\n")


def status(port, target, headers, host="test.example", tls=False, method="POST"):
    with Connection(port, tls) as connection:
        fields = {**headers, "Content-Length": str(len(BODY)), "Connection": "close"}
        connection.send(head(method, target, fields, host) + BODY)
        return connection.final_response().status


def refuse(server, reason):
    server.refusal(reason)
    return 401


# --- %{url} without AuthVerifyExternalURL -----------------------------------------------------------------------------

@pytest.mark.parametrize("host",
                         ["test.example", "test.example:80", "test.example:8443", "TEST.Example", "hooks.example.com",
                                  "a.wild.example", "a.b.wild.example", "other.example"])
def test_the_url_is_scheme_host_as_sent_and_target(server, host):
    assert status(server.port, "/url/x?a=1", url_proof(f"http://{host}/url/x?a=1"), host) == 200


@pytest.mark.parametrize("host",
                         ["elsewhere.example", "127.0.0.1", "test.example.evil.example", "wild.example", "localhost",
                                  "xtest.example", "test.exampl"])
def test_a_host_of_nobody_here_is_refused_although_the_signature_is_right(server, host):
    assert status(server.port, "/url/x", url_proof(f"http://{host}/url/x"), host) == refuse(server, "wrong-host")
    assert status(server.port, "/host/x", proof(f"{host} "), host) == refuse(server, "wrong-host")


def test_a_request_without_host_is_refused(server):
    server.refusal("wrong-host", 1)
    with Connection(server.port) as connection:
        fields = {**url_proof("http:///url/x"), "Content-Length": str(len(BODY))}
        connection.send("POST /url/x HTTP/1.0\r\n", "".join(f"{name}: {value}\r\n" for name, value in fields.items()),
                        "\r\n", BODY)
        assert connection.final_response().status == 401


@pytest.mark.parametrize("url",
                         ["https://test.example/url/x?a=1", "http://hooks.example.com/url/x?a=1",
                          "http://test.example/url/x",
                                 "http://test.example/url/x?a=2", "http://test.example:80/url/x?a=1", "/url/x?a=1"])
def test_a_signature_over_another_url_is_wrong(server, url):
    assert status(server.port, "/url/x?a=1", url_proof(url)) == refuse(server, "wrong-signature")


def test_a_signature_over_another_method_is_wrong(server):
    signed = url_proof("http://test.example/url/x", "POST")
    assert status(server.port, "/url/x", signed, method="PUT") == refuse(server, "wrong-signature")


def test_what_a_client_says_of_proxies_does_not_count(server):
    headers = {"X-Forwarded-Host": "elsewhere.example", "X-Forwarded-Proto": "https",
               "Forwarded": "host=elsewhere.example"}
    assert status(server.port, "/url/x", {**headers, **url_proof("http://test.example/url/x")}) == 200
    signed = url_proof("https://elsewhere.example/url/x")
    assert status(server.port, "/url/x", {**headers, **signed}) == refuse(server, "wrong-signature")


@pytest.mark.parametrize("target",
                         ["/url/a/../x", "/url/./x", "//url//x", "/url/%78", "/url/%7Ea?b=%20+%2B", "/url/x?",
                          "/url/x?a=1?b",
                                    "/url/x?a=http://b/", "/u%72l/x", "/url/x;a=1?b;c"])
def test_the_target_counts_as_it_was_sent(server, target):
    assert status(server.port, target, url_proof(f"http://test.example{target}")) == 200
    assert status(server.port, target, url_proof("http://test.example/url/x")) == refuse(server, "wrong-signature")


def test_under_tls_the_scheme_is_https(server):
    host = f"test.example:{server.tls_port}"
    assert status(server.tls_port, "/url/x", url_proof(f"https://{host}/url/x"), host, tls=True) == 200
    plain = url_proof(f"http://{host}/url/x")
    assert status(server.tls_port, "/url/x", plain, host, tls=True) == refuse(server, "wrong-signature")


def test_over_http2_the_host_is_the_authority(server):
    def over_http2(url, signed_url):
        proof_of_nothing = hmac.new(SECRET.encode(), f"GET\n{signed_url}\n".encode(), hashlib.sha256).hexdigest()
        return curl("--http2-prior-knowledge", "--connect-to", f"::127.0.0.1:{server.port}", "--header",
                    f"X-Signature: {proof_of_nothing}", url).status

    assert over_http2("http://test.example/url/x?a=1", "http://test.example/url/x?a=1") == 200
    refuse(server, "wrong-signature")
    assert over_http2("http://test.example/url/x", "http://hooks.example.com/url/x") == 401
    refuse(server, "wrong-host")
    assert over_http2("http://elsewhere.example/url/x", "http://elsewhere.example/url/x") == 401


@pytest.mark.parametrize("host", ["anything.example", "127.0.0.1", "star.example"])
def test_an_alias_of_all_takes_any_host(server, host):
    assert status(server.star_port, "/url/x", url_proof(f"http://{host}/url/x"), host) == 200
    assert status(server.star_port, "/host/x", proof(f"{host} "), host) == 200


def test_a_rule_that_signs_no_host_takes_any(server):
    signed = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert status(server.port, "/github/x", {"X-Hub-Signature-256": f"sha256={signed}"}, "elsewhere.example") == 200


# --- the absolute form of a target, RFC 9112 section 3.2.2 ------------------------------------------------------------

@pytest.mark.parametrize("target, url", [
    ("http://test.example/url/x?a=1", "http://test.example/url/x?a=1"),
    ("http://hooks.example.com/url/x", "http://hooks.example.com/url/x"),
    ("http://test.example:8080/url/x", "http://test.example:8080/url/x")])
@pytest.mark.parametrize("host", ["test.example", "elsewhere.example"])
def test_an_absolute_target_says_the_host(server, target, url, host):
    assert status(server.port, target, url_proof(url), host) == 200


def test_an_absolute_target_with_a_host_of_nobody_here_is_refused(server):
    target = "http://elsewhere.example/url/x"
    assert status(server.port, target, url_proof(target)) == refuse(server, "wrong-host")
    assert status(server.port, target, url_proof("http://test.example/url/x")) == refuse(server, "wrong-host")


def test_an_absolute_target_has_the_path_and_the_query_of_its_own(server):
    signed = proof("POST /parts/a b=1&name=c+d c d\n")
    assert status(server.port, "http://test.example/parts/a?b=1&name=c+d", signed) == 200


# --- AuthVerifyExternalURL --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path, url", [
    ("/fixed/x?a=1", "https://hooks.example.com/fixed/x?a=1"),
    ("/fixed/inner/x", "http://inner.example:8080/fixed/inner/x"),
    ("/slash/x", "https://hooks.example.com/slash/x"),
    ("/prefix/x?a=1", "https://hooks.example.com/base/v1/prefix/x?a=1"),
    ("/prefix-slash/x", "https://hooks.example.com:8443/base/prefix-slash/x"),
    ("/registered/fixed/x", "https://hooks.example.com/registered/fixed/x"),
    ("//fixed/./x", "https://hooks.example.com//fixed/./x")])
@pytest.mark.parametrize("host", ["test.example", "elsewhere.example"])
def test_the_external_url_stands_for_scheme_and_host(server, path, url, host):
    assert status(server.port, path, url_proof(url), host) == 200
    assert status(server.port, path, url_proof(f"http://{host}{path}"), host) == refuse(server, "wrong-signature")


@pytest.mark.parametrize("path, url", [("/prefix/x", "https://hooks.example.com/prefix/x"),
                                       ("/prefix-slash/x", "https://hooks.example.com:8443/base//prefix-slash/x"),
                                       ("/slash/x", "https://hooks.example.com//slash/x"),
                                       ("/fixed/x", "http://hooks.example.com/fixed/x"),
                                       ("/fixed/x", "https://hooks.example.com:443/fixed/x")])
def test_the_external_url_is_taken_literally(server, path, url):
    assert status(server.port, path, url_proof(url)) == refuse(server, "wrong-signature")


@pytest.mark.parametrize("path", ["/registered/x", "/registered/kept/x", "/fixed/registered/x"])
@pytest.mark.parametrize("host", ["test.example", "elsewhere.example", "127.0.0.1:99"])
def test_as_registered_takes_any_host_as_it_was_sent(server, path, host):
    assert status(server.port, path, url_proof(f"http://{host}{path}"), host) == 200
    fixed = url_proof(f"https://hooks.example.com{path}")
    assert status(server.port, path, fixed, host) == refuse(server, "wrong-signature")


def test_an_absolute_target_under_an_external_url_counts_from_its_path_on(server):
    signed = url_proof("https://hooks.example.com/fixed/x?a")
    assert status(server.port, "http://elsewhere.example/fixed/x?a", signed) == 200


@pytest.mark.parametrize("place", ["fixed-host", "registered-host"])
def test_a_signed_host_header_is_the_one_that_was_sent(server, place):
    for host in ("test.example", "elsewhere.example"):
        assert status(server.port, f"/{place}/x", proof(f"{host} "), host) == 200
    assert status(server.port, f"/{place}/x", proof("hooks.example.com ")) == refuse(server, "wrong-signature")


# --- the other parts of a request -------------------------------------------------------------------------------------

@pytest.mark.parametrize("target, text", [
    ("/parts/a?name=c", "POST /parts/a name=c c\n"),
    ("/parts/%61?b=%20&name=%41+c", "POST /parts/%61 b=%20&name=%41+c A c\n"),
    ("/parts/a?n%61me=c&other", "POST /parts/a n%61me=c&other c\n"),
    ("/parts/../parts/a?name=", "POST /parts/../parts/a name= \n")])
def test_path_and_query_are_raw_and_a_parameter_is_decoded(server, target, text):
    assert status(server.port, target, proof(text)) == 200


@pytest.mark.parametrize("target, reason, code", [
    ("/parts/a", "malformed-credential", 401), ("/parts/a?other=1", "malformed-credential", 401),
    ("/parts/a?name=1&name=1", "ambiguous-credential", 400), ("/parts/a?name=%4", "malformed-credential", 401),
    ("/parts/a?name=1&n%61me=2", "ambiguous-credential", 400)])
def test_a_signed_parameter_must_be_there_once(server, target, reason, code):
    server.refusal(reason, 1)
    assert status(server.port, target, proof("anything")) == code
