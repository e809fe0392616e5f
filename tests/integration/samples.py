"""Lists of clients that the manual and the examples show, where capitals stand in the place of a secret.

SPDX-License-Identifier: Apache-2.0
"""
import functools
import re

import clients

PLACE = re.compile(r"\b(sha256|bcrypt|plain):([A-Z][A-Z0-9_]*)(?=[\s;]|$)")


@functools.cache
def kept(kind, secret):
    """The secret as a list keeps it."""
    return f"plain:{secret}" if kind == "plain" else {"sha256": clients.sha256, "bcrypt": clients.bcrypt}[kind](secret)


def filled(text, secrets=None):
    """The list with a secret in each such place: that of `secrets`, by the place's name, or else its name."""
    return PLACE.sub(lambda match: kept(match.group(1), (secrets or {}).get(match.group(2), match.group(2))), text)


def samples_of(text):
    """The lists that a configuration shows in its comments, by name: "# /etc/authverify/NAME.clients ...:" and,
    indented, its lines."""
    found, name = {}, None
    for line in text.splitlines():
        head = re.match(r"# /etc/authverify/([\w-]+\.clients)\b.*:$", line)
        if head:
            name = head.group(1)
            found[name] = ""
        elif name and line.startswith("#     "):
            found[name] += line[6:] + "\n"
        elif name and line != "#":
            name = None
    return found
