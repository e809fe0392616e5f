""".htaccess may use and narrow what the server's configuration defined, and nothing else: whoever may write a folder is
not whoever runs the server.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import time

import pytest

from client import Connection, get, github, post, stripe
from clients import put_clients
from server import Server

SECRET = "the secret of the tests of .htaccess"
LITERAL = "hunter2-is-a-secret-itself"

CONFIG = """
AuthVerifyPreset mine github secret=file:${ROOT}/conf/github
AuthVerifyPreset timed stripe secret=file:${ROOT}/conf/github
AuthVerifyPreset exact stripe tolerance=60:5 secret=file:${ROOT}/conf/github
AuthVerifyPreset bare github realm=x
AuthVerifyPreset many bearer clients=file:conf/many
AuthVerifyPreset readers bearer clients=file:conf/many scopes=read
AuthVerifyPreset near bearer clients=file:conf/many from=file:conf/ranges
<Directory "${ROOT}/htdocs">
    AllowOverride All
</Directory>
<Directory "${ROOT}/htdocs/guarded">
    AuthVerify mine
</Directory>
<Directory "${ROOT}/htdocs/released">
    AuthVerify mine
    AuthVerifyOverride on
</Directory>
<Directory "${ROOT}/htdocs/kept">
    AuthVerifyOverride off
</Directory>
<Directory "${ROOT}/htdocs/ignored">
    AuthVerify mine
    AllowOverride None
</Directory>
<Directory "${ROOT}/htdocs/other">
    AllowOverride FileInfo
</Directory>
<Location "/located">
    AuthVerify mine
</Location>
"""


CLIENTS = {"none": "org=a", "reader": "scopes=read", "writer": "scopes=write", "both": "scopes=write,read,list"}


@pytest.fixture(scope="module")
def server():
    started = Server(CONFIG, modules=["authz_host"])
    source = started.secret("github", SECRET)
    put_clients(started, "many", "".join(f"{name} plain:token-of-{name} {limits}\n" for name, limits in CLIENTS.items()))
    put_clients(started, "ranges", "127.0.0.1\n127.0.0.2\n", 0o644)
    with started:
        started.write("warm.html", "")
        assert get(started, "/warm.html").status == 200
        os.unlink(source.removeprefix("file:"))  # whatever .htaccess uses was read at start
        yield started


def folder(server, name, htaccess):
    """A folder with this .htaccess; its page's path."""
    server.write(f"{name}/page.html", "page")
    server.write(f"{name}/.htaccess", htaccess + "\n")
    return f"/{name}/page.html"


def signed(server, path):
    return post(server, path, github(SECRET, b"x"), b"x").status


# --- what may stand there ---------------------------------------------------------------------------------------------

def test_a_preset_with_its_secret_may_be_named(server):
    path = folder(server, "named", "AuthVerify mine")
    server.refusal("not-presented", 1)
    server.refusal("wrong-signature", 1)
    assert get(server, path).status == 401
    assert post(server, path, github("another secret", b"x"), b"x").status == 401
    assert signed(server, path) == 200


def test_it_holds_below_the_folder_too(server):
    folder(server, "above", "AuthVerify mine")
    server.write("above/below/page.html", "page")
    server.refusal("not-presented", 1)
    assert get(server, "/above/below/page.html").status == 401
    assert signed(server, "/above/below/page.html") == 200


@pytest.mark.parametrize("words, age, status", [
    ("timed", 290, 200), ("timed tolerance=300", 290, 200), ("timed tolerance=10", 290, 401),
    ("timed tolerance=10", 5, 200),
    ("timed", -290, 200), ("timed tolerance=300:10", -290, 401), ("exact tolerance=60:5", 30, 200),
    ("exact tolerance=5", 30, 401),
])
def test_a_tolerance_may_be_narrowed(server, words, age, status):
    path = folder(server, "narrowed", f"AuthVerify {words}")
    if status == 401:
        server.refusal("too-late" if age > 0 else "too-early", 1)
    response = post(server, path, stripe(SECRET, b"x", int(time.time()) - age), b"x")
    assert response.status == status


@pytest.mark.parametrize("words, proven", [
    ("many", ["none", "reader", "writer", "both"]),
    ("many scopes=read", ["reader", "both"]),
    ("many scopes=read,list", ["both"]),
    ("many scopes=admin", []),
    ("readers", ["reader", "both"]),
    ("readers scopes=write", ["both"]),
    ("readers scopes=read", ["reader", "both"]),
])
def test_scopes_may_be_asked_for_besides(server, words, proven):
    path = folder(server, "scoped", f"AuthVerify {words}")
    server.allow_refusals("client-not-allowed")
    answers = {name: get(server, path, {"Authorization": f"Bearer token-of-{name}"}).status for name in CLIENTS}
    assert answers == {name: 200 if name in proven else 403 for name in CLIENTS}


def test_a_network_may_be_narrowed_within_the_server_s_file(server):
    path = folder(server, "narrowed", "AuthVerify near from=127.0.0.2,127.0.0.3")
    server.allow_refusals("network-refused")

    def told(last):
        with Connection(server.port, source=f"127.0.0.{last}") as connection:
            return get(server, path, {"Authorization": "Bearer token-of-none"}, connection=connection).status
    assert [told(last) for last in (1, 2, 3, 4)] == [403, 200, 403, 403]


def test_a_second_rule_may_hold_besides(server):
    path = folder(server, "besides", "AuthVerify mine\nAuthVerifyAlso timed")
    server.refusal("not-presented", 2)
    assert signed(server, path) == 401
    assert post(server, path, stripe(SECRET, b"x"), b"x").status == 401
    assert post(server, path, {**github(SECRET, b"x"), **stripe(SECRET, b"x")}, b"x").status == 200


def test_require_may_stand_there(server):
    path = folder(server, "required", "Require authverify client mine\nAuthVerify mine")
    server.refusal("not-presented", 1)
    assert signed(server, path) == 200
    assert get(server, path).status == 401


def test_require_of_another_client_refuses_who_is_proven(server):
    path = folder(server, "another", "AuthVerify mine\nRequire authverify client somebody-else")
    server.expect("AH01630: client denied by server configuration", 1)
    assert signed(server, path) == 403


def test_require_without_a_rule_lets_nobody_in(server):
    path = folder(server, "require-only", "Require authverify")
    server.expect("AH01630: client denied by server configuration", 1)
    assert get(server, path).status == 403


# --- what may not -----------------------------------------------------------------------------------------------------

WITH_ITS_SECRET = "in .htaccess a rule must name a preset that the server's configuration defines with its secret"

REFUSED = {
    "a secret": ("AuthVerify github secret=file:/etc/hostname", WITH_ITS_SECRET),
    "a secret written out": (f"AuthVerify github secret={LITERAL}", WITH_ITS_SECRET),
    "a program": ("AuthVerify github secret=exec:/bin/true", WITH_ITS_SECRET),
    "a scheme": ("AuthVerify signature signature=%{header:X} secret=file:/etc/hostname", WITH_ITS_SECRET),
    "a shipped preset": ("AuthVerify github", WITH_ITS_SECRET),
    "a preset without its secret": ("AuthVerify bare", WITH_ITS_SECRET),
    "an unknown preset": ("AuthVerify nobody", WITH_ITS_SECRET),
    "a secret for a preset": ("AuthVerify bare secret=file:/etc/hostname", WITH_ITS_SECRET),
    "another secret": ("AuthVerify mine secret=file:/etc/hostname", '"secret"'),
    **{f"{option.split('=')[0]}": (f"AuthVerify mine {option}", f'there is no option "{option.split("=")[0]}"')
       for option in ("strip=off", "realm=a", "identity=root", "exclusive=off", "signed=%{method}", "prefix=a",
                      "expect=%{method}:POST", "algorithm=token", "tolerances=5")},
    "scopes where there is one sender": ("AuthVerify mine scopes=read", "scopes= and any-client= are about the clients"),
    "scopes with an empty word": ("AuthVerify many scopes=read,", "scopes="),
    "a file of networks": ("AuthVerify many from=file:conf/ranges", "files are named in the server's configuration only"),
    "a tolerance without a time": ("AuthVerify mine tolerance=5", "tolerance= needs a time to compare with"),
    "a wider tolerance": ("AuthVerify timed tolerance=301", "tolerance= may only be smaller"),
    "a wider future": ("AuthVerify exact tolerance=60:6", "tolerance= may only be smaller"),
    "a wider past alone": ("AuthVerify exact tolerance=61:5", "tolerance= may only be smaller"),
    "a tolerance for both that is wider for one": ("AuthVerify exact tolerance=6", "tolerance= may only be smaller"),
    "a tolerance twice": ("AuthVerify timed tolerance=5 tolerance=6", "tolerance= is given twice"),
    "a quote": ('AuthVerify timed tolerance="5"', "contains a quote"),
    "nothing": ("AuthVerify", "a scheme or preset must be named"),
    "off with options": ("AuthVerify off tolerance=5", "AuthVerify off takes no options"),
    "off and rules": ("AuthVerify off\nAuthVerify mine", "contradicts this rule"),
    "rules and off": ("AuthVerify mine\nAuthVerify off", "contradicts the rules"),
    "an unreachable rule": ("AuthVerify mine\nAuthVerify mine", "can never decide"),
    "a rule inside Limit": ("<Limit POST>\nAuthVerify mine\n</Limit>", "cannot stand inside <Limit> or <LimitExcept>"),
    "off inside Limit": ("<Limit GET>\nAuthVerify off\n</Limit>", "cannot stand inside <Limit> or <LimitExcept>"),
    "an unknown requirement": ("AuthVerify mine\nRequire authverify user x", "Require authverify takes nothing more"),
    **{directive.split()[0]: (directive, f"{directive.split()[0]} not allowed here")
       for directive in ("AuthVerifyPreset yours github secret=file:/etc/hostname", "AuthVerifyPresetPath /tmp",
                         "AuthVerifyMode observe", "AuthVerifyOverride on", "AuthVerifyBody limit=1g",
                         "AuthVerifyExternalURL as-registered", "AuthVerifyErrorBody empty",
                         "AuthVerifyThrottle failures=20", "AuthVerifyHeader X-Client root")},
}


@pytest.mark.parametrize("lines, text", REFUSED.values(), ids=REFUSED.keys())
def test_the_folder_is_not_served_and_the_log_says_why(server, lines, text):
    path = folder(server, "refused", lines)
    file = re.escape(f"{server.htdocs}/refused/.htaccess")
    server.expect(rf"\[core:alert\].* {file}: .*{re.escape(text)}", 1)
    assert get(server, path).status == 500
    assert LITERAL not in "".join(server.new_lines())
    assert all(r"\x" not in line for line in server.new_lines()), server.new_lines()


def test_a_rule_that_must_hold_besides_nothing_closes_the_folder(server):
    path = folder(server, "refused", "AuthVerifyAlso mine")
    server.refusal("misconfigured", 2)
    assert get(server, path).status == 500
    assert signed(server, path) == 500


@pytest.mark.parametrize("lines", ["AuthVerify mine", "AuthVerify off", "AuthVerifyAlso mine"])
def test_httpd_decides_whether_htaccess_may_speak_of_authorisation(server, lines):
    path = folder(server, "other", lines)
    server.expect(rf"/other/\.htaccess: {lines.split()[0]} not allowed here", 1)
    assert get(server, path).status == 500


def test_a_file_that_is_not_read_changes_nothing(server):
    path = folder(server, "ignored", "AuthVerify off")
    server.refusal("not-presented", 1)
    assert get(server, path).status == 401
    assert signed(server, path) == 200


# --- off --------------------------------------------------------------------------------------------------------------

def test_off_opens_nothing_that_the_server_protects(server):
    path = folder(server, "guarded", "AuthVerify off")
    server.refusal("misconfigured", 2)
    assert get(server, path).status == 500
    assert signed(server, path) == 500


@pytest.mark.parametrize("container", ['Files "page.html"', 'If "true"', 'Files "*"'])
def test_off_opens_nothing_from_inside_another_section(server, container):
    path = folder(server, "guarded", f"<{container}>\nAuthVerify off\n</{container.split()[0]}>")
    server.refusal("misconfigured", 1)
    assert get(server, path).status == 500


def test_off_opens_nothing_below_its_folder(server):
    folder(server, "guarded", "AuthVerify off")
    path = folder(server, "guarded/below", "# nothing")
    server.refusal("misconfigured", 1)
    assert get(server, path).status == 500


def test_a_rule_below_a_refused_off_is_in_force(server):
    folder(server, "guarded", "AuthVerify off")
    path = folder(server, "guarded/below", "AuthVerify mine")
    server.refusal("not-presented", 1)
    assert get(server, path).status == 401
    assert signed(server, path) == 200


def test_off_opens_nothing_that_a_location_protects(server):
    path = folder(server, "located", "AuthVerify off")
    server.refusal("not-presented", 1)
    assert get(server, path).status == 401


def test_off_opens_what_the_server_lets_it_open(server):
    path = folder(server, "released", "AuthVerify off")
    assert get(server, path).status == 200


def test_a_rule_below_an_allowed_off_is_in_force(server):
    folder(server, "released", "AuthVerify off")
    path = folder(server, "released/below", "AuthVerify mine")
    server.refusal("not-presented", 1)
    assert get(server, path).status == 401


def test_off_is_harmless_where_nothing_is_protected(server):
    assert get(server, folder(server, "open", "AuthVerify off")).status == 200
    assert get(server, folder(server, "kept", "AuthVerify off")).status == 200


def test_without_off_the_server_protects_even_where_it_may_be_switched_off(server):
    path = folder(server, "released", "# nothing")
    server.refusal("not-presented", 1)
    assert get(server, path).status == 401
