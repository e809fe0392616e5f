"""Does the token endpoint's time tell a client, a user or an application that is known from one that is not?

SPDX-License-Identifier: Apache-2.0
"""
import string
from urllib.parse import urlencode

import pytest

from client import head
from clients import bcrypt, put_clients, put_issued, put_users, sha256
from issuing import FORM, private_key, token_line
from server import Server
from test_132_timing import assert_costs_alike, assert_no_difference, other

DESK, UNKNOWN = "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c10", "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c11"
SECRET = "A" * 50
CONFIG = """
<Location "/token">
    {token}
    SetHandler authverify-token
</Location>
<Location "/passwords">
    {passwords}
    SetHandler authverify-token
</Location>
<Location "/login">
    AuthVerifyToken clients=file:conf/applications users=file issued=file:issued/issued.clients insecure=on
    AuthUserFile "${{ROOT}}/conf/users"
    SetHandler authverify-token
</Location>
"""


@pytest.fixture(scope="module")
def server():
    made = Server("", modules=["authn_core", "authn_file"], allow=[r"refused reason="])
    made.secret("signing.pem", private_key("ES256"))
    put_clients(made, "clients", f"known {sha256(SECRET)}\n")
    put_clients(made, "people", f"known {bcrypt(SECRET, cost=5)}\n")
    put_clients(made, "applications", f"desk {sha256(DESK)}\n")
    put_users(made, {"jane": "correct horse battery"}, cost=5)
    put_issued(made)
    made.configure(CONFIG.format(token=token_line("file:conf/signing.pem", "conf/clients"),
                                 passwords=token_line("file:conf/signing.pem", "conf/people")))
    with made:
        yield made


def asks(path, headers=None, **said):
    """A maker of such requests, whose secret is another one each time."""
    def make():
        text = {name: value() if callable(value) else value for name, value in said.items()}
        body = urlencode(text).encode()
        fields = {"Content-Type": FORM, "Content-Length": str(len(body)), **(headers or {})}
        return head("POST", path, fields) + body
    return make


def guess():
    return other(SECRET, string.ascii_letters + string.digits)


def client(name, path):
    return asks(path, grant_type="client_credentials", client_id=name, client_secret=guess)


def user(name, application=DESK):
    return asks("/login", {"X-Auth-Application": application}, username=name, password=guess)


def test_an_unknown_client_is_as_a_wrong_secret(server, long_run):
    makers = client("known", "/token"), client("other", "/token")
    assert_no_difference(server, makers, 200_000 if long_run else 5_000)


@pytest.mark.parametrize("one, other_one", [
    (client("known", "/passwords"), client("other", "/passwords")), (user("jane"), user("june")),
    (user("jane"), user("jane", UNKNOWN)), (user("june"), user("june", UNKNOWN))],
    ids=["a client with a password", "a user", "an application", "an application of an unknown user"])
def test_who_is_not_known_costs_what_a_wrong_password_does(server, long_run, one, other_one):
    assert_costs_alike(server, (one, other_one), 500 if long_run else 200, 0.05)
