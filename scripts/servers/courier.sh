# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by scripts/imap-server: Courier IMAP 5. It knows its configuration under /etc/courier
# only: it runs in a mount namespace of its own, where folders of $dir lie over that.

imapd=$unpacked/courier-imap/usr/bin/imapd
imaplogin=$unpacked/courier-imap/usr/lib/courier/courier/imaplogin
programs=(couriertcpd couriertls makeuserdb unshare "$imapd" "$imaplogin")
command=(unshare -m /bin/bash "$dir/run.sh")

configure() { # IMAP_PORT IMAPS_PORT
    mkdir -p "$dir"/{etc,run/authdaemon,mail} /run/courier
    chown courier:courier "$dir/run/authdaemon"
    cat >"$dir/etc/authdaemonrc" <<CONF
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=2
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
CONF
    # What Debian's /etc/courier/imapd says, and TLS.
    local offered="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
    cat >"$dir/etc/environment" <<CONF
IMAP_CAPABILITY="$offered"
IMAP_CAPABILITY_TLS="$offered AUTH=PLAIN"
IMAP_KEYWORDS=1
IMAP_ACL=1
IMAP_IDLE_TIMEOUT=60
IMAP_CHECK_ALL_FOLDERS=0
IMAP_ENHANCEDIDLE=0
IMAP_MAILBOX_SANITY_CHECK=1
IMAP_USELOCKS=1
IMAP_TRASHFOLDERNAME=Trash
IMAP_UMASK=022
IMAP_TLS_REQUIRED=1
COURIERTLS=/usr/bin/couriertls
TLS_CERTFILE=$dir/etc/imapd.pem
TLS_DHPARAMS=$dir/etc/dhparams.pem
TLS_VERIFYPEER=NONE
MAILDIRPATH=Maildir
CONF
    cat "$dir/server.key" "$dir/server.pem" >"$dir/etc/imapd.pem"
    cp /etc/courier/dhparams.pem "$dir/etc/"
    chown courier "$dir"/etc/{imapd,dhparams}.pem
    chmod 600 "$dir"/etc/{imapd,dhparams}.pem
    local name password home
    : >"$dir/etc/userdb"
    while IFS=: read -r name password; do
        home=$dir/mail/$name
        mkdir -p "$home/Maildir"/{cur,new,tmp} "$home/Maildir/.Sent"/{cur,new,tmp}
        : >"$home/Maildir/.Sent/maildirfolder"
        printf '%s\tuid=%s|gid=%s|home=%s|mail=%s/Maildir|systempw=%s\n' "$name" \
            "$(id -u nobody)" "$(id -g nobody)" "$home" "$home" \
            "$(printf '%s' "$password" | openssl passwd -6 -stdin)" >>"$dir/etc/userdb"
    done <"$dir/users"
    chmod 600 "$dir/etc/userdb"
    chown -R nobody:nogroup "$dir/mail"
    # shellcheck disable=SC2016 # the variables of the script that is written
    {
        echo 'set -e'
        echo 'mount --make-rprivate /'
        printf 'mount --bind %q /etc/courier\nmount --bind %q /run/courier\n' "$dir/etc" "$dir/run"
        echo 'makeuserdb'
        echo 'set -a; . /etc/courier/authdaemonrc; . /etc/courier/environment; set +a'
        echo '/usr/lib/courier/courier-authlib/authdaemond &'
        echo 'listen=(couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup)'
        printf 'session=(%q %q Maildir)\n' "$imaplogin" "$imapd"
        printf '"${listen[@]}" %q "${session[@]}" &\n' "$1"
        printf 'IMAP_TLS=1 "${listen[@]}" %q /usr/bin/couriertls -server -tcpd -user=courier "${session[@]}" &\n' "$2"
        echo 'wait'
    } >"$dir/run.sh"
}

load() { # USER FOLDER SOURCE
    local path=$dir/mail/$1/Maildir
    [ "$2" = INBOX ] || path=$path/.$2
    load_maildir "$path" "$3"
}
