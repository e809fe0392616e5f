"""httpd with aws4 rules in front of a store, as the AWS clients of this folder meet it.

SPDX-License-Identifier: Apache-2.0
"""
import secrets
from contextlib import contextmanager
from dataclasses import dataclass

from clients import put_clients
from s3_backend import Store
from server import Server

REGION = "eu-central-1"
MODULES = ["proxy", "proxy_http", "socache_shmcb", "ssl"]

# Buckets, and what else stands beside them. Region and service are those that the clients are told.
IN_EACH_HOST = """
ServerName test.example
ServerAlias *
AllowEncodedSlashes NoDecode
MergeSlashes off
AuthVerifyBody limit=64m
AuthVerifyErrorBody aws
ProxyPass "/" "http://127.0.0.1:${BACKEND}/" nocanon
ProxyPreserveHost on
<Location "/">
    AuthVerify aws4 region=${REGION} service=s3 unsigned-payload=on clients=file:conf/aws.clients
</Location>
<Location "/strict">
    AuthVerify aws4 region=${REGION} service=s3 clients=file:conf/aws.clients
</Location>
<Location "/lenient">
    AuthVerify aws4 region=${REGION} service=s3 content-sha256=optional clients=file:conf/aws.clients
</Location>
<Location "/temporary">
    AuthVerify aws4 region=${REGION} service=s3 access-key=${TEMPORARY} \\
        secret=file:conf/temporary.secret session-token=file:conf/temporary.token
</Location>
<Location "/prod">
    AuthVerify aws4 region=${REGION} service=execute-api clients=file:conf/aws.clients
</Location>
"""
CONFIG = f"""
<VirtualHost 127.0.0.1:${{PORT}}>{IN_EACH_HOST}</VirtualHost>
<VirtualHost 127.0.0.1:${{TLS_PORT}}>{IN_EACH_HOST}
SSLEngine on
SSLCertificateFile "${{CERTIFICATES}}/certificate.pem"
SSLCertificateKeyFile "${{CERTIFICATES}}/key.pem"
</VirtualHost>
"""


@dataclass(frozen=True)
class Key:
    """What a client is configured with."""

    access_key: str
    secret: str
    token: str = None

    @property
    def wrong(self):
        """The same with another secret."""
        return Key(self.access_key, self.secret[::-1], self.token)

    @property
    def environment(self):
        """For programs that take their key from there."""
        found = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret}
        return {**found, "AWS_SESSION_TOKEN": self.token} if self.token else found


def fresh_key(token=None):
    return Key("AKIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30), token)


class Cloud:
    """httpd, the store behind it, and the keys that it knows."""

    def __init__(self, server, store, key, temporary):
        self.server, self.store, self.key, self.temporary = server, store, key, temporary

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def tls_endpoint(self):
        return f"https://127.0.0.1:{self.server.tls_port}"


@contextmanager
def cloud(certificates):
    key, temporary = fresh_key(), fresh_key(token=secrets.token_urlsafe(200))
    with Store() as store:
        defines = {"BACKEND": store.port, "REGION": REGION, "TEMPORARY": temporary.access_key,
                   "CERTIFICATES": certificates}
        server = Server(CONFIG, modules=MODULES, tls=True, defines=defines, allow=[r"refused reason="])
        put_clients(server, "aws.clients", f"{key.access_key} plain:{key.secret}\n")
        server.secret("temporary.secret", temporary.secret)
        server.secret("temporary.token", temporary.token)
        with server:
            yield Cloud(server, store, key, temporary)
