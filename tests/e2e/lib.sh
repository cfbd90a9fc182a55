# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2034 # for those who source it
# Sourced by every *.netns script, which tests/nsrun runs in namespaces of its own.
#
# TAP:        check DESC CMD...; is DESC GOT WANT; like DESC TEXT REGEX; unlike; skip DESC WHY; finish
# Waiting:    wait_for SECONDS CMD... (no test sleeps on its own)
# Topology:   netns NAME...; tenant X; link NS1 DEV1 NS2 DEV2; addr NS DEV ADDRESS...; in_ns NS CMD...
# The daemon: start_rpcbind [LINE...]; stop_rpcbind; vsctl ARG...; config LINE...; vs_config NAME LINE...
# Servers:    serve NS TEXT PROG VERS NETID...; background NAME NS CMD...; stop_background NAME
# Messages:   rpc_call VERS PROC ARGS; u32 N...; xstr TEXT...; rpcb PROG VERS NETID UADDR OWNER
#
# NSAUX_TEST_FEATURES=off runs the daemon without any optional kernel feature.

set -u
: "${top_builddir:?run it through tests/nsrun}"
rpcbind_ns=${RPCBIND_NS:-$top_builddir/rpcbind-ns/rpcbind-ns}
vsctl=${VSCTL:-$top_builddir/common/vsctl}
T=/run/t # everything that the test writes
mkdir -p $T/vs.d $T/state
# Copies, which every uid can run, also where the checkout is in a private directory. Not under
# /run, for which some tests have another one mounted. /mnt is ours here, as /run is.
peers=/mnt
mount -t tmpfs -o mode=755 tmpfs $peers || exit 99
for name in "$top_builddir"/tests/e2e/peers/*; do
	[ ! -f "$name" ] || [ ! -x "$name" ] || cp "$name" $peers || exit 99
done
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
sanitized=$(grep -c '^#define NSAUX_SANITIZED 1' "$top_builddir/config.h")
tap_count=0
tap_failed=0
daemon_pid=
wrapper=() # what to run the daemon under
start_timeout=10
stop_timeout=5
declare -A background_pids=()

# ---- TAP

ok() { # DESC
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

not_ok() { # DESC [WHY...]
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	shift
	[ $# = 0 ] || printf '%s\n' "$@" | head -n 60 | sed -E 's/^(.{300}).*/\1 [...]/; s/^/#   /'
}

skip() { # DESC WHY
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

check() { # DESC CMD...
	local desc=$1 out rc=0
	shift
	out=$("$@" 2>&1 </dev/null) || rc=$?
	if [ $rc = 0 ]; then ok "$desc"; else not_ok "$desc" "status $rc: $*" "$out"; fi
}

check_fails() { # DESC CMD...: any status but success, a death by signal, or a time-out
	local desc=$1 out rc=0
	shift
	out=$("$@" 2>&1 </dev/null) || rc=$?
	if [ $rc -gt 0 ] && [ $rc -lt 124 ]; then ok "$desc"; else not_ok "$desc" "status $rc: $*" "$out"; fi
}

is() { # DESC GOT WANT
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:  $2" "want: $3"; fi
}

like() { # DESC TEXT REGEX
	if grep -Eq -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "no match of '$3' in:" "$2"; fi
}

unlike() { # DESC TEXT REGEX
	if grep -Eq -- "$3" <<<"$2"; then not_ok "$1" "a match of '$3' in:" "$2"; else ok "$1"; fi
}

less_than() { # DESC GOT LIMIT
	if [ "$2" -lt "$3" ] 2>/dev/null; then ok "$1 ($2 < $3)"; else not_ok "$1" "$2 is not below $3"; fi
}

skip_all() { # WHY
	echo "1..0 # SKIP $1"
	exit 0
}

# A peer program that the suite wants. check.sh installs all of them, so that with
# NS_TESTS_REQUIRED=1 a missing one is an error.
need() { # COMMAND...
	local c
	for c; do
		command -v "$c" >/dev/null && continue
		[ "${NS_TESTS_REQUIRED-}" != 1 ] || { echo "Bail out! $c is not installed"; exit 99; }
		skip_all "$c is not installed"
	done
}

# More than one uid: true root, not root of a user namespace with a single one.
has_uids() { awk '{ n += $3 } END { exit n <= 65536 }' /proc/self/uid_map; }
need_root() { has_uids || skip_all "needs true root: only one uid is mapped here"; }

show_log() { # NAME FILE
	[ -s "$2" ] || return 0
	echo "# ---- $1"
	tail -n "${3:-40}" "$2" | tr -cd '\11\12\40-\176' | awk '{ print "# " $0 }'
}

cleanup() {
	local rc=$? name
	trap - EXIT INT TERM
	for name in "${!background_pids[@]}"; do
		disown "${background_pids[$name]}" 2>/dev/null
		kill -KILL "${background_pids[$name]}" 2>/dev/null
	done
	[ -z "$daemon_pid" ] || { kill -TERM "$daemon_pid"; wait_for 5 gone "$daemon_pid" ||
		kill -KILL "$daemon_pid"; } 2>/dev/null
	if [ $rc != 0 ] || [ $tap_failed != 0 ]; then
		for name in "$T"/*.log; do
			[ "$name" = $T/rpcbind-ns.log ] || show_log "$(basename "$name" .log)" "$name"
		done
		show_log rpcbind-ns $T/rpcbind-ns.log 200
	fi
	for name in /run/netns/*; do ip netns del "${name##*/}" 2>/dev/null; done
	exit $rc
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'echo "# interrupted or out of time"; exit 143' TERM

finish() {
	[ -z "$daemon_pid" ] || stop_rpcbind
	echo "1..$tap_count"
	[ $tap_failed = 0 ]
	exit
}

# ---- waiting

# The only place that sleeps: polls until CMD succeeds, for at most SECONDS.
wait_for() { # SECONDS CMD...
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}

gone() { ! kill -0 "$1" 2>/dev/null || [ "$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null)" = Z ]; }
log_has() { grep -Eq -- "$1" $T/rpcbind-ns.log; }

# ---- topology

in_ns() { # NS CMD...
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}

netns() { # NAME...
	local ns
	for ns; do
		ip netns add "$ns" && ip -n "$ns" link set lo up || exit 99
	done
}

link() { # NS1 DEV1 NS2 DEV2
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3" &&
		ip -n "$1" link set "$2" up && ip -n "$3" link set "$4" up || exit 99
}

addr() { # NS DEV ADDRESS...
	local ns=$1 dev=$2 a nodad
	shift 2
	for a; do
		nodad=
		[ "${a#*:}" = "$a" ] || nodad=nodad
		ip -n "$ns" addr add "$a" dev "$dev" $nodad || exit 99
	done
}

# vs-X with 10.1.1.1 and fd00:1::1, and on the other end of its veth pair the client cli-X with
# 10.1.1.2 and fd00:1::2: the same addresses for every X.
tenant() { # X
	netns "vs-$1" "cli-$1"
	link "vs-$1" v0 "cli-$1" c0
	addr "vs-$1" v0 10.1.1.1/24 fd00:1::1/64
	addr "cli-$1" c0 10.1.1.2/24 fd00:1::2/64
}

# ---- the daemon

config() { # LINE...: rpcbind-ns.conf
	local feature
	{
		printf '%s\n' "$@"
		# The machine's own files have no say here.
		[[ $* == *HostsAllow=* ]] || printf '%s\n' '[Rpcbind]' HostsAllow=
		[[ $* == *HostsDeny=* ]] || printf '%s\n' '[Rpcbind]' HostsDeny=
		# A setting of a section that was there before is the same as in one section.
		printf '%s\n' '[Registry]' 'Exclude=cli-*'
		if [ "${NSAUX_TEST_FEATURES-}" = off ]; then
			for feature in handles get-id nsid; do echo "DisableFeature=$feature"; done
		fi
	} >$T/rpcbind-ns.conf
}

vs_config() { # NAME LINE...: vs.d/NAME.conf
	local name=$1
	shift
	printf '%s\n' "$@" >"$T/vs.d/$name.conf"
}

daemon_args=(--config "$T/rpcbind-ns.conf" --vs-dir "$T/vs.d" --netns-dir /run/netns
	--runtime-dir "$T/rt" --state-dir "$T/state")

vsctl() { timeout 10 "$vsctl" --runtime-dir $T/rt "$@"; }

start_rpcbind() { # [LINE...]
	config "$@"
	run_rpcbind
}

run_rpcbind() {
	"${wrapper[@]}" "$rpcbind_ns" -f "${daemon_args[@]}" >>$T/rpcbind-ns.log 2>&1 &
	daemon_pid=$!
	wait_for $start_timeout daemon_settled
	vsctl list >/dev/null 2>&1 && return
	not_ok "the daemon starts"
	finish
}

# Up, or no more.
daemon_settled() { vsctl list || gone "$daemon_pid"; }

reload_rpcbind() { kill -HUP "$daemon_pid"; }

stop_rpcbind() {
	local pid=$daemon_pid rc=0
	daemon_pid=
	kill -TERM "$pid" 2>/dev/null
	wait_for $stop_timeout gone "$pid" || kill -KILL "$pid"
	wait "$pid" || rc=$?
	is "the daemon ends with status 0 on SIGTERM" $rc 0
	[ "$sanitized" = 0 ] ||
		unlike "no sanitizer has complained" "$(cat $T/rpcbind-ns.log)" 'Sanitizer|runtime error:'
}

# The process that serves: the child of the one that was started.
server_pid() { cut -d' ' -f1 "/proc/$daemon_pid/task/$daemon_pid/children"; }
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
fd_count() { find "/proc/$1/fd" -mindepth 1 | wc -l; }

served() { in_ns "$1" "$peers/rpcraw" -t 300 udp 127.0.0.1 111 "$(rpc_call 2 0)" | grep -q ^success; }
registered() { # NS PROG [VERS [NETID]]
	in_ns "$1" timeout 10 rpcinfo | awk -v p="$2" -v v="${3-}" -v n="${4-}" \
		'$1 == p && (v == "" || $2 == v) && (n == "" || $3 == n) { f = 1 } END { exit !f }'
}
unregistered() { ! registered "$@"; }

# ---- servers and other processes beside the test

background() { # NAME NS CMD...; NS is - for here; output in $T/NAME.log
	local name=$1 ns=$2
	shift 2
	# No function between: $! must be the program itself.
	[ "$ns" = - ] || set -- nsenter --net="/run/netns/$ns" -- "$@"
	"$@" >"$T/$name.log" 2>&1 </dev/null &
	background_pids[$name]=$!
}

stop_background() { # NAME [SIGNAL]
	local pid=${background_pids[$1]}
	unset "background_pids[$1]"
	disown "$pid" 2>/dev/null # or the shell would report its death
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	wait_for 5 gone "$pid" || kill -KILL "$pid"
}

# A real libtirpc server that answers calls of its procedure 1 with TEXT.
serve() { # NS TEXT PROG VERS NETID...; its name for stop_background is TEXT
	local ns=$1 text=$2
	shift 2
	background "$text" "$ns" "$peers/rpcreg" serve -i "$text" "$@"
	wait_for 5 grep -q '^ready' "$T/$text.log" || not_ok "$text registers itself in $ns" "$(cat "$T/$text.log")"
}

# ---- messages, as hexadecimal digits

u32() { printf '%08x' "$@"; }

hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }

xstr() { # TEXT...: XDR strings
	local s h
	for s; do
		h=$(hex "$s")
		u32 $((${#h} / 2))
		printf %s "$h"
		while [ $((${#h} % 8)) != 0 ]; do h=${h}00; printf 00; done
	done
}

rpcb() { # PROG VERS NETID UADDR OWNER: struct rpcb
	u32 "$1" "$2"
	xstr "$3" "$4" "$5"
}

# A call of program 100000. rpcraw gives each its xid.
rpc_call() { # VERS PROC [ARGS [CRED-AND-VERF]]
	u32 0 0 2 100000 "$1" "$2"
	printf %s "${4:-$(u32 0 0 0 0)}${3-}"
}
