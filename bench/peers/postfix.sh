#!/bin/bash
# postfix.sh start|stop    after "dovecot.sh start", which gives SASL
# ports: smtp 10025, submission 10587 (STARTTLS) and 10588 (in clear), submissions 10465
# uN@bench.test goes by virtual(8) straight into the maildir that Dovecot serves.
# Mail for all other domains goes to 127.0.0.1:12525.
. "$(dirname "$0")/common.sh"
D=$PEERS_ROOT/postfix; DC=$PEERS_ROOT/dovecot
case ${1:-start} in
stop) stop_pidfile $D/queue/pid/master.pid; exit 0;;
start) ;;
*) echo "start|stop"; exit 2;;
esac
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
apt_install postfix
mkdir -p $D/etc $D/queue $D/data; chown postfix: $D/data; chown root: $D $D/queue
i=0; : > $D/etc/vmailbox
while [ $i -lt $NUSERS ]; do echo "u$i@$DOMAIN u$i/Maildir/"; i=$((i+1)); done > $D/etc/vmailbox
cat > $D/etc/main.cf <<CONF
compatibility_level = 3.6
queue_directory = $D/queue
data_directory = $D/data
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = $D/mail.log
maillog_file_prefixes = /
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.$DOMAIN
mydomain = $DOMAIN
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
biff = no
append_dot_mydomain = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
relayhost = [127.0.0.1]:12525
virtual_mailbox_domains = $DOMAIN
virtual_mailbox_base = $DC/mail
virtual_mailbox_maps = hash:$D/etc/vmailbox
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
virtual_uid_maps = static:$VUID
virtual_gid_maps = static:$VGID
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_sasl_type = dovecot
smtpd_sasl_path = $DC/run/auth-bench
smtpd_tls_chain_files = $TLS/key.pem, $TLS/cert.pem
smtpd_tls_security_level = may
smtp_tls_security_level = none
message_size_limit = 104857600
in_flow_delay = 0
CONF
cat > $D/etc/master.cf <<CONF
10025     inet  n       -       n       -       -       smtpd
10587     inet  n       -       n       -       -       smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o mynetworks=192.0.2.1
10588     inet  n       -       n       -       -       smtpd
  -o smtpd_tls_security_level=none
  -o smtpd_sasl_auth_enable=yes
  -o mynetworks=192.0.2.1
10465     inet  n       -       n       -       -       smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o mynetworks=192.0.2.1
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
CONF
i=0; while [ $i -lt $NUSERS ]; do
  if [ ! -d $DC/mail/u$i ]; then mkdir -p $DC/mail/u$i; chown $VUID:$VGID $DC/mail/u$i; fi; i=$((i+1)); done
postmap -c $D/etc hash:$D/etc/vmailbox
(enter_cgroup postfix; exec postfix -c $D/etc start) 2>&1 | grep -v 'symlink leaves\|not owned by' || true
wait_port 10025; wait_port 10587; wait_port 10588; wait_port 10465; wait_file $D/queue/pid/master.pid
echo "postfix up: pid $(tr -d ' ' < $D/queue/pid/master.pid)"
