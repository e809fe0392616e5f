"""Beside httpd's own authentication, authorisation, cache and proxy: ours and theirs must both hold, in any order.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib

import pytest

from backends import HANDLERS
from client import Connection, Payload, basic, get, github, head, post, request
from server import Server

SECRET = "the secret of the composition tests"
AUTH_TYPES = {
    "none": "",
    "authverify": 'AuthType AuthVerify\nAuthName ours',
    "basic": 'AuthType Basic\nAuthName theirs\nAuthBasicProvider file\nAuthUserFile "${ROOT}/conf/users"',
    "form": 'AuthType Form\nAuthName theirs\nAuthFormProvider file\nAuthUserFile "${ROOT}/conf/users"\n'
            'Session On\nSessionCookieName session path=/',
}
REQUIRES = {
    "nothing": "",
    "granted": "Require all granted",
    "valid-user": "Require valid-user",
    "alice": "Require user alice",
    "github": "Require user github",
    "authverify": "Require authverify",
    "scheme": "Require authverify scheme signature",
    "client": "Require authverify client github",
    "other-client": "Require authverify client somebody",
    "both": "<RequireAll>\nRequire authverify\nRequire valid-user\n</RequireAll>",
    "either": "<RequireAny>\nRequire authverify client somebody\nRequire valid-user\n</RequireAny>",
    "denied": "Require all denied",
}
CREDENTIALS = [(False, False), (True, False), (False, True), (True, True)]
THEIRS = {"basic": basic("alice", "alice's password"),
          "form": {"Cookie": "session=theirs-user=alice&theirs-pw=alice's+password"}}
AUTHENTICATION = ["authn_core", "authn_file", "auth_basic", "authz_user", "authz_host", "access_compat", "headers",
                  "session",
                  "session_cookie", "request", "auth_form"]

MATRIX = "".join(
    f'<Location "/{name}/{require}">\n{auth_type}\n{line}\n'
    "AuthVerify github secret=file:${ROOT}/conf/github\n</Location>\n"
    for name, auth_type in AUTH_TYPES.items() for require, line in REQUIRES.items())
CONFIG = MATRIX + f"""
Header always set X-User "expr=%{{REMOTE_USER}}"
AliasMatch "^/(?!page)" "${{ROOT}}/htdocs/page"
<Location "/observed">
    {AUTH_TYPES['basic']}
    Require valid-user
    AuthVerifyMode observe
    AuthVerify github secret=file:${{ROOT}}/conf/github
</Location>
<Location "/optional">
    {AUTH_TYPES['basic']}
    AuthVerifyMode optional
    AuthVerify github secret=file:${{ROOT}}/conf/github
    <RequireAny>
        Require authverify
        Require valid-user
    </RequireAny>
</Location>
<Location "/satisfy">
    AuthVerify github secret=file:${{ROOT}}/conf/github
    Satisfy Any
</Location>
<Location "/satisfy/granted">
    Require all granted
</Location>
<Location "/satisfy/allowed">
    Satisfy Any
    Order allow,deny
    Allow from all
</Location>
<Location "/satisfy/basic">
    {AUTH_TYPES['basic']}
    Require valid-user
</Location>
<Location "/satisfy/basic/denied">
    Satisfy Any
    Order deny,allow
    Deny from all
</Location>
<Location "/fake">
    {AUTH_TYPES['form']}
    Require valid-user
    KeptBodySize 65536
    AuthVerify github secret=file:${{ROOT}}/conf/github
</Location>
"""


def password_file():
    digest = base64.b64encode(hashlib.sha1(b"alice's password").digest()).decode()
    return f"alice:{{SHA}}{digest}\ngithub:{{SHA}}{digest}\n"


@pytest.fixture(scope="module")
def server():
    started = Server(CONFIG, modules=AUTHENTICATION + ["alias"])
    started.secret("github", SECRET)
    (started.root / "conf" / "users").write_text(password_file())
    started.write("page", "content")
    with started:
        yield started


def expected(auth_type, require, ours, theirs):
    """(status, user) of the matrix: ours is always needed; theirs is needed where Require asks httpd for a user."""
    if not ours:
        return 401, None
    if require == "nothing" and auth_type != "none":
        return 500, None  # httpd itself does not serve what has an AuthType and no Require (AH01627)
    if require in ("nothing", "granted", "authverify", "scheme", "client"):
        return 200, "github"
    if require in ("denied", "other-client"):
        return 403, None
    user = "github" if auth_type in ("none", "authverify") else "alice" if theirs else None
    wanted = {"alice": ["alice"], "github": ["github"]}.get(require, ["github", "alice"])
    if user in wanted:
        return 200, user
    return (403 if auth_type == "none" else 401), None  # without an AuthType there is nobody to ask again


@pytest.mark.parametrize("require", REQUIRES)
@pytest.mark.parametrize("auth_type", AUTH_TYPES)
def test_ours_and_theirs_must_both_hold(server, auth_type, require):
    server.allow_refusals("not-presented")
    server.allow(r"AH016(27|30|31)|AH01797")
    for ours, theirs in CREDENTIALS:
        fields = {**(github(SECRET) if ours else {}), **(THEIRS.get(auth_type, THEIRS["basic"]) if theirs else {})}
        answer = get(server, f"/{auth_type}/{require}", fields)
        status, user = expected(auth_type, require, ours, theirs)
        assert answer.status == status, (ours, theirs, answer)
        if status == 200:
            assert answer.get("X-User") == user, (ours, theirs, answer)
            assert answer.body == b"content"


@pytest.mark.parametrize("auth_type", AUTH_TYPES)
def test_a_wrong_signature_is_refused_before_anybody_else_is_asked(server, auth_type):
    server.refusal("wrong-signature", 2)
    for theirs in ({}, THEIRS.get(auth_type, {})):
        answer = get(server, f"/{auth_type}/valid-user", {**github("another secret"), **theirs})
        assert answer.status == 401
        assert "Basic" not in (answer.get("WWW-Authenticate") or "")


def test_basic_challenges_once_ours_is_proven(server):
    server.refusal("not-presented", 1)
    assert get(server, "/basic/valid-user", github(SECRET)).all("WWW-Authenticate") == ['Basic realm="theirs"']
    assert get(server, "/basic/valid-user").all("WWW-Authenticate") == ['AuthVerify realm="theirs"']


def test_a_wrong_password_is_refused_although_ours_is_proven(server):
    server.expect(r"AH01617.*Password Mismatch|AH01617", 1)
    assert get(server, "/basic/valid-user", {**github(SECRET), **basic("alice", "wrong")}).status == 401


def test_a_body_arrives_whole_although_basic_and_ours_are_asked(server):
    body = Payload(300000).data
    server.refusal("wrong-signature", 1)
    assert post(server, "/basic/both", {**github(SECRET, body), **THEIRS["basic"]}, body).status == 200
    assert post(server, "/basic/both", {**github(SECRET, body), **THEIRS["basic"]}, body[:-1] + b"?").status == 401


@pytest.mark.parametrize("ours,status", [(False, 401), (True, 200)])
def test_a_login_form_is_read_from_the_proven_body(server, ours, status):
    server.allow_refusals("not-presented")
    form = b"httpd_username=alice&httpd_password=alice%27s+password"
    fields = {**(github(SECRET, form) if ours else {}), "Content-Type": "application/x-www-form-urlencoded"}
    assert post(server, "/fake", fields, form).status == status


# --- Satisfy Any ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path,with_ours,with_both", [
    ("/satisfy", 200, 200), ("/satisfy/granted", 200, 200), ("/satisfy/allowed", 200, 200),
    ("/satisfy/basic", 200, 200),
    ("/satisfy/basic/denied", 401, 200)])
def test_satisfy_any_does_not_open_what_a_rule_closes(server, path, with_ours, with_both):
    server.allow_refusals("not-presented", "wrong-signature")
    server.allow(r"AH01797|AH016(27|30)")
    assert get(server, path).status == 401
    assert get(server, path, THEIRS["basic"]).status == 401
    assert get(server, path, {**github("another secret"), **THEIRS["basic"]}).status == 401
    assert get(server, path, github(SECRET)).status == with_ours
    assert get(server, path, {**github(SECRET), **THEIRS["basic"]}).status == with_both


# --- modes ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("ours", [{}, github(SECRET), github("another secret")])
def test_observe_leaves_the_user_and_the_verdict_to_httpd(server, ours):
    server.allow(r"would-refuse reason=(not-presented|wrong-signature) ")
    assert get(server, "/observed", ours).status == 401
    answer = get(server, "/observed", {**ours, **THEIRS["basic"]})
    assert (answer.status, answer.get("X-User")) == (200, "alice")


def test_optional_accepts_either_and_refuses_a_wrong_one(server):
    server.allow_refusals("not-presented")
    server.refusal("wrong-signature", 2)
    server.allow(r"AH01797|AH016(27|30)")
    assert get(server, "/optional").status == 401
    assert get(server, "/optional", github(SECRET)).get("X-User") == "github"
    answer = get(server, "/optional", THEIRS["basic"])
    assert (answer.status, answer.get("X-User")) == (200, "alice")
    assert get(server, "/optional", github("another secret")).status == 401
    assert get(server, "/optional", {**github("another secret"), **THEIRS["basic"]}).status == 401


# --- mod_cache --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("quick", ["on", "off"])
def test_a_cache_never_answers_for_a_rule(backend, quick):
    config = f"""
CacheQuickHandler {quick}
CacheRoot "${{ROOT}}/upload"
CacheEnable disk /
CacheIgnoreNoLastMod on
CacheStoreNoStore on
CacheStorePrivate on
ProxyPass "/" "http://127.0.0.1:${{BACKEND}}/"
<Location "/ruled">
    AuthVerify github secret=file:${{ROOT}}/conf/github
</Location>
"""
    server = Server(config, modules=["proxy", "proxy_http", "cache", "cache_disk"], defines={"BACKEND": backend.port},
                    allow=[r"mod_cache is loaded"])
    server.secret("github", SECRET)
    backend.reset()
    backend.answer_headers = {"Cache-Control": "max-age=600, public"}
    with server:
        assert [get(server, "/open").status for _ in range(3)] == [200, 200, 200]
        assert backend.count == 1, "the cache of this test does not work"
        for ours, status in ((True, 200), (False, 401), (True, 200), (False, 401)):
            server.allow_refusals("not-presented")
            assert get(server, "/ruled/x", github(SECRET) if ours else {}).status == status
        assert [received.path for received in backend.requests] == ["/open", "/ruled/x", "/ruled/x"]


# --- TRACE ------------------------------------------------------------------------------------------------------------

def test_trace_is_refused_under_a_rule_and_echoes_no_credential(backend):
    config = """
TraceEnable on
ProxyPass "/proxied" "http://127.0.0.1:${BACKEND}/"
<Location "/ruled">
    AuthVerify github secret=file:${ROOT}/conf/github
</Location>
<Location "/proxied">
    AuthVerify github secret=file:${ROOT}/conf/github
</Location>
<Directory "${ROOT}/htdocs/directory">
    AuthVerify github secret=file:${ROOT}/conf/github
</Directory>
"""
    server = Server(config, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port})
    server.secret("github", SECRET)
    backend.reset()
    with server:
        server.write("directory/x", "content")
        assert request(server, "TRACE", "/open").status == 200
        server.refusal("method-refused", 6)
        for path in ("/ruled", "/proxied/x", "/directory/x"):
            for proof in ({}, github(SECRET)):
                answer = request(server, "TRACE", path, proof)
                assert answer.status == 405
                assert b"sha256" not in answer.body
    assert backend.count == 0


def test_options_under_a_rule_needs_a_proof(server):
    server.refusal("not-presented", 1)
    assert request(server, "OPTIONS", "/none/nothing").status == 401
    assert request(server, "OPTIONS", "/none/nothing", github(SECRET)).status == 200


# --- WebDAV, whose requests name two places ---------------------------------------------------------------------------

def test_webdav_copies_nothing_into_a_rule_and_moves_nothing_out_of_it():
    config = """
Alias "/dav/" "${ROOT}/upload/"
<Directory "${ROOT}/upload">
    Dav on
</Directory>
<Location "/dav/ruled">
    AuthVerify github secret=file:${ROOT}/conf/github
</Location>
"""
    started = Server(config, modules=["alias", "dav", "dav_fs"],
                     allow=[r"\[dav:error\]", "lookup-refused reason=not-presented "])
    started.secret("github", SECRET)
    with started:
        assert request(started, "PUT", "/dav/open", {}, b"open").status == 201
        assert request(started, "PUT", "/dav/ruled", github(SECRET, b"ruled"), b"ruled").status == 201
        started.allow_refusals("not-presented")
        for method, source, target in (("COPY", "open", "ruled"), ("MOVE", "open", "ruled"),
                                       ("COPY", "ruled", "leaked"),
                                       ("MOVE", "ruled", "leaked")):
            fields = {"Destination": f"http://test.example/dav/{target}", "Overwrite": "T"}
            assert request(started, method, f"/dav/{source}", fields).status not in (201, 204), (method, source)
        assert (started.root / "upload" / "ruled").read_bytes() == b"ruled"
        assert not (started.root / "upload" / "leaked").exists()
        fields = {"Destination": "http://test.example/dav/ruled", "Overwrite": "T"}
        assert request(started, "COPY", "/dav/open", {**fields, **github(SECRET)}).status == 204


# --- every way to one backend -----------------------------------------------------------------------------------------

WAYS = """
RewriteEngine on
RewriteRule "^/third/(.*)$" "http://127.0.0.1:${BACKEND}/ruled/$1" [P]
ProxyPass "/first/" "http://127.0.0.1:${BACKEND}/ruled/"
ProxyPass "/second/" "http://127.0.0.1:${BACKEND}/ruled/"
ProxyPassMatch "^/matched/(.*)$" "http://127.0.0.1:${BACKEND}/ruled/$1"
ProxyPass "/other/" "http://127.0.0.1:${BACKEND}/other/"
<Location "/located/">
    ProxyPass "http://127.0.0.1:${BACKEND}/ruled/"
</Location>
<Proxy "http://127.0.0.1:${BACKEND}/ruled/*">
    AuthVerify github secret=file:${ROOT}/conf/github
    AuthVerifyHeader X-Sender %{client}
</Proxy>
<Directory "${ROOT}/htdocs/folder">
    RewriteEngine on
    RewriteRule "^(.*)$" "http://127.0.0.1:${BACKEND}/ruled/$1" [P]
</Directory>
<Directory "${ROOT}/htdocs/access">
    AllowOverride FileInfo
</Directory>
<Location "/handler/">
    SetHandler "proxy:http://127.0.0.1:${BACKEND}/ruled/"
</Location>
<Location "/socket/">
    SetHandler "proxy:unix:${ROOT}/no.sock|http://127.0.0.1:${BACKEND}/ruled/"
</Location>
"""


@pytest.fixture(scope="module")
def ways(backend):
    server = Server(WAYS, modules=["proxy", "proxy_http", "rewrite"], defines={"BACKEND": backend.port})
    server.secret("github", SECRET)
    for name in ("folder/x", "access/x", "handler/x"):
        server.write(name, "content")
    server.write("access/.htaccess",
                 f'RewriteEngine on\nRewriteRule "^(.*)$" "http://127.0.0.1:{backend.port}/ruled/$1" [P]\n')
    with server:
        yield server


@pytest.mark.parametrize("way", ["first", "second", "third", "matched", "located", "folder", "access", "handler"])
def test_a_rule_in_proxy_covers_every_way_to_the_backend(ways, backend, way):
    backend.reset()
    body = Payload(70000).data
    ways.refusal("not-presented", 1)
    ways.refusal("wrong-signature", 1)
    assert post(ways, f"/{way}/x", {"X-Sender": "forged"}, body).status == 401
    assert post(ways, f"/{way}/x", github(SECRET, body), body[:-1] + b"?").status == 401
    assert backend.count == 0
    answer = post(ways, f"/{way}/x", {**github(SECRET, body), "X-Sender": "forged"}, body)
    assert (answer.status, answer.json()["sha256"]) == (200, hashlib.sha256(body).hexdigest())
    fields = {name.lower(): value for name, value in backend.requests[-1].headers}
    assert fields["x-sender"] == "github"
    assert "x-hub-signature-256" not in fields


def test_a_backend_behind_a_socket_is_covered_by_the_name_that_proxy_gives_it(ways, backend):
    """Without the rule httpd would try the socket, which is not there, and answer 503."""
    backend.reset()
    ways.refusal("not-presented", 1)
    assert post(ways, "/socket/x", {}, b"unsigned").status == 401
    assert backend.count == 0


NAMED = """
ProxyFCGIBackendType GENERIC
<Proxy "balancer://pool">
    BalancerMember "http://127.0.0.1:${BACKEND}"
    AuthVerify github secret=file:${ROOT}/conf/github
</Proxy>
ProxyPass "/balancer/" "balancer://pool/"
<ProxyMatch "^http://127[.]0[.]0[.]1:[0-9]+/matched">
    AuthVerify github secret=file:${ROOT}/conf/github
</ProxyMatch>
ProxyPass "/matched/" "http://127.0.0.1:${BACKEND}/matched/"
<Proxy "fcgi://127.0.0.1:${PHP}/">
    AuthVerify github secret=file:${ROOT}/conf/github
</Proxy>
ProxyPass "/fcgi/" "fcgi://127.0.0.1:${PHP}${ROOT}/htdocs/fcgi/"
<Directory "${ROOT}/htdocs/folder">
    SetHandler "proxy:fcgi://127.0.0.1:${PHP}/"
</Directory>
<FilesMatch "[.]script$">
    SetHandler "proxy:fcgi://127.0.0.1:${PHP}"
</FilesMatch>
"""


@pytest.mark.parametrize("path", ["/balancer/x", "/matched/x", "/fcgi/hash.php", "/folder/hash.php", "/any/hash.script"])
def test_a_rule_in_proxy_covers_every_kind_of_backend(named, backend, path):
    backend.reset()
    body = Payload(70000).data
    named.refusal("not-presented", 1)
    named.refusal("wrong-signature", 1)
    assert post(named, path, {}, body).status == 401
    assert post(named, path, github(SECRET, body), body[:-1] + b"?").status == 401
    assert backend.count == 0
    answer = post(named, path, github(SECRET, body), body)
    assert (answer.status, answer.json()["sha256"]) == (200, hashlib.sha256(body).hexdigest())


@pytest.fixture(scope="module")
def named(backend, php):
    modules = ["proxy", "proxy_http", "proxy_fcgi", "proxy_balancer", "slotmem_shm", "lbmethod_byrequests"]
    server = Server(NAMED, modules=modules, defines={"BACKEND": backend.port, "PHP": php.port})
    server.secret("github", SECRET)
    for name in ("fcgi/hash.php", "folder/hash.php", "any/hash.script"):
        server.write(name, (HANDLERS / "hash.php").read_bytes())
    with server:
        yield server


def test_a_rule_in_proxy_leaves_the_other_paths_of_the_backend_alone(ways, backend):
    backend.reset()
    assert get(ways, "/other/x").status == 200
    assert backend.count == 1


def test_a_refusal_under_a_rule_in_proxy_is_in_step_with_the_connection(ways, backend):
    backend.reset()
    body = b"GET /other/smuggled HTTP/1.1\r\nHost: test.example\r\n\r\n"
    for way in ("first", "third", "folder"):
        ways.refusal("not-presented", 3)
        with Connection(ways.port) as connection:
            connection.send(head("POST", f"/{way}/x", {"Content-Length": str(len(body))}) + body)
            assert connection.response().status == 401
            connection.half_close()
            assert connection.response() is None
    assert backend.count == 0
