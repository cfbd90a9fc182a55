# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by vs.sh: what a namespace VS takes of the kernel's memory, and of that of a process that has
# it in a registry. The paper has 120 kB for a namespace.
# shellcheck disable=SC2154 # of vs.sh and lib.sh: most bin T rounds

# What the kernel has for itself, and what of it are slabs. (MemFree will not do: what is freed stays in
# lists of each CPU for long, where it is not counted.)
memory_kib() {
	awk '/^(Slab|Percpu|VmallocUsed|KernelStack|PageTables):/ { n += $2 } $1 == "Slab:" { s = $2 }
		END { print n, s }' /proc/meminfo
}

# Some of what is gone the kernel frees later. Until nothing more comes back.
memory_settle() {
	local before now i
	read -r now _ < <(memory_kib)
	for ((i = 0; i < 20; i++)); do
		before=$now
		sleep 0.3
		read -r now _ < <(memory_kib)
		[ $((before - now)) -gt "$most" ] || return 0
	done
}

# What CMD makes the kernel need, for each.
memory_of() { # KEY CMD...
	local key=$1 all slab all_now slab_now
	shift
	memory_settle
	read -r all slab < <(memory_kib)
	"$@" >>"$T/memory.log" 2>&1 || fail "$key: $*"
	read -r all_now slab_now < <(memory_kib)
	sample "$key" "$(per $((all_now - all)) "$most")"
	sample "$key.slab" "$(per $((slab_now - slab)) "$most")"
}

# The registry of a process, beside one that has nothing in it.
memory_registry() { # KEY NETNS-DIRECTORY-BESIDE NETNS-DIRECTORY [VS-DIRECTORY]
	local key=$1 empty full n
	empty=$("$bin/vsmem" "$2" 2>>"$T/memory.log") || fail "vsmem $2"
	shift 2
	full=$("$bin/vsmem" "$@" 2>>"$T/memory.log") || fail "vsmem $*"
	n=$(($(value vss "$full") - $(value vss "$empty")))
	[ $n = "$most" ] || fail "vsmem $*: $n VSs instead of $most"
	sample "$key" "$(per $((($(value private "$full") - $(value private "$empty")) * 1024)) "$n")"
	sample "$key.heap" "$(per $(($(value heap "$full") - $(value heap "$empty"))) "$n")"
	sample "$key.fds" $(($(value descriptors "$full") - $(value descriptors "$empty")))
}

# The files of mark VSs that share a namespace.
memory_files() { # DIRECTORY NAMESPACE
	local i
	mkdir -p "$1"
	for ((i = 0; i < most; i++)); do
		printf '%s\n' '[VirtualServer]' Flavour=mark "Namespace=$2" "Mark=$((i + 1))" \
			"Table=$((i + 1000))" '[Network]' "Device=e$i" \
			"Address=10.$((i / 250)).$((i % 250)).1/24" >"$1/k$i.conf"
	done
}

memory_all() {
	local i
	mkdir -p "$T/none" "$T/memory" "$T/shared"
	"$bin/nsmany" "$T/shared" s 1 || fail "no namespace"
	memory_files "$T/marks" "$T/shared/s0"
	for ((i = 1; i <= rounds; i++)); do
		say "memory, round $i of $rounds"
		sample memory-paper 120
		memory_of memory-bare "$bin/nsmany" "$T/memory" m "$most"
		clear_netns "$T/memory"
		memory_of memory-full "$bin/nsfloor" "$T/memory" m "$most"
		memory_registry memory-reg "$T/none" "$T/memory"
		clear_netns "$T/memory"
		memory_registry memory-marks "$T/shared" "$T/shared" "$T/marks"
	done
	clear_netns "$T/shared"
}

memory_rows() {
	row "$most namespaces with lo: kernel memory each" KiB paper memory-paper memory-bare -
	row "  of it slab" KiB "" - memory-bare.slab -
	row "$most namespace VSs with veth: kernel memory each" KiB paper memory-paper memory-full -
	row "  of it slab" KiB "" - memory-full.slab -
	row "registry of $most namespace VSs: each" bytes "" - memory-reg 'ours<=2048'
	row "  of it in use on the heap" bytes "" - memory-reg.heap -
	row "  descriptors held when idle, all" "" "" - memory-reg.fds 'ours<=0'
	row "registry of $most mark VSs: each" bytes "" - memory-marks 'ours<=2048'
	row "  of it in use on the heap" bytes "" - memory-marks.heap -
	row "  descriptors held when idle, all" "" "" - memory-marks.fds 'ours<=0'
}

memory_plots() {
	{
		printf 'what\tall\tof it slab\n'
		printf 'the paper\t120\tnan\n'
		printf 'bare namespace\t%s\t%s\n' "$(median memory-bare)" "$(median memory-bare.slab)"
		printf 'with its devices\t%s\t%s\n' "$(median memory-full)" \
			"$(median memory-full.slab)"
	} | plot_bars vs-memory "Kernel memory of each of $most namespaces" KiB
}
