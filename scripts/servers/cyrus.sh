# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by scripts/imap-server: Cyrus IMAP 3, everything in $dir, as the user cyrus.

binaries=/usr/lib/cyrus/bin
imap_binaries=$unpacked/cyrus-imapd/usr/lib/cyrus/bin
programs=("$binaries/master" saslpasswd2 "$imap_binaries/imapd")
# In the foreground: the session's leader.
command=("$binaries/master" -D -C "$dir/imapd.conf" -M "$dir/cyrus.conf" -p "$dir/master.pid")

configure() { # IMAP_PORT IMAPS_PORT
    mkdir -p "$dir"/{config/{db,log,msg,proc,quota,socket,sync,user},spool,sieve}
    cat >"$dir/imapd.conf" <<CONF
configdirectory: $dir/config
partition-default: $dir/spool
sievedir: $dir/sieve
servername: localhost
virtdomains: userid
defaultdomain: default.invalid
admins: cyrus
cyrus_user: cyrus
umask: 077
# As Debian has it: folders under INBOX, with dots.
altnamespace: no
unixhierarchysep: no
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $dir/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: no
tls_server_cert: $dir/server.pem
tls_server_key: $dir/server.key
autocreate_quota: 0
autocreate_post: 1
autocreate_inbox_folders: Sent
autocreate_subscribe_folders: Sent
xlist-sent: Sent
lmtpsocket: $dir/config/socket/lmtp
idlesocket: $dir/config/socket/idle
notifysocket: $dir/config/socket/notify
CONF
    cat >"$dir/cyrus.conf" <<CONF
START {
  recover cmd="$binaries/ctl_cyrusdb -C $dir/imapd.conf -r"
}
SERVICES {
  imap cmd="$imap_binaries/imapd -C $dir/imapd.conf -U 30" listen="127.0.0.1:$1" prefork=0
  imaps cmd="$imap_binaries/imapd -C $dir/imapd.conf -s -U 30" listen="127.0.0.1:$2" prefork=0
}
EVENTS {
  checkpoint cmd="$binaries/ctl_cyrusdb -C $dir/imapd.conf -c" period=30
}
CONF
    local name password
    while IFS=: read -r name password; do
        printf '%s' "$password" | saslpasswd2 -p -c -f "$dir/sasldb2" -u "${name#*@}" "${name%@*}"
    done <"$dir/users"
    chown -R cyrus:mail "$dir"/{config,spool,sieve,sasldb2,server.pem,server.key}
}

# Cyrus takes mail through its own door only, and looks at each message.
load() { # USER FOLDER SOURCE
    local folder=$2
    [ "$folder" = INBOX ] || folder=INBOX.$folder
    "$root/scripts/imap-mailbox.py" "$dir" "$1" append "$folder" "$3"
}
