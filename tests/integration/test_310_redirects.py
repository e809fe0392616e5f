"""One client request is often several for httpd: none of them opens a hole, loses the body, or uses the credential up.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib

import pytest

from backends import install_handlers
from client import (Connection, Payload, get, github, head, post, request, send_h2c, send_h2c_without_length, slack,
                    stripe)
from server import Server

SECRET = "the secret of the redirect tests"
MODULES = ["alias", "cgid", "dir", "include", "negotiation", "mime", "rewrite", "proxy", "proxy_http", "autoindex",
           "actions",
           "filter", "http2"]
RULE = "AuthVerify github secret=file:${ROOT}/conf/github"
OTHER = "AuthVerify stripe secret=file:${ROOT}/conf/github"

CONFIG = f"""
Protocols h2c http/1.1
ProxyPass "/backend/" "http://127.0.0.1:${{BACKEND}}/"
AddHandler cgi-script .py
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
AddLanguage en .en
<Directory "${{ROOT}}/htdocs">
    Options +ExecCGI +Indexes +Includes +MultiViews +FollowSymLinks
    MultiviewsMatch Any
    DirectoryIndex hash.py index.html
    AllowOverride FileInfo
</Directory>
<Directory "${{ROOT}}/htdocs/ruled">
    {RULE}
    AuthVerifyHeader X-Sender "%{{client}}"
</Directory>
<Directory "${{ROOT}}/htdocs/other">
    {OTHER}
</Directory>
<Directory "${{ROOT}}/htdocs/same-keys">
    {RULE}
</Directory>
<Directory "${{ROOT}}/htdocs/ruled/rewritten">
    RewriteEngine on
    RewriteRule "^to-hash$" "hash.py" [L]
    RewriteRule "^twice$" "once" [L]
    RewriteRule "^once$" "hash.py" [L]
    RewriteRule "^to-other$" "/other/hash.py" [L]
    RewriteRule "^to-same-keys$" "/same-keys/hash.py" [L]
    RewriteRule "^to-open$" "/open/hash.py" [L]
    RewriteRule "^to-backend$" "http://127.0.0.1:${{BACKEND}}/x" [P]
    RewriteRule "^to-proxied$" "/backend/x" [PT]
</Directory>
<Directory "${{ROOT}}/htdocs/open">
    RewriteEngine on
    RewriteRule "^to-ruled$" "/ruled/hash.py" [L]
    RewriteRule "^to-static$" "/ruled/secret.txt" [L]
</Directory>
<Directory "${{ROOT}}/htdocs/mixed">
    DirectoryIndex secret.html hash.py
    RewriteEngine on
    RewriteCond "/ruled/secret.txt" -U
    RewriteRule "^asks$" "nothing.txt" [L]
    RewriteRule "^asks$" "hash.py" [L]
    RewriteCond "%{{LA-U:REMOTE_USER}}" "^$"
    RewriteRule "^looks-ahead$" "hash.py" [L]
</Directory>
<Directory "${{ROOT}}/htdocs/indexed">
    DirectoryIndex secret.html
</Directory>
<Directory "${{ROOT}}/htdocs/hooks">
    DirectoryIndex hook.py
</Directory>
<Files "hook.py">
    {RULE}
    AuthVerifyHeader X-Sender "%{{client}}"
</Files>
<Files "secret.html">
    {RULE}
</Files>
RewriteEngine on
RewriteCond "%{{LA-U:REMOTE_USER}}" "^github$"
RewriteRule "^/ruled/ahead$" "${{ROOT}}/htdocs/ruled/hash.py" [L]
<Location "/fallback">
    {RULE}
    FallbackResource /fallback/hash.py
</Location>
<Location "/action">
    {RULE}
    SetHandler through-script
    Action through-script "/script/hash.py" virtual
</Location>
ScriptAlias "/script/" "${{ROOT}}/htdocs/cgi/"

# Refusals and their documents.
<Location "/errors/text">
    {RULE}
    ErrorDocument 401 "a text of the administrator"
</Location>
<Location "/errors/local">
    {RULE}
    ErrorDocument 401 /open/error.html
</Location>
<Location "/errors/script">
    {RULE}
    ErrorDocument 401 /open/hash.py
</Location>
<Location "/errors/proxied">
    {RULE}
    ErrorDocument 401 /backend/error
</Location>
<Location "/errors/ruled">
    {RULE}
    ErrorDocument 401 /errors/ruled/secret.txt
</Location>
<Location "/errors/elsewhere">
    {RULE}
    ErrorDocument 401 /ruled/secret.txt
</Location>
<Location "/errors/other">
    {RULE}
    ErrorDocument 401 /other/secret.txt
</Location>
<Location "/missing">
    {RULE}
    ErrorDocument 404 /ruled/hash.py
</Location>
<Location "/missing/open">
    AuthVerify off
    ErrorDocument 404 /ruled/secret.txt
</Location>
"""


@pytest.fixture(scope="module")
def shared_server(backend):
    started = Server(CONFIG, modules=MODULES, defines={"BACKEND": backend.port})
    started.secret("github", SECRET)
    install_handlers(started)
    script = (started.htdocs / "cgi/hash.py").read_bytes()
    for folder in ("ruled", "ruled/rewritten", "other", "same-keys", "open", "fallback", "mixed"):
        started.write(f"{folder}/hash.py", script, 0o755)
    for name in ("ruled/secret.txt", "other/secret.txt", "errors/ruled/secret.txt"):
        started.write(name, "the secret text")
    started.write("hooks/hook.py", script, 0o755)
    started.write("ruled/ahead", "not reached by who is proven")
    started.write("mixed/secret.html", "the secret text")
    started.write("indexed/secret.html", "the secret text")
    started.write("mixed/nothing.txt", "nothing")
    started.write("ruled/static/index.html", "index")
    started.write("ruled/listing/one.txt", "one")
    started.write("ruled/views/page.html.en", "negotiated")
    started.write("ruled/views/hash.py", script, 0o755)
    started.write("open/error.html", "the administrator's page")
    started.write("action/x", "")
    started.write("ruled/include.shtml",
                  '<!--#include virtual="secret.txt" -->|<!--#include virtual="/other/secret.txt" -->|'
                                         '<!--#include virtual="hash.py" -->')
    started.write("ruled/includes-backend.shtml", '<!--#include virtual="/backend/included" -->')
    started.write("open/include.shtml",
                  '[<!--#include virtual="/ruled/secret.txt" -->][<!--#include file="open.txt" -->]')
    started.write("open/open.txt", "open text")
    started.write("ruled/redirect.py", "#!/bin/sh\ncat >/dev/null\nprintf 'Location: /ruled/hash.py\\n\\n'\n", 0o755)
    started.write("ruled/redirect-other.py", "#!/bin/sh\ncat >/dev/null\nprintf 'Location: /other/hash.py\\n\\n'\n",
                  0o755)
    started.write("open/redirect-ruled.py", "#!/bin/sh\ncat >/dev/null\nprintf 'Location: /ruled/secret.txt\\n\\n'\n",
                  0o755)
    started.write("open/reads-ruled.py", "#!/bin/sh\ncat >/dev/null\nprintf 'Location: /ruled/hash.py\\n\\n'\n", 0o755)
    with started:
        yield started


@pytest.fixture
def server(shared_server, backend):
    backend.reset()
    yield shared_server
    shared_server.assert_nothing_spooled()


BODY = Payload(300000).data
SHA256 = hashlib.sha256(BODY).hexdigest()


def assert_arrived(answer):
    assert answer.status == 200, answer
    assert (answer.json()["length"], answer.json()["sha256"]) == (len(BODY), SHA256)


# --- the same policy, found by another name ---------------------------------------------------------------------------

INTERNAL = ["/ruled/", "/ruled/hash", "/ruled/rewritten/to-hash", "/ruled/rewritten/twice", "/ruled/rewritten/",
            "/ruled/views/hash", "/ruled/rewritten/to-backend", "/ruled/rewritten/to-proxied", "/fallback/anything",
            "/action/x", "/ruled/rewritten/to-same-keys", "/ruled/rewritten/to-open"]


@pytest.mark.parametrize("path", INTERNAL)
def test_an_internal_redirect_keeps_the_verdict_and_the_body(server, backend, path):
    server.refusal("not-presented", 1)
    server.refusal("wrong-signature", 1)
    assert post(server, path, {}, BODY).status == 401
    assert post(server, path, github(SECRET, BODY), BODY[:-1] + b"?").status == 401
    assert backend.count == 0
    assert_arrived(post(server, path, github(SECRET, BODY), BODY))


@pytest.mark.parametrize("path", INTERNAL)
def test_an_internal_redirect_keeps_a_chunked_body(server, path):
    with Connection(server.port) as connection:
        connection.send_in_background([head("POST", path, {**github(SECRET, BODY), "Transfer-Encoding": "chunked"}),
                                       b"%x\r\n" % len(BODY), BODY, b"\r\n0\r\n\r\n"])
        assert_arrived(connection.final_response())
        assert request(server, "GET", "/ruled/secret.txt", github(SECRET), connection=connection).status == 200


@pytest.mark.parametrize("path", INTERNAL)
def test_an_internal_redirect_keeps_a_body_over_http2(server, path):
    payload = Payload(len(BODY))
    for send in (send_h2c, send_h2c_without_length):
        assert_arrived(send(server, "POST", path, github(SECRET, BODY), payload))


@pytest.mark.parametrize("path,text", [("/ruled/static/", b"index"), ("/ruled/views/page", b"negotiated"),
                                       ("/ruled/listing/", b"one.txt")])
def test_an_index_a_listing_and_a_negotiation_are_closed_to_the_unproven(server, path, text):
    server.refusal("not-presented", 1)
    refused = get(server, path)
    assert refused.status == 401 and text not in refused.body
    accepted = get(server, path, github(SECRET))
    assert accepted.status == 200 and text in accepted.body


# --- into a policy, out of one, into another --------------------------------------------------------------------------

def test_a_rewrite_from_an_open_place_into_a_rule_is_proven_with_its_body(server):
    server.refusal("not-presented", 2)
    server.refusal("wrong-signature", 1)
    assert_arrived(post(server, "/open/to-ruled", github(SECRET, BODY), BODY))
    assert post(server, "/open/to-ruled", {}, BODY).status == 401
    assert post(server, "/open/to-ruled", github("another secret", BODY), BODY).status == 401
    refused = get(server, "/open/to-static")
    assert refused.status == 401 and b"secret text" not in refused.body


def test_a_redirect_into_another_policy_must_be_proven_there_too(server):
    server.refusal("not-presented", 1)
    assert post(server, "/ruled/rewritten/to-other", github(SECRET, BODY), BODY).status == 401
    server.refusal("wrong-signature", 1)
    forged = {**github(SECRET, BODY), **stripe("another secret", BODY)}
    assert post(server, "/ruled/rewritten/to-other", forged, BODY).status == 401


def test_a_redirect_into_another_policy_is_proven_from_what_was_sent(server):
    both = {**github(SECRET, BODY), **stripe(SECRET, BODY)}
    assert_arrived(post(server, "/ruled/rewritten/to-other", both, BODY))


def test_what_was_exported_for_one_policy_is_exported_anew_for_the_next(server):
    both = {**github(SECRET, BODY), **stripe(SECRET, BODY)}
    seen = post(server, "/ruled/rewritten/to-other", both, BODY).json()["environment"]
    assert seen["AUTHVERIFY_RULE"] == "stripe"
    assert seen["AUTHVERIFY_CLIENT"] == "stripe"
    seen = post(server, "/ruled/rewritten/to-hash", github(SECRET, BODY), BODY).json()["environment"]
    assert (seen["AUTHVERIFY_RULE"], seen["HTTP_X_SENDER"], seen["REMOTE_USER"]) == ("github", "github", "github")
    assert "HTTP_X_HUB_SIGNATURE_256" not in seen


@pytest.mark.parametrize("path", ["/hooks/hook.py", "/hooks/hook", "/hooks/"])
def test_a_handler_found_under_another_name_learns_and_sees_the_same(server, path):
    forged = {"X-Sender": "forged", "X_Sender": "forged"}
    answer = post(server, path, {**github(SECRET, BODY), **forged}, BODY)
    assert_arrived(answer)
    seen = answer.json()["environment"]
    assert (seen.get("AUTHVERIFY_RULE"), seen.get("AUTHVERIFY_CLIENT")) == ("github", "github")
    assert (seen.get("HTTP_X_SENDER"), seen.get("REMOTE_USER")) == ("github", "github")
    assert "HTTP_X_HUB_SIGNATURE_256" not in seen


@pytest.mark.parametrize("path", ["/hooks/hook.py", "/hooks/hook", "/hooks/"])
def test_a_handler_found_under_another_name_is_closed_to_the_unproven(server, path):
    server.allow(r"lookup-refused reason=(not-presented|wrong-signature) ")
    server.allow_refusals("not-presented", "wrong-signature")
    server.allow(r"AH00687: Negotiation: discovered file\(s\) matching request: .* \(None could be negotiated\)")
    for proof in ({}, github("another secret", BODY)):
        answer = post(server, path, proof, BODY)
        assert answer.status in (401, 404) and b"sha256" not in answer.body


def test_a_redirect_into_an_open_place_exports_nothing_that_is_not_so(server):
    seen = post(server, "/ruled/rewritten/to-open", github(SECRET, BODY), BODY).json()["environment"]
    assert "HTTP_X_HUB_SIGNATURE_256" not in seen


def test_a_script_may_redirect_within_its_policy(server):
    answer = post(server, "/ruled/redirect.py", github(SECRET, BODY), BODY)
    assert answer.status == 200
    assert answer.json()["environment"]["REQUEST_METHOD"] == "GET"
    assert answer.json()["environment"]["AUTHVERIFY_RULE"] == "github"


def test_a_script_cannot_redirect_into_another_policy_without_a_proof(server):
    server.refusal("not-presented", 1)
    assert post(server, "/ruled/redirect-other.py", github(SECRET, BODY), BODY).status == 401
    both = {**github(SECRET, BODY), **stripe(SECRET, BODY)}
    assert post(server, "/ruled/redirect-other.py", both, BODY).status == 200


def test_a_script_in_an_open_place_cannot_redirect_into_a_rule_without_a_proof(server):
    server.refusal("not-presented", 1)
    refused = get(server, "/open/redirect-ruled.py")
    assert refused.status == 401 and b"secret text" not in refused.body
    assert get(server, "/open/redirect-ruled.py", github(SECRET)).body == b"the secret text"


def test_a_redirect_after_the_handler_took_the_body_does_not_open_the_rule(server):
    """The script's handler has consumed the body before anybody asked to prove it: it cannot be proven any more."""
    for proof, reason in ((github(SECRET, BODY), "wrong-signature"), ({}, "not-presented")):
        server.refusal(reason, 1)
        answer = post(server, "/open/reads-ruled.py", proof, BODY)
        assert answer.status == 401
        assert b"sha256" not in answer.body
        server.check_log()


# --- subrequests ------------------------------------------------------------------------------------------------------

def test_an_include_from_an_open_page_shows_nothing_of_a_rule(server):
    server.lookup_refusal("not-presented", 1)
    server.allow(r"AH01480|unable to include|unable to lookup information")
    answer = get(server, "/open/include.shtml")
    assert answer.status == 200
    assert b"secret text" not in answer.body
    assert answer.body.endswith(b"[open text]")


def test_an_include_from_an_open_page_shows_a_rule_to_the_proven(server):
    answer = get(server, "/open/include.shtml", github(SECRET))
    assert answer.body == b"[the secret text][open text]"


def test_an_include_under_a_rule_shows_its_own_and_not_the_other_policy(server):
    server.lookup_refusal("not-presented", 1)
    server.allow(r"AH01480|unable to include|unable to lookup information")
    answer = get(server, "/ruled/include.shtml", github(SECRET))
    mine, theirs, script = answer.body.split(b"|", 2)
    assert (answer.status, mine) == (200, b"the secret text")
    assert b"secret text" not in theirs
    assert b'"AUTHVERIFY_RULE": "github"' in script


def test_an_include_of_another_policy_is_shown_to_who_proves_both(server):
    answer = get(server, "/ruled/include.shtml", {**github(SECRET), **stripe(SECRET)})
    assert answer.body.startswith(b"the secret text|the secret text|")


@pytest.mark.parametrize("proof,reason", [({}, "not-presented"), (github(SECRET, BODY), "wrong-signature")])
def test_an_include_cannot_be_proven_once_the_page_around_it_took_the_body(server, proof, reason):
    server.allow(r"AH01480|unable to include|unable to lookup information")
    server.lookup_refusal(reason, 1)
    with Connection(server.port) as connection:
        answer = post(server, "/open/include.shtml", proof, BODY, connection=connection)
        assert (answer.status, b"secret text" in answer.body, b"open text" in answer.body) == (200, False, True)
        if answer.get("Connection") != "close":
            assert get(server, "/ruled/secret.txt", github(SECRET), connection=connection).status == 200


@pytest.mark.parametrize("path", ["/mixed/", "/mixed/asks", "/mixed/looks-ahead"])
@pytest.mark.parametrize("size", [20, 300000])
def test_a_refused_lookup_takes_no_body_from_the_open_handler(server, path, size):
    """httpd only asked whether it may serve something else; who answers in the end needs no proof and gets all."""
    server.allow("lookup-refused reason=not-presented ")
    body = BODY[:size]
    answer = post(server, path, {}, body)
    assert (answer.status, answer.json()["length"]) == (200, size)
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("proof,reason", [({}, "not-presented"), (github("another secret", BODY), "wrong-signature")])
def test_a_refusal_that_mod_dir_passes_on_is_logged_as_one(server, proof, reason):
    server.lookup_refusal(reason, 1)
    server.refusal(reason, 1)
    answer = post(server, "/indexed/", proof, BODY)
    assert answer.status == 401 and b"secret text" not in answer.body
    assert answer.all("WWW-Authenticate") == ['AuthVerify realm="github"']
    assert answer.get("Content-Type") == "application/problem+json"


def test_a_lookup_ahead_proves_the_request_once_and_keeps_its_body(server):
    for reason in ("not-presented", "wrong-signature"):
        server.lookup_refusal(reason, 1)
        server.refusal(reason, 1)
    assert_arrived(post(server, "/ruled/ahead", github(SECRET, BODY), BODY))
    assert post(server, "/ruled/ahead", {}, BODY).status == 401
    assert post(server, "/ruled/ahead", github(SECRET, BODY), BODY[:-1]).status == 401


def test_an_include_does_not_hand_the_body_on_twice(server, backend):
    answer = post(server, "/ruled/includes-backend.shtml", github(SECRET, BODY), BODY)
    assert answer.status == 200
    assert [(received.method, received.length) for received in backend.requests] in ([("GET", 0)], [("POST", 0)])


# --- the documents of refusals ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("body", [b"", BODY], ids=["empty", "large"])
@pytest.mark.parametrize("name,status,text", [
    ("text", 401, b"a text of the administrator"), ("local", 401, b"the administrator's page"),
    ("script", 401, b'"length": 0'),
    ("proxied", 200, b'"length": 0')], ids=["text", "local", "script", "proxied"])
def test_an_error_document_stands_in_for_the_refusal(server, backend, name, status, text, body):
    server.refusal("not-presented", 2)
    with Connection(server.port) as connection:
        connection.send_in_background([head("POST", f"/errors/{name}/x", {"Content-Length": str(len(body))}), body])
        answer = connection.final_response()
    assert answer.status == status
    assert text in answer.body
    assert [value for value in answer.all("WWW-Authenticate") if value.startswith("AuthVerify")] or status == 200
    assert not [received for received in backend.requests if received.length]
    assert get(server, f"/errors/{name}/x").status == status


def test_an_error_document_sees_no_credential(server, backend):
    server.refusal("wrong-signature", 2)
    forged = github("another secret", b"x")
    answer = post(server, "/errors/script/x", forged, b"x")
    assert answer.status == 401
    seen = answer.json()["environment"]
    assert (seen["REDIRECT_STATUS"], answer.json()["length"]) == ("401", 0)
    assert "HTTP_X_HUB_SIGNATURE_256" not in seen
    assert "REMOTE_USER" not in seen
    assert post(server, "/errors/proxied/x", forged, b"x").status == 200
    assert "x-hub-signature-256" not in [name.lower() for name, _ in backend.requests[-1].headers]


@pytest.mark.parametrize("name", ["ruled", "elsewhere", "other"])
def test_an_error_document_under_a_rule_is_not_shown_to_the_unproven(server, name):
    server.allow_refusals("not-presented")
    for path in (f"/errors/{name}/x", f"/errors/{name}/secret.txt"):
        answer = get(server, path)
        assert answer.status == 401
        assert b"secret text" not in answer.body


def test_a_missing_page_under_a_rule_is_missing_only_for_the_proven(server):
    server.refusal("not-presented", 1)
    assert get(server, "/missing/x").status == 401
    answer = post(server, "/missing/x", github(SECRET, BODY), BODY)
    assert (answer.status, answer.json()["environment"]["AUTHVERIFY_RULE"]) == (404, "github")


def test_the_error_document_of_an_open_place_does_not_open_a_rule(server):
    server.refusal("not-presented", 1)
    answer = get(server, "/missing/open/x")
    assert answer.status in (401, 404)
    assert b"secret text" not in answer.body


def test_a_time_limited_credential_is_not_judged_twice_in_one_request(server):
    proof = {**stripe(SECRET, BODY), **slack(SECRET, BODY)}
    assert_arrived(post(server, "/other/hash", proof, BODY))
    assert_arrived(post(server, "/other/", proof, BODY))
