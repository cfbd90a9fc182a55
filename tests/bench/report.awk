# SPDX-License-Identifier: BSD-3-Clause
# Samples ("KEY VALUE") and rows (see lib.sh) to one table, as text, markdown or JSON. Values are
# medians; a ratio is the median of the ratios of the rounds, which the machine's moods disturb less.

FNR == 1 { file++ }
file == 1 {
	data[$1, ++count[$1]] = $2
	next
}
{
	FS = "\t"
	$0 = $0
	add_row()
}

function median(list, n,    i, j, v) {
	for (i = 2; i <= n; i++) {
		v = list[i]
		for (j = i - 1; j > 0 && list[j] > v; j--)
			list[j + 1] = list[j]
		list[j + 1] = v
	}
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function median_of(key,    i, list) {
	for (i = 1; i <= count[key]; i++)
		list[i] = data[key, i] + 0
	return median(list, count[key])
}

function ratio_of(peer, ours,    i, list) {
	if (!count[peer] || !count[ours])
		return -1
	if (count[peer] != count[ours])
		return median_of(ours) / median_of(peer)
	for (i = 1; i <= count[ours]; i++)
		list[i] = data[peer, i] > 0 ? data[ours, i] / data[peer, i] : 0
	return median(list, count[ours])
}

function number(v) {
	return sprintf(v >= 1000 ? "%.0f" : v >= 100 ? "%.1f" : "%.2f", v)
}

function judge(bar, ratio, ours,    limit, v) {
	if (bar == "-")
		return "-"
	limit = substr(bar, index(bar, "=") + 1) + 0
	v = bar ~ /^ours/ ? ours : ratio
	if (v < 0 || ours < 0)
		return "no"
	return (bar ~ /<=/ ? v <= limit : v >= limit) ? "yes" : "no"
}

function add_row(    ratio, ours) {
	n++
	ratio = ratio_of($4, $5)
	ours = count[$5] ? median_of($5) : -1
	cell[n, 1] = $1
	cell[n, 2] = $2
	cell[n, 3] = $3 (count[$4] ? " " number(median_of($4)) : " -")
	cell[n, 4] = ours < 0 ? "-" : number(ours)
	cell[n, 5] = ratio < 0 ? "-" : sprintf("%.2f", ratio)
	cell[n, 6] = $6 ~ /^ratio/ ? substr($6, 6, 2) " " substr($6, 8) : $6 ~ /^ours/ ? substr($6, 5, 2) " " substr($6, 7) " " $2 : "-"
	cell[n, 7] = judge($6, ratio, ours)
	short += cell[n, 7] == "no"
	if (format == "json")
		json[n] = sprintf("{\"what\": \"%s\", \"unit\": \"%s\", \"peer\": \"%s\", \"peer_value\": %s, " \
			"\"ours\": %s, \"ratio\": %s, \"to_reach\": \"%s\", \"reached\": %s}", $1, $2, $3,
			count[$4] ? median_of($4) : "null", ours < 0 ? "null" : ours,
			ratio < 0 ? "null" : sprintf("%.3f", ratio), $6,
			cell[n, 7] == "-" ? "null" : cell[n, 7] == "yes" ? "true" : "false")
}

function line(sep, edge,    i, j, text) {
	for (i = 0; i <= n; i++) {
		text = edge
		for (j = 1; j <= 7; j++)
			text = text sprintf(j < 4 ? "%-" width[j] "s" : "%" width[j] "s", cell[i, j]) \
				(j < 7 ? sep : edge)
		print text
		if (i == 0 && edge != "")
			print "|---|---|---|--:|--:|--:|--:|"
	}
}

END {
	if (format == "json") {
		printf "{\"command\": \"%s\", \"versions\": \"%s\", \"rounds\": %d, \"rows\": [\n", command, versions, rounds
		for (i = 1; i <= n; i++)
			print "  " json[i] (i < n ? "," : "")
		print "]}"
		exit short > 0
	}
	split("what,unit,peer,ours,ratio,to reach,reached", title, ",")
	for (j = 1; j <= 7; j++) {
		cell[0, j] = title[j]
		for (i = 0; i <= n; i++)
			if (length(cell[i, j]) > width[j])
				width[j] = length(cell[i, j])
	}
	if (format == "markdown")
		print "`" command "`, medians of " rounds " rounds; " versions ".\n"
	line(format == "markdown" ? " | " : "  ", format == "markdown" ? "|" : "")
	if (format != "markdown")
		print "\nmedians of " rounds " rounds; " versions
	exit short > 0
}
