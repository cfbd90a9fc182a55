#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs long tests one after the other, and says at the end what became of them. For "make check-long".
#
# usage: run.sh TEST...     the log of tests/long/NAME.netns is tests/long/NAME.log in the build directory
#
# NSAUX_TEST_TIMEOUT is the most seconds that one of them may take (3600).
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 99
top_srcdir=$(dirname "$(dirname "$here")")
top_builddir=${top_builddir:-$PWD}
export top_srcdir top_builddir NSAUX_TEST_TIMEOUT="${NSAUX_TEST_TIMEOUT:-3600}"
mkdir -p "$top_builddir/tests/long" || exit 99

run() { # TEST
	case $1 in
	*.netns) bash "$top_srcdir/tests/nsrun" "$1" ;;
	*) bash "$1" ;;
	esac
}

# One word and why: of a script that says nothing, as of one that fails, nothing good is assumed.
outcome() { # LOG STATUS
	if grep -q '^1\.\.0 # SKIP' "$1"; then
		sed -nE 's/^1\.\.0 # SKIP/SKIP/p' "$1"
	elif [ "$2" != 0 ] || grep -q '^not ok' "$1" || ! grep -Eq '^1\.\.[1-9]' "$1"; then
		echo "FAIL (status $2, $(grep -c '^not ok' "$1") not ok)"
	else
		echo "PASS ($(grep -c '^ok' "$1") ok, $(grep -c '^ok.*# SKIP' "$1") of them skipped)"
	fi
}

summary=()
failed=0
for t; do
	name=$(basename "$t")
	log=$top_builddir/tests/long/${name%.*}.log
	rc=0
	echo "== $name"
	run "$t" </dev/null 2>&1 | tee "$log" | grep --line-buffered -E '^(not ok|Bail out)|^#'
	rc=${PIPESTATUS[0]}
	result=$(outcome "$log" "$rc")
	summary+=("$name: $result")
	case $result in FAIL*) failed=1 ;; esac
done
printf '%s\n' '== summary' "${summary[@]}"
exit $failed
