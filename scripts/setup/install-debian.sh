#!/bin/sh
# Installs Debian packages, as root: install-debian.sh POLICY_FILE PACKAGE...
# POLICY_FILE is /usr/sbin/policy-rc.d: while it is there and answers 101, packages do not start their servers.
# Vigil runs servers of its own, and unrequested ones would occupy the usual ports.
set -u
policy=$1
shift
mark='# Written by the set-up of Vigil while it installs packages; safe to remove.'

# Two clones set up at once would remove each other's policy. /run, as only root writes there.
lock=/run/vigil-setup.lock
if (: >>"$lock") 2>/dev/null; then
  exec 9>>"$lock"
  flock 9
fi

# The units that these packages enable, each with its package: they would start at the next boot.
units='redis-server:redis-server.service rabbitmq-server:rabbitmq-server.service
  erlang-base:epmd.service erlang-base:epmd.socket prometheus:prometheus.service
  etcd-server:etcd.service'

is_installed() {
  dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$1" 2>/dev/null | grep -qxF "$1 installed"
}

# What was installed before is its owner's business, enabled or not.
new_units=
for unit in $units; do
  is_installed "${unit%%:*}" || new_units="$new_units $unit"
done

finish() {
  for unit in $new_units; do
    if is_installed "${unit%%:*}"; then disable "${unit##*:}"; fi
  done
  if [ -n "$own_policy" ]; then rm -f "$policy"; fi
}

# Without systemd, the links that start a service belong to update-rc.d.
disable() {
  if command -v systemctl >/dev/null; then
    systemctl --quiet disable "$1" || :
  elif [ "$1" != "${1%.service}" ]; then
    update-rc.d "${1%.service}" disable || :
  fi
}

# One that is not ours stays untouched. One with our mark was left by a set-up that was killed.
own_policy=
if [ ! -e "$policy" ] || grep -qxF "$mark" "$policy"; then
  own_policy=yes
fi
# Before it is written: a signal in between must find the trap in place. The shell runs a trap when
# apt-get, in the foreground, has ended: dpkg is never torn away from its work.
trap finish EXIT
if [ -n "$own_policy" ]; then
  printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy" && chmod 755 "$policy"
fi
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# NEEDRESTART_SUSPEND: Ubuntu would ask, or restart services of others. 9>&-: a server must not keep our lock.
LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
  apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@" 9>&-
