"""This project's own small cases, tests/vectors/signature: one folder each, with the text that was signed.

rule.txt     what follows AuthVerify; file:NAME is a file of the folder
request.txt  request line and headers, each line ended by LF; an empty line; the body, to the last byte
signed.txt   the text that was signed; not there where nothing is
expect.txt   "accept LABEL", of the secret that matches, or "refuse REASON"; then "clock SECOND" where the time matters
SPDX-License-Identifier: Apache-2.0
"""
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "signature"

# For vectors that say nothing of the time.
ANY_TIME = 1767312000


@dataclass(frozen=True)
class Vector:
    name: str
    rule: str
    secrets: dict  # file name: text, without the line end
    method: str
    target: str
    headers: tuple
    body: bytes
    signed: bytes
    verdict: str   # "accept" or "refuse"
    detail: str    # label or reason
    clock: int

    @property
    def preset(self):
        return self.rule.split()[0]


def load_vectors():
    return [_load(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()]


def _load(folder):
    rule = (folder / "rule.txt").read_text().strip()
    head, _, body = (folder / "request.txt").read_bytes().partition(b"\n\n")
    first, *rest = head.decode().split("\n")
    method, target, _ = first.split()
    lines = dict(line.split(maxsplit=1) for line in (folder / "expect.txt").read_text().splitlines())
    verdict = "accept" if "accept" in lines else "refuse"
    signed = folder / "signed.txt"
    return Vector(name=folder.name, rule=rule,
                  secrets={name: (folder / name).read_text().rstrip("\n") for name in re.findall(r"file:(\S+)", rule)},
                  method=method, target=target, headers=tuple(tuple(line.split(": ", 1)) for line in rest), body=body,
                  signed=signed.read_bytes() if signed.exists() else None, verdict=verdict, detail=lines[verdict],
                  clock=int(lines.get("clock", ANY_TIME)))


def location(server, vector):
    """A <Location> that guards the vector's target; puts its secrets where the rule finds them."""
    (server.root / "conf" / vector.name).mkdir(exist_ok=True)
    rule = vector.rule
    for name, text in vector.secrets.items():
        source = server.secret(f"{vector.name}/{name}", text + "\n")
        rule = rule.replace(f"file:{name}", source)
    return f'<Location "{vector.target}">\nAuthVerify {rule}\n</Location>\n'
