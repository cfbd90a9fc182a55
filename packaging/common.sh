# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2034 # for those who source it
# What try.sh and check.sh share.

set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
jobs=$(nproc)
child=

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# Runs CMD for at most SECONDS, in a process group of its own. An interruption of the script is
# acted upon at once, and ends all of CMD.
run() { # SECONDS CMD...
	local rc
	timeout -k 10 "$@" </dev/null 3>&- &
	child=$!
	wait $child
	rc=$?
	child=
	return $rc
}

# An interruption, which may come while output is redirected.
interrupted() {
	local tries
	trap '' INT TERM HUP
	exec 2>/dev/null # the shell would report the child's death
	if [ -n "$child" ]; then
		kill -TERM "$child"
		wait "$child"
		for ((tries = 0; tries < 50; tries++)); do
			kill -0 -- "-$child" || break
			sleep 0.1
		done
		kill -KILL -- "-$child"
	fi
	echo "${0##*/}: interrupted; nothing is left running" >&3
	exit 130
}
exec 3>&2
trap interrupted INT TERM HUP

# configure, where the checkout has none, or one that autogen.sh left half made.
generate() {
	if [ ! -x "$top/configure" ] || [ ! -f "$top/Makefile.in" ] || [ ! -f "$top/config.h.in" ]; then
		run 300 "$top/autogen.sh"
	fi
}

# Configures DIR once. Other options, or an interruption half way, and it is done again.
configured() { # DIR OPTION...
	local dir=$1
	shift
	[ "$(cat "$dir/configured" 2>/dev/null)" != "$*" ] || return 0
	mkdir -p "$dir" && rm -f "$dir/configured" &&
		run 300 env -C "$dir" "$top/configure" "$@" && echo "$*" >"$dir/configured"
}
