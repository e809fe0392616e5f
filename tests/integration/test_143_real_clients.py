"""The clients that people use, each scheme with a right credential and with a wrong one: curl, Python's requests and
httpx, Node's fetch, ab.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import subprocess
from collections import namedtuple

import httpx
import pytest
import requests

from client import basic, curl
from server import Server
from verdict import TELL, reason_of

TOKEN = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SECRETS = {
    "pair": "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0LzXcVbNmQaWsEdRfTgYh",
    "password": "correct:horse:b\u00e4ttery\u2713",
    "token": "mF_9.B5f-4.1JqM~new/bearer+token==",
    "key": "ak_test_0123456789abcdef&=+%/?",
}
WRONG = "a" * 50

CONFIG = TELL + """
Protocols h2c http/1.1
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
<Location "/pair">
    AuthVerify token-pair secret=file:conf/pair identity=%s
</Location>
<Location "/basic">
    AuthVerify basic secret=file:conf/password identity=alice
</Location>
<Location "/bearer">
    AuthVerify bearer secret=file:conf/token
</Location>
<Location "/key">
    AuthVerify api-key secret=file:conf/key in=header:X-Api-Key
</Location>
<Location "/query">
    AuthVerify api-key secret=file:conf/key in=query:api_key
</Location>
<Location "/none">
    AuthVerify none from=127.0.0.1 methods=GET
</Location>
""" % TOKEN

# What a client is told to send; the credential as the client itself takes it.
Order = namedtuple("Order", "path status reason method headers query login", defaults=["GET", {}, {}, None])
RIGHT, REFUSED = (200, "accepted"), (401, "wrong-secret")

ORDERS = {
    "pair": Order("/pair", *RIGHT, headers={"X-Auth-Token": TOKEN, "X-Auth-Secret": SECRETS["pair"]}),
    "pair-wrong": Order("/pair", *REFUSED, headers={"X-Auth-Token": TOKEN, "X-Auth-Secret": WRONG}),
    "pair-half": Order("/pair", 401, "malformed-credential", headers={"X-Auth-Token": TOKEN}),
    "basic": Order("/basic", *RIGHT, login=("alice", SECRETS["password"])),
    "basic-wrong": Order("/basic", *REFUSED, login=("alice", "correct:horse")),
    "basic-nobody": Order("/basic", 401, "unknown-client", login=("bob", SECRETS["password"])),
    "bearer": Order("/bearer", *RIGHT, headers={"Authorization": f"Bearer {SECRETS['token']}"}),
    "bearer-wrong": Order("/bearer", *REFUSED, headers={"Authorization": f"Bearer {WRONG}"}),
    "bearer-nothing": Order("/bearer", 401, "not-presented"),
    "key": Order("/key", *RIGHT, headers={"X-Api-Key": SECRETS["key"]}),
    "key-wrong": Order("/key", *REFUSED, headers={"X-Api-Key": WRONG}),
    "query": Order("/query", *RIGHT, query={"a": "1", "api_key": SECRETS["key"]}),
    "query-wrong": Order("/query", *REFUSED, query={"a": "1", "api_key": WRONG}),
    "none": Order("/none", *RIGHT),
    "none-method": Order("/none", 403, "method-not-allowed", method="DELETE"),
}


@pytest.fixture(scope="module")
def httpd(backend):
    server = Server(CONFIG, modules=["proxy", "proxy_http", "headers", "http2"], defines={"BACKEND": backend.port})
    for name, value in SECRETS.items():
        server.secret(name, value)
    with server:
        yield server


# --- each client answers with status and reason -----------------------------------------------------------------------

def by_curl(url, order, *more):
    words = ["--request", order.method]
    for name, value in order.headers.items():
        words += ["--header", f"{name}: {value}"]
    for name, value in order.query.items():
        words += ["--get", "--data-urlencode", f"{name}={value}"]
    if order.login:
        words += ["--user", ":".join(order.login)]
    answer = curl(*more, *words, url + order.path)
    return answer.status, reason_of(answer)


def by_curl_with_http_2(url, order):
    return by_curl(url, order, "--http2-prior-knowledge")


def by_requests(url, order):
    with requests.Session() as session:
        session.trust_env = False
        login = order.login and tuple(part.encode() for part in order.login)  # it would send text as Latin-1
        answer = session.request(order.method, url + order.path, params=order.query, headers=order.headers, auth=login)
        return answer.status_code, reason_of(answer.headers)


def by_httpx(url, order):
    with httpx.Client(trust_env=False) as client:
        login = order.login and tuple(part.encode() for part in order.login)
        answer = client.request(order.method, url + order.path, params=order.query, headers=order.headers, auth=login)
        return answer.status_code, reason_of(answer.headers)


NODE = """
const [url, method, headers, query] = JSON.parse(process.argv[1]);
const target = new URL(url);
for (const [name, value] of Object.entries(query)) {
    target.searchParams.append(name, value);
}
const answer = await fetch(target, { method, headers });
console.log(JSON.stringify([answer.status, Object.fromEntries(answer.headers)]));
"""


def by_node(url, order):
    """fetch has no login of its own: a program sets the header."""
    headers = {**order.headers, **(basic(*order.login) if order.login else {})}
    words = json.dumps([url + order.path, order.method, headers, order.query])
    result = subprocess.run(["node", "--input-type=module", "--eval", NODE, "--", words], check=True,
                            capture_output=True, text=True, timeout=60)
    status, fields = json.loads(result.stdout)
    return status, reason_of({name.title(): value for name, value in fields.items()})


def by_ab(url, order, count=20):
    """ab shows the head of each answer where it is asked to; all must be alike."""
    words = [f"-H{name}: {value}" for name, value in order.headers.items()]
    if order.login:
        words += ["-A", ":".join(order.login)]
    query = "&".join(f"{name}={requests.utils.quote(value, safe='')}" for name, value in order.query.items())
    result = subprocess.run(["ab", "-k", "-v", "4", "-n", str(count), "-c", "4", "-m", order.method, *words,
                             url + order.path + (f"?{query}" if query else "")], check=True, capture_output=True,
                            text=True, timeout=60)
    assert re.search(rf"^Complete requests:\s+{count}$", result.stdout, re.M), result.stdout
    found = {(int(head.group(1)), reason_of(dict(re.findall(r"^([\w-]+): (.*)$", head.group(0), re.M))))
             for head in re.finditer(r"^HTTP/1\.1 (\d+) .*?\n\n", result.stdout.replace("\r", ""), re.M | re.S)}
    assert len(found) == 1, found
    return found.pop()


CLIENTS = {"curl": by_curl, "curl-http-2": by_curl_with_http_2, "requests": by_requests, "httpx": by_httpx,
           "node-fetch": by_node, "ab": by_ab}


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_answered_as_its_credential_deserves(httpd, backend, client, name):
    order = ORDERS[name]
    if order.status != 200:
        httpd.allow_refusals(order.reason)
    backend.reset()
    assert CLIENTS[client](f"http://127.0.0.1:{httpd.port}", order) == (order.status, order.reason)
    assert bool(backend.count) == (order.status == 200)
    assert not any(secret in str(received.headers) + received.path for received in backend.requests
                   for secret in SECRETS.values())


def test_curl_answers_a_challenge(httpd, backend):
    """--anyauth sends a login only once it was asked for one."""
    backend.reset()
    httpd.refusal("not-presented", 1)
    url = f"http://127.0.0.1:{httpd.port}/basic"
    assert curl("--anyauth", "--user", f"alice:{SECRETS['password']}", url).status == 200
    assert backend.count == 1


@pytest.mark.parametrize("send, body", [(requests.put, "data"), (httpx.put, "content")], ids=["requests", "httpx"])
def test_a_body_comes_behind_the_credential(httpd, backend, send, body):
    backend.reset()
    fields = {"headers": ORDERS["bearer"].headers, body: b"x" * 100000}
    answer = send(f"http://127.0.0.1:{httpd.port}/bearer", **fields)
    assert answer.status_code == 200 and backend.requests[0].length == 100000
