# shellcheck shell=bash
# Sourced by the scripts that start a private mail server: certificates, free ports,
# and processes that are found again without their names.
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PATH=$PATH:/usr/sbin:/sbin

# certificates DIR: a certificate authority and a server's certificate for localhost.
certificates() {
    [ ! -f "$1/server.pem" ] || return 0
    local new=(openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    (
        cd "$1"
        umask 077
        "${new[@]}" -x509 -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Private test CA" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
        "${new[@]}" -keyout server.key -out server.csr -subj "/CN=localhost"
        printf '%s\n' 'subjectAltName=DNS:localhost,IP:127.0.0.1' 'basicConstraints=CA:FALSE' \
            'extendedKeyUsage=serverAuth' >server.ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt \
            -extfile server.ext -days 3650
        cat server.crt ca.pem >server.pem
        chmod 644 ca.pem
    ) >"$1/openssl.log" 2>&1 || { cat "$1/openssl.log" >&2; fail "the test certificates could not be made"; }
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# port_pair WANTED: WANTED, or for 0 a port that is free like the one above it; from below the
# range that the kernel gives to outgoing connections.
port_pair() {
    local port tries
    if [ "$1" != 0 ]; then
        if listens "$1" || listens $(($1 + 1)); then
            fail "port $1 or $(($1 + 1)) is taken" "choose another, or 0 for free ones"
        fi
        echo "$1"
        return
    fi
    for ((tries = 0; tries < 30; tries++)); do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % 11000 * 2))
        if ! listens $port && ! listens $((port + 1)); then echo $port; return; fi
    done
    fail "no free port was found"
}

# wait_for_port PORT LOG
wait_for_port() {
    local i
    for ((i = 0; i < 200; i++)); do
        ! listens "$1" || return 0
        sleep 0.05
    done
    fail "the server does not listen on port $1" "see $2"
}

# A server outlives the script that starts it: descriptors that a caller left open would
# stay open with it, and callers that wait for their end would wait for the server's.
close_descriptors() {
    local descriptor
    for descriptor in /proc/self/fd/*; do
        descriptor=${descriptor##*/}
        [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
    done
}

# launch DIR COMMAND…: in a session of its own, whose number DIR/session holds, so that all of its
# processes can be ended by number.
launch() {
    local dir=$1
    shift
    (
        close_descriptors
        # shellcheck disable=SC2016 # for the shell within
        MAILWORKER_SERVER=$dir exec setsid /bin/bash -c 'echo $$ >"$0/session"; exec "$@"' "$dir" "$@" \
            </dev/null >>"$dir/server.log" 2>&1
    ) &
}

# The session's leader, when it still runs: the number may be another's by now.
session_of() { # DIR
    local number
    [ -s "$1/session" ] || return 1
    number=$(<"$1/session")
    tr '\0' '\n' <"/proc/$number/environ" 2>/dev/null | grep -qxF "MAILWORKER_SERVER=$1" || return 1
    echo "$number"
}

# stop_session DIR: asks the server to end, and ends what is left of it.
stop_session() {
    local session signal left i
    session=$(session_of "$1") || { rm -f "$1/session"; return 0; }
    for signal in TERM KILL; do
        for ((i = 0; i < 60; i++)); do
            # Those that are gone but not yet taken leave of by their parent do not count.
            left=$(ps -o pid=,stat= -s "$session" | awk '$2 !~ /^Z/ { print $1 }')
            [ -n "$left" ] || { rm -f "$1/session"; return 0; }
            # shellcheck disable=SC2086 # several numbers
            [ $((i % 20)) != 0 ] || kill -$signal $left 2>/dev/null || true
            sleep 0.05
        done
    done
    fail "some processes of the server in $1 do not end: $left"
}
