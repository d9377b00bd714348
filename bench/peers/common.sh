#!/bin/bash
# Sourced by the scripts of the peers: where things lie, the mail user, the certificate.
set -e
PEERS_ROOT=${PEERS_ROOT:-/var/tmp/mailpeers}     # keep it short: unix sockets live below it
NUSERS=${NUSERS:-300}
DOMAIN=${DOMAIN:-bench.test}
VUSER=benchvmail
HERE=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$PEERS_ROOT"; chmod 755 "$PEERS_ROOT"
ulimit -n 20000 2>/dev/null || true
id -u $VUSER >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin $VUSER
VUID=$(id -u $VUSER); VGID=$(id -g $VUSER)
TLS=$PEERS_ROOT/tls
if [ ! -s $TLS/cert.pem ]; then
  mkdir -p $TLS
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $TLS/key.pem -out $TLS/cert.pem -days 3650 \
    -subj /CN=mail.$DOMAIN -addext subjectAltName=DNS:mail.$DOMAIN,DNS:localhost 2>/dev/null
  chmod 644 $TLS/key.pem
fi
apt_install() { # installs without starting the distribution's own services
  missing=
  for p in "$@"; do dpkg -s $p >/dev/null 2>&1 || missing="$missing $p"; done
  [ -z "$missing" ] && return 0
  added=
  [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; added=1; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >/dev/null
  [ -z "$added" ] || rm -f /usr/sbin/policy-rc.d
}
wait_port() { # wait_port PORT
  i=0; while [ $i -lt 100 ]; do (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null && return 0; sleep 0.1; i=$((i+1)); done; echo "port $1 did not open" >&2; return 1
}
wait_file() { # wait_file PATH
  i=0; while [ ! -s "$1" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
}
stop_pidfile() { # ends one process by the pid it wrote, and waits for it
  [ -s "$1" ] || return 0
  p=$(tr -dc 0-9 < "$1"); kill "$p" 2>/dev/null || return 0
  i=0; while kill -0 "$p" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
}
enter_cgroup() { # puts this shell, and so all that it starts, into a cpuacct group: exact CPU time (cgroups v1; harmless elsewhere)
  g=/sys/fs/cgroup/cpuacct/bench-$1
  mkdir -p $g 2>/dev/null && echo $BASHPID > $g/cgroup.procs 2>/dev/null || true
}
