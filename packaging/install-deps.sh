#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what nsaux needs from Debian 12, and only what is missing. A daemon that comes with a
# package (rpcbind, whose rpcinfo is wanted) is neither started nor enabled.
#
# usage: install-deps.sh [--list] [build|try|check]
#   build  to build and install (the default)
#   try    and to run packaging/try.sh
#   check  and to run packaging/check.sh
#   --list prints the names of the packages and does nothing
set -u

packages() { # PURPOSE
	echo gcc libc6-dev make autoconf automake libtool pkg-config
	echo libtirpc-dev libinih-dev libjansson-dev libcap-ng-dev libseccomp-dev uthash-dev
	echo libnl-3-dev libnl-route-3-dev libnftables-dev
	echo libc-ares-dev libidn2-dev libkrb5-dev
	[ "$1" != build ] || return 0
	echo iproute2 netbase rpcbind
	[ "$1" != try ] || return 0
	# To build and look at the tests, then the real peers of the end-to-end tests.
	echo g++ libcmocka-dev xz-utils valgrind libc6-dbg shellcheck mandoc
	echo nfs-common nfs-kernel-server nfs-ganesha nfs-ganesha-vfs rusersd rstatd socat tcpd nftables
	echo unbound libunbound-dev nscd strace krb5-user
}

fail() {
	echo "install-deps.sh: $*" >&2
	exit 1
}

installed() { dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -n 's/^installed //p' | sort; }

missing() { # PACKAGE...
	local p
	for p; do
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || echo "$p"
	done
}

# ---- no daemon may start while packages are installed

policy=/usr/sbin/policy-rc.d
saved=$policy.before-nsaux
policy_set=

forbid_starts() {
	# A second run must not take our file for the administrator's.
	exec 9<"${policy%/*}"
	flock 9 || exit 1
	policy_set=yes
	if [ -e $policy ] && ! grep -q 'nsaux: no daemon' $policy; then
		mv -f $policy $saved || fail "cannot put $policy aside"
	fi
	printf '%s\n' '#!/bin/sh' '# nsaux: no daemon starts while install-deps.sh is at work' 'exit 101' \
		>$policy || exit 1
	chmod 755 $policy || exit 1
}

allow_starts() {
	policy_set=
	if [ -e $saved ]; then mv -f $saved $policy; else rm -f $policy; fi
	exec 9<&-
}

# For the next boot: the daemons of packages that were not there before stay off, until somebody
# enables them.
leave_off() { # PACKAGE...
	local name off=()
	while read -r name; do
		case $name in
		/etc/init.d/*)
			update-rc.d "${name##*/}" disable && off+=("${name##*/}")
			;;
		*/systemd/system/*.service | */systemd/system/*.socket | */systemd/system/*.target)
			name=${name##*/}
			[ "$(systemctl is-enabled "$name")" = enabled ] && systemctl disable "$name" && off+=("$name")
			;;
		esac
	done < <(dpkg-query -L "$@" | sort)
	[ ${#off[@]} = 0 ] || echo "neither started nor enabled: ${off[*]}" | fold -s -w 100 >&3
} 3>&1 >/dev/null 2>&1

# However it ends: what has been installed stays off, and daemons may start again.
log=
before=
cleanup() {
	local new
	if [ -n "$policy_set" ]; then
		mapfile -t new < <(comm -13 <(echo "$before") <(installed))
		[ ${#new[@]} = 0 ] || leave_off "${new[@]}"
		allow_starts
	fi
	[ -z "$log" ] || rm -f "$log"
}

# ---- apt

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" \
		>>"$log" 2>&1 </dev/null
}

known() { # PACKAGE...: does apt know where to get them?
	local p
	for p; do
		LC_ALL=C apt-cache policy "$p" 2>/dev/null | grep -q '^ *Candidate: [^(]' || return 1
	done
}

# Lists that are there may be too old: then, too, they are fetched and it is tried again.
install() { # PACKAGE...
	local args=(install --no-install-recommends --no-remove "$@")
	if known "$@" && apt "${args[@]}"; then return; fi
	echo "fetching the lists of packages"
	apt update && apt "${args[@]}"
}

main() {
	local list='' purpose todo
	[ "${1-}" != --list ] || { list=yes; shift; }
	purpose=${1:-build}
	case $purpose in
	build | try | check) ;;
	*) fail "usage: install-deps.sh [--list] [build|try|check]" ;;
	esac
	mapfile -t todo < <(packages "$purpose" | tr ' ' '\n')
	[ -z "$list" ] || { printf '%s\n' "${todo[@]}"; return; }

	command -v apt-get dpkg-query >/dev/null ||
		fail "no apt here; what is needed, by Debian's names: ${todo[*]}"
	mapfile -t todo < <(missing "${todo[@]}")
	[ ${#todo[@]} != 0 ] || { echo "nothing to install"; return; }
	[ "$(id -u)" = 0 ] || fail "must be run as root to install: ${todo[*]}"

	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	log=$(mktemp) || exit 1
	before=$(installed)
	echo "installing: ${todo[*]}" | fold -s -w 100
	forbid_starts
	install "${todo[@]}" || { tail -n 30 "$log" >&2; fail "apt-get failed; see above"; }
	echo "installed $(comm -13 <(echo "$before") <(installed) | wc -l) packages, with those that they need"
}

PATH=$PATH:/usr/sbin:/sbin
main "$@"
