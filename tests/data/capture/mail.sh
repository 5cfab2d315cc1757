# shellcheck shell=bash
# mail.sh - mail1's Postfix and Dovecot, and the partner's Postfix they deliver to
#
# Sourced by capture_logs.sh. mail1 takes mail on 25 (postscreen), 587 (SASL by Dovecot), and
# 465 (SASL by Cyrus, for its other wording), and serves IMAP on 143. The partner's mail server
# stands at 198.51.100.25 and logs elsewhere. Addresses:
#   198.51.100.20-.22  alice, bob, carol         198.51.100.25  mx.partner.example
#   203.0.113.77       guesses SASL passwords until bob's works, then sends in bulk
#   203.0.113.78       guesses in IMAP and on 465, without success
#   203.0.113.50       a stranger: relaying, bad names, broken TLS
#   203.0.113.5, .18   listed in the block list bl.example

readonly bulk_messages=4
readonly mail_size_max=60000

# Writes a Postfix's services to standard output. $1 is the line for port 25.
master_services() {
  cat <<END
$1
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
END
}

start_mail() {
  make_certificate
  configure_mail1
  configure_partner
  start_dovecot
  start_service partner outside postfix -c /etc/postfix-partner start-fg
  start_service postfix postfix start-fg
  until_port 587
  until_true 15 outside nc -z $partner_mx 25
}

make_certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mail1.example.com \
    -keyout /etc/mail.key -out /etc/mail.pem 2>/dev/null
}

# People's mailboxes, one for the shop (virtual), and their passwords for both SASL back ends.
# To be called before syslog runs: the tools used would add to auth.log.
make_mailboxes() {
  local name
  useradd -r -u 990 -m -d /var/vmail vmail
  install -d -o vmail -g vmail /var/vmail/shop.example
  for name in alice bob carol; do
    printf '%s@example.com:{CRYPT}%s\n' $name "$(openssl passwd -6 -stdin <<<"${passwords[$name]}")"
    saslpasswd2 -p -c -u example.com $name <<<"${passwords[$name]}"
  done >/etc/dovecot/people
  chown dovecot /etc/dovecot/people && chmod 400 /etc/dovecot/people
  chgrp postfix /etc/sasldb2 && chmod 640 /etc/sasldb2
}

configure_mail1() {
  cat >/etc/postfix/main.cf <<END
compatibility_level = 3.6
myhostname = mail1.example.com
myorigin = example.com
mydestination = example.com, mail1.example.com, localhost
mynetworks = 127.0.0.0/8 [::1]/128
alternate_config_directories = /etc/postfix-partner
alias_maps = texthash:/etc/postfix/aliases
virtual_mailbox_domains = shop.example
virtual_mailbox_base = /var/vmail
virtual_mailbox_maps = texthash:/etc/postfix/shop
virtual_uid_maps = static:990
virtual_gid_maps = static:$(id -g vmail)
virtual_minimum_uid = 900
message_size_limit = $mail_size_max
mailbox_size_limit = 0
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_sender_restrictions = reject_non_fqdn_sender, reject_unknown_sender_domain
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = reject_non_fqdn_recipient, reject_unknown_recipient_domain
smtpd_tls_cert_file = /etc/mail.pem
smtpd_tls_key_file = /etc/mail.key
smtpd_tls_security_level = may
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_loglevel = 1
smtp_tls_security_level = may
smtp_tls_loglevel = 1
header_checks = regexp:/etc/postfix/headers
postscreen_greet_wait = 2s
postscreen_greet_action = enforce
postscreen_dnsbl_sites = bl.example
postscreen_dnsbl_action = enforce
anvil_status_update_time = 60s
queue_run_delay = 15s
minimal_backoff_time = 15s
maximal_backoff_time = 20s
maximal_queue_lifetime = 75s
bounce_queue_lifetime = 75s
END
  printf 'team alice, bob, carol\n' >/etc/postfix/aliases
  printf 'orders@shop.example shop.example/orders/\n' >/etc/postfix/shop
  printf '/^Subject: .*casino/ REJECT no advertising here\n' >/etc/postfix/headers
  configure_mail1_services
}

configure_mail1_services() {
  {
    master_services 'smtp inet n - n - 1 postscreen'
    cat <<'END'
smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
submission inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path=private/auth
  -o smtpd_helo_restrictions=
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
smtps inet n - n - - smtpd
  -o syslog_name=postfix/smtps
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=cyrus
  -o smtpd_sasl_path=smtpd
  -o smtpd_sasl_local_domain=example.com
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
END
  } >/etc/postfix/master.cf
  mkdir -p /etc/postfix/sasl /var/spool/postfix
  printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' 'mech_list: PLAIN LOGIN' \
    >/etc/postfix/sasl/smtpd.conf
}

# The partner knows dora and dirk; readers.example takes anyone whose name begins with reader;
# greylisted.example says "later" until its list is emptied, busy.example always.
configure_partner() {
  mkdir -p /etc/postfix-partner /var/spool/postfix-partner /var/lib/postfix-partner
  chown postfix /var/lib/postfix-partner
  cat >/etc/postfix-partner/main.cf <<END
compatibility_level = 3.6
myhostname = mx.partner.example
queue_directory = /var/spool/postfix-partner
data_directory = /var/lib/postfix-partner
maillog_file = /var/log/partner.log
inet_interfaces = $partner_mx
mydestination =
mynetworks =
relay_domains = partner.example, readers.example, greylisted.example, busy.example
relay_recipient_maps = regexp:/etc/postfix-partner/known
relay_transport = discard
smtpd_recipient_restrictions = check_recipient_access regexp:/etc/postfix-partner/later
smtpd_tls_cert_file = /etc/mail.pem
smtpd_tls_key_file = /etc/mail.key
smtpd_tls_security_level = may
smtpd_hard_error_limit = 1000
smtpd_soft_error_limit = 1000
END
  printf '%s\n' '/^(dora|dirk)@partner\.example$/ x' '/^reader[0-9]+@readers\.example$/ x' \
    '/@(greylisted|busy)\.example$/ x' >/etc/postfix-partner/known
  printf '%s\n' '/@greylisted\.example$/ 450 4.2.0 Greylisted, come back later' \
    '/@busy\.example$/ 452 4.2.2 Mailbox full' >/etc/postfix-partner/later
  master_services 'smtp inet n - n - - smtpd' >/etc/postfix-partner/master.cf
}

# Ends the greylisting.
partner_relents() {
  sed -i /greylisted/d /etc/postfix-partner/later
  outside postfix -c /etc/postfix-partner reload 2>/dev/null
}

start_dovecot() {
  cat >/etc/dovecot/dovecot.conf <<'END'
protocols = imap
log_path =
syslog_facility = mail
auth_mechanisms = plain login
auth_verbose = yes
ssl_cert = </etc/mail.pem
ssl_key = </etc/mail.key
mail_location = maildir:/var/vmail/imap/%u
passdb {
  driver = passwd-file
  args = username_format=%u /etc/dovecot/people
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/var/vmail/imap/%u
}
first_valid_uid = 900
# Otherwise ever longer waits after failures run into Postfix's own time limit.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
END
  install -d -m 700 -o postfix /var/spool/postfix/private
  install -d -o vmail -g vmail /var/vmail/imap
  start_service dovecot dovecot -F -c /etc/dovecot/dovecot.conf
  until_true 15 test -S /var/spool/postfix/private/auth
}

# send FROM URL-SCHEME:PORT HELO SENDER RECIPIENTS OPTIONS...: one message from standard input.
# RECIPIENTS are separated by blanks. Its failure is of no account.
send() {
  local from=$1 scheme=${2%:*} port=${2#*:} helo=$3 sender=$4 rcpt rcpts=()
  for rcpt in $5; do rcpts+=(--mail-rcpt "$rcpt"); done
  shift 5
  outside curl -ks --max-time 30 --interface "$from" --mail-from "$sender" "${rcpts[@]}" -T - \
    "$@" "$scheme://$server:$port/$helo" >/dev/null 2>&1 || true
}

# letter SUBJECT [BYTES]
letter() {
  printf 'Subject: %s\r\nFrom: someone\r\n\r\n' "$1"
  if (($# > 1)); then head -c "$2" /dev/zero | tr '\0' x | fold -w 70; fi
  printf 'Text.\r\n'
}

# submit FROM NAME RECIPIENTS [BYTES]: ordinary submission on 587.
submit() {
  letter 'Minutes' "${@:4}" | send "$1" smtp:587 laptop.example.com "$2@example.com" "$3" \
    --ssl-reqd -u "$2@example.com:${passwords[$2]}" --mail-rcpt-allowfails
}

# try_login FROM SCHEME:PORT MECHANISM NAME: a wrong password.
try_login() {
  letter x | send "$1" "$2" ylmf-pc "$4@example.com" dora@partner.example --ssl-reqd \
    --login-options "AUTH=$3" -u "$4@example.com:$(openssl rand -hex 5)"
}

# dialogue FROM PORT LINE...: lines as they are. Who is new to postscreen must wait for its
# greeting first: $patience seconds.
dialogue() {
  local from=$1 port=$2 line
  shift 2
  {
    sleep "${patience-0.5}"
    for line in "$@"; do printf '%s\r\n' "$line"; sleep 0.3; done
  } | outside timeout 20 nc -q 1 -s "$from" $server "$port" >/dev/null 2>&1 || true
}

mail_scenario() {
  say "mail: ordinary sending and receiving"
  start_mail
  (ordinary_mail; incoming_mail)
  say "mail: strangers"
  (strangers)
  say "mail: guessing from 203.0.113.77, then bulk"
  (guess_sasl)
  (bulk)
  partner_relents
  (read_mail; ordinary_mail)
  sleep 60 # for deferred mail to go out, or to expire
  stop_mail
}

# master is a child of postfix's start-fg and must be told by postfix itself.
stop_mail() {
  postfix stop 2>/dev/null || true
  outside postfix -c /etc/postfix-partner stop 2>/dev/null || true
  stop_service postfix partner dovecot
}

ordinary_mail() {
  local round
  for round in 1 2 3; do
    submit 198.51.100.20 alice 'dora@partner.example'
    submit 198.51.100.21 bob 'carol@example.com alice@example.com'
    submit 198.51.100.22 carol "reader$round@readers.example dirk@partner.example" $((round * 9000))
    sleep 1
  done
  submit 198.51.100.20 alice 'team@example.com orders@shop.example'
  submit 198.51.100.20 alice 'nobody@partner.example'
  submit 198.51.100.20 alice 'nobody@example.com dora@partner.example'
  submit 198.51.100.22 carol 'gina@greylisted.example'
  submit 198.51.100.22 carol 'bert@busy.example'
  submit 198.51.100.22 carol 'dan@down.example'
  submit 198.51.100.22 carol 'nina@nowhere.example'
  submit 198.51.100.21 bob 'dora@partner.example' $((mail_size_max * 2))
  letter 'From 465' 500 | send 198.51.100.21 smtps:465 phone.example.com bob@example.com \
    alice@example.com -u "bob:${passwords[bob]}"
  # bob's finger slips once.
  try_login 198.51.100.21 smtp:587 PLAIN bob
}

# Mail from the partner's server. The first try only passes postscreen's test.
incoming_mail() {
  local round
  for round in 1 2 3; do
    letter "Offer $round" 2000 | send $partner_mx smtp:25 mx.partner.example dora@partner.example \
      'alice@example.com bob@example.com'
  done
  letter 'To nobody' | send $partner_mx smtp:25 mx.partner.example dirk@partner.example \
    'zoe@example.com'
  letter 'To the shop' | send $partner_mx smtp:25 mx.partner.example '' 'orders@shop.example'
  letter 'The casino' | send $partner_mx smtp:25 mx.partner.example dirk@partner.example \
    'carol@example.com'
}

strangers() {
  # First past postscreen, so that smtpd itself answers from here on.
  patience=2.5 dialogue 203.0.113.50 25 'EHLO stranger.isp.example' QUIT
  dialogue 203.0.113.50 25 'EHLO stranger.isp.example' 'MAIL FROM:<x@partner.example>' \
    'RCPT TO:<dora@partner.example>' 'RCPT TO:<victim@elsewhere.example>' QUIT
  dialogue 203.0.113.50 25 'HELO stranger' 'MAIL FROM:<x@partner.example>' \
    'RCPT TO:<alice@example.com>' QUIT
  dialogue 203.0.113.50 25 'HELO -_-' 'MAIL FROM:<x@partner.example>' \
    'RCPT TO:<alice@example.com>' QUIT
  dialogue 203.0.113.50 25 'EHLO stranger.isp.example' 'MAIL FROM:<x@nowhere.invalid>' \
    'RCPT TO:<alice@example.com>' 'RSET' 'MAIL FROM:<x>' 'RCPT TO:<alice@example.com>' QUIT
  dialogue 203.0.113.50 25 'EHLO stranger.isp.example' \
    "MAIL FROM:<x@partner.example> SIZE=$((mail_size_max * 9))" QUIT
  dialogue 203.0.113.50 25 'GET / HTTP/1.1' 'Host: mail1.example.com' ''
  dialogue 203.0.113.50 587 'EHLO stranger' 'MAIL FROM:<x@partner.example>' QUIT
  dialogue 203.0.113.50 465 'EHLO stranger'
  dialogue 203.0.113.50 25 'EHLO stranger.isp.example' 'VRFY root' 'DATA' 'NONSENSE' 'AUTH LOGIN'
  # TLS too old for us, and a hang-up; postscreen's block list, and one who speaks too soon.
  outside timeout 5 openssl s_client -connect $server:465 -tls1_1 -cipher ALL@SECLEVEL=0 \
    -bind 203.0.113.50:0 </dev/null >/dev/null 2>&1 || true
  outside nc -z -s 203.0.113.50 $server 587 || true
  patience=2.5 dialogue 203.0.113.5 25 'EHLO dyn.isp.example' 'MAIL FROM:<x@partner.example>' \
    'RCPT TO:<alice@example.com>' QUIT
  printf 'EHLO early.isp.example\r\n' | outside timeout 5 nc -q 4 -s 203.0.113.18 $server 25 \
    >/dev/null 2>&1 || true
  outside nc -z -s 203.0.113.18 $server 25 || true
}

# 203.0.113.77: 24 tries on 587; meanwhile 203.0.113.78 tries IMAP and 465.
guess_sasl() {
  local count names=(bob bob info bob admin bob alice bob)
  for count in $(seq 24); do
    if ((count % 2)); then
      try_login 203.0.113.77 smtp:587 LOGIN "${names[count % 8]}" &
    else
      try_login 203.0.113.77 smtp:587 PLAIN "${names[count % 8]}" &
    fi
    if ((count % 4 == 0)); then
      try_login 203.0.113.78 smtps:465 LOGIN carol &
      imap 203.0.113.78 carol "$(openssl rand -hex 5)" &
      wait
    fi
  done
  wait
}

# imap FROM NAME PASSWORD
imap() {
  outside curl -ks --max-time 20 --interface "$1" --ssl -u "$2@example.com:$3" \
    "imap://$server/" -X 'LIST "" "*"' >/dev/null 2>&1 || true
}

read_mail() {
  imap 198.51.100.20 alice "${passwords[alice]}"
  imap 198.51.100.22 carol "${passwords[carol]}"
  imap 198.51.100.21 bob "$(openssl rand -hex 5)"
  imap 198.51.100.21 bob "${passwords[bob]}"
}

# bob's password worked: bulk_messages messages to 75 each, most known to the readers' server,
# some unknown to the partner's, a few where there is no answer.
bulk() {
  local message first rcpts
  for message in $(seq 0 $((bulk_messages - 1))); do
    first=$((message * 45 + 100))
    rcpts=$(seq -f 'reader%g@readers.example' $first $((first + 44)))
    rcpts+=" $(seq -f 'former%g@partner.example' $first $((first + 24)))"
    rcpts+=" $(seq -f 'full%g@busy.example' 1 3) sam@down.example tom@nowhere.example"
    letter 'Your prize' 1500 | send 203.0.113.77 smtp:587 ylmf-pc bob@example.com "$rcpts" \
      --ssl-reqd --login-options AUTH=PLAIN -u "bob@example.com:${passwords[bob]}" \
      --mail-rcpt-allowfails
    sleep 3
  done
}
