#!/usr/bin/env bash
# capture_logs.sh - captures the sample logs of tests/data/logs from real servers
#
#   capture_logs.sh OUTPUT
#
# Starts OpenSSH, sudo, cron, nginx, Apache, Postfix, Dovecot, rsyslog and auditd in namespaces
# of their own (mounts, host name, network, and process ids where the kernel lets us), lets
# invented users and invented attackers use them, and leaves what the servers logged in the
# folder OUTPUT. The machine is not changed: the root file system is read-only within, and
# whatever a server writes lies in memory that goes with the namespace. Takes about 8 minutes.
#
# Needs root, Debian 12, and the packages listed in logs/README.md. The audit part needs the
# kernel's audit system unused by anyone else: it stops with a sentence when it is not.
#
# The parts are in capture/: world.sh builds the machine, auth.sh, web.sh, mail.sh and audit.sh
# each hold the servers and the people of one kind of log.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source-path=SCRIPTDIR
source "$here/capture/world.sh"
source "$here/capture/auth.sh"
source "$here/capture/web.sh"
source "$here/capture/mail.sh"
source "$here/capture/audit.sh"

readonly programs=(apache2 auditctl auditd cron curl dnsmasq dovecot ip nc nginx nsenter openssl
  postfix rsyslogd saslpasswd2 ssh sshd sudo su unshare useradd)

check_machine() {
  [[ $EUID -eq 0 ]] || { say "must be root: it makes namespaces and starts servers"; exit 1; }
  local program missing=()
  for program in "${programs[@]}"; do
    type -P "$program" >/dev/null || missing+=("$program")
  done
  if ((${#missing[@]} > 0)); then
    say "programs missing: ${missing[*]} (see logs/README.md for the packages)"
    exit 1
  fi
}

# Runs this script's step $1 in fresh namespaces, the further arguments being options of unshare.
# The environment is emptied so that nothing of the caller's reaches a server.
in_world() {
  local step=$1
  shift
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    TERM=dumb unshare --mount --uts --net "$@" bash "$here/capture_logs.sh" --step "$step" "$output"
}

# Steps, each run inside in_world.

step_servers() {
  build_world
  make_mailboxes
  start_syslog traditional
  start_dns
  start_sshd
  start_cron
  local scenario running=()
  for scenario in slow_guessing auth_scenario web_scenario mail_scenario; do
    ($scenario) &
    running+=($!)
  done
  wait "${running[@]}"
  stop_service cron sshd syslog
}

step_short() {
  build_world
  set_zone Europe/Berlin
  start_syslog modern
  start_dns
  start_sshd
  start_cron
  (short_auth_scenario)
  stop_service cron sshd syslog
}

step_audit() {
  trap stop_audit EXIT
  build_world
  start_syslog none
  start_dns
  audit_scenario
}

main() {
  if [[ ${1-} == --step ]]; then
    output=$3
    "step_$2"
    return
  fi
  [[ $# -eq 1 ]] || { say "usage: capture_logs.sh OUTPUT"; exit 2; }
  check_machine
  mkdir -p "$1"
  output=$(cd "$1" && pwd)
  # With process ids of their own, all servers die with the step, however it ends.
  local own_processes=(--pid --fork --kill-child --mount-proc)
  in_world servers "${own_processes[@]}"
  in_world short "${own_processes[@]}"
  # The kernel lets only its first process id namespace control auditing.
  in_world audit
  say "captured into $output:"
  wc -l "$output"/*.log >&2
}

main "$@"
