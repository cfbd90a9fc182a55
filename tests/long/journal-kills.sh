#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The storm of tests/e2e/journal.netns for a long time: the server or the whole daemon is killed a thousand
# times at random points under SETs and UNSETs, and nothing acknowledged may be lost, nor anything
# removed return. Prints the seed and counts.
#
# usage: journal-kills.sh, with top_builddir=BUILD
#   NSAUX_TEST_KILLS=N   so many kills [1000]
#   NSAUX_TEST_SEED=N    the same choices again; not the same points in time
if [ "${1-}" != --inside ]; then
	export NSAUX_TEST_TIMEOUT=${NSAUX_TEST_TIMEOUT:-7200}
	exec bash "$(dirname "$0")/../nsrun" "$0" --inside
fi
. "${0%/*}/../e2e/lib.sh"
. "${0%/*}/../e2e/storm.sh"

seed=${NSAUX_TEST_SEED:-$RANDOM}
echo "# NSAUX_TEST_SEED=$seed"
RANDOM=$seed
netns vs-a vs-b
start_rpcbind '[Daemon]' LogLevel=notice
kill_rounds "${NSAUX_TEST_KILLS:-1000}" "$seed"
finish
