# shellcheck shell=bash
# Sourced by the benchmarks: a mailbox made by generate.py on
# a private Dovecot, and fresh installations of the program that poll it.
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"

mailworker=${MAILWORKER_BINARY:-$root/.build/release/mailworker}

# Who signs in to the mail server.
login=bench

# build_program: builds the release binary unless there is one.
build_program() {
    if [ ! -x "$mailworker" ]; then
        say "Building the release binary"
        (cd "$root" && swift build -c release --product mailworker)
    fi
}

# prepare_program: what a benchmark without a mail server needs.
prepare_program() {
    "$root/scripts/setup" bench
    build_program
}

# prepare N [OPTION…]: makes N messages and starts the server; sets work, imap_port,
# imaps_port, ca_file. MAILWORKER_WORK names a folder to work in.
prepare() {
    "$root/scripts/setup" bench
    make_mail "$@"
    server=$work/server
    mkdir -p "$server"
    echo "$login:bench-password" >"$server/users"
    "$root/scripts/dovecot" load "$server" $login INBOX "$work/mail/INBOX"
    "$root/scripts/dovecot" load "$server" $login Sent "$work/mail/Sent"
    # Prints imap_port, imaps_port and ca_file as assignments.
    "$root/scripts/dovecot" start "$server" 0 >"$server/facts"
    # shellcheck source=/dev/null
    . "$server/facts"
}

# make_mail N [OPTION…]: builds what is missing, and makes N messages in $work/mail.
make_mail() {
    build_program
    work=$(mktemp -d "${MAILWORKER_WORK:-${TMPDIR:-/tmp}}/mailworker-bench.XXXXXX")
    chmod 711 "$work"
    trap 'clean_up' EXIT
    trap 'exit 130' INT TERM
    say "Making $1 messages in $work"
    /usr/bin/python3 "$root/Benchmarks/generate.py" "$@" "$work/mail" 2>&1 | tr -d '\n' >&2
    echo >&2
}

clean_up() {
    [ -z "${work-}" ] || "$root/scripts/dovecot" stop "$work/server"
    [ -n "${MAILWORKER_KEEP-}" ] || rm -rf "${work:?}"
}

# truth KEY: a number of truth.json.
truth() { sed -n "s/^ *\"$1\": \([0-9]*\),\{0,1\}$/\1/p" "$work/mail/truth.json"; }

# answer KEY FILE: the sum of a number over the accounts of a sync's answer.
answer() { sed -n "s/^ *\"$1\" *: *\([0-9]*\),\{0,1\}$/\1/p" "$2" | awk '{ sum += $1 } END { print sum + 0 }'; }

# install DIR: a fresh installation that knows the user, the contacts and the account.
install_fresh() {
    local home=$1 config=$1/mailworker.toml
    mkdir -p "$home"
    {
        "$mailworker" --config "$config" init
        printf '\n[network]\nallow = ["127.0.0.0/8"]\n' >>"$config"
        "$mailworker" --config "$config" user add bench --email bench@firma.example
        "$mailworker" --config "$config" user add colleague --email colleague@firma.example
        "$mailworker" --config "$config" contact import "$work/mail/contacts.csv"
        # shellcheck disable=SC2154 # imaps_port and ca_file come from the server's facts
        echo bench-password | "$mailworker" --config "$config" account add --preset custom --name bench \
            --user bench --email bench@firma.example --login "$login" --password-file - --imap-host 127.0.0.1 \
            --imap-port "$imaps_port" --imap-security tls --ca-file "$ca_file"
    } >"$home/install.log" 2>&1 || { cat "$home/install.log" >&2; fail "the installation could not be made"; }
}

# check_counts ANSWER: what sync reports against what the generator knows.
check_counts() {
    local pair key expected
    for pair in messages:fetched linked:linked review:review duplicates:duplicates ignored:ignored; do
        key=${pair#*:}
        expected=$(truth "${pair%:*}")
        [ "$(answer "$key" "$1")" = "$expected" ] ||
            { cat "$1" >&2; fail "$key is $(answer "$key" "$1"), and should be $expected"; }
    done
}
