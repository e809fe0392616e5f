"""basic provider=: the users that httpd's own authentication providers know, proven by the module's rules.

SPDX-License-Identifier: Apache-2.0
"""
import os
import sqlite3
import subprocess
import threading
import time

import pytest

from attacks import final_status, load_attacks, send
from backends import RecordingBackend
from client import Connection, basic, curl, get, head, request
from clock import shared_folder
from configtest import assert_says, in_location, put
from server import Server, wait_until
from verdict import TELL, reason_of

PASSWORD = "correct:horse:b\u00e4ttery\u2713"
OTHER_PASSWORD = "another password"
FILE = "AuthVerify basic provider=file\nAuthUserFile conf/users\n"
MODULES = ["proxy", "proxy_http", "headers", "rewrite", "http2", "authn_core", "authn_file", "authn_dbm", "authn_dbd",
           "authn_socache", "socache_shmcb", "dbd", "auth_basic", "auth_digest", "authz_user", "authz_groupfile"]

PLACES = {
    "file": FILE,
    "unsaid": "AuthVerify basic\nAuthUserFile conf/users",
    "beside": "AuthVerify basic\nAuthBasicProvider file\nAuthBasicProvider dbm\nAuthUserFile conf/others\n"
              "AuthDBMUserFile conf/users.dbm",
    "dbm": "AuthVerify basic provider=dbm\nAuthDBMUserFile conf/users.dbm",
    "dbd": "AuthVerify basic provider=dbd\n"
           'AuthDBDUserPWQuery "SELECT password, mail FROM users WHERE name = %s"',
    "dbd-observed": "AuthVerify basic provider=dbd\nAuthVerifyMode observe\n"
                    'AuthDBDUserPWQuery "SELECT password, mail FROM users WHERE name = %s"',
    "cached": "AuthVerify basic provider=socache,file\nAuthUserFile conf/users\nAuthnCacheProvideFor file",
    "alias": "AuthVerify basic provider=people",
    "two": "AuthVerify basic provider=file,dbm\nAuthUserFile conf/others\nAuthDBMUserFile conf/users.dbm",
    "absent": "AuthVerify basic provider=file\nAuthUserFile conf/absent",
    "absent-then-right": "AuthVerify basic provider=dbm,file\nAuthUserFile conf/users\nAuthDBMUserFile conf/absent",
    "no-file": "AuthVerify basic provider=file",
    "garbage": "AuthVerify basic provider=file\nAuthUserFile conf/garbage",
    "valid-user": FILE + "Require valid-user",
    "user": FILE + "Require user alice",
    "group": FILE + "AuthGroupFile conf/groups\nRequire group staff",
    "authverify": FILE + "Require authverify client alice",
    "theirs-too": FILE + "AuthType Basic\nAuthName theirs\nAuthBasicProvider file\nRequire valid-user",
    "also": FILE + "AuthVerifyAlso api-key in=header:X-Key secret=file:conf/key",
    "besides": "AuthVerify api-key in=header:X-Key secret=file:conf/key identity=machine\n"
               "AuthVerifyAlso basic provider=file\nAuthUserFile conf/users",
    "optional": FILE + "AuthVerifyMode optional\nRequire authverify",
    "observed": FILE + "AuthVerifyMode observe",
    "limited": "AuthVerify basic provider=file methods=GET from=192.0.2.0/24\nAuthUserFile conf/users",
    "preset": "AuthVerify people\nAuthUserFile conf/users",
    "new": FILE,
    "new-alias": "AuthVerify basic provider=people",
    "outer": FILE,
    "outer/inner": "AuthUserFile conf/others",
    "conditional": FILE + '<If "-n req(\'X-Others\')">\nAuthUserFile conf/others\n</If>',
}
CONFIG = TELL + """
Protocols h2c http/1.1
Header always set X-Test-User "expr=%{REMOTE_USER}"
Header always set X-Test-Mail "%{AUTHENTICATE_MAIL}e"
AuthVerifyHeader X-Told "%{client} %{scheme}"
DBDriver sqlite3
DBDParams "${ROOT}/conf/users.sqlite"
AuthnCacheEnable
AuthnCacheSOCache shmcb
AuthVerifyPreset people basic provider=file
<AuthnProviderAlias file people>
    AuthUserFile conf/users
</AuthnProviderAlias>
<Directory "${ROOT}/htdocs">
    AllowOverride AuthConfig FileInfo
    Options FollowSymLinks
</Directory>
<Proxy "http://127.0.0.1:${BACKEND}/late/">
    AuthVerify basic provider=file
    AuthUserFile conf/users
</Proxy>
<Directory "${ROOT}/htdocs/proxied">
    RewriteEngine on
    RewriteRule "(.*)" "http://127.0.0.1:${BACKEND}/late/$1" [P]
</Directory>
<Directory "${ROOT}/htdocs/folder">
    AuthVerify people
    AuthUserFile conf/users
</Directory>
ProxyPass "/folder" "!"
ProxyPass "/proxied" "!"
ProxyPass "/" "http://127.0.0.1:${BACKEND}/"
""" + "".join(in_location(lines, "/" + name) for name, lines in PLACES.items())


def htpasswd(password, *options):
    """The hash of a password as htpasswd makes it; bcrypt of the least cost where no option says otherwise."""
    made = subprocess.run(["htpasswd", "-ni", *(options or ("-B", "-C", "4")), "user"], input=password.encode(),
                          check=True, capture_output=True)
    return made.stdout.decode().strip().partition(":")[2]


def put_users(server, name, users):
    """A file of users, put in place as a whole."""
    path = server.root / "conf" / name
    beside = path.with_name(name + ".new")
    beside.write_text("".join(f"{user}:{hashed}\n" for user, hashed in users.items()))
    os.replace(beside, path)


def put_dbm(server, name, user, password):
    path = server.root / "conf" / name
    subprocess.run(["htdbm", "-ciB", path, user], input=password.encode(), check=True, capture_output=True)
    for file in path.parent.glob(name + "*"):
        file.chmod(0o644)


def put_database(server, user, hashed):
    path = server.root / "conf" / "users.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, password TEXT, mail TEXT)")
        database.execute("INSERT OR REPLACE INTO users VALUES (?, ?, 'alice@example.org')", (user, hashed))
    database.close()


@pytest.fixture(scope="module")
def httpd(backend):
    server = Server(CONFIG, modules=MODULES, defines={"BACKEND": backend.port})
    put_users(server, "users", {"alice": htpasswd(PASSWORD), "z\u00f6e": htpasswd(PASSWORD)})
    put_users(server, "others", {"bob": htpasswd(OTHER_PASSWORD)})
    put_dbm(server, "users.dbm", "alice", PASSWORD)
    put_database(server, "alice", htpasswd(PASSWORD))
    (server.root / "conf" / "garbage").write_bytes(b"\0\xff:\n:\nalice\nalice:\n" + bytes(range(256)))
    (server.root / "conf" / "groups").write_text("staff: alice\n")
    server.secret("key", "the-key-of-the-tests-of-providers")
    server.write("folder/page.txt", "a page")
    server.write("folder/others/.htaccess", "AuthUserFile conf/others\n")
    server.write("folder/others/page.txt", "a page")
    server.write("proxied/index.txt", "")
    with server:
        yield server


@pytest.fixture(autouse=True)
def nothing_received_yet(backend):
    backend.reset()


def ask(server, place, user="alice", password=PASSWORD, more=(), **others):
    return get(server, f"/{place}", {**basic(user, password), **dict(more)}, **others)


def outcome(response):
    return response.status, reason_of(response)


KNOWING = ["file", "unsaid", "beside", "dbm", "dbd", "cached", "alias", "two", "valid-user", "user", "group", "authverify",
           "optional", "preset", "outer"]


@pytest.mark.parametrize("place", KNOWING)
def test_who_is_known_is_let_in(httpd, backend, place):
    for _ in range(2):  # once computed, once perhaps remembered
        response = ask(httpd, place)
        assert outcome(response) == (200, "accepted")
        assert response.get("X-Test-User") == "alice"
    received = dict(backend.requests[-1].headers)
    assert received["X-Told"] == "alice basic" and "Authorization" not in received


@pytest.mark.parametrize("place", KNOWING)
def test_who_is_not_known_and_who_says_it_wrong_get_one_answer(httpd, backend, place):
    unknown, wrong = ask(httpd, place, "mallory"), ask(httpd, place, password=PASSWORD + "x")
    httpd.refusal("unknown-client", 1)
    httpd.refusal("wrong-secret", 1)
    assert [outcome(unknown), outcome(wrong)] == [(401, "unknown-client"), (401, "wrong-secret")]
    assert unknown.body == wrong.body and backend.count == 0
    assert unknown.all("WWW-Authenticate") == wrong.all("WWW-Authenticate")
    assert unknown.all("WWW-Authenticate")[0].endswith('charset="UTF-8"')


def test_a_name_beyond_ascii(httpd):
    assert outcome(ask(httpd, "file", "z\u00f6e")) == (200, "accepted")


@pytest.mark.parametrize("place", ["two", "beside"])
def test_the_first_provider_that_knows_the_user_decides(httpd, place):
    assert outcome(ask(httpd, place, "bob", OTHER_PASSWORD)) == (200, "accepted")
    httpd.refusal("wrong-secret", 1)
    assert outcome(ask(httpd, place, "bob", PASSWORD)) == (401, "wrong-secret")


@pytest.mark.parametrize("algorithm", [("-m",), ("-s",), ("-2",), ("-5",), ("-B", "-C", "6")], ids=lambda each: each[0])
def test_every_hash_that_httpd_knows(httpd, algorithm):
    put_users(httpd, "users", {"alice": htpasswd(PASSWORD), "z\u00f6e": htpasswd(PASSWORD),
                               "carol": htpasswd("of carol", *algorithm)})
    httpd.refusal("wrong-secret", 1)
    assert outcome(ask(httpd, "file", "carol", "of carol")) == (200, "accepted")
    assert outcome(ask(httpd, "file", "carol", "of others")) == (401, "wrong-secret")


# --- what cannot be asked refuses -------------------------------------------------------------------------------------

BROKEN = {
    "absent": "AH01620: Could not open password file",
    "no-file": "AH01619: AuthUserFile not specified",
    "absent-then-right": "AH10285: could not open dbm",
}


@pytest.mark.parametrize("place", BROKEN)
def test_a_provider_that_fails_refuses(httpd, backend, place):
    httpd.refusal("store-unavailable", 1)
    httpd.expect(BROKEN[place])
    response = ask(httpd, place)
    assert (*outcome(response), response.get("Retry-After"), backend.count) == (503, "store-unavailable", "10", 0)


def test_a_file_that_is_none_knows_nobody(httpd, backend):
    httpd.allow_refusals("unknown-client", "wrong-secret", "malformed-credential")
    for user, password in [("alice", PASSWORD), ("alice", "x"), ("\0\u00ff", "x")]:
        assert ask(httpd, "garbage", user, password).status == 401
    assert backend.count == 0


def test_a_database_that_is_away_and_comes_back(httpd, backend):
    database = sqlite3.connect(httpd.root / "conf" / "users.sqlite", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    httpd.refusal("store-unavailable", 1)
    httpd.expect(r"\[authn_dbd:error\] .* looking up 'alice'")
    assert (*outcome(ask(httpd, "dbd")), backend.count) == (503, "store-unavailable", 0)
    database.close()
    assert outcome(ask(httpd, "dbd")) == (200, "accepted")


def test_a_file_that_goes_while_httpd_runs(httpd, backend):
    path = httpd.root / "conf" / "users"
    assert outcome(ask(httpd, "file")) == (200, "accepted")
    kept = path.read_bytes()
    path.unlink()
    httpd.allow("AH01620")
    httpd.allow_refusals("store-unavailable")
    begun = time.monotonic()
    wait_until(lambda: outcome(ask(httpd, "file")) == (503, "store-unavailable"), 2, "the old verdict stays in force")
    assert time.monotonic() - begun < 1.2
    path.write_bytes(kept)
    assert outcome(ask(httpd, "file")) == (200, "accepted")


# --- a password that changes ------------------------------------------------------------------------------------------

def change_file(server, password=PASSWORD):
    put_users(server, "users", {"alice": htpasswd(password), "z\u00f6e": htpasswd(PASSWORD)})


def change_dbm(server, password=PASSWORD):
    put_dbm(server, "users.dbm", "alice", password)


def change_database(server, password=PASSWORD):
    put_database(server, "alice", htpasswd(password))


@pytest.mark.parametrize("place, change", [("file", change_file), ("dbm", change_dbm), ("dbd", change_database)])
def test_a_new_password_counts_at_once_and_the_old_one_for_less_than_a_second(httpd, place, change):
    assert outcome(ask(httpd, place)) == (200, "accepted")
    httpd.allow_refusals("wrong-secret")
    change(httpd, "a new password")
    begun = time.monotonic()
    assert outcome(ask(httpd, place, password="a new password")) == (200, "accepted")
    wait_until(lambda: ask(httpd, place).status == 401, 3, "the old password still counts")
    assert time.monotonic() - begun < 1.2
    assert outcome(ask(httpd, place, password="a new password")) == (200, "accepted")
    change(httpd)


def test_a_user_who_is_taken_out_is_refused_within_a_second(httpd):
    put_users(httpd, "users", {"alice": htpasswd(PASSWORD), "dave": htpasswd("of dave")})
    assert outcome(ask(httpd, "file", "dave", "of dave")) == (200, "accepted")
    change_file(httpd)
    httpd.allow_refusals("unknown-client")
    begun = time.monotonic()
    wait_until(lambda: ask(httpd, "file", "dave", "of dave").status == 401, 3, "dave is still let in")
    assert time.monotonic() - begun < 1.2


# --- what is remembered, and where ------------------------------------------------------------------------------------

@pytest.mark.parametrize("place, more", [("outer/inner", {}), ("conditional", {"X-Others": "1"}),
                                         ("folder/others/page.txt", {})])
def test_what_one_file_says_is_not_remembered_for_another(httpd, backend, place, more):
    httpd.refusal("unknown-client", 10)
    outer = {"outer/inner": "outer", "conditional": "conditional"}.get(place, "folder/page.txt")
    for _ in range(10):  # within one second and across the next
        assert outcome(ask(httpd, outer)) == (200, "accepted")
        assert outcome(ask(httpd, place, more=more)) == (401, "unknown-client")
    assert outcome(ask(httpd, place, "bob", OTHER_PASSWORD, more)) == (200, "accepted")


def seconds_of(server, place, user, password, times):
    """What each of some logins takes, one after the other on one connection."""
    taken = []
    with Connection(server.port) as connection:
        for _ in range(times):
            begun = time.perf_counter()
            connection.send(head("GET", f"/{place}", basic(user, password)))
            assert connection.response().status in (200, 401)
            taken.append(time.perf_counter() - begun)
    return taken


@pytest.fixture
def dear(httpd):
    """A user whose password is dear to compute: a sixth of a second, or more."""
    put_users(httpd, "users", {"alice": htpasswd(PASSWORD), "dear": htpasswd(PASSWORD, "-B", "-C", "12")})
    yield "dear"
    change_file(httpd)


def test_a_right_password_is_remembered_for_the_rest_of_the_second(httpd, dear):
    taken = seconds_of(httpd, "file", dear, PASSWORD, 6)
    assert max(taken) > 0.1 and min(taken) < 0.02


def test_a_wrong_password_is_computed_each_time(httpd, dear):
    httpd.refusal("wrong-secret", 4)
    assert min(seconds_of(httpd, "file", dear, "wrong", 4)) > 0.1


@pytest.mark.parametrize("place", ["alias", "cached"])
def test_what_may_depend_on_more_is_computed_each_time(httpd, dear, place):
    assert min(seconds_of(httpd, place, dear, PASSWORD, 4)) > 0.1


# --- an unknown user --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("place", ["new", "new-alias"])  # of what others cost there, nothing is known yet
def test_an_unknown_user_costs_what_a_known_one_does(httpd, place):
    put_users(httpd, "users", {name: htpasswd(PASSWORD, "-B", "-C", "9") for name in ("alice", "carol")})
    httpd.allow_refusals("wrong-secret", "unknown-client")
    seconds_of(httpd, place, "alice", "wrong", 4)
    known, unknown = [], []
    for _ in range(25):
        known += seconds_of(httpd, place, "carol", "wrong", 1)
        unknown += seconds_of(httpd, place, "nobody", "wrong", 1)
    change_file(httpd)
    ratio = min(unknown) / min(known)
    # the mere look-up is a fiftieth; a machine that has much else to do counts processor time roughly
    assert 0.2 < ratio < 5, (sorted(known), sorted(unknown))


# --- together with the rest of httpd ----------------------------------------------------------------------------------

def test_who_is_known_may_still_be_the_wrong_one_for_httpd(httpd, backend):
    put_users(httpd, "users", {"alice": htpasswd(PASSWORD), "carol": htpasswd(PASSWORD)})
    assert outcome(ask(httpd, "valid-user", "carol")) == (200, "accepted")
    backend.reset()
    httpd.allow(r"AH01631: user carol: authorization failure|AH01630|AH01663")
    assert [ask(httpd, place, "carol").status for place in ("user", "group", "authverify")] == [403, 403, 403]
    assert backend.count == 0
    change_file(httpd)


def test_both_may_ask_the_same_file(httpd):
    assert outcome(ask(httpd, "theirs-too")) == (200, "accepted")


def test_a_rule_that_must_hold_besides(httpd, backend):
    key = {"X-Key": "the-key-of-the-tests-of-providers"}
    assert outcome(ask(httpd, "also", more=key)) == (200, "accepted")
    assert ask(httpd, "besides", more=key).get("X-Test-User") == "machine"
    backend.reset()
    httpd.refusal("not-presented", 1)
    httpd.refusal("wrong-secret", 2)
    assert outcome(ask(httpd, "also")) == (401, "not-presented")
    assert outcome(ask(httpd, "also", more={"X-Key": "wrong"})) == (401, "wrong-secret")
    assert outcome(ask(httpd, "besides", password="wrong", more=key)) == (401, "wrong-secret")
    assert backend.count == 0


def test_optional_asks_who_presents_something(httpd, backend):
    httpd.refusal("wrong-secret", 1)
    assert outcome(ask(httpd, "optional", password="wrong")) == (401, "wrong-secret")
    assert get(httpd, "/optional").status == 401
    assert backend.count == 0


@pytest.mark.parametrize("place", ["observed", "dbd-observed"])
def test_observe_asks_and_changes_nothing(httpd, backend, place):
    right, wrong = ask(httpd, place), ask(httpd, place, password="wrong")
    httpd.expect("would-refuse reason=wrong-secret ", 1)
    assert (right.status, reason_of(right), wrong.status, reason_of(wrong)) == (200, "would-accept", 200, "would-refuse")
    assert [response.get("X-Test-User") for response in (right, wrong)] == ["", ""]
    assert [response.get("X-Test-Mail") for response in (right, wrong)] == ["(null)", "(null)"]
    assert all("Authorization" in dict(received.headers) for received in backend.requests)


def test_what_the_provider_says_of_the_user_reaches_the_handler(httpd):
    for _ in range(3):  # each time: nothing of this provider's is remembered
        assert ask(httpd, "dbd").get("X-Test-Mail") == "alice@example.org"


def test_limits_are_looked_at_before_anybody_is_asked(httpd, backend):
    httpd.refusal("network-refused", 1)
    assert outcome(ask(httpd, "limited")) == (403, "network-refused")


def test_a_backend_that_is_reached_late_is_asked_with_its_own_settings(httpd, backend):
    assert ask(httpd, "proxied/x").status == 200
    assert backend.requests[-1].path == "/late/x"
    backend.reset()
    httpd.refusal("wrong-secret", 1)
    httpd.refusal("not-presented", 1)
    assert ask(httpd, "proxied/x", password="wrong").status == 401
    assert get(httpd, "/proxied/x").status == 401
    assert backend.count == 0


def test_http_2(httpd):
    url = f"http://127.0.0.1:{httpd.port}"
    assert curl("--http2-prior-knowledge", "--user", f"alice:{PASSWORD}", f"{url}/file").status == 200
    assert curl("--http2-prior-knowledge", "--user", f"alice:{PASSWORD}", f"{url}/dbd").status == 200
    httpd.refusal("wrong-secret", 1)
    assert curl("--http2-prior-knowledge", "--user", "alice:wrong", f"{url}/file").status == 401


def test_a_body_comes_through(httpd, backend):
    assert request(httpd, "POST", "/file", basic("alice", PASSWORD), b"x" * 300000).status == 200
    assert backend.requests[0].length == 300000


# --- many at once -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_many_at_once_get_each_their_own_answer(mpm):
    server = Server(TELL + in_location(FILE, "/") + in_location("AuthUserFile conf/others", "/others"), mpm=mpm,
                    modules=["headers", "authn_core", "authn_file"])
    put_users(server, "users", {f"user{at}": htpasswd(f"password {at}") for at in range(8)})
    put_users(server, "others", {f"user{at}": htpasswd(f"other {at}") for at in range(8)})
    server.write("index.txt", "a page")
    server.write("others/index.txt", "a page")
    wrong = []

    def run(at):
        for turn in range(30):
            place, word = [("", "password"), ("others/", "other"), ("", "other"), ("others/", "password")][turn % 4]
            response = get(server, f"/{place}index.txt", basic(f"user{at}", f"{word} {at}"))
            if response.status != [200, 200, 401, 401][turn % 4]:
                wrong.append((at, turn, response.status))

    with server:
        server.allow("refused reason=wrong-secret ")
        threads = [threading.Thread(target=run, args=(at,)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


# --- hostile credentials ----------------------------------------------------------------------------------------------

SHARED = shared_folder()
ALL, FIXTURES = load_attacks(SHARED, ("basic_b64",)) if SHARED else ([], {})
HOSTILE = [attack for attack in ALL if attack.hint == "basic: users alice,bob,carol at <Location /api>"]

# BB-012 is, byte for byte, what BB-001 has to be let in with. Of BB-016 and BB-017 only the first 72 bytes are looked at,
# as everywhere in httpd: whose hash it is knows the provider alone.
NOT_HERE = {"BB-012", "BB-016", "BB-017"}


@pytest.mark.skipif(not SHARED, reason="the shared folder with the cases is not there (AUTHVERIFY_SHARED)")
def test_hostile_credentials():
    with RecordingBackend() as behind:
        server = Server('ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n' + in_location(FILE, "/api"),
                        modules=["proxy", "proxy_http", "authn_core", "authn_file"], defines={"BACKEND": behind.port},
                        allow=["refused reason=", "AH0"])
        put_users(server, "users", {name: htpasswd(word) for name, word in FIXTURES["basic"].items()})
        with server:
            judged = 0
            for attack in HOSTILE:
                if attack.id not in NOT_HERE:
                    behind.reset()
                    status, is_let_in = final_status(send(server.port, attack)), "2xx" in attack.expect["status_any"]
                    is_right = status == 200 if is_let_in and attack.must_not_fail else status in (400, 401, 403)
                    assert is_right and behind.count == (status == 200), (attack.id, attack.title, status)
                    judged += 1
            assert judged > 15


# --- configurations that are no rule ----------------------------------------------------------------------------------

MISTAKES = {
    "unknown": ("basic provider=fil", "provider=fil: no module that is loaded knows passwords under this name; there are: "),
    "second-unknown": ("basic provider=file,ldap", "provider=ldap: no module that is loaded"),
    "no-passwords": ("basic provider=digest", "provider=digest: no module that is loaded"),
    "empty-word": ("basic provider=file,", "provider=: is a comma list without blanks and without an empty word"),
    "empty": ("basic provider=", "provider"),
    "twice": ("basic provider=file provider=dbm", "provider"),
    "with-secret": ("basic provider=file secret=file:conf/key", "keep one of provider=, clients= and secret="),
    "of-another-scheme": ("bearer provider=file", "provider"),
    "org": ("basic provider=file org=acme", "are about the clients of clients="),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_rule_that_cannot_be_right_is_no_configuration(name):
    rule, said = MISTAKES[name]
    server = Server("", modules=["authn_core", "authn_file", "auth_digest"])
    server.secret("key", "the-key-of-the-tests-of-providers")
    where = put(server, in_location(f"> AuthVerify {rule}"))
    status, output = server.configtest()
    server.close()
    assert status != 0
    assert_says(output, where, [said])


def test_nobody_to_ask_is_no_configuration():
    server = Server("")
    where = put(server, in_location("> AuthVerify basic"))
    status, output = server.configtest()
    server.close()
    assert status != 0
    assert_says(output, where, ["provider=file: no module", "there are: none", "clients=file:PATH"])


def test_a_module_may_be_loaded_behind_the_rule():
    server = Server("", modules=["authn_core"])
    folder = subprocess.run(["apxs", "-q", "LIBEXECDIR"], check=True, capture_output=True, text=True).stdout.strip()
    status, output = server.configtest(in_location("AuthVerify basic provider=file", "/")
                                       + f'LoadModule authn_file_module "{folder}/mod_authn_file.so"\n')
    server.close()
    assert status == 0, output
