# shellcheck shell=bash
# Sourced by the benchmarks of many accounts: a company's mailboxes on a private Dovecot that holds
# thousands of connections, and one installation that declares them all.
# shellcheck source=Benchmarks/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fleet="$root/Benchmarks/fleet.py"
export FLEET_PASSWORD=fleet-password

# prepare_fleet ACCOUNTS MESSAGES: sets work, server, imaps_port and ca_file, and starts the server.
prepare_fleet() {
    "$root/scripts/setup" bench
    build_program
    work=$(mktemp -d "${MAILWORKER_WORK:-${TMPDIR:-/tmp}}/mailworker-fleet.XXXXXX")
    chmod 711 "$work"
    trap 'clean_up' EXIT
    trap 'exit 130' INT TERM
    server=$work/server
    mkdir -p "$server"

    say "Making $1 mailboxes with $2 messages each in $work"
    "$fleet" users "$1" "$server/users"
    "$root/scripts/dovecot" start "$server" 0 --many >"$server/facts"
    # shellcheck source=/dev/null
    . "$server/facts"
    deliver_fleet "$1" "$2" first
}

# deliver_fleet ACCOUNTS MESSAGES ROUND
deliver_fleet() {
    "$fleet" deliver "$1" "$2" "$3" "$server/mail"
    chown -R --reference="$server/mail" "$server/mail"
}

# declare_fleet DIR ACCOUNTS [key=value…]: an installation that polls them; keys are those of [[account]].
declare_fleet() {
    local home=$1 accounts=$2
    shift 2
    mkdir -p "$home"
    config=$home/mailworker.toml
    {
        "$mailworker" --config "$config" init
        printf '\n[network]\nallow = ["127.0.0.0/8"]\n' >>"$config"
        "$fleet" contacts "$accounts" "$home/contacts.csv"
        "$mailworker" --config "$config" contact import "$home/contacts.csv"
        # shellcheck disable=SC2154 # imaps_port and ca_file come from the server's facts
        "$fleet" config "$accounts" "$config" 'imap_host="127.0.0.1"' "imap_port=$imaps_port" \
            "ca_file=\"${fleet_ca_file:-$ca_file}\"" "$@"
    } >"$home/install.log" 2>&1 || { cat "$home/install.log" >&2; fail "the installation could not be made"; }
}

# measured NAME COMMAND…: runs it and prints a line of what it took; its output is in $work/NAME.out.
measured() {
    local name=$1
    shift
    /usr/bin/python3 "$root/Benchmarks/measured.py" "$work/$name.facts" "$@" >"$work/$name.out" 2>"$work/$name.err" ||
        { tail -n 5 "$work/$name.err" >&2; fail "this failed: $*"; }
    # shellcheck source=/dev/null
    . "$work/$name.facts"
    # shellcheck disable=SC2154 # the facts
    printf '%-28s %7s s  %7s s cpu  %5s MB  %4s threads  %5s files\n' "$name" "$seconds" "$cpu_seconds" \
        "$peak_megabytes" "$peak_threads" "$peak_descriptors"
}
