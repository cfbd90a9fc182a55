/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tcp_wrappers takes such a pattern for was tried with tcpdmatch(8) of Debian 12; the table
 * is in tests/unit/test_hosts_access.c.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hosts_pattern.h"
#include "parse.h"

static const char not_matched[] = "matches nobody by the rules of tcp_wrappers";
static const char bad_mask[] = "has a mask that no prefix length is the same as";

static void write_net(char *address, int family, const void *net, uint64_t bits)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(family, net, text, sizeof(text));
	snprintf(address, HOSTS_ADDRESS_MAX, "%s/%u", text, (unsigned)bits);
}

/* "10.1." */
static const char *parse_prefix(const char *word, char *address)
{
	char text[INET_ADDRSTRLEN + 8];
	struct in_addr net;
	unsigned dots = 0;

	for (const char *c = word; *c; c++)
		dots += *c == '.';
	if (strlen(word) > INET_ADDRSTRLEN || dots > 3)
		return not_matched;
	snprintf(text, sizeof(text), "%s%s", word, dots == 1 ? "0.0.0" : dots == 2 ? "0.0" : "0");
	if (inet_pton(AF_INET, text, &net) != 1)
		return not_matched;
	write_net(address, AF_INET, &net, dots * 8);
	return NULL;
}

/* The length of a mask of ones before zeros. */
static bool mask_length(uint32_t mask, uint64_t *bits)
{
	uint32_t rest = ~mask;

	if (rest & (rest + 1))
		return false;
	*bits = (uint64_t)__builtin_popcount(mask);
	return true;
}

/* net: "10.1.0.0", mask: "16" or "255.255.0.0". Of the ends of the range, tcp_wrappers knows the
 * length 32 but not the mask of 32 ones, and the mask of no ones but not the length 0. */
static const char *parse_net4(const char *net, const char *mask, char *address)
{
	struct in_addr a, m;
	uint64_t bits;

	if (inet_pton(AF_INET, net, &a) != 1)
		return "has no IPv4 address before its '/'";
	if (inet_pton(AF_INET, mask, &m) == 1) {
		if (!mask_length(ntohl(m.s_addr), &bits))
			return bad_mask;
		if (bits == 32)
			return not_matched;
	} else if (parse_u64(mask, 1, 32, &bits)) {
		return strcmp(mask, "0") ? bad_mask : not_matched;
	} else {
		m.s_addr = htonl(UINT32_MAX << (32 - bits));
	}
	if (a.s_addr & ~m.s_addr)
		return not_matched;
	write_net(address, AF_INET, &a, bits);
	return NULL;
}

static void clear_host_bits(struct in6_addr *a, uint64_t bits)
{
	for (unsigned i = 0; i < 128; i++)
		if (i >= bits)
			a->s6_addr[i / 8] = (uint8_t)(a->s6_addr[i / 8] & ~(0x80u >> (i % 8)));
}

/* "[fd00::]/8" or "[fd00::1]": here bits behind the prefix do not count. */
static const char *parse_net6(const char *word, char *address)
{
	const char *end = strchr(word, ']');
	char text[INET6_ADDRSTRLEN];
	size_t len = end ? (size_t)(end - word - 1) : 0;
	uint64_t bits = 128;
	struct in6_addr a;

	if (!len || len >= sizeof(text))
		return "is no IPv6 address";
	memcpy(text, word + 1, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, &a) != 1)
		return "is no IPv6 address";
	if (end[1] && (end[1] != '/' || parse_u64(end + 2, 0, 128, &bits)))
		return "has no prefix length from 0 to 128 behind its ']'";
	if (IN6_IS_ADDR_V4MAPPED(&a))
		return "is an IPv4 address that must be written as one";
	clear_host_bits(&a, bits);
	write_net(address, AF_INET6, &a, bits);
	return NULL;
}

/* Patterns that need a name of the host or the user. */
static const char *what_name(const char *word)
{
	static const char *const wildcards[] = {"LOCAL", "KNOWN", "UNKNOWN", "PARANOID"};

	for (size_t i = 0; i < sizeof(wildcards) / sizeof(wildcards[0]); i++)
		if (!strcasecmp(word, wildcards[i]))
			return "depends on the names of hosts";
	if (!strcasecmp(word, "EXCEPT"))
		return "in a list of clients is not understood";
	if (word[0] == '@')
		return "is a netgroup";
	if (strchr(word, '@'))
		return "asks for the name of a user";
	if (word[0] == '/')
		return "is a file";
	if (word[0] == '.')
		return "is a domain";
	if (strpbrk(word, "*?"))
		return "has wildcards";
	return NULL;
}

const char *hosts_pattern(const char *word, char address[HOSTS_ADDRESS_MAX])
{
	const char *slash = strchr(word, '/'), *why = what_name(word);
	size_t len = strlen(word);
	char net[INET_ADDRSTRLEN];
	struct in_addr a;

	if (why)
		return why;
	if (!strcasecmp(word, "ALL")) {
		memcpy(address, "any", sizeof("any"));
		return NULL;
	}
	if (word[0] == '[')
		return parse_net6(word, address);
	if (slash && (size_t)(slash - word) < sizeof(net)) {
		memcpy(net, word, (size_t)(slash - word));
		net[slash - word] = '\0';
		return parse_net4(net, slash + 1, address);
	}
	if (len > 0 && word[len - 1] == '.' && strspn(word, "0123456789.") == len)
		return parse_prefix(word, address);
	if (inet_pton(AF_INET, word, &a) != 1)
		return "is the name of a host";
	memcpy(address, word, len + 1);
	return NULL;
}
