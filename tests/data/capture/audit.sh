# shellcheck shell=bash
# audit.sh - the kernel's audit records of a short working day and an intrusion
#
# Sourced by capture_logs.sh. Auditing is one for the whole machine, so this part runs with the
# machine's own process ids, asks only for records of the people of our world (whose login uids,
# 1001 to 1100, nobody else here has), and puts everything back when it ends.

readonly personal=/srv/mailwarden-sample/recipients.csv
readonly audit_backlog_usual=64

audit_scenario() {
  check_audit_unused
  make_personal_data
  start_sshd
  start_auditd
  start_cron
  say "audit: a short working day"
  (audit_ordinary)
  say "audit: an intrusion"
  (audit_intrusion)
  stop_service cron sshd
  stop_audit
  install -m 644 /var/log/audit/audit.log $capture/audit.log
}

check_audit_unused() {
  if ! auditctl -s | grep -qx 'pid 0' || ! auditctl -l | grep -qx 'No rules'; then
    say "audit: someone else uses the kernel's audit system here; not touching it"
    exit 1
  fi
}

# A file of personal data that alice and deploy may read, carol write, and bob not even open.
make_personal_data() {
  local count
  mkdir -p "$(dirname $personal)"
  {
    echo 'address,name,consent'
    for count in $(seq 200); do echo "reader$count@readers.example,Reader $count,2026-01-01"; done
  } >$personal
  groupadd -g 1100 marketing
  usermod -aG marketing alice
  usermod -aG marketing deploy
  chown carol:marketing $personal
  chmod 640 $personal
}

# Debian's auditd.conf as it is (ENRICHED format); the rules are ours.
start_auditd() {
  local people=(-F 'auid>=1001' -F 'auid<=1100') type
  chmod 750 /var/log/audit
  # Keeps out what other processes of this machine may cause.
  for type in ANOM_ABEND SECCOMP BPF NETFILTER_CFG ANOM_PROMISCUOUS; do
    auditctl -a always,exclude -F msgtype=$type
  done
  start_service auditd auditd -n -c /etc/audit
  until_true 15 pid_is_set
  auditctl -b 8192 >/dev/null
  auditctl -w $personal -p rwa -k personal-data
  auditctl -w /etc/passwd -p wa -k identity
  auditctl -w /etc/shadow -p wa -k identity
  auditctl -w /etc/sudoers.d -p wa -k sudoers
  auditctl -a always,exit -F arch=b64 -S execve -F success=1 "${people[@]}" -k command
  auditctl -a always,exit -F arch=b64 -S openat -F exit=-EACCES "${people[@]}" -k denied
  auditctl -e 1 >/dev/null
}

pid_is_set() { ! auditctl -s | grep -qx 'pid 0'; }

# Puts the kernel's audit system back as check_audit_unused found it. Safe to call twice.
stop_audit() {
  local name
  if [[ -n ${service_pids[auditd]-} ]]; then
    auditctl -e 0 >/dev/null || true
    auditctl -D >/dev/null || true
    auditctl -b $audit_backlog_usual >/dev/null || true
  fi
  for name in "${!service_pids[@]}"; do stop_service "$name"; done
}

audit_ordinary() {
  with_key 198.51.100.20 alice "wc -l $personal; grep -c 2026 $personal"
  with_password 198.51.100.21 bob "${passwords[bob]}" 1 "cat $personal" </dev/null
  with_key 198.51.100.22 carol "echo 'gina@greylisted.example,Gina,2026-11-01' >>$personal
    chmod 660 $personal"
  with_key 198.51.100.30 deploy "head -n 1 $personal"
  typed "${passwords[alice]}" | terminal 198.51.100.20 alice "sudo -S -p '' id
    sudo useradd -m -u 1010 frank
    sudo passwd --expire frank
    sudo userdel -r frank
    sudo cat $personal >/dev/null"
  typed wrong | as_bob 'su -'
  typed_slowly wrong1 wrong2 wrong3 | as_bob "sudo -S -p '' id"
  # Cron's next minute.
  sleep $((61 - 10#$(date +%S)))
}

audit_intrusion() {
  local count
  for count in 1 2 3; do
    guess 203.0.113.5 root &
    guess 203.0.113.5 admin &
    guess 203.0.113.66 deploy &
    wait
  done
  typed "${passwords[deploy]}" |
    with_password 203.0.113.66 deploy "${passwords[deploy]}" 1 "cp $personal /tmp/.r
      gzip /tmp/.r
      cat /etc/shadow
      sudo -S -p '' cat /etc/shadow >/dev/null
      sudo useradd -m sysmon
      sudo usermod -aG sudo sysmon
      echo 'sysmon ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/sysmon
      sudo auditctl -e 0
      id"
}
