# shellcheck shell=bash
# world.sh - the machine the logs come from: mail1.example.com and the network around it
#
# Sourced by capture_logs.sh. Everything here happens inside namespaces made by in_world.
#
# Network: the namespace we run in is mail1's (192.0.2.10, 2001:db8:0:1::10). A second one,
# "outside", holds every other address: users, attackers, and the partner's mail server.

readonly server=192.0.2.10
readonly server6=2001:db8:0:1::10
readonly resolver=192.0.2.53
readonly partner_mx=198.51.100.25
readonly capture=/run/capture

declare -A passwords=()
declare -A service_pids=()

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

build_world() {
  hostname mail1
  mount --make-rprivate /
  private_folders
  private_devices
  private_etc
  mount -o remount,bind,ro /
  build_network
  add_accounts
}

# Folders servers write to become empty ones in memory. The output folder is bound in first,
# since it may lie below one of them.
private_folders() {
  local path
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p $capture /run/sshd /run/lock /run/sudo /run/netns /run/services
  mount --bind "$output" $capture
  for path in /home /srv /var /mnt; do
    mount -t tmpfs -o mode=755 tmpfs $path
  done
  mount -t tmpfs -o mode=700 tmpfs /root
  mount -t tmpfs -o mode=1777 tmpfs /tmp
  ln -s /run /var/run
  mkdir -p /var/log/{apache2,audit,nginx} /var/spool/cron/crontabs /var/www /var/mail \
    /var/lib/{dovecot,nginx,postfix,sudo} /var/cache
  chmod 1730 /var/spool/cron/crontabs
  chgrp mail /var/mail && chmod 2775 /var/mail
  touch /var/log/{wtmp,btmp,lastlog} /run/utmp
  chmod 660 /var/log/btmp
  chown postfix: /var/lib/postfix
  cd /
}

# A /dev of our own, for its /dev/log and for terminals numbered from 0.
private_devices() {
  mount -t tmpfs -o mode=755 tmpfs /dev
  mkdir /dev/pts /dev/shm
  mknod -m 666 /dev/null c 1 3
  mknod -m 666 /dev/zero c 1 5
  mknod -m 666 /dev/full c 1 7
  mknod -m 666 /dev/random c 1 8
  mknod -m 666 /dev/urandom c 1 9
  mknod -m 666 /dev/tty c 5 0
  mount -t devpts -o newinstance,mode=620,ptmxmode=666,gid=5 devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  ln -s pts/ptmx /dev/ptmx
  ln -s /proc/self/fd /dev/fd
}

# A copy of /etc without this machine's people, keys, schedules and name.
private_etc() {
  local kept=/run/etc file
  cp -a /etc $kept
  mount -t tmpfs -o mode=755 tmpfs /etc
  cp -a $kept/. /etc/
  rm -rf $kept /etc/ssh/ssh_host_* /etc/cron.*/* /etc/crontab /etc/profile.d/* /etc/motd \
    /etc/update-motd.d/* /etc/sudoers.d/* /etc/resolv.conf /etc/sub?id
  : >/etc/environment
  forget_people
  echo mail1 >/etc/hostname
  echo mail1.example.com >/etc/mailname
  printf '127.0.0.1 localhost\n%s mail1.example.com mail1\n' $server >/etc/hosts
  printf 'nameserver %s\noptions timeout:1 attempts:1\n' $resolver >/etc/resolv.conf
  for file in passwd group shadow gshadow; do
    sed -i "s/^$file:.*/$file: files/" /etc/nsswitch.conf
  done
  # No message of the day: it would be a dozen more commands at every login.
  sed -i /pam_motd/d /etc/pam.d/sshd
  set_zone Etc/UTC
}

# Takes the accounts of people (1000 and up) and of services not shown here out of /etc/passwd.
forget_people() {
  local name
  while IFS= read -r name; do
    sed -i "/^$name:/d" /etc/passwd /etc/shadow /etc/group /etc/gshadow
    sed -i "s/\([:,]\)$name\(,\|\$\)/\1/; s/,\$//" /etc/group /etc/gshadow
  done < <(awk -F: '($3 >= 1000 && $3 < 65000) || $1 ~ /^(postgres|prometheus|polkitd)$/ {
    print $1 }' /etc/passwd)
}

set_zone() { ln -sf "/usr/share/zoneinfo/$1" /etc/localtime; }

readonly outside_addresses=(
  198.51.100.{1,20,21,22,23,30,40,41,42,43,44,45,46,47} $partner_mx
  203.0.113.{5,17,18,40,41,42,43,44,45,46,50,66,77,78,99}
)
readonly outside_addresses6=(2001:db8:0:2::20 2001:db8:bad::17)

build_network() {
  local address
  ip netns add outside
  ip link set lo up
  ip link add wire type veth peer name wire netns outside
  ip address add $server/24 dev wire
  ip address add $resolver/24 dev wire
  ip -6 address add $server6/64 dev wire nodad
  ip link set wire up
  outside ip link set lo up
  for address in 192.0.2.1/24 "${outside_addresses[@]/%//32}"; do
    outside ip address add "$address" dev wire
  done
  for address in 2001:db8:0:1::1/64 "${outside_addresses6[@]/%//128}"; do
    outside ip -6 address add "$address" dev wire nodad
  done
  outside ip link set wire up
  # Programs that cannot choose their source address are the scanner's.
  outside ip route add $server/32 dev wire src 203.0.113.18
  ip route add default via 192.0.2.1
  ip -6 route add default via 2001:db8:0:1::1
}

# Runs a command on the far side of the wire.
outside() { nsenter --net=/run/netns/outside "$@"; }

# The people of example.com. Passwords are made here and never leave this process's memory
# except for the files of this world.
add_accounts() {
  local name uid=1001
  for name in alice bob carol deploy erin; do
    passwords[$name]=$(openssl rand -hex 12)
    useradd -m -u $((uid++)) -s /bin/bash "$name"
    printf '%s:%s\n' "$name" "${passwords[$name]}" | chpasswd
  done
  usermod -aG sudo alice
  usermod -aG sudo deploy
  cat >/etc/sudoers.d/mail1 <<'END'
carol ALL=(root) NOPASSWD: /usr/bin/mailq, (root) /usr/bin/ls /var/spool
alice ALL=(deploy) NOPASSWD: ALL
END
  chmod 440 /etc/sudoers.d/mail1
  # Otherwise pam_limits complains on machines whose root may not raise limits, as in a container.
  echo 'Set disable_coredump false' >/etc/sudo.conf
}

# start_service NAME COMMAND...: the command must stay in the foreground.
start_service() {
  local name=$1
  shift
  "$@" >"/run/services/$name.out" 2>&1 </dev/null &
  service_pids[$name]=$!
}

# Stops services by the process ids we were given for them.
stop_service() {
  local name
  for name in "$@"; do
    kill "${service_pids[$name]}" 2>/dev/null || true
    wait "${service_pids[$name]}" 2>/dev/null || true
    unset "service_pids[$name]"
  done
}

# until_true SECONDS COMMAND...: waits until the command succeeds.
until_true() {
  local tries=$(($1 * 10))
  shift
  until "$@" >/dev/null 2>&1; do
    ((tries-- > 0)) || { say "gave up waiting for: $*"; return 1; }
    sleep 0.1
  done
}

until_port() { until_true 15 nc -z "${2-$server}" "$1"; }

# start_syslog traditional|modern|none
start_syslog() {
  {
    echo 'module(load="imuxsock" SysSock.RateLimit.Interval="0")'
    "syslog_rules_$1"
  } >/etc/rsyslog.conf
  start_service syslog rsyslogd -n -f /etc/rsyslog.conf
  until_true 15 test -S /dev/log
}

syslog_rules_traditional() {
  cat <<END
module(load="builtin:omfile" Template="RSYSLOG_TraditionalFileFormat")
auth,authpriv.* $capture/auth.log
mail.* $capture/mail.log
END
}

syslog_rules_modern() {
  cat <<END
\$RepeatedMsgReduction on
auth,authpriv.* $capture/auth_rfc5424.log;RSYSLOG_SyslogProtocol23Format
auth,authpriv.* $capture/auth_iso.log;RSYSLOG_FileFormat
END
}

syslog_rules_none() { echo '*.* /var/log/all.log'; }

# The names of the world. What is not named here does not exist.
start_dns() {
  local zone zones=()
  for zone in com net org example invalid arpa; do
    zones+=("--local=/$zone/")
  done
  start_service dns dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --no-resolv \
    --no-hosts --listen-address=$resolver --bind-interfaces --pid-file= "${zones[@]}" \
    --host-record=mail1.example.com,$server,$server6 --mx-host=example.com,mail1.example.com,10 \
    --host-record=office.example.com,198.51.100.20 \
    --host-record=mx.partner.example,$partner_mx \
    --mx-host=partner.example,mx.partner.example,10 \
    --mx-host=readers.example,mx.partner.example,10 \
    --mx-host=greylisted.example,mx.partner.example,10 \
    --mx-host=busy.example,mx.partner.example,10 \
    --host-record=mx.down.example,198.51.100.1 --mx-host=down.example,mx.down.example,10 \
    --host-record=77.dyn.isp.example,203.0.113.77 \
    --host-record=5.113.0.203.bl.example,127.0.0.2 \
    --host-record=18.113.0.203.bl.example,127.0.0.2
  until_port 53 $resolver
}
