#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The unit under a real systemd: clients knock in several of many namespaces while the service is
# restarted, killed, reloaded and executed in place, and none is refused; a namespace deleted while it
# is down is let go. As root, on a machine for this purpose: it installs to /usr and uses the unit
# rpcbind-ns.service. tests/long/fresh-debian.sh restart boots one.
#
# usage: systemd-restart.sh [NAMESPACES]   (1000)
# shellcheck disable=SC2317 # functions are called by verdict, wait_for and a trap
set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
many=${1:-1000}
build=$(mktemp -d /var/tmp/nsaux-restart-XXXXXX) || exit 1
socket=/run/rpcbind-ns/test.sock
failed=0
knocking=

verdict() { # WHAT CMD...
	local what=$1
	shift
	if "$@"; then echo "ok: $what"; else echo "NOT OK: $what" && failed=1; fi
}

wait_for() { # SECONDS CMD...
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

fail() {
	echo "systemd-restart.sh: $*" >&2
	exit 1
}

install_it() {
	"$top/packaging/install-deps.sh" check >"$build/log" 2>&1 || fail "packages: see $build/log"
	cd "$build" || exit 1
	"$top/autogen.sh" >>log 2>&1 && "$top/configure" --prefix=/usr --sysconfdir=/etc --localstatedir=/var \
		--with-systemdsystemunitdir=/lib/systemd/system >>log 2>&1 &&
		make -j"$(nproc)" >>log 2>&1 && make tests/e2e/peers/rpcknock >>log 2>&1 &&
		make install >>log 2>&1 && ldconfig
}

# The host is left to the rpcbind that runs there, and so are its options.
configure_it() {
	mkdir -p /etc/nsaux /etc/systemd/system/rpcbind-ns.service.d
	printf '%s\n' '[Registry]' Host=no '[Rpcbind]' "Socket=$socket" >/etc/nsaux/rpcbind-ns.conf
	printf '%s\n' '[Unit]' StartLimitIntervalSec=0 '[Service]' EnvironmentFile= RestartSec=2s \
		>/etc/systemd/system/rpcbind-ns.service.d/test.conf
	systemctl daemon-reload
}

make_namespaces() {
	local i
	for ((i = 0; i < many; i++)); do echo "netns add vs-$i"; done | ip -batch - || return
	for i in 0 1 2 3 4; do ip -n "vs-$i" link set lo up || return; done
}

property() { systemctl show -P "$1" rpcbind-ns.service; }
stored_are() { [ "$(property NFileDescriptorStore)" = "$1" ]; }
is_active() { [ "$(property ActiveState)/$(property SubState)" = active/running ]; }
served() { [ "$(vsctl list | awk '/^vs-/ && $3 == "ok" { n++ } END { print n + 0 }')" = "$1" ]; }
ticks() { awk '{ print $14 + $15 }' /proc/1/stat; }
is_another() { [ "$(property MainPID)" != "$1" ] && is_active; }
server_of() { cut -d' ' -f1 "/proc/$1/task/$1/children"; }
another_server() { [ -n "$(server_of "$1")" ] && [ "$(server_of "$1")" != "$2" ]; }
not() { ! "$@"; }
deleted() { [ "$(grep -ci 'deleted nsid' "$build/monitor.log")" -ge "$1" ]; }

clean_up() {
	[ -z "$knocking" ] || kill "$knocking" 2>/dev/null
	systemctl stop rpcbind-ns.service 2>/dev/null
	rm -rf /etc/systemd/system/rpcbind-ns.service.d /lib/systemd/system/rpcbind-ns.service
	systemctl daemon-reload
	systemctl reset-failed rpcbind-ns.service 2>/dev/null
	for ns in /run/netns/vs-*; do echo "netns del ${ns##*/}"; done | ip -batch - 2>/dev/null
	(cd "$build" && make uninstall >>log 2>&1)
	rm -f /etc/nsaux/rpcbind-ns.conf
	[ "$failed" != 0 ] || rm -rf "$build"
}

restarts() {
	local round pid server before
	for round in 1 2 3 4 5; do
		before=$(date +%s%N)
		verdict "systemctl restart $round" systemctl restart rpcbind-ns.service
		echo "    ready after $((($(date +%s%N) - before) / 1000000)) ms"
		verdict "  all are served" wait_for 60 served "$many"
	done
	verdict "systemctl reload" systemctl reload rpcbind-ns.service
	systemctl kill -s HUP --kill-whom=main rpcbind-ns.service
	verdict "SIGHUP" wait_for 20 sh -c "journalctl -u rpcbind-ns | grep -q 'configuration reloaded'"
	pid=$(property MainPID) server=$(server_of "$pid")
	systemctl kill -s USR2 --kill-whom=main rpcbind-ns.service
	verdict "exec in place" wait_for 60 another_server "$pid" "$server"
	verdict "  as systemd sees it" wait_for 60 is_active
	verdict "  in the same process" [ "$(property MainPID)" = "$pid" ]
	verdict "  all are served" wait_for 60 served "$many"
	systemctl kill -s KILL --kill-whom=main rpcbind-ns.service
	verdict "kill -9 of the whole" wait_for 60 is_another "$pid"
	verdict "  all are served" wait_for 60 served "$many"
	systemctl daemon-reexec
	verdict "systemctl restart after daemon-reexec" systemctl restart rpcbind-ns.service
	verdict "  all are served" wait_for 60 served "$many"
	verdict "the store has what it had" wait_for 60 stored_are $((many * 5 + 2))
}

# Between a kill and the restart two seconds later systemd has the sockets and nobody else.
deletion() {
	local pid
	ip monitor nsid >"$build/monitor.log" 2>&1 &
	local monitor=$!
	pid=$(property MainPID)
	ip netns del vs-5
	verdict "deleted while it runs: let go" wait_for 20 deleted 1
	systemctl kill -s KILL --kill-whom=all rpcbind-ns.service
	wait_for 10 sh -c "! kill -0 $pid"
	ip netns del vs-6
	verdict "deleted while it is down: the store keeps it" not wait_for 0 deleted 2
	verdict "it is started again" wait_for 60 is_another "$pid"
	verdict "and lets it go" wait_for 20 deleted 2
	verdict "the store has what is served" wait_for 60 stored_are $(((many - 2) * 5 + 2))
	kill $monitor
}

if [ "$(id -u)" != 0 ] || [ ! -d /run/systemd/system ]; then fail "wants root and systemd"; fi
install_it || fail "the build failed: see $build/log"
trap clean_up EXIT
configure_it
make_namespaces || fail "cannot make namespaces"
echo "== $(systemctl --version | head -n 1), $many namespaces"
before=$(ticks) begun=$(date +%s%N)
verdict "start" systemctl start rpcbind-ns.service
echo "    ready after $((($(date +%s%N) - begun) / 1000000)) ms"
verdict "all are served" wait_for 60 served "$many"
verdict "systemd has all sockets" wait_for 120 stored_are $((many * 5 + 2))
echo "    after $((($(date +%s%N) - begun) / 1000000)) ms; $(($(ticks) - before)) ticks of process 1"
"$build/tests/e2e/peers/rpcknock" -i 5 -l $socket /run/netns/vs-{0,1,2,3,4} >"$build/knock.log" &
knocking=$!
verdict "clients are answered" wait_for 20 grep -q '^ready' "$build/knock.log"
restarts
deletion
kill $knocking
wait $knocking
knocking=
grep '^total' "$build/knock.log" | sed 's/^/    /'
for t in udp tcp local; do
	verdict "nobody was refused or lost over $t" \
		grep -q "^total $t: ok [1-9][0-9]* refused 0 reset [0-9]* lost 0 " "$build/knock.log"
done
verdict "systemctl stop" systemctl stop rpcbind-ns.service
verdict "no failure is noted" [ "$(property Result)" = success ]
verdict "the store is empty" wait_for 20 stored_are 0
exit $failed
