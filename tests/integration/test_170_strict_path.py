"""AuthVerifyStrictPath, and paths= that brings it along: no path that somebody behind us may read as another one.

SPDX-License-Identifier: Apache-2.0
"""
import pytest

from client import Connection, get
from configtest import in_location
from header_attacks import readings
from server import Server, free_port
from verdict import TELL, reason_of

TOKEN = "a-token-of-the-strict-path-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

# What somebody reads as a path below /api/, or as none of the other folders'.
AMBIGUOUS = [
    "/%2561pi/v1", "/public\\..\\api\\v1", "/public%5c..%5capi%5cv1", "/public%5C..%5Capi", "/api;x=1/v1", "/api;/v1",
    "/public/..;/api/v1", "/public/..;x=1/api/v1", "/;/api/v1", "/;x/api/v1", "/api%3fv1", "/api%3Bx=1/v1", "/api%23v1",
    "/public/%252e%252e/api/v1", "/public/%2e%2e/api/v1", "/public/.%2e/api/v1", "/public/../api/v1", "/./api/v1",
    "//api/v1",
    "/public//../api/v1", "/public/%2e/x", "/public/.", "/public/..", "/api%00/v1", "/api%0a/v1", "/api%0d/v1",
    "/api%09/v1",
    "/api%7f/v1", "/public%c0%af..%c0%afapi", "/public/%c0%ae%c0%ae/api", "/public/%e0%80%af/x", "/public/%ed%a0%80/x",
    "/public/%ff/x", "/public/%f5%80%80%80", "/public/%c3", "/public/%c3/%a4", "/public/%2f/x", "/public%2f..%2fapi/v1",
    "/public/a%25b", "/public/<x>", "/public/{x}", "/public/a|b", "/public/a^b", "/public/`x`", '/public/"x"',
]

PLAIN = [
    "/", "/public", "/public/", "/public/a/b/c/", "/public/a.b", "/public/...", "/public/.well-known/x",
    "/public/a..b/c",
    "/public/%61%2d%5f%7e", "/public/~user/@me/a:b/c,d/e=f/g+h/i!j/$k/'l'/(m)/*n&o",
    "/public/%c3%a4/%e2%9c%93/%f0%9f%98%80",
    "/public/a%20b", "/public/a%2bb", "/public/%5b1%5d", "/public/%3cx%3e", "/public/x?a=1;b=%2f&c=..;/%5c%00",
    "/public/x?//../%252e",
]

# httpd itself answers these before any module is asked.
HTTPD_REFUSES = {"/api%00/v1", "/public/%2f/x", "/public%2f..%2fapi/v1", "/public/..%2f"}


def send(port, target):
    with Connection(port) as connection:
        connection.send(f"GET {target} HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n".encode("latin-1"))
        return connection.final_response()


@pytest.fixture(scope="module")
def httpd(backend):
    server = Server("", modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port},
                    allow=["AH01136: Unescaped URL path"])
    server.secret("token", TOKEN)
    server.stock_port = free_port()
    rule = in_location("AuthVerify bearer secret=file:conf/token", "/api")
    limited = "AuthVerify bearer secret=file:conf/token paths="
    server.configure(
        TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/" nocanon\n'
        f"Listen 127.0.0.1:{server.stock_port}\n<VirtualHost 127.0.0.1:{server.stock_port}>\n"
        f'ProxyPass "/" "http://127.0.0.1:${{BACKEND}}/" nocanon\n{rule}</VirtualHost>\n'
        f"<VirtualHost 127.0.0.1:${{PORT}}>\nAuthVerifyStrictPath on\n"
        f'ProxyPass "/" "http://127.0.0.1:${{BACKEND}}/" nocanon\n{rule}'
        + in_location("AuthVerifyStrictPath off", "/lenient")
        + in_location(limited + "/limited/reports/*", "/limited")
        + in_location(limited + "/loose/reports/*\nAuthVerifyStrictPath off", "/loose")
        + "</VirtualHost>\n")
    with server:
        yield server


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_a_path_with_two_readings_is_refused(httpd, backend, target):
    httpd.allow_refusals("malformed-request")
    httpd.allow("AH10244|AH00026|AH10505")
    response = send(httpd.port, target)
    assert response.status in ((400, 404) if target in HTTPD_REFUSES else (400,)), response
    assert backend.count == 0


@pytest.mark.parametrize("target", PLAIN)
def test_a_path_with_one_reading_goes_through(httpd, backend, target):
    assert send(httpd.port, target).status == 200
    assert [received.path for received in backend.requests] == [target]


def test_without_it_some_of_them_reach_the_protected_folder(httpd, backend):
    """The control: these are no idle fears."""
    httpd.allow_refusals("not-presented")
    httpd.allow("AH10244")
    for target in AMBIGUOUS:
        send(httpd.stock_port, target)
    reached = [received.path for received in backend.requests
               if any(path.startswith("/api/") for path in readings(received.path))]
    assert len(reached) >= 4, reached


def test_one_refusal_is_said_with_its_reason(httpd):
    httpd.refusal("malformed-request", 1)
    response = send(httpd.port, "/public/..;/api/v1")
    assert (response.status, reason_of(response)) == (400, "malformed-request")


def test_off_in_an_inner_place(httpd, backend):
    assert send(httpd.port, "/lenient/a;b=1").status == 200
    assert [received.path for received in backend.requests] == ["/lenient/a;b=1"]


# --- paths= -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("target,status", [
    ("/limited/reports/1", 200), ("/limited/reports/", 200), ("/limited/r%65ports/1", 200), ("/limited/other", 403),
    ("/limited/reports", 403), ("/limited/reports/../other", 400), ("/limited/reports/%2e%2e/other", 400),
    ("/limited/reports/..;/other", 400), ("/limited/reports/%252e%252e/other", 400), ("/limited/reports//../other",
                                                                                      400),
    ("/limited/reports\\..\\other", 400), ("/limited/other?/limited/reports/1", 403)])
def test_paths_are_compared_where_there_is_one_reading(httpd, target, status):
    httpd.allow_refusals("malformed-request", "path-not-allowed")
    assert get(httpd, target, BEARER).status == status


@pytest.mark.parametrize("target,status", [
    ("/loose/reports/1", 200), ("/loose/reports/1;x", 403), ("/loose/reports/../other", 403),
    ("/loose/other/../reports/1", 403), ("/loose/reports/%2e%2e/other", 403), ("/loose//reports/1", 403)])
def test_paths_take_no_path_with_two_readings_whatever_the_switch_says(httpd, target, status):
    httpd.allow_refusals("path-not-allowed")
    assert get(httpd, target, BEARER).status == status


# --- beside httpd's own authorisation ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def beside():
    server = Server(in_location("AuthVerifyStrictPath on\nSatisfy Any\nRequire all granted", "/any")
                    + in_location("AuthVerify none methods=GET\nAuthVerifyMode observe\nAuthVerifyStrictPath on", "/watched"),
                    modules=["access_compat"])
    for name in ("any/a;b.html", "watched/a;b.html"):
        server.write(name, "content")
    with server:
        yield server


def test_satisfy_any_opens_no_path_with_two_readings(beside):
    beside.refusal("malformed-request", 1)
    assert send(beside.port, "/any/a;b.html").status == 400


def test_observing_refuses_no_path(beside):
    assert send(beside.port, "/watched/a;b.html").status == 200
