# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # what lib.sh sets
# For the tests of the resolver, behind lib.sh: name servers by unbound, and the files of VSs.
#
# name_server NAME NS LINE...: unbound in NS, as NAME, with these records of corp.test and 10.in-addr.arpa
# resolves VS NAME: does the VS get an answer?
# own_etc: a private copy of /etc, so that /etc/netns and nsswitch.conf can be the test's

tool() { timeout 30 "$vsctl" --runtime-dir "$T/rt" --netns-dir /run/netns --vs-dir "$T/vs.d" "$@"; }

own_etc() {
	cp -a /etc "$T/etc" 2>/dev/null
	mount --bind "$T/etc" /etc && mkdir -p /etc/netns || exit 99
}

zone() { # NAME SERVER: an authoritative one, with the records of standard input
	{
		printf '%s. 300 IN SOA ns.%s. hostmaster.%s. 1 3600 600 86400 60\n' "$1" "$1" "$1"
		printf '%s. 300 IN NS ns.%s.\n' "$1" "$1"
		cat
	} >"$T/$2.$1"
	printf '%s\n' auth-zone: "name: \"$1\"" "zonefile: \"$T/$2.$1\"" 'for-downstream: yes' \
		'for-upstream: yes' 'fallback-enabled: no' >>"$T/$2.conf"
}

# Answers with these records alone, whatever address it is asked at.
name_server() { # NAME NS RECORD...
	local name=$1 ns=$2
	shift 2
	printf '%s\n' server: 'interface: 0.0.0.0' 'interface: ::0' 'interface-automatic: yes' \
		'access-control: 0.0.0.0/0 allow' 'access-control: ::/0 allow' 'username: ""' \
		'chroot: ""' 'directory: "/run/t"' 'use-syslog: no' 'logfile: ""' 'num-threads: 1' \
		'module-config: "iterator"' 'do-daemonize: no' "pidfile: \"$T/$name.pid\"" \
		'local-zone: "test." nodefault' 'local-zone: "10.in-addr.arpa." nodefault' remote-control: 'control-enable: no' >"$T/$name.conf"
	printf '%s\n' "$@" | grep -v ' PTR ' | zone corp.test "$name"
	printf '%s\n' "$@" | grep ' PTR ' | zone 10.in-addr.arpa "$name"
	background "$name" "$ns" unbound -d -c "$T/$name.conf"
}

resolves() { tool --json resolve --timeout=2000 "$@" | grep -q '"ok": *true'; } # VS NAME [TYPE]
