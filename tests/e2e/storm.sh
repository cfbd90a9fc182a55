# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # of lib.sh, which comes before
# Sourced by tests that kill the daemon under a storm of SETs and UNSETs.
#
# start_storm NAME NS SEED [ARG...]; tell_storm NAME COMMAND; storm_check NAME; end_storm NAME
# kill_server; kill_daemon; kill_one: one of the two, by chance, and waits until there is another
# lose_daemon: without another one
# kill_rounds COUNT SEED: kills, with storms in vs-a and vs-b that are compared after every third

declare -A storm_fds=()
kills_server=0
kills_daemon=0
streak=0 # of killed servers: the supervisor waits longer each time

storm_lines() { grep -Ecx 'ok|(ok|not-ok) registered=.*' "$T/$1.log"; }
more_lines() { [ "$(storm_lines "$1")" -gt "$2" ]; }

start_storm() { # NAME NS SEED [ARG...]: from the namespace NS, over the path socket
	local name=$1 ns=$2 seed=$3 fd
	shift 3
	rm -f "$T/$name.in"
	mkfifo "$T/$name.in" || exit 99
	nsenter --net="/run/netns/$ns" -- "$peers/rpcstorm" -s "$seed" "$@" unix /run/rpcbind.sock \
		<"$T/$name.in" >"$T/$name.log" 2>&1 &
	# shellcheck disable=SC2004 # it is no number
	background_pids[$name]=$!
	exec {fd}>"$T/$name.in"
	storm_fds[$name]=$fd
	wait_for 5 grep -q '^ready' "$T/$name.log" || not_ok "the storm $name starts" "$(cat "$T/$name.log")"
}

tell_storm() { # NAME COMMAND: and waits until it is done
	local before
	before=$(storm_lines "$1")
	echo "$2" >&"${storm_fds[$1]}"
	wait_for 60 more_lines "$1" "$before"
}

# Compares what is registered with what may be; says what is wrong.
storm_check() { # NAME
	tell_storm "$1" check || { echo "$1 does not answer"; return 1; }
	! grep -E '^(wrong|not-ok)' "$T/$1.log"
}

end_storm() { # NAME
	echo end >&"${storm_fds[$1]}"
	wait_for 60 gone "${background_pids[$1]}"
	grep -q '^end wrong=0$' "$T/$1.log"
}

another_server() {
	local pid
	pid=$(server_pid)
	[ -n "$pid" ] && [ "$pid" != "$1" ]
}

kill_server() {
	local old
	old=$(server_pid)
	kill -KILL "$old"
	kills_server=$((kills_server + 1))
	streak=$((streak + 1))
	wait_for 15 another_server "$old"
}

# Its server is there for a moment longer.
lose_daemon() {
	local pid=$daemon_pid
	daemon_pid=
	disown "$pid"
	kill -KILL "$pid"
	wait_for 5 gone "$pid"
	kills_daemon=$((kills_daemon + 1))
	streak=0
}

kill_daemon() {
	lose_daemon
	run_rpcbind
}

kill_one() {
	sleep "0.0$((RANDOM % 100))" # at any point of what goes on
	if [ $streak -ge 4 ] || [ $((RANDOM % 3)) = 0 ]; then kill_daemon; else kill_server; fi
}

kill_rounds() { # COUNT SEED
	local round out
	start_storm a vs-a "$2"
	start_storm b vs-b "$(($2 + 1))" -c 2 -k 100
	for ((round = 1; round <= $1; round++)); do
		kill_one
		[ $((round % 3)) = 0 ] || continue
		for name in a b; do
			out=$(storm_check $name) || { not_ok "vs-$name after $round kills" "$out"; break 2; }
		done
	done
	echo "# $kills_server servers and $kills_daemon daemons killed, seed $2"
	for name in a b; do
		check "nothing acknowledged is lost, nothing removed returns in vs-$name" storm_check $name
		check "the storm in vs-$name ends well" end_storm $name
		echo "# vs-$name: $(grep -E '^(ok|not-ok) ' "$T/$name.log" | tail -n 1)"
	done
	unlike "no file was damaged" "$(cat "$T/rpcbind-ns.log")" 'VS vs-[ab]: state file: .* at byte'
}
