"""from=: which networks a sender may come from, also behind a proxy that mod_remoteip is told to believe.

SPDX-License-Identifier: Apache-2.0
"""
import os
import socket

import pytest

from client import Connection
from configtest import assert_says, in_location, put
from server import Server, free_port
from verdict import TELL, reason_of

TOKEN = "a-token-of-the-networks-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
RULE = "AuthVerify bearer secret=file:conf/token"

FILES = {
    "ranges": "# offices\r\n127.0.0.2 127.0.0.4,127.0.0.8/31\t# the last two\r\n\r\n"
              "   2001:db8::/32\n127.0.0.32-127.0.0.40\n",
    "many": "".join(f"10.{i // 256}.{i % 256}.{j}/32\n" for i in range(3000) for j in (1, 9)) + "127.0.0.77\n",
}

# Networks, addresses of 127.0.0.0/8 that are in them, others that are not.
SETS = {
    "host": ("127.0.0.1", [1], [2, 3]),
    "host-with-length": ("127.0.0.1/32", [1], [2, 3]),
    "pair": ("127.0.0.2/31", [2, 3], [1, 4]),
    "quarter": ("127.0.0.64/26", [64, 127], [63, 128]),
    "range": ("127.0.0.3-127.0.0.5", [3, 4, 5], [2, 6]),
    "list": ("127.0.0.1,127.0.0.3,2001:db8::/32", [1, 3], [2, 4]),
    "overlapping": ("127.0.0.0/30,127.0.0.2-127.0.0.9,127.0.0.9", [1, 2, 9], [10]),
    "everybody": ("0.0.0.0/0", [1, 254], []),
    "everybody-of-the-other-family": ("::/0", [], [1, 2]),
    "mapped": ("::ffff:127.0.0.2", [2], [1, 3]),
    "mapped-network": ("::ffff:127.0.0.2/127", [2, 3], [1, 4]),
    "one-host-of-the-other-family": ("::1", [], [1]),
    "compatible-is-not-mapped": ("::127.0.0.1", [], [1]),
    "file": ("file:conf/ranges", [2, 4, 8, 9, 32, 40], [1, 3, 10, 31, 41]),
    "large-file": ("file:conf/many", [77], [1, 76, 78]),
}


def get_from(address, port, path, headers, target="127.0.0.1"):
    """A GET whose own address is `address`."""
    with Connection(port, source=address, target=target) as connection:
        fields = {"Host": "test.example", "Connection": "close", **headers}
        connection.send(f"GET {path} HTTP/1.1\r\n"
                        + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n")
        return connection.final_response()


@pytest.fixture(scope="module")
def httpd(backend):
    server = Server("", modules=["proxy", "proxy_http", "headers"], defines={"BACKEND": backend.port})
    server.secret("token", TOKEN)
    for name, text in FILES.items():
        (server.root / "conf" / name).write_bytes(text.encode())
    server.configure(TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
                     + "".join(in_location(f'{RULE} "from={text}"', f"/{name}") for name, (text, _, _) in SETS.items())
                     + in_location("AuthVerify none from=127.0.0.5", "/only-the-network"))
    with server:
        yield server


@pytest.mark.parametrize("name", SETS)
def test_an_address_is_in_its_networks(httpd, name):
    _, inside, outside = SETS[name]
    httpd.allow_refusals("network-refused")
    answers = {last: get_from(f"127.0.0.{last}", httpd.port, f"/{name}", BEARER) for last in inside + outside}
    assert {last: answer.status for last, answer in answers.items()} == {
        **{last: 200 for last in inside}, **{last: 403 for last in outside}}
    assert {reason_of(answers[last]) for last in outside} <= {"network-refused"}


def test_the_network_is_asked_before_the_credential_is_looked_at(httpd):
    httpd.refusal("network-refused", 2)
    assert get_from("127.0.0.2", httpd.port, "/host", {"Authorization": "Bearer"}).status == 403
    assert get_from("127.0.0.2", httpd.port, "/host", {"Authorization": "Bearer wrong"}).status == 403


def test_a_network_alone(httpd):
    httpd.refusal("network-refused", 1)
    assert get_from("127.0.0.5", httpd.port, "/only-the-network", {}).status == 200
    assert get_from("127.0.0.6", httpd.port, "/only-the-network", {}).status == 403


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Client-IP", "X-Real-IP", "True-Client-IP"])
def test_what_a_client_says_of_its_address_counts_nothing(httpd, name):
    httpd.refusal("network-refused", 1)
    value = "for=127.0.0.1" if name == "Forwarded" else "127.0.0.1"
    assert get_from("127.0.0.2", httpd.port, "/host", {**BEARER, name: value}).status == 403
    assert get_from("127.0.0.1", httpd.port, "/host", {**BEARER, name: "192.0.2.1"}).status == 200


# --- IPv6 -------------------------------------------------------------------------------------------------------------

def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6_and_ipv4_on_a_socket_of_both(backend):
    port = free_port()
    server = Server("", modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port})
    server.secret("token", TOKEN)
    places = {"/one": "::1", "/four": "127.0.0.1", "/all-six": "::/0", "/other": "2001:db8::1",
              "/both": "::1,127.0.0.1",
              "/range": "::-::2"}
    server.configure(f"Listen [::]:{port}\n" + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
                     + "".join(in_location(f"{RULE} from={text}", path) for path, text in places.items()))
    with server:
        server.allow_refusals("network-refused")
        by_six = {path: get_from("::1", port, path, BEARER, "::1").status for path in places}
        by_four = {path: get_from("::ffff:127.0.0.1", port, path, BEARER, "::ffff:127.0.0.1").status for path in places}
    assert by_six == {"/one": 200, "/four": 403, "/all-six": 200, "/other": 403, "/both": 200, "/range": 200}
    assert by_four == {"/one": 403, "/four": 200, "/all-six": 403, "/other": 403, "/both": 200, "/range": 403}


# --- behind a proxy ---------------------------------------------------------------------------------------------------

PROXIES = {
    "internal": "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n",
    "trusted": "RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy 127.0.0.1\n",
    "another": "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.9\n",
    "none": "",
}


@pytest.fixture(scope="module")
def behind(backend):
    ports = {name: free_port() for name in (*PROXIES, "protocol")}
    server = Server("", modules=["proxy", "proxy_http", "remoteip", "headers"], defines={"BACKEND": backend.port},
                    allow=["AH03492: RemoteIPProxyProtocol: enabled"])
    server.secret("token", TOKEN)
    rules = (TELL + 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
             + in_location(f"{RULE} from=198.51.100.0/24", "/api")
             + in_location(f"{RULE} from=127.0.0.1", "/peer"))
    server.configure("".join(
        f"Listen 127.0.0.1:{ports[name]}\n<VirtualHost 127.0.0.1:{ports[name]}>\n{lines}{rules}</VirtualHost>\n"
        for name, lines in {**PROXIES, "protocol": "RemoteIPProxyProtocol on\n"}.items()))
    with server:
        yield server, ports


@pytest.mark.parametrize("proxy,value,status", [
    ("internal", "198.51.100.7", 200),
    ("internal", "192.0.2.1, 198.51.100.7", 200),
    ("internal", "198.51.100.7, 192.0.2.1", 403),
    ("internal", "192.0.2.1", 403),
    ("internal", None, 403),
    ("internal", "", 403),
    ("internal", "198.51.100", 403),
    ("internal", "unknown", 403),
    ("internal", "::ffff:198.51.100.7", 200),
    ("internal", "198.51.100.7, 127.0.0.1", 200),
    ("trusted", "198.51.100.7", 200),
    ("trusted", "192.0.2.1", 403),
    ("another", "198.51.100.7", 403),
    ("none", "198.51.100.7", 403),
])
def test_the_address_that_a_believed_proxy_names_counts_and_no_other(behind, proxy, value, status):
    server, ports = behind
    server.allow_refusals("network-refused")
    headers = BEARER if value is None else {**BEARER, "X-Forwarded-For": value}
    assert get_from("127.0.0.1", ports[proxy], "/api", headers).status == status


def test_a_believed_proxy_itself_is_not_its_client(behind):
    server, ports = behind
    server.refusal("network-refused", 1)
    headers = {**BEARER, "X-Forwarded-For": "198.51.100.7"}
    assert get_from("127.0.0.1", ports["internal"], "/peer", headers).status == 403
    assert get_from("127.0.0.1", ports["another"], "/peer", headers).status == 200


@pytest.mark.parametrize("line,status", [("TCP4 198.51.100.7 127.0.0.1 1000 80", 200),
                                         ("TCP4 192.0.2.1 127.0.0.1 1000 80", 403),
                                         ("TCP6 ::ffff:198.51.100.7 ::1 1000 80", 200)])
def test_the_address_of_the_proxy_protocol(behind, line, status):
    server, ports = behind
    server.allow_refusals("network-refused")
    with Connection(ports["protocol"]) as connection:
        connection.send(f"PROXY {line}\r\nGET /api HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
                        "Connection: close\r\n\r\n")
        assert connection.final_response().status == status


# --- what is no network -----------------------------------------------------------------------------------------------

MISTAKES = {
    "10.0.0.0/33": "prefix length that is not 0 to 32",
    "10.0.0.0/08": "prefix length",
    "10.0.0.0/": "prefix length",
    "10.0.0.0/-1": "is not",
    "10.0.0.0/255.0.255.0": "prefix length",
    "10.0.0.1/8": "bits behind its prefix",
    "2001:db8::1/32": "bits behind its prefix",
    "2001:db8::/129": "prefix length that is not 0 to 128",
    "fe80::1%eth0/64": "is not an IP address",
    "10.1": "is not an IP address",
    "012.1.2.3": "is not an IP address",
    "0x7f.1": "is not an IP address",
    "2130706433": "is not an IP address",
    "[::1]": "is not an IP address",
    "localhost": "is not an IP address",
    "10.0.0.1:80": "is not an IP address",
    "": "from=",
    "10.0.0.1,": "is not an IP address",
    "10.0.0.1,,10.0.0.2": "is not an IP address",
    "10.0.0.9-10.0.0.1": "from high to low",
    "10.0.0.1-::1": "of one family",
    "10.0.0.1-": "of one family",
    "10.0.0.0/24-10.0.1.0/24": "of two addresses",
    "file:conf/none": "does not exist",
    "file:conf": "is a folder",
    "file:conf/pipe": "is a device, pipe or socket",
    "file:conf/empty": "names no network",
    "file:conf/comments": "names no network",
    "file:conf/bad": "line 3",
    "file:conf/writable": "writable by others",
}


@pytest.fixture(scope="module")
def unstarted():
    server = Server("")
    server.secret("token", TOKEN)
    folder = server.root / "conf"
    for name, text in {"empty": "", "comments": "# nobody\n\n", "bad": "10.0.0.1\n# two\n10.0.0.1 10.0.0.300\n",
                       "writable": "10.0.0.1\n"}.items():
        (folder / name).write_text(text)
    (folder / "writable").chmod(0o666)
    os.mkfifo(folder / "pipe")
    yield server
    server.close()


@pytest.mark.parametrize("text", MISTAKES)
def test_what_is_no_network_is_no_configuration(unstarted, text):
    where = put(unstarted, in_location(f'> {RULE} "from={text}"'))
    status, output = unstarted.configtest()
    assert status != 0
    assert_says(output, where, [MISTAKES[text]])
