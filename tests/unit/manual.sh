#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the manual pages and the READMEs say is what the programs, the library and the tree have.
set -u
: "${top_srcdir:?run it by make check}" "${top_builddir:?}"
export LC_ALL=C
unset NOTIFY_SOCKET
cc=${CC:-cc} nm=${NM:-nm}
rpcbind_ns=$top_builddir/rpcbind-ns/rpcbind-ns
vsctl=$top_builddir/common/vsctl
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/vs.d" && : >"$tmp/empty.conf" || exit 99
cd "$top_srcdir" || exit 99
pages=(common/libvsreg.3 common/vsctl.8 common/nsaux-vs.5
	rpcbind-ns/rpcbind-ns.8 rpcbind-ns/rpcbind-ns.conf.5 resolver-ns/libnss_vs.8
	resolver-ns/libvsresolv.3)
count=0 failed=0

# ---- TAP

report() { # OK|'' DESC [WHY]
	count=$((count + 1))
	if [ -n "$1" ]; then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
		head -n 40 <<<"${3-}" | sed 's/^/#   /'
	fi
}

skip() { # DESC WHY
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

succeeds() { # DESC CMD...
	local out desc=$1
	shift
	if out=$("$@" 2>&1 </dev/null); then report ok "$desc"; else report '' "$desc" "$out"; fi
}

silent() { # DESC OUTPUT
	if [ -z "$2" ]; then report ok "$1"; else report '' "$1" "$2"; fi
}

# Two lists of lines have the same lines, and are not empty.
same() { # DESC WANT GOT
	local want got
	want=$(sort -u <<<"$2") got=$(sort -u <<<"$3")
	if [ -n "$want" ] && [ "$want" = "$got" ]; then
		report ok "$1"
	else
		report '' "$1" "$(diff <(echo "$want") <(echo "$got") | grep '^[<>]')"
	fi
}

# ---- the pages by themselves

manuals=$(find common rpcbind-ns resolver-ns timed-ns -name .libs -prune -o -name '*.[1-8]' -print)

# Which other manuals are installed is not the page's doing.
lint() { mandoc -T lint -W style "$1" 2>&1 | grep -Ev 'referenced manual not found|outdated mandoc\.db'; }

installed() { # PAGE: an Xr of ours leads to a page that there is
	local name section
	sed -nE 's/^\.Xr ([^ ]+) ([0-9]).*/\1 \2/p' "$1" | sort -u | while read -r name section; do
		case $name in
		libvs* | libnss_vs* | nsaux* | rpcbind-ns* | vsctl*)
			grep -q "/$name\.$section\$" <<<"$manuals" || echo "$name($section)" ;;
		esac
	done
}

for page in "${pages[@]}"; do
	if command -v mandoc >/dev/null; then
		silent "mandoc has nothing to say about $page" "$(lint "$page")"
	else
		skip "mandoc has nothing to say about $page" "mandoc is not installed"
	fi
	silent "$page refers to pages that there are" "$(installed "$page")"
done
same "every page is checked here" "$(printf '%s\n' "${pages[@]}")" "$manuals"

# ---- options and commands

page_options() { # PAGE
	grep '^\.It Fl ' "$1" | grep -oE 'Fl -?[a-zA-Z][a-z-]*' | sed 's/^Fl /-/'
}

# An option begins a line, or follows another one. --help has just been used.
help_options() { # PROGRAM
	"$1" --help | grep -E '^ +-' | grep -oE -- '(^ +|, )--?[a-zA-Z][a-z-]*' | grep -oE -- '-.*'
	echo --help
}

same "rpcbind-ns --help and rpcbind-ns(8) have the same options" \
	"$(help_options "$rpcbind_ns")" "$(page_options rpcbind-ns/rpcbind-ns.8)"
same "vsctl --help and vsctl(8) have the same options" \
	"$(help_options "$vsctl")" "$(page_options common/vsctl.8)"
vsctl_commands=$("$vsctl" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p')
same "and the same commands" "$vsctl_commands" \
	"$(sed -nE '/commands are:/,/^\.El/s/^\.It Cm ([a-z]+).*/\1/p' common/vsctl.8)"

# ---- configuration

daemon() { "$rpcbind_ns" --config "${CONFIG-$tmp/empty.conf}" --vs-dir "$tmp/vs.d" "$@"; }

# "Section.Key=default" of each key. A list is not printed with more than one default.
page_keys() { # PAGE
	awk '/^\.S[hs] / { section = "" }
		/^\.Ss \[/ { gsub(/[][]/, "", $2); section = $2 }
		section != "" && /^\.It Cm / {
			value = $0
			if (!sub(/.* default Ql /, "", value) && !sub(/.* default empty$/, "", value))
				value = "(no default)"
			print section "." $3 "=" value
		}' "$1"
}

printed=$(daemon --print-config |
	awk '/^\[/ { gsub(/[][]/, ""); section = $0; next } /^[A-Z]/ { print section "." $0 }')
same "rpcbind-ns.conf(5) has every key of --print-config, with its default" \
	"$printed" "$(page_keys rpcbind-ns/rpcbind-ns.conf.5)"

# No program prints these, so that the tables are read.
vs_keys=$(sed -nE '/ items\[\]/,/^};/s/^\t\{"([A-Za-z]+)", "([A-Za-z]+)".*/\1.\2/p' common/network_conf.c
	sed -nE '/ vs_items\[\]/,/^};/s/^\t\{"([A-Za-z]+)", "([A-Za-z]+)".*/\1.\2/p' rpcbind-ns/settings.c
	sed -nE '/ resolver_items\[\]/,/^};/s/^\t\{"([A-Za-z]+)", "([A-Za-z]+)".*/\1.\2/p' resolver-ns/settings.c)
same "nsaux-vs(5) has every key of a virtual server" \
	"$vs_keys" "$(page_keys common/nsaux-vs.5 | sed 's/=.*//')"
same "and the defaults of [Resolver]" \
	"$(sed -nE 's/^\t\{"(Resolver)", "([A-Za-z]+)", CONF_[A-Z]+, FIELD\([a-z_]+\), "([^"]*)".*/\1.\2=\3/p' resolver-ns/settings.c)" \
	"$(page_keys common/nsaux-vs.5 | grep '^Resolver\.')"
page_keys common/nsaux-vs.5 | sed -E 's/^([A-Za-z]+)\./[\1]\n/' >"$tmp/vs.d/defaults.conf"
succeeds "and its defaults are accepted" daemon --check-config
rm "$tmp/vs.d/defaults.conf"

# ---- examples

# Writes each example of the kind as $tmp/example-N and prints the names.
examples() { # PAGE KIND
	awk -v mark=".\\\\\" example $2" -v file="$tmp/example-" '
		$0 == mark { wanted = 1; next }
		/^\.Bd / && wanted { n++; inside = 1; wanted = 0; print file n; next }
		/^\.Ed/ { if (inside) close(file n); inside = 0 }
		inside { gsub(/\\e/, "\\"); print >(file n) }' "$1"
}

config_example() { CONFIG=$1 daemon --check-config; }
vs_example() {
	cp "$1" "$tmp/vs.d/example.conf"
	daemon --check-config
	local rc=$?
	rm "$tmp/vs.d/example.conf"
	return $rc
}
read -ra cc_words <<<"$cc"
program_example() { "${cc_words[@]}" -std=gnu11 -Wall -Wextra -Werror -Icommon -Iresolver-ns -fsyntax-only -xc "$1"; }

try_examples() { # PAGE KIND CMD...
	local file n=0
	for file in $(examples "$1" "$2"); do
		n=$((n + 1))
		succeeds "example $n for $2 in $1" "${@:3}" "$file"
	done
	[ $n -gt 0 ] || report '' "$1 has examples for $2"
}
try_examples common/libvsreg.3 program program_example
try_examples resolver-ns/libvsresolv.3 program program_example
[ ! -f /usr/include/krb5/krb5.h ] || try_examples resolver-ns/libnss_vs.8 program program_example
try_examples common/nsaux-vs.5 vs.d vs_example
try_examples rpcbind-ns/rpcbind-ns.8 rpcbind-ns.conf config_example
try_examples rpcbind-ns/rpcbind-ns.conf.5 rpcbind-ns.conf config_example

# ---- the libraries

read -ra nm_words <<<"$nm"

exported() { # LIBRARY PREFIX
	"${nm_words[@]}" -D --defined-only "$1" | sed -nE "s/.* T (${2}_[a-z_]+).*/\1/p"
}

page_functions() { sed -nE "s/^\.Fo (${2}_[a-z_]+)\$/\1/p" "$1"; } # PAGE PREFIX

# The synopsis as C, behind the header: any difference is an error.
synopsis() { # PAGE HEADER
	echo "#include \"${2##*/}\""
	awk '/^\.Sh / { synopsis = $2 == "SYNOPSIS" }
		!synopsis { next }
		{ gsub(/"/, "") }
		/^\.Ft / { type = substr($0, 5) }
		/^\.Fo / { name = $2; args = "" }
		/^\.Fa / { args = args (args == "" ? "" : ", ") substr($0, 5) }
		/^\.Fc/ { print type " " name "(" args ");" }' "$1"
}

header_functions() { # HEADER PREFIX MACRO
	grep -v '^ \*' "$1" | grep -E "^($3|typedef)" | grep -oE "\b${2}_[a-z_]+\(" | tr -d '('
}

constants() { # HEADER PREFIX
	grep -oE "^(#define |	)$2_[A-Z0-9_]+" "$1" | grep -oE "$2_[A-Z0-9_]+"
}

# Prefixes and macros are of names in the header. The types of functions are in the synopsis, too,
# but are no symbols. ELSEWHERE: constants that are not for this page.
library() { # NAME PAGE HEADER PREFIX MACRO ELSEWHERE
	local name=$1 page=$2 header=$3 prefix=$4 file=$top_builddir/${2%/*}/.libs/$1.so
	if [ -f "$file" ]; then
		same "$name(3) has the symbols of $name" "$(exported "$file" "$prefix")" \
			"$(page_functions "$page" "$prefix" | grep -v '_fn$')"
	else
		skip "$name(3) has the symbols of $name" "no shared library was built"
	fi
	synopsis "$page" "$header" >"$tmp/synopsis.c"
	succeeds "its synopsis is that of ${header##*/}" program_example "$tmp/synopsis.c"
	same "and is complete" "$(grep -oE "\b${prefix}_[a-z_]+\(" "$tmp/synopsis.c" | tr -d '(')" \
		"$(header_functions "$header" "$prefix" "$5")"
	silent "every constant of ${header##*/} that a caller needs is in $name(3)" \
		"$(constants "$header" "${prefix^^}" | grep -vxE "$6" | while read -r constant; do
			grep -q "^\.[A-Z].*\<$constant\>" "$page" || echo "$constant"
		done)"
}
# VS_NAME_MAX is in nsaux-vs(5), as a number.
library libvsreg common/libvsreg.3 common/vsreg.h vs VSREG_API VS_NAME_MAX
library libvsresolv resolver-ns/libvsresolv.3 resolver-ns/vsresolv.h vsresolv VSRESOLV_API \
	'VSRESOLV_(H|API)'

# ---- numbers that pages tell of

# The first number of a macro, with commas as in the pages.
number() { # FILE MACRO
	sed -nE "s/^#define $2 \(?([0-9]+).*/\1/p" "$1" |
		sed -E ':more; s/([0-9])([0-9]{3})(,|$)/\1,\2\3/; t more'
}

tells() { # PAGE FILE MACRO WORDS: the number and these words behind it
	local n
	n=$(number "$2" "$3")
	if [ -n "$n" ] && tr '\n' ' ' <"$1" | grep -qE "[^0-9,]$n $4"; then
		report ok "$1 tells of $3"
	else
		report '' "$1 tells of $3" "no '$n $4'"
	fi
}

while read -r file macro words; do
	tells rpcbind-ns/rpcbind-ns.8 "rpcbind-ns/$file" "$macro" "$words"
done <<-'END'
	vserver.h VSERVER_REGISTRATIONS_MAX registrations
	vserver.h VSERVER_REGISTRATIONS_PER_OWNER of one owner
	vserver.h VSERVER_REGISTRATIONS_ORDINARY of all owners
	stream.h STREAM_REMOTE_MAX TCP connections from outside
	stream.h STREAM_INSIDE_MAX local and loopback connections
	stream.h STREAM_PER_UID_MAX of one uid
	turn.h TURN_SLICE nanoseconds for each
	excess.h EXCESS_BURST seconds' worth
	excess.h EXCESS_BUCKETS such hosts
	stream.h STREAM_BACKLOG_MAX MiB of replies
	remote.h REMOTE_MAX calls passed on
	remote.c ANSWER_MAX seconds
	stats.h STATS_MAX different programs
	record.h RECORD_MAX bytes over a stream
	udp.c CALL_MAX over UDP, a reply
	stream_private.h STREAM_REPLY_MAX MiB over a stream
	udp.c REPLY_MAX over UDP
	access_log.h ACCESS_LOG_RATE lines at once
	access_log.c DENIED_RATE of them at once
	hosts_access.h HOSTS_LINE_MAX bytes or
	hosts_access.h HOSTS_RULES_MAX addresses
	stream.h STREAM_WAITING_MAX local clients wait
	stream.h STREAM_WAITING_PER_UID of one uid
	stream.h STREAM_REFUSED_MAX local clients of no VS
	stream.c IDLE_MAX idle seconds
	stream.c STUCK_MAX seconds
	stream.c REFUSED_MAX seconds
END
tells rpcbind-ns/rpcbind-ns.conf.5 common/opener_proto.h OPENER_WARM_MAX "MiB at most"
tells common/nsaux-vs.5 rpcbind-ns/access.h ACCESS_RULES_MAX rules
tells rpcbind-ns/rpcbind-ns.8 common/state_file.h STATE_FILE_MAX MiB of state file
tells common/nsaux-vs.5 common/ini.h INI_LINE_MAX bytes
tells common/nsaux-vs.5 common/ini.h INI_LINES_MAX lines
tells common/nsaux-vs.5 common/vsreg.h VS_NAME_MAX letters
tells common/nsaux-vs.5 common/opener_filter.h OPENER_BIND_MAX addresses
tells common/nsaux-vs.5 common/network.h NETWORK_DEVICES_MAX devices
tells common/nsaux-vs.5 common/network.h NETWORK_ADDRESSES_MAX addresses
tells common/nsaux-vs.5 common/network.h NETWORK_POOLS_MAX pools
tells common/nsaux-vs.5 common/network.h NETWORK_ROUTES_MAX routes
tells common/nsaux-vs.5 common/network.h NETWORK_SYSCTLS_MAX settings
tells common/nsaux-vs.5 resolver-ns/rconf.h RCONF_SERVERS_MAX "name servers"
tells common/nsaux-vs.5 resolver-ns/rconf.h RCONF_SEARCH_MAX domains

tells resolver-ns/libnss_vs.8 resolver-ns/thread_context.c BUDGET "MiB in all contexts"

# ---- READMEs

# Lines of code, and code within lines, of a README.
# shellcheck disable=SC2016 # these are backquotes
code() { sed -nE 's/^    //p' "$1"; grep -oE '`[^`]+`' "$1" | tr -d '`'; }

# Of the lines of standard input those that are wrong:
missing_scripts() { # a .netns is run by nsrun, all others by themselves
	local file
	while read -r file; do
		case $file in *.netns) test -f "$file" ;; *) test -x "$file" ;; esac || echo "$file"
	done
}

unknown_options() { # of configure
	local option
	while read -r option; do
		grep -qE -- "^ +$option\b" configure || echo "$option"
	done
}

missing_files() { # DIR: not there, and in none of the places that any README may mean
	local file
	while read -r file; do
		[ -e "$1/$file" ] || [ -e "$file" ] || [ -e "common/$file" ] || [ -e "resolver-ns/$file" ] ||
			[ -e "packaging/$file" ] || echo "$file"
	done
}

for readme in README.md CONTRIBUTING.md */README.md tests/*/README.md; do
	silent "$readme names scripts that there are" "$(code "$readme" |
		grep -oE '(^|[ ./])(packaging|tests)/[A-Za-z0-9_/-]+\.(sh|netns)\b|\./[a-z]+\.sh\b' |
		sed -E 's/^[ .\/]+//' | missing_scripts)"
	silent "$readme names options of configure that there are" "$(code "$readme" |
		grep -oE -- '--((enable|disable|with|without)-[a-z-]+|[a-z]+dir=)' | tr -d = | unknown_options)"
	silent "$readme names files that there are" "$(code "$readme" |
		grep -oE '[A-Za-z0-9_/-]+\.([chm]|sh|am|netns)\b' | missing_files "$(dirname "$readme")")"
done
silent "README.md names commands of vsctl that there are" "$(code README.md |
	sed -nE 's/^vsctl +([a-z]+).*/\1/p' | grep -vxF "$vsctl_commands")"
silent "README.md names options of rpcbind-ns that there are" "$(code README.md |
	sed -nE 's/^rpcbind-ns +(--[a-z-]+).*/\1/p' | grep -vxF -- "$(help_options "$rpcbind_ns")")"
same "README.md has every key that it shows" \
	"$(sed -nE 's/^    ([A-Z][A-Za-z]+)=.*/\1/p' README.md | while read -r key; do
		grep -oE "\.$key$" <<<"$vs_keys"; done)" \
	"$(sed -nE 's/^    ([A-Z][A-Za-z]+)=.*/.\1/p' README.md)"
same "README.md shows the tree" "$(sed -nE '/^## The tree/,$s/^    ([a-z0-9.-]+)\/ .*/\1/p' README.md)" \
	"$(find . -mindepth 2 -maxdepth 2 -name README.md | cut -d/ -f2)"

echo "1..$count"
[ $failed = 0 ]
