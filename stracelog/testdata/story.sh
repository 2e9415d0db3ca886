#!/bin/bash
# One web request with a known bottleneck, served by real servers and traced by the real strace. Runs as root in network, mount
# and process namespaces of its own (see TestLiveStory), where the standard ports are free and from which nothing gets out.
#
#   story.sh OUT REQUESTS "MODE..."
#
# For each mode it leaves OUT/MODE-filtered.strace, OUT/MODE-all.strace and OUT/MODE-plain.strace, and beside each a .truth: one line a request, as PHP's
# own clock measured it: memcached_ms=1.9 think_ms=110.0 mysql_ms=6.1
set -u
out=$1 requests=$2 modes=$3
fail() { echo "story.sh: $1" >&2; exit 1; }
work=$(mktemp -d /tmp/dougu-story.XXXXXX) || exit 1 # other users must reach it
chmod 755 "$work"
trap 'kill -KILL $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

ip link set lo up || fail "no loopback"
ip addr add 127.0.0.11/8 dev lo
ip addr add 127.0.0.12/8 dev lo
echo "nameserver 127.0.0.1" >"$work/resolv.conf" && mount --bind "$work/resolv.conf" /etc/resolv.conf
echo "hosts: dns" >"$work/nsswitch.conf" && mount --bind "$work/nsswitch.conf" /etc/nsswitch.conf

dnsmasq -k -p 53 --no-resolv --no-hosts --listen-address=127.0.0.1 --bind-interfaces --user=root --pid-file= \
	--host-record=cache.example.test,127.0.0.11 --host-record=db.example.test,127.0.0.12 >"$work/dns.log" 2>&1 &
memcached -u nobody -l 127.0.0.11 -p 11211 -U 0 >"$work/memcached.log" 2>&1 &

mkdir "$work/db" && chown mysql "$work/db"
unset USER
export TMPDIR=/tmp HOME=$work # the database runs as another user
mariadb-install-db --no-defaults --force --skip-name-resolve --user=mysql --datadir="$work/db" --skip-test-db \
	--auth-root-authentication-method=normal >"$work/install.log" 2>&1
cat >"$work/init.sql" <<S
CREATE DATABASE app;
CREATE TABLE app.t(id INT PRIMARY KEY, v VARCHAR(64));
INSERT INTO app.t VALUES(1,'hello');
CREATE USER 'app'@'%' IDENTIFIED BY 'test';
GRANT ALL ON app.* TO 'app'@'%';
S
mariadbd --no-defaults --user=mysql --datadir="$work/db" --bind-address=127.0.0.12 --port=3306 --socket="$work/db/my.sock" \
	--skip-name-resolve --init-file="$work/init.sql" --innodb-buffer-pool-size=16M --performance-schema=0 >"$work/mariadb.log" 2>&1 &

mkdir "$work/www" "$work/logs"
cat >"$work/www/index.php" <<'P'
<?php
$think = (int)$_GET['think']; $mode = $_GET['mode']; $t0 = microtime(true);
$m = new Memcached(); $m->addServer('cache.example.test', 11211);
if ($mode == 'slowmc') { for ($i = 0; $i < 400; $i++) { $m->get("slow$i"); } }
$v = $m->get('user:42'); if ($v === false) { $m->set('user:42', str_repeat('x', 3600)); }
$t1 = microtime(true);
if ($mode == 'cpu') { $x = 0; while ((microtime(true)-$t1)*1000 < $think) { $x = ($x*31+7) % 1000003; } }
elseif ($mode == 'sleep') { usleep($think*1000); }
elseif ($mode == 'file') { while ((microtime(true)-$t1)*1000 < $think) { file_get_contents('/etc/services'); } }
$t2 = microtime(true);
$db = mysqli_init(); $db->real_connect('db.example.test', 'app', 'test', 'app');
if ($mode == 'sql') { $db->query("SELECT SLEEP(".($think/1000).")"); }
$r = $db->query('SELECT v FROM t WHERE id=1')->fetch_row(); $db->close();
$t3 = microtime(true);
printf("memcached_ms=%.3f think_ms=%.3f mysql_ms=%.3f\n", ($t1-$t0)*1e3, ($t2-$t1)*1e3, ($t3-$t2)*1e3);
P
php=$(ls /usr/lib/apache2/modules/libphp*.so | tail -1)
cat >"$work/httpd.conf" <<C
ServerRoot "$work"
ServerName localhost
PidFile "$work/httpd.pid"
Listen 127.0.0.1:80
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
LoadModule php_module $php
TypesConfig /etc/mime.types
AddHandler application/x-httpd-php .php
DocumentRoot "$work/www"
<Directory "$work/www">
Require all granted
</Directory>
ErrorLog "$work/logs/error.log"
User www-data
Group www-data
StartServers 1
MinSpareServers 1
MaxSpareServers 1
MaxRequestWorkers 1
MaxConnectionsPerChild 0
KeepAlive Off
C
setsid apache2 -f "$work/httpd.conf" -DFOREGROUND >"$work/apache.log" 2>&1 &
apache=$!
page() { curl -s -m 30 "http://127.0.0.1/index.php?mode=$1&think=110"; }
for _ in $(seq 200); do
	page none | grep -q mysql_ms && up=1 && break
	sleep 0.2
done
[ -n "${up-}" ] || { tail -n 3 "$work"/*.log "$work"/logs/*.log >&2; fail "the page did not answer"; }
child=$(pgrep -P $apache | head -1)

traced() { # NAME MODE FLAG...
	local name=$1 mode=$2 tracer
	shift 2
	strace -p "$child" "$@" -o "$out/$name.strace" 2>"$out/$name.err" &
	tracer=$!
	for _ in $(seq 100); do grep -q attached "$out/$name.err" && break; sleep 0.05; done
	for _ in $(seq "$requests"); do page "$mode"; done >"$out/$name.truth"
	sleep 0.1
	kill -INT $tracer
	wait $tracer
}
for mode in $modes; do
	traced "$mode-filtered" "$mode" -tt -T -e trace=network,poll
	traced "$mode-all" "$mode" -ttt -T -f -yy -s 256
	traced "$mode-plain" "$mode" -tt -T
done
exit 0
