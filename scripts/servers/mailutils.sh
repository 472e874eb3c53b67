# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by scripts/imap-server: the imap4d of GNU Mailutils, with Maildirs, since mbox
# would change the bytes of messages.

programs=(imap4d)
command=(imap4d --no-config "--config-file=$dir/imap4d.conf")

configure() { # IMAP_PORT IMAPS_PORT
    mkdir -p "$dir"/{domains,home}
    local name password home
    while IFS=: read -r name password; do
        home=$dir/home/$name
        # It neither lists nor opens an INBOX that is not there yet.
        mkdir -p "$home"/{INBOX,Sent}/{cur,new,tmp}
        printf '%s:%s:%s:%s:%s:%s:/bin/sh\n' "${name%@*}" \
            "$(printf '%s' "$password" | openssl passwd -6 -stdin)" \
            "$(id -u nobody)" "$(id -g nobody)" "$name" "$home" >>"$dir/domains/${name#*@}.new"
    done <"$dir/users"
    local list
    for list in "$dir"/domains/*.new; do mv "$list" "${list%.new}"; done
    chown -R nobody:nogroup "$dir/home"
    cat >"$dir/imap4d.conf" <<CONF
mode daemon;
foreground yes;
pidfile "$dir/imap4d.pid";
max-children 40;
timeout 1800;
port $1;
tls { ssl-certificate-file "$dir/server.pem"; ssl-key-file "$dir/server.key"; };
tls-file-checks { key-file none; cert-file none; ca-file none; };
server 127.0.0.1:$1 { tls-mode ondemand; };
server 127.0.0.1:$2 { tls-mode connection; };
virtdomain { passwd-dir "$dir/domains"; };
auth { authorization clear; authorization virtdomain; authentication clear; authentication generic; };
mailbox { mailbox-type maildir; };
logging { syslog no; session-id yes; };
tcp-wrappers { enable no; };
CONF
}

load() { # USER FOLDER SOURCE
    load_maildir "$dir/home/$1/$2" "$3"
}
