#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs packaging/try.sh and packaging/check.sh as a new user would: on a Debian 12 that has git, a
# clone of this checkout (what is committed), and a stock rpcbind that is running, and must
# not notice. systemd-nspawn boots it, with a network of its own that leads nowhere: the packages
# are fetched before, with the apt settings of this machine, into the cache of the tree's apt.
#
# usage: fresh-debian.sh [--tree DIR] [--mirror URL] [--keep] [try] [check] [restart]
#   --tree    where the pristine tree is, or will be made [/var/tmp/nsaux-debian]; the copy of it
#             that is booted is DIR.run
#   --mirror  of Debian, if apt here does not know one
#   --keep    leaves DIR.run there
#   try check restart  only these; restart, which is tests/long/systemd-restart.sh, only when named
set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
tree=/var/tmp/nsaux-debian
mirror=
keep=
parts=()

fail() {
	echo "fresh-debian.sh: $*" >&2
	exit 1
}

options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--tree) tree=${2:?--tree wants a directory} && shift ;;
		--mirror) mirror=${2:?--mirror wants a URL} && shift ;;
		--keep) keep=yes ;;
		try | check | restart) parts+=("$1") ;;
		*) fail "usage: fresh-debian.sh [--tree DIR] [--mirror URL] [--keep] [try] [check] [restart]" ;;
		esac
		shift
	done
	[ ${#parts[@]} != 0 ] || parts=(try check)
	[ "$(id -u)" = 0 ] || fail "must be run as root"
	command -v debootstrap systemd-nspawn git >/dev/null ||
		fail "wants debootstrap, systemd-nspawn (Debian: systemd-container) and git"
}

# apt of this machine, at work on the tree's lists, packages and cache.
apt_for_tree() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o Dir::Etc::sourcelist="$tree/etc/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::trusted=/dev/null -o Dir::Etc::trustedparts="$tree/etc/apt/trusted.gpg.d" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$tree/var/lib/apt" -o Dir::State::status="$tree/var/lib/dpkg/status" \
		-o Dir::Cache="$tree/var/cache/apt" -o APT::Sandbox::User=root "$@" </dev/null
}

make_tree() {
	[ ! -e "$tree/made" ] || return 0
	# shellcheck disable=SC2016 # for apt-get
	[ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Codename: bookworm' 'Label: Debian' | head -n 1)
	[ -n "$mirror" ] || fail "apt here knows no mirror of Debian 12: give --mirror URL"
	rm -rf --one-file-system "$tree"
	mkdir -p "$tree" || return
	echo "making $tree: about a minute; see $tree.log"
	debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,git,rpcbind bookworm \
		"$tree" "$mirror" >"$tree.log" 2>&1 || fail "debootstrap failed; see $tree.log"
	apt_for_tree update >>"$tree.log" 2>&1 || fail "apt-get update failed; see $tree.log"
	touch "$tree/made"
}

fetch_packages() {
	local packages
	mapfile -t packages < <("$top/packaging/install-deps.sh" --list check)
	apt_for_tree install --no-install-recommends --download-only "${packages[@]}" >>"$tree.log" 2>&1 ||
		fail "packages cannot be fetched; see $tree.log"
}

# The copy that is booted: with the clone, and a unit that does all and switches off.
make_copy() {
	rm -rf --one-file-system "$tree.run"
	cp -a --reflink=auto "$tree" "$tree.run" || return
	git -c safe.directory='*' clone -q --no-hardlinks "$top" "$tree.run/root/nsaux" || return
	cat >"$tree.run/etc/systemd/system/nsaux-fresh.service" <<-'END'
		[Unit]
		After=rpcbind.service
		SuccessAction=poweroff
		FailureAction=poweroff
		[Service]
		Type=oneshot
		ExecStart=/root/inside
		StandardOutput=append:/root/transcript
		StandardError=append:/root/transcript
	END
	ln -s ../nsaux-fresh.service "$tree.run/etc/systemd/system/multi-user.target.wants/" || return
	inside_script >"$tree.run/root/inside" && chmod 755 "$tree.run/root/inside"
}

inside_script() {
	echo '#!/bin/bash'
	echo "parts='${parts[*]}'"
	cat <<-'END'
		cd /root/nsaux || exit 1
		result=0
		verdict() { # WHAT CMD...
			if "${@:2}"; then echo "ok: $1"; else echo "NOT OK: $1"; result=1; fi
		}

		# A registration in the stock rpcbind, to be found again at the end.
		register() {
			perl -MSocket -e '
				sub str { pack("N/a* x![4]", $_[0]) }
				socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un("/run/rpcbind.sock")) or die $!;
				$m = pack("N12", 1, 0, 2, 100000, 3, 1, 0, 0, 0, 0, 200009, 1) .
					str("tcp") . str("0.0.0.0.18.103") . str("root");
				syswrite(S, pack("N", 0x80000000 | length($m)) . $m) and sysread(S, $r, 4096) or die $!;
				exit(unpack("x28 N", $r) != 1)'
		}
		# Without the names of programs: the file of those comes with a package.
		stock() {
			systemctl show -p MainPID -p ActiveState rpcbind.service rpcbind.socket
			# systemd starts its own when it is ready, or somebody logs in.
			systemctl list-units --no-legend --plain --state=running,listening |
				awk "\$1 !~ /^systemd-/ { print \$1 }"
			rpcinfo | awk "{ print \$1, \$2, \$3, \$4, \$6 }"
		}

		. /etc/os-release
		echo "== $PRETTY_NAME, kernel $(uname -r), commit $(git rev-parse --short HEAD)"
		verdict "stock rpcbind is running before" systemctl is-active rpcbind.service
		verdict "it takes a registration" register
		stock >/root/before
		for part in $parts; do
			script=packaging/$part.sh
			[ $part != restart ] || script=tests/long/systemd-restart.sh
			echo "== $script"
			verdict "$script" "$script" </dev/null
			git status --porcelain | grep . && verdict "the checkout stays as it is" false
			stock >/root/after
			verdict "stock rpcbind is as it was (process, registrations), and no other daemon runs" \
				diff /root/before /root/after
		done
		verdict "nothing failed to start, as seen by systemd" \
			sh -c '! systemctl --failed --no-legend --plain | grep .'
		echo "$result" >/root/result
	END
}

boot() {
	timeout --foreground 3600 systemd-nspawn --quiet --register=no --keep-unit --capability=all \
		--private-network --resolv-conf=off --timezone=off --console=pipe --directory="$tree.run" --boot \
		>"$tree.run.log" 2>&1 </dev/null &
	nspawn=$!
	tail -n +1 -F --pid=$nspawn "$tree.run/root/transcript" 2>/dev/null &
	wait $nspawn
	nspawn=
	wait
}

nspawn=
# shellcheck disable=SC2317 # called by a trap
cleanup() {
	[ -z "$nspawn" ] || { kill -TERM "$nspawn" && wait "$nspawn"; } 2>/dev/null
	[ -n "$keep" ] || rm -rf --one-file-system "$tree.run"
}

options "$@"
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
make_tree || fail "cannot make $tree"
fetch_packages
make_copy || fail "cannot make $tree.run"
boot
result=$(cat "$tree.run/root/result" 2>/dev/null) || { tail -n 30 "$tree.run.log"; fail "it did not come to an end"; }
[ "$result" = 0 ] && echo "== all as it should be" || echo "== FAILED"
exit "$result"
