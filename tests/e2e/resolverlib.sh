# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # what lib.sh sets
# For the tests of the resolver, behind lib.sh: name servers by unbound, and the files of VSs.
#
# name_server NAME NS LINE...: unbound in NS, as NAME, with the zone corp.test and these local-data
# resolves VS NAME: does the VS get an answer?
# own_etc: a private copy of /etc, so that /etc/netns and nsswitch.conf can be the test's

tool() { timeout 30 "$vsctl" --runtime-dir "$T/rt" --netns-dir /run/netns --vs-dir "$T/vs.d" "$@"; }

own_etc() {
	cp -a /etc "$T/etc" 2>/dev/null
	mount --bind "$T/etc" /etc && mkdir -p /etc/netns || exit 99
}

# Answers from these data alone, whatever address it is asked at.
name_server() { # NAME NS LINE...
	local name=$1 ns=$2 line
	shift 2
	{
		printf '%s\n' server: 'interface: 0.0.0.0' 'interface: ::0' 'interface-automatic: yes' \
			'access-control: 0.0.0.0/0 allow' 'access-control: ::/0 allow' 'username: ""' \
			'chroot: ""' 'directory: "/run/t"' 'use-syslog: no' 'logfile: ""' 'num-threads: 1' \
			'module-config: "iterator"' 'do-daemonize: no' "pidfile: \"$T/$name.pid\"" \
			'max-udp-size: 1232' \
			'local-zone: "corp.test." static' 'local-zone: "10.in-addr.arpa." static'
		for line; do
			case $line in
			*' PTR '*) printf 'local-data: "%s"\n' "$line" ;;
			*) printf "local-data: '%s'\n" "$line" ;;
			esac
		done
		printf '%s\n' remote-control: 'control-enable: no'
	} >"$T/$name.conf"
	background "$name" "$ns" unbound -d -c "$T/$name.conf"
}

resolves() { tool --json resolve --timeout=2000 "$@" | grep -q '"ok": *true'; } # VS NAME [TYPE]
