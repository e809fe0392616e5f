"""Other servers, as their manuals say that such requests are checked. Each is bound to one core, answers ANSWER itself,
and is there once without any check.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import os
import shutil
import signal
import subprocess
from pathlib import Path

from head_tokens import ALGORITHMS, signer
from head_work import KEY_HEADER, USER, networks, secret, token, write
from loader import ANSWER, HOOK_PATH, pinned
from server import RUN_AS, STOP_SECONDS, accepts, free_port, session_members, wait_until
from targets import cpu_between, cpu_of
from tokens import AUDIENCE, ISSUER

START_SECONDS = 120


class Peer:
    """A server that `command` runs in the foreground, in a folder of its own. Use as a context manager."""

    def __init__(self, name, core, command, port, folder):
        self.name, self.port, self.folder = name, port, folder
        self.command = [*pinned(core), *command]

    def __enter__(self):
        log = Path(self.folder, "console")
        with log.open("wb") as console:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                            start_new_session=True, cwd=self.folder,
                                            env={**os.environ, "HOME": str(self.folder)})
        wait_until(lambda: self.process.poll() is not None or accepts(self.port), START_SECONDS,
                   f"{self.name} does not start")
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} does not start: {log.read_text(errors='replace')}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        finally:
            for pid, _ in session_members(self.process.pid):
                os.kill(pid, signal.SIGKILL)
            self.process.wait(STOP_SECONDS)

    def cpu(self):
        return cpu_of(self.process.pid)

    def cpu_since(self, before):
        return cpu_between(self.name, before, self.cpu())


# --- nginx ------------------------------------------------------------------------------------------------------------

NGINX = """%(user)sdaemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 100000000;
    keepalive_timeout 120s;
    default_type text/plain;
    open_file_cache max=10;
    %(http)s
    server {
        listen 127.0.0.1:%(port)d backlog=511;
        root %(folder)s;
        location / { %(location)s }
    }
}
"""
NGINX_ANSWER = f'return 200 "{ANSWER}";'


def nginx_table(kind, default, rows, folder):
    """A map or geo of `rows`, from a file."""
    file = write(Path(folder, "table"), rows)
    return f"{kind} {{ default {default}; include {file}; }}"


def nginx_parts(work, folder):
    """(lines of http, lines of the location)."""
    if work.kind == "basic":
        return "", f"auth_basic bench; auth_basic_user_file {write(Path(folder, 'users'), [f'{USER}:{work.hash}'])};"
    if work.kind == "networks":
        return (nginx_table("geo $known", 0, (f"{network} 1;" for network in networks(work.count)), folder),
                f"if ($known = 0) {{ return 403; }} {NGINX_ANSWER}")
    if work.kind == "api-key":
        size = max(2048, 1 << (4 * work.count).bit_length() - 1)
        table = nginx_table("map $http_x_api_key $known", 0, (f"{secret(i)} 1;" for i in range(work.count)), folder)
        return (f"map_hash_max_size {size}; map_hash_bucket_size 128; {table}",
                f"if ($known = 0) {{ return 401; }} {NGINX_ANSWER}")
    checks = [f'if ($http_{name.lower().replace("-", "_")} != "{value}") {{ return 401; }}'
              for name, value in work.right[0].items()]
    return "", " ".join([*checks, NGINX_ANSWER])


def nginx(work, folder, port, verifying):
    http, location = nginx_parts(work, folder) if verifying else ("", "" if work.kind == "basic" else NGINX_ANSWER)
    write(Path(folder, HOOK_PATH[1:]), [ANSWER]).write_text(ANSWER, encoding="ascii")
    config = write(Path(folder, "nginx.conf"), [NGINX % {
        "user": f"user {RUN_AS};\n" if os.geteuid() == 0 else "", "http": http, "location": location, "port": port,
        "folder": folder}])
    return ["nginx", "-p", folder, "-c", config, "-e", "error.log"]


# --- HAProxy ----------------------------------------------------------------------------------------------------------

HAPROXY = """global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
    timeout http-keep-alive 120s
%(lists)s
frontend bench
    bind 127.0.0.1:%(port)d
    %(rules)s
"""
HAPROXY_ANSWER = f'http-request return status 200 content-type text/plain string "{ANSWER}"'


def haproxy_token(work, folder):
    key = write(Path(folder, "key.pem"), [signer(work.kind).pem.strip()])
    return "\n    ".join([
        "http-request set-var(txn.token) http_auth_bearer",
        "http-request set-var(txn.algorithm) var(txn.token),jwt_header_query('$.alg')",
        f"http-request deny deny_status 401 unless {{ var(txn.algorithm) -m str {ALGORITHMS[work.kind]} }}",
        "http-request set-var(txn.now) date()",
        "http-request set-var(txn.left) var(txn.token),jwt_payload_query('$.exp','int'),sub(txn.now)",
        "http-request deny deny_status 401 unless { var(txn.left) -m int gt 0 }",
        f"http-request deny deny_status 401 unless {{ var(txn.token),jwt_payload_query('$.iss') -m str {ISSUER} }}",
        f"http-request deny deny_status 401 unless {{ var(txn.token),jwt_payload_query('$.aud') -m str {AUDIENCE} }}",
        f"{HAPROXY_ANSWER} if {{ var(txn.token),jwt_verify(txn.algorithm,\"{key}\") 1 }}",
        "http-request deny deny_status 401"])


def haproxy_parts(work, folder):
    """(lines before the frontend, its rules)."""
    table = Path(folder, "table")
    if work.kind == "basic":
        return (f"userlist people\n    user {USER} password {work.hash}",
                f"{HAPROXY_ANSWER} if {{ http_auth(people) }}\n    http-request auth realm bench")
    if work.kind == "networks":
        return "", (f"{HAPROXY_ANSWER} if {{ src -f {write(table, networks(work.count))} }}\n"
                    "    http-request deny deny_status 403")
    if work.kind == "api-key":
        write(table, (f"{secret(i)} {token(i)}" for i in range(work.count)))
        return "", (f"http-request set-var(txn.client) req.hdr({KEY_HEADER}),map_str({table})\n"
                    f"    {HAPROXY_ANSWER} if {{ var(txn.client) -m found }}\n    http-request deny deny_status 401")
    if work.kind in ALGORITHMS:
        return "", haproxy_token(work, folder)
    checks = " ".join(f'{{ req.hdr({name}) -m str "{value}" }}' for name, value in work.right[0].items())
    return "", f"{HAPROXY_ANSWER} if {checks}\n    http-request deny deny_status 401"


def haproxy(work, folder, port, verifying):
    lists, rules = haproxy_parts(work, folder) if verifying else ("", HAPROXY_ANSWER)
    config = write(Path(folder, "haproxy.cfg"), [HAPROXY % {"lists": lists, "rules": rules, "port": port}])
    return ["haproxy", "-db", "-f", config]


# --- Caddy ------------------------------------------------------------------------------------------------------------

CADDY = """{
    admin off
    auto_https off
    log {
        level ERROR
    }
}
http://:%(port)d {
    bind 127.0.0.1
    %(rules)s
}
"""
CADDY_ANSWER = f'respond "{ANSWER}" 200'


def caddy_rules(work):
    if work.kind == "basic":
        kept = base64.b64encode(work.hash.replace("$2y$", "$2a$").encode()).decode()
        return f"basicauth {{\n {USER} {kept}\n }}\n {CADDY_ANSWER}"
    headers = "\n".join(f'header {name} "{value}"' for name, value in work.right[0].items())
    return f'@known {{\n {headers}\n }}\n respond @known "{ANSWER}" 200\n respond 401'


def caddy(work, folder, port, verifying):
    rules = caddy_rules(work) if verifying else CADDY_ANSWER
    config = write(Path(folder, "Caddyfile"), [CADDY % {"rules": rules, "port": port}])
    return ["caddy", "run", "--config", config, "--adapter", "caddyfile"]


# --- all --------------------------------------------------------------------------------------------------------------

def fixed(work):
    """Peers without a list compare with one value."""
    return work.kind in ("token-pair", "bearer") and work.count == 1


def takes_part(program, work):
    if work.kind in ALGORITHMS:
        return program == "haproxy" and bool(shutil.which(program))
    listed = work.kind in ("basic", "networks", "api-key") and program != "caddy"
    return bool(shutil.which(program)) and (listed or fixed(work) or (program, work.kind) == ("caddy", "basic"))


PROGRAMS = {"nginx": nginx, "haproxy": haproxy, "caddy": caddy}


def peers_of(work, folder, core):
    """[(name of the bare server, Peer)]: each program that is installed and can do this work, bare and checking."""
    found = []
    for program in [name for name in PROGRAMS if takes_part(name, work)]:
        for verifying in (False, True):
            name = f"{program} {'checking' if verifying else 'bare'}"
            own = Path(folder, name.replace(" ", "-"))
            own.mkdir(mode=0o755)
            port = free_port()
            command = PROGRAMS[program](work, own, port, verifying)
            found.append((f"{program} bare", Peer(name, core, command, port, own)))
    return found
