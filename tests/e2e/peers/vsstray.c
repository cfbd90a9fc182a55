/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sees every packet that a device receives, and prints those whose source is none of the given:
 * what a virtual server sends by another one's device, however it came to that.
 *
 * usage: vsstray DEVICE ADDRESS...    "ready", then "stray SOURCE > TARGET" for each
 *
 * IPv6's link-local and unspecified sources are everybody's, and passed over.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ALLOWED_MAX 32
#define TOLD_MAX 1000

struct allowed {
	struct in6_addr in6[ALLOWED_MAX];
	struct in_addr in[ALLOWED_MAX];
	size_t in_count, in6_count;
};

static bool is_allowed4(const struct allowed *a, const struct in_addr *source)
{
	for (size_t i = 0; i < a->in_count; i++) {
		if (a->in[i].s_addr == source->s_addr)
			return true;
	}
	return false;
}

static bool is_allowed6(const struct allowed *a, const struct in6_addr *source)
{
	if (IN6_IS_ADDR_LINKLOCAL(source) || IN6_IS_ADDR_UNSPECIFIED(source))
		return true;
	for (size_t i = 0; i < a->in6_count; i++) {
		if (memcmp(&a->in6[i], source, sizeof(*source)) == 0)
			return true;
	}
	return false;
}

static void tell(int family, const void *source, const void *target)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	printf("stray %s > %s\n", inet_ntop(family, source, from, sizeof(from)),
		inet_ntop(family, target, to, sizeof(to)));
}

/* True: it was told. */
static bool look(const struct allowed *a, unsigned protocol, const unsigned char *bytes, size_t len)
{
	struct iphdr ip;
	struct ip6_hdr ip6;
	struct in_addr source, target;

	if (protocol == ETHERTYPE_IP && len >= sizeof(ip)) {
		memcpy(&ip, bytes, sizeof(ip));
		source.s_addr = ip.saddr;
		target.s_addr = ip.daddr;
		if (is_allowed4(a, &source))
			return false;
		tell(AF_INET, &source, &target);
		return true;
	}
	if (protocol == ETHERTYPE_IPV6 && len >= sizeof(ip6)) {
		memcpy(&ip6, bytes, sizeof(ip6));
		if (is_allowed6(a, &ip6.ip6_src))
			return false;
		tell(AF_INET6, &ip6.ip6_src, &ip6.ip6_dst);
		return true;
	}
	return false;
}

static int watch(int fd, const struct allowed *a)
{
	unsigned char bytes[128];
	struct sockaddr_ll from;
	socklen_t len;
	int told = 0;
	ssize_t n;

	while (told < TOLD_MAX) {
		len = sizeof(from);
		n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len);
		if (n < 0 && errno != EINTR)
			return 1;
		if (n > 0 && from.sll_pkttype != PACKET_OUTGOING)
			told += look(a, ntohs(from.sll_protocol), bytes, (size_t)n);
	}
	return 1;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;
	struct sockaddr_ll sll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct allowed a = {.in_count = 0};

	if (argc < 3 || argc - 2 > ALLOWED_MAX) {
		fputs("usage: vsstray DEVICE ADDRESS...\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (inet_pton(AF_INET, argv[i], &a.in[a.in_count]) == 1)
			a.in_count++;
		else if (inet_pton(AF_INET6, argv[i], &a.in6[a.in6_count]) == 1)
			a.in6_count++;
		else
			return 2;
	}
	sll.sll_ifindex = (int)if_nametoindex(argv[1]);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (fd < 0 || sll.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&sll, sizeof(sll)) < 0) {
		fprintf(stderr, "vsstray: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	return watch(fd, &a);
}
