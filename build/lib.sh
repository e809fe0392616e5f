# build/lib.sh: what build/run and build/test share: packages, configure and make. Sourced by bash.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$tree/build/out
umask 022 # httpd's children run as another user and pass through what we create

say()
{
    printf '\n== %s\n' "$*"
}

die()
{
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# missing_packages PACKAGE...: those that are not installed, one a line.
missing_packages()
{
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
    done
}

# may_become_root: sudo will do what it is asked; without a terminal it must not ask back.
may_become_root()
{
    command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }
}

# install_packages PACKAGE...: what is missing of them, from the distribution. None of them starts a service.
install_packages()
{
    local missing root=()
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here: configure will name what is missing"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        may_become_root || die "run this as root, then start again:
    apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
        root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update </dev/null
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}" </dev/null
}

# build_in FOLDER CONFIGURE-OPTION...: configures once for these options, then makes. Returns at the first failure,
# also where the caller has switched `set -e` off by asking for the status.
build_in()
{
    local folder=$1
    shift
    mkdir -p "$folder" || return
    [ -x "$tree/configure" ] || (cd "$tree" && autoreconf -fi) || return
    if [ "$(cat "$folder/configured-with" 2>/dev/null)" != "configure $*" ]; then
        (cd "$folder" && "$tree/configure" -q "$@") || return
        printf 'configure %s\n' "$*" >"$folder/configured-with" || return
    fi
    make -s -C "$folder" -j"$(nproc)" all || return
    chmod a+x "$tree" "$tree/build" "$out" "$folder" "$folder/.libs" # a clone made under umask 077 is closed to others
}
