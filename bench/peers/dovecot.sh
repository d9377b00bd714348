#!/bin/bash
# dovecot.sh start|stop [perf|fsync]
#   perf   (default) login processes serve many clients and mail processes are used again: its fast mode
#   fsync  the same, and all that it alters is synced, flags as well (mail_fsync = always)
# ports: imap 10143, imaps 10993, pop3 10110, pop3s 10995; 100 more each for fsync
. "$(dirname "$0")/common.sh"
CMD=${1:-start}; MODE=${2:-perf}
case $MODE in perf) O=0; SYNC=optimized;; fsync) O=100; SYNC=always;; *) echo "perf|fsync"; exit 2;; esac
D=$PEERS_ROOT/dovecot; [ $MODE = perf ] || D=$PEERS_ROOT/dovecot-$MODE
case $CMD in
stop) stop_pidfile $D/run/master.pid; exit 0;;
start) ;;
*) echo "start|stop"; exit 2;;
esac
apt_install dovecot-core dovecot-imapd dovecot-pop3d
# one inotify instance per imap process: the kernel default of 128 per user switches notifications (and hibernation) off
[ "$(cat /proc/sys/fs/inotify/max_user_instances)" -ge 8192 ] || sysctl -q -w fs.inotify.max_user_instances=8192 || true
mkdir -p $D/run $D/mail; chown $VUSER: $D/mail; chmod 755 $D
if [ ! -s $D/passwd ]; then
  i=0; while [ $i -lt $NUSERS ]; do echo "u$i:{PLAIN}secret"; i=$((i+1)); done > $D/passwd; chmod 644 $D/passwd
fi
cat > $D/dovecot.conf <<CONF
base_dir = $D/run
instance_name = bench-$MODE
protocols = imap pop3
listen = 127.0.0.1
log_path = $D/dovecot.log
mail_location = maildir:~/Maildir
mail_fsync = $SYNC
mail_uid = $VUID
mail_gid = $VGID
first_valid_uid = 1
last_valid_uid = 0
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
auth_cache_size = 10M
auth_cache_ttl = 1 hour
mail_max_userip_connections = 5000
ssl = yes
ssl_cert = <$TLS/cert.pem
ssl_key = <$TLS/key.pem
ssl_min_protocol = TLSv1.2
passdb {
  driver = passwd-file
  args = $D/passwd
}
userdb {
  driver = static
  args = uid=$VUID gid=$VGID home=$D/mail/%Ln
}
namespace inbox {
  inbox = yes
}
service imap-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 4000
  inet_listener imap {
    port = $((10143+O))
  }
  inet_listener imaps {
    port = $((10993+O))
    ssl = yes
  }
}
service pop3-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 4000
  inet_listener pop3 {
    port = $((10110+O))
  }
  inet_listener pop3s {
    port = $((10995+O))
    ssl = yes
  }
}
service imap {
  service_count = 0
  process_min_avail = 4
  process_limit = 3000
}
service pop3 {
  service_count = 0
  process_min_avail = 4
  process_limit = 3000
}
service auth {
  client_limit = 20000
  unix_listener auth-bench {
    mode = 0666
  }
}
service anvil {
  client_limit = 12000
}
service stats {
  client_limit = 12000
}
CONF
(enter_cgroup dovecot-$MODE; exec /usr/sbin/dovecot -c $D/dovecot.conf)
wait_port $((10143+O)); wait_port $((10110+O)); wait_file $D/run/master.pid
echo "dovecot ($MODE) up: pid $(cat $D/run/master.pid)"
