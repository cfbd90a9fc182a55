# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by resolver.sh: new names, which are asked of a server, and the ports they are asked from.
# shellcheck disable=SC2154 # of resolver.sh and lib.sh: T here bin server server_cpu client_cpu miss_ms ports

# Besides our own, unbound as the server: it has one address for all names.
miss_set_up() {
	resolver_places p 1
	start_dnsserver ports -n p0 -l "$T/ports.all"
	command -v unbound >/dev/null || { say "there is no unbound here" && return; }
	resolver_places u 1
	printf '%s\n' server: "interface: $server" 'access-control: 0.0.0.0/0 allow' 'username: ""' \
		'chroot: ""' 'directory: "/run/t"' 'use-syslog: no' 'logfile: ""' 'num-threads: 1' \
		'module-config: "iterator"' 'do-daemonize: no' "pidfile: \"$T/unbound.pid\"" \
		'so-rcvbuf: 4m' 'local-zone: "test." redirect' 'local-data: "test. 300 IN A 10.1.2.3"' \
		remote-control: 'control-enable: no' >"$T/unbound.conf"
	background unbound u0 taskset -c "$server_cpu" unbound -d -c "$T/unbound.conf"
	unbound_pid=$!
	wait_for 10 unbound_answers || fail "unbound does not answer"
}

unbound_answers() { in_ns u0 "$bin/resolvpeers" cares-raw -n /run/netns/u0 -s "$server" -N 1; }

# The ports of one run: what the server has noted since.
ports_of() { # KEY
	local all
	all=$(wc -l <"$T/ports.all")
	samples "$1" "$(tail -n +$((ports_seen + 1)) "$T/ports.all" | awk -f "$here/ports.awk")"
	ports_seen=$all
}

ports_round() {
	ports_seen=$(wc -l <"$T/ports.all")
	peer ports-cares p0 cares-miss -n /run/netns/p0 -N "$ports"
	ports_of ports-cares
	# nscd would ask for it, and only once.
	in_ns p0 unshare --mount -- sh -c 'mount -t tmpfs tmpfs /run/nscd 2>/dev/null
		exec "$@"' sh "$bin/resolvpeers" glibc-miss -N "$ports" >>"$T/ports.log" 2>&1
	ports_of ports-glibc
	peer ports-unbound p0 unbound-miss -N "$ports"
	ports_of ports-unbound
	ours ports-run miss -n /run/netns/p0 -N "$ports"
	ports_of ports-ours
}

miss_round() {
	local out
	peer miss-cares v0 cares-miss -n /run/netns/v0 -c "$client_cpu" -t "$miss_ms"
	ours miss-ours miss -n /run/netns/v0 -c "$client_cpu" -t "$miss_ms"
	peer miss-raw v0 cares-raw -n /run/netns/v0 -c "$client_cpu" -t "$miss_ms"
	ours miss-both miss -n /run/netns/v0 -c "$client_cpu" -t "$miss_ms" -k both
	peer miss-cares-both v0 cares-miss -n /run/netns/v0 -c "$client_cpu" -t "$miss_ms" -k both
	peer miss-unbound v0 unbound-miss -c "$client_cpu" -t "$miss_ms"
	out=$(in_ns v0 unshare --mount -- sh -c 'mount -t tmpfs tmpfs /run/nscd 2>/dev/null
		exec "$@"' sh "$bin/resolvpeers" glibc-miss -c "$client_cpu" -t "$miss_ms" 2>>"$T/glibc.log") ||
		say "glibc has failed: $out"
	samples miss-glibc "$out"
	ports_round
	[ -n "${unbound_pid-}" ] || return 0
	peer by-unbound-cares u0 cares-miss -n /run/netns/u0 -c "$client_cpu" -t "$miss_ms" -u
	ours by-unbound-ours miss -n /run/netns/u0 -c "$client_cpu" -t "$miss_ms" -u
}

miss_rows() {
	local name key
	row "new names, A, sorted, sockets in the VS" /s c-ares miss-cares.rate miss-ours.rate 'ours>=40000'
	row "  CPU of each" us c-ares miss-cares.cpu miss-ours.cpu 'ours<=15'
	for name in "raw:c-ares, one port, nothing read" unbound:libunbound "glibc:glibc, 8 threads"; do
		key=${name%%:*} name=${name#*:}
		row "" /s "$name" "miss-$key.rate" miss-ours.rate -
		row "  CPU of each" us "$name" "miss-$key.cpu" miss-ours.cpu -
	done
	row "new names, A+AAAA, sorted" /s c-ares miss-cares-both.rate miss-both.rate -
	row "  CPU of each" us c-ares miss-cares-both.cpu miss-both.cpu -
	row "new names, A, of unbound" /s c-ares by-unbound-cares.rate by-unbound-ours.rate -
	row "  CPU of each" us c-ares by-unbound-cares.cpu by-unbound-ours.cpu -
	row "distinct source ports of $ports queries" "" c-ares ports-cares.distinct ports-ours.distinct \
		"ours>=$((ports * 95 / 100))"
	row "" "" glibc ports-glibc.distinct ports-ours.distinct -
	row "" "" libunbound ports-unbound.distinct ports-ours.distinct -
	row "  are they like random ones (1: yes)" "" c-ares ports-cares.random ports-ours.random 'ours>=1'
}
