# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by vs.sh: the paper's Figures 3 and 4. One server process (vsmany) answers on as many
# connections in three places, which vsplace makes; 100 client processes in each.
#
#   cli-many  p0 ... pN --- e0 of many0 ... eN of manyN     a namespace for each connection
#   cli-devs  p0 ... pN --- e0 ... eN of devs0              one namespace, as many devices
#   cli-one   p0        --- e0        of one0               one namespace, one device
#
# In all of them network I is 10.(I / 256).(I % 256).0/24. The server is on CPU 0, the clients on CPU 1.
# shellcheck disable=SC2154 # of vs.sh and lib.sh: counts most turns turn_ms processes bin T client_cpu

many_places() { # COUNT: the words for vsmanyload in $many_words
	local kind
	many_words=()
	mkdir -p "$T/places"
	for kind in many devs one; do
		ip netns add "cli-$kind" || fail "namespace cli-$kind"
		in_ns "cli-$kind" "$bin/vsplace" $kind "$T/places" "$1" || fail "vsplace $kind"
		many_words+=("$kind" "/run/netns/cli-$kind")
	done
}

many_samples() { # COUNT; reads what vsmanyload says
	local kind words word
	while read -r kind words; do
		for word in $words; do
			sample "$kind-$1.${word%%=*}" "${word#*=}"
		done
	done
}

many_run() { # COUNT
	local server
	rm -f "$T/counts" "$T/vsmany.log"
	env "LD_LIBRARY_PATH=$libraries" "$(unwrapped "$bin/vsmany")" "$server_cpu" "$T/counts" 7 \
		"$T/places" >"$T/vsmany.log" 2>&1 </dev/null &
	server=$!
	pids+=("$server")
	wait_for 60 grep -q '^ready' "$T/vsmany.log" || fail "vsmany does not start"
	many_listeners "$1"
	"$bin/vsmanyload" -c "$client_cpu" -n "$processes" -P "$server" -S "$T/counts" -t "$turn_ms" \
		-T "$turns" -r "$rounds" "$1" 7 "${many_words[@]}" >"$T/vsmanyload.log" 2>"$T/vsmanyload.err" ||
		fail "vsmanyload: $(cat "$T/vsmanyload.err")"
	many_samples "$1" <"$T/vsmanyload.log"
	kill "$server"
	wait "$server" 2>/dev/null
}

many_listeners() { # COUNT: a listener for each network in each of the three places
	[ "$(value listeners "$(cat "$T/vsmany.log")")" = $(($1 * 3)) ] || fail "vsmany: $(cat "$T/vsmany.log")"
}

many_all() {
	local n kind
	for n in "${counts[@]}"; do
		say "$n connections in $n namespaces"
		many_places "$n"
		many_run "$n"
		clear_netns "$T/places"
		for kind in many devs one; do ip netns del "cli-$kind"; done
	done
}

many_rows() {
	local n
	for n in "${counts[@]}"; do
		row "TCP in $n namespaces, one process" req/s "$n devices" "devs-$n.rate" "many-$n.rate" -
		row "" req/s "one device" "one-$n.rate" "many-$n.rate" -
		row "  user CPU of a request" ns "$n devices" "devs-$n.user" "many-$n.user" 'ratio<=1.03'
		row "    without its looking at the clock" ns "$n devices" "devs-$n.bare" "many-$n.bare" -
		row "  CPU of a request" us "$n devices" "devs-$n.cpu" "many-$n.cpu" -
		row "" us "one device" "one-$n.cpu" "many-$n.cpu" -
		row "  slab of a connection, both ends" KiB "$n devices" "devs-$n.slab" "many-$n.slab" -
	done
}

many_plots() {
	local n kind unit
	for kind in rate cpu; do
		unit=1
		[ $kind = cpu ] || unit=1000
		{
			printf 'place\tnamespaces\tas many devices\tone device\n'
			for n in "${counts[@]}"; do
				printf '%s connections\t%s\t%s\t%s\n' "$n" "$(per "$(median "many-$n.$kind")" "$unit")" \
					"$(per "$(median "devs-$n.$kind")" "$unit")" "$(per "$(median "one-$n.$kind")" "$unit")"
			done
		} | if [ $kind = rate ]; then
			plot_bars vs-many "One TCP server process, $processes client processes" "1,000 requests/s"
		else
			plot_bars vs-many-cpu "One TCP server process: CPU time of the server" "us each request"
		fi
	done
}
