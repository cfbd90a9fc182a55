#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs test scripts on Debian 12's own kernel, in a virtual machine: real nfsd and lockd as clients of
# rpcbind-ns, and a kernel that has none of the optional features (nsfs handles, NS_GET_ID).
#
# The kernel's package is fetched and unpacked, not installed. The guest sees this machine's files
# read-only (virtio-9p) under a file system in memory, and has no network. Software emulation:
# five to ten times slower than this machine.
#
# usage: debian-kernel.sh [--cache DIR] [--timeout SECONDS] [SCRIPT.netns...]
#   --cache    where the kernel is unpacked [/var/tmp/nsaux-kernel]
#   --timeout  for all of them [900]
#   SCRIPT     by default knfsd.netns beside this one
#
# top_builddir names the build to test [.]; its tests/e2e/peers must be made.
# Wants qemu-system-x86, busybox-static, cpio, kmod, and for knfsd.netns nfs-kernel-server.
set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=$(cd "${top_builddir:-.}" && pwd) || exit 1
cache=/var/tmp/nsaux-kernel
limit=900
scripts=()
out=

fail() {
	echo "debian-kernel.sh: $*" >&2
	exit 1
}

options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--cache) cache=${2:?--cache wants a directory} && shift ;;
		--timeout) limit=${2:?--timeout wants seconds} && shift ;;
		-*) fail "usage: debian-kernel.sh [--cache DIR] [--timeout SECONDS] [SCRIPT.netns...]" ;;
		*) scripts+=("$(readlink -f "$1")") ;;
		esac
		shift
	done
	[ ${#scripts[@]} != 0 ] || scripts=("$top/tests/long/knfsd.netns")
	[ "$(id -u)" = 0 ] || fail "must be run as root, or the guest cannot read all files"
	[ -x "$build/rpcbind-ns/rpcbind-ns" ] || fail "$build has no build: set top_builddir"
	command -v qemu-system-x86_64 busybox cpio depmod >/dev/null ||
		fail "wants qemu-system-x86, busybox-static, cpio and kmod"
}

fetch_kernel() {
	local package
	package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
	[ -n "$package" ] || fail "apt here knows no linux-image-amd64"
	kernel=${package#linux-image-}
	[ ! -e "$cache/$kernel/made" ] || return 0
	echo "fetching and unpacking $package into $cache"
	rm -rf --one-file-system "${cache:?}/$kernel"
	mkdir -p "$cache/$kernel" || fail "no $cache"
	(cd "$cache/$kernel" && apt-get -q -o APT::Sandbox::User=root download "$package" &&
		dpkg-deb -x ./*.deb . && rm ./*.deb && depmod -b . "$kernel" && touch made) >"$cache/log" 2>&1 ||
		fail "the kernel cannot be had; see $cache/log"
}

# In order of need.
boot_modules() {
	local module
	for module in virtio_pci 9pnet_virtio 9p overlay; do
		modprobe -d "$cache/$kernel" -S "$kernel" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

make_initramfs() {
	local root=$out/initramfs module
	mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,rw,new} && cp "$(command -v busybox)" "$root/bin" || return
	for module in $(boot_modules); do
		cp "$module" "$root/modules" && echo "${module##*/}" >>"$root/modules/order" || return
	done
	cat >"$root/init" <<-'END'
		#!/bin/busybox sh
		bb=/bin/busybox
		$bb mount -t devtmpfs devtmpfs /dev
		for module in $($bb cat /modules/order); do $bb insmod /modules/$module; done
		nine=trans=virtio,version=9p2000.L,msize=262144
		$bb mount -t 9p -o $nine,ro,cache=loose root /lower && $bb mount -t tmpfs tmpfs /rw &&
			$bb mkdir /rw/upper /rw/work &&
			$bb mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay /new &&
			$bb mkdir -p /new/out && $bb mount -t 9p -o $nine out /new/out &&
			$bb mount -t proc proc /new/proc && $bb mount -t sysfs sysfs /new/sys &&
			$bb mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
		$bb mount --move /dev /new/dev
		$bb mount -t tmpfs tmpfs /new/run
		exec $bb switch_root /new /bin/bash /out/inside
	END
	chmod 755 "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$out/initrd"
}

inside_script() {
	printf 'export top_builddir=%q top_srcdir=%q modules=%q PATH=%q\n' "$build" "$top" "$cache/$kernel/lib/modules" "$PATH"
	printf 'export NS_TESTS_REQUIRED=1 NSAUX_TEST_TIMEOUT=%q\n' "$limit"
	echo "scripts=(${scripts[*]@Q})"
	cat <<-'END'
		ulimit -n 20000
		# The kernel loads what it needs by itself from there.
		mkdir -p /lib/modules && mount --bind "$modules" /lib/modules
		{
			echo "# kernel $(uname -r)"
			for script in "${scripts[@]}"; do
				echo "# ${script##*/}"
				bash "$top_srcdir/tests/nsrun" "$script"
			done
		} >/out/transcript 2>&1 </dev/null
		echo done >/out/end
		sync
		echo o >/proc/sysrq-trigger
		sleep 30
	END
}

boot() {
	timeout --foreground "$limit" qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m 3072 \
		-nodefaults -display none -no-reboot -kernel "$cache/$kernel/boot/vmlinuz-$kernel" \
		-initrd "$out/initrd" -append "console=ttyS0 quiet panic=-1 net.ifnames=0" \
		-serial "file:$out/console" \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev local,id=out,path="$out",security_model=none \
		-device virtio-9p-pci,fsdev=out,mount_tag=out >"$out/qemu" 2>&1 </dev/null
}

verdict() {
	cat "$out/transcript" 2>/dev/null
	[ -e "$out/end" ] || { tail -n 20 "$out/console" "$out/qemu"; fail "the guest did not come to an end"; }
	! grep -Eq '^(not ok|Bail out)' "$out/transcript" && grep -q '^ok' "$out/transcript"
}

options "$@"
fetch_kernel
out=$(mktemp -d /tmp/nsaux-kernel.XXXXXX) || exit 1
trap 'rm -rf --one-file-system "$out"' EXIT
trap 'exit 130' INT TERM HUP
make_initramfs || fail "no initial file system"
inside_script >"$out/inside"
boot
if verdict; then echo "== all as it should be"; else echo "== FAILED"; exit 1; fi
