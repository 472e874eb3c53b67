# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by scripts/smtp-server: Postfix 3, everything in $dir; a Dovecot that does nothing else
# knows the users' passwords.

programs=(/usr/sbin/postfix dovecot)
# Postfix forgets the environment by which a session is known: its leader stays a shell.
command=(/bin/bash -c 'dovecot -F -c "$0/auth/dovecot.conf" & postfix -c "$0/etc" start-fg & wait' "$dir")

# Its master makes a session of its own. The number may be another's by now.
stop_beside() {
    local master
    [ -s "$dir/spool/pid/master.pid" ] || return 0
    master=$(tr -dc 0-9 <"$dir/spool/pid/master.pid")
    [ -d "/proc/$master" ] || return 0
    ! tr '\0' '\n' <"/proc/$master/environ" 2>/dev/null | grep -qxF "MAIL_CONFIG=$dir/etc" || kill "$master"
}

configure() { # SMTP_PORT SMTPS_PORT
    mkdir -p "$dir"/{etc,spool,data,auth/run,auth/state}
    # Postfix wants nobody else's hands in its queue, and only the last folder's owner may differ from root.
    chmod 755 "$dir/spool" "$dir/auth" "$dir/auth/run"
    chown postfix "$dir/data"
    sed 's/:/:{PLAIN}/' "$dir/users" >"$dir/auth/users"
    chown -R dovecot:dovecot "$dir/auth"
    cat >"$dir/auth/dovecot.conf" <<CONF
base_dir = $dir/auth/run
state_dir = $dir/auth/state
log_path = $dir/auth/dovecot.log
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
default_vsz_limit = 0
passdb {
  driver = passwd-file
  args = username_format=%u $dir/auth/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}
service auth {
  unix_listener auth-client {
    mode = 0666
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
CONF
    cat >"$dir/etc/main.cf" <<CONF
compatibility_level = 3.6
queue_directory = $dir/spool
data_directory = $dir/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = $dir/maillog
maillog_file_prefixes = $dir
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
# Everybody's mail is for one Maildir.
virtual_mailbox_domains = static:all
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 100
smtpd_recipient_restrictions = check_recipient_access regexp:$dir/etc/unknown
transport_maps = regexp:$dir/etc/transport
default_transport = discard:nothing-leaves
smtp_dns_support_level = disabled
smtp_host_lookup = native
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_tls_cert_file = $dir/server.pem
smtpd_tls_key_file = $dir/server.key
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $dir/auth/run/auth-client
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
smtputf8_enable = yes
CONF
    echo '/^unknown/ 550 5.1.1 No such user' >"$dir/etc/unknown"
    echo '/^returned/ returned:' >"$dir/etc/transport"
    cat >"$dir/etc/master.cf" <<CONF
127.0.0.1:$1 inet n - n - 200 smtpd
127.0.0.1:$2 inet n - n - 200 smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
returned unix - n n - - pipe
  flags= user=nobody argv=/bin/sh -c {exit 67}
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
CONF
}
