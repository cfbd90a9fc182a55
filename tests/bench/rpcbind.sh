# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2031 # p is no variable of a subshell
#
#   cli ------- veth pairs ------+-- 10.77.1.1 p10     10 programs   ours on 111, echoes on 7 and 8
#   (the load,                   +-- 10.77.2.1 p1000   1,000         ours
#    on CPU 1)                   +-- 10.77.3.1 p5000   5,000         ours
#                                +-- 10.77.4.1 a100    100 addresses, 10 programs    ours
#                                +-- 10.77.5.1 a1000   1,000 addresses               ours
#                                +-- 10.78.1.1 s-p10   ...           the same five for stock: one
#                                                                    process each, with a /run of its own
#   m0 ... m999                  1,000 namespaces with nothing but lo, for the last part
#
# All servers are on CPU 0. What is compared is their CPU time a request, which the load's own
# speed does not change much; the machine's speed does, so peers and ours take turns.
. "${top_srcdir:?}/tests/bench/lib.sh"

big=${sizes[2]} mid=${sizes[1]} small=${sizes[0]}
variants=("p$small" "p$mid" "p$big" "a${addresses[0]}" "a${addresses[1]}")
rpcbind_ns=$top_builddir/rpcbind-ns/rpcbind-ns
socket=/run/rpcbind.sock
# Datagrams that ours takes at once, and so does the echo.
batch=$(sed -n 's/^#define BATCH \([0-9]*\)$/\1/p' "$top_srcdir/rpcbind-ns/udp.c")
has_stock=
[ "$(id -u)" = 0 ] && awk '{ n += $3 } END { exit n <= 65536 }' /proc/self/uid_map &&
	command -v rpcbind >/dev/null && has_stock=yes
declare -A stock_pid=()

programs_of() { case $1 in p*) echo "${1#p}" ;; *) echo "$small" ;; esac; }

namespace() { # NAME SUBNET
	local peer=${2//./-}
	ip netns add "$1" || fail "namespace $1"
	ip link add v0 netns "$1" type veth peer name "$peer" netns cli || fail "link to $1"
	printf '%s\n' "link set lo up" "link set v0 up" "addr add $2.1/24 dev v0" |
		ip -n "$1" -batch - || fail "namespace $1"
	printf '%s\n' "link set $peer up" "addr add $2.2/24 dev $peer" |
		ip -n cli -batch - || fail "namespace $1"
}

more_addresses() { # NS COUNT
	local i
	for ((i = 1; i < $2; i++)); do
		echo "addr add 10.90.$((i / 250)).$((i % 250 + 1))/16 dev v0"
	done | ip -n "$1" -batch - || fail "addresses of $1"
}

topology() {
	local i v
	ip netns add cli || fail "no namespaces"
	for i in "${!variants[@]}"; do
		v=${variants[i]}
		namespace "$v" "10.77.$((i + 1))"
		[ "${v#a}" = "$v" ] || more_addresses "$v" "${v#a}"
		[ -n "$has_stock" ] || continue
		namespace "s-$v" "10.78.$((i + 1))"
		[ "${v#a}" = "$v" ] || more_addresses "s-$v" "${v#a}"
	done
}

# In a mount namespace with a /run of its own: every stock rpcbind has the same lock and socket.
stock_command=(unshare --mount -- sh -c 'mount -t tmpfs tmpfs /run && exec rpcbind -f')

# Before it is the program that it executes, it is in our mount namespace.
stock_is_up() { [ "$(cat "/proc/$1/comm")" = rpcbind ] && [ -S "/proc/$1/root$socket" ]; }

start_stock() {
	local v
	for v in "${variants[@]}"; do
		background "stock-$v" "s-$v" taskset -c $server_cpu "${stock_command[@]}"
		stock_pid[$v]=$!
		wait_for 10 stock_is_up $! || fail "stock rpcbind does not start"
		in_ns "s-$v" "$bin/rpcload" -p "$(programs_of "$v")" register \
			unix "/proc/$!/root$socket" >/dev/null || fail "registrations with stock"
	done
}

configure() {
	mkdir -p $T/vs.d $T/none $T/many $T/few
	printf '%s\n' '[Registry]' 'Exclude=cli' 'Exclude=s-*' >$T/rpcbind-ns.conf
}

# NETNS-DIRECTORY: what to start, as daemon_command
daemon() {
	daemon_command=(env "LD_LIBRARY_PATH=$libraries" "$(unwrapped "$rpcbind_ns")" -f --config "$T/rpcbind-ns.conf" --vs-dir "$T/vs.d"
		--netns-dir "$1" --runtime-dir "$T/rt" --state-dir "$T/state")
}

# Starts ours; $opener and $server are its processes, $started what nsstart said.
start_ours() { # NETNS-DIRECTORY DIRECTORY-OF-WHAT-IS-ASKED
	daemon "$1"
	rm -f $T/start.log
	"$bin/nsstart" "$2" 111 "${daemon_command[@]}" >$T/start.log 2>$T/daemon.log &
	starter=$!
	pids+=($!)
	wait_for 60 grep -q '^pid=' $T/start.log || fail "ours does not start"
	started=$(cat $T/start.log)
	opener=$(value pid "$started")
	server=$(children "$opener")
	server=${server%% *}
}

stop_ours() {
	kill "$starter"
	wait "$starter"
}

pin_ours() { taskset -acp $server_cpu "$opener" >/dev/null && taskset -acp $server_cpu "$server" >/dev/null; }

register_ours() {
	local v
	for v in "${variants[@]}"; do
		in_ns "$v" "$bin/rpcload" -p "$(programs_of "$v")" register unix $socket >/dev/null ||
			fail "registrations with ours"
	done
}

reply_size() { # NS CALL TARGET...
	local ns=$1
	shift
	value reply "$(in_ns "$ns" "$bin/rpcload" -t 1 -p "$small" "$@")"
}

# NAME REPLY-SIZE TARGET...: an echo in the namespace of the smallest table; its pid in echo_pid
echo_server() {
	local name=$1 reply=$2
	shift 2
	background "$name" "p$small" "$bin/rpcecho" -c $server_cpu -b "$batch" -r "$reply" "$@"
	echo_pid[$name]=$!
	wait_for 5 grep -q ready "$T/$name.log" || fail "echo"
}

start_echoes() {
	declare -gA echo_pid=()
	local getaddr
	getaddr=$(reply_size "p$small" getaddr udp 10.77.1.1 111)
	echo_server echo-port "$(reply_size "p$small" getport udp 10.77.1.1 111)" udp 0.0.0.0 7
	echo_server echo-addr "$getaddr" udp 0.0.0.0 8
	echo_server echo-tcp "$(reply_size "p$small" getaddr tcp 127.0.0.1 111)" tcp 127.0.0.1 7
	echo_server echo-local "$(reply_size "p$small" getaddr unix $socket)" unix /run/echo.sock
}

# ---- UDP, from another namespace

# KEY VARIANT [OPTION...] CALL: ours and stock with the same programs and addresses
both_udp() {
	local key=$1 v=$2 i
	shift 2
	for i in "${!variants[@]}"; do
		[ "${variants[i]}" = "$v" ] || continue
		load "$key" cli "$server" -p "$(programs_of "$v")" "$@" udp "10.77.$((i + 1)).1" 111
		[ -z "$has_stock" ] || load "stock-$key" cli "${stock_pid[$v]}" \
			-p "$(programs_of "$v")" "$@" udp "10.78.$((i + 1)).1" 111
	done
}

udp_round() {
	local v
	load echo-port cli "${echo_pid[echo-port]}" -e getport udp 10.77.1.1 7
	both_udp "getport-p$small" "p$small" getport
	load echo-port-2 cli "${echo_pid[echo-port]}" -e getport udp 10.77.1.1 7
	both_udp "getport-p$mid" "p$mid" getport
	for v in "${variants[@]}"; do
		load "echo-addr-$v" cli "${echo_pid[echo-addr]}" -e getaddr udp 10.77.1.1 8
		both_udp "getaddr-$v" "$v" getaddr
	done
}

udp_rows() {
	local v n
	row "GETPORT v2 UDP, $small programs" us echo echo-port "getport-p$small" 'ratio<=1.25'
	row "" us stock "stock-getport-p$small" "getport-p$small" -
	row "GETPORT v2 UDP, $mid programs" us echo echo-port-2 "getport-p$mid" 'ratio<=1.25'
	row "" us stock "stock-getport-p$mid" "getport-p$mid" -
	for n in "${sizes[@]}"; do
		v=p$n
		row "GETADDR v4 UDP, $n programs" us echo "echo-addr-$v" "getaddr-$v" 'ratio<=1.4'
		row "" us stock "stock-getaddr-$v" "getaddr-$v" -
	done
	row "  flat: $big over $small programs" us "$small" "getaddr-p$small" "getaddr-p$big" 'ratio<=1.15'
	for n in "${addresses[@]}"; do
		v=a$n
		row "GETADDR v4 UDP, $n addresses" us echo "echo-addr-$v" "getaddr-$v" 'ratio<=1.4'
		row "" us stock "stock-getaddr-$v" "getaddr-$v" -
		row "  flat: $n over 1 address" us 1 "getaddr-p$small" "getaddr-$v" 'ratio<=1.15'
	done
}

# ---- streams, from inside

stream_round() {
	local p=${stock_pid[p$small]-} w
	for w in 1 16; do
		load "echo-tcp-$w" "p$small" "${echo_pid[echo-tcp]}" -w $w -e getaddr tcp 127.0.0.1 7
		load "tcp-$w" "p$small" "$server" -w $w -p "$small" getaddr tcp 127.0.0.1 111
		[ -z "$p" ] || load "stock-tcp-$w" "s-p$small" "$p" -w $w -p "$small" getaddr tcp 127.0.0.1 111
		load "echo-local-$w" "p$small" "${echo_pid[echo-local]}" -w $w -e getaddr unix /run/echo.sock
		load "local-$w" "p$small" "$server" -w $w -p "$small" getaddr unix $socket
		[ -z "$p" ] || load "stock-local-$w" "s-p$small" "$p" -w $w -p "$small" getaddr \
			unix "/proc/$p/root$socket"
	done
}

stream_rows() {
	row "GETADDR v4 TCP, loopback" us echo echo-tcp-1 tcp-1 'ratio<=1.4'
	row "" us stock stock-tcp-1 tcp-1 -
	row "  16 pipelined" us echo echo-tcp-16 tcp-16 -
	row "" us stock stock-tcp-16 tcp-16 -
	row "GETADDR v4 local socket" us echo echo-local-1 local-1 'ratio<=1.4'
	row "" us stock stock-local-1 local-1 -
	row "  16 pipelined" us echo echo-local-16 local-16 -
	row "" us stock stock-local-16 local-16 -
}

# ---- latency under load

ping_round() {
	ping_under_load echo-ping "echo-addr-p$mid.rate" cli "${echo_pid[echo-addr]}" -e getaddr udp 10.77.1.1 8
	ping_under_load ping "getaddr-p$mid.rate" cli "$server" -p "$mid" getaddr udp 10.77.2.1 111
}

ping_rows() {
	row "p99 of a ping a ms at 70 % load" us echo echo-ping.p99 ping.p99 'ratio<=1.5'
	row "  p50" us echo echo-ping.p50 ping.p50 -
}

# ---- SET: of up to 512 programs more than there are, which stock has in one list

set_round() {
	local n p
	for n in "$small" "$big"; do
		p=${stock_pid[p$n]-}
		load "set-$n" "p$n" "$server" -p "$n" set unix $socket
		[ -z "$p" ] || load "stock-set-$n" "s-p$n" "$p" -p "$n" set unix "/proc/$p/root$socket"
	done
	load echo-set "p$small" "${echo_pid[echo-local]}" -1 -e set unix /run/echo.sock
	load set-fresh "p$small" "$server" -p "$small" -1 set unix $socket
	p=${stock_pid[p$small]-}
	[ -z "$p" ] || load stock-set-fresh "s-p$small" "$p" -p "$small" -1 set unix "/proc/$p/root$socket"
}

set_rows() {
	local n bar='ratio>=5'
	[ -n "$has_stock" ] || bar=-
	for n in "$small" "$big"; do
		row "SET over the local socket, beside $n programs" /s stock "stock-set-$n.rate" "set-$n.rate" "$bar"
	done
	row "  flat: $big over $small programs" us "$small" "set-$small" "set-$big" 'ratio<=1.15'
	row "  a connection for each SET" us echo echo-set set-fresh -
	row "" us stock stock-set-fresh set-fresh -
}

# ---- many namespaces

many_starts() {
	local empty full
	start_ours $T/none $T/none
	empty=$(pss "$opener" "$server")
	stop_ours
	start_ours $T/many $T/many
	full=$(pss "$opener" "$server")
	sample many-ready "$(value ready "$started")"
	sample many-first "$(value first "$started")"
	sample many-last "$(value last "$started")"
	sample many-pss "$(awk -v a="$empty" -v b="$full" -v n="$many" 'BEGIN { print (b - a) / n }')"
	sample many-pss-server "$(awk -v a="$(pss "$server")" -v n="$many" 'BEGIN { print a / n }')"
	sample many-pss-opener "$(awk -v a="$(pss "$opener")" -v n="$many" 'BEGIN { print a / n }')"
}

# Some processes of stock's, and what many of them would be.
stock_many() {
	local out i p
	[ -n "$has_stock" ] || return 0
	cat >$T/stock-many <<-'END'
		for ns in "$1"/*; do
			shift $(($# > 1))
			nsenter --net="$ns" unshare --mount -- sh -c 'mount -t tmpfs tmpfs /run && exec rpcbind -f' &
		done
		wait
	END
	rm -f $T/stock-many.log
	"$bin/nsstart" -n $T/few 111 sh $T/stock-many $T/few >$T/stock-many.log 2>&1 &
	p=$!
	wait_for 30 grep -q '^pid=' $T/stock-many.log || fail "stock rpcbinds do not start"
	out=$(cat $T/stock-many.log)
	sample stock-many-last "$(awk -v t="$(value last "$out")" -v n="$many" -v m="$few" 'BEGIN { print t * n / m }')"
	# shellcheck disable=SC2046
	sample stock-many-pss "$(awk -v a="$(pss $(children "$(value pid "$out")"))" -v n="$few" 'BEGIN { print a / n }')"
	for i in $(children "$(value pid "$out")"); do kill "$i"; done
	kill "$p"
	wait "$p"
}

many_round() {
	load echo-many "p$small" "$many_echo" -w 1 -p 1 -e getaddr netns $T/many 7
	load many "p$small" "$server" -w 1 -p 1 getaddr netns $T/many 111
}

many_rows() {
	row "$many namespaces: READY after exec" ms "stock ($few, extrapolated)" stock-many-last many-ready 'ours<=500'
	row "  the first has answered" ms "" - many-first -
	row "  all have answered" ms "stock ($few, extrapolated)" stock-many-last many-last 'ours<=500'
	row "  PSS each, server and opener" KiB "stock ($few)" stock-many-pss many-pss 'ours<=6'
	row "  GETADDR, one on its way in each" us echo echo-many many 'ratio<=1.4'
}

many_part() {
	local i
	say "$many namespaces"
	"$bin/nsmany" $T/many m "$many" || fail "no namespaces"
	"$bin/nsmany" $T/few f "$few" || fail "no namespaces"
	for ((i = 1; i <= rounds; i++)); do
		[ "$i" = 1 ] || stop_ours
		stock_many
		many_starts
	done
	pin_ours
	"$bin/rpcload" -w 1 -p 1 register netns $T/many 111 >/dev/null || fail "registrations in $many namespaces"
	background echo-many "p$small" "$bin/rpcecho" -c $server_cpu -b "$batch" -r "$(value reply "$("$bin/rpcload" \
		-t 1 -w 1 -p 1 getaddr netns $T/many 111)")" netns $T/many 7
	many_echo=$!
	wait_for 10 grep -q ready $T/echo-many.log || fail "echo"
	for ((i = 1; i <= rounds; i++)); do
		many_round
	done
	stop_ours
	kill $many_echo
}

# What the opener has used: it should have nothing to do while its server is asked.
opener_cpu() { cut -d' ' -f1 "/proc/$opener/schedstat"; }

main() {
	local i before
	configure
	topology
	many_part
	start_ours /run/netns $T/none
	pin_ours
	[ -z "$has_stock" ] || start_stock
	register_ours
	start_echoes
	before=$(opener_cpu)
	for ((i = 1; i <= rounds; i++)); do
		say "round $i of $rounds"
		udp_round
		stream_round
		ping_round
		set_round
	done
	say "CPU time of the opener meanwhile: $((($(opener_cpu) - before) / 1000)) us"
	udp_rows
	stream_rows
	ping_rows
	set_rows
	many_rows
	report "tests/bench/run rpcbind"
}

main
