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
    %(location)s
</Location>
%(more)s
"""

libc = ctypes.CDLL(None)


def cpu_seconds(pid):
    """User and system time of all threads that the process has or had, in the kernel's nanoseconds."""
    clock = ctypes.c_int()
    error = libc.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)


def cpu_of(session):
    """CPU seconds of each process of a session so far."""
    return {pid: cpu_seconds(pid) for pid, _ in session_members(session)}


def cpu_between(name, before, after):
    """CPU seconds of all processes together. No process may have come or gone."""
    if after.keys() != before.keys():
        raise RuntimeError(f"{name}: its processes were {list(before)} and are {list(after)}")
    return sum(after.values()) - sum(before.values())


class Measured(Server):
    """An httpd on `core`, of which the CPU time can be had. Nothing of it is left afterwards, whatever happened.

    location    lines of the location / (who is let in)
    more        lines outside of it
    load        names of httpd's own modules
    has_module  the module is loaded
    """

    def __init__(self, name, core, location="Require all granted", more="", load=(), has_module=False, allow=()):
        self.name, self.core = name, core
        self.lines = {"location": location, "more": more}
        self.own_modules, self.has_module = load, has_module
        super().__init__("", allow=allow)
        self.write(HOOK_PATH[1:], ANSWER)

    def _preamble(self):
        folder = apxs_query("LIBEXECDIR")
        load = [f'LoadModule {name}_module "{folder}/mod_{name}.so"' for name in self.own_modules]
        if self.has_module:
            load += [f'LoadModule authverify_module "{module_under_test()}"',
                     f'AuthVerifyPresetPath "{preset_folder()}"']
        return CONFIG % {
            "root": self.root, "port": self.port, "modules": folder, "load": "\n".join(load), **self.lines,
            "user": f"User {RUN_AS}\nGroup {RUN_AS}" if os.geteuid() == 0 else ""}

    def _command(self, *arguments):
        return [*pinned(self.core), *super()._command(*arguments)]

    def _leave(self):
        self.keep = False
        super()._leave()

    def cpu(self):
        return cpu_of(self.process.pid)

    def cpu_since(self, before):
        return cpu_between(self.name, before, self.cpu())


class Target(Measured):
    """The httpd of one row of TARGETS."""

    def __init__(self, name, core=None):
        has_module, beside = TARGETS[name]
        self.verifies = beside is not None
        locations = [f'<Location "{path}">\n{rule}{beside}</Location>' for path, rule in RULES.items()]
        super().__init__(name, core, more="\n".join(locations) if self.verifies else "", has_module=has_module,
                         allow=[r"refused reason=wrong-signature "] if self.verifies else [])
        self.write(AWS_PATH[1:], ANSWER)
        self.secret("secret", SECRET)
