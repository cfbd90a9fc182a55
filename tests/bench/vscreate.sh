# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by vs.sh: namespace VSs are made, in four ways that take turns:
#
#   p0 --- eth0 10.77.0.5, 10.77.1.5   v0     gateway 10.77.0.1: in each the same
#   p1 --- eth0 10.77.0.5, 10.77.1.5   v1
#   ...
#
#   ip     a process of ip(8) for each of eight steps
#   batch  ip -batch: one for all here, one in each namespace
#   floor  nsfloor, which makes the same objects as ours
#   ours   vsctl apply
# shellcheck disable=SC2154 # of vs.sh: counts ip_rounds most vsctl

ours_apply() { # COUNT
	LD_LIBRARY_PATH=$libraries "$vsctl" apply --vs-dir "$T/vs-$1"
}

# The files of so many VSs, and the batches for ip.
create_files() { # COUNT
	local i dir=$T/vs-$1 batch=$T/batch-$1
	mkdir -p "$dir" "$batch"
	for ((i = 0; i < $1; i++)); do
		printf '%s\n' '[Network]' "Device=eth0 veth peer p$i" Address=10.77.0.5/24 \
			Address=10.77.1.5/24 Gateway=10.77.0.1 >"$dir/v$i.conf"
		printf '%s\n' "netns add v$i" "link add p$i type veth peer name eth0 netns v$i" \
			"link set p$i up" >&3
		printf '%s\n' "${create_steps[@]}" >"$batch/v$i"
	done 3>"$batch/here"
}

# What is to be done inside.
create_steps=("link set lo up" "link set eth0 up" "addr add 10.77.0.5/24 dev eth0"
	"addr add 10.77.1.5/24 dev eth0" "route add default via 10.77.0.1")

create_ip() { # COUNT
	local i step
	for ((i = 0; i < $1; i++)); do
		ip netns add "v$i" || return
		ip link add "p$i" type veth peer name eth0 netns "v$i" || return
		ip link set "p$i" up || return
		for step in "${create_steps[@]}"; do
			# shellcheck disable=SC2086 # words
			ip -n "v$i" $step || return
		done
	done
}

create_batch() { # COUNT
	local i
	ip -batch "$T/batch-$1/here" || return
	for ((i = 0; i < $1; i++)); do
		ip -n "v$i" -batch "$T/batch-$1/v$i" || return
	done
}

create_floor() { "$bin/nsfloor" /run/netns v "$1"; } # COUNT
create_ours() { ours_apply "$1"; }                   # COUNT

# Only what stands is worth its time: in the last VS all is there, and the devices here.
created() { # COUNT
	local last=v$(($1 - 1)) names=(/run/netns/*)
	[ ${#names[@]} = "$1" ] &&
		[ "$(ip -n "$last" -o -4 addr show dev eth0 up | wc -l)" = 2 ] &&
		[ -n "$(ip -n "$last" route show default)" ] &&
		[ "$(ip -o link show type veth up | wc -l)" = "$1" ]
}

# The objects of one VS, without what is another one by chance, or comes some time later (the carrier).
objects() { # NAME INDEX
	local hide='s/^[0-9]+: //; s/^ +//; s/(link\/ether) [0-9a-f:]+/\1 -/; s/link-netns(id)? \S+//
		s/@if[0-9]+/@/; s/altname .*/altname ours/; s/qdisc \S+ //; s/state [A-Z]+ //
		s/NO-CARRIER,//; s/,LOWER_UP//; /^valid_lft/d; /inet6 fe80/d'
	{
		ip -n "$1" -d addr
		ip -n "$1" -d -4 route show table all
		ip -n "$1" rule
		ip -d link show "p$2"
	} | sed -E "$hide"
}

create_one() { # METHOD COUNT
	took "create-$1-$2" "create_$1" "$2"
	created "$2" || fail "$1 has not made $2 VSs: $(cat "$T/took.log")"
	case $1 in floor | ours) objects v0 0 >"$T/objects-$1" ;; esac
	[ "$1-$2" != "ours-$most" ] || create_idle
	clear_netns /run/netns
	rm -rf /run/nsaux
}

# With all of them there: an apply that has nothing to do, beside a program that only reads.
create_idle() {
	local i
	for i in 1 2 3; do
		took "idle-read" "$bin/netread" /run/netns
		grep -q "^namespaces=$most " "$T/took.log" || fail "netread: $(cat "$T/took.log")"
		took "idle-ours" ours_apply "$most"
		! grep -q '[1-9].* changes' "$T/took.log" || fail "apply finds something to do: $(cat "$T/took.log")"
	done
}

create_round() { # ROUND
	local n i methods=(ip batch floor ours)
	for n in "${counts[@]}"; do
		for ((i = 0; i < 4; i++)); do
			# Forwards and backwards, and each is the first at times.
			set -- "$1" "${methods[($1 / 2 + ($1 % 2 ? 4 - i : i)) % 4]}"
			[ "$2" = ip ] && [ "$n" = "$most" ] && [ "$1" -gt "$ip_rounds" ] && continue
			create_one "$2" "$n"
		done
	done
}

create_all() {
	local i n
	for n in "${counts[@]}"; do create_files "$n"; done
	for ((i = 1; i <= rounds; i++)); do
		say "making of VSs, round $i of $rounds"
		create_round $i
	done
	diff "$T/objects-floor" "$T/objects-ours" >"$T/objects.log" || fail "the floor makes other objects than ours"
}

create_rows() {
	local n bar
	for n in "${counts[@]}"; do
		bar=-
		[ "$n" != "$most" ] || bar='ratio<=1.15'
		row "$n namespace VSs are made" ms "ip(8)" "create-ip-$n" "create-ours-$n" -
		row "" ms "ip -batch" "create-batch-$n" "create-ours-$n" -
		row "" ms floor "create-floor-$n" "create-ours-$n" "$bar"
	done
	row "$most VSs, nothing to do" ms "only reads" idle-read idle-ours 'ratio<=1.5'
}

create_plots() {
	local n way
	{
		printf 'way\t%s VSs\t%s VSs\n' "${counts[@]}"
		for way in "ip(8)=ip" "ip -batch=batch" "netlink floor=floor" "vsctl apply=ours"; do
			printf '%s' "${way%=*}"
			for n in "${counts[@]}"; do
				printf '\t%s' "$(per "$(median "create-${way#*=}-$n")" "$n")"
			done
			echo
		done
	} | plot_bars vs-create "Making of namespace VSs" "ms each" log
}
