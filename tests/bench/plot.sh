# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by the suites, after lib.sh: bars, drawn by gnuplot(1) into $BENCH_PLOTS.
# shellcheck disable=SC2154 # of lib.sh: T

# The median of a key's samples; nothing where there is none.
median() { # KEY
	awk -v k="$1" '$1 == k { print $2 }' "$T/samples" | sort -g |
		awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

per() { awk -v a="${1:-nan}" -v b="$2" 'BEGIN { printf "%.4g", a / b }'; } # VALUE COUNT

# A table on standard input, with tabs: names of the series in the first line, behind the name of
# the axis, then a group of bars in each. log: the axis of the values is logarithmic.
plot_bars() { # NAME TITLE UNIT [log]
	local out=${BENCH_PLOTS:-$T}/$1.svg scale labels=''
	cat >"$T/$1.tsv"
	command -v gnuplot >/dev/null || { say "no gnuplot here: $1 is not drawn" && return; }
	scale='set yrange [0:*]; set offsets graph 0, 0, graph 0.1, 0'
	[ "${4-}" != log ] || scale='set logscale y; set yrange [0.1:*]; set offsets graph 0, 0, graph 0.3, 0'
	[ "$(wc -l <"$T/$1.tsv")" -lt 8 ] || labels='set xtics rotate by 40 right'
	[ "$(head -n 1 "$T/$1.tsv" | tr -cd '\t' | wc -c)" != 1 ] || labels="$labels; unset key"
	gnuplot >"$out" 2>>"$T/plot.log" <<-END || fail "gnuplot: $1"
		set terminal svg size 720,360 font "sans-serif,12" background "#ffffff"
		set title "$2"
		set ylabel "$3"
		set datafile separator tab
		set datafile missing "nan"
		set style data histogram
		set style histogram clustered gap 1
		set style fill solid noborder
		set boxwidth 0.9
		set grid y linecolor "#dddddd"
		set border 3
		set tics nomirror
		set key outside below horizontal
		$scale
		$labels
		set linetype 1 linecolor "#0072b2"
		set linetype 2 linecolor "#e69f00"
		set linetype 3 linecolor "#999999"
		set linetype 4 linecolor "#009e73"
		stats "$T/$1.tsv" skip 1 using 2 nooutput
		n = STATS_columns - 1
		w = 1.0 / (n + 1)
		plot for [i = 1:n] "$T/$1.tsv" using i + 1:xtic(1) title columnheader(i + 1), \
			for [i = 1:n] "" using (\$0 + (i - (n + 1) / 2.0) * w):i + 1:(sprintf("%.3g", column(i + 1))) \
			every ::1 with labels offset 0, 0.6 font ",9" notitle
	END
	say "drawn: $out"
}
