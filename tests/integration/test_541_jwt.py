"""The jwt scheme on a live httpd: who came, what the handler and the logs learn, scopes, claims, challenges, keys that
change.

SPDX-License-Identifier: Apache-2.0
"""
import json
import time

import pytest

from backends import RecordingBackend
from client import get, github, post, request
from configtest import in_location
from server import LOG_SECONDS, Server, wait_until
from tokens import SAID, SECRET, Key, base64url, bearer, claims, hs256, key_set

HS = f"algorithms=HS256 secret=file:conf/shared {SAID}"
OPAQUE = "an opaque token of a test 0123456789".replace(" ", "-")
FIRST, SECOND = Key("first"), Key("second")

PLACES = {
    "plain": f"AuthVerify jwt {HS}",
    "claims": f"AuthVerify jwt {HS}\n" + "".join(
        f'AuthVerifyHeader {name} "{value}"\n' for name, value in [
            ("X-User", "%{client}"), ("X-Scopes", "%{scopes}"), ("X-Email", "%{claim:email}"),
            ("X-Number", "%{claim:number}"), ("X-Groups", "%{claim:groups}"),
            ("X-Role", "%{claim:https%3A//example.com/role}"),
            ("X-Nested", "<%{claim:/realm/name}>"), ("X-Scheme", "%{scheme}")]),
    "optional": f"AuthVerify jwt {HS}\nAuthVerifyMode optional\nAuthVerifyHeader X-User %{{client}}\n<RequireAny>\n"
                "Require authverify\nRequire all granted\n</RequireAny>",
    "scoped": f"AuthVerify jwt {HS} scopes=read",
    "write": f"AuthVerify jwt {HS}\nRequire authverify scope write admin",
    "either": f"AuthVerify jwt {HS}\n<RequireAny>\nRequire authverify scope write\nRequire method GET\n</RequireAny>",
    "tenant": f"AuthVerify jwt {HS}\n<RequireAll>\nRequire authverify claim tenant:acme tenant:example\n"
              "Require authverify claim /realm/roles:operator\nRequire authverify scheme jwt\n</RequireAll>",
    "query": f"AuthVerify jwt {HS} in=header,query:access_token",
    "kept": f"AuthVerify jwt {HS} strip=off",
    "both": f"AuthVerify bearer secret=file:conf/opaque identity=robot\nAuthVerify jwt {HS}",
    "words": f"AuthVerify jwt {HS} prefix=EN,none",
    "also": f"AuthVerify jwt {HS}\nAuthVerifyAlso github secret=file:conf/shared",
    "named": f"AuthVerify jwt {HS} identity=partner",
    "errors": f"AuthVerify jwt {HS}\nErrorDocument 401 /errors-page/sorry",
    "observed": f"AuthVerify jwt {HS}\nAuthVerifyMode observe",
}

CONFIG = """
LogFormat "%{X-Mark}i %r %q %u %>s %{AUTHVERIFY_REASON}e" requests
CustomLog logs/requests requests
ScriptAlias "/cgi/" "${ROOT}/htdocs/cgi/"
""" + in_location(f"AuthVerify jwt {HS}", "/cgi/") + "".join(
    f'ProxyPass "/{name}/" "http://127.0.0.1:${{BACKEND}}/"\n{in_location(lines, f"/{name}/")}'
    for name, lines in PLACES.items())


@pytest.fixture(scope="module")
def httpd():
    with RecordingBackend() as backend:
        server = Server(CONFIG, modules=["proxy", "proxy_http", "cgid", "alias"], defines={"BACKEND": backend.port})
        server.secret("shared", SECRET)
        server.secret("opaque", OPAQUE)
        server.write("cgi/printenv", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n", 0o755)
        with server:
            server.backend = backend
            yield server


@pytest.fixture(autouse=True)
def nothing_received(httpd):
    httpd.backend.reset()


def received(httpd):
    """Headers of the one request that the backend got."""
    assert httpd.backend.count == 1
    return dict(httpd.backend.requests[0].headers)


def challenges(response):
    return response.all("WWW-Authenticate")


INVALID, REQUEST, SCOPE = 'error="invalid_token"', 'error="invalid_request"', 'error="insufficient_scope"'


# --- who it is --------------------------------------------------------------------------------------------------------

def test_the_handler_learns_who_came_and_what_the_token_says(httpd):
    said = claims(scope="read write", email="jürgen@example.com", number=7, groups=["a,b", "ü"],
                  **{"https://example.com/role": "admin", "realm": {"name": "acme"}})
    assert get(httpd, "/claims/x", bearer(hs256(said))).status == 200
    headers = received(httpd)
    assert headers["X-User"] == "alice" and headers["X-Scopes"] == "read,write" and headers["X-Number"] == "7"
    assert headers["X-Email"].encode("latin-1").decode() == "jürgen@example.com"
    assert json.loads(headers["X-Groups"]) == ["a,b", "ü"] and headers["X-Groups"].isascii()
    assert headers["X-Role"] == "admin" and headers["X-Nested"] == "<acme>" and headers["X-Scheme"] == "jwt"
    assert "Authorization" not in headers


def test_a_claim_that_is_not_there_is_the_empty_text(httpd):
    assert get(httpd, "/claims/x", bearer(hs256(claims(number=None))) | {"X-Email": "forged"}).status == 200
    headers = received(httpd)
    assert headers["X-Email"] == "" and headers["X-Number"] == "" and headers["X-Nested"] == "<>"


@pytest.mark.parametrize("name, value", [("email", "a\r\nX-Evil: b"), ("email", "a\u0085b"), ("number", 1.5),
                                         ("groups", ["\x7f"]), ("email", "x" * 1025)])
def test_a_claim_that_would_be_more_than_a_value_is_not_handed_on(httpd, name, value):
    httpd.refusal("unfit-claim", 1)
    response = get(httpd, "/claims/x", bearer(hs256(claims(**{name: value}))))
    assert response.status == 401 and httpd.backend.count == 0
    assert get(httpd, "/plain/x", bearer(hs256(claims(**{name: value})))).status == 200


def test_a_claim_header_of_the_client_is_not_believed(httpd):
    spoofed = {"X-User": "admin", "X_User": "admin"}
    assert get(httpd, "/claims/x", bearer(hs256(claims())) | spoofed).status == 200
    headers = httpd.backend.requests[0].headers
    assert [value for name, value in headers if name.replace("_", "-") == "X-User"] == ["alice"]
    httpd.backend.reset()
    assert get(httpd, "/optional/x", spoofed).status == 200
    assert "X-User" not in received(httpd) and "X_User" not in received(httpd)


def test_a_program_learns_it_from_its_environment_and_sees_no_token(httpd):
    token = hs256(claims(jti="id-7", scope="read"))
    lines = get(httpd, "/cgi/printenv", bearer(token)).body.decode().splitlines()
    assert {"REMOTE_USER=alice", "AUTH_TYPE=AuthVerify", "AUTHVERIFY_SCHEME=jwt", "AUTHVERIFY_CLIENT=alice",
            "AUTHVERIFY_ID=id-7", "AUTHVERIFY_SCOPES=read", "AUTHVERIFY_SECRET_LABEL=shared"} <= set(lines)
    assert not [line for line in lines if token in line or "HTTP_AUTHORIZATION" in line]


def test_a_token_that_names_nobody_proves_who_the_rule_says(httpd):
    httpd.expect(r"\[authverify:debug\].*accepted rule=jwt client=partner ", 1)
    assert get(httpd, "/named/x", bearer(hs256(claims(sub=None)))).status == 200


def test_strip_off_hands_the_token_on(httpd):
    token = hs256(claims())
    assert get(httpd, "/kept/x", bearer(token)).status == 200
    assert received(httpd)["Authorization"] == f"Bearer {token}"


# --- where it is ------------------------------------------------------------------------------------------------------

def test_a_token_in_the_query_is_in_no_log_and_not_handed_on(httpd):
    good, bad = hs256(claims()), hs256(claims(), secret="another secret of at least 32 bytes")
    httpd.refusal("wrong-signature", 1)
    assert get(httpd, f"/query/x?a=1&access_token={good}&b=2").status == 200
    assert httpd.backend.requests[0].path == "/x?a=1&b=2"
    assert get(httpd, f"/query/x?access_token={bad}").status == 401
    for log in (httpd.root / "logs").iterdir():
        assert good not in log.read_text(errors="replace") and bad not in log.read_text(errors="replace")


def test_a_token_in_two_places_is_one_too_many(httpd):
    token = hs256(claims())
    httpd.refusal("ambiguous-credential", 2)
    for headers, target in [(bearer(token), f"/query/x?access_token={token}"),
                            ({"Authorization": f"Bearer {token}, Bearer {token}"}, "/plain/x")]:
        response = get(httpd, target, headers)
        assert response.status == 400 and [REQUEST in one for one in challenges(response)] == [True]


def test_the_query_is_not_looked_at_unless_told(httpd):
    httpd.refusal("not-presented", 1)
    assert get(httpd, f"/plain/x?access_token={hs256(claims())}").status == 401


def test_other_words_and_none(httpd):
    token = hs256(claims())
    httpd.refusal("not-presented", 1)
    assert [get(httpd, "/words/x", {"Authorization": value}).status
            for value in (f"EN {token}", token, f"Bearer {token}")] == [200, 200, 401]


def test_opaque_tokens_are_for_the_rule_beside(httpd):
    httpd.refusal("wrong-signature", 1)
    httpd.refusal("wrong-secret", 1)
    httpd.expect(r"accepted rule=bearer client=robot ", 1)
    httpd.expect(r"accepted rule=jwt client=alice ", 1)
    assert get(httpd, "/both/x", bearer(OPAQUE)).status == 200
    assert get(httpd, "/both/x", bearer(hs256(claims()))).status == 200
    for token in ("another-opaque-token", hs256(claims(), secret="another secret of at least 32 bytes")):
        response = get(httpd, "/both/x", bearer(token))
        assert response.status == 401 and [INVALID in one for one in challenges(response)] == [True]


# --- scopes and claims ------------------------------------------------------------------------------------------------

def test_a_scope_that_is_missing_is_told(httpd):
    httpd.refusal("client-not-allowed", 1)
    httpd.allow("AH01630")
    assert get(httpd, "/scoped/x", bearer(hs256(claims(scope="read more")))).status == 200
    assert get(httpd, "/write/x", bearer(hs256(claims(scope="admin")))).status == 200
    for path in ("/scoped/x", "/write/x"):
        response = get(httpd, path, bearer(hs256(claims(scope="readers writer"))))
        assert response.status == 403
        assert challenges(response) == [f'Bearer realm="jwt", {SCOPE}']


def test_a_scope_that_something_else_makes_up_for_is_not_told(httpd):
    response = get(httpd, "/either/x", bearer(hs256(claims())))
    assert response.status == 200 and challenges(response) == []
    httpd.allow("AH01630")
    assert challenges(post(httpd, "/either/x", bearer(hs256(claims())))) == [f'Bearer realm="jwt", {SCOPE}']


def test_claims_are_asked_for(httpd):
    httpd.allow("AH01630")
    realm = {"roles": ["user", "operator"]}
    assert get(httpd, "/tenant/x", bearer(hs256(claims(tenant="acme", realm=realm)))).status == 200
    assert get(httpd, "/tenant/x", bearer(hs256(claims(tenant=["other", "example"], realm=realm)))).status == 200
    for said in [{"tenant": "acm", "realm": realm}, {"realm": realm}, {"tenant": "acme"},
                 {"tenant": "acme", "realm": {"roles": "operators"}}]:
        response = get(httpd, "/tenant/x", bearer(hs256(claims(**said))))
        assert response.status == 403 and challenges(response) == []


# --- challenges -------------------------------------------------------------------------------------------------------

def test_a_challenge_says_no_more_than_the_class(httpd):
    httpd.allow_refusals("not-presented", "malformed-credential", "wrong-signature", "token-expired", "wrong-audience",
                         "wrong-issuer", "unknown-key", "algorithm-not-allowed", "unfit-claim", "unproven-binding",
                         "wrong-token-type", "too-early")
    wrong = [hs256(claims(), secret="x" * 32), hs256(claims(exp=1)), hs256(claims(aud="x")), hs256(claims(iss="x")),
             hs256(claims(), {"alg": "none"}), hs256(claims(sub=7)), hs256(claims(cnf={})),
             hs256(claims(), {"alg": "HS256", "typ": "dpop+jwt"}), hs256(claims(nbf=int(time.time()) + 900))]
    answers = [get(httpd, "/plain/x", bearer(token)) for token in wrong]
    assert {answer.status for answer in answers} == {401}
    assert {tuple(challenges(answer)) for answer in answers} == {(f'Bearer realm="jwt", {INVALID}',)}
    assert len({answer.body for answer in answers}) == 1
    assert challenges(get(httpd, "/plain/x")) == ['Bearer realm="jwt"']
    assert challenges(get(httpd, "/plain/x", {"Authorization": "Bearer"})) == ['Bearer realm="jwt"']


def test_what_is_presented_and_wrong_is_not_anonymous(httpd):
    httpd.refusal("token-expired", 1)
    assert get(httpd, "/optional/x").status == 200
    assert get(httpd, "/optional/x", bearer(hs256(claims(exp=1)))).status == 401
    assert httpd.backend.count == 1


def test_what_is_observed_changes_nothing(httpd):
    httpd.expect("would-refuse reason=token-expired ", 1)
    assert get(httpd, "/observed/x", bearer(hs256(claims(exp=1)))).status == 200
    assert "Authorization" in received(httpd)


# --- together with the rest -------------------------------------------------------------------------------------------

def test_a_signature_over_the_body_holds_besides(httpd):
    body, token = b"the body", hs256(claims())
    httpd.refusal("wrong-signature", 2)
    assert post(httpd, "/also/x", bearer(token) | github(SECRET, body), body).status == 200
    assert httpd.backend.requests[0].length == len(body)
    assert post(httpd, "/also/x", bearer(token) | github(SECRET, b"other"), body).status == 401
    assert post(httpd, "/also/x", bearer(token + "A" * 4) | github(SECRET, body), body).status == 401


def test_a_name_is_one_word_of_the_log(httpd):
    httpd.expect(r"accepted rule=jwt client=a%20id=x:%20%C3%BC%25 secret=shared id=%20$", 1)
    assert get(httpd, "/plain/x", bearer(hs256(claims(sub="a id=x: ü%", jti=" ")))).status == 200


@pytest.mark.parametrize("text", ["%n%n%s%s", "%{env:PATH}", "../../etc/passwd", "' OR 1=1 --", "$(id)"])
def test_texts_of_a_token_are_only_texts(httpd, text):
    httpd.allow_refusals("wrong-signature")
    token = hs256(claims(sub=text, email=text), {"alg": "HS256", "kid": text})
    assert get(httpd, "/claims/x", bearer(token)).status == 200
    assert received(httpd)["X-User"] == text and received(httpd)["X-Email"] == text


def test_no_log_and_no_environment_holds_a_token(httpd):
    tokens = [hs256(claims(jti="to be kept out of logs")), hs256(claims(), secret="x" * 32)]
    httpd.refusal("wrong-signature", 1)
    assert [get(httpd, "/plain/x", bearer(token)).status for token in tokens] == [200, 401]
    for log in (httpd.root / "logs").iterdir():
        assert not [token for token in tokens if token.split(".")[2] in log.read_text(errors="replace")], log


# --- keys -------------------------------------------------------------------------------------------------------------

def put_keys(server, *keys):
    server.secret("issuer.jwks", key_set(*keys), 0o644)


def test_keys_change_without_a_request_refused():
    rule = f"AuthVerify jwt keys=file:conf/issuer.jwks algorithms=RS256 {SAID}"
    server = Server(in_location(rule))
    server.write("x", "here")
    put_keys(server, FIRST)
    with server:
        old, new, nameless = FIRST.sign(claims()), SECOND.sign(claims()), SECOND.sign(claims(), {"alg": "RS256"})
        server.refusal("unknown-key", 2)
        server.refusal("wrong-signature", 1)
        assert [get(server, "/x", bearer(token)).status for token in (old, new, nameless)] == [200, 401, 401]
        put_keys(server, FIRST, SECOND)
        server.graceful()
        assert [get(server, "/x", bearer(token)).status for token in (old, new, nameless)] == [200, 200, 200]
        put_keys(server, SECOND)
        server.graceful()
        assert [get(server, "/x", bearer(token)).status for token in (old, new, nameless)] == [401, 200, 200]


def configtest(rule, name, text, mode):
    server = Server("")
    source = server.secret(name, text, mode)
    try:
        return server.configtest(in_location(f"AuthVerify jwt {rule.format(source)} {SAID}"))
    finally:
        server.close()


SHARED_KEY = json.dumps({"kty": "oct", "k": base64url(SECRET)})

KEY_FILES = {
    "public keys are for everybody": ("keys={} algorithms=RS256", FIRST.pem, 0o644, None),
    "a public key that others may write": ("keys={} algorithms=RS256", FIRST.pem, 0o646, "is writable by others"),
    "a set with a secret in it": ("keys={} algorithms=HS256", SHARED_KEY, 0o600, None),
    "a set with a secret in it that others may read": ("keys={} algorithms=HS256", SHARED_KEY, 0o644,
                                                       "is readable by others"),
    "a secret that others may read": ("secret={} algorithms=HS256", SECRET, 0o644, "is readable by others"),
    "a secret that is too short": ("secret={} algorithms=HS256", "x" * 31, 0o600, "shorter than the hash"),
    "a private key in PEM": ("keys={} algorithms=RS256", FIRST.private, 0o600, "openssl pkey -pubout"),
    "no key": ("keys={} algorithms=RS256", "hello", 0o644, "neither a JSON Web Key, nor a set of them, nor PEM"),
    "keys without TLS": ("keys=jwks:http://issuer.example/ algorithms=RS256", "", 0o600, "https://host/path"),
}


@pytest.mark.parametrize("name", KEY_FILES)
def test_a_file_of_keys_is_looked_at_when_httpd_starts(name):
    rule, text, mode, part = KEY_FILES[name]
    status, said = configtest(rule, "key", text or "x", mode)
    assert status == (1 if part else 0), said
    assert (part or "Syntax OK") in said, said
    assert SECRET not in said and base64url(SECRET) not in said


def test_htaccess_narrows_a_preset_of_the_server():
    preset = f"AuthVerifyPreset api jwt algorithms=RS256 keys=file:conf/issuer.jwks {SAID}"
    server = Server(f'{preset}\n<Directory "${{ROOT}}/htdocs">\nAllowOverride AuthConfig\n</Directory>\n')
    server.write("x", "here")
    server.write(".htaccess", "AuthVerify api methods=GET tolerance=0\n")
    put_keys(server, FIRST)
    with server:
        server.refusal("method-not-allowed", 1)
        server.refusal("token-expired", 1)
        assert get(server, "/x", bearer(FIRST.sign(claims()))).status == 200
        assert request(server, "HEAD", "/x", bearer(FIRST.sign(claims()))).status == 403
        assert get(server, "/x", bearer(FIRST.sign(claims(exp=int(time.time()) - 5)))).status == 401


def test_the_log_tells_which_key_it_was():
    server = Server(in_location(f"AuthVerify jwt keys=file:conf/issuer.jwks algorithms=RS256 {SAID}"))
    server.write("x", "here")
    put_keys(server, FIRST, SECOND)
    with server:
        server.expect("accepted rule=jwt client=alice secret=second ", 1)
        assert get(server, "/x", bearer(SECOND.sign(claims()))).status == 200
        wait_until(lambda: "secret=second" in server.error_log.read_text(), LOG_SECONDS, "no line")


