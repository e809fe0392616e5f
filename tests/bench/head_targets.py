"""The httpds that run_heads compares: bare, with the module and no rule, with a rule, and with what httpd brings.

SPDX-License-Identifier: Apache-2.0
"""
import subprocess
from pathlib import Path

import head_endpoint
from head_tokens import ALGORITHMS, signer
from head_work import KEY_HEADER, USER, client_list, give, networks, secret, token, write
from server import apxs_query
from targets import Measured
from tokens import AUDIENCE, ISSUER, SAID

PER_LINE = 50  # networks of one Require ip
GRANTED = "Require all granted\n"
EXPECTED = [r"refused reason=", r"\[auth_openidc:", r"AH0161[78]", r"client denied by server configuration"]


def rule(work, folder):
    """What follows AuthVerify."""
    if work.kind == "networks":
        return f"none methods=GET from=file:{write(Path(folder, 'networks'), networks(work.count))}"
    if work.kind == "basic":
        path = write(Path(folder, "users.clients"), [f"{USER} bcrypt:{work.hash}"], 0o640)
        give(path)
        return f"basic clients=file:{path}"
    if work.kind in ALGORITHMS:
        path = write(Path(folder, "key.pem"), [signer(work.kind).pem.strip()])
        return f"jwt keys=file:{path} algorithms={ALGORITHMS[work.kind]} {SAID}"
    if work.kind == head_endpoint.KIND:
        return head_endpoint.rule(write(Path(folder, "endpoint.secret"), ["a secret of this server"], 0o600))
    place = f" in=header:{KEY_HEADER}" if work.kind == "api-key" else ""
    return f"{work.kind}{place} clients=file:{client_list(folder, work.count)}"


def by_map(work, folder):
    """A DBM file of all keys."""
    text = write(Path(folder, "keys"), (f"{secret(i)} {token(i)}" for i in range(work.count)))
    subprocess.run(["httxt2dbm", "-f", "DB", "-i", text, "-o", f"{text}.db"], check=True, capture_output=True)
    Path(f"{text}.db").chmod(0o644)
    return {"location": GRANTED, "load": ["rewrite"], "more": f"""
RewriteEngine On
RewriteMap keys "dbm=db:{text}.db"
RewriteCond "${{keys:%{{HTTP:{KEY_HEADER}}}|NONE}}" "=NONE"
RewriteRule "^" "-" [R=401,L]"""}


def by_address(work, _):
    found = networks(work.count)
    lines = ["Require ip " + " ".join(found[at:at + PER_LINE]) for at in range(0, len(found), PER_LINE)]
    return {"location": "<RequireAny>\n" + "\n".join(lines) + "\n</RequireAny>", "load": ["authz_host"]}


def by_password(work, folder):
    users = write(Path(folder, "users.htpasswd"), [f"{USER}:{work.hash}"])
    return {"location": f'AuthType Basic\nAuthName bench\nAuthBasicProvider file\nAuthUserFile "{users}"\n'
                        "Require valid-user", "load": ["auth_basic", "authn_core", "authn_file", "authz_user"]}


def by_expression(work, _):
    parts = [f"%{{HTTP:{name}}} == '{value}'" for name, value in work.right[0].items()]
    return {"location": f'Require expr "{" && ".join(parts)}"'}


def by_openidc(work, folder):
    """It reads a key for RS256 only: of ES256 it wants a set of keys, and that by https."""
    path = write(Path(folder, "openidc.pem"), [signer(work.kind).pem.strip()])
    return {"location": f'AuthType oauth20\n<RequireAll>\nRequire claim "iss:{ISSUER}"\nRequire claim "aud:{AUDIENCE}"\n'
                        "</RequireAll>", "load": ["authn_core", "authz_user", "auth_openidc"], "more": f"""
OIDCCryptoPassphrase bench
OIDCOAuthRemoteUserClaim sub
OIDCOAuthVerifyCertFiles "{path}\""""}


# What httpd has without the module, or with another.
OWN = {"api-key": ("RewriteMap dbm", by_map), "networks": ("Require ip", by_address),
       "basic": ("mod_auth_basic", by_password)}


def own_of(work):
    """(name, what makes its lines) of what stands beside the module; None: nothing does."""
    if work.kind in ("token-pair", "bearer") and work.count == 1:
        return "Require expr", by_expression
    if work.kind == "jwt-rs256" and Path(apxs_query("LIBEXECDIR"), "mod_auth_openidc.so").exists():
        return "mod_auth_openidc", by_openidc
    return OWN.get(work.kind)


def httpds_of(work, folder, core):
    """[(the name of its bare server, Measured)]"""
    verifying = f"{GRANTED}AuthVerify {rule(work, folder)}"
    servers = [Measured("bare", core, GRANTED), Measured("idle", core, GRANTED, has_module=True),
               Measured("verifying", core, verifying, has_module=True, allow=EXPECTED)]
    own = own_of(work)
    if own:
        servers.append(Measured(own[0], core, **own[1](work, folder), allow=EXPECTED))
    return [("bare", server) for server in servers]
