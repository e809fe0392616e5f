"""Mistakes in a configuration and in a list of clients, as an attacker would wish for them: each is an error, or
a warning, that says file, line, directive and what is wrong, and holds no secret.

SPDX-License-Identifier: Apache-2.0
"""
import os

import pytest

import test_150_clients_file
from attacks import load_attacks
from client import basic, get
from clients import put_clients, sha256
from clock import Clock, shared_folder
from configtest import in_location
from server import Server

SHARED = shared_folder()
ATTACKS = load_attacks(SHARED, ("config_errors", "credfile", "ip_acl"))[0] if SHARED else []
REQUIRED = {attack.id for attack in ATTACKS if not attack.is_raw}

pytestmark = pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")

STRIPE = "AuthVerify stripe secret=file:conf/secret"
PAIR = "AuthVerify token-pair clients=file:conf/pairs"
LITERAL = "0123456789abcdef0123"
JWT = "AuthVerify jwt issuer=https://id.example/ audience=api"

# What stands in the location, the line of it that is named, and what is said of it.
ERRORS = {
    "CE-002": ("AuthVerify token-pair clients=", 1, "AuthVerify: clients= has no value"),
    "CE-003": ("AuthVerify token-pair clients=file:/nope", 1, "clients=: /nope does not exist"),
    "CE-004": ("AuthVerify token-pair clients=file:/etc", 1, "clients=: /etc is a folder"),
    "CE-005": ("AuthVerify token-pair clients=file:conf/x", 1, "clients=: {root}/conf/x does not exist"),
    "CE-008": (STRIPE + " tolerance=-5", 1, "tolerance=: must be seconds"),
    "CE-009": (STRIPE + " tolerance=5x", 1, "tolerance=: must be seconds"),
    "CE-017": (JWT + " algorithms=RS256 secret=file:conf/secret", 1, "HMAC in algorithms=, or none is there"),
    "CE-019": (JWT + " algorithms=HS256,RS256 secret=file:conf/secret", 1, "names HMAC (HS...) beside others"),
    "CE-020": (JWT + " algorithms=RS256 keys=jwks:http://id.example/keys", 1, "names no URL of the form https://"),
    "CE-021": (JWT + " algorithms=*", 1, 'algorithms=: "*" is none of'),
    "CE-024": (PAIR + " token-header=X-A secret-header=x-a", 1, "token-header= and secret-header= are one header"),
    "CE-025": (PAIR + "\nAuthVerifyHeader X-Auth-Token %{client}", 2, "X-Auth-Token is a header that rule"),
    "CE-026": (PAIR + "\nAuthVerifyHeader Connection %{client}", 2, '"Connection" cannot be the name'),
    "CE-028": ("AuthVerify api-key clients=file:conf/pairs in=query:", 1, "in=: must be header:NAME or query:NAME"),
    "CE-029": (STRIPE + "\nAuthVerifyBody limit=0", 2, "limit=: must be a number of bytes from 1 up"),
    "CE-033": ("AuthVerify basic clients=file:conf/dear", 1, "no bcrypt hash as htpasswd -B writes it, of cost 04 to"),
    "CE-038": ("AuthVerify stripe \u201csecret=file:conf/secret\u201d", 1, "word 1 after"),
    "IP-050": ("AuthVerify none from=10.0.0.0/33", 1, '"10.0.0.0/33" has a prefix length'),
    "IP-053": ("AuthVerify none from=10.0.0.0/08", 1, '"10.0.0.0/08" has a prefix length'),
    "IP-055": ("AuthVerify none from=10.0.0.0/255.0.255.0", 1, '"10.0.0.0/255.0.255.0" has a prefix length'),
    "IP-057": ("AuthVerify none from=fe80::1%eth0/64", 1, '"fe80::1%eth0/64" is not an IP address'),
    "IP-058": ("AuthVerify none from=10.0.0.1/8", 1, '"10.0.0.1/8" has bits behind its prefix'),
    "IP-061": ("AuthVerify none from=", 1, "from= has no value"),
}

# What works, and one line says that it should not be so; None: nothing is said, and the manual tells how it is.
WARNINGS = {
    "CE-006": ("AuthVerify github secret=file:conf/short", "gives a secret shorter than 16 bytes"),
    "CE-007": ("AuthVerify github secret=file:conf/with-line-feed", None),
    "CE-011": (STRIPE + " tolerance=86401", "tolerance= is more than a day"),
    "IP-062": ("AuthVerify none from=10.0.0.0/8,192.168.0.0/16", None),
}

# A list of clients, and what is said of it.
GOOD = f"good {sha256('the secret of the good one')}\n"
LISTS = {
    "CF-014": (GOOD + "x" * 2 ** 20 + "\n", "line 2: "),
    "CF-016": (GOOD + GOOD, "line 2: has the id of line 1"),
    "CF-019": ((GOOD + GOOD.replace("good", "other")).encode("utf-16"), "line 1: "),
    "CF-020": (GOOD + "oth\0er plain:another-secret-of-it\n", "line 2: "),
    "CF-023": (GOOD + "other $9$abcdefghijkl\n", "line 2: word 2: is neither a secret"),
}

# Something else in the list's place, and what is said of it.
PLACES = {
    "CF-003": (lambda path: path.unlink(), "does not exist"),
    "CF-006": (lambda path: path.chmod(0o666), "is writable by others"),
    "CF-010": (lambda path: (path.unlink(), path.symlink_to(path.name)), "conf/list"),
    "CF-011": (lambda path: (path.unlink(), os.mkfifo(path)), "is a device, pipe or socket"),
}

# Rows that a test of a running server has.
ELSEWHERE = {
    "CF-001": test_150_clients_file.test_a_file_that_is_not_right_leaves_the_old_set_in_force,
    "CF-005": test_150_clients_file.test_a_change_is_in_force_in_every_child_within_a_second,
    "CF-009": test_150_clients_file.test_a_symbolic_link_is_followed_to_another_file,
    "CF-013": test_150_clients_file.test_a_list_may_grow_a_thousandfold,
    "CF-026": test_150_clients_file.test_a_file_that_is_not_there_or_not_ours_leaves_the_old_set_in_force,
    "CF-028": test_150_clients_file.test_a_thousand_changes_under_load_bring_no_wrong_verdict,
    "CF-030": test_150_clients_file.test_a_change_is_in_force_in_every_child_within_a_second,
}

EXCUSED = {
    "the memory keeps each proof as long as it is good, whatever is written": ["CE-012"],
    "test_160_networks": ["IP-032", "IP-033", "IP-035", "IP-036", "IP-041"],
    "there is no list of networks to refuse": ["IP-038", "IP-039"],
    "httpd 2.4 listens on no socket of the file system": ["IP-040"],
}

judged = set(ELSEWHERE)


@pytest.fixture
def server():
    made = Server("")
    made.secret("secret", LITERAL)
    made.secret("short", "abc")
    made.secret("with-line-feed", LITERAL + "\n")
    put_clients(made, "pairs", GOOD)
    put_clients(made, "list", GOOD)
    put_clients(made, "dear", "a bcrypt:$2y$31$waUVUoLeLhuNIZlua66.w.qCdSEDdX84xFMALdT5tJI/OVs3sqjDC\n")
    yield made
    made.close()


def configtest(server, lines):
    """(exit status, output, the number of the location's first line)"""
    status, output = server.configtest(in_location(lines, "/api"))
    assert LITERAL not in output
    return status, output, server.config_file.read_text().split("\n").index('<Location "/api">') + 2


@pytest.mark.parametrize("name", ERRORS)
def test_a_mistake_is_an_error_that_says_where_it_is(server, name):
    lines, which, said = ERRORS[name]
    status, output, first = configtest(server, lines)
    assert status != 0
    assert f"line {first + which - 1} of {server.config_file}" in output, output
    assert said.format(root=server.root) in output and lines.split("\n")[-1].split()[0] in output, output
    judged.add(name)


@pytest.mark.parametrize("name", WARNINGS)
def test_what_works_and_should_not_be_so_is_a_warning(server, name):
    lines, said = WARNINGS[name]
    status, output, first = configtest(server, lines)
    assert status == 0, output
    told = [line for line in output.splitlines() if "AuthVerify" in line]
    assert len(told) == (said is not None), told
    assert not told or (said in told[0] and f"line {first} of {server.config_file}" in told[0]), told
    judged.add(name)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_not_right_is_an_error_that_says_its_line(server, name):
    text, said = LISTS[name]
    path = put_clients(server, "list", text)
    status, output, first = configtest(server, "AuthVerify token-pair clients=file:conf/list")
    assert status != 0 and f"{path}: {said}" in output and f"line {first} of" in output, output
    judged.add(name)


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_list_is_an_error(server, name):
    change, said = PLACES[name]
    change(server.root / "conf" / "list")
    status, output, first = configtest(server, "AuthVerify token-pair clients=file:conf/list")
    assert status != 0 and said in output and f"line {first} of" in output, output
    judged.add(name)


def test_ce_013_a_memory_that_is_too_small_is_an_error(server):
    server.configure("AuthVerifyReplay shm:1k")
    line = server.config_file.read_text().split("\n").index("AuthVerifyReplay shm:1k") + 1
    status, output = server.configtest()
    assert status != 0 and f"line {line} of {server.config_file}:\nAuthVerifyReplay: must be 4k at least" in output
    judged.add("CE-013")


def test_cf_021_blanks_at_the_end_of_a_line_are_no_part_of_it(server):
    put_clients(server, "list", GOOD.replace("\n", " \t \n"))
    status, output, _ = configtest(server, "AuthVerify token-pair clients=file:conf/list")
    assert status == 0, output
    judged.add("CF-021")


def test_cf_024_a_stored_hash_is_no_secret():
    """Who has read the list has not what it proves."""
    stored = GOOD.split()[1]
    server = Server(in_location("AuthVerify basic clients=file:conf/list", "/"))
    put_clients(server, "list", GOOD)
    server.write("page.html", "")
    with server:
        server.refusal("wrong-secret", 2)
        assert get(server, "/page.html", basic("good", stored)).status == 401
        assert get(server, "/page.html", basic("good", stored.partition(":")[2])).status == 401
        assert get(server, "/page.html", basic("good", "the secret of the good one")).status == 200
    judged.add("CF-024")


def test_ce_037_a_directive_before_the_module_is_one_that_httpd_does_not_know():
    server = Server(in_location(STRIPE), authverify=False)
    status, output = server.configtest()
    server.close()
    assert status != 0 and "Invalid command 'AuthVerify'" in output
    judged.add("CE-037")


def test_ce_039_a_clock_of_years_ago_is_told_at_start():
    with Clock(1600000000) as clock:
        server = Server("", environment=clock.environment)
        server.secret("secret", LITERAL)
        server.configure(in_location(STRIPE))
        server.expect("clock says a year before 2024, and what is signed", 1)
        with server:
            pass
    judged.add("CE-039")


# --- guard ------------------------------------------------------------------------------------------------------------

def test_every_row_was_judged_or_is_excused():
    excused = {name for names in EXCUSED.values() for name in names}
    assert excused | judged == REQUIRED
    assert not excused & judged
