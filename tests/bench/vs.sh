# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# The paper's experiments, and what virtual servers cost:
#
#   create  vscreate.sh  making of namespace VSs; an apply that finds nothing to do
#   memory  vsmemory.sh  of a namespace in the kernel, of a VS in a registry
#   many    vsmany.sh    one server process in many namespaces (the paper's Figures 3 and 4)
#   udp     vsudp.sh     every way to answer UDP for several VSs (the paper's "UDP problem")
#
# $BENCH_PART is one of them, or empty for all.
. "${top_srcdir:?}/tests/bench/lib.sh"
. "$here/plot.sh"
. "$here/vscreate.sh"
. "$here/vsmemory.sh"
. "$here/vsmany.sh"
. "$here/vsudp.sh"

# How many VSs, in how many rounds; those of ip(8) with the most of them take half a minute.
# How many turns the places have in a round of the many, and how long one is.
case $BENCH_SIZE in
full) counts=(100 1000) ip_rounds=3 turns=30 turn_ms=100 processes=100 ;;
quick) counts=(100 1000) ip_rounds=1 turns=12 turn_ms=80 processes=100 ;;
smoke) counts=(3 5) ip_rounds=1 turns=2 turn_ms=20 processes=2 ;;
esac
most=${counts[-1]}
vsctl=$(unwrapped "$top_builddir/common/vsctl")

peer_versions() { echo "iproute2 $(ip -V | sed 's/.*iproute2-//; s/,.*//')"; }

# KEY CMD...: how long it takes, in milliseconds
took() {
	local key=$1 begin end
	shift
	begin=$EPOCHREALTIME
	"$@" >"$T/took.log" 2>&1 || fail "$key: $*"
	end=$EPOCHREALTIME
	sample "$key" "$(awk -v us=$((${end/./} - ${begin/./})) 'BEGIN { printf "%.3f", us / 1000 }')"
}

# All namespaces that a directory has names of; returns after their end.
clear_netns() { # DIRECTORY
	"$bin/nsclear" "$1" >>"$T/clear.log" 2>&1 || fail "namespaces do not go away"
}

parts=(create memory many udp)
[ -z "${BENCH_PART-}" ] || parts=("$BENCH_PART")

# ---- UDP: vsudp.sh has the namespaces and the rows

udp_all() {
	udp_topology "$T/udp.d"
	udp_part "$T/udp.d"
	clear_netns /run/netns
}

udp_plots() {
	local name
	{
		printf 'method\tus each request\n'
		while IFS=$'\t' read -r name _; do
			printf '%s\t%s\n' "$name" "$(per "$(median "udp.$name")" 1000)"
		done <"$T/vsudp.names"
	} | plot_bars vs-udp "UDP: receive and answer, the VS changing with every packet" \
		"us each request"
}

main() {
	local part
	ulimit -n "$(ulimit -H -n)"
	for part in "${parts[@]}"; do "${part}_all"; done
	for part in "${parts[@]}"; do "${part}_rows"; done
	for part in "${parts[@]}"; do "${part}_plots"; done
	report "tests/bench/run vs${BENCH_PART:+ --part $BENCH_PART}"
}

main
