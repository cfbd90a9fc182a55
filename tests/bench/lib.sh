# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2034 # for those who source it
# Sourced by the suites, which tests/nsrun runs in namespaces of their own.
#
# A sample is a number under a key; a round adds one to each key. row says what is compared:
#   row WHAT UNIT PEER PEER-KEY OUR-KEY TO-REACH
# TO-REACH: "ratio<=N", "ratio>=N", "ours<=N", or - where nothing is to be reached.
set -u
: "${top_srcdir:?run it through tests/bench/run}" "${top_builddir:?}"
here=$top_srcdir/tests/bench
bin=$top_builddir/tests/bench
T=/run/t
mkdir -p $T
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
server_cpu=0
client_cpu=1
[ "$(nproc)" -gt 1 ] || client_cpu=0
: >$T/samples
: >$T/rows

# rounds, time of one measurement in ms, and how much of everything
case ${BENCH_SIZE:-full} in
full) rounds=7 ms=700 ping_ms=3000 many=1000 few=20 sizes=(10 1000 5000) addresses=(100 1000) ;;
quick) rounds=3 ms=200 ping_ms=1000 many=1000 few=20 sizes=(10 1000 5000) addresses=(100 1000) ;;
smoke) rounds=1 ms=20 ping_ms=50 many=5 few=2 sizes=(10 20 30) addresses=(2 3) ;;
esac

pids=()
cleanup() {
	local p
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
	echo "bench: $*" >&2
	tail -n 20 $T/*.log >&2 2>/dev/null
	exit 2
}

say() { echo "bench: $*" >&2; }

wait_for() { # SECONDS CMD...
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}

in_ns() { # NS CMD...
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}

# NAME NS CMD...: in the background; $! is the program itself, $T/NAME.log its output
background() {
	local name=$1 ns=$2
	shift 2
	nsenter --net="/run/netns/$ns" -- "$@" >"$T/$name.log" 2>&1 </dev/null &
	pids+=($!)
}

sample() { echo "$1 $2" >>$T/samples; } # KEY VALUE

row() {
	local IFS=$'\t'
	echo "$*" >>$T/rows
}

# A libtool wrapper would be measured with the program: what it starts, and where that has its libraries.
unwrapped() { # PROGRAM
	local dir=${1%/*}
	[ -x "$dir/.libs/${1##*/}" ] || { echo "$1" && return; }
	echo "$dir/.libs/${1##*/}"
}
libraries=$top_builddir/common/.libs

# The value behind NAME= in TEXT.
value() { # NAME TEXT
	local word
	for word in $2; do
		[ "${word%%=*}" != "$1" ] || echo "${word#*=}"
	done
}

# CPU time of a request (KEY, in microseconds) and requests a second (KEY.rate). Stock may fail: on a busy
# machine it stops answering over streams at times.
load() { # KEY NS PID [OPTION...] CALL TARGET...
	local key=$1 ns=$2 pid=$3 out
	shift 3
	out=$(in_ns "$ns" "$bin/rpcload" -c $client_cpu -t "$ms" -P "$pid" "$@") || {
		[ "${key#stock}" != "$key" ] || fail "$key: rpcload $*"
		say "$key: rpcload $* has failed" && return
	}
	sample "$key" "$(value cpu "$out")"
	sample "$key.rate" "$(value rate "$out")"
}

last() { awk -v k="$1" '$1 == k { v = $2 } END { print v }' $T/samples; } # KEY

# Nanoseconds for which the process has waited for its CPU while somebody else had it.
waited() { cut -d' ' -f2 "/proc/$1/schedstat"; } # PID

# 99th percentile (KEY.p99, microseconds) and median of a ping a millisecond beside a paced load at
# 70 % of the closed-loop rate that was measured last. Server and load have their CPUs to themselves, as far as
# the scheduler can give them; a measurement in which the server had to wait for its CPU all the same is
# repeated, and the one in which it has waited least counts.
ping_under_load() { # KEY RATE-KEY NS PID [OPTION...] CALL TARGET...
	local key=$1 rate ns=$3 pid=$4 try out loader before delay best='' least
	rate=$(awk -v r="$(last "$2")" 'BEGIN { printf "%d", r * 0.7 }')
	shift 4
	chrt -f -p 10 "$pid" 2>>$T/ping.log
	for try in 1 2 3 4; do
		before=$(waited "$pid")
		nsenter --net="/run/netns/$ns" -- "$bin/rpcload" -f -c $client_cpu -t $((ping_ms + 100)) \
			-r "$rate" "$@" >$T/paced.log 2>&1 &
		loader=$!
		out=$(in_ns "$ns" "$bin/../e2e/peers/rpcping" -f -c $client_cpu "$ping_ms" "${@: -3}" 2>>$T/ping.log)
		wait $loader || fail "$key: paced load"
		delay=$((($(waited "$pid") - before) / 1000))
		say "$key at $rate/s, try $try: $out, the server has waited $delay us for its CPU"
		if [ -z "$best" ] || [ $delay -lt "$least" ]; then best=$out least=$delay; fi
		[ $delay -gt $((ping_ms * 5)) ] || break # 0.5 %
	done
	chrt -o -p 0 "$pid" 2>>$T/ping.log
	sample "$key.p99" "$(value p99 "$best")"
	sample "$key.p50" "$(value p50 "$best")"
}

# KiB of proportional set size
pss() { # PID...
	local p
	for p; do cat "/proc/$p/smaps_rollup"; done | awk '/^Pss:/ { n += $2 } END { print n + 0 }'
}

children() { cat /proc/"$1"/task/*/children; }

# The peers, for the line below the table; a suite has its own.
peer_versions() {
	local stock
	stock=$(dpkg-query -W -f '${Version}' rpcbind 2>/dev/null) || stock=unknown
	echo "rpcbind $stock"
}

versions() {
	echo "$(date -u +%F), Linux $(uname -r), $(nproc) CPUs," \
		"$(sed -n 's/^model name[^:]*: //p; T; q' /proc/cpuinfo)," \
		"$(peer_versions), nsaux $("$top_builddir/rpcbind-ns/rpcbind-ns" --version | sed 's/.* //;q')"
}

report() { # COMMAND: prints the table; 1: a row falls short
	awk -v format="${BENCH_FORMAT:-text}" -v command="$1" -v versions="$(versions)" \
		-v rounds="$rounds" -f "$here/report.awk" $T/samples $T/rows
}
