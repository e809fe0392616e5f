"""What surrounds a rule for AWS signatures: its options, clients and modes, other rules, what the handler learns.

SPDX-License-Identifier: Apache-2.0
"""
import time
from dataclasses import replace

import pytest

from aws4_signer import UNSIGNED, Signer, sha256
from backends import install_handlers
from client import get, request
from clients import put_clients, sha256 as kept
from configtest import assert_says, in_location, put
from server import Server, wait_until
from verdict import TELL, label_of, reason_of

S3 = Signer()
API = replace(S3, service="execute-api", s3=False)
TEMPORARY = replace(S3, access_key="ASIAOFTHETESTS000001", token="tokenOfTheTests//////////0123456789abcdef==")
ACME, DELETES, EXPIRED = (replace(S3, access_key=key, secret=f"secretOf{key}/0123456789+abcdef")
                          for key in ("AKIDOFACME0000000001", "AKIDWHODELETES000001", "AKIDWHOISEXPIRED0001"))
KEY = f"access-key={S3.access_key} secret=file:conf/aws.secret"
REGION = "region=us-east-1"
RULE = f"AuthVerify aws4 {KEY} {REGION} service=s3"
BODY = b"a body\r\n"

# What stands in the location that each begins; the handler is a CGI program that tells what it got.
PLACES = {
    "s3": RULE,
    "unsigned": f"{RULE} unsigned-payload=on",
    "as-sent": f"{RULE} strip=off",
    "api": f"AuthVerify aws4 {KEY} {REGION} service=execute-api,s3",
    "any-region": f"AuthVerify aws4 {KEY} region=* service=s3",
    "regions": f"AuthVerify aws4 {KEY} region=eu-central-1,us-east-1 service=s3",
    "as-s3": f"AuthVerify aws4 {KEY} {REGION} service=execute-api s3=on",
    "exempt": f"{RULE} unsigned-headers=x-amz-cf-id",
    "no-hash": f"{RULE} content-sha256=optional",
    "merged": f"{RULE} path=s3-merge",
    "raw": f"AuthVerify aws4 {KEY} {REGION} service=execute-api path=raw",
    "plus": f"{RULE} plus=space",
    "endless": f"{RULE} expires=optional",
    "temporary": f"AuthVerify aws4 access-key={TEMPORARY.access_key} secret=file:conf/aws.secret "
                 f"session-token=file:conf/aws.token {REGION} service=s3",
    "token-unsigned": f"AuthVerify aws4 access-key={TEMPORARY.access_key} secret=file:conf/aws.secret "
                      f"session-token=file:conf/aws.token {REGION} service=s3 token=unsigned",
    "rotation": f"AuthVerify aws4 {KEY} secret=file:conf/next.secret {REGION} service=s3",
    "tight": f"{RULE} tolerance=60:5",
    "external": f"AuthVerifyExternalURL https://s3.example.com/v2\n{RULE}",
    "observed": f"AuthVerifyMode observe\n{RULE}",
    "optional": f"AuthVerifyMode optional\n{RULE}\nRequire authverify\nRequire method GET",
    "clients": f"AuthVerify aws4 {REGION} service=s3 clients=file:conf/aws.clients",
    "beside": f"AuthVerify bearer clients=file:conf/aws.clients\n"
              f"AuthVerify aws4 {REGION} service=s3 clients=file:conf/aws.clients",
    "also": f"AuthVerify aws4 {REGION} service=s3 clients=file:conf/aws.clients\n"
            "AuthVerifyAlso api-key in=header:X-Gateway clients=file:conf/gateways.clients any-client=on",
    "limited": f"{RULE} methods=GET paths=/limited/cgi/hash.py/here",
}
CLIENTS = f"""
{ACME.access_key} first:plain:{ACME.secret} schemes=aws4 org=acme
{DELETES.access_key} plain:{DELETES.secret} methods=DELETE
{EXPIRED.access_key} plain:{EXPIRED.secret} expires=2020-01-01
robot {kept("the-token-of-the-robot")} schemes=bearer
"""
CONFIG = TELL + "AllowEncodedSlashes NoDecode\nMergeSlashes off\nAuthVerifyErrorBody empty\n" + "".join(f"""
ScriptAlias "/{name}/cgi/" "${{ROOT}}/htdocs/cgi/"
<Location "/{name}">
{lines}
</Location>
""" for name, lines in PLACES.items())


@pytest.fixture(scope="module")
def server():
    made = Server(CONFIG, modules=["cgid", "alias", "headers", "authn_core", "authz_host"], allow=[r"AH01630"])
    for name, text in {"aws.secret": S3.secret, "next.secret": S3.secret[::-1], "aws.token": TEMPORARY.token}.items():
        made.secret(name, text)
    put_clients(made, "aws.clients", CLIENTS)
    put_clients(made, "gateways.clients", f"gateway {kept('the-key-of-the-gateway')}\n")
    (made.htdocs / "fcgi").mkdir()
    install_handlers(made)
    with made:
        yield made


HOST = {"Host": "test.example"}


def path_to(place, rest=""):
    return f"/{place}/cgi/hash.py{rest}"


def send(server, signed, method="GET", body=None, **more):
    headers = {**signed.headers, **more}
    return request(server, method, signed.target, {name: value for name, value in headers.items() if value is not None},
                   body)


def accepted(answer, label="aws.secret"):
    assert (answer.status, reason_of(answer), label_of(answer)) == (200, "accepted", label), answer
    return answer.json()


def refused(server, answer, reason, status=401):
    server.refusal(reason)
    assert (answer.status, reason_of(answer)) == (status, reason), answer


def signed(signer, place, method="GET", rest="", headers=None, **more):
    return signer.sign(method, path_to(place, rest), {**HOST, **(headers or {})}, **more)


# --- options ----------------------------------------------------------------------------------------------------------

def test_a_service_that_is_one_of_several_has_its_own_rules(server):
    for signer in (API, S3):
        got = accepted(send(server, signed(signer, "api", "POST", body=BODY), "POST", BODY))
        assert got["environment"]["AUTHVERIFY_SERVICE"] == signer.service
    refused(server, send(server, signed(replace(API, service="sqs"), "api")), "wrong-scope")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "mars-north-7"])
def test_the_region_is_one_of_those_that_are_named(server, region):
    signer = replace(S3, region=region)
    assert accepted(send(server, signed(signer, "any-region")))["environment"]["AUTHVERIFY_REGION"] == region
    answer = send(server, signed(signer, "regions"))
    if region == "mars-north-7":
        refused(server, answer, "wrong-scope")
    else:
        accepted(answer)


def test_another_service_may_have_the_rules_of_s3(server):
    accepted(send(server, signed(replace(API, s3=True), "as-s3", rest="/a%20b//c")))
    refused(server, send(server, signed(API, "as-s3")), "payload-not-signed")


def test_a_header_may_be_exempted(server):
    cdn = {"X-Amz-Cf-Id": "added on the way"}
    accepted(send(server, signed(S3, "exempt"), **cdn))
    refused(server, send(server, signed(S3, "s3"), **cdn), "header-not-signed")
    refused(server, send(server, signed(S3, "exempt"), **{"X-Amz-Acl": "public-read"}), "header-not-signed")
    refused(server, send(server, signed(S3, "exempt"), X_Amz_Acl="public-read"), "header-not-signed")


def test_the_hash_of_the_body_may_be_left_unsaid(server):
    unsaid = replace(S3, s3=False)
    accepted(send(server, unsaid.sign("POST", path_to("no-hash"), HOST, BODY), "POST", BODY))
    refused(server, send(server, unsaid.sign("POST", path_to("no-hash"), HOST, BODY), "POST", BODY + b"!"),
            "wrong-signature")
    refused(server, send(server, unsaid.sign("POST", path_to("s3"), HOST, BODY), "POST", BODY), "payload-not-signed")


@pytest.mark.parametrize("place, sent", [("merged", "/a%2Fb"), ("plus", "/a+b")])
def test_a_path_may_be_signed_in_another_way(server, place, sent):
    as_signed = signed(S3, place, rest={"merged": "/a/b", "plus": "/a%20b"}[place])
    accepted(send(server, replace(as_signed, target=path_to(place, sent))))
    strict = signed(S3, "s3", rest={"merged": "/a/b", "plus": "/a%20b"}[place])
    refused(server, send(server, replace(strict, target=path_to("s3", sent))), "wrong-signature")


def test_a_path_may_be_signed_as_it_is_sent(server):
    as_sent = replace(API, s3=True)
    accepted(send(server, signed(as_sent, "raw", rest="/a%20b//c/./d")))
    refused(server, send(server, signed(API, "raw", rest="/a%20b")), "wrong-signature")
    accepted(send(server, signed(API, "api", rest="/a%20b//c/./d")))
    refused(server, send(server, signed(as_sent, "api", rest="/a%20b")), "wrong-signature")


def test_a_url_says_how_long_it_is_good_unless_it_need_not(server):
    def without_expiry(place):
        return S3.presign("GET", path_to(place), HOST, expires=None)
    accepted(send(server, without_expiry("endless")))
    refused(server, send(server, without_expiry("s3")), "malformed-credential")


def test_a_temporary_key_has_its_token(server):
    accepted(send(server, signed(TEMPORARY, "temporary")))
    accepted(send(server, TEMPORARY.presign("GET", path_to("temporary"), HOST)))
    for token in (None, TEMPORARY.token[:-1], TEMPORARY.token + "="):
        refused(server, send(server, signed(replace(TEMPORARY, token=token), "temporary")), "wrong-session-token")
    refused(server, send(server, signed(replace(S3, token=TEMPORARY.token), "s3")), "wrong-session-token")


def test_a_token_is_covered_unless_it_need_not_be(server):
    def added_later(place):
        return signed(replace(TEMPORARY, token=None), place)
    token = {"X-Amz-Security-Token": TEMPORARY.token}
    accepted(send(server, added_later("token-unsigned"), **token))
    refused(server, send(server, added_later("temporary"), **token), "header-not-signed")


@pytest.mark.parametrize("secret, label", [(S3.secret, "aws.secret"), (S3.secret[::-1], "next.secret")])
def test_two_secrets_are_good_while_one_is_changed(server, secret, label):
    for _ in range(2):  # the second time with the key that is remembered
        accepted(send(server, signed(replace(S3, secret=secret), "rotation")), label)
    refused(server, send(server, signed(replace(S3, secret="neither"), "rotation")), "wrong-signature")


@pytest.mark.parametrize("late, reason", [(0, None), (50, None), (70, "too-late"), (-20, "too-early")])
def test_the_tolerance_is_that_of_the_rule(server, late, reason):
    answer = send(server, signed(S3, "tight", now=int(time.time()) - late))
    if reason:
        refused(server, answer, reason)
    else:
        accepted(answer)


def test_host_and_path_are_those_that_the_client_called(server):
    called = S3.sign("GET", "/v2" + path_to("external"), {"Host": "s3.example.com"})
    accepted(send(server, replace(called, target=path_to("external")), Host="inside.example"))
    refused(server, send(server, signed(S3, "external")), "wrong-signature")


def test_a_host_that_is_not_ours_is_refused(server):
    refused(server, send(server, S3.sign("GET", path_to("s3"), {"Host": "other.example"})), "wrong-host")


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-For", "X-Original-URL",
                                    "X-Http-Method-Override"])
def test_what_a_client_says_of_a_proxy_changes_nothing(server, header):
    accepted(send(server, signed(S3, "s3"), **{header: "/v2"}))


# --- clients ----------------------------------------------------------------------------------------------------------

def test_the_access_key_is_the_client(server):
    got = accepted(send(server, signed(ACME, "clients")), "first")
    assert got["environment"]["AUTHVERIFY_CLIENT"] == got["environment"]["REMOTE_USER"] == ACME.access_key
    assert got["environment"]["AUTHVERIFY_ORG"] == "acme"
    refused(server, send(server, signed(replace(ACME, access_key="robot"), "clients")), "unknown-client")


@pytest.mark.parametrize("client, reason", [(DELETES, "method-not-allowed"), (EXPIRED, "client-expired")],
                         ids=["methods", "expires"])
def test_a_limit_of_a_client_is_told_to_who_has_proven_to_be_it(server, client, reason):
    refused(server, send(server, signed(client, "clients")), reason, 403)
    refused(server, send(server, signed(replace(client, secret="another"), "clients")), "wrong-signature")


def test_a_secret_that_was_changed_or_taken_away_is_good_no_more():
    """Also that of a key that httpd has derived and remembers."""
    server = Server(TELL + in_location(PLACES["clients"]), modules=["headers"], allow=["clients are in force"])
    put_clients(server, "aws.clients", f"{ACME.access_key} plain:{ACME.secret}\nsomebody plain:{S3.secret}\n")
    server.write("page", "")
    changed = replace(ACME, secret=ACME.secret[::-1])

    def reason(signer):
        server.allow_refusals("wrong-signature", "unknown-client")
        return reason_of(send(server, signer.sign("GET", "/page", HOST)))
    with server:
        for _ in range(5):
            assert (reason(ACME), reason(changed)) == ("accepted", "wrong-signature")
        put_clients(server, "aws.clients", f"{ACME.access_key} plain:{changed.secret}\nsomebody plain:{S3.secret}\n")
        wait_until(lambda: reason(changed) == "accepted", 5, "the list is not read again")
        for _ in range(5):
            assert (reason(ACME), reason(changed)) == ("wrong-signature", "accepted")
        put_clients(server, "aws.clients", f"somebody plain:{S3.secret}\n")
        wait_until(lambda: reason(changed) == "unknown-client", 5, "the list is not read again")
        assert reason(ACME) == "unknown-client"
        server.allow_refusals("wrong-signature", "unknown-client")


# --- other rules, and modes -------------------------------------------------------------------------------------------

def test_beside_bearer_each_sees_its_own_word(server):
    accepted(send(server, signed(ACME, "beside")), "first")
    answer = get(server, path_to("beside"), {"Authorization": "Bearer the-token-of-the-robot"})
    assert accepted(answer, None)["environment"]["AUTHVERIFY_CLIENT"] == "robot"
    server.refusal("not-presented", 1)
    challenges = get(server, path_to("beside")).all("WWW-Authenticate")
    assert [challenge.split()[0] for challenge in challenges] == ["Bearer", "AWS4-HMAC-SHA256"]


def test_what_must_hold_besides_does(server):
    gateway = {"X-Gateway": "the-key-of-the-gateway"}
    body = {"body": BODY}
    got = accepted(send(server, signed(ACME, "also", "POST", **body), "POST", BODY, **gateway), "first")
    assert got["environment"]["AUTHVERIFY_CLIENT"] == ACME.access_key and got["sha256"] == sha256(BODY)
    refused(server, send(server, signed(ACME, "also", "POST", **body), "POST", BODY), "not-presented")


def test_limits_of_the_rule_come_first(server):
    accepted(send(server, signed(S3, "limited", rest="/here")))
    refused(server, send(server, signed(S3, "limited", rest="/there")), "path-not-allowed", 403)
    refused(server, send(server, signed(S3, "limited", "PUT", rest="/here", body=b""), "PUT", b""),
            "method-not-allowed", 403)


def test_optional_lets_pass_who_shows_nothing_and_refuses_who_shows_something_wrong(server):
    assert get(server, path_to("optional")).status == 200
    accepted(send(server, signed(S3, "optional")))
    refused(server, send(server, signed(replace(S3, secret="another"), "optional")), "wrong-signature")
    refused(server, get(server, path_to("optional") + "?X-Amz-Signature=1"), "malformed-credential")


def stream(place, **more):
    head_of, segments = S3.sign_stream("POST", path_to(place), HOST, [b"first ", b"second"], **more)
    return head_of, b"".join(segments)


def test_observing_changes_nothing_of_a_stream(server):
    for altered in (b"second", b"zecond"):
        head_of, sent = stream("observed")
        sent = sent.replace(b"second", altered)
        if altered != b"second":
            server.expect(r"would-refuse reason=wrong-signature ", 1)
        got = send(server, head_of, "POST", sent).json()
        environment = got["environment"]
        assert (got["sha256"], got["length"]) == (sha256(sent), len(sent))
        assert environment["HTTP_CONTENT_ENCODING"] == "aws-chunked" and "HTTP_X_AMZ_CONTENT_SHA256" in environment
        result = "would-accept" if altered == b"second" else "would-refuse"
        assert environment["AUTHVERIFY_RESULT"] == result


def test_without_stripping_the_handler_gets_the_stream_as_it_was_sent(server):
    head_of, sent = stream("as-sent")
    got = accepted(send(server, head_of, "POST", sent))
    assert got["sha256"] == sha256(sent) and got["environment"]["HTTP_CONTENT_ENCODING"] == "aws-chunked"
    assert got["environment"]["HTTP_X_AMZ_DECODED_CONTENT_LENGTH"] == "12"
    refused(server, send(server, head_of, "POST", sent.replace(b"second", b"zecond")), "wrong-signature")


# --- what the handler learns ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("payload, told", [(None, "signed"), (UNSIGNED, "unsigned")])
def test_the_handler_learns_whether_the_body_was_covered(server, payload, told):
    head_of = signed(S3, "unsigned", "POST", body=BODY, payload=payload)
    environment = accepted(send(server, head_of, "POST", BODY))["environment"]
    assert {name: environment[f"AUTHVERIFY_{name}"] for name in ("REGION", "SERVICE", "PAYLOAD", "SCHEME")} == {
        "REGION": "us-east-1", "SERVICE": "s3", "PAYLOAD": told, "SCHEME": "aws4"}
    assert "HTTP_AUTHORIZATION" not in environment


def test_the_query_keeps_what_is_not_of_the_signature(server):
    signed_url = S3.presign("GET", path_to("s3") + "?versionId=1&a=b%20c", HOST)
    environment = accepted(send(server, signed_url))["environment"]
    assert environment["QUERY_STRING"] == "versionId=1&a=b%20c"
    assert environment["REQUEST_URI"] == path_to("s3") + "?versionId=1&a=b%20c"
    log = server.root / "logs" / "access_log"
    assert signed_url.signature not in log.read_text() and "X-Amz-" not in log.read_text()


def test_a_refused_url_is_logged_without_its_signature(server):
    expired = S3.presign("GET", path_to("s3"), HOST, expires=1, now=1767312000)
    refused(server, send(server, expired), "too-late")
    assert expired.signature not in (server.root / "logs" / "access_log").read_text()


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES = {
    f"aws4 {KEY} service=s3": ["no region= is given"],
    f"aws4 {KEY} {REGION}": ["no service= is given"],
    f"aws4 {KEY} {REGION} service=*": ["service="],
    f"aws4 secret=file:conf/aws.secret {REGION} service=s3": ["no access-key= is given"],
    f"aws4 access-key=A {REGION} service=s3 clients=file:conf/aws.clients": ["access-key="],
    f"aws4 {REGION} service=s3 clients=file:conf/aws.clients session-token=file:conf/aws.secret": ["session-token="],
    f"aws4 {KEY} {REGION} service=s3 session-token=file:conf/none": ["session-token=", "conf/none"],
    f"aws4 {KEY} {REGION} service=s3 session-token=literal": ["session-token="],
    f"aws4 {KEY} {REGION} service=s3 path=normalise": ["path=", "normalize"],
    f"aws4 {KEY} {REGION} service=s3 unsigned-payload=yes": ["unsigned-payload="],
    f"aws4 {KEY} {REGION} service=s3 content-sha256=off": ["content-sha256=", "required"],
    f"aws4 {KEY} {REGION} service=s3 region=us-east-2": ["region= is given twice"],
    f"aws4 {KEY} region=us/east service=s3": ["region="],
    f"aws4 {KEY} {REGION} service=s3 keys=1": ["keys"],
}


@pytest.mark.parametrize("rule", MISTAKES)
def test_a_mistake_is_told_with_its_line(rule):
    server = Server("")
    server.secret("aws.secret", S3.secret)
    put_clients(server, "aws.clients", CLIENTS)
    where = put(server, in_location(f"> AuthVerify {rule}"))
    status, output = server.configtest()
    assert status != 0
    assert_says(output, where, MISTAKES[rule])
    server.close()


def test_two_rules_that_look_at_the_same_signature_are_a_mistake():
    server = Server("")
    server.secret("aws.secret", S3.secret)
    where = put(server, in_location(f"{RULE}\n> {RULE}"))
    status, output = server.configtest()
    assert status != 0
    assert_says(output, where, ['rule "aws4" looks for its credential where rule "aws4" before it looks'])
    server.close()
