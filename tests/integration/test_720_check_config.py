"""authverify check --config: of a configuration it takes the rules that httpd has in force, or says why it cannot tell.

SPDX-License-Identifier: Apache-2.0
"""
import json

import pytest

from client import get
from command_line import FILE, OK, REFUSED, USAGE, capture, run
from server import Server, preset_folder

KEY = "0123456789abcdef0123456789abcdef"
RIGHT = {"Authorization": f"Bearer {KEY}"}


def rule(identity, more=""):
    return f"AuthVerify bearer secret=file:conf/key identity={identity} {more}"


def location(path, text, name="Location"):
    return f"<{name} {path}>\n{text}\n</{name}>\n"


# --- beside a real httpd ----------------------------------------------------------------------------------------------

CONFIG = f"""
Header always set X-Client "%{{AUTHVERIFY_CLIENT}}e"
Define SECRET secret=file:conf/key
Define BOTH
UnDefine BOTH
{rule("server")}
{location('"/a"', rule("a"))}
<Location "/a/b">
    AuthVerify bearer \\
        ${{SECRET}} \\
        identity=ab
</Location>
{location("/wild/*/x", rule("wild"))}
{location("/twice", rule("first"))}
{location("/twice/", rule("second"))}
<IfDefine NOT_DEFINED>
    <IfDefine !NOT_DEFINED>
        {location("/a", rule("wrong"))}
    </IfDefine>
    {location("/a", rule("wrong"))}
    Include conf/missing.conf
</IfDefine>
<IfDefine BOTH>
    {location("/a", rule("wrong"))}
</IfDefine>
<IfDefine !NOT_DEFINED>
    {location("/defined", rule("defined"))}
</IfDefine>
<IfModule authverify_module>
    {location("/module", rule("module"))}
</IfModule>
<IfModule !mod_headers.c>
    {location("/module", rule("wrong"))}
</IfModule>
<IfFile conf/key>
    {location("/file", rule("file"))}
</IfFile>
<IfFile "!conf/key">
    {location("/file", rule("wrong"))}
</IfFile>
IncludeOptional conf/missing/*.conf
Include conf/extra/*.conf
{location("/off", "AuthVerify off")}
{location("/off/on", rule("on"))}
{location("/strict", "AuthVerifyStrictPath on")}
<Directory "/">
    {rule("folder")}
</Directory>
<VirtualHost *:${{PORT}}>
    ServerName one.example:80
    {rule("one")}
    {location("/a", rule("one-a"))}
    {location("/main", "AuthVerifyMode observe")}
</VirtualHost>
<VirtualHost *:${{PORT}}>
    ServerName https://two.example
    ServerAlias *.two.example other.example
    {location("/a/b/c", rule("two-abc"))}
    {location("/own", "AuthVerify api-key in=header:X-Key secret=file:conf/key")}
</VirtualHost>
"""
EXTRA = {"1.conf": location("/included", rule("included-first")),
         "2.conf": location("/included", rule("included-second")) + "Include conf/deeper.conf\n"}


@pytest.fixture(scope="module")
def httpd():
    server = Server(CONFIG, modules=["headers"])
    server.secret("key", KEY)
    (server.root / "conf" / "extra").mkdir()
    for name, text in EXTRA.items():
        (server.root / "conf" / "extra" / name).write_text(text)
    (server.root / "conf" / "deeper.conf").write_text(location("/deeper", rule("deeper")))
    with server:
        yield server


def told(server, request, *words, status=OK):
    return json.loads(run("check", "--config", server.config_file, "--json", *words, request, status=status))


PATHS = {"/a": "a", "/a/": "a", "/a/b": "ab", "/a/b/c": "ab", "/a/b/../c": "a", "/a//b": "ab", "/%61": "a",
         "/wild/1/x": "wild", "/twice": "first", "/twice/": "second", "/twice/x": "second", "/defined": "defined",
         "/module": "module", "/file": "file", "/included": "included-second", "/deeper": "deeper", "/off/on/x": "on"}


@pytest.mark.parametrize("path", PATHS)
def test_the_location_that_counts_is_that_of_httpd(httpd, tmp_path, path):
    answer = get(httpd, path, RIGHT, host="two.example")
    expected = PATHS[path] if path != "/a/b/c" else "two-abc"
    assert answer.get("X-Client") == expected
    request = capture(tmp_path / "request", [f"Authorization: Bearer {KEY}"], target=path, host="two.example")
    assert told(httpd, request)["client"] == expected


HOSTS = {("one.example", "/a/b/c"): "one-a", ("two.example", "/a/b/c"): "two-abc",
         ("x.two.example", "/a/b/c"): "two-abc", ("OTHER.example:1", "/a/b/c"): "two-abc", ("one.example", "/a"): "one-a", ("two.example", "/a"): "a",
         ("one.example", "/included"): "included-second"}


@pytest.mark.parametrize("host, path", HOSTS)
def test_the_virtual_host_that_counts_is_that_of_httpd(httpd, tmp_path, host, path):
    assert get(httpd, path, RIGHT, host=host).get("X-Client") == HOSTS[host, path]
    request = capture(tmp_path / "request", [f"Authorization: Bearer {KEY}"], target=path, host=host)
    found = told(httpd, request)
    assert found["client"] == HOSTS[host, path]
    assert any("is served by <VirtualHost" in step for step in found["steps"])
    assert any(f'the rules in force for "{path}" are those of <Location' in step for step in found["steps"])


def test_a_wrong_credential_is_refused_as_by_httpd(httpd, tmp_path):
    httpd.refusal("not-presented", 1)
    assert get(httpd, "/own", RIGHT, host="two.example").status == 401
    request = capture(tmp_path / "request", [f"Authorization: Bearer {KEY}"], target="/own", host="two.example")
    assert told(httpd, request, status=REFUSED)["reason"] == "not-presented"


@pytest.mark.parametrize("words, path, host, said", [
    ([], "/off", "two.example", "AuthVerify off"),
    ([], "/elsewhere", "two.example", "<Directory"),
    ([], "/a", "unknown.example", "several virtual hosts"),
    (["--virtual-host", "*:1"], "/a", "two.example", "there is no <VirtualHost *:1>"),
    (["--virtual-host", "none"], "/elsewhere", "two.example", "<Directory"),
])
def test_what_cannot_be_told_is_said(httpd, tmp_path, words, path, host, said):
    request = capture(tmp_path / "request", [], target=path, host=host)
    assert said in run("check", "--config", httpd.config_file, *words, request, status=USAGE)


def test_a_location_may_be_named_instead_of_the_requests(httpd, tmp_path):
    request = capture(tmp_path / "request", [f"Authorization: Bearer {KEY}"], target="/rewritten", host="two.example")
    assert told(httpd, request, "--location", "/a/b")["client"] == "ab"
    assert told(httpd, request, "--location", "/a", "--virtual-host", "none")["client"] == "a"


def test_defines_are_those_of_the_command_line(httpd, tmp_path):
    request = capture(tmp_path / "request", [f"Authorization: Bearer {KEY}"], target="/a", host="two.example")
    assert "nothing is there to include" in run("check", "--config", httpd.config_file, "--define", "NOT_DEFINED",
                                                request, status=USAGE)


# --- what hangs on more than a file -----------------------------------------------------------------------------------

@pytest.fixture
def check_of(tmp_path):
    """Checks a request for /x against a configuration."""
    (tmp_path / "conf").mkdir()
    key = tmp_path / "conf" / "key"
    key.write_text(KEY)
    key.chmod(0o600)

    def check_config(config, *words, status=OK, target="/x", method="GET",
                     headers=(f"Authorization: Bearer {KEY}",)):
        file = tmp_path / "httpd.conf"
        file.write_text(f'AuthVerifyPresetPath "{preset_folder()}"\n' + config)
        request = capture(tmp_path / "request", headers, method, target)
        said = run("check", "--config", file, "--json", *words, request, status=status)
        return json.loads(said) if status in (OK, REFUSED) else said
    return check_config


X = location("/x", rule("x"))
UNDECIDED = {
    "regex-behind": (X + location('"^/x"', rule("y"), "LocationMatch"), "regular expressions"),
    "regex-alone": (location('~ "^/x"', rule("y")), "regular expressions"),
    "if": (X + location('"true"', rule("y"), "If"), "expression"),
    "if-inside": (location("/x", rule("x") + "\n" + location('"true"', rule("y"), "If")), "inside of it has rules"),
    "folder": (location("/srv", rule("y"), "Directory"), "which file or backend"),
    "files": (location("x", rule("y"), "Files"), "which file or backend"),
    "backend-over-the-server": (rule("server") + "\n" + location("http://127.0.0.1/", rule("y"), "Proxy"),
                                "which file or backend"),
    "module": (location("mod_unheard.c", X, "IfModule"), "whether that holds"),
    "module-in-it": (location("/x", location("!mod_unheard.c", rule("x"), "IfModule")), "whether that holds"),
    "mode-of-a-module": (X + location("unheard_module", location("/x", "AuthVerifyMode observe"), "IfModule"),
                         "whether that holds"),
    "version": (location(">= 2.4", X, "IfVersion"), "whether that holds"),
    "preset-of-a-module": (location("mod_unheard.c", "AuthVerifyPreset own bearer prefix=EN", "IfModule"),
                           "cannot be used"),
    "value-with-blanks": ('Define ALL "bearer secret=file:conf/key"\n' + location("/x", "AuthVerify ${ALL}"),
                          "has blanks"),
    "no-value": (location("/x", rule("${NOBODY_HAS_SAID}")), "contains ${"),
    "nothing": ("", "no rule that is in force"),
    "elsewhere": (location("/xy", rule("y")), "no rule that is in force"),
    "off": (rule("server") + "\n" + location("/x", "AuthVerify off"), "AuthVerify off"),
    "missing": ("Include missing.conf\n" + X, "nothing is there to include"),
    "folder-included": ("Include conf\n" + X, "is not followed"),
    "itself": ("Include httpd.conf\n" + X, "too deep"),
    "open-section": ("<Location /x>\n" + rule("x"), "is not closed"),
    "open-condition": ("<IfDefine A>\n" + X, "is not closed"),
    "closed-twice": (X + "</Location>\n", "closes nothing"),
    "condition-closed-twice": (X + "</IfDefine>\n", "closes nothing"),
    "wrong-rule": (location("/x", "AuthVerify bearer"), "no secret= is given"),
    "two-hosts": (location("*:80", X, "VirtualHost") + location("*:443", X, "VirtualHost"), "several virtual hosts"),
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_a_configuration_that_only_httpd_can_tell_is_not_explained(check_of, name):
    config, said = UNDECIDED[name]
    assert said in check_of(config, status=USAGE)


DECIDED = {
    "regex-before": location('"^/x"', rule("y"), "LocationMatch") + X,
    "regex-without-rules": X + location('"^/x"', "Require all granted", "LocationMatch"),
    "folder-before": location("/srv", rule("y"), "Directory") + X,
    "folder-behind": X + location("/srv", rule("y"), "Directory"),
    "module-elsewhere": X + location("mod_unheard.c", location("/y", rule("y")), "IfModule"),
    "module-without-rules": location("mod_unheard.c", "SSLRandomSeed startup builtin", "IfModule") + X,
    "loaded-module": "LoadModule ssl_module modules/mod_ssl.so\n" + location("mod_ssl.c", X, "IfModule"),
    "module-that-is-not-left-out": "LoadModule ssl_module modules/mod_ssl.so\n" + X
    + location("!ssl_module", location("/x", rule("y")), "IfModule"),
    "one-virtual-host": location("*:443", X, "VirtualHost"),
    "rules-above": rule("x") + "\n" + location("/x", "Require all granted"),
    "backend-under-a-location": X + location("http://127.0.0.1/", rule("y"), "Proxy"),
    "macro": "Use Something\n" + X,
    "limits": location("/x", rule("x") + "\n" + location("POST", "Require all granted", "Limit")),
    "comments": "# <Location /x>\n#\\\nAuthVerify off\n" + X,
    "crlf": X.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("name", DECIDED)
def test_a_configuration_that_a_file_tells_is_explained(check_of, name):
    assert check_of(DECIDED[name])["client"] == "x"


def test_a_virtual_host_of_an_address(check_of):
    config = location("*:80", location("/x", rule("plain")), "VirtualHost") + location("*:443", X, "VirtualHost")
    assert check_of(config, "--virtual-host", "*:443")["client"] == "x"
    assert check_of(config, "--virtual-host", "*:80")["client"] == "plain"


def test_a_define_of_the_command_line(check_of):
    config = location("PRODUCTION", location("/x", rule("y")), "IfDefine") + location("!PRODUCTION", X, "IfDefine")
    assert check_of(config)["client"] == "x"
    assert check_of(config, "--define", "PRODUCTION")["client"] == "y"
    assert check_of(location("/x", rule("${WHO}")), "--define", "WHO=me")["client"] == "me"


def test_paths_start_from_the_server_root(check_of, tmp_path):
    (tmp_path / "conf" / "more.conf").write_text(X)
    assert check_of("Include conf/more.conf\n")["client"] == "x"
    assert "nothing is there" in check_of("Include conf/more.conf\n", "--server-root", "/nonexistent", status=USAGE)
    config = f'ServerRoot "{tmp_path}"\nInclude conf/more.conf\n'
    assert check_of(config, "--server-root", "/nonexistent")["client"] == "x"


@pytest.mark.parametrize("config, said", [
    ("AuthVerifyMode observe", "observe"), ("AuthVerifyMode optional", "Require authverify"),
    ("AuthVerifyBody limit=1k", "not looked at"), ("Require authverify client x", "not looked at")])
def test_what_httpd_does_besides_is_told(check_of, config, said):
    found = check_of(X + location("/x", config), status=REFUSED, headers=())
    assert found["reason"] == "not-presented" and any(said in step for step in found["steps"])


def test_strict_paths_and_preflights_count(check_of):
    strict = X + location("/x", "AuthVerifyStrictPath on\nAuthVerifyPreflight on")
    assert check_of(strict, status=REFUSED, target="/y/../x")["reason"] == "malformed-request"
    asked = ("Origin: https://a.example", "Access-Control-Request-Method: GET")
    found = check_of(strict, status=REFUSED, headers=asked, method="OPTIONS")
    assert any("AuthVerifyPreflight" in step for step in found["steps"])
    assert check_of(strict, target="/x/y")["accepted"]


def test_a_host_that_is_not_ours_is_refused_where_the_url_is_signed(check_of, tmp_path):
    signed = "AuthVerify signature signature=%{header:X-S} signed=%{url} secret=file:conf/key"
    config = "ServerName www.example.com\n" + location("/x", signed)
    headers = ("X-S: " + "0" * 64,)
    assert check_of(config, status=REFUSED, headers=headers)["reason"] == "wrong-host"
    config += location("/x", "AuthVerifyExternalURL https://localhost/")
    assert check_of(config, status=REFUSED, headers=headers)["reason"] == "wrong-signature"


def test_a_file_that_is_not_there(tmp_path):
    request = capture(tmp_path / "request", [])
    assert "cannot be opened" in run("check", "--config", tmp_path / "none", request, status=USAGE)
    assert "cannot be opened" in run("check", "--config", tmp_path / "none", tmp_path / "none", status=FILE)
