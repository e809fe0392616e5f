# build/guards/lib.sh: what the guards share. Sourced by bash.
# A guard takes the tree to check (default: its own) and prints each violation as FILE:LINE: TEXT. It fails on a
# violation, and also where it found nothing to check: a guard that looks at nothing would hold true for ever.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

guard=$(basename "$0")
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root" || exit 1
violations=0

# violation FILE[:LINE] TEXT
violation()
{
    printf '%s: %s\n' "$1" "$2"
    violations=$((violations + 1))
}

# conclude CHECKED NOUN: the guard's last command.
conclude()
{
    [ "$1" -gt 0 ] || violation "$root" "$guard found no $2 to check"
    printf '%s: %s %s checked, %s violations\n' "$guard" "$1" "$2" "$violations"
    [ "$violations" -eq 0 ]
}

# files FOLDER... -- PATTERN...: the files below the folders that match a name pattern, sorted. A folder may be absent.
files()
{
    local folders=() names=()
    while [ "$1" != -- ]; do
        [ ! -e "$1" ] || folders+=("$1")
        shift
    done
    shift
    [ ${#folders[@]} -gt 0 ] || return 0
    for pattern in "$@"; do
        names+=(-o -name "$pattern")
    done
    find "${folders[@]}" -type f \( "${names[@]:1}" \) | LC_ALL=C sort
}

# code_of FILE: C without comments and without what stands in quotes, line for line.
code_of()
{
    awk '
    {
        line = $0
        kept = ""
        while (line != "") {
            if (comment) {
                end = index(line, "*/")
                if (!end) break
                line = substr(line, end + 2)
                comment = 0
            } else if (match(line, /^("([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047)/)) {
                kept = kept "\"\""
                line = substr(line, RLENGTH + 1)
            } else if (substr(line, 1, 2) == "/*") {
                comment = 1
                line = substr(line, 3)
            } else if (substr(line, 1, 2) == "//") {
                break
            } else {
                kept = kept substr(line, 1, 1)
                line = substr(line, 2)
            }
        }
        print kept
    }' "$1"
}
