"""The servers that are compared: one httpd each, equal but for the lines that concern the module.

SPDX-License-Identifier: Apache-2.0
"""
import ctypes
import os
import time

from aws4_signer import Signer
from loader import ANSWER, AWS_PATH, HOOK_PATH, HOST, SECRET, pinned
from server import RUN_AS, Server, apxs_query, module_under_test, preset_folder, session_members

RULES = {
    HOOK_PATH: "AuthVerify github secret=file:${ROOT}/conf/secret\n",
    AWS_PATH: f"AuthVerify aws4 access-key={Signer().access_key} secret=file:${{ROOT}}/conf/secret region=us-east-1 "
              "service=execute-api tolerance=86400\n",  # however long it runs
}
# name: (the module is loaded, what stands beside each rule; None: there is none)
TARGETS = {
    "bare": (False, None),
    "idle": (True, None),
    "verifying": (True, ""),
    "verifying memory=1m": (True, "AuthVerifyBody memory=1m\n"),
}

THREADS = 32
CONFIG = f"""
Define ROOT "%(root)s"
ServerRoot "%(root)s"
LoadModule mpm_event_module "%(modules)s/mod_mpm_event.so"
LoadModule authz_core_module "%(modules)s/mod_authz_core.so"
%(load)s
ServerName {HOST}
Listen 127.0.0.1:%(port)d
PidFile run/httpd.pid
DefaultRuntimeDir "%(root)s/run"
DocumentRoot "%(root)s/htdocs"
ErrorLog logs/error_log
LogLevel warn
StartServers 1
ServerLimit 1
ThreadLimit {THREADS}
ThreadsPerChild {THREADS}
MaxRequestWorkers {THREADS}
MinSpareThreads 1
MaxSpareThreads {THREADS}
MaxConnectionsPerChild 0
Timeout 60
KeepAlive On
KeepAliveTimeout 60
MaxKeepAliveRequests 0
EnableMMAP Off
%(user)s
<Directory />
    AllowOverride None
    Options FollowSymLinks
</Directory>
<Location "/">
    Require all granted
</Location>
%(locations)s
"""

libc = ctypes.CDLL(None)


def cpu_seconds(pid):
    """User and system time of all threads that the process has or had, in the kernel's nanoseconds."""
    clock = ctypes.c_int()
    error = libc.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)


class Target(Server):
    """The httpd of one row of TARGETS, on `core`. Nothing of it is left afterwards, whatever happened."""

    def __init__(self, name, core=None):
        self.name = name
        self.core = core
        self.has_module, self.beside = TARGETS[name]
        self.verifies = self.beside is not None
        super().__init__("", allow=[r"refused reason=wrong-signature "] if self.verifies else [])
        for path in RULES:
            self.write(path[1:], ANSWER)
        self.secret("secret", SECRET)

    def _preamble(self):
        load = f'LoadModule authverify_module "{module_under_test()}"\nAuthVerifyPresetPath "{preset_folder()}"'
        locations = "".join(f'<Location "{path}">\n{rule}{self.beside}</Location>\n' for path, rule in RULES.items())
        return CONFIG % {
            "root": self.root, "port": self.port, "modules": apxs_query("LIBEXECDIR"),
            "locations": locations if self.verifies else "",
            "load": load if self.has_module else "",
            "user": f"User {RUN_AS}\nGroup {RUN_AS}" if os.geteuid() == 0 else ""}

    def _command(self, *arguments):
        return [*pinned(self.core), *super()._command(*arguments)]

    def _leave(self):
        self.keep = False
        super()._leave()

    def cpu(self):
        """CPU seconds of each process so far."""
        return {pid: cpu_seconds(pid) for pid, _ in session_members(self.process.pid)}

    def cpu_since(self, before):
        """CPU seconds of all processes together since `before`. No process may have come or gone."""
        after = self.cpu()
        if after.keys() != before.keys():
            raise RuntimeError(f"{self.name}: its processes were {list(before)} and are {list(after)}")
        return sum(after.values()) - sum(before.values())
