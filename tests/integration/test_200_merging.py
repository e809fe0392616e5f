"""Where a rule may stand, and which one counts where several sections say something.

Every place is asked with each of four requests: unsigned, and signed as GitHub, Stripe and Slack sign.
SPDX-License-Identifier: Apache-2.0
"""
import time

import pytest

from client import Connection, Payload, get, github, head, post, slack, stripe
from server import Server

SECRET = "the secret of the merging tests"
SIGNERS = {"nobody": lambda *_: {}, "github": github, "stripe": stripe, "slack": slack}
OPEN = frozenset(SIGNERS)
REFUSALS = ("not-presented", "wrong-signature")

RULES = {name: f"AuthVerify {name} secret=file:${{ROOT}}/conf/secret" for name in ("github", "stripe", "slack")}


def admitted(server, path, host="test.example", headers=None):
    """Who of SIGNERS is let in."""
    server.allow_refusals("not-presented")
    found = set()
    for name, sign in SIGNERS.items():
        answer = get(server, path, {**sign(SECRET, b""), **(headers or {})}, host=host)
        assert answer.status in (200, 401), (path, name, answer)
        found.update({name} if answer.status == 200 else ())
    return found


def make_server(config, files=(), **more):
    server = Server(config, **more)
    server.secret("secret", SECRET)
    for name in files:
        server.write(name, "content")
    return server


# --- where a rule may stand -------------------------------------------------------------------------------------------

SECTIONS = f"""
<Location "/location">
    {RULES['github']}
</Location>
<LocationMatch "^/match/(a|b)$">
    {RULES['github']}
</LocationMatch>
<Directory "${{ROOT}}/htdocs/directory">
    {RULES['stripe']}
</Directory>
<DirectoryMatch "/htdocs/number[0-9]">
    {RULES['slack']}
</DirectoryMatch>
<Files "slack.txt">
    {RULES['slack']}
</Files>
<FilesMatch "[.]signed$">
    {RULES['github']}
</FilesMatch>
<If "req('X-Condition') == 'github'">
    {RULES['github']}
</If>
<ElseIf "req('X-Condition') == 'slack'">
    {RULES['slack']}
</ElseIf>
<Location "/if">
    <If "req('X-Inner') == 'stripe'">
        {RULES['stripe']}
    </If>
</Location>
<VirtualHost 127.0.0.1:${{PORT}}>
    ServerName test.example
</VirtualHost>
<VirtualHost 127.0.0.1:${{PORT}}>
    ServerName ruled.example
    {RULES['slack']}
</VirtualHost>
"""
FILES = ["x", "location/x", "match/a", "match/c", "directory/x", "directory/below/x", "number7/x", "slack.txt",
         "any/slack.txt",
         "x.signed", "if/x"]


@pytest.fixture(scope="module")
def sections():
    with make_server(SECTIONS, FILES) as server:
        yield server


@pytest.mark.parametrize("path,expected", [
    ("/x", OPEN), ("/location/x", {"github"}), ("/match/a", {"github"}), ("/match/c", OPEN),
    ("/directory/x", {"stripe"}),
    ("/directory/below/x", {"stripe"}), ("/number7/x", {"slack"}), ("/slack.txt", {"slack"}),
    ("/any/slack.txt", {"slack"}),
    ("/x.signed", {"github"}), ("/if/x", OPEN)])
def test_a_rule_holds_in_every_kind_of_section(sections, path, expected):
    assert admitted(sections, path) == expected


@pytest.mark.parametrize("path,condition,expected", [
    ("/x", {"X-Condition": "github"}, {"github"}), ("/x", {"X-Condition": "slack"}, {"slack"}),
    ("/directory/x", {"X-Condition": "github"}, {"github"}), ("/if/x", {"X-Inner": "stripe"}, {"stripe"})])
def test_a_rule_holds_in_a_condition_and_replaces_that_of_the_section_around(sections, path, condition, expected):
    assert admitted(sections, path, headers=condition) == expected


@pytest.mark.parametrize("path,expected", [
    ("/x", {"slack"}), ("/location/x", {"github"}), ("/directory/x", {"stripe"}), ("/x.signed", {"github"})])
def test_a_rule_of_a_virtual_host_holds_where_no_section_has_its_own(sections, path, expected):
    assert admitted(sections, path, "ruled.example") == expected


# --- which one counts -------------------------------------------------------------------------------------------------

NESTED = f"""
{RULES['github']}
<Location "/off">
    AuthVerify off
</Location>
<Location "/off/stripe">
    {RULES['stripe']}
</Location>
<Location "/slack">
    {RULES['slack']}
</Location>
<Location "/slack/off">
    AuthVerify off
</Location>
<Location "/slack/other-directive">
    AuthVerifyErrorBody html
</Location>
<Location "/also">
    {RULES['stripe']}
    AuthVerifyAlso slack secret=file:${{ROOT}}/conf/secret
</Location>
<Location "/also/replaced">
    {RULES['github']}
</Location>
<Location "/either">
    {RULES['stripe']}
    {RULES['slack']}
</Location>
<Location "/either/off">
    AuthVerify off
</Location>
<Directory "${{ROOT}}/htdocs/directory">
    {RULES['stripe']}
</Directory>
<Directory "${{ROOT}}/htdocs/directory/off">
    AuthVerify off
</Directory>
<Files "slack.txt">
    {RULES['slack']}
</Files>
<Location "/directory/location">
    {RULES['github']}
</Location>
<If "req('X-Off') == 'yes'">
    AuthVerify off
</If>
<VirtualHost 127.0.0.1:${{PORT}}>
    ServerName test.example
</VirtualHost>
<VirtualHost 127.0.0.1:${{PORT}}>
    ServerName own.example
    {RULES['stripe']}
</VirtualHost>
<VirtualHost 127.0.0.1:${{PORT}}>
    ServerName off.example
    AuthVerify off
</VirtualHost>
"""
NESTED_FILES = ["x", "off/x", "off/stripe/x", "slack/x", "slack/off/x", "slack/other-directive/x", "also/x",
                "also/replaced/x",
                "either/x", "either/off/x", "directory/x", "directory/off/x", "directory/off/slack.txt",
                "directory/slack.txt",
                "directory/location/x", "directory/location/slack.txt"]


@pytest.fixture(scope="module")
def nested():
    with make_server(NESTED, NESTED_FILES) as server:
        yield server


@pytest.mark.parametrize("path,expected", [
    ("/x", {"github"}), ("/off/x", OPEN), ("/off/stripe/x", {"stripe"}), ("/slack/x", {"slack"}),
    ("/slack/off/x", OPEN),
    ("/slack/other-directive/x", {"slack"}), ("/also/x", set()), ("/also/replaced/x", {"github"}),
    ("/either/x", {"stripe", "slack"}), ("/either/off/x", OPEN), ("/directory/x", {"stripe"}),
    ("/directory/off/x", OPEN),
    ("/directory/off/slack.txt", {"slack"}), ("/directory/slack.txt", {"slack"}), ("/directory/location/x", {"github"}),
    ("/directory/location/slack.txt", {"github"})])
def test_a_section_replaces_the_whole_set_of_its_parent_or_inherits_it_whole(nested, path, expected):
    assert admitted(nested, path) == expected


@pytest.mark.parametrize("host,path,expected", [
    ("own.example", "/x", {"stripe"}), ("own.example", "/off/x", OPEN), ("own.example", "/slack/x", {"slack"}),
    ("off.example", "/x", OPEN), ("off.example", "/slack/x", {"slack"}), ("off.example", "/directory/x", {"stripe"})])
def test_a_virtual_host_replaces_the_rules_of_the_server(nested, host, path, expected):
    assert admitted(nested, path, host) == expected


def test_off_in_a_condition_opens_what_the_section_around_protects(nested):
    assert admitted(nested, "/slack/x", headers={"X-Off": "yes"}) == OPEN
    assert admitted(nested, "/slack/x", headers={"X-Off": "no"}) == {"slack"}


def test_also_means_that_both_must_hold(nested):
    both = {**stripe(SECRET), **slack(SECRET)}
    assert get(nested, "/also/x", both).status == 200
    nested.refusal("wrong-signature", 2)
    nested.refusal("not-presented", 1)
    assert get(nested, "/also/x", {**both, **slack("another secret")}).status == 401
    assert get(nested, "/also/x", {**both, **stripe("another secret")}).status == 401
    assert get(nested, "/also/x", stripe(SECRET)).status == 401


def test_the_first_rule_that_sees_its_credential_decides(nested):
    nested.refusal("wrong-signature", 1)
    assert get(nested, "/either/x", {**stripe("another secret"), **slack(SECRET)}).status == 401
    assert get(nested, "/either/x", {**stripe(SECRET), **slack("another secret")}).status == 200


# --- the other directives ---------------------------------------------------------------------------------------------

OTHERS = f"""
{RULES['github']}
AuthVerifyErrorBody html
AuthVerifyHeader X-Outer "outer %{{client}}"
AuthVerifyHeader X-Both outer
AuthVerifyBody limit=1k memory=64k
ProxyPass "/" "http://127.0.0.1:${{BACKEND}}/"
<Location "/inner">
    AuthVerifyErrorBody empty
    AuthVerifyHeader X-Both inner
    AuthVerifyHeader X-Inner "inner %{{rule}}"
    AuthVerifyBody memory=32k
</Location>
<Location "/inner/again">
    AuthVerifyErrorBody problem
    AuthVerifyBody limit=2k
</Location>
<Location "/inner/open">
    AuthVerify off
</Location>
<Location "/observed">
    AuthVerifyMode observe
</Location>
<Location "/observed/enforced">
    AuthVerifyMode enforce
</Location>
<Location "/optional">
    AuthVerifyMode optional
    AuthVerify github secret=file:${{ROOT}}/conf/secret
    <RequireAny>
        Require authverify
        Require expr "%{{HTTP:X-Pass}} == 'yes'"
    </RequireAny>
</Location>
<Location "/optional/inherited">
    AuthVerifyErrorBody empty
</Location>
<Location "/optional/enforced">
    AuthVerifyMode enforce
</Location>
"""


@pytest.fixture(scope="module")
def others(backend):
    server = make_server(OTHERS, modules=["proxy", "proxy_http"], defines={"BACKEND": backend.port})
    with server:
        yield server


@pytest.mark.parametrize("path,kind",
                         [("/x", "text/html"), ("/inner/x", None), ("/inner/again/x", "application/problem+json")])
def test_the_inner_error_body_counts(others, path, kind):
    others.refusal("not-presented", 1)
    answer = get(others, path)
    assert answer.status == 401
    assert (answer.get("Content-Type") or "").partition(";")[0] == (kind or "")
    assert bool(answer.body) == bool(kind)


@pytest.mark.parametrize("path,expected", [
    ("/x", {"X-Outer": "outer github", "X-Both": "outer"}),
    ("/inner/x", {"X-Outer": "outer github", "X-Both": "inner", "X-Inner": "inner github"}),
    ("/inner/again/x", {"X-Outer": "outer github", "X-Both": "inner", "X-Inner": "inner github"}),
    ("/inner/open/x", {})])
def test_headers_for_the_handler_add_up_and_the_inner_one_counts(others, backend, path, expected):
    forged = {"X-Outer": "forged", "x_outer": "forged", "X-Both": "forged", "X-Inner": "forged", "X_Inner": "forged"}
    assert get(others, path, {**github(SECRET), **forged}).status == 200
    seen = {name: value for name, value in backend.requests[-1].headers
            if name.lower().replace("_", "-") in ("x-outer", "x-both", "x-inner")}
    assert seen == expected


@pytest.mark.parametrize("path,limit", [("/x", 1024), ("/inner/x", 1024), ("/inner/again/x", 2048)])
def test_each_option_of_the_body_is_inherited_by_itself(others, path, limit):
    assert post(others, path, github(SECRET, b"x" * limit), b"x" * limit).status == 200
    others.refusal("body-too-large", 1)
    with Connection(others.port) as connection:
        connection.send(head("POST", path, {**github(SECRET), "Content-Length": str(limit + 1)}))
        assert connection.response().status == 413


@pytest.mark.parametrize("path,plain,passed,forged,signed", [
    ("/x", 401, 401, 401, 200), ("/observed/x", 200, 200, 200, 200), ("/observed/enforced/x", 401, 401, 401, 200),
    ("/optional/x", 401, 200, 401, 200), ("/optional/inherited/x", 401, 200, 401, 200),
    ("/optional/enforced/x", 401, 401, 401, 200)])
def test_the_inner_mode_counts(others, path, plain, passed, forged, signed):
    others.allow(r"reason=(not-presented|wrong-signature) ")
    others.allow(r"AH016(30|31)")
    assert get(others, path).status == plain
    assert get(others, path, {"X-Pass": "yes"}).status == passed
    assert get(others, path, {**github("another secret"), "X-Pass": "yes"}).status == forged
    assert get(others, path, github(SECRET)).status == signed


# --- .htaccess --------------------------------------------------------------------------------------------------------

HTACCESS = f"""
AuthVerifyPreset own-slack slack secret=file:${{ROOT}}/conf/secret
AuthVerifyPreset own-stripe stripe secret=file:${{ROOT}}/conf/secret
<Directory "${{ROOT}}/htdocs">
    AllowOverride AuthConfig
</Directory>
<Directory "${{ROOT}}/htdocs/ruled">
    {RULES['github']}
</Directory>
<Directory "${{ROOT}}/htdocs/ruled/override">
    AuthVerifyOverride on
</Directory>
<Directory "${{ROOT}}/htdocs/ruled/override/not-here">
    AuthVerifyOverride off
</Directory>
<Directory "${{ROOT}}/htdocs/deaf">
    AllowOverride None
</Directory>
"""


@pytest.fixture(scope="module")
def htaccess():
    with make_server(HTACCESS, modules=["authz_host"]) as server:
        yield server


def put(server, folder, text):
    server.write(f"{folder}/x", "content")
    server.write(f"{folder}/.htaccess", text + "\n")
    return f"/{folder}/x"


@pytest.mark.parametrize("folder,text,expected", [
    ("plain", "AuthVerify own-slack", {"slack"}),
    ("plain-also", "AuthVerify own-slack\nAuthVerifyAlso own-stripe", set()),
    ("either", "AuthVerify own-slack\nAuthVerify own-stripe", {"slack", "stripe"}), ("off", "AuthVerify off", OPEN),
    ("ruled/replaced", "AuthVerify own-slack", {"slack"}), ("ruled/untouched", "Require all granted", {"github"}),
    ("ruled/override/off", "AuthVerify off", OPEN), ("ruled/override/replaced", "AuthVerify own-stripe", {"stripe"}),
    ("plain/below", "", {"slack"}), ("plain/below-off", "AuthVerify own-stripe", {"stripe"}),
    ("deaf", "AuthVerify own-slack", OPEN)])
def test_a_rule_in_htaccess_uses_a_preset_that_brings_its_secret(htaccess, folder, text, expected):
    put(htaccess, "plain", "AuthVerify own-slack")
    assert admitted(htaccess, put(htaccess, folder, text)) == expected


def test_also_in_htaccess_means_that_both_must_hold(htaccess):
    path = put(htaccess, "both", "AuthVerify own-slack\nAuthVerifyAlso own-stripe")
    assert get(htaccess, path, {**slack(SECRET), **stripe(SECRET)}).status == 200


def test_htaccess_may_narrow_the_tolerance(htaccess):
    path = put(htaccess, "narrow", "AuthVerify own-slack tolerance=20")
    old = slack(SECRET, b"", int(time.time()) - 60)
    assert get(htaccess, put(htaccess, "usual", "AuthVerify own-slack"), old).status == 200
    assert get(htaccess, path, slack(SECRET)).status == 200
    htaccess.refusal("too-late", 1)
    assert get(htaccess, path, old).status == 401


@pytest.mark.parametrize("text", [
    "AuthVerify own-slack tolerance=3000", "AuthVerify own-slack secret=file:${ROOT}/conf/secret", "AuthVerify slack",
    "AuthVerify slack secret=file:/etc/hostname", "AuthVerify signature signature=%{header:X} secret=env:HOME",
    "AuthVerify nonsense", "AuthVerify own-slack nonsense=1", "AuthVerify own-slack encoding=base64", "AuthVerify",
    "AuthVerifyPreset more slack secret=env:HOME", "AuthVerifyPresetPath /tmp", "AuthVerifyMode observe",
    "AuthVerifyOverride on", "AuthVerifyBody limit=1g", "AuthVerifyExternalURL https://a.example",
    "AuthVerifyErrorBody html", "AuthVerifyHeader X-A b", "AuthVerifyAlso own-slack",
    "AuthVerify own-slack\nAuthVerify off", "AuthVerify own-slack\nAuthVerify own-slack"])
def test_what_htaccess_may_not_say_closes_the_folder(htaccess, text):
    path = put(htaccess, "wrong", text)
    htaccess.allow(r"\[core:alert\] .*\.htaccess: ")
    htaccess.allow_refusals("misconfigured", "not-presented")
    for sign in SIGNERS.values():
        assert get(htaccess, path, sign(SECRET, b"")).status == 500


@pytest.mark.parametrize("folder", ["ruled/off", "ruled/override/not-here"])
def test_off_in_htaccess_closes_the_folder_where_the_server_does_not_allow_it(htaccess, folder):
    path = put(htaccess, folder, "AuthVerify off")
    htaccess.refusal("misconfigured", 4)
    for sign in SIGNERS.values():
        assert get(htaccess, path, sign(SECRET, b"")).status == 500


def test_a_body_is_verified_under_a_rule_in_htaccess(htaccess):
    path = put(htaccess, "body", "AuthVerify own-slack")
    body = Payload(300000).data
    assert post(htaccess, path, slack(SECRET, body), body).status == 200
    htaccess.refusal("wrong-signature", 1)
    assert post(htaccess, path, slack(SECRET, body[:-1]), body).status == 401
