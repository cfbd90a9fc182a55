# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Name resolution per VS: ours (resolvours, by <vsresolv.h> alone) beside other resolvers (resolvpeers).
#
#   hit        cached names, and two threads            resolverhit.sh
#   miss       new names; source ports                  resolvermiss.sh
#   idle       contexts that have nothing to do
#   many       memory and cached hits of many VSs under load
#   beside     a VS beside others whose servers are dead and malicious
#   isolation  whose answers are they?
#
# $BENCH_PART is one of them, or empty for all. In each namespace v0... of a VS there is one name server
# at 192.0.2.53, on lo, and a default route, so that addresses have somewhere to go. The name server is on
# CPU 0, who asks on CPU 1.
. "${top_srcdir:?}/tests/bench/lib.sh"
. "$here/resolverhit.sh"
. "$here/resolvermiss.sh"

server=192.0.2.53
case $BENCH_SIZE in
full)
	rounds=5 hit_ms=700 miss_ms=2000 ports=2000 idle=1000 vss=100 names=10000 many_ms=3000
	beside_ms=15000 asked=1000000
	;;
quick)
	rounds=3 hit_ms=200 miss_ms=700 ports=2000 idle=1000 vss=100 names=2000 many_ms=1000
	beside_ms=5000 asked=100000
	;;
smoke)
	rounds=1 hit_ms=20 miss_ms=50 ports=200 idle=10 vss=4 names=200 many_ms=50
	beside_ms=100 asked=2000
	;;
esac
resolvours=$(unwrapped "$bin/resolvours")
vsisol=$(unwrapped "$bin/../e2e/peers/vsisol")
dnsserver=$bin/../e2e/peers/dnsserver
export LD_LIBRARY_PATH=$libraries:$top_builddir/resolver-ns/.libs

peer_versions() {
	local p list=''
	for p in libc-ares2 libunbound8 libc6 nscd; do
		list="$list${list:+, }$p $(dpkg-query -W -f '${Version}' $p 2>/dev/null || echo unknown)"
	done
	echo "$list"
}

# ---- what there is for all

# A namespace with the address of a name server and a way for everything else.
resolver_place() { # NAMESPACE
	printf '%s\n' "addr add $server/32 dev lo" "addr add 2001:db8::53/128 dev lo nodad" \
		"route add default dev lo" "route add ::/0 dev lo" |
		ip -n "$1" -batch - || fail "namespace $1"
}

resolver_places() { # PREFIX COUNT
	local i
	"$bin/nsmany" /run/netns "$1" "$2" || fail "namespaces $1"
	for ((i = 0; i < $2; i++)); do resolver_place "$1$i"; done
}

start_dnsserver() { # NAME OPTION...
	local name=$1
	shift
	rm -f "$T/$name.log"
	"$dnsserver" -c "$server_cpu" -a $server "$@" >"$T/$name.log" 2>&1 </dev/null &
	pids+=($!)
	wait_for 20 grep -q '^ready' "$T/$name.log" || fail "dnsserver: $*"
}

# For those who read /etc: glibc and nscd. Nothing here changes the machine's own, see tests/nsrun.
own_etc() {
	mkdir -p "$T/etc" /run/nscd
	cp -a /etc/. "$T/etc" 2>/dev/null
	mount --bind "$T/etc" /etc || fail "a copy of /etc"
	rm -f /etc/resolv.conf
	echo "nameserver $server" >/etc/resolv.conf
	echo 'hosts: files dns' >/etc/nsswitch.conf
	echo '127.0.0.1 localhost' >/etc/hosts
}

# PREFIX WORDS: a sample under PREFIX.NAME for each NAME=VALUE
samples() {
	local word
	for word in $2; do
		[ "${word#*=}" = "$word" ] || sample "$1.${word%%=*}" "${word#*=}"
	done
}

ours() { # KEY MODE OPTION...
	local key=$1 out
	shift
	out=$("$resolvours" "$@" -s $server 2>>"$T/$key.log") ||
		fail "$key: resolvours $*: $out $(tail -n 3 "$T/$key.log")"
	samples "$key" "$out"
}

# KEY NAMESPACE MODE OPTION...: a peer that is started in the namespace. It may fail; then there is no value.
peer() {
	local key=$1 ns=$2 out
	shift 2
	if out=$(in_ns "$ns" "$bin/resolvpeers" "$@" -s $server 2>>"$T/$key.log"); then
		samples "$key" "$out"
	else
		say "$key: resolvpeers $* has failed: $out $(tail -n 1 "$T/$key.log")"
	fi
}

# ---- idle contexts

idle_round() {
	peer idle-cares v0 cares-idle -n /run/netns/v0 -N "$idle"
	ours idle-ours idle -n /run/netns/v0 -N "$idle"
}

idle_rows() {
	row "$idle idle contexts: each" bytes c-ares idle-cares.private idle-ours.private 'ours<=2048'
	row "  of it in use on the heap" bytes c-ares idle-cares.heap idle-ours.heap -
	row "  made in" us c-ares idle-cares.us idle-ours.us 'ours<=10'
	row "  descriptors, all" "" c-ares idle-cares.fds idle-ours.fds 'ours<=0'
	row "  each, with a name in its cache" bytes "" - idle-ours.used_private -
	row "  descriptors then, all" "" "" - idle-ours.used_fds 'ours<=0'
}

# ---- many VSs

many_round() {
	ours many-each many -n /run/netns/v% -v "$vss" -N "$names" -t "$many_ms" -c "$client_cpu" -w 200
	ours many-all many -n /run/netns/v% -v "$vss" -N "$names" -t "$many_ms" -c "$client_cpu" -w 200 \
		-L $((vss * 1048576 / 4))
}

# Of less than the limit nothing is to be said: there the program itself is most of it.
many_rows() {
	local bar='ours<=1.1'
	row "$vss VSs, $names names each, 1 MiB each: PSS of the limit" "" "" - many-each.pss "$bar"
	row "  counted by the caches themselves" "" "" - many-each.taken 'ours<=1'
	row "  p99 of a cached hit, under load" us "" - many-each.p99 'ours<=10'
	row "  p50" us "" - many-each.p50 -
	row "  new names resolved" /s "" - many-each.rate -
	row "  with a quarter of that for all: PSS of the limit" "" "" - many-all.pss "$bar"
	row "  p99 of a cached hit, under load" us "" - many-all.p99 'ours<=10'
}

# ---- beside bad ones

beside_set_up() {
	resolver_places b 3
	start_dnsserver good -n b0
	start_dnsserver bad -N none:0 -n b1 -n b2
}

beside_round() { ours beside beside -n /run/netns/b% -t "$beside_ms" -c "$client_cpu"; }

beside_rows() {
	row "p99.9 beside VSs with dead and malicious servers" us alone beside.quiet_p999 beside.noisy_p999 \
		'ratio<=1.2'
	row "  p99" us alone beside.quiet_p99 beside.noisy_p99 -
	row "  p50" us alone beside.quiet_p50 beside.noisy_p50 -
}

# ---- isolation

# As many marks in one namespace, each with a way of its own to the same address.
isolation_marks() { # COUNT
	local i
	ip netns add marks || fail "namespace marks"
	ip -n marks link set lo up
	in_ns marks sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	for ((i = 1; i <= $1; i++)); do
		ip netns add "srv$i" || fail "mark $i"
		ip link add "m$i" netns marks type veth peer name s0 netns "srv$i" || fail "mark $i"
		printf '%s\n' "link set lo up" "link set s0 up" "addr add $server/32 dev lo" \
			"addr add 10.200.$i.2/24 dev s0" | ip -n "srv$i" -batch - || fail "mark $i"
		printf '%s\n' "link set m$i up" "addr add 10.200.$i.1/24 dev m$i" \
			"route add $server/32 via 10.200.$i.2 table $i" "rule add fwmark $i table $i" |
			ip -n marks -batch - || fail "mark $i"
	done
}

isolation_run() { # KEY OPTION...
	local key=$1 out rc=0
	shift
	out=$("$vsisol" -D "$dnsserver" -s $server "$@" 2>>"$T/$key.log") || rc=$?
	[ $rc -lt 2 ] || fail "$key: vsisol $*: $(tail -n 3 "$T/$key.log")"
	say "$key: $out"
	samples "$key" "$out"
}

isolation_all() {
	local marks=$(((vss + 4) / 5))
	isolation_marks "$marks"
	isolation_run isolation -n $((vss - marks)) -m /run/netns/marks:$marks -q "$asked" -r 2000 -w 2000 \
		-T 2 -t 5 -d 1 -L 900
	# The same is to see what is wrong, when something is.
	isolation_run isolation-crossed -n $((vss - marks)) -m /run/netns/marks:$marks -q 4000 -r 100000 \
		-w 200 -C 0 -t 0 -d 0 -x -L 300
	[ "$(last isolation-crossed.wrong)" -gt 0 ] || fail "answers of another VS are not noticed"
}

isolation_rows() {
	row "isolation: wrong answers" "" "nscd, % " nscd-wrong.wrong isolation.wrong 'ours<=0'
	row "  of answers over the network" "" "" - isolation.network "ours>=$asked"
	row "  of answers from caches" "" "" - isolation.cached -
	row "  VSs that began anew meanwhile" "" "" - isolation.recreated -
	row "  callbacks after a cancel" "" "" - isolation.late 'ours<=0'
	row "  noticed, when servers are crossed" "" "" - isolation-crossed.wrong 'ours>=1'
}

# ---- all of it

parts=(hit miss idle many beside isolation)
[ -z "${BENCH_PART-}" ] || parts=("$BENCH_PART")

# What the next one would find in its way: smoke-resolver.netns has several in a row.
clear_all() {
	cleanup
	wait 2>>"$T/clear.log"
	"$bin/nsclear" /run/netns >>"$T/clear.log" 2>&1 || fail "namespaces do not go away"
	umount -l /etc
}

main() {
	local part i
	ulimit -n "$(ulimit -H -n)"
	own_etc
	resolver_places v "$vss"
	start_dnsserver all -N "v:$vss"
	for part in "${parts[@]}"; do [ "$(type -t "${part}_set_up")" = "" ] || "${part}_set_up"; done
	for ((i = 1; i <= rounds; i++)); do
		for part in "${parts[@]}"; do
			[ "$(type -t "${part}_round")" != "" ] || continue
			say "$part, round $i of $rounds"
			"${part}_round"
		done
	done
	for part in "${parts[@]}"; do [ "$(type -t "${part}_all")" = "" ] || "${part}_all"; done
	clear_all
	for part in "${parts[@]}"; do "${part}_rows"; done
	report "tests/bench/run resolver${BENCH_PART:+ --part $BENCH_PART}"
}

main
