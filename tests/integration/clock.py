"""A wall clock for one httpd that stands still at the second where a test puts it.

SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess
import tempfile
from pathlib import Path

# What mod_http2 says when a wait of its own ends early: the kernel, which ends it, has another clock.
HTTP2_WAITS = r"\[http2:warn\] .* h2_stream\(\S+,CLEANUP\)"

OWN_SOURCE = Path(__file__).resolve().parent / "stopped_clock.c"


def shared_folder():
    """The folder of data that is kept beside the source tree, or None where it is not there."""
    folder = Path(os.environ.get("AUTHVERIFY_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    return folder if folder.is_dir() else None


class Clock:
    """Use as a context manager, and give `environment` to the Server whose clock it is to be.

    now      the second since 1970 at which it stands at first
    source   of the library that is loaded into httpd
    """

    def __init__(self, now, source=OWN_SOURCE):
        self._folder = tempfile.TemporaryDirectory(prefix="authverify-clock-")
        folder = Path(self._folder.name)
        folder.chmod(0o755)
        self._file = folder / "now"
        library = folder / "clock.so"
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
        self.stop_at(now)
        preload = f"{os.environ.get('LD_PRELOAD', '')} {library}".strip()
        self.environment = {"LD_PRELOAD": preload, "AV_CLOCK": str(self._file)}

    def stop_at(self, now):
        """Puts it to a second since 1970. In one write of fixed width: a reader never sees half a number."""
        with open(self._file, "r+b" if self._file.exists() else "wb", buffering=0) as file:
            file.write(f"={now:012d}\n".encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()
