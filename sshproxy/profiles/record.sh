#!/bin/sh
# record.sh [COMMAND...] prints the record of an OpenSSH client: the defaults and the names of
# algorithms that it knows. COMMAND runs the client; the default is ssh. The client of a Debian
# package runs in a root file system that contains the package:
#
#	debootstrap --variant=minbase --include=openssh-client trixie ROOT
#	sh record.sh chroot ROOT ssh >10.0p2-debian.txt
set -eu
[ $# -gt 0 ] || set -- ssh
version=$("$@" -V 2>&1)
echo "# $version"
echo "# recorded by: ssh -G -F none h, and ssh -Q for the names that may stand in algorithm lists"
for q in cipher mac kex key HostKeyAlgorithms sig kex-gss; do
	names=$("$@" -Q "$q" 2>/dev/null) || continue
	[ -z "$names" ] || echo "@$q $(echo "$names" | paste -sd, -)"
done
home=$(getent passwd "$(id -u)" | cut -d: -f6)
"$@" -G -F none h | sed -e '/^\(host\|user\|hostname\) /d' -e "s,$home/,~/,g"
