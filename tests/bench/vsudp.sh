# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154 # rounds, bin and others are of lib.sh
# Sourced by vs.sh, after lib.sh: the namespaces of vsudp, and its samples.
#
#   srv-c0, 192.0.2.9 --- d0 10.0.1.5, 10.0.2.5 (VS m0) -+- srv      rules `from` and `fwmark`
#   srv-c1, 192.0.2.9 --- d1 10.0.3.5, 10.0.4.5 (VS m1) -+
#   srvin, srvin-c0, srvin-c1       the same, but nft marks what comes in, and there is no `from`
#   srvout, srvout-c0, srvout-c1    the same, but nft marks what goes out
#   ns0, ns-c0; ns1, ns-c1          a namespace for each VS
#
# Both clients have the same address, so that an answer by the routes of the other VS is lost. The
# main tables are empty, but in srvout, where the first look-up must find something.

# A client and its link: NAMESPACE DEVICE CLIENT FIRST-NETWORK SECOND-NETWORK
udp_link() {
	local net
	ip netns add "$3" || fail "namespace $3"
	in_ns "$3" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv4.conf.all.arp_ignore=1 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ip link add "$2" netns "$1" type veth peer name c netns "$3" || fail "link to $3"
	ip -n "$1" link set "$2" up
	{
		printf '%s\n' "link set lo up" "link set c up" "addr add 192.0.2.9/32 dev lo"
		for net in "$4" "$5"; do
			echo "addr add $net.1/24 dev c noprefixroute"
			echo "route add $net.0/24 dev c src 192.0.2.9"
		done
	} | ip -n "$3" -batch - || fail "client $3"
	for net in "$4" "$5"; do
		echo "addr add $net.5/24 dev $2 noprefixroute"
	done | ip -n "$1" -batch - || fail "addresses of $1"
}

udp_namespace() { # NAME
	ip netns add "$1" || fail "namespace $1"
	in_ns "$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0
}

# The routes of a VS, and what leads to them: NAMESPACE I DEVICE KIND...
udp_routes() {
	local ns=$1 i=$2 dev=$3 kind a first=$((2 * $2 + 1))
	shift 3
	{
		for a in $first $((first + 1)); do
			echo "route add 10.0.$a.0/24 dev $dev table 860$((i + 1))"
		done
		echo "route add default via 10.0.$first.1 dev $dev table 860$((i + 1))"
		echo "route add unreachable default metric 4278198272 table 860$((i + 1))"
		for kind; do
			case $kind in
			from)
				echo "rule add priority 8602 from 10.0.$first.5 lookup 860$((i + 1))"
				echo "rule add priority 8602 from 10.0.$((first + 1)).5 lookup 860$((i + 1))"
				;;
			mark) echo "rule add priority 8600 fwmark 0x860$((i + 1)) lookup 860$((i + 1))" ;;
			esac
		done
	} | ip -n "$ns" -batch - || fail "routes of $ns"
}

# Two VSs in a namespace: NAME KIND-OF-RULE...
udp_shared() {
	local ns=$1 i
	shift
	udp_namespace "$ns"
	for i in 0 1; do
		udp_link "$ns" "d$i" "$ns-c$i" "10.0.$((2 * i + 1))" "10.0.$((2 * i + 2))"
		udp_routes "$ns" $i "d$i" "$@"
	done
}

udp_spaces() {
	local i
	for i in 0 1; do
		udp_namespace "ns$i"
		udp_link "ns$i" d0 "ns-c$i" "10.0.$((2 * i + 1))" "10.0.$((2 * i + 2))"
		printf '%s\n' "route add 10.0.$((2 * i + 1)).0/24 dev d0" \
			"route add 10.0.$((2 * i + 2)).0/24 dev d0" \
			"route add default via 10.0.$((2 * i + 1)).1 dev d0" | ip -n "ns$i" -batch - ||
			fail "routes of ns$i"
	done
}

udp_nft() {
	in_ns srvin nft -f - <<-'END' || return
		table ip vsudp {
			chain marks {
				type filter hook prerouting priority mangle;
				iifname d0 meta mark set 0x8601
				iifname d1 meta mark set 0x8602
			}
		}
	END
	in_ns srvout nft -f - <<-'END'
		table ip vsudp {
			chain marks {
				type route hook output priority mangle;
				ip saddr { 10.0.1.5, 10.0.2.5 } meta mark set 0x8601
				ip saddr { 10.0.3.5, 10.0.4.5 } meta mark set 0x8602
			}
		}
	END
}

udp_config() { # DIRECTORY
	local i first
	mkdir -p "$1"
	for i in 0 1; do
		first=$((2 * i + 1))
		printf '%s\n' '[VirtualServer]' Flavour=mark Namespace=/run/netns/srv \
			"Mark=0x860$((i + 1))" "Table=860$((i + 1))" '[Network]' "Device=d$i" \
			"Address=10.0.$first.5/24 dev d$i" "Address=10.0.$((first + 1)).5/24 dev d$i" \
			"Gateway=10.0.$first.1" >"$1/m$i.conf"
	done
}

# Makes all of it; the files of the mark VSs go to DIRECTORY.
udp_topology() { # DIRECTORY
	udp_config "$1"
	udp_shared srv from mark
	udp_spaces
	command -v nft >/dev/null || { say "without nft(8), P4 and P8 are not measured" && return; }
	udp_shared srvin mark
	udp_shared srvout mark
	ip -n srvout route add default via 10.0.1.1 dev d0 onlink || fail "routes of srvout"
	udp_nft || fail "nft"
}

# One round for each of $rounds; the samples udp.NAME, udp.NAME.rate and udp.NAME.wrong (see vsudp.c).
udp_part() { # DIRECTORY
	say "UDP"
	"$bin/vsudp" -f -c "$server_cpu" -r "$rounds" -n "${udp_repeat:-40}" "$1" >"$T/vsudp.log" ||
		say "vsudp: status $?"
	grep '^udp\.' "$T/vsudp.log" >>"$T/samples" || fail "vsudp"
}

udp_rows() {
	local name what
	"$bin/vsudp" -l >"$T/vsudp.names"
	while IFS=$'\t' read -r name what; do
		case $name in
		P2) continue ;;
		each) row "UDP, $what" req/s setsockopt udp.P2.rate udp.each.rate 'ratio>=1.4' ;;
		shared) row "UDP, $what" req/s setsockopt udp.P2.rate udp.shared.rate 'ratio>=1.3' ;;
		*) row "UDP, $what" req/s setsockopt udp.P2.rate "udp.$name.rate" - ;;
		esac
	done <"$T/vsudp.names"
	for name in each shared single; do
		row "  $name: lost, or from a wrong source" answers setsockopt udp.P2.wrong \
			"udp.$name.wrong" 'ours<=0'
	done
}
