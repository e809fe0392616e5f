"""The program authverify: clients files, hashes, presets, and what it signs is what it accepts.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import grp
import json
import os
import pty
import re
import stat
import subprocess
import termios
import threading
from pathlib import Path

import pytest

from client import get
from clients import put_clients, sha256
from command_line import FILE, OK, PROGRAM, REFUSED, USAGE, capture, check, run
from configtest import in_location
from server import Server, preset_folder, wait_until
from vectors import FOLDER, load_vectors

NOW = 1767312000
SECRET = "It's a secret to everybody but us"
PRESETS = sorted(path.stem for path in Path(preset_folder()).glob("*.conf"))
COMMANDS = ["client add", "client rotate", "client revoke", "client list", "hash", "sign", "check", "presets"]


def add(clients, *words, **more):
    return json.loads(run("client", "add", clients, *words, "--json", **more))


@pytest.fixture
def clients(tmp_path):
    path = tmp_path / "clients"
    path.write_text("# who may come\n\n")
    path.chmod(0o640)
    return path


# --- the program ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    text = run(*command.split(), "--help")
    assert text.startswith(f"usage: authverify {command} ") and "Status:" in text


def test_the_overview_names_every_command():
    overview = run("--help")
    assert all(f"  {command} " in overview for command in COMMANDS)
    assert re.fullmatch(r"authverify \d+\.\d+\.\d+\n", run("--version"))


def test_the_man_page_and_the_completion_name_every_command_and_option():
    tree = Path(__file__).resolve().parents[2]
    page = (tree / "docs/authverify.1").read_text().replace("\\-", "-")
    manual = (tree / "docs/command-line.md").read_text()
    completion = (tree / "conf/authverify.bash-completion").read_text()
    for command in COMMANDS:
        assert f"authverify {command}" in page and f"authverify {command}" in manual
        for option in set(re.findall(r"^  (--[a-z0-9-]+)", run(*command.split(), "--help"), re.M)):
            assert option in page and option in completion, (command, option)


@pytest.mark.parametrize("typed, offered", [
    (["cl"], {"client"}), (["client", ""], {"add", "rotate", "revoke", "list"}), (["client", "add", "--cr"], {"--create"}),
    (["check", "--ru"], {"--rule"}), (["hash", "--secret", "p"], {"prompt"}), (["sign", "token"], {"token-pair"})])
def test_bash_completes(typed, offered):
    file = Path(__file__).resolve().parents[2] / "conf/authverify.bash-completion"
    script = f'source {file}; COMP_WORDS=(authverify "$@"); COMP_CWORD=$#; _authverify; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-uc", script, "bash", *typed], capture_output=True, text=True, check=True, cwd="/")
    assert offered <= set(done.stdout.split()) and all(word.startswith(typed[-1]) for word in done.stdout.split())


@pytest.mark.parametrize("words", [
    [], ["nothing"], ["client"], ["client", "add"], ["client", "list"], ["client", "rotate", "file"], ["check", "file"],
    ["client", "add", "file", "--nothing"], ["client", "add", "file", "--label"], ["client", "add", "file", "a", "b"],
    ["client", "add", "file", "--json=yes"], ["client", "add", "file", "--label=a", "--label=b"], ["sign"],
    ["client", "add", "file", "a", "expires=yesterday"], ["client", "add", "file", "a", "orgs=acme"],
    ["client", "add", "file", "a", "org="], ["client", "add", "file", "a", "from=10.0.0.1/8"],
    ["client", "add", "file", "a", "--expires", "soon"], ["client", "add", "file", "a", "--signing", "--password"],
    ["hash", "--bcrypt", "--sha256"], ["hash", "--bcrypt", "--cost", "40"], ["sign", "nothing"], ["sign", "none"],
    ["sign", "token-pair", "--secret", "env:HOME"], ["presets", "a", "b"],
    ["check", "--rule", "github", "--config", "file", "file"], ["check", "--location", "/", "--rule", "github", "file"],
    ["check", "--define", "A", "--rule", "github", "file"], ["check", "--virtual-host", "a", "file"]],
    ids=" ".join)
def test_wrong_usage_is_status_2_and_changes_nothing(words, tmp_path):
    said = run(*words, status=USAGE, secret="", folder=tmp_path)
    assert said.startswith(("authverify: ", "usage: "))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rule", ["github", "", "nothing", "github secret=file:missing", "bearer secret=literal"])
def test_a_rule_that_httpd_would_not_take_is_status_2(rule, tmp_path):
    assert run("check", "--rule", rule, capture(tmp_path / "request", []), status=USAGE)


# --- clients ----------------------------------------------------------------------------------------------------------

def test_a_pair_that_was_added_is_accepted_and_a_wrong_secret_is_not(clients, tmp_path):
    made = add(clients, "org=acme", "methods=GET")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["id"])
    assert re.fullmatch(r"[A-Za-z0-9]{50}", made["secret"])
    rule = f"token-pair clients=file:{clients} org=acme"
    headers = run("sign", "token-pair", "--client", made["id"], secret=made["secret"]).splitlines()
    found = check(capture(tmp_path / "request", headers), rule)
    assert found["accepted"] and found["client"] == made["id"]
    headers[1] = "X-Auth-Secret: " + "A" * 50
    assert check(capture(tmp_path / "request", headers), rule, status=REFUSED)["reason"] == "wrong-secret"
    headers[0] = "X-Auth-Token: " + "0" * 36
    assert check(capture(tmp_path / "request", headers), rule, status=REFUSED)["reason"] == "unknown-client"


@pytest.mark.parametrize("scheme", ["bearer", "api-key in=header:X-Key", "api-key in=query:key"])
def test_one_secret_serves_as_token_and_as_key(clients, tmp_path, scheme):
    made = add(clients, "acme")
    *headers, last = run("sign", *scheme.split(), secret=made["secret"]).splitlines()
    target = "/"
    if last.startswith("https://localhost"):
        target = last[len("https://localhost"):]
    else:
        headers.append(last)
    found = check(capture(tmp_path / "request", headers, target=target), f"{scheme} clients=file:{clients}")
    assert found["client"] == "acme"
    assert made["secret"] not in json.dumps(found)


def test_a_password_is_kept_as_bcrypt_and_accepted(clients, tmp_path):
    assert add(clients, "zoë", "--password", "--cost", "4", secret="correct horse\n") == {"id": "zoë"}
    assert " bcrypt:$2y$04$" in clients.read_text()
    headers = run("sign", "basic", "--client", "zoë", secret="correct horse").splitlines()
    assert check(capture(tmp_path / "request", headers), f"basic clients=file:{clients}")["client"] == "zoë"
    headers = run("sign", "basic", "--client", "zoë", secret="correct house").splitlines()
    assert not check(capture(tmp_path / "request", headers), f"basic clients=file:{clients}", status=REFUSED)["accepted"]


def test_only_signing_keeps_a_secret_as_it_is(clients):
    for words in ([], ["--label", "a"], ["org=acme"]):
        assert add(clients, *words)["secret"] not in clients.read_text()
    made = add(clients, "AKID", "--signing")
    assert f"AKID plain:{made['secret']}\n" in clients.read_text()
    run("client", "add", clients, "odd", "--signing", "--secret", "-", secret="a b;c%d#e'f\n")
    assert "odd plain:a%20b%3Bc%25d%23e%27f\n" in clients.read_text()
    run("client", "list", clients)


def test_comments_order_and_every_other_byte_stay(clients):
    before = "# first\n\n\ta  sha256:" + base64.b64encode(b"x" * 32).decode() + "\n  # second\nb " \
             "plain:with-a-long-secret\n#last, without a blank\n\n"
    clients.write_text(before)
    add(clients, "new")
    assert clients.read_text().startswith(before)
    run("client", "rotate", clients, "new", "--label", "2")
    run("client", "revoke", clients, "new", "--at", "+1d")
    run("client", "revoke", clients, "new")
    assert clients.read_text() == before
    run("client", "revoke", clients, "a")
    assert clients.read_text() == "\n".join(line for line in before.split("\n") if not line.startswith("\ta"))


def test_owner_and_mode_stay_and_nothing_is_left_beside(clients):
    group = grp.getgrnam("www-data").gr_gid
    if os.geteuid() == 0:
        os.chown(clients, 0, group)
    clients.chmod(0o440)
    before = clients.stat()
    add(clients, "new")
    after = clients.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert after.st_ino != before.st_ino, "the file was written over, which a server may read half done"
    assert list(clients.parent.iterdir()) == [clients]


def test_a_symbolic_link_stays_one(clients):
    link = clients.parent / "link"
    link.symlink_to(clients.name)
    add(link, "new")
    assert link.is_symlink() and clients.read_text().splitlines()[-1].startswith("new sha256:")


def test_a_missing_file_is_made_only_when_asked_for(tmp_path):
    path = tmp_path / "clients"
    assert "No such file" in run("client", "add", path, "a", status=FILE)
    assert not path.exists()
    add(path, "a", "--create")
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


@pytest.mark.parametrize("text", ["a sha256:x", "# cut off"])
def test_a_file_that_is_not_whole_is_left_alone(clients, text):
    clients.write_text(text)
    assert "line feed" in run("client", "add", clients, "b", status=FILE)
    assert clients.read_text() == text


def test_a_client_that_is_there_already_or_not_there_is_status_1(clients):
    add(clients, "a")
    before = clients.read_text()
    run("client", "add", clients, "a", status=REFUSED)
    run("client", "rotate", clients, "b", status=REFUSED)
    run("client", "revoke", clients, "b", status=REFUSED)
    run("client", "list", clients, "b", status=REFUSED)
    run("client", "revoke", clients, "a", "--label", "no", status=REFUSED)
    assert clients.read_text() == before


def test_the_only_client_expires_and_is_not_removed(clients, tmp_path):
    secret = add(clients, "a")["secret"]
    run("client", "revoke", clients, "a", status=REFUSED)
    assert accepts(clients, secret, tmp_path) == ""
    run("client", "revoke", clients, "a", "--at", "now")
    assert accepts(clients, secret, tmp_path) == "client-expired"


@pytest.mark.parametrize("line, said", [
    ("b plain:a-secret-of-some-length role=x", "line 4: word 3"), ("a sha256:" + "A" * 43 + "=", "line 4: has the id")])
def test_an_edit_that_httpd_would_not_take_is_not_made(clients, line, said):
    add(clients, "a")
    with clients.open("a") as file:
        file.write(line + "\n")
    before = clients.read_text()
    assert said in run("client", "add", clients, "c", status=FILE)
    assert clients.read_text() == before and list(clients.parent.iterdir()) == [clients]


def test_a_secret_that_another_client_has_is_not_taken(clients):
    run("client", "add", clients, "a", "--secret", "-", secret=SECRET)
    assert SECRET not in run("client", "add", clients, "b", "--secret", "-", secret=SECRET, status=FILE)


def test_edits_at_the_same_time_all_count_and_no_reader_sees_a_half(clients):
    count, seen, over = 24, [], threading.Event()

    def read():
        while not over.is_set():
            seen.append(clients.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        running = [subprocess.Popen([str(PROGRAM), "client", "add", str(clients), f"client-{i}"],
                                    stdout=subprocess.DEVNULL) for i in range(count)]
        statuses = [process.wait(60) for process in running]
    finally:
        over.set()
        reader.join()
    assert statuses == [OK] * count
    assert len(json.loads(run("client", "list", clients, "--json"))) == count
    assert all(text.startswith("# who may come\n") and text.endswith("\n") for text in seen)
    lines = [text.count("\n") for text in seen]
    assert lines == sorted(lines)


# --- rotation ---------------------------------------------------------------------------------------------------------

def accepts(clients, secret, tmp_path, time="now"):
    request = capture(tmp_path / "request", run("sign", "bearer", secret=secret).splitlines())
    done = subprocess.run([str(PROGRAM), "check", "--json", "--rule", f"bearer clients=file:{clients}", "--time", time,
                           str(request)], capture_output=True, text=True, timeout=60)
    found = json.loads(done.stdout)
    return found["label"] if found["accepted"] else found["reason"]


def test_a_rotation_from_start_to_end(clients, tmp_path):
    add(clients, "other")
    old = add(clients, "acme", "--label", "2026", "org=acme")["secret"]
    new = json.loads(run("client", "rotate", clients, "acme", "--label", "2027", "--expire-old", "+7d", "--json"))["secret"]
    assert old != new
    assert accepts(clients, old, tmp_path) == "2026" and accepts(clients, new, tmp_path) == "2027"
    assert accepts(clients, old, tmp_path, "+8d") == "wrong-secret" and accepts(clients, new, tmp_path, "+8d") == "2027"
    run("client", "revoke", clients, "acme", "--label", "2026")
    assert accepts(clients, old, tmp_path) == "unknown-client" and accepts(clients, new, tmp_path) == "2027"
    run("client", "revoke", clients, "acme", "--label", "2027", status=REFUSED)
    run("client", "revoke", clients, "acme", "--at", "+1h")
    assert accepts(clients, new, tmp_path) == "2027" and accepts(clients, new, tmp_path, "+2h") == "client-expired"
    run("client", "revoke", clients, "acme", "--at", "+10h")
    assert accepts(clients, new, tmp_path, "+2h") == "client-expired", "an expiry must never become later"
    run("client", "revoke", clients, "acme")
    assert accepts(clients, new, tmp_path) == "unknown-client"


def test_a_rotated_secret_is_of_the_kind_that_was_there(clients):
    add(clients, "key", "--signing")
    add(clients, "user", "--password", "--cost", "4", secret="correct horse")
    run("client", "rotate", clients, "key", "--label", "new")
    run("client", "rotate", clients, "user", "--label", "new", "--cost", "4", secret="battery staple")
    found = {client["id"]: [secret["kind"] for secret in client["secrets"]]
             for client in json.loads(run("client", "list", clients, "--json"))}
    assert found == {"key": ["plain", "plain"], "user": ["bcrypt", "bcrypt"]}


def test_a_ninth_secret_is_refused(clients):
    add(clients, "a")
    for i in range(7):
        run("client", "rotate", clients, "a", "--label", i)
    assert "at most 8" in run("client", "rotate", clients, "a", status=USAGE)
    assert "already" in run("client", "rotate", clients, "a", "--label", 3, status=USAGE)


# --- what is shown ----------------------------------------------------------------------------------------------------

def test_a_list_shows_everything_but_secrets(clients):
    secrets = [add(clients, "my id", "--label", "first", "--expires", "2030-01-01", "from=192.0.2.0/24", "user=a b")["secret"],
               add(clients, "AK", "--signing", "--not-before", "2031-01-01T12:00:00Z")["secret"]]
    secrets += [word.split(":", 1)[1].split(";")[0] for word in clients.read_text().split() if "sha256:" in word]
    text, value = run("client", "list", clients), run("client", "list", clients, "--json")
    assert not any(secret in text + value for secret in secrets)
    for part in ("my%20id from=192.0.2.0/24 user=a%20b", "sha256 label=first expires=2030-01-01T00:00:00Z (valid)",
                 "plain not-before=2031-01-01T12:00:00Z (not yet valid)"):
        assert part in text
    first, second = json.loads(value)
    assert first["id"] == "my id" and first["limits"] == {"from": "192.0.2.0/24", "user": "a%20b"}
    assert second["secrets"] == [{"kind": "plain", "label": "", "not-before": "2031-01-01T12:00:00Z", "expires": None,
                                  "valid": False}]
    assert json.loads(run("client", "list", clients, "AK", "--json")) == [second]


def test_a_line_that_is_not_right_is_told_with_its_number_and_without_its_secret(clients):
    clients.write_text("a plain:a-secret-of-some-length\n\nb plain:another-secret org=\n")
    said = run("client", "list", clients, status=FILE)
    assert "line 3" in said and "another-secret" not in said


# --- secrets ----------------------------------------------------------------------------------------------------------

def test_a_secret_is_never_an_argument(clients):
    for words in (["hash", SECRET], ["hash", "--secret", SECRET], ["sign", "bearer", "--secret", SECRET],
                  ["client", "add", clients, "a", "--secret", SECRET]):
        assert SECRET not in run(*words, status=USAGE, secret="")


def test_hash(tmp_path):
    token = "abcdefghijklmnopqrstuvwxyz"
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=token.encode(), capture_output=True,
                            check=True).stdout
    expected = "sha256:" + base64.b64encode(digest).decode() + "\n"
    file = tmp_path / "secret"
    file.write_text(token + "\r\n")
    file.chmod(0o600)
    assert run("hash", secret=token + "\n") == run("hash", "--secret", f"file:{file}") == expected
    assert run("hash", "--bcrypt", "--cost", 5, secret=token).startswith("bcrypt:$2y$05$")
    run("hash", secret="", status=USAGE)
    run("hash", secret="a\0b" + token, status=USAGE)
    run("hash", secret="short", status=USAGE)
    run("hash", "--bcrypt", secret="x" * 72, status=USAGE)
    file.chmod(0o644)
    run("hash", "--secret", f"file:{file}", status=USAGE)


def test_a_prompt_does_not_echo():
    process, terminal = pty.fork()
    if process == 0:
        os.execv(PROGRAM, [str(PROGRAM), "hash"])
    shown = b""
    for _ in range(2):
        while not shown.endswith(b"Secret: "):
            shown += os.read(terminal, 1024)
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            pass
        shown += b"|"
        os.write(terminal, SECRET.encode() + b"\n")
    while b"sha256:" not in shown or not shown.endswith(b"\n"):
        shown += os.read(terminal, 1024)
    assert os.waitpid(process, 0)[1] == 0
    os.close(terminal)
    assert SECRET.encode() not in shown
    assert run("hash", secret=SECRET).strip().encode() in shown


# --- presets ----------------------------------------------------------------------------------------------------------

def test_presets_are_listed_and_shown():
    text = run("presets", "--path", preset_folder())
    assert [line.split()[0] for line in text.splitlines()] == PRESETS
    assert [preset["name"] for preset in json.loads(run("presets", "--json", "--path", preset_folder()))] == PRESETS
    stripe = json.loads(run("presets", "stripe", "--json", "--path", preset_folder()))
    assert stripe["signed"] == "%{timestamp}.%{body}" and stripe["tolerance"] == "300:300"
    assert "signed       %{timestamp}.%{body}" in run("presets", "stripe", "--path", preset_folder())
    run("presets", "nothing", "--path", preset_folder(), status=REFUSED)
    run("presets", "--path", "/nonexistent", status=FILE)


# --- sign and check ---------------------------------------------------------------------------------------------------

def openssl(*words, text=b""):
    return subprocess.run(["openssl", *words], input=text, capture_output=True, check=True).stdout


class Sender:
    """A preset's secret: what signs, and what the rule is given."""

    def __init__(self, preset, folder):
        self.preset, self.signs, self.proves = preset, folder / "signs", folder / "proves"
        facts = json.loads(run("presets", preset, "--json", "--path", preset_folder()))
        if facts["algorithm"] == "ed25519":
            self.signs.write_bytes(openssl("genpkey", "-algorithm", "ed25519"))
            key = openssl("pkey", "-pubout", "-outform", "DER", text=self.signs.read_bytes())[-32:]
            self.proves.write_text("whpk_" + base64.b64encode(key).decode() if "base64" in facts["secret"] else key.hex())
        else:
            secret = "whsec_" + base64.b64encode(SECRET.encode()).decode() if "base64" in facts["secret"] else SECRET
            self.signs.write_text(secret)
            self.proves.write_text(secret)
        for path in (self.signs, self.proves):
            path.chmod(0o600)

    def sign(self, body, *words):
        return run("sign", self.preset, "--path", preset_folder(), "--secret", f"file:{self.signs}", "--body", body,
                   "--time", NOW, *words)

    @property
    def rule(self):
        return f"{self.preset} secret=file:{self.proves}"


def test_who_signed_among_many(clients, tmp_path):
    """A rule with client= takes the secret of whoever the request names."""
    rule = "signature signature=%{header:X-Sign} client=%{header:X-Client} signed=%{header:X-Client}:%{body}"
    made = add(clients, "acme", "--signing")
    file = tmp_path / "body"
    file.write_text("text")
    headers = run("sign", *rule.split(), "--client", "acme", "--body", file, "--secret", "env:MADE",
                  env={"MADE": made["secret"]}).splitlines()
    request = capture(tmp_path / "request", headers, "POST", body=b"text")
    assert check(request, f"{rule} clients=file:{clients}")["client"] == "acme"
    other = capture(tmp_path / "request", [line.replace("acme", "acmf") for line in headers], "POST", body=b"text")
    assert check(other, f"{rule} clients=file:{clients}", status=REFUSED)["reason"] == "unknown-client"


@pytest.fixture
def body(tmp_path):
    path = tmp_path / "body"
    path.write_text('{"webhookTimestamp":%d000,\n"name":"Zoë"}' % NOW)
    return path


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_signed_is_accepted_and_what_is_altered_is_not(preset, tmp_path, body):
    sender = Sender(preset, tmp_path)
    headers = sender.sign(body, "--header", f"X-Signature-Timestamp: {NOW}").splitlines()
    when = ("--time", NOW + 1)
    found = check(capture(tmp_path / "request", headers, "POST", body=body.read_bytes()), sender.rule, words=when)
    assert found["accepted"] and found["client"] == preset and found["label"] == "proves"
    if preset == "gitlab":
        headers = [line.replace("secret", "sacred") for line in headers]
    altered = capture(tmp_path / "request", headers, "POST", body=body.read_bytes().replace(b"name", b"Name"))
    found = check(altered, sender.rule, words=when, status=REFUSED)
    assert found["reason"] == ("wrong-secret" if preset == "gitlab" else "wrong-signature")
    if "tolerance" in json.loads(run("presets", preset, "--json", "--path", preset_folder())):
        late = capture(tmp_path / "request", headers, "POST", body=body.read_bytes())
        assert check(late, sender.rule, words=("--time", NOW + 400), status=REFUSED)["reason"] == "too-late"


def test_a_second_opinion_signs_alike(tmp_path, body):
    mac = openssl("dgst", "-sha256", "-hmac", SECRET, "-r", text=body.read_bytes()).split()[0].decode()
    assert f"X-Hub-Signature-256: sha256={mac}" in Sender("github", tmp_path).sign(body)


def test_the_curl_command_is_one_for_a_shell(tmp_path, body):
    command = Sender("github", tmp_path).sign(body, "--curl", "--header", "X-Name: it's", "--url", "https://x.example/a?b='c'")
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True).stdout
    words = words.splitlines()
    assert words[:3] == ["curl", "-X", "POST"] and words[-1] == "https://x.example/a?b='c'" and "X-Name: it's" in words
    assert words[words.index("--data-binary") + 1] == f"@{body}"


def test_a_signed_header_that_is_not_there_is_asked_for(tmp_path, body):
    sender = Sender("discord", tmp_path)
    said = run("sign", "discord", "--path", preset_folder(), "--secret", f"file:{sender.signs}", "--body", body,
               status=USAGE)
    assert "X-Signature-Timestamp" in said and "--header" in said


@pytest.mark.parametrize("vector", load_vectors(), ids=lambda vector: vector.name)
def test_a_vector_is_decided_as_the_server_decides_it(vector, tmp_path):
    for name, secret in vector.secrets.items():
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    accepted = vector.verdict == "accept"
    found = check(FOLDER / vector.name / "request.txt", vector.rule, words=("--time", vector.clock),
                  status=OK if accepted else REFUSED, folder=tmp_path)
    assert found["label" if accepted else "reason"] == vector.detail
    if accepted and vector.signed is not None and re.fullmatch(rb"[ -\[\]-~]*", vector.signed):
        assert found["signed-text"] == vector.signed.decode()


# --- explanations -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("change, told", [
    (lambda body: body + b"\n", "without the line end at its end"),
    (lambda body: body.replace(b"\n", b"\r\n"), "with LF for each CRLF"),
])
def test_a_body_that_was_changed_on_the_way_is_recognised(tmp_path, body, change, told):
    sender = Sender("github", tmp_path)
    request = capture(tmp_path / "request", sender.sign(body).splitlines(), "POST", body=change(body.read_bytes()))
    steps = check(request, sender.rule, status=REFUSED)["steps"]
    assert any(told in step for step in steps), steps


def test_the_steps_tell_which_rule_what_was_signed_and_what_differed(tmp_path, body):
    sender = Sender("stripe", tmp_path)
    request = capture(tmp_path / "request", sender.sign(body).splitlines(), "POST", body=b"{}")
    other = tmp_path / "other"
    other.write_text("another secret, no less long")
    other.chmod(0o600)
    steps = check(request, f"github secret=file:{other}", sender.rule, words=("--time", NOW), status=REFUSED)["steps"]
    assert steps[0] == 'rule 1 "github" looks at header X-Hub-Signature-256: not there'
    assert steps[1] == 'rule 2 "stripe" looks at header Stripe-Signature: it sees its credential, and decides'
    assert f"signed text, 13 bytes: {NOW}.{{}}" in steps
    mac = openssl("dgst", "-sha256", "-hmac", SECRET, "-r", text=f"{NOW}.{{}}".encode()).split()[0].decode()
    assert f'signature under the secret "proves": {mac}, which was not sent' in steps
    text = run("check", "--path", preset_folder(), "--rule", sender.rule, "--time", NOW, request, status=REFUSED)
    assert text.splitlines()[-1].startswith("refused: wrong-signature, status 401: ")
    assert SECRET not in text


def test_a_secret_in_the_place_of_the_token_is_not_shown(clients, tmp_path):
    made = add(clients)
    request = capture(tmp_path / "request", [f"X-Auth-Token: {made['secret']}", f"X-Auth-Secret: {made['id']}"])
    found = check(request, f"token-pair clients=file:{clients}", status=REFUSED)
    assert found["reason"] == "malformed-credential" and made["secret"] not in json.dumps(found)


def test_network_method_and_path_of_a_request_that_is_told(clients, tmp_path):
    made = add(clients, "acme", "methods=GET", "paths=/reports/*")
    headers = run("sign", "bearer", secret=made["secret"]).splitlines()
    rule = f"bearer clients=file:{clients} from=192.0.2.0/24,2001:db8::/32"
    good = capture(tmp_path / "request", headers, target="/reports/1?x=y")
    for address in ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"):
        assert check(good, rule, words=("--address", address))["accepted"]
    for address in ("192.0.3.1", "::1"):
        assert check(good, rule, words=("--address", address), status=REFUSED)["reason"] == "network-refused"
    assert any("--address" in step for step in check(good, rule, status=REFUSED)["steps"])
    here = ("--address", "192.0.2.1")
    for method, target, reason in (("POST", "/reports/1", "method-not-allowed"), ("GET", "/other", "path-not-allowed"),
                                   ("GET", "/reports/../other", "path-not-allowed")):
        request = capture(tmp_path / "request", headers, method, target)
        assert check(request, rule, words=here, status=REFUSED)["reason"] == reason


def test_a_rule_that_must_hold_besides(clients, tmp_path, body):
    made, sender = add(clients, "acme"), Sender("github", tmp_path)
    headers = sender.sign(body).splitlines()
    also = ("--also", f"bearer clients=file:{clients}")
    request = capture(tmp_path / "request", headers, "POST", body=body.read_bytes())
    assert check(request, sender.rule, words=also, status=REFUSED)["reason"] == "not-presented"
    headers += run("sign", "bearer", secret=made["secret"]).splitlines()
    request = capture(tmp_path / "request", headers, "POST", body=body.read_bytes())
    assert check(request, sender.rule, words=also)["accepted"]


@pytest.mark.parametrize("text, said", [
    (b"", "request line"), (b"GET /\n\n", "request line"), (b"GET / HTTP/1.1\nno header\n\n", "line 2"),
    (b"GET / HTTP/1.1\nA: b\n folded: c\n\n", "line 3"), (b"GET / HTTP/1.1\nA: b", "empty line"),
    (b"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\n\n", "chunks"),
    (b"POST / HTTP/1.1\nContent-Length: one\n\nx", "no number")], ids=lambda value: str(value)[:30])
def test_what_is_no_request_is_status_3(tmp_path, text, said):
    request = tmp_path / "request"
    request.write_bytes(text)
    assert said in run("check", "--rule", "none methods=GET", request, status=FILE)


def test_what_an_editor_adds_behind_content_length_does_not_count(tmp_path, body):
    sender = Sender("github", tmp_path)
    headers = sender.sign(body).splitlines() + [f"Content-Length: {body.stat().st_size}"]
    request = capture(tmp_path / "request", headers, "POST", body=body.read_bytes() + b"\n")
    found = check(request, sender.rule)
    assert found["accepted"] and any("is left out" in step for step in found["steps"])


def test_headers_of_one_name_are_one_as_for_httpd(tmp_path, body):
    sender = Sender("github", tmp_path)
    headers = sender.sign(body).splitlines()
    request = capture(tmp_path / "request", headers + headers, "POST", body=body.read_bytes())
    check(request, sender.rule, status=REFUSED)


# --- under httpd ------------------------------------------------------------------------------------------------------

def test_httpd_sees_each_change_without_a_restart():
    config = in_location("AuthVerify bearer clients=file:conf/list\nSetHandler none", "/")
    prepared = Server(config, allow=[r"clients are in force", r"refused reason="])
    prepared.write("index.html", "here")
    path = put_clients(prepared, "list", "first " + sha256("token-of-the-first") + "\n")
    with prepared as server:

        def status(secret):
            return get(server, "/index.html", {"Authorization": f"Bearer {secret}"}).status

        made = add(path, "acme")["secret"]
        wait_until(lambda: status(made) == 200, 3, "an added client is not known")
        other = json.loads(run("client", "rotate", path, "acme", "--label", "2", "--expire-old", "now", "--json"))["secret"]
        wait_until(lambda: (status(made), status(other)) == (401, 200), 3, "a rotated secret is not in force")
        run("client", "revoke", path, "acme")
        wait_until(lambda: status(other) == 401, 3, "a revoked client is still let in")
        assert status("token-of-the-first") == 200
