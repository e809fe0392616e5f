"""One httpd of its own for tests: a temporary ServerRoot, a loopback port, an error log that is read to the end.

SPDX-License-Identifier: Apache-2.0
"""
import itertools
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

RUN_AS = "www-data"
START_SECONDS = 20
STOP_SECONDS = 20
LOG_SECONDS = 5

# What httpd says of itself in a healthy life: start, graceful restart, stop.
HEALTHY = re.compile(
    r"AH00(?:489|163|094|292|491|492|493|494|169|170|171|172|173|295|297|298)\b"
    r"|the system's clock says a year before 2024"  # tests stop it in years gone by
    r"|AH02282|Graceful restart requested|resuming normal operations"
    r"|\[authverify:debug\]")  # at debug every refusal has a line of its own, so that tests can count them

RUNS = "resuming normal operations"  # the last that httpd says when it has started, or restarted

# Below those that Linux gives to connections, which would take a port before httpd does.
PORTS = range(20000, 32768)
_next_port = itertools.count(random.randrange(len(PORTS)))

MPM_LIMITS = {
    "event": "StartServers 1\nServerLimit 4\nThreadsPerChild 16\nMaxRequestWorkers 64\n"
             "MinSpareThreads 8\nMaxSpareThreads 64\n",
    "worker": "StartServers 1\nServerLimit 4\nThreadsPerChild 16\nMaxRequestWorkers 64\n"
              "MinSpareThreads 8\nMaxSpareThreads 64\n",
    "prefork": "StartServers 4\nServerLimit 24\nMaxRequestWorkers 24\nMinSpareServers 2\nMaxSpareServers 8\n",
}


def apxs_query(name):
    return subprocess.run([os.environ.get("APXS", "apxs"), "-q", name], check=True, capture_output=True,
                          text=True).stdout.strip()


def httpd_binary():
    """The server that belongs to apxs: PROGNAME in SBINDIR, httpd or apache2."""
    return os.environ.get("HTTPD") or os.path.join(apxs_query("SBINDIR"), apxs_query("PROGNAME"))


def module_under_test():
    """Path of the module under test: AUTHVERIFY_SO, or .libs/ of the build folder AUTHVERIFY_BUILD."""
    path = os.environ.get("AUTHVERIFY_SO")
    if path:
        return os.path.abspath(path)
    build = os.environ.get("AUTHVERIFY_BUILD", str(Path(__file__).resolve().parents[2]))
    return os.path.abspath(os.path.join(build, ".libs", "mod_authverify.so"))


def is_sanitized():
    """The module under test was built with the address sanitizer, which keeps memory that was freed."""
    return b"__asan_init" in Path(module_under_test()).read_bytes()


def preset_folder():
    """The presets of this source tree: nothing needs to be installed for the tests."""
    return str(Path(__file__).resolve().parents[2] / "conf" / "presets")


def free_port():
    """A port that nobody has, and that was not given before."""
    while True:
        port = PORTS[next(_next_port) % len(PORTS)]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, seconds, message):
    """Polls `condition` until it is true; its last value is returned. Fails with `message` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(message() if callable(message) else message)
        time.sleep(0.01)


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def session_members(session):
    """Process ids of one session, so of everything that one httpd has started."""
    members = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        state, parent, _, member_session = fields[:4]
        if int(member_session) == session and state != "Z":
            members.append((int(entry), int(parent)))
    return members


LISTENING, ESTABLISHED = "0A", "01"


def socket_inodes(pid):
    try:
        names = [os.readlink(entry) for entry in Path("/proc", str(pid), "fd").iterdir()]
    except OSError:
        return set()
    return {name[8:-1] for name in names if name.startswith("socket:[")}


def settled_sockets(ports):
    """Inodes of all sockets but those of connections to `ports` that are being closed. One that both sides have closed is
    in no table of the kernel any more."""
    settled = set()
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        settled.add(line.split()[6])
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            local_port, state, inode = int(fields[1].rpartition(":")[2], 16), fields[3], fields[9]
            if local_port not in ports or state in (LISTENING, ESTABLISHED):
                settled.add(inode)
    return settled


class Server:
    """An httpd with `config` behind a small preamble. Use as a context manager.

    config   httpd configuration; ${ROOT}, ${PORT}, ${TLS_PORT} and each name of `defines` are defined
    mpm      event, worker or prefork
    modules  names without mod_, beyond authz_core and the tested module
    tls      open ${TLS_PORT} too (the configuration has to use it)
    allow    patterns of error log lines that are right at any time in this server's life
    """

    alive = []

    def __init__(self, config, mpm="event", modules=(), defines=None, tls=False, allow=(), authverify=True,
                 log_level="warn", environment=None):
        self.mpm = mpm
        self.root = self._make_root()
        self.port = free_port()
        self.tls_port = free_port() if tls else None
        self.defines = dict(defines or {})
        self.modules = list(modules)
        self.authverify = authverify
        self.log_level = log_level
        self.environment = dict(os.environ, **(environment or {}))
        self.process = None
        self.keep = False
        self.always_allowed = [re.compile(pattern) for pattern in allow]
        self.error_log = self.root / "logs" / "error_log"
        self.config_file = self.root / "conf" / "httpd.conf"
        self._forget_expectations()
        self._read_bytes = 0
        self.configure(config)

    # --- folders and configuration ---------------------------------------------------------------------------------

    def _make_root(self):
        root = Path(tempfile.mkdtemp(prefix="authverify-", dir=os.environ.get("AUTHVERIFY_TMP")))
        root.chmod(0o755)
        for name in ("conf", "logs", "htdocs", "run"):
            (root / name).mkdir()
        for name in ("spool", "upload"):
            (root / name).mkdir()
            self.give_to_children(root / name)
        return root

    @property
    def htdocs(self):
        return self.root / "htdocs"

    @property
    def spool(self):
        return self.root / "spool"

    @staticmethod
    def give_to_children(path):
        """Makes `path` the run user's own, where the server runs its children as another user."""
        if os.geteuid() == 0:
            entry = pwd.getpwnam(RUN_AS)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def secret(self, name, value, mode=0o600):
        """Writes a secret file and returns its source, file:PATH."""
        path = self.root / "conf" / name
        path.write_bytes(value if isinstance(value, bytes) else value.encode())
        path.chmod(mode)
        return f"file:{path}"

    def write(self, name, text, mode=0o644):
        """Writes a file below htdocs."""
        path = self.htdocs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def configure(self, config):
        """Puts `config` in place; it is read at the next start or graceful restart."""
        self.config_file.write_text(self._preamble() + config)

    def _preamble(self):
        folder = apxs_query("LIBEXECDIR")
        lines = [f'ServerRoot "{self.root}"']
        lines += [f'LoadModule mpm_{self.mpm}_module "{folder}/mod_mpm_{self.mpm}.so"']
        lines += [f'LoadModule {name}_module "{folder}/mod_{name}.so"' for name in ["authz_core"] + self.modules]
        if self.authverify:
            lines += [f'LoadModule authverify_module "{module_under_test()}"',
                      f'AuthVerifyPresetPath "{preset_folder()}"',
                      f'AuthVerifyBody "spool={self.spool}"']
        names = {"ROOT": self.root, "PORT": self.port, "TLS_PORT": self.tls_port or 0, **self.defines}
        lines += [f'Define {name} "{value}"' for name, value in names.items()]
        lines += ["ServerName test.example", "Listen 127.0.0.1:${PORT}", "PidFile run/httpd.pid",
                  'DefaultRuntimeDir "${ROOT}/run"',
                  "ErrorLog logs/error_log", 'DocumentRoot "${ROOT}/htdocs"', "Timeout 20", "KeepAliveTimeout 10",
                  "MaxKeepAliveRequests 0", f"LogLevel {self.log_level}" + (" authverify:debug" if self.authverify else ""),
                  r'LogFormat "%u %>s \"%r\" rule=%{AUTHVERIFY_RULE}e reason=%{AUTHVERIFY_REASON}e" authverify',
                  "CustomLog logs/access_log authverify"]
        if self.tls_port:
            lines += ["Listen 127.0.0.1:${TLS_PORT}"]
        if os.geteuid() == 0:
            lines += [f"User {RUN_AS}", f"Group {RUN_AS}"]
        if "mime" in self.modules:
            (self.root / "conf" / "mime.types").write_text("text/plain txt\ntext/html html\n")
            lines += ["TypesConfig conf/mime.types"]
        if "cgid" in self.modules:
            lines += ["ScriptSock cgid.sock"]
        if "wsgi" in self.modules:
            lines += ['WSGISocketPrefix "${ROOT}/run/wsgi"']
        if "ssl" in self.modules:
            lines += ['SSLSessionCache "shmcb:${ROOT}/run/tls(64000)"']
        if "dav_fs" in self.modules:
            lines += ['DavLockDB "${ROOT}/upload/.lock"']
        return "\n".join(lines) + "\n" + MPM_LIMITS[self.mpm]

    # --- life --------------------------------------------------------------------------------------------------------

    def _command(self, *arguments):
        return [httpd_binary(), "-d", str(self.root), "-f", str(self.config_file), *arguments]

    def configtest(self, config=None):
        """(exit status, output) of `httpd -t` with `config`, or with what is in place."""
        if config is not None:
            self.configure(config)
        result = subprocess.run(self._command("-t"), capture_output=True, text=True, env=self.environment, timeout=60)
        return result.returncode, result.stdout + result.stderr

    def start(self):
        runs = self._count_log(RUNS)
        with open(self.root / "logs" / "console", "wb") as console:
            self.process = subprocess.Popen(self._command("-DFOREGROUND"), stdin=subprocess.DEVNULL, stdout=console,
                                            stderr=console, start_new_session=True, env=self.environment)
        if self not in Server.alive:
            Server.alive.append(self)
        # A port that is open says too little: another one may fail after it, and signals are not handled yet.
        wait_until(lambda: self.process.poll() is not None or self._count_log(RUNS) > runs, START_SECONDS,
                   lambda: "httpd does not start\n" + self.all_output())
        if self.process.poll() is not None:
            self.keep = True
            raise AssertionError(f"httpd ended with {self.process.returncode} at start\n{self.all_output()}")
        return self

    def stop(self):
        """Ends httpd by its own process id and requires that nothing it started is left."""
        if self.process is None:
            return
        session = self.process.pid
        if self.process.poll() is None:
            self._await_closed_connections()
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
            self._await_empty_session(session)
        finally:
            for pid, _ in session_members(session):
                os.kill(pid, signal.SIGKILL)
            self.process.wait(STOP_SECONDS)
            self.process = None

    def _await_closed_connections(self):
        """A child of mpm_event that is told to stop while it closes a connection may crash (any httpd, no module of ours
        needed): gives it the moment that it needs. What a client still holds open is not waited for."""
        deadline = time.monotonic() + 1
        while self._closing_connections() and time.monotonic() < deadline:
            time.sleep(0.002)

    def _closing_connections(self):
        held = [socket_inodes(pid) for pid in self.children()]
        return set().union(*held) - socket_inodes(self.process.pid) - settled_sockets((self.port, self.tls_port))

    def _await_empty_session(self, session):
        def message():
            left = {pid: Path("/proc", str(pid), "cmdline").read_bytes() for pid, _ in session_members(session)}
            return f"httpd left processes behind: {left}"
        wait_until(lambda: not session_members(session), STOP_SECONDS, message)

    def graceful(self):
        """Restarts gracefully and returns when the new generation has taken over."""
        done = self._count_log(RUNS)
        self.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: self._count_log(RUNS) > done, START_SECONDS,
                   lambda: "graceful restart did not finish\n" + self.all_output())

    def _count_log(self, text):
        return self.error_log.read_text(errors="replace").count(text) if self.error_log.exists() else 0

    def close(self):
        """Stops, reads the rest of the log, removes the ServerRoot unless a test failed."""
        try:
            self.stop()
            self.check_log()
        except BaseException:
            self.keep = True
            raise
        finally:
            self._leave()

    def _leave(self):
        if self in Server.alive:
            Server.alive.remove(self)
        if self.keep:
            print(f"kept for inspection: {self.root}")
        else:
            shutil.rmtree(self.root)

    def _fail(self):
        """The end of a server whose test has failed already: its log is shown, not judged."""
        self.keep = True
        print(self.all_output())
        try:
            self.stop()
        finally:
            self._leave()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self._fail()
            raise

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.close()
        else:
            self._fail()

    # --- what the processes hold --------------------------------------------------------------------------------------

    def children(self):
        return [pid for pid, parent in session_members(self.process.pid) if parent == self.process.pid]

    def anonymous_memory(self):
        """RssAnon of all children together, in bytes."""
        total = 0
        for pid in self.children():
            status = Path("/proc", str(pid), "status").read_text()
            total += int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.M).group(1)) * 1024
        return total

    def spooled(self, folder=None):
        """Files in the spool folder, and descriptors of unlinked files in it, of all processes of this server."""
        folder = folder or self.spool
        found = [str(path) for path in folder.rglob("*")]
        for pid, _ in session_members(self.process.pid):
            try:
                names = [os.readlink(entry) for entry in Path("/proc", str(pid), "fd").iterdir()]
            except OSError:
                continue
            found += [f"{pid}: {name}" for name in names if name.startswith(f"{folder}/")]
        return found

    def assert_nothing_spooled(self, folder=None):
        wait_until(lambda: not self.spooled(folder), LOG_SECONDS, lambda: f"left behind: {self.spooled(folder)}")

    # --- the error log ------------------------------------------------------------------------------------------------

    def _forget_expectations(self):
        self.expected, self.allowed = [], []

    def expect(self, pattern, count=None):
        """A line that this test brings about: required (`count` times exactly, else once or more), and right."""
        self.expected.append((re.compile(pattern), count))

    def allow(self, pattern):
        """A line that may appear during this test."""
        self.allowed.append(re.compile(pattern))

    def refusal(self, reason, count=None):
        """Expects the log line of a refusal that the client gets as its answer."""
        self.expect(rf"(?<!-)refused reason={re.escape(reason)} ", count)

    def lookup_refusal(self, reason, count=None):
        """Expects the log line of something that httpd looked up for itself, or included, and was refused."""
        self.expect(rf"lookup-refused reason={re.escape(reason)} ", count)

    def allow_refusals(self, *reasons):
        for reason in reasons:
            self.allow(rf"(?<!-)refused reason={re.escape(reason)} ")

    def _unread(self):
        """What the log holds in complete lines beyond what was checked already."""
        if not self.error_log.exists():
            return b""
        with open(self.error_log, "rb") as log:
            log.seek(self._read_bytes)
            data = log.read()
        return data[:data.rfind(b"\n") + 1]

    def new_lines(self):
        """The lines that this test has added so far."""
        return self._unread().decode(errors="replace").splitlines()

    def check_log(self):
        """Fails on a line that nothing expects, and on an expected line that does not come. Starts the next test."""
        missing = self._await_expected()
        unread = self._unread()
        self._read_bytes += len(unread)
        lines = unread.decode(errors="replace").splitlines()
        note_reasons(lines)
        right = [pattern for pattern, _ in self.expected] + self.allowed + self.always_allowed + [HEALTHY]
        unexpected = [line for line in lines if not any(pattern.search(line) for pattern in right)]
        self._forget_expectations()
        assert not missing, f"not in the error log as often as expected: {missing}\n" + "\n".join(lines)
        assert not unexpected, "unexpected in the error log:\n" + "\n".join(unexpected)

    def _await_expected(self):
        def missing():
            lines = self.new_lines()
            found = [(pattern, count, sum(1 for line in lines if pattern.search(line)))
                     for pattern, count in self.expected]
            return [(pattern.pattern, count or "any", seen) for pattern, count, seen in found
                    if seen != count and (count is not None or seen == 0)]
        deadline = time.monotonic() + LOG_SECONDS
        while missing() and time.monotonic() < deadline:
            time.sleep(0.02)
        return missing()

    def all_output(self):
        """Everything httpd said, for a failure's message."""
        texts = [path.read_text(errors="replace") for path in (self.root / "logs" / "console", self.error_log)
                 if path.exists()]
        return "\n".join(texts)


def note_reasons(lines):
    """Adds the reasons in these lines to the file AUTHVERIFY_REASONS_SEEN, for the guard that each was seen."""
    path = os.environ.get("AUTHVERIFY_REASONS_SEEN")
    names = [match for line in lines for match in re.findall(r"\breason=([a-z-]+)", line)]
    if path and names:
        with open(path, "a", encoding="ascii") as seen:
            seen.write("".join(f"{name}\n" for name in names))
