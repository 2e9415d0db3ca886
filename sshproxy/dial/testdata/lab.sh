#!/bin/bash
# lab.sh DIR COMMAND...: four hosts in a row, client - b1 - b2 - internal, each in a network namespace of its own and
# with a link to its neighbours only; real sshd on the last three, an HTTP and a SOCKS5 proxy on b1, a second sshd on b1
# that forbids forwarding. COMMAND runs on the client. Meant to be started in private network, mount and process
# namespaces, with which all of it ends.
set -eu
dir=$1
shift
mount -t tmpfs none /run
mkdir -p /run/netns /run/sshd
umask 022
chmod 755 "$dir"

for n in client b1 b2 internal; do
	ip netns add $n
	ip -n $n link set lo up
done
join() { # netns device address netns device address
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$1" link set "$2" up
	ip -n "$4" addr add "$6/24" dev "$5"
	ip -n "$4" link set "$5" up
}
join client c0 10.77.1.1 b1 b1a 10.77.1.2
join b1 b1b 10.77.2.1 b2 b2a 10.77.2.2
join b2 b2b 10.77.3.1 internal i0 10.77.3.2

ssh-keygen -q -t ed25519 -N '' -f "$dir/id" </dev/null
: >"$dir/known_hosts"
server() { # netns name address port line
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key_$2" </dev/null
	echo "[$3]:$4 $(cut -d' ' -f1,2 "$dir/key_$2.pub")" >>"$dir/known_hosts"
	printf '%s\n' "Port $4" "HostKey $dir/key_$2" "AuthorizedKeysFile $dir/id.pub" "StrictModes no" "UsePAM no" \
		"PermitRootLogin yes" "PasswordAuthentication no" "PidFile none" "MaxStartups 200" "LogLevel ERROR" "$5" >"$dir/sshd_$2"
	ip netns exec "$1" /usr/sbin/sshd -D -f "$dir/sshd_$2" -E "$dir/log_$2" </dev/null >/dev/null 2>&1 &
}
server b1 b1 10.77.1.2 2222 ""
server b1 b1nf 10.77.1.2 2223 "AllowTcpForwarding no"
server b2 b2 10.77.2.2 2222 ""
server internal internal 10.77.3.2 2222 ""
printf '%s\n' "Port 8888" "Listen 0.0.0.0" "Timeout 600" "Allow 0.0.0.0/0" "ConnectPort 2222" "MaxClients 50" >"$dir/tinyproxy.conf"
ip netns exec b1 tinyproxy -d -c "$dir/tinyproxy.conf" </dev/null >"$dir/tinyproxy.log" 2>&1 &
ip netns exec b1 microsocks -i 0.0.0.0 -p 1080 </dev/null >/dev/null 2>&1 &

up() { # netns address port...
	local ns=$1 ip=$2 p i
	shift 2
	for p in "$@"; do
		for i in $(seq 100); do
			ip netns exec "$ns" bash -c "exec 3<>/dev/tcp/$ip/$p" 2>/dev/null && continue 2
			sleep 0.1
		done
		echo "nothing listens on $ip:$p" >&2
		exit 1
	done
}
up client 10.77.1.2 2222 2223 8888 1080
up b1 10.77.2.2 2222
up b2 10.77.3.2 2222
ip netns exec client "$@"
