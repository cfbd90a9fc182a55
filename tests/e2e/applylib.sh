# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced after lib.sh by the tests of vsctl up, down and apply.
# shellcheck disable=SC2154,SC2120 # of lib.sh, which comes before; optional arguments

va() { timeout 60 "$vsctl" --vs-dir "$T/vs.d" --netns-dir /run/netns --runtime-dir "$T/nsaux" "$@"; }
changes() { va --json "$@" | awk '$1 == "\"changes\":" { print $2 + 0 }'; }

# All that vsctl may touch, without what the kernel chooses anew each time: in this namespace, or in NS.
objects() { # [NS]
	local at=()
	[ $# = 0 ] || at=(-n "$1")
	{
		ip "${at[@]}" -d -o link
		ip "${at[@]}" -o addr
		ip "${at[@]}" route show table all
		ip "${at[@]}" -6 route show table all
		ip "${at[@]}" rule
		ip "${at[@]}" -6 rule
	} | sed -E 's/^[0-9]+: ([^:@ ]+)(@[^:]*)?:?/\1/; s/link-netns(id)? \S+//; s/ tentative//; s/\\ *valid_lft.*//
		s/link\/ether \S+/ether/; /fe80|ff00::|multicast/d; s/NO-CARRIER,//; s/,LOWER_UP//; s/,M-DOWN//; s/ bridge .*//
		s/state (UP|DOWN|LOWERLAYERDOWN|UNKNOWN)/state/; s/bridge_slave .*//; s/ linkdown//; s/ dead//' | sort
}

# What there may be of vsctl besides.
files() {
	find /run/netns "$T/nsaux" -mindepth 1 ! -name vsctl.lock ! -path "$T/nsaux/vsctl" 2>/dev/null | sort
}

everything() { objects; files; }

differ() { # WANT GOT: what is not the same
	echo "$1" >"$T/want"
	echo "$2" >"$T/got"
	diff "$T/want" "$T/got"
}

# The kernel removes a namespace some time after its last name; what is left of it then goes too.
is_as_before() { [ "$(everything)" = "$1" ]; }
nothing_left() { # DESC BEFORE
	wait_for 5 is_as_before "$2"
	is "$1" "$(differ "$2" "$(everything)")" ""
}

has_nft() { command -v nft >/dev/null && grep -q '^#define HAVE_NFTABLES 1' "$top_builddir/config.h"; }
