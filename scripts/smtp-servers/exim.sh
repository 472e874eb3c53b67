# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by scripts/smtp-server: Exim 4. A configuration named on its command line costs Exim its privileges,
# so it sees $dir/etc where it looks for its own, in a mount namespace of its own.

exim=$unpacked/exim4-daemon-light/usr/sbin/exim4
programs=("$exim" unshare)
# shellcheck disable=SC2016 # for the shell within
command=(
    unshare -m /bin/sh -c
    'mount --make-rprivate / && mount --bind "$0/etc" /etc/exim4 && exec "$1" -bdf -q1m' "$dir" "$exim"
)

configure() { # SMTP_PORT SMTPS_PORT
    mkdir -p "$dir"/{etc,spool,run,log} /etc/exim4
    chown Debian-exim: "$dir"/{spool,log,run}
    chmod 4755 "$exim"
    sed 's/:/: /' "$dir/users" >"$dir/etc/passwd"
    cp "$dir/server.pem" "$dir/etc/tls.pem"
    cp "$dir/server.key" "$dir/etc/tls.key"
    chown root:Debian-exim "$dir"/etc/{tls.key,passwd}
    chmod 640 "$dir"/etc/{tls.key,passwd}
    chmod 644 "$dir/etc/tls.pem"
    cat >"$dir/etc/exim4.conf" <<CONF
primary_hostname = localhost
exim_path = $exim
spool_directory = $dir/spool
log_file_path = $dir/log/%slog
pid_file_path = $dir/run/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = $1 : $2
tls_on_connect_ports = $2
tls_advertise_hosts = *
tls_certificate = /etc/exim4/tls.pem
tls_privatekey = /etc/exim4/tls.key
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
accept_8bitmime = true
message_size_limit = 50M
smtp_accept_max = 200
smtp_accept_max_per_host = 200
smtp_accept_queue_per_connection = 0
queue_run_max = 5
never_users = root
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
keep_environment =
trusted_users = Debian-exim
begin acl
rcpt:
  deny !authenticated = *
       message = 530 5.7.0 Authentication required
  deny local_parts = ^unknown
       message = 550 5.1.1 No such user
  accept
begin routers
everybody:
  driver = accept
  transport = inbox
begin transports
inbox:
  driver = appendfile
  maildir_format
  directory = $dir/mail/inbox
  envelope_to_add
  return_path_add
  user = nobody
  group = nogroup
  mode = 0600
  no_mode_fail_narrower
begin retry
* * F,2h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{!eq{\$auth3}{}}{eq{\$auth3}{\${lookup{\$auth2}lsearch{/etc/exim4/passwd}}}}}}
  server_set_id = \$auth2
CONF
    chmod 644 "$dir/etc/exim4.conf"
}
