"""A configuration with a mistake does not start, and the message says file, line, directive and remedy.

A row's configuration marks the line of the mistake with ">"; the message must name exactly that line.
SPDX-License-Identifier: Apache-2.0
"""
import os
import pwd
import re
import shutil
import subprocess

import pytest

from configtest import IS_ROOT, assert_says, await_second_reading, failing_start, in_location, put
from server import RUN_AS, Server, preset_folder

SECRET = "the secret of the tests of mistakes"
FROM_FILE = "secret=file:${ROOT}/conf/github"
CUSTOM = "signature signature=%{header:X-Signature}"
LITERAL = "hunter2-is-a-secret-itself"
TMPFS = "/dev/shm"


def rule(words):
    """One AuthVerify line, which is the mistake."""
    return in_location(f"> AuthVerify {words}")


def custom(options, secret=FROM_FILE):
    return rule(f"{CUSTOM} {options} {secret}")


def alone(line):
    return in_location(f"> {line}")


def secret_file(name):
    return rule(f"github secret=file:${{ROOT}}/conf/{name}")


def preset_in_folder(name):
    return "AuthVerifyPresetPath ${ROOT}/presets\n" + rule(f"{name} {FROM_FILE}")


MANY_SIGNATURES = " ".join(f"signature=%{{header:X-{number}}}" for number in range(9))
MANY_EXPECTATIONS = " ".join(f"expect=%{{header:X-{number}}}:1" for number in range(9))

SCHEME_OR_PRESET = {
    "nothing named": (rule(""), ["AuthVerify", "a scheme or preset must be named"]),
    "also nothing named": (alone("AuthVerifyAlso"), ["AuthVerifyAlso", "a scheme or preset must be named"]),
    "unknown preset": (rule(f"no-such-provider {FROM_FILE}"),
                       ['AuthVerify: "no-such-provider" is neither a scheme (token-pair, basic, bearer, api-key, '
                        'signature, aws4, jwt, introspection, none)',
                        preset_folder()]),
    "unknown preset that is nearly one": (rule(f"githab {FROM_FILE}"), ['did you mean "github"?']),
    "unknown scheme that is nearly one": (rule(f"signatur {FROM_FILE}"), ['did you mean "signature"?']),
    "a scheme of a later day": (rule("http-signature components=@method"), ['"http-signature" is neither a scheme']),
    "a preset's name is not a path": (rule(f"../presets/github {FROM_FILE}"),
                                      ['"../presets/github" is neither a scheme']),
    "off with options": (rule("off strip=off"), ["AuthVerify off takes no options"]),
    "off beside rules": (in_location(f"AuthVerify github {FROM_FILE}\n> AuthVerify off"),
                         ["AuthVerify off contradicts the rules of the same section"]),
    "rules beside off": (in_location(f"AuthVerify off\n> AuthVerify github {FROM_FILE}"),
                         ["AuthVerify off of the same section contradicts this rule"]),
    "also beside off": (in_location(f"AuthVerify off\n> AuthVerifyAlso github {FROM_FILE}"),
                        ["AuthVerify off of the same section contradicts this rule"]),
    "also alone": (alone(f"AuthVerifyAlso github {FROM_FILE}"),
                   ["AuthVerifyAlso adds to an AuthVerify of the same section",
                    "write one of the rules as AuthVerify"]),
    "also alone inside a protected location": (
        in_location(f"AuthVerify github {FROM_FILE}") + in_location(f"> AuthVerifyAlso gitea {FROM_FILE}", "/a"),
        ["AuthVerifyAlso adds to an AuthVerify of the same section"]),
    "unreachable rule": (in_location(f"AuthVerify github {FROM_FILE}\n> AuthVerify github {FROM_FILE}"),
                         ["so it can never decide", "remove one, or put several secret= into one rule"]),
    "unreachable by a header written otherwise": (
        in_location(f"AuthVerify github {FROM_FILE}\n> AuthVerify signature signature=%{{header:x-hub-signature-256}} "
                    f"{FROM_FILE}"), ["can never decide"]),
    "unreachable by a parameter": (
        in_location(f"AuthVerify signature signature=%{{query:s}} signed=%{{path}}%{{body}} {FROM_FILE}\n"
                    f"> AuthVerify signature signature=%{{query:s}} {FROM_FILE}"), ["can never decide"]),
    "unreachable also": (
        in_location(f"AuthVerify github {FROM_FILE}\nAuthVerifyAlso gitlab {FROM_FILE}\n"
                    f"> AuthVerifyAlso gitlab {FROM_FILE}"),
        ["can never decide"]),
    "a rule whose credential is taken away": (
        in_location(f"AuthVerify github {FROM_FILE}\n> AuthVerifyHeader X-Hub-Signature-256 %{{client}}"),
        ["X-Hub-Signature-256"]),
    "expectations that contradict": (custom("expect=%{method}:GET expect=%{method}:POST"), ["expect"]),
}

LIMITED = {
    f"{directive.split()[0]} inside {container}": (
        in_location(f"<{container} GET>\n> {directive}\n</{container}>"),
        ["cannot stand inside <Limit> or <LimitExcept>: the other methods would be open"])
    for container in ("Limit", "LimitExcept")
    for directive in (f"AuthVerify github {FROM_FILE}", f"AuthVerifyAlso github {FROM_FILE}", "AuthVerify off",
                      "AuthVerifyMode observe", "AuthVerifyOverride on", "AuthVerifyBody limit=1m",
                      "AuthVerifyExternalURL as-registered", "AuthVerifyErrorBody html", "AuthVerifyHeader X-A b",
                      "AuthVerifyThrottle failures=20", "AuthVerifyThrottle off")
}

WORDS = {
    "quotes around the value": (rule(f'github {FROM_FILE} realm="a b"'),
                                ["word 3 (realm=) contains a quote",
                                 'quoted together with its name: "name=two words"']),
    "single quotes around the value": (rule(f"github {FROM_FILE} realm='a'"), ["word 3 (realm=) contains a quote"]),
    "quote not closed": (rule(f'github {FROM_FILE} "realm=a b'), ["word 3 (realm=) opens a quote that is not closed"]),
    "text after a quote": (rule(f'github {FROM_FILE} "realm=a"b'),
                           ["word 3 (realm=)", "right after its closing quote"]),
    "variable that is not defined": (rule("github secret=file:${NOT_DEFINED}/x"),
                                     ["word 2 (secret=) contains ${", "Define it before this line"]),
    "64 words": (rule("github " + " ".join([FROM_FILE] * 63)),
                 ["more than 63 words; put some of the options into an AuthVerifyPreset"]),
    "quote in a preset": ('> AuthVerifyPreset mine signature signature="%{header:X}"', ["contains a quote"]),
    "quote in Require": (in_location(f'AuthVerify github {FROM_FILE}\n> Require authverify client a"b'),
                         ["Require authverify: word 2 contains a quote"]),
    "quote in the body's bounds": (alone('AuthVerifyBody limit="1m"'),
                                   ["AuthVerifyBody: ", "(limit=) contains a quote"]),
    "no name": (rule(f"github {FROM_FILE} =x"), ['word 2 after "github" is not written name=value']),
    "no equals sign": (rule(f"github {FROM_FILE} strip"), ['word 2 after "github" is not written name=value']),
    "empty value": (rule(f"github {FROM_FILE} realm="), ["realm= has no value; give it one or leave it out"]),
    "empty value in quotes": (rule(f'github {FROM_FILE} "realm="'), ["realm= has no value"]),
    "empty secret source": (rule("github secret="), ["secret= has no value"]),
}

OPTIONS = {
    "unknown option, one letter off": (rule(f"github {FROM_FILE} realms=a"),
                                       ['there is no option "realms"; did you mean "realm"?']),
    "unknown option of the scheme, two letters off": (rule(f"github {FROM_FILE} algoritm=token"),
                                                      ['did you mean "algorithm"?']),
    "unknown option, nothing near": (rule(f"github {FROM_FILE} colour=red"),
                                     ['there is no option "colour"; there are:', "signed", "secret", "tolerance"]),
    "upper case": (rule(f"github {FROM_FILE} REALM=a"), ['word 2 after "github" is not written name=value']),
    "option of a later day": (rule(f"github {FROM_FILE} audience=x"), ['there is no option "audience"']),
    "replay of a later day": (rule(f"github {FROM_FILE} replay=refuse"), ['there is no option "replay"']),
    "digest of a later day": (custom("digest=%{header:X-Digest}"), ['there is no option "digest"']),
    **{f"{option} twice": (custom(f"{option}={first} {option}={second}"), [f"{option}= is given twice; keep one"])
       for option, first, second in (
           ("realm", "a", "b"), ("strip", "on", "on"), ("exclusive", "on", "off"), ("identity", "a", "b"),
           ("prefix", "a", "b"), ("encoding", "hex", "base64"), ("case", "any", "lower"),
           ("signed", "a%{body}", "b%{body}"),
           ("algorithm", "token", "hmac-sha1"), ("key-encoding", "raw", "hex"), ("key-prefix", "a", "b"),
           ("unsigned-id", "%{header:A}", "%{header:B}"), ("list", "space", "comma"), ("version", "v1", "v2"))},
    "fields twice": (rule(f"stripe {FROM_FILE} fields=%{{header:A}} fields=%{{header:B}}"), ["fields= is given twice"]),
    "tolerance twice": (rule(f"stripe {FROM_FILE} tolerance=1 tolerance=2"), ["tolerance= is given twice"]),
    "timestamp twice": (custom("timestamp=%{header:A} timestamp=%{header:B} signed=%{timestamp}%{body}"),
                        ["timestamp= is given twice"]),
    "id twice": (custom("id=%{header:A} id=%{header:B} signed=%{id}.%{body}"), ["id= is given twice"]),
    "switch": (rule(f"github {FROM_FILE} strip=yes"), ["strip=: must be on or off"]),
    "other switch": (rule(f"github {FROM_FILE} exclusive=1"), ["exclusive=: must be on or off"]),
    "identity with a blank": (rule(f'github {FROM_FILE} "identity=a b"'), ["identity=: must be visible ASCII"]),
    "identity with a control byte": (rule(f"github {FROM_FILE} identity=a\x01b"), ["identity=: must be visible ASCII"]),
    "realm with a backslash": (rule(f"github {FROM_FILE} realm=a\\b"),
                               ["realm=: holds a backslash or a control character"]),
    "realm with a control byte": (rule(f"github {FROM_FILE} realm=a\x7fb"), ["realm=: holds a backslash or a control"]),
    **{f"tolerance={value}": (rule(f"stripe {FROM_FILE} tolerance={value}"),
                              ["tolerance=: must be seconds, PAST or PAST:FUTURE, a year at most"])
       for value in ("5m", "-1", ":5", "5:", "5:6:7", "31622401", "99999999999999999999", "1.5")},
    "tolerance without a time": (rule(f"github {FROM_FILE} tolerance=5"),
                                 ["tolerance= needs a time to compare with", "leave it out or add timestamp="]),
}

SIGNATURE = {
    "nowhere to look": (rule(f"signature signed=%{{body}} {FROM_FILE}"),
                        ["signature= must say where the signature is"]),
    "nine signatures": (rule(f"signature {MANY_SIGNATURES} {FROM_FILE}"), ["more than 8"]),
    "signature that is text": (rule(f"signature signature=X-Signature {FROM_FILE}"),
                               ['signature=: "X-Signature" must be one of %{header:', "%{query:"]),
    "signature in the body": (rule(f"signature signature=%{{json:/sig}} {FROM_FILE}"), ["must be one of"]),
    "unknown selector": (custom("signed=%{bdy}"), ["signed=: %{bdy} is no selector; there are %{body}"]),
    "selector without its name": (custom("signed=%{header}%{body}"), ["%{header} is no selector"]),
    "selector with an empty name": (custom("signed=%{header:}%{body}"), ["%{header:}: a name must follow the colon"]),
    "name where none belongs": (custom("signed=%{method:x}%{body}"), ["%{method:x} is no selector"]),
    "blank in a name": (rule(f'{CUSTOM} "signed=%{{header:a b}}%{{body}}" {FROM_FILE}'),
                        ["a name holds neither blanks nor braces"]),
    "no JSON pointer": (custom("signed=%{body} expect=%{json:a}:1"), ["after json: stands a pointer such as /data/id"]),
    "selector not closed": (custom("signed=%{body"), ['signed=: a "%{" is not closed by "}"']),
    "percent sign alone": (custom("signed=100%.%{body}"), ['a "%" stands alone; write %% for a percent sign']),
    "list": (custom("list=semicolon"), ['list=: "semicolon" is none of space, comma']),
    "version with an equals sign": (custom("list=comma version=v1=x"),
                                    ["version=: holds a blank, a comma or an equals sign"]),
    "version without a list": (custom("version=v1"),
                               ["version= chooses among entries; say with list= how they are separated"]),
    "case": (custom("case=upper"), ['case=: "upper" is none of lower, any']),
    "case of base64": (custom("case=any encoding=base64"), ["case= is about hexadecimal digits"]),
    "encoding": (custom("encoding=base32"), ['encoding=: "base32" is none of hex, base64, base64url']),
    "algorithm": (custom("algorithm=md5"),
                  ['algorithm=: "md5" is none of hmac-sha256, hmac-sha1, hmac-sha512, ed25519, token']),
    "no algorithm at all": (custom("algorithm=none"), ['"none" is none of']),
    "key encoding": (custom("key-encoding=base32"), ['key-encoding=: "base32" is none of raw, hex, base64, pem']),
    "pem of a shared secret": (custom("key-encoding=pem"), ["key-encoding=pem is for public keys"]),
    "list with fields": (rule(f"stripe {FROM_FILE} list=comma"), ["list= and fields= do not go together"]),
    "separator without fields": (custom("separator=comma"), ["separator= stands between the fields of fields="]),
    "separator": (rule(f"stripe {FROM_FILE} separator=blank"), ['separator=: "blank" is none of comma, semicolon']),
    "fields that nobody reads": (custom("fields=%{header:X-Fields}"), ["fields= is read but no %{field:"]),
    "field without fields": (rule(f"signature signature=%{{field:v1}} {FROM_FILE}"), ["needs fields=%{header:NAME}"]),
    "fields of the query": (custom("fields=%{query:f}"), ["fields=:", "must be one of %{header:"]),
    "token with an encoding": (custom("algorithm=token encoding=hex"),
                               ["a token is compared as it is sent; leave encoding= out"]),
    "token that signs": (custom("algorithm=token signed=%{body}"), ["a token signs nothing; leave signed= out"]),
    "time that is not signed": (custom("timestamp=%{header:X-Time}"),
                                ["timestamp=%{header:X-Time} is not part of what is signed, so anybody can change it",
                                 "put %{timestamp} into signed=, or add unsigned-ok=timestamp"]),
    "time that a preset signs and the line does not": (rule(f"slack {FROM_FILE} signed=%{{body}}"),
                                                       ["is not part of what is signed"]),
    "time beside a token": (custom("algorithm=token timestamp=%{header:X-Time}"), ["is not part of what is signed"]),
    "id that is not signed": (custom("id=%{header:X-Id}"),
                              ["id=%{header:X-Id} is not part of what is signed",
                               "put %{id} into signed=, or use unsigned-id="]),
    "signed time that is not there": (custom("signed=%{timestamp}.%{body}"),
                                      ["signed= holds %{timestamp}, but timestamp= does not say what that is"]),
    "signed id that is not there": (custom("signed=%{id}.%{body}"),
                                    ["signed= holds %{id}, but id= does not say what that is"]),
    "signed time from inside the body": (custom("timestamp=%{json:/t} signed=%{timestamp}.%{body}"),
                                         ["%{timestamp} stands inside the body; write its own selector in signed="]),
    "timestamp format": (custom("timestamp=%{header:T} timestamp-format=http signed=%{timestamp}%{body}"),
                         ['timestamp-format=: "http" is none of unix, unix-ms, rfc3339']),
    "timestamp format without a time": (custom("timestamp-format=unix"),
                                        ["timestamp-format= says how timestamp= is written"]),
    "unsigned time without a time": (custom("unsigned-ok=timestamp"), ["unsigned-ok=timestamp is about timestamp="]),
    "unsigned something": (custom("unsigned-ok=id"), ['unsigned-ok=: "id" is none of timestamp']),
    "expectation without a value": (custom("expect=%{method}"), ["expect=: must be written %{", "}:VALUE"]),
    "expectation of an empty value": (custom("expect=%{method}:"), ["expect=: must be written"]),
    "expectation of a body": (custom("expect=%{body}:x"), ["expect=:", "must be one of"]),
    "nine expectations": (custom(MANY_EXPECTATIONS), ["expect=: is given more than 8 times"]),
    "ed25519 with a secret": (custom("algorithm=ed25519"), ["is not an Ed25519 public key"]),
    "key of another kind": (custom("algorithm=ed25519 key-encoding=pem", "secret=file:${ROOT}/conf/p256.pem"),
                            ["is not an Ed25519 public key"]),
}

SECRETS = {
    "no secret": (rule("github"), ["no secret= is given; add secret=file:PATH"]),
    "no secret, with a preset of our own": ("AuthVerifyPreset mine github realm=x\n" + rule("mine"),
                                            ["no secret= is given; add secret=file:PATH"]),
    "secret written out": (rule(f"github secret={LITERAL}"),
                           ["secret=: a secret is not written here but named: file:PATH, env:NAME, exec:PROGRAM or "
                            "credential:NAME"]),
    "secret written out with an equals sign": (rule(f"github secret={LITERAL}=="), ["a secret is not written here"]),
    "secret written out in quotes": (rule(f'github secret="{LITERAL}"'), ["word 2 (secret=) contains a quote"]),
    "secret without its name": (rule(f"github {LITERAL}"), ['word 1 after "github" is not written name=value']),
    "secret under another name": (rule(f"github secrets={LITERAL}"), ['did you mean "secret"?']),
    "secret written out in a preset": (f"> AuthVerifyPreset mine github secret={LITERAL}\n"
                                       + in_location("AuthVerify mine"),
                                       ["a secret is not written here"]),
    "nothing after file:": (rule("github secret=file:"),
                            ['nothing follows "file:"; name what the secret is read from']),
    "nothing after env:": (rule("github secret=env:"), ['nothing follows "env:"']),
    "relative program": (rule("github secret=exec:print-secret"),
                         ["is not an absolute path; write exec:/path/to/program"]),
    "credential that is a path": (rule("github secret=credential:/etc/x"),
                                  ["is a path; write the credential's name alone"]),
    "credential outside systemd": (rule("github secret=credential:hook"),
                                   ["CREDENTIALS_DIRECTORY is not set",
                                    "put LoadCredential=hook:PATH into httpd's unit"]),
    "variable not set": (rule("github secret=env:NO_SUCH_VARIABLE_IS_SET"),
                         ["environment variable NO_SUCH_VARIABLE_IS_SET is not set; set it where httpd is started"]),
    "variable empty": (rule("github secret=env:AUTHVERIFY_EMPTY"), ["environment variable AUTHVERIFY_EMPTY is empty"]),
    "missing file": (secret_file("missing"), ["conf/missing", "does not exist; create it"]),
    "second secret missing": (rule(f"github {FROM_FILE} secret=file:${{ROOT}}/conf/missing"), ["does not exist"]),
    "empty file": (secret_file("empty"), ["is empty; put a secret into it"]),
    "nothing but a line end": (secret_file("line-end"), ["is empty; put a secret into it"]),
    "readable by others": (secret_file("readable"), ["is readable by others; run: chmod o= ", "conf/readable"]),
    "writable by others": (secret_file("writable"), ["is writable by others; run: chmod o-w "]),
    "writable by its group": (secret_file("group-writable"), ["is writable by its group; run: chmod g-w "]),
    "folder": (secret_file("folder"), ["is a folder; name a file in it"]),
    "pipe": (secret_file("pipe"), ["is a device, pipe or socket; name a regular file"]),
    "device": (rule("github secret=file:/dev/zero"), ["is a device, pipe or socket"]),
    "too much": (secret_file("large"), ["gives more than 65536 bytes, which is no secret"]),
    "not base64": (rule("standard-webhooks secret=file:${ROOT}/conf/github"),
                   ["secret= github: its text is not written as key-encoding= says"]),
    "not hexadecimal": (custom("key-encoding=hex"), ["its text is not written as key-encoding= says"]),
    "nothing but a prefix": (rule("standard-webhooks secret=file:${ROOT}/conf/prefix-only"),
                             ["nothing is left of it once its prefix is cut off"]),
    "public key that others may write": (custom("algorithm=ed25519", "secret=file:${ROOT}/conf/writable"),
                                         ["is writable by others; run: chmod o-w "]),
}

PRESETS = {
    "called off": ("> AuthVerifyPreset off signature a=b", ['AuthVerifyPreset', 'a preset cannot be called "off"']),
    "called like a scheme": ("> AuthVerifyPreset signature signature a=b", ['a preset cannot be called "signature"']),
    "without a scheme": ("> AuthVerifyPreset mine", ["write AuthVerifyPreset NAME SCHEME name=value"]),
    "without anything": ("> AuthVerifyPreset", ["write AuthVerifyPreset NAME SCHEME name=value"]),
    **{f"called {name}": (f"> AuthVerifyPreset {name} github a=b", ["use a-z, 0-9 and hyphens between them"])
       for name in ("Mine", "a/b", "a..b", "-a", "a-", "a_b")},
    "twice": ("AuthVerifyPreset mine github realm=a\n> AuthVerifyPreset mine github realm=b",
              ['preset "mine" is there already, from line ']),
    "in a circle": ("AuthVerifyPreset one two realm=a\nAuthVerifyPreset two one strip=on\n" + rule(f"one {FROM_FILE}"),
                    ["builds on itself"]),
    "on itself": ("AuthVerifyPreset one one realm=a\n" + rule(f"one {FROM_FILE}"), ["builds on itself"]),
    "on nothing": ("> AuthVerifyPreset mine no-such-provider realm=a\n" + in_location(f"AuthVerify mine {FROM_FILE}"),
                   ['"no-such-provider" is neither a scheme']),
    "with an unknown option": ("> AuthVerifyPreset mine github prefx=a\n"
                               + in_location(f"AuthVerify mine {FROM_FILE}"),
                               ['did you mean "prefix"?']),
    "with an unknown option, and no rule uses it": ("> AuthVerifyPreset mine github prefx=a",
                                                    ['did you mean "prefix"?']),
    "on nothing, and no rule uses it": ("> AuthVerifyPreset mine no-such-provider realm=a", ["is neither a scheme"]),
    "in a circle, and no rule uses it": ("AuthVerifyPreset one two realm=a\n> AuthVerifyPreset two one strip=on",
                                         ["builds on itself"]),
    "with a missing secret, and no rule uses it": ("> AuthVerifyPreset mine github secret=file:${ROOT}/conf/missing",
                                                   ["AuthVerifyPreset: ", "does not exist"]),
    "inside a location": (alone("AuthVerifyPreset mine github realm=a"), ["AuthVerifyPreset not allowed"]),
    "path that is missing": ("> AuthVerifyPresetPath ${ROOT}/nowhere",
                             ["AuthVerifyPresetPath: there is no folder ", "nowhere"]),
    "path that is a file": ("> AuthVerifyPresetPath ${ROOT}/conf/github",
                            ["AuthVerifyPresetPath: there is no folder "]),
    "file of another name": (preset_in_folder("renamed"), ['renamed.conf: only "AuthVerifyPreset renamed',
                                                           "line 2 of "]),
    "file with a directive": (preset_in_folder("directive"), ['directive.conf: only "AuthVerifyPreset directive']),
    "file with nothing": (preset_in_folder("nothing"), ["nothing.conf holds no AuthVerifyPreset line"]),
    "file with a quote": (preset_in_folder("quoted"), ["line 1 of ", "quoted.conf", "contains a quote"]),
    "file with an unknown option": (preset_in_folder("option"), ["option.conf", 'did you mean "prefix"?']),
    "file that is a folder": (preset_in_folder("folder"), ["folder.conf"]),
}

PRESET_FILES = {
    "renamed": "# of another provider\nAuthVerifyPreset github signature signature=%{header:X}\n",
    "directive": "AuthVerifyMode observe\n",
    "nothing": "# nothing yet\n",
    "quoted": 'AuthVerifyPreset quoted signature signature="%{header:X}"\n',
    "option": "AuthVerifyPreset option signature signature=%{header:X} prefx=a\n",
}

SIZE = "must be a number of bytes"

DIRECTIVES = {
    "mode": (alone("AuthVerifyMode permissive"),
             ['AuthVerifyMode: "permissive" is none of enforce, optional, observe']),
    "mode without a word": (alone("AuthVerifyMode"), ["AuthVerifyMode takes one argument"]),
    "optional without Require": (in_location(f"AuthVerifyMode optional\n> AuthVerify github {FROM_FILE}"),
                                 ['AuthVerifyMode optional lets a request without a credential through to "Require ',
                                  "add one, inside <RequireAny>"]),
    "optional with another Require": (
        in_location(f"AuthVerifyMode optional\nRequire ip 127.0.0.1\n> AuthVerify github {FROM_FILE}"),
        ["AuthVerifyMode optional lets"]),
    "override": (alone("AuthVerifyOverride maybe"), ["AuthVerifyOverride must be On or Off"]),
    "override outside sections": ("> AuthVerifyOverride on", ["AuthVerifyOverride not allowed"]),
    "error body": (alone("AuthVerifyErrorBody json"), ['AuthVerifyErrorBody: "json" is none of problem, html, empty, aws']),
    "Require with an unknown word": (in_location(f"AuthVerify github {FROM_FILE}\n> Require authverify user x"),
                                     ["Require authverify takes nothing more, or"]),
    "Require client without a name": (in_location(f"AuthVerify github {FROM_FILE}\n> Require authverify client"),
                                      ["Require authverify takes nothing more, or"]),
    "Require of an unknown scheme": (in_location(f"AuthVerify github {FROM_FILE}\n> Require authverify scheme oauth"),
                                     ['"oauth" is none of token-pair, basic, bearer, api-key, signature, aws4, jwt, '
                                      'introspection, none']),
    "Require with a mistake before any rule": (in_location(f"> Require authverify user x\n"
                                                           f"AuthVerify github {FROM_FILE}"),
                                               ["Require authverify takes nothing more, or"]),
    "throttle that counts nothing": (alone("AuthVerifyThrottle"), ["AuthVerifyThrottle: counts nothing; add failures=20"]),
    "throttle of a bare word": (alone("AuthVerifyThrottle 20"), ["AuthVerifyThrottle: word 1", "is not written name=value"]),
    "throttle off with options": (alone("AuthVerifyThrottle off failures=1"), ["AuthVerifyThrottle: word 1"]),
    "throttle's unknown option": (alone("AuthVerifyThrottle failure=1"),
                                  ['AuthVerifyThrottle: there is no option "failure"; did you mean "failures"?']),
    "throttle of no failure": (alone("AuthVerifyThrottle failures=0"),
                               ["AuthVerifyThrottle: failures=: is a number from 1 to 100000"]),
    "throttle of less for all than for one": (alone("AuthVerifyThrottle failures=2 network-failures=1"),
                                              ["AuthVerifyThrottle: network-failures= is less than failures="]),
    "throttle of too many": (alone("AuthVerifyThrottle failures=101 window=1"),
                             ["AuthVerifyThrottle: counts more than 100 a second"]),
    "throttle twice": (in_location("AuthVerifyThrottle failures=1\n> AuthVerifyThrottle failures=2"),
                       ["AuthVerifyThrottle: stands twice in one section"]),
    "throttle and off": (in_location("AuthVerifyThrottle failures=1\n> AuthVerifyThrottle off"),
                         ["AuthVerifyThrottle: stands twice in one section"]),
    "body without options": (alone("AuthVerifyBody"), ["AuthVerifyBody"]),
    "body's unknown option": (alone("AuthVerifyBody limt=1m"),
                              ['AuthVerifyBody: there is no option "limt"; did you mean "limit"?']),
    "body's option twice": (alone("AuthVerifyBody limit=1m limit=2m"),
                            ["AuthVerifyBody: limit= is given twice; keep one"]),
    "body's empty value": (alone("AuthVerifyBody limit="), ["AuthVerifyBody: limit= has no value"]),
    "body's bare word": (alone("AuthVerifyBody 25m"), ["AuthVerifyBody: word 1", "is not written name=value"]),
    **{f"body {option}={value}": (alone(f"AuthVerifyBody {option}={value}"), [f"AuthVerifyBody: {option}=: {SIZE}"])
       for option, value in (("limit", "0"), ("limit", "-1"), ("limit", "many"), ("limit", "25mb"), ("limit", "1t"),
                             ("limit", "1.5m"), ("limit", "+5"), ("limit", "99999999999999999999"),
                             ("limit", "9000000000g"), ("memory", "0"), ("memory", "2g"), ("memory", "x"),
                             ("parse", "0"),
                             ("parse", "2g"))},
    "body memory=4095": (alone("AuthVerifyBody memory=4095"), ["AuthVerifyBody: memory=: must be 4k at least"]),
    "body spool that is missing": (alone("AuthVerifyBody spool=${ROOT}/nowhere"),
                                   ["AuthVerifyBody: spool=: there is no folder ", "nowhere"]),
    "body spool that is a file": (alone("AuthVerifyBody spool=${ROOT}/conf/github"), ["spool=: there is no folder "]),
    **{f"body timeout={value}": (alone(f"AuthVerifyBody timeout={value}"),
                                 ["AuthVerifyBody: timeout=: must be a time such as 60 or 500ms"])
       for value in ("0", "-5", "soon", "60x")},
    **{f"external URL {value}": (alone(f"AuthVerifyExternalURL {value}"),
                                 ["AuthVerifyExternalURL: must be as-registered, or a URL such as https://hooks."])
       for value in ("hooks.example.com", "ftp://hooks.example.com", "https://", "https:///path",
                     "https://a@hooks.example.com",
                     "https://hooks.example.com/?a=b", "https://hooks.example.com/#a", '"https://hooks example.com"',
                     "off")},
    "external URL without a word": (alone("AuthVerifyExternalURL"), ["AuthVerifyExternalURL takes one argument"]),
    **{f"header {name}": (alone(f"AuthVerifyHeader {name} %{{client}}"),
                          ["AuthVerifyHeader: ", "cannot be the name of a header for the handler"])
       for name in ('"X Client"', '"X:Client"', "X-Cli\xe9nt", "Host", "content-length", "Transfer-Encoding",
                    "CONNECTION",
                    "Authorization", "Expect", "Upgrade", "TE", "Trailer", "Cookie", "Content-Type")},
    "header without a value": (alone("AuthVerifyHeader X-Client"), ["AuthVerifyHeader takes two arguments"]),
    "header with an empty value": (alone('AuthVerifyHeader X-Client ""'), ["AuthVerifyHeader takes two arguments"]),
    **{f"header value {value}": (alone(f"AuthVerifyHeader X-Client {value}"),
                                 ["AuthVerifyHeader: in a header's value there are %{client}, %{scheme}, %{rule}"])
       for value in ("%{label:x}", "%{client", "100%", "%c")},
    "header value with a claim without a name": (alone('AuthVerifyHeader X-Client "%{claim:}"'),
                                                 ["a claim is called by its name, such as email"]),
    "header value with a claim that is no pointer": (alone('AuthVerifyHeader X-Client "%{claim:/a~2}"'),
                                                     ["is no JSON pointer"]),
    "header value with a claim that is not closed": (alone('AuthVerifyHeader X-Client "%{claim:email"'),
                                                     ["the brace of %{claim:NAME} is not closed"]),
    "Require claim without a value": (in_location("> Require authverify claim tenant"),
                                      ["Require authverify claim takes NAME:VALUE"]),
    "Require claim with an empty value": (in_location("> Require authverify claim tenant:"),
                                          ["Require authverify claim takes NAME:VALUE"]),
    "Require claim without a name": (in_location("> Require authverify claim :acme"),
                                     ["Require authverify claim: a claim is called by its name"]),
    "header value with a control byte": (alone("AuthVerifyHeader X-Client a\x01b"), ["AuthVerifyHeader: "]),
}

GROUPS = {"rule": SCHEME_OR_PRESET, "limit": LIMITED, "words": WORDS, "option": OPTIONS, "signature": SIGNATURE,
          "secret": SECRETS, "preset": PRESETS, "directive": DIRECTIVES}
MISTAKES = [pytest.param(config, parts, id=f"{group}: {name}")
            for group, rows in GROUPS.items() for name, (config, parts) in rows.items()]


def prepare_files(server):
    """Every kind of file that may not be a secret, and the presets with mistakes."""
    server.secret("github", SECRET)
    server.secret("short", "15 bytes of it!")
    server.secret("empty", "")
    server.secret("line-end", "\r\n")
    server.secret("large", "x" * 65537)
    server.secret("prefix-only", "whsec_")
    server.secret("readable", SECRET, 0o604)
    server.secret("writable", SECRET, 0o602)
    server.secret("group-writable", SECRET, 0o620)
    (server.root / "conf" / "folder").mkdir()
    os.mkfifo(server.root / "conf" / "pipe", 0o600)
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                    server.root / "conf" / "p256.key"], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", server.root / "conf" / "p256.key", "-pubout", "-out",
                    server.root / "conf" / "p256.pem"], check=True, capture_output=True)
    (server.root / "presets").mkdir()
    (server.root / "presets" / "folder.conf").mkdir()
    for name, text in PRESET_FILES.items():
        (server.root / "presets" / f"{name}.conf").write_text(text)
    for name in ("github", "stripe", "slack", "standard-webhooks"):
        shutil.copy(f"{preset_folder()}/{name}.conf", server.root / "presets")


@pytest.fixture(scope="module")
def bench():
    """A ServerRoot in which configurations are tested; no server runs there for longer than one test."""
    server = Server("", modules=["authz_host"], environment={"AUTHVERIFY_EMPTY": ""})
    prepare_files(server)
    yield server
    server.close()


def assert_is_readable(output, config):
    """The log escapes what is not ASCII, and no secret may stand in it."""
    if config.isascii() and config.replace("\n", "").isprintable():
        assert "\\x" not in output, f"the log cannot show what the message holds:\n{output}"
    assert LITERAL not in output and SECRET not in output, f"a secret is shown in:\n{output}"


@pytest.mark.parametrize("config, parts", MISTAKES)
def test_a_mistake_is_named_with_its_line_and_stops_the_start(bench, config, parts):
    where = put(bench, config)
    directive = next(line for line in config.split("\n") if line.startswith("> ")).split()[1]
    status, output = bench.configtest()
    assert status == 1, f"{status}\n{output}"
    assert_says(output, where, [directive, *parts])
    assert_is_readable(output, config)
    status, output = failing_start(bench)
    assert status == 1, f"{status}\n{output}"
    assert_says(output, where, [directive, *parts])
    assert_is_readable(output, config)


def test_every_mistake_of_a_configuration_is_named_at_once(bench):
    put(bench, in_location("AuthVerify github secret=file:${ROOT}/conf/missing")
        + in_location("AuthVerify gitlab secret=file:${ROOT}/conf/empty", "/b"))
    status, output = bench.configtest()
    assert status == 1
    assert "does not exist" in output and "is empty" in output


def test_a_mistake_in_an_included_file_is_named_with_that_file(bench):
    (bench.root / "conf" / "included.conf").write_text("# first line\n" + in_location("AuthVerify github"))
    put(bench, "Include conf/included.conf")
    status, output = bench.configtest()
    assert status == 1
    assert f"line 3 of {bench.root}/conf/included.conf: AuthVerify: no secret= is given" in output


@pytest.mark.skipif(not IS_ROOT, reason="only root can give a file away")
def test_a_secret_of_another_user_is_refused(bench):
    path = bench.root / "conf" / "given-away"
    path.write_text(SECRET)
    path.chmod(0o600)
    os.chown(path, pwd.getpwnam(RUN_AS).pw_uid, -1)
    where = put(bench, secret_file("given-away"))
    status, output = bench.configtest()
    assert status == 1
    assert_says(output, where, ["belongs neither to root nor to the user who starts httpd; run: chown root "])


# --- what looks like a mistake and is none ----------------------------------------------------------------------------

RIGHT = {
    "two rules that look elsewhere": in_location(f"AuthVerify github {FROM_FILE}\nAuthVerify gitlab {FROM_FILE}"),
    "63 words": in_location("AuthVerify github " + " ".join([FROM_FILE] * 62)),
    "single quotes around word and name": in_location(f"AuthVerify github {FROM_FILE} 'realm=a b'"),
    "words over several lines": in_location(f"AuthVerify github \\\n    {FROM_FILE} \\\n    realm=a"),
    "an option of the preset again": in_location(f"AuthVerify stripe {FROM_FILE} tolerance=5:1"),
    "several secrets": in_location(f"AuthVerify github {FROM_FILE} {FROM_FILE}"),
    "an unsigned time that is excused": in_location(
        f"AuthVerify {CUSTOM} timestamp=%{{header:T}} unsigned-ok=timestamp {FROM_FILE}"),
    "a time inside the signed body": in_location(f"AuthVerify {CUSTOM} timestamp=%{{json:/t}} {FROM_FILE}"),
    "an expectation that is not signed": in_location(f"AuthVerify {CUSTOM} expect=%{{header:X-Kind}}:a:b {FROM_FILE}"),
    "a preset after its use": in_location("AuthVerify mine") + f"AuthVerifyPreset mine github {FROM_FILE}",
    "a preset that builds on one that builds on one":
        "AuthVerifyPreset a b realm=a\nAuthVerifyPreset b github strip=off\n"
    + in_location(f"AuthVerify a {FROM_FILE}"),
    "a shipped preset's file, included": f"Include {preset_folder()}/github.conf\n"
    + in_location(f"AuthVerify github {FROM_FILE}"),
    "a rule for the whole server": f"AuthVerify github {FROM_FILE}",
    "Require before the rule": in_location(f"Require authverify\nAuthVerify github {FROM_FILE}"),
    "Require without a rule": in_location("Require authverify"),
    "optional with Require, which comes last": in_location(
        f"AuthVerifyMode optional\nAuthVerify github {FROM_FILE}\n"
        "<RequireAny>\nRequire ip 127.0.0.1\nRequire authverify\n</RequireAny>"),
    "all bounds of a body": in_location("AuthVerifyBody limit=1g memory=4k parse=1 spool=${ROOT}/spool timeout=500ms"),
    "an external URL with port and path": in_location("AuthVerifyExternalURL https://hooks.example.com:8443/base/"),
    "a secret path from the ServerRoot": in_location("AuthVerify github secret=file:conf/github"),
    "a secret that its group may read": in_location("AuthVerify github secret=file:${ROOT}/conf/group"),
    "a public key that everybody may read": in_location(
        "AuthVerify discord key-encoding=pem secret=file:${ROOT}/conf/ed25519.pem"),
}


@pytest.mark.parametrize("config", RIGHT.values(), ids=RIGHT.keys())
def test_what_is_right_is_accepted(bench, config):
    bench.secret("group", SECRET, 0o640)
    make_ed25519_key(bench)
    status, output = bench.configtest(config)
    assert (status, output.splitlines()[-1]) == (0, "Syntax OK"), output


def make_ed25519_key(server):
    public = server.root / "conf" / "ed25519.pem"
    if not public.exists():
        private = server.root / "conf" / "ed25519.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True,
                       capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
        public.chmod(0o644)


# --- warnings and notices ---------------------------------------------------------------------------------------------

WARNINGS = {
    "short secret": (in_location("> AuthVerify github secret=file:${ROOT}/conf/short"),
                     "gives a secret shorter than 16 bytes; use one that nobody guesses"),
    "short secret of a preset": ("> AuthVerifyPreset mine github secret=file:${ROOT}/conf/short\n"
                                 + in_location("AuthVerify mine"), "gives a secret shorter than 16 bytes"),
    "body not covered": (in_location(f"> AuthVerify {CUSTOM} signed=%{{method}}%{{path}} {FROM_FILE}"),
                         "signed= does not cover the body; whoever sees one request can send another body with it"),
    "spool in memory": (in_location(f"> AuthVerifyBody spool={TMPFS}"), "is kept in memory (tmpfs)"),
    "shadowed preset": (f"> AuthVerifyPreset github signature signature=%{{header:X-Mine}} {FROM_FILE}",
                        'the preset "github" of '),
}


@pytest.mark.parametrize("config, text", WARNINGS.values(), ids=WARNINGS.keys())
def test_a_warning_is_logged_once_at_each_start_and_stops_nothing(config, text):
    server = Server("")
    prepare_files(server)
    where = put(server, config)
    status, output = server.configtest()
    assert status == 0 and "Syntax OK" in output, output
    with server:
        await_second_reading(server)
        server.expect(re.escape(text), 1)
        assert [where in line for line in server.new_lines() if text in line] == [True]
        server.check_log()
        server.expect(re.escape(text), 1)
        server.graceful()


@pytest.mark.parametrize("name", ["short secret", "body not covered", "spool in memory"])
def test_a_warning_is_shown_by_a_test_of_the_configuration(bench, name):
    config, text = WARNINGS[name]
    where = put(bench, config)
    status, output = bench.configtest()
    assert status == 0, output
    assert [where in line for line in output.splitlines() if text in line] == [True], output


def test_a_secret_of_16_bytes_brings_no_warning(bench):
    bench.secret("sixteen", "16 bytes of it!!")
    status, output = bench.configtest(in_location("AuthVerify github secret=file:${ROOT}/conf/sixteen"))
    assert (status, output.strip()) == (0, "Syntax OK")
