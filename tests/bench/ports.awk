# SPDX-License-Identifier: BSD-3-Clause
# The source ports of queries, in their order: what dnsserver -l has noted. Prints how many there are, how
# many are distinct, and whether they look like numbers drawn at random from the range of ephemeral ports
# (-v low=32768 -v high=60999), by tests that true randomness fails less than once in 10,000 runs:
#
#   spread    chi-square over 32 equal parts of the range, 31 degrees of freedom: 73 is p = 0.00003
#   serial    correlation of each port with the next: beyond 4.5 / sqrt(n)
#   step      the same difference to the next one, again and again: a counter has one
#   rising    how often the next one is greater: half, with a standard deviation of sqrt(n / 12)

BEGIN {
	if (!low)
		low = 32768
	if (!high)
		high = 60999
	parts = 32
}
$2 == "udp" { port[n++] = $3 + 0 }

function modulo(a, b) {
	return ((a % b) + b) % b
}

END {
	range = high - low + 1
	if (n < 100) {
		print "queries=" n " distinct=0 random=0"
		exit
	}
	for (i = 0; i < n; i++) {
		distinct += !seen[port[i]]++
		outside += port[i] < low || port[i] > high
		part[int((port[i] - low) * parts / range)]++
		sum += port[i]
	}
	for (i = 0; i < parts; i++)
		chi += (part[i] - n / parts) ^ 2 / (n / parts)
	mean = sum / n
	for (i = 0; i < n; i++) {
		variance += (port[i] - mean) ^ 2
		if (!i)
			continue
		serial += (port[i] - mean) * (port[i - 1] - mean)
		rising += port[i] > port[i - 1]
		k = ++step[modulo(port[i] - port[i - 1], range)]
		most = k > most ? k : most
	}
	serial = variance ? serial / variance : 1
	rising = (rising - (n - 1) / 2) / sqrt(n / 12)
	bad = outside || chi > 73 || serial ^ 2 > 4.5 ^ 2 / n || most > 12 || rising ^ 2 > 4.5 ^ 2
	printf "queries=%d distinct=%d random=%d chi=%.1f serial=%.4f step=%d rising=%.2f outside=%d\n",
		n, distinct, !bad, chi, serial, most, rising, outside
}
