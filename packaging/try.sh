#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Shows rpcbind-ns at work on Debian, from a bare checkout: as root, and without arguments.
#
# It installs what the build needs, builds in build-try, and makes mount, network and PID
# namespaces of its own with an empty /run, in which all the rest happens. So a system rpcbind is
# neither used nor disturbed, and when the script ends, in whatever way, nothing of this is left.
#
#   client-blue 10.1.1.2 -------- 10.1.1.1 blue ---,
#                                                  +--- rpcbind-ns
#   client-red  10.1.1.2 -------- 10.1.1.1 red ----'
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"
build=$top/build-try
log=$build/try.log

heading() { printf '\n== %s\n\n' "$*"; }

build_it() {
	generate && configured "$build" --disable-shared --enable-static &&
		run 900 make -C "$build" -j"$jobs" rpcbind-ns/rpcbind-ns common/vsctl tests/e2e/peers/rpcreg
}

outside() {
	local rc=0
	[ "$(id -u)" = 0 ] || fail "must be run as root: it installs packages and makes namespaces"
	heading "1. What is needed"
	"$top/packaging/install-deps.sh" try || exit 1
	heading "2. The build"
	mkdir -p "$build" || exit 1
	build_it >"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "the build failed; all of it is in $log"; }
	echo "built in ${build#"$PWD/"}; what was said meanwhile is in try.log there"
	run 120 unshare --mount --net --pid --fork --kill-child --mount-proc bash "$top/packaging/try.sh" \
		--inside || rc=$?
	[ $rc -le 1 ] || echo "try.sh: the demonstration did not end by itself (status $rc)" >&2
	exit $rc
}

# ---- inside the namespaces

# What is registered: VS, program, version, netid, universal address. 8.1 is port 2049.
services='
blue 100003 3 tcp 0.0.0.0.8.1
blue 100005 3 tcp 0.0.0.0.78.80
red  100005 3 tcp 0.0.0.0.117.48
red  100024 1 udp 0.0.0.0.117.49'
wrong=0

in_ns() { nsenter --net="/run/netns/$1" -- timeout 10 "${@:2}"; }
vsctl() { timeout 10 "$build/common/vsctl" "$@"; }

wait_for() { # SECONDS CMD...
	local end=$((SECONDS + $1 + 1))
	until "${@:2}" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

topology() {
	local vs
	mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/netns && mount --bind /run/netns /run/netns &&
		mount --make-shared /run/netns && ip link set lo up || return
	for vs in blue red; do
		ip netns add $vs && ip netns add client-$vs &&
			ip link add eth0 netns $vs type veth peer name eth0 netns client-$vs &&
			ip -n $vs address add 10.1.1.1/24 dev eth0 &&
			ip -n client-$vs address add 10.1.1.2/24 dev eth0 &&
			ip -n $vs link set lo up && ip -n $vs link set eth0 up &&
			ip -n client-$vs link set eth0 up || return
	done
}

# Without the configuration it would serve the clients' namespaces as well.
start_daemon() {
	printf '%s\n' '[Registry]' 'Exclude=client-*' >/run/demo.conf
	"$build/rpcbind-ns/rpcbind-ns" -f --config /run/demo.conf --vs-dir /run/vs.d --state-dir /run/state \
		>/run/demo.log 2>&1 &
	wait_for 10 vsctl --runtime-dir /run/rpcbind-ns list || { cat /run/demo.log >&2; fail "rpcbind-ns did not start"; }
}

register() {
	local vs prog vers netid uaddr
	while read -r vs prog vers netid uaddr; do
		[ -n "$vs" ] || continue
		printf '   %-5s program %s version %s on %s, address %s\n' "$vs" "$prog" "$vers" "$netid" "$uaddr"
		in_ns "$vs" "$build/tests/e2e/peers/rpcreg" set "$prog" "$vers" "$netid" "$uaddr" ||
			{ cat /run/demo.log >&2; fail "rpcb_set(3) failed in $vs"; }
	done <<<"$services"
}

# What the stock rpcinfo says in a namespace, less the lines of rpcbind itself: shown, and compared.
look() { # NAMESPACE VS [ADDRESS]
	local said seen want
	said=$(in_ns "$1" rpcinfo "${@:3}" 2>&1) || wrong=1
	printf '   %s# rpcinfo%s | grep -v portmapper\n' "$1" "${3+ $3}"
	grep -v portmapper <<<"$said" | sed 's/^/   /'
	seen=$(awk '$1 ~ /^[0-9]+$/ && $1 != 100000 { print $1, $2, $3, $4 }' <<<"$said" | sort)
	want=$(awk -v vs="$2" '$1 == vs { print $2, $3, $4, $5 }' <<<"$services" | sort)
	[ "$seen" = "$want" ] || { wrong=1; printf '   WRONG: expected were only\n%s\n' "$want"; }
}

inside() {
	trap 'exit 143' INT TERM HUP
	topology || fail "cannot make the namespaces"
	heading "3. Two virtual servers with the same address, a client of each, and one rpcbind-ns"
	start_daemon
	printf '   %s\n' 'client-blue 10.1.1.2 -------- 10.1.1.1 blue ---,' \
		'                                               +--- rpcbind-ns' \
		'client-red  10.1.1.2 -------- 10.1.1.1 red ----'"'"
	heading "4. Services are registered, by libtirpc's rpcb_set(3) inside blue and red"
	register
	heading "5. What the clients see: 10.1.1.1 is two different servers"
	look client-blue blue 10.1.1.1
	echo
	look client-red red 10.1.1.1
	heading "6. What is seen inside, where all use the one /run/rpcbind.sock"
	look blue blue
	echo
	look red red
	heading "7. The picture of it: vsctl list, vsctl rpc blue"
	vsctl list || wrong=1
	echo
	vsctl rpc blue || wrong=1
	[ $wrong = 0 ] || { heading "WRONG: see above"; return 1; }
	heading "As it should be: each sees its own services, and only its own."
}

if [ "${1-}" = --inside ]; then inside; else outside; fi
