"""What a handler learns of who sent the request, what it does not see, and what a client cannot make it believe.

SPDX-License-Identifier: Apache-2.0
"""
import pytest

from backends import HANDLER_CONFIG, HANDLER_MODULES, install_handlers
from client import Connection, get, github, head, post, standard_webhooks, stripe
from server import Server, wait_until

SECRET = "the secret of the handover tests"
OLDER = "an older secret of the handover tests"
WHSEC = "whsec_dGhlIHNlY3JldCBvZiB0aGUgaGFuZG92ZXIgdGVzdHM="
BY_QUERY = "AuthVerify signature algorithm=token signature=%{query:key} secret=file:${ROOT}/conf/secret identity=asker"
CONFIG = 'ScriptAliasMatch "^/cgi/query" "${ROOT}/htdocs/cgi/hash.py"\n' + HANDLER_CONFIG + f"""
ExtendedStatus On
MergeTrailers on
AuthVerifyHeader X-Sender "%{{client}} by %{{rule}}"
<Location "/">
    AuthVerify github secret=file:${{ROOT}}/conf/secret secret=file:${{ROOT}}/conf/older
    AuthVerify stripe secret=file:${{ROOT}}/conf/secret identity=payments
    AuthVerify standard-webhooks secret=file:${{ROOT}}/conf/whsec
</Location>
<Location "/proxy/kept">
    AuthVerify github secret=file:${{ROOT}}/conf/secret strip=off
</Location>
<Location "/proxy/open">
    AuthVerify off
</Location>
<LocationMatch "^/(proxy|cgi|raw)/.*query">
    {BY_QUERY}
</LocationMatch>
ProxyPass "/raw/" "http://127.0.0.1:${{BACKEND}}/" nocanon
<Location "/status">
    AuthVerify off
    SetHandler server-status
</Location>
"""


@pytest.fixture(scope="module")
def shared_server(backend, php):
    started = Server(CONFIG, modules=HANDLER_MODULES + ["status"], defines={"BACKEND": backend.port, "PHP": php.port})
    started.secret("secret", SECRET)
    started.secret("older", OLDER)
    started.secret("whsec", WHSEC)
    install_handlers(started)
    with started:
        yield started


@pytest.fixture
def server(shared_server, backend):
    backend.reset()
    return shared_server


def names_and_values(environment):
    return {name: value for name, value in environment.items() if name.startswith("AUTHVERIFY_")}


@pytest.mark.parametrize("path", ["/cgi/hash.py", "/wsgi", "/wsgi-daemon", "/fcgi/hash.php"])
def test_every_handler_learns_who_sent_the_request(server, path):
    answer = post(server, path, {**github(SECRET, b"x"), "X-GitHub-Delivery": "delivery-7"}, b"x")
    seen = answer.json()["environment"]
    assert names_and_values(seen) == {
        "AUTHVERIFY_RESULT": "accepted", "AUTHVERIFY_SCHEME": "signature", "AUTHVERIFY_RULE": "github",
        "AUTHVERIFY_CLIENT": "github", "AUTHVERIFY_ID": "delivery-7", "AUTHVERIFY_SECRET_LABEL": "secret"}
    assert seen["REMOTE_USER"] == "github"
    assert seen["HTTP_X_SENDER"] == "github by github"
    assert "HTTP_X_HUB_SIGNATURE_256" not in seen


def test_the_matching_secret_and_the_identity_are_told(server):
    seen = post(server, "/cgi/hash.py", github(OLDER, b"x"), b"x").json()["environment"]
    assert (seen["AUTHVERIFY_SECRET_LABEL"], "AUTHVERIFY_ID" in seen) == ("older", False)
    seen = post(server, "/cgi/hash.py", stripe(SECRET, b"x"), b"x").json()["environment"]
    assert (seen["AUTHVERIFY_CLIENT"], seen["AUTHVERIFY_RULE"], seen["REMOTE_USER"]) == ("payments", "stripe",
                                                                                         "payments")
    seen = post(server, "/cgi/hash.py", standard_webhooks(WHSEC, b"x", "msg_9"), b"x").json()["environment"]
    assert (seen["AUTHVERIFY_ID"], seen["HTTP_X_SENDER"]) == ("msg_9", "standard-webhooks by standard-webhooks")


@pytest.mark.parametrize("identifier", ["x" * 3000, "with a blank", "tab\tinside"])
def test_an_id_that_is_long_or_odd_is_refused_where_it_is_signed_and_else_not_handed_on(server, identifier):
    answer = post(server, "/cgi/hash.py", {**github(SECRET, b"x"), "X-GitHub-Delivery": identifier}, b"x")
    assert answer.status == 200
    assert "AUTHVERIFY_ID" not in answer.json()["environment"]
    server.refusal("malformed-credential", 1)
    assert post(server, "/cgi/hash.py", standard_webhooks(WHSEC, b"x", identifier), b"x").status == 401


def backend_fields(backend):
    return [(name.lower(), value) for name, value in backend.requests[-1].headers]


def test_the_credentials_of_every_rule_are_taken_out_whichever_decided(server, backend):
    fields = {**github(SECRET, b"x"), **stripe(SECRET, b"x"), **standard_webhooks(WHSEC, b"x")}
    assert post(server, "/proxy/x", fields, b"x").status == 200
    names = {name for name, _ in backend_fields(backend)}
    assert not names & {"x-hub-signature-256", "stripe-signature", "webhook-signature"}


def test_strip_off_hands_the_credential_on(server, backend):
    assert post(server, "/proxy/kept", github(SECRET, b"x"), b"x").status == 200
    assert ("x-hub-signature-256", github(SECRET, b"x")["X-Hub-Signature-256"]) in backend_fields(backend)


@pytest.mark.parametrize("path,proof,expected", [("/proxy/x", github(SECRET, b"x"), ["github by github"]),
                                                 ("/proxy/open", {}, [])])
@pytest.mark.parametrize("forged", ["X-Sender", "x-sender", "X_Sender", "x_SENDER", "X_SENDER"])
def test_a_client_cannot_send_a_trusted_header_itself(server, backend, path, proof, expected, forged):
    with Connection(server.port) as connection:
        fields = "".join(f"{name}: {value}\r\n" for name, value in proof.items())
        connection.send(f"POST {path} HTTP/1.1\r\nHost: test.example\r\n{fields}{forged}: forged\r\n{forged}: again\r\n"
                        "X-Sender: forged\r\nContent-Length: 1\r\n\r\nx")
        assert connection.response().status == 200
    assert [value for name, value in backend_fields(backend) if name.replace("_", "-") == "x-sender"] == expected


@pytest.mark.parametrize("listed", ["X-Sender", "close, X-Sender", "x-sender , keep-alive", "X-Sender, X-Sender"])
def test_a_client_cannot_have_a_trusted_header_dropped_on_the_way(server, backend, listed):
    with Connection(server.port) as connection:
        connection.send(head("POST", "/proxy/x", {**github(SECRET, b"x"), "Connection": listed, "Content-Length": "1"}),
                        b"x")
        assert connection.response().status == 200
    assert ("x-sender", "github by github") in backend_fields(backend)


def test_a_client_cannot_have_a_signed_header_dropped_on_the_way(server, backend):
    fields = standard_webhooks(WHSEC, b"x", "msg_9")
    with Connection(server.port) as connection:
        connection.send(head("POST", "/proxy/x", {**fields, "Connection": "webhook-id", "Content-Length": "1"}), b"x")
        assert connection.response().status == 200
    assert ("webhook-id", "msg_9") in backend_fields(backend)


@pytest.mark.parametrize("path", ["/proxy/x", "/cgi/hash.py"])
def test_a_trailer_is_neither_a_trusted_header_nor_a_credential(server, backend, path):
    trailer = "".join(f"{name}: forged\r\n" for name in ("X-Sender", "X_Sender", "Remote-User", "Stripe-Signature"))
    body = f"1\r\nx\r\n0\r\n{trailer}\r\n"
    with Connection(server.port) as connection:
        connection.send(head("POST", path, {**github(SECRET, b"x"), "Transfer-Encoding": "chunked"}), body)
        answer = connection.response()
    assert answer.status == 200
    seen = [value for name, value in answer.json().get("headers", []) if name.lower().replace("_", "-") == "x-sender"]
    assert seen + [answer.json().get("environment", {}).get("HTTP_X_SENDER", "")] in (["github by github", ""],
                                                                                      ["github by github"])
    server.refusal("not-presented", 1)
    (name, value), = github(SECRET, b"x").items()
    with Connection(server.port) as connection:
        connection.send(head("POST", path, {"Transfer-Encoding": "chunked"}), f"1\r\nx\r\n0\r\n{name}: {value}\r\n\r\n")
        assert connection.response().status == 401


# --- a credential in the query ----------------------------------------------------------------------------------------

KEY = SECRET.replace(" ", "%20")


@pytest.mark.parametrize("query,left",
                         [(f"key={KEY}", ""), (f"a=1&key={KEY}&b=%32", "a=1&b=%32"), (f"a=1&k%65y={KEY}", "a=1")])
@pytest.mark.parametrize("path", ["/proxy/query", "/raw/query"])
def test_a_credential_in_the_query_does_not_reach_the_backend(server, backend, path, query, left):
    assert get(server, f"{path}?{query}").status == 200
    assert backend.requests[-1].path == "/query" + ("?" + left if left else "")


def test_a_credential_in_the_query_does_not_reach_a_script(server):
    answer = get(server, f"/cgi/query?a=1&key={KEY}")
    assert answer.status == 200
    seen = answer.json()["environment"]
    assert (seen["QUERY_STRING"], seen["REQUEST_URI"]) == ("a=1", "/cgi/query?a=1")
    assert "the%20secret" not in repr(seen)


@pytest.mark.parametrize("key,status", [(KEY, 200), (KEY + "x", 401)])
def test_a_credential_in_the_query_is_in_no_log_and_on_no_status_page(server, key, status):
    server.allow_refusals("wrong-secret")

    def page_that_shows_the_request():
        assert get(server, f"/proxy/query?mark={status}&key={key}").status == status
        page = get(server, "/status").body.decode()
        return page if f"mark={status}" in page else None  # the thread that writes the page may be the very one
    page = wait_until(page_that_shows_the_request, 10, "the request is never on the status page")
    access_log = server.root / "logs" / "access_log"
    wait_until(lambda: f"mark={status}" in access_log.read_text(), 5, "the request is not in the access log")
    for text in (access_log.read_text(), page, server.error_log.read_text()):
        assert "the%20secret" not in text and "the secret of" not in text
