"""Hostile requests against the schemes whose credential is in a header or the query: their configurations and judges.

The cases are data kept beside the source tree, as those of attacks.py.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import re
import urllib.parse

from attacks import BACKEND_COUNTS, final_status, is_expected
from clients import bcrypt, put_clients, sha256
from server import free_port

CLASSES = ("header_shape", "token_format", "basic_b64", "authz_scheme", "apikey", "ip_acl", "identity_smuggling",
           "methods",
           "path", "smuggling", "apache_internals", "log_leak", "empty_values")

# Rows of the class body whose rule has no need of it.
BODY_ROWS = ("BD-009", "BD-011")

MODULES = ["proxy", "proxy_http", "headers", "remoteip", "rewrite", "include", "mime", "negotiation", "autoindex",
           "status",
           "info", "cache", "cache_disk", "access_compat", "dir", "authz_host", "authn_core"]

PAIR = "AuthVerify token-pair clients=file:conf/pairs"
BEARER = "AuthVerify bearer clients=file:conf/tokens"
BASIC = "AuthVerify basic clients=file:conf/users"
KEY = "AuthVerify api-key clients=file:conf/keys"
EXPORTS = 'AuthVerifyHeader X-Remote-User "%{client}"\nAuthVerifyHeader X-Auth-Verified token\n'
BEHIND_PROXY = "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n"

PAIR_HINT = "token: pair T1/S1 (T2/S2 also valid) required at <Location /api>"
PROTECTED_HINT = PAIR_HINT + "; protected <Location /api>; everything else proxied without auth"
STRICT_HINT = "; AuthVerifyStrictPath On at server level (stock <Location> lets this one through)"
PREFLIGHT = "; preflight exempt on"


def at(path, lines):
    return f'<Location "{path}">\n{lines}\n</Location>\n'


def folder(path, lines):
    return f'<Directory "${{ROOT}}/htdocs{path}">\n{lines}\n</Directory>\n'


PROXY = 'ProxyPass "/" "http://127.0.0.1:${BACKEND}/"\n'
PROXY_API = 'ProxyPass "/api/v1" "http://127.0.0.1:${BACKEND}/api/v1"\n'
IN_API = at("/api", PAIR)
CACHE = 'CacheEnable disk /\nCacheRoot "${ROOT}/spool"\nCacheIgnoreCacheControl On\nCacheIgnoreNoLastMod On\n'

# config_hint of a case: what its virtual host says.
HOSTS = {
    PAIR_HINT: 'ProxyPass "/server-info" "!"\n' + PROXY + IN_API + at("/server-info", "SetHandler server-info"),
    "hmac: github style (X-Hub-Signature-256)": PROXY + at("/api", "AuthVerify github secret=file:conf/github"),
    PROTECTED_HINT: PROXY + IN_API,
    PROTECTED_HINT + STRICT_HINT: PROXY + IN_API + "AuthVerifyStrictPath on\n",
    PAIR_HINT + "; exports X-Remote-User=<id>, X-Auth-Verified=token to backend": PROXY + IN_API + EXPORTS,
    PAIR_HINT + "; <Location /api/health> exempt": PROXY + IN_API + at("/api/health", "AuthVerify off"),
    PAIR_HINT + "; exempt <Location /api/health>": PROXY + IN_API + at("/api/health", "AuthVerify off"),
    PAIR_HINT + "; exempt <Location /api/health>; AllowEncodedSlashes NoDecode":
        PROXY + IN_API + at("/api/health", "AuthVerify off") + "AllowEncodedSlashes NoDecode\n",
    PAIR_HINT + '; exempt <LocationMatch "/health$">':
        PROXY + IN_API + '<LocationMatch "/health$">\nAuthVerify off\n</LocationMatch>\n',
    PAIR_HINT + "; TraceEnable on": PROXY + IN_API + "TraceEnable on\n",
    PAIR_HINT + PREFLIGHT: PROXY + at("/api", PAIR + "\nAuthVerifyPreflight on"),
    PAIR_HINT + PREFLIGHT + "; <Limit> rules": PROXY + at(
        "/api", PAIR + "\nAuthVerifyPreflight on\n<Limit DELETE>\nRequire all denied\n</Limit>"),
    PAIR_HINT + "; MergeTrailers On": PROXY + IN_API + "MergeTrailers On\n",
    PAIR_HINT + "; RewriteRule ^/api/(.*) http://backend/$1 [P]":
        IN_API + 'RewriteEngine on\nRewriteRule "^/api/(.*)" "http://127.0.0.1:${BACKEND}/$1" [P]\n',
    "token: pair T1/S1 (T2/S2 also valid) required at <Location />": PROXY + at("/", PAIR),
    "token+app: T1/S1 bound to application A1, X-Auth-Application required":
        PROXY + at("/api", "AuthVerify token-pair clients=file:conf/application application=required"),
    "bearer: static opaque token B1": PROXY + at("/api", BEARER),
    "bearer: static opaque token B1 AND hmac: github style (X-Hub-Signature-256) (all-of)":
        PROXY + at("/api", BEARER + "\nAuthVerifyAlso github secret=file:conf/github"),
    "basic: users alice,bob,carol at <Location /api>": PROXY + at("/api", BASIC),
    "basic: users alice,bob,carol at <Location /api>; alice disabled":
        PROXY + at("/api", "AuthVerify basic clients=file:conf/disabled"),
    "apikey: header X-Api-Key only": PROXY + at("/api", KEY + " in=header:X-Api-Key"),
    "apikey: query api_key only": PROXY + at("/api", KEY + " in=query:api_key"),
    "apikey: header X-Api-Key or query api_key": PROXY + at("/api", KEY + " in=header:X-Api-Key,query:api_key"),
    "ip: allow 10.0.0.0/8; peer 127.0.0.1": PROXY + at("/api", "AuthVerify none from=10.0.0.0/8"),
    "ip: allow 10.0.0.0/8; peer 127.0.0.1 AND token pair": PROXY + at("/api", PAIR + " from=10.0.0.0/8"),
    "ip: as above AND token pair": PROXY + at("/api", PAIR + " from=10.0.0.0/8") + BEHIND_PROXY,
    "ip: RemoteIP; allow 10/8 AND token pair": PROXY + at("/api", PAIR + " from=10.0.0.0/8") + BEHIND_PROXY,
    "ip: RemoteIP; allow fe80::/10 AND token pair": PROXY + at("/api", PAIR + " from=fe80::/10") + BEHIND_PROXY,
    "ip: RemoteIPInternalProxy 192.0.2.1; allow 10/8 AND token pair":
        PROXY + at("/api", PAIR + " from=10.0.0.0/8")
        + "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 192.0.2.1\n",
    PAIR_HINT + "; ErrorDocument 401 /api/login": PROXY + IN_API + "ErrorDocument 401 /api/login\n",
    PAIR_HINT + "; ErrorDocument 404 /api/secret.html; 404 on public": IN_API + "ErrorDocument 404 /api/secret.html\n",
    PAIR_HINT + "; RewriteRule ^/pub/(.*) /api/$1 [PT]":
        PROXY + IN_API + 'RewriteEngine on\nRewriteRule "^/pub/(.*)" "/api/$1" [PT]\n',
    PAIR_HINT + "; .htaccess RewriteRule ^x$ /api/v1/x [L]":
        PROXY_API + IN_API + folder("/public", 'RewriteEngine on\nRewriteRule "^x$" "/api/v1/x" [L]'),
    PAIR_HINT + "; RewriteRule ^/pub/(.*) http://127.0.0.1:BACK/api/$1 [P]":
        IN_API + 'RewriteEngine on\nRewriteRule "^/pub/(.*)" "http://127.0.0.1:${BACKEND}/api/$1" [P]\n',
    PAIR_HINT + "; RewriteRule .* - [E=AUTHVERIFY_OK:1]; client header":
        PROXY + IN_API + 'RewriteEngine on\nRewriteRule ".*" "-" [E=AUTHVERIFY_OK:1,E=AUTHVERIFY_RESULT:accepted]\n',
    PAIR_HINT + "; Options +Includes; /public/p.shtml includes virtual=/api/v1/secret":
        PROXY_API + IN_API + folder("/public",
                                    "Options +Includes\nAddType text/html .shtml\nAddOutputFilter INCLUDES .shtml"),
    PAIR_HINT + " <Directory>; include file=secret.html":
        folder("/public", "Options +Includes\nAddType text/html .shtml\nAddOutputFilter INCLUDES .shtml")
        + folder("/public/inner", PAIR),
    PAIR_HINT + " <Files secret.html>; MultiViews":
        f'<Files "secret.html">\n{PAIR}\n</Files>\n' + folder("/public", "Options +MultiViews"),
    PAIR_HINT + " <Directory /srv/api>": folder("/api", "Options +Indexes\n" + PAIR),
    PAIR_HINT + "; SetHandler server-status": at("/api", PAIR + "\nSetHandler server-status"),
    "CacheEnable disk /; CacheQuickHandler On; " + PAIR_HINT: PROXY + IN_API + CACHE + "CacheQuickHandler on\n",
    "CacheQuickHandler Off; " + PAIR_HINT: PROXY + IN_API + CACHE + "CacheQuickHandler off\n",
    "Satisfy Any; Require all granted; " + PAIR_HINT: PROXY + at("/api", PAIR + "\nSatisfy Any\nRequire all granted"),
    "<If \"%{HTTP_HOST} == 't.local'\"> AuthVerify":
        PROXY + f"<If \"%{{HTTP_HOST}} -strcmatch 't.local'\">\n{PAIR}\n</If>\n",
    "AllowOverride AuthConfig; server-level AuthVerify; .htaccess 'AuthVerify Off'":
        'DocumentRoot "${ROOT}/htdocs/overridden"\n'
        + folder("/overridden/api", PAIR + "\nAllowOverride AuthConfig\nAuthVerifyOverride off"),
    "AllowOverride AuthConfig; .htaccess AuthVerifyTokenFile /etc/shadow":
        'DocumentRoot "${ROOT}/htdocs/overriding"\n' + folder("/overriding/api", "AllowOverride AuthConfig"),
    "<Directory> requires, <Location /api> AuthVerify Off": folder("/api", PAIR) + at("/api", "AuthVerify off"),
    '<Files "admin.php"> AuthVerify ...; ProxyPassMatch ^/(.*\\.php)$ fcgi':
        f'ProxyPassMatch "^/(.*\\.php)$" "http://127.0.0.1:${{BACKEND}}/$1"\n<Files "admin.php">\n{PAIR}\n</Files>\n'
        "AuthVerifyStrictPath on\n",
    PAIR_HINT + "; <Location /api/open> AuthVerify Off": PROXY + IN_API + at("/api/open", "AuthVerify off"),
    PAIR_HINT + "; RequestHeader set X-Auth-Token ... early":
        PROXY + IN_API + "RequestHeader set X-Auth-Token x early\n",
    PAIR_HINT + "; strip on in /a, off in /b; redirect a->b":
        'ProxyPass "/b/" "http://127.0.0.1:${BACKEND}/"\n' + at("/b", PAIR + " strip=off")
        + folder("/a", PAIR + '\nRewriteEngine on\nRewriteRule "^x$" "/b/x" [L]'),
}


def write_lists(server, fixtures):
    """The lists of clients, and the secrets, that the hosts name."""
    pairs = [(fixtures["T1"], fixtures["S1"]), (fixtures["T2"], fixtures["S2"])]
    users = [(name, bcrypt(password[:71])) for name, password in fixtures["basic"].items()]
    put_clients(server, "pairs", "".join(f"{token} {sha256(secret)}\n" for token, secret in pairs))
    put_clients(server, "application", f"{pairs[0][0]} {sha256(pairs[0][1])} application={fixtures['A1']}\n")
    put_clients(server, "tokens", f"robot {sha256(fixtures['B1'])}\n")
    put_clients(server, "keys", f"sensor {sha256(fixtures['K1'])}\n")
    put_clients(server, "users", "".join(f"{name} {secret}\n" for name, secret in users))
    put_clients(server, "disabled", "".join(f"{name} {secret} expires=2020-01-01\n" for name, secret in users))
    server.secret("github", fixtures["WH_GITHUB"])


def write_pages(server):
    """What stands in the folders that some hosts serve."""
    for name, text in {"public/p.shtml": '<!--#include virtual="/api/v1/secret" -->', "public/secret.html": "the page",
                       "public/inner/secret.html": "the page",
                       "public/q.shtml": '<!--#include file="inner/secret.html" -->', "api/index.txt": "",
                       "api/v1/x": "the page", "a/index.txt": "", "overridden/api/v1/x": "the page",
                       "overridden/api/.htaccess": "AuthVerify off\n", "overriding/api/v1/x": "the page",
                       "overriding/api/.htaccess": "AuthVerify token-pair secret=file:/etc/shadow\n"}.items():
        server.write(name, text)


class Hosts:
    """A port for each configuration that a case asks for: they all send to one host."""

    def __init__(self, fixtures):
        self._fixtures = fixtures
        self._ports = {hint: free_port() for hint in HOSTS}

    def port(self, attack):
        return self._ports[attack.hint]

    def config(self, server):
        write_lists(server, self._fixtures)
        write_pages(server)
        return "".join(f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName {self._fixtures['host']}\n"
                       f'Header always set X-Test-User "expr=%{{REMOTE_USER}}"\n{HOSTS[hint]}</VirtualHost>\n'
                       for hint, port in self._ports.items())


# --- judging ----------------------------------------------------------------------------------------------------------

def readings(target):
    """The paths that a target comes to, decoded never, once or twice, without parameters and dot segments."""
    found = {target}
    for _ in range(2):
        found |= {urllib.parse.unquote(text, encoding="latin-1") for text in found}
    paths = set()
    for text in found:
        text = re.split("[?#]", re.sub(r"^https?://[^/]*", "", text))[0].replace("\\", "/")
        segments = []
        for segment in (part.split(";")[0] for part in text.split("/")):
            if segment == "..":
                del segments[-1:]
            elif segment not in ("", "."):
                segments.append(segment)
        paths.add("/" + "/".join(segments) + "/")
    return paths


def _values(received, name):
    return [value for key, value in received.headers if key.lower() == name.lower()]


def _absent(names, received, _answer, _fixtures):
    return [f"the backend received {name}" for each in received for name in names if _values(each, name)]


def _equal(wanted, received, _answer, fixtures):
    return [f"the backend received {name}: {_values(each, name)}" for each in received for name, value in wanted.items()
            if _values(each, name) != [value.replace("<id of T1>", fixtures["T1"])]]


def _user(wanted, _received, answer, fixtures):
    user = wanted["REMOTE_USER"].replace("<id of T1>", fixtures["T1"])
    return [] if f"\r\nX-Test-User: {user}\r\n".encode() in answer else ["REMOTE_USER is another"]


def _never_value(value, received, _answer, _fixtures):
    return [f"the backend received {key}: {value}" for each in received for key,
            found in each.headers if found == value]


def _never_target(target, received, _answer, _fixtures):
    return [f"the backend received {each.path}" for each in received if each.path.endswith(target)]


def _never_prefix(prefix, received, _answer, _fixtures):
    return [f"the backend received {each.path}" for each in received
            if any(path.startswith(prefix) for path in readings(each.path))]


SEES = {"headers_absent": _absent, "headers_absent_if_reached": _absent, "headers_equal": _equal, "env_equal": _user,
        "no_header_value": _never_value, "never_sees_target": _never_target,
        "never_sees_normalised_prefix": _never_prefix,
        "note": lambda *_: []}


def judge(attack, answer, received, fixtures):
    """What is wrong with the answer, and with what the backend received: sentences."""
    status = final_status(answer)
    expected = attack.expect["status_any"]
    wrong = [] if is_expected(status, expected) else [f"status {status}, not one of {expected}"]
    if len(received) not in BACKEND_COUNTS[attack.expect["backend"]]:
        wrong.append(f"the backend received {len(received)} requests, not {attack.expect['backend']}")
    for name, value in attack.expect.get("backend_sees", {}).items():
        wrong += SEES[name](value, received, answer, fixtures)
    if status != "close" and status >= 500 and status not in expected:
        wrong.append("the server's own fault")
    return wrong


def secrets(fixtures):
    """Every secret of the fixtures that a host here knows, as it travels."""
    found = {fixtures[name].encode() for name in ("S1", "S2", "B1", "K1", "WH_GITHUB")}
    for user, password in fixtures["basic"].items():
        found |= {password.encode(), base64.b64encode(f"{user}:{password}".encode())}
    return found
