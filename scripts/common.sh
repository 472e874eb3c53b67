# shellcheck shell=bash
# Sourced by the scripts of this folder: the project's root, and how they speak.

set -euo pipefail

# Messages of the tools below are read and compared: one language for all of them.
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export root

if [ -t 2 ]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' red='' green='' plain=''
fi

# What is being done, to the person who watches.
say() { printf '%s%s%s\n' "$bold" "$*" "$plain" >&2; }

# A gate that holds: what it looked at.
pass() { printf '%sok%s    %s\n' "$green" "$plain" "$*" >&2; }

# A finding; the caller goes on and ends with a failure.
red() { printf '%sred%s   %s\n' "$red" "$plain" "$*" >&2; }

# fail WHAT [REMEDY]: ends the script.
fail() {
    printf '%serror:%s %s\n' "$red" "$plain" "$1" >&2
    [ $# -lt 2 ] || printf '  what to do: %s\n' "$2" >&2
    exit "${3:-1}"
}
