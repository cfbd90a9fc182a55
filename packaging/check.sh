#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs every test there is, as CI does: as root, on Debian, from a checkout or a tarball.
#
# usage: check.sh [STEP...]     by default all, in this order:
#   lint        scripts, manual pages, licence lines
#   plain       all tests as root; what the libraries export; who calls setns(2)
#   features    the end-to-end tests again, without the optional kernel features
#   user        autogen.sh, configure, make check in a copy of the tree, as nobody
#   sanitizers  all tests with AddressSanitizer and UndefinedBehaviorSanitizer
#   threads     the programs in which threads meet with ThreadSanitizer
#   install     what is installed serves a program that uses libvsreg and libvsresolv
#   dist        make distcheck
#
# It builds in build-check, where results/ has every log. The tests run in namespaces of their own,
# and nothing of the machine is changed.
# The last line is the sum over all steps, each test case and each check of this script being one.
# The status is 1 when one failed, and when root's namespace tests were skipped.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"
build=$top/build-check
results=$build/results
all_steps=(lint plain features user sanitizers threads install dist)
began=$SECONDS
passed=0
failed=0
skipped=0
failures=()

heading() { printf '\n== %3d s: %s\n' $((SECONDS - began)) "$*"; }

# One check of this script's own. The output of CMD is shown if it fails.
one() { # WHAT CMD...
	local log=$results/${1//[^a-zA-Z0-9.-]/_}.log
	if "${@:2}" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "   ok: $1"
	else
		failed=$((failed + 1))
		failures+=("$1")
		echo "   FAILED: $1"
		grep -E '^(FAIL|ERROR|XPASS): ' "$log" | sed 's/^/      /'
		tail -n 60 "$log" | sed 's/^/      /'
		return 1
	fi
}

# ---- automake's tests

# Runs make check in DIR, and counts what the test driver noted. REQUIRED says of what test programs
# at least one case must have passed: all of them, or any with namespaces, or none.
suite() { # NAME all|any|none DIR TESTS [CMD-TO-PREFIX...]
	local name=$1 required=$2 dir=$3 tests=$4 log=$results/$1.log rc=0
	find "$dir/tests" -name '*.trs' -delete
	run 1200 "${@:5}" make -C "$dir" -j"$jobs" check TESTS="$tests" >"$log" 2>&1 || rc=$?
	rm -rf "${results:?}/$name"
	mkdir -p "$results/$name"
	(cd "$dir" && find tests -name '*.trs' -exec sh -c 'cp --parents "$1" "${1%.trs}.log" "$2"' \
		- {} "$results/$name" \;)
	count "$name" "$rc" "$log"
	one "$name: every test program ran" all_ran "$results/$name" "$tests"
	[ "$required" = none ] || one "$name: the tests in namespaces were not skipped" \
		not_skipped "$results/$name" "$required"
}

count() { # NAME STATUS LOG
	local n p f s
	n=$(find "$results/$1" -name '*.trs' -exec cat {} + | awk '
		$1 == ":test-result:" { n[$2]++ }
		END { print n["PASS"] + n["XFAIL"], n["FAIL"] + n["ERROR"] + n["XPASS"], n["SKIP"] + 0 }')
	read -r p f s <<<"$n"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	grep '^SKIP: ' "$3" | sed 's/^/   /'
	mapfile -t -O ${#failures[@]} failures < <(sed -nE "s/^(FAIL|ERROR|XPASS): /$1: /p" "$3")
	[ "$f" = 0 ] || show_failed "$results/$1"
	printf '   %s: %d passed, %d failed, %d skipped\n' "$1" "$p" "$f" "$s"
	# make has more to do than what is counted above: it builds, and checks the headers.
	[ "$2" = 0 ] || [ "$f" != 0 ] || one "$1: make check" cat_and_fail "$3"
}

cat_and_fail() { cat "$1"; false; }

show_failed() { # DIR: from the log of each program that failed, what is no success
	local trs
	while read -r trs; do
		echo "   ---- ${trs#"$results/"}" | sed 's/\.trs$//'
		grep -vE '^(ok |PASS: |SKIP: )' "${trs%.trs}.log" | tail -n 60 | sed 's/^/      /'
	done < <(grep -rlE '^:test-result: (FAIL|ERROR|XPASS)' --include='*.trs' "$1" | sort)
}

all_ran() { # DIR TESTS
	local test lost=0
	for test in $2; do
		test=${test%.netns}
		[ -e "$1/${test%.sh}.trs" ] || { echo "$test left no result"; lost=1; }
	done
	return $lost
}

not_skipped() { # DIR all|any
	if [ "$2" = any ]; then
		grep -rq '^:test-result: PASS' --include='*.trs' "$1/tests/e2e"
	else
		[ -n "$(ls "$1/tests/e2e")" ] && ! grep -rL '^:test-result: PASS' --include='*.trs' "$1" | grep .
	fi
}

# The tests of the build in DIR, by an expression of make.
tests_of() { make -s --no-print-directory -C "$1" --eval "nsaux-tests: ; @echo $2" nsaux-tests; }
# shellcheck disable=SC2016 # for make
every='$(TESTS)' e2e='$(filter %.netns,$(TESTS))' not_e2e='$(filter-out %.netns,$(TESTS))'

# ---- the steps

lint() {
	heading "lint: scripts, manual pages, licence lines"
	one "shellcheck" in_tree '( -name *.sh -o -name *.netns -o -name nsrun -o -path */.ci/run -o -path */tests/bench/run )' shellcheck -x
	one "mandoc" in_tree '-name *.[1-8]' mandoc -T lint -W warning
	one "a licence line in every source file" has_licence
}

in_tree() { # FIND-EXPRESSION CMD...: of the sources, nothing that is generated
	local expression
	set -f
	read -ra expression <<<"$1"
	set +f
	(cd "$top" && find . \( -name .git -o -name 'build*' -o -name autom4te.cache \) -prune -o -type f \
		"${expression[@]}" -exec "${@:2}" {} +)
}

has_licence() {
	! in_tree '( -name *.[ch] -o -name *.sh -o -name *.netns -o -name *.am -o -name *.ac )' \
		grep -L SPDX-License-Identifier | grep .
}

plain() {
	heading "plain: all tests as root"
	build_plain || return
	suite plain all "$build/plain" "$(tests_of "$build/plain" "$every")" env NS_TESTS_REQUIRED=1
	one "only common/netns.c calls setns(2)" one_setns
	one "libvsreg exports what its header declares, and nothing else" \
		exports "$build/plain/common/.libs/libvsreg.so" "$top/common/vsreg.h" vs_
	one "libvsresolv likewise" \
		exports "$build/plain/resolver-ns/.libs/libvsresolv.so" "$top/resolver-ns/vsresolv.h" vsresolv_
}

# Once for all steps; those that follow a failure are not counted.
plain_built=
build_plain() {
	if [ -z "$plain_built" ]; then
		plain_built=no
		one "configure --enable-werror" configured "$build/plain" --enable-werror &&
			one "make" run 900 make -C "$build/plain" -j"$jobs" && plain_built=yes
	fi
	[ $plain_built = yes ] || { echo "   not possible: the build failed"; return 1; }
}

one_setns() {
	local users
	users=$(cd "$build/plain" && find . -name '*.o' -exec nm -A -u {} + |
		sed -n 's/^\([^:]*\):.* setns\(@.*\)*$/\1/p' | sed 's/.*-\([^-]*\)$/\1/' | sort -u)
	echo "setns is called by: $users"
	[ "$users" = netns.o ] && ! grep -rnE 'SYS_setns|__NR_setns' "$top"/{common,*-ns,tests} --include='*.[ch]'
}

exports() { # LIBRARY HEADER PREFIX
	local exported declared
	exported=$(nm -D --defined-only "$1" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' | sort)
	declared=$(gcc -E -P "$2" | tr '\n' ' ' | tr ';' '\n' | grep -v typedef |
		grep -oE "\\b$3[a-z0-9_]+\\(" | tr -d '(' | sort -u)
	diff <(echo "$declared") <(echo "$exported")
}

features() {
	heading "features: the end-to-end tests without the optional kernel features"
	build_plain || return
	suite features all "$build/plain" "$(tests_of "$build/plain" "$e2e")" \
		env NS_TESTS_REQUIRED=1 NSAUX_TEST_FEATURES=off
}

user() {
	heading "user: what somebody without root gets"
	local required=none
	copy=$(mktemp -d /tmp/nsaux-check.XXXXXX) && one "copy of the tree" copy_tree || return
	one "autogen.sh, configure, make as nobody" as_nobody 900 sh -c "./autogen.sh && ./configure && make -j$jobs" ||
		return
	if as_nobody 10 unshare --user --map-root-user --net true; then
		required=any
	else
		echo "   no user namespaces for nobody here"
	fi
	suite user $required "$copy" "$(tests_of "$copy" "$every")" "${as_nobody[@]}"
	rm -rf "$copy"
}

copy=
as_nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups
	env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/nonexistent)
as_nobody() { run "$1" "${as_nobody[@]}" env -C "$copy" "${@:2}"; }

copy_tree() {
	if [ -e "$top/.git" ]; then
		git -c safe.directory='*' -C "$top" ls-files -z --cached --others --exclude-standard |
			tar -C "$top" --null --ignore-failed-read -T - -c
	else
		tar -C "$top" --exclude='./build*' -c .
	fi | tar -C "$copy" -x && chown -R nobody:nogroup "$copy"
}

sanitizers() {
	heading "sanitizers: all tests with AddressSanitizer and UndefinedBehaviorSanitizer"
	local dir=$build/sanitizers
	one "configure --enable-sanitizers" configured "$dir" --enable-werror --enable-sanitizers &&
		one "make with sanitizers" run 900 make -C "$dir" -j"$jobs" || return
	suite sanitizers none "$dir" "$(tests_of "$dir" "$every")" env NS_TESTS_REQUIRED=1
}

# The programs alone in which threads meet, since it goes with no other sanitizer and all of them take
# minutes to build.
threaded='/test_(cache_threads|gai_threads|query_live|request_threads|source|vsreg_threads)$'

threads() {
	heading "threads: with ThreadSanitizer"
	local dir=$build/threads tests test
	one "configure --enable-sanitizers=thread" configured "$dir" --enable-werror --enable-sanitizers=thread || return
	tests=$(tests_of "$dir" "$every" | tr ' ' '\n' | grep -E "$threaded" | tr '\n' ' ')
	# shellcheck disable=SC2086 # words
	one "make of what has threads" run 900 make -C "$dir" -j"$jobs" $tests || return
	for test in $tests; do
		one "${test##*/}" run 300 env NS_TESTS_REQUIRED=1 "$dir/$test"
	done
}

install() {
	heading "install: a program that uses what is installed"
	build_plain || return
	local dest=$build/dest
	rm -rf "$dest"
	one "make install" run 300 make -C "$build/plain" install DESTDIR="$dest" || return
	export PKG_CONFIG_SYSROOT_DIR=$dest PKG_CONFIG_PATH=$dest/usr/local/lib/pkgconfig
	one "a program is compiled and linked by pkg-config's word" link_program "$dest"
	one "and finds its own namespace" run 30 unshare --net --mount \
		env LD_LIBRARY_PATH="$dest/usr/local/lib" "$dest/program"
	one "the installed programs run" installed_programs "$dest/usr/local/sbin"
	unset PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_PATH
}

link_program() { # DIR
	cat >"$1/program.c" <<-'END'
		#include <vsreg.h>
		#include <vsresolv.h>

		int main(void)
		{
			static const char *const nowhere[] = {"/nonexistent", 0};
			struct vs_reg_config config = {.size = sizeof(config), .netns_dirs = nowhere};
			struct addrinfo *address;
			struct vsresolv *resolver;
			struct vs_reg *reg;
			struct vs *vs;

			if (vs_reg_open(&reg, &config) < 0)
				return 1;
			vs = vs_by_name(reg, VS_HOST);
			if (!vs)
				return 2;
			if (vsresolv_open_vs(&resolver, 0, vs, 0) < 0)
				return 3;
			if (vsresolv_getaddrinfo(resolver, "::1", "nfs", 0, -1, &address, 0))
				return 4;
			vsresolv_freeaddrinfo(address);
			vsresolv_close(resolver);
			vs_unref(vs);
			vs_reg_close(reg);
			return 0;
		}
	END
	# shellcheck disable=SC2046 # words
	gcc -Wall -Wextra -Werror -o "$1/program" "$1/program.c" $(pkg-config --cflags --libs libvsreg libvsresolv)
}

installed_programs() { # DIR
	local program
	for program in rpcbind-ns vsctl; do
		LD_LIBRARY_PATH=${1%/sbin}/lib "$1/$program" --version || return
	done
}

dist() {
	heading "dist: make distcheck, with the unit tests and one from end to end"
	build_plain || return
	local tests
	tests="$(tests_of "$build/plain" "$not_e2e") tests/e2e/overlap.netns"
	one "make distcheck" run 900 env NS_TESTS_REQUIRED=1 make -C "$build/plain" -j"$jobs" distcheck \
		TESTS="$tests" DISTCHECK_CONFIGURE_FLAGS=--enable-werror || return
	[ ! -e "$top/.git" ] || one "the tarball has every file of the repository" tarball_is_whole
}

tarball_is_whole() {
	local lost
	lost=$(comm -23 <(git -c safe.directory='*' -C "$top" ls-files | grep -vE '(^|/)\.(git|clang)' | sort) \
		<(tar -tf "$build"/plain/nsaux-*.tar.xz | sed 's,^[^/]*/,,' | sort))
	[ -z "$lost" ] || { echo "not in the tarball: $lost"; false; }
}

# ---- around them

cleanup() { [ -z "$copy" ] || rm -rf "$copy"; }

# What may have been left on the machine: names of namespaces, mounts, processes of ours.
traces() {
	local process
	ls /run/netns
	cut -d' ' -f5 /proc/self/mountinfo
	for process in /proc/[0-9]*; do
		[[ $(readlink "$process/exe") != @($build|/tmp/nsaux-check)* ]] || readlink "$process/exe"
	done
}

main() {
	local step before
	[ "$(id -u)" = 0 ] || fail "must be run as root; without root there is make check"
	for step; do
		[[ " ${all_steps[*]} " = *" $step "* ]] || fail "no step '$step'; there are: ${all_steps[*]}"
	done
	[ $# != 0 ] || set -- "${all_steps[@]}"
	trap cleanup EXIT
	heading "what the tests need"
	"$top/packaging/install-deps.sh" check || exit 1
	mkdir -p "$results" || exit 1
	one "configure is there, or made by autogen.sh" generate || exit 1
	before=$(traces 2>/dev/null)
	for step; do "$step"; done
	heading "what is left behind"
	one "no namespace, mount or process is left" diff <(echo "$before") <(traces 2>/dev/null)
	heading "done"
	[ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}

main "$@" </dev/null
