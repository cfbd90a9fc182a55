/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "uaddr.h"

enum { TPI_CLTS = 1, TPI_COTS = 2, TPI_COTS_ORD = 3 };

static const struct netid_info netids[NETID_COUNT] = {
	[NETID_UDP] = {"udp", AF_INET, "inet", "udp", TPI_CLTS},
	[NETID_TCP] = {"tcp", AF_INET, "inet", "tcp", TPI_COTS_ORD},
	[NETID_UDP6] = {"udp6", AF_INET6, "inet6", "udp", TPI_CLTS},
	[NETID_TCP6] = {"tcp6", AF_INET6, "inet6", "tcp", TPI_COTS_ORD},
	[NETID_LOCAL] = {"local", AF_UNIX, "loopback", "-", TPI_COTS_ORD},
	[NETID_SCTP] = {"sctp", AF_INET, "inet", "sctp", TPI_COTS_ORD},
	[NETID_SCTP6] = {"sctp6", AF_INET6, "inet6", "sctp", TPI_COTS_ORD},
	[NETID_RDMA] = {"rdma", AF_INET, "inet", "rdma", TPI_COTS},
	[NETID_RDMA6] = {"rdma6", AF_INET6, "inet6", "rdma", TPI_COTS},
};

enum netid netid_parse(const char *name)
{
	for (int i = NETID_NONE + 1; i < NETID_COUNT; i++) {
		if (strcasecmp(netids[i].name, name) == 0)
			return (enum netid)i;
	}
	return strcasecmp(name, "unix") == 0 ? NETID_LOCAL : NETID_NONE;
}

const struct netid_info *netid_info(enum netid netid)
{
	return &netids[netid];
}

/* The length of a host part; 0 for AF_UNIX, whose paths are no hosts. */
static size_t host_size(int family)
{
	if (family == AF_INET)
		return sizeof(struct in_addr);
	return family == AF_INET6 ? sizeof(struct in6_addr) : 0;
}

/* Printable, because the list of registrations is shown on people's terminals. */
static bool is_path(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return false;
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

/* The dot before the last two numbers, which are the port's bytes. */
static const char *port_dot(const char *text)
{
	const char *last = NULL, *previous = NULL;

	for (; *text; text++) {
		if (*text == '.') {
			previous = last;
			last = text;
		}
	}
	return previous;
}

/* RFC 5665 section 5.2.3: the host as inet_pton(3) takes it, ".", high byte, ".", low byte. */
static int parse_ip(const char *text, struct uaddr *uaddr)
{
	char host[INET6_ADDRSTRLEN], port[sizeof("0.0.255.255")] = "0.0";
	const char *dot = port_dot(text);
	size_t host_len, port_len;
	uint8_t bytes[4];

	if (!dot)
		return -EINVAL;
	host_len = (size_t)(dot - text);
	port_len = strlen(dot);
	if (host_len >= sizeof(host) || 3 + port_len >= sizeof(port))
		return -EINVAL;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	/* As the end of an IPv4 address the port gets inet_pton's strictness, too. */
	memcpy(port + 3, dot, port_len + 1);
	if (inet_pton(uaddr->family, host, uaddr->addr) != 1 ||
		inet_pton(AF_INET, port, bytes) != 1)
		return -EINVAL;
	uaddr->port = (uint16_t)(bytes[2] << 8 | bytes[3]);
	return 0;
}

int uaddr_parse(int family, const char *text, struct uaddr *uaddr)
{
	struct uaddr parsed = {.family = family};
	int rc = -EINVAL;

	if (family == AF_UNIX)
		rc = is_path(text) ? 0 : -EINVAL;
	else if (family == AF_INET || family == AF_INET6)
		rc = parse_ip(text, &parsed);
	if (rc == 0)
		*uaddr = parsed;
	return rc;
}

static char *put_byte(char *p, unsigned value)
{
	if (value >= 100)
		*p++ = (char)('0' + value / 100);
	if (value >= 10)
		*p++ = (char)('0' + value / 10 % 10);
	*p++ = (char)('0' + value % 10);
	return p;
}

/* IPv4 by hand: each GETADDR comes here, and inet_ntop(3) goes through sprintf(3). */
static char *put_host(const struct uaddr *uaddr, char *p, size_t size)
{
	if (uaddr->family == AF_INET6) {
		inet_ntop(AF_INET6, uaddr->addr, p, (socklen_t)size);
		return p + strlen(p);
	}
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*p++ = '.';
		p = put_byte(p, uaddr->addr[i]);
	}
	return p;
}

size_t uaddr_format(const struct uaddr *uaddr, char *text, size_t size)
{
	char *p = put_host(uaddr, text, size);

	*p++ = '.';
	p = put_byte(p, uaddr->port >> 8);
	*p++ = '.';
	p = put_byte(p, uaddr->port & 0xff);
	*p = '\0';
	return (size_t)(p - text);
}

bool uaddr_is_wildcard(const struct uaddr *uaddr)
{
	static const uint8_t zero[sizeof(uaddr->addr)];

	return memcmp(uaddr->addr, zero, host_size(uaddr->family)) == 0;
}

bool uaddr_same_host(const struct uaddr *a, const struct uaddr *b)
{
	return a->family == b->family && memcmp(a->addr, b->addr, host_size(a->family)) == 0;
}

static void from_in6(const struct sockaddr_in6 *sin6, struct uaddr *uaddr)
{
	const uint8_t *addr = sin6->sin6_addr.s6_addr;

	uaddr->port = ntohs(sin6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
		uaddr->family = AF_INET;
		memcpy(uaddr->addr, addr + 12, 4);
	} else {
		uaddr->family = AF_INET6;
		memcpy(uaddr->addr, addr, sizeof(sin6->sin6_addr));
	}
}

int uaddr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct uaddr *uaddr)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	struct uaddr result = {0};

	memcpy(&ss, sa, len < sizeof(ss) ? len : sizeof(ss));
	if (ss.ss_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)&ss;

		result.family = AF_INET;
		result.port = ntohs(sin->sin_port);
		memcpy(result.addr, &sin->sin_addr, sizeof(sin->sin_addr));
	} else if (ss.ss_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
		from_in6((const struct sockaddr_in6 *)&ss, &result);
	} else if (ss.ss_family == AF_UNIX) {
		result.family = AF_UNIX;
	} else {
		return -EAFNOSUPPORT;
	}
	*uaddr = result;
	return 0;
}

socklen_t uaddr_to_sockaddr(const struct uaddr *uaddr, struct sockaddr_storage *sa)
{
	memset(sa, 0, sizeof(*sa));
	sa->ss_family = (sa_family_t)uaddr->family;
	if (uaddr->family == AF_INET) {
		struct sockaddr_in *sin = (struct sockaddr_in *)sa;

		sin->sin_port = htons(uaddr->port);
		memcpy(&sin->sin_addr, uaddr->addr, sizeof(sin->sin_addr));
		return sizeof(*sin);
	}
	if (uaddr->family == AF_INET6) {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)sa;

		sin6->sin6_port = htons(uaddr->port);
		memcpy(&sin6->sin6_addr, uaddr->addr, sizeof(sin6->sin6_addr));
		return sizeof(*sin6);
	}
	return sizeof(sa->ss_family); /* the path of AF_UNIX is not kept here */
}
