# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by resolver.sh: names that are in a cache.
# shellcheck disable=SC2154 # of resolver.sh and lib.sh: T hit_ms client_cpu

# What the newest c-ares takes, with the cache in its channel, measured once; it is not what is installed.
newest_cares=(10.1 23.8)

hit_set_up() {
	command -v nscd >/dev/null || { say "there is no nscd here" && return; }
	printf '%s\n' 'server-user root' 'paranoia no' 'enable-cache hosts yes' \
		'positive-time-to-live hosts 3600' 'negative-time-to-live hosts 20' 'suggested-size hosts 211' \
		'check-files hosts no' 'persistent hosts no' 'shared hosts yes' \
		'max-db-size hosts 33554432' 'enable-cache passwd no' 'enable-cache group no' \
		'enable-cache services no' 'enable-cache netgroup no' >"$T/nscd.conf"
	background nscd v0 nscd -F -f "$T/nscd.conf"
	nscd_pid=$!
	wait_for 5 test -S /run/nscd/socket || say "nscd does not start"
}

hit_round() {
	local kind
	for kind in 1 8 both; do
		[ $kind = both ] || peer "hit-unbound-$kind" v0 unbound-hit -c "$client_cpu" -t "$hit_ms" -k $kind
		[ -z "${nscd_pid-}" ] ||
			peer "hit-nscd-$kind" v0 glibc-hit -c "$client_cpu" -t "$hit_ms" -k $kind
		ours "hit-ours-$kind" hit -n /run/netns/v0 -c "$client_cpu" -t "$hit_ms" -k $kind
	done
	[ -z "${nscd_pid-}" ] || peer nscd-wrong v1 glibc-wrong -v 1
	ours hit-one hit -n /run/netns/v0 -c "$client_cpu" -t "$hit_ms"
	ours hit-apart hit -n /run/netns/v% -T 2 -a -t "$hit_ms"
	ours hit-same hit -n /run/netns/v0 -T 2 -t "$hit_ms"
	sample hit-cares-1 "${newest_cares[0]}"
	sample hit-cares-both "${newest_cares[1]}"
}

hit_rows() {
	row "cached A, 1 address" us "newest c-ares, noted" hit-cares-1 hit-ours-1.each 'ours<=0.6'
	row "" us "nscd, for one VS" hit-nscd-1.each hit-ours-1.each -
	row "" us libunbound hit-unbound-1.each hit-ours-1.each -
	row "cached A, 8 addresses sorted" us "nscd, for one VS" hit-nscd-8.each hit-ours-8.each 'ours<=1.5'
	row "" us "libunbound, not sorted" hit-unbound-8.each hit-ours-8.each -
	row "cached A+AAAA, sorted" us "newest c-ares, noted" hit-cares-both hit-ours-both.each 'ours<=1.2'
	row "" us "nscd, for one VS" hit-nscd-both.each hit-ours-both.each -
	row "cached A, two threads, two VSs" /s "one thread" hit-one.rate hit-apart.rate 'ratio>=1.7'
	row "  one VS" /s "one thread" hit-one.rate hit-same.rate 'ratio>=1.5'
}
