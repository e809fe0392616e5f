"""The manual, the reference and the examples say what is so: each configuration in them passes a configuration test,
each mistake in them is one, and their tables are those of the sources.

A block of the manual that is marked ```apache must pass, one marked ```apache refused must fail with the sentence in
the block after it, one marked ```apache htaccess is tried in a folder under the block before it. One marked ```clients
is a list of clients that must pass, one marked ```clients refused one that must fail; what is written in capitals in
the place of a secret stands for one. An example shows its lists in comments, and they are used.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import functools
import re
from pathlib import Path

import pytest

from client import get
from clients import put_clients, put_issued
from issuing import openssl, private_key
from samples import filled, samples_of
from server import Server, preset_folder
from tokens import Key, key_set

TREE = Path(__file__).resolve().parents[2]
CORE = TREE / "mod_authverify" / "core"
SCHEMES = TREE / "mod_authverify" / "schemes"
STORES = TREE / "mod_authverify" / "stores"
HTTPD = TREE / "mod_authverify" / "httpd"
ISSUE = TREE / "mod_authverify" / "issue"
REFERENCE = TREE / "conf" / "authverify.conf"
EXAMPLES = sorted((TREE / "conf" / "examples").glob("*.conf"))
PAGES = sorted((TREE / "docs").glob("*.md")) + [TREE / "README.md"]

MODULES = ["access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_host", "authz_user", "headers",
           "lbmethod_byrequests", "proxy", "proxy_balancer", "proxy_http", "remoteip", "rewrite",
           "setenvif", "slotmem_shm"]
SECRETS = "/etc/authverify/"
ISSUED = "/var/lib/authverify/"
KEY = base64.b64encode(bytes(range(32))).decode()


# --- making a text of the manual a configuration ----------------------------------------------------------------------

def secret_of(name):
    """What such a file would hold: a preset's page says what its secret looks like."""
    if name.endswith(".networks"):
        return "192.0.2.0/24, 198.51.100.0/24  # a comment\n2001:db8::/32\n"
    if name.endswith(".pub.pem"):
        return openssl("pkey", "-pubout", stdin=private_key("ES256")).stdout.decode()
    if name.startswith(("signing", "signicat", "syndigo")) and name.endswith(".pem"):
        return private_key("ES256").decode()
    if name.startswith("discord"):
        return bytes(range(32)).hex()
    if name.startswith("standard-webhooks-v1a"):
        return f"whpk_{KEY}"
    if name.startswith(("standard-webhooks", "svix")):
        return f"whsec_{KEY}"
    if name.endswith((".jwks", ".pem")):
        return key_set(issuer()) if name.endswith(".jwks") else issuer().pem
    return "0123456789abcdef" * 4


@functools.cache
def issuer():
    return Key("2026")


def read(path):
    return path.read_text(encoding="utf-8")


def usable(server, text):
    """The text with the paths of an administrator's machine turned into the server's own, and its secrets in place."""
    samples = samples_of(text)
    for name in re.findall(re.escape(SECRETS) + r"([\w.-]+\.clients)", text):
        put_clients(server, name, filled(samples.get(name, "someone sha256:SECRET\n")))
    for name in re.findall(re.escape(SECRETS) + r"([\w.-]+)", text) + re.findall(r"credential:([\w.-]+)", text):
        if not name.endswith(".clients"):
            server.secret(name, secret_of(name), 0o644 if name.endswith(".networks") else 0o600)
    for name in re.findall(re.escape(ISSUED) + r"([\w.-]+)", text):
        put_issued(server, name)
    text = text.replace(ISSUED, f"{server.root}/issued/")
    text = text.replace(SECRETS, f"{server.root}/conf/").replace("/var/spool/authverify", str(server.spool))
    text = text.replace("/usr/local/share/authverify/presets", preset_folder())
    text = text.replace("/srv/www/users", str(server.htdocs))
    return re.sub(r"^LoadModule authverify_module .*$", "", text, flags=re.M) + "\n"


def manual_server():
    defines = {"GITHUB_SECRET": "/etc/authverify/github.secret", "APPLICATION": "http://127.0.0.1:8080"}
    server = Server("", modules=MODULES, defines=defines, environment={"SLACK_SIGNING_SECRET": secret_of("slack")})
    server.environment["CREDENTIALS_DIRECTORY"] = str(server.root / "conf")
    server.defines["GITHUB_SECRET"] = server.secret("github.secret", secret_of("github")).removeprefix("file:")
    return server


def configtest(text):
    server = manual_server()
    try:
        return server.configtest(usable(server, text))
    finally:
        server.close()


def uncommented(text):
    """The reference with its lines in force: those that begin with # and no blank, and what is indented below."""
    lines, inside = [], False
    for line in text.splitlines():
        inside = bool(re.match(r"#[^ ]", line)) or (inside and line.startswith("#    "))
        lines.append(line[1:] if inside else line)
    return "\n".join(lines) + "\n"


# --- blocks of the manual ---------------------------------------------------------------------------------------------

class Block:
    def __init__(self, page, number, kind, text):
        self.page, self.number, self.kind, self.text = page, number, kind, text

    @property
    def id(self):
        return f"{self.page.name}:{self.number}"


def blocks_of(page):
    """The fenced blocks of a page, in order, without the indent of a list that holds them."""
    found, current = [], None
    for number, line in enumerate(read(page).splitlines(), 1):
        fence = re.match(r"( *)```(.*)$", line)
        if fence and current is None:
            current, indent = Block(page, number, fence.group(2).strip(), ""), len(fence.group(1))
        elif fence:
            found.append(current)
            current = None
        elif current is not None:
            current.text += line[indent:] + "\n"
    assert current is None, f"{page}: a block is not closed"
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def of_kind(kind):
    chosen = [pytest.param(at, id=block.id) for at, block in enumerate(BLOCKS) if block.kind == kind]
    assert chosen, f"the manual has no block marked {kind}"
    return chosen


@pytest.mark.parametrize("at", of_kind("apache"))
def test_a_configuration_in_the_manual_is_valid(at):
    status, output = configtest(BLOCKS[at].text)
    assert status == 0 and output.strip() == "Syntax OK", output


@pytest.mark.parametrize("at", of_kind("apache refused"))
def test_a_mistake_in_the_manual_is_one(at):
    status, output = configtest(BLOCKS[at].text)
    said = BLOCKS[at + 1]
    assert said.kind == "text", f"{BLOCKS[at].id}: no block says what httpd answers"
    assert status != 0 and said.text.strip() in output, output


@pytest.mark.parametrize("at", of_kind("apache htaccess"))
def test_an_htaccess_in_the_manual_works_under_the_configuration_before_it(at):
    server = manual_server()
    server.configure(usable(server, BLOCKS[at - 1].text))
    with server:
        server.write("page.html", "")
        server.write(".htaccess", BLOCKS[at].text)
        server.refusal("not-presented", 1)
        assert get(server, "/page.html").status == 401


def try_clients(text):
    server = manual_server()
    try:
        put_clients(server, "list.clients", filled(text))
        return server.configtest('<Location "/">\nAuthVerify token-pair clients=file:conf/list.clients\n</Location>\n')
    finally:
        server.close()


@pytest.mark.parametrize("at", of_kind("clients"))
def test_a_list_of_clients_in_the_manual_is_valid(at):
    status, output = try_clients(BLOCKS[at].text)
    assert status == 0 and output.strip() == "Syntax OK", output


@pytest.mark.parametrize("at", of_kind("clients refused"))
def test_a_mistake_in_a_list_of_clients_is_one(at):
    status, output = try_clients(BLOCKS[at].text)
    said = BLOCKS[at + 1]
    assert said.kind == "text", f"{BLOCKS[at].id}: no block says what httpd answers"
    assert status != 0 and said.text.strip() in output, output


def test_no_block_is_marked_in_a_way_that_no_test_looks_at():
    known = {"apache", "apache refused", "apache htaccess", "clients", "clients refused", "text", "ini"}
    assert not [block.id for block in BLOCKS if block.kind not in known]


# --- files ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid(path):
    status, output = configtest(read(path))
    assert status == 0 and output.strip() == "Syntax OK", output


def test_the_reference_is_valid_and_changes_nothing():
    assert not [line for line in read(REFERENCE).splitlines() if line and not line.startswith("#")]
    status, output = configtest(read(REFERENCE))
    assert status == 0, output


def test_the_reference_is_valid_with_all_its_lines_in_force():
    text = uncommented(read(REFERENCE))
    for directive in set(re.findall(r'AP_INIT_\w+\(\s*"(\w+)"', read(HTTPD / "directives.c"))):
        assert re.search(rf"^ *{directive} ", text, re.M), f"{directive} is never in force"
    status, output = configtest(text)
    assert status == 0 and output.strip() == "Syntax OK", output


# --- tables -----------------------------------------------------------------------------------------------------------

def options_of(path, table):
    """Names of the rows of an av_option table of a source."""
    rows = read(path).split(f"{table}[] = {{")[1].split("};")[0]
    for macro in re.findall(r"AV_[A-Z_]+_OPTIONS", rows):  # of several tables
        rows += next(found[0] for header in SCHEMES.rglob("*.h")
                     if (found := re.findall(rf"#define {macro}((?:.*\\\n)+.*)", read(header))))
    return set(re.findall(r'{[\s\\]*"([a-z0-9-]+)",', rows))


RULE_OPTIONS = options_of(CORE / "rule.c", "rule_options")
SCHEME_OPTIONS = {  # by the page that has them
    "signatures.md": options_of(SCHEMES / "signature" / "settings.c", "av_signature_options"),
    "token-pair.md": options_of(SCHEMES / "token_pair.c", "options"),
    "basic.md": options_of(SCHEMES / "basic.c", "options"),
    "bearer.md": options_of(SCHEMES / "bearer.c", "options"),
    "api-key.md": options_of(SCHEMES / "api_key.c", "options"),
    "aws4.md": options_of(SCHEMES / "aws4" / "settings.c", "av_aws4_options"),
    "introspection.md": options_of(SCHEMES / "introspection" / "settings.c", "av_introspection_options"),
    "jwt.md": options_of(SCHEMES / "jwt" / "settings.c", "av_jwt_options"),
    "none.md": options_of(SCHEMES / "none.c", "options"),
}
BODY_OPTIONS = options_of(HTTPD / "directives.c", "body_options")
ENTRY_OPTIONS = options_of(CORE / "rule.c", "av_rule_entry_options")
TOKEN_OPTIONS = options_of(ISSUE / "issuer.c", "options")
THROTTLE_OPTIONS = options_of(STORES / "throttle.c", "options")
ALL_OPTIONS = RULE_OPTIONS.union(BODY_OPTIONS, TOKEN_OPTIONS, THROTTLE_OPTIONS, *SCHEME_OPTIONS.values())


def test_the_reference_explains_each_option_and_no_other():
    assert set(re.findall(r"^#   ([a-z0-9-]+)=", read(REFERENCE), re.M)) == ALL_OPTIONS


def test_the_reference_uses_each_option():
    text = uncommented(read(REFERENCE))
    missing = {name for name in ALL_OPTIONS if not re.search(rf'(^|[\s"]){name}=', text)}
    assert not missing


def test_every_scheme_has_a_page():
    names = re.findall(r'\.name = "([a-z0-9-]+)",\n', "".join(read(path) for path in SCHEMES.glob("*.c")))
    assert names and {name.replace("signature", "signatures") + ".md" for name in names} == set(SCHEME_OPTIONS)


def rows_of(page, pattern):
    return re.findall(rf"^\| `{pattern}` \|", read(TREE / "docs" / page), re.M)


@pytest.mark.parametrize("page, options", [*SCHEME_OPTIONS.items(), ("rules.md", RULE_OPTIONS),
                                           ("directives.md", BODY_OPTIONS), ("throttle.md", THROTTLE_OPTIONS),
                                           ("token-endpoint.md", TOKEN_OPTIONS | ENTRY_OPTIONS)])
def test_the_manual_has_a_row_for_each_option_and_no_other(page, options):
    assert sorted(rows_of(page, "([a-z0-9-]+)=")) == sorted(options)


def test_the_manual_has_a_row_for_each_limit_and_each_kind_of_secret_and_no_other():
    source = read(STORES / "clients_line.c")
    assert sorted(rows_of("clients.md", "([a-z-]+)=")) == sorted(re.findall(r'{ "([a-z-]+)", offsetof', source))
    kinds = re.findall(r'{ "(\w+)", AV_SECRET_', source)
    assert sorted(rows_of("clients.md", "([a-z0-9]+):[A-Z0-9]+")) == sorted(kinds)


def test_the_manual_names_each_value_of_a_header():
    source = read(HTTPD / "header_value.c").split("selectors[] = {")[1].split("};")[0]
    section = read(TREE / "docs" / "directives.md").split("## AuthVerifyHeader")[1].split("\n## ")[0]
    assert set(re.findall(r"`(%{[a-z]+}|%%)`", section)) == set(re.findall(r'{ "([^"]+)"', source))


def selectors():
    """What stands in %{...}, without the name that some take."""
    rows = re.findall(r'{ "([a-z0-9-]+)", (true|false) }', read(CORE / "selector.c"))
    assert rows
    return {word + (":" if named == "true" else "") for word, named in rows} | {"lf"}


def test_the_manual_has_a_row_for_each_selector_and_no_other():
    assert {re.sub(r":.*", ":", row) for row in rows_of("signatures.md", r"%{([^}]+)}")} == selectors()


def test_the_reference_explains_each_selector_and_no_other():
    table = read(REFERENCE).split("In values, ")[1].split("signature=SELECTOR")[0]
    named = set(re.findall(r"(?:^#|  )\s*%{([^}]+)}  ", table, re.M))
    assert {re.sub(r":.*", ":", name) for name in named} == selectors()


LEVELS = {"NOT_PRESENTED": "info", "MALFORMED": "info", "AMBIGUOUS": "info", "METHOD": "info", "REQUEST": "info",
          "WRONG": "warn", "LIMIT": "warn", "THROTTLED": "warn", "BODY": "warn", "BUSY": "error", "OURS": "error",
          "ACCEPTED": "debug"}


def reasons():
    """Name, status, class and text of each."""
    found = re.findall(r'^AV_REASON\(\w+, "([a-z-]+)", (\d+), (\w+), "(.*)"\)$', read(CORE / "reasons.def"), re.M)
    assert found
    return found


def test_the_manual_has_a_row_for_each_reason_and_no_other():
    rows = re.findall(r"^\| `([a-z-]+)` \| *(\d*) *\| (\w+) \| ([^|]+) \|", read(TREE / "docs" / "refusals.md"), re.M)
    expected = [(name, "" if status == "0" else status, LEVELS[what], text)
                for name, status, what, text in reasons()]
    assert sorted(rows) == sorted(expected)


def test_the_manual_says_for_each_reason_what_the_client_learns():
    classes = dict(re.findall(r'\[AV_CLASS_(\w+)\] = "([^"]+)"', read(CORE / "reason.c")))
    page, learned = read(TREE / "docs" / "refusals.md"), {}
    for names, sentence in re.findall(r"^\| ((?:`[a-z-]+` ?)+) \| ([A-Z][^|]*\.) \|$", page, re.M):
        learned.update({name: sentence for name in re.findall(r"`([a-z-]+)`", names)})
    assert learned == {name: classes[what] for name, _, what, _ in reasons() if what != "ACCEPTED"}


def test_the_manual_has_a_row_for_each_variable_and_no_other():
    variables = set(re.findall(r'"(AUTHVERIFY_[A-Z_]+)"', read(HTTPD / "answer.c"))) - {"AUTHVERIFY_ERROR_BODY"}
    assert set(rows_of("refusals.md", "(AUTHVERIFY_[A-Z_]+)")) == variables


# --- links ------------------------------------------------------------------------------------------------------------

def anchors_of(path):
    """What links call the headings: lower case, with hyphens for blanks and without the rest of the punctuation."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", read(path), re.M)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = "".join(line for line in read(page).splitlines(True) if not line.startswith("    "))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target} does not exist"
        assert not anchor or anchor in anchors_of(file), f"{target} is no heading"
