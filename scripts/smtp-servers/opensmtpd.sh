# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by scripts/smtp-server: OpenSMTPD 7. Its folders are compiled in, so it sees those of $dir
# in their places, in a mount namespace of its own.

opensmtpd=$unpacked/opensmtpd
programs=("$opensmtpd/usr/sbin/smtpd" unshare)
# shellcheck disable=SC2016 # for the shell within
command=(
    unshare -m /bin/sh -c
    'mount --make-rprivate / && mount --bind "$1/usr/libexec/opensmtpd" /usr/libexec/opensmtpd &&
    mount --bind "$0/spool" /var/spool/smtpd && mount --bind "$0/run" /run &&
    exec "$1/usr/sbin/smtpd" -d -f "$0/etc/smtpd.conf"' "$dir" "$opensmtpd"
)

configure() { # SMTP_PORT SMTPS_PORT
    mkdir -p "$dir"/{etc,spool,run} /usr/libexec/opensmtpd /var/spool/smtpd /var/lib/opensmtpd/empty
    chmod 711 "$dir/spool"
    local name password
    while IFS=: read -r name password; do
        echo "$name $(openssl passwd -6 -stdin <<<"$password")"
    done <"$dir/users" >"$dir/etc/credentials"
    chgrp opensmtpd "$dir/etc/credentials"
    chmod 640 "$dir/etc/credentials"
    cp "$dir/server.pem" "$dir/etc/tls.pem"
    cp "$dir/server.key" "$dir/etc/tls.key"
    chmod 600 "$dir/etc/tls.key"
    cat >"$dir/etc/smtpd.conf" <<CONF
pki own cert "$dir/etc/tls.pem"
pki own key "$dir/etc/tls.key"
table credentials file:$dir/etc/credentials
table everybody { "@" = nobody }
table unknown { "@unknown.example" }
smtp max-message-size 50M
listen on 127.0.0.1 port $1 tls-require pki own auth <credentials> hostname localhost
listen on 127.0.0.1 port $2 smtps pki own auth <credentials> hostname localhost
action "inbox" maildir "$dir/mail/inbox" virtual <everybody>
match auth from any for rcpt-to regex "^unknown" reject
match auth from any for any action "inbox"
CONF
}
