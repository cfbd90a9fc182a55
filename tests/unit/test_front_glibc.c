/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same nodes, services and hints, resolved by us and by getaddrinfo(3) of the system: all that
 * needs no server. In a namespace with lo alone, so that scopes by name are the same for both.
 *
 * What is meant to be different, and not in the lists; see libvsresolv(3), DIFFERENCES FROM
 * GETADDRINFO:
 *   - services above 65535, and those with blanks or signs: EAI_SERVICE; glibc takes 16 bits
 *   - AI_ADDRCONFIG is of no concern to digits, to loopback and to the wildcard
 *   - localhost without a look at a hosts file, names below localhost, .onion: not asked for
 *   - a scope that is a number is no name of a device
 *   - nodes without a name or an address: the order does not depend on the kernel
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nstest.h"
#include "vsresolv.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT 4096
#define RANDOM_NODES 30000

static const char *const nodes[] = {NULL, "*", "127.0.0.1", "127.1", "127.0.257", "0x7f.1",
	"0x7f000001", "017700000001", "2130706433", "0", "00", "1.2.3", "1.16777215", "0xffffffff",
	"255.255.255.255", "010.010.010.010", "1.2.3.0x4", "::", "::1", "2001:db8::1",
	"2001:DB8:0:0::1", "::ffff:192.0.2.1", "::192.0.2.1", "fe80::1",
	"fe80::1%lo", "fe80::1%1", "fe80::1%none0", "fe80::1%", "ff02::1%lo", "2001:db8::1%lo",
	"2001:db8::1%1", "::1%lo", "::1%9", "::ffff:192.0.2.1%1"};
/* Names for the one, and for the other: only with AI_NUMERICHOST, so that nothing is asked. */
static const char *const not_digits[] = {"1.2.3.4.5", "256.1.1.1", "1.2.3.4.", "4294967296", "08",
	"0x", "1.2.3.256", "a", "localhost", "1..2", "::g", "[::1]", "1:2", "::ffff:192.0.2",
	"192.0.2.1%lo", ".", "0x7f.1.", "-1", "+1", "1.2.3.4 ", " 1.2.3.4"};
static const char *const services[] = {NULL, "", "*", "0", "80", "00080", "65535",
	"no-such-service", "80x", "0x50"};
static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX, 77};
static const int flags[] = {0, AI_PASSIVE, AI_CANONNAME, AI_NUMERICSERV,
	AI_NUMERICHOST | AI_NUMERICSERV, AI_V4MAPPED, AI_V4MAPPED | AI_ALL, AI_ALL,
	AI_PASSIVE | AI_CANONNAME | AI_V4MAPPED, AI_IDN | AI_CANONIDN | AI_CANONNAME, 0x300, 0x800,
	0x40000000};
static const struct {
	int socktype, protocol;
} kinds[] = {{0, 0}, {SOCK_STREAM, 0}, {SOCK_DGRAM, 0}, {SOCK_RAW, 0}, {SOCK_SEQPACKET, 0},
	{SOCK_DCCP, 0}, {SOCK_RDM, 0}, {0, IPPROTO_TCP}, {0, IPPROTO_UDP}, {0, IPPROTO_UDPLITE},
	{0, IPPROTO_SCTP}, {0, IPPROTO_ICMP}, {SOCK_STREAM, IPPROTO_TCP},
	{SOCK_STREAM, IPPROTO_SCTP}, {SOCK_STREAM, IPPROTO_UDP}, {SOCK_DGRAM, IPPROTO_UDPLITE},
	{SOCK_RAW, IPPROTO_ICMP}, {77, 0}, {0, 255}, {SOCK_STREAM, 255}};

struct rig {
	struct vsresolv *ctx;
	unsigned compared, with_result;
};

/* ---- results as text */

static void add_entry(char *text, const struct addrinfo *a)
{
	char host[INET6_ADDRSTRLEN] = "?";
	size_t len = strlen(text);
	unsigned port = 0, scope = 0;

	if (a->ai_family == AF_INET && a->ai_addrlen == sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *in4 = (const void *)a->ai_addr;

		inet_ntop(AF_INET, &in4->sin_addr, host, sizeof(host));
		port = ntohs(in4->sin_port);
	} else if (a->ai_family == AF_INET6 && a->ai_addrlen == sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *in6 = (const void *)a->ai_addr;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		port = ntohs(in6->sin6_port);
		scope = in6->sin6_scope_id;
	}
	snprintf(text + len, TEXT - len, "%s%%%u %u %d/%d 0x%x %s %d\n", host, scope, port,
		a->ai_socktype, a->ai_protocol, (unsigned)a->ai_flags,
		a->ai_canonname ? a->ai_canonname : "-", a->ai_addr->sa_family == a->ai_family);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Without a node the order of the families is ours; that in each is not touched. */
static void sort_lines(char *text)
{
	char copy[TEXT], *lines[64], *save, *line;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (line = strtok_r(copy, "\n", &save); line && n < COUNT(lines);
		line = strtok_r(NULL, "\n", &save))
		lines[n++] = line;
	qsort(lines, n, sizeof(lines[0]), by_text);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(text);

		snprintf(text + len, TEXT - len, "%s\n", lines[i]);
	}
}

static void to_text(char *text, int status, const struct addrinfo *res, bool sorted)
{
	snprintf(text, TEXT, "%d\n", status);
	for (; status == 0 && res; res = res->ai_next)
		add_entry(text, res);
	if (sorted)
		sort_lines(text);
}

/* ---- one question to both */

static void compare(struct rig *rig, const char *node, const char *service,
	const struct addrinfo *hints)
{
	struct addrinfo *res = NULL;
	char ours[TEXT], theirs[TEXT];
	bool sorted = !node || strcmp(node, "*") == 0;
	int e = getaddrinfo(node, service, hints, &res);

	to_text(theirs, e, res, sorted);
	if (!e)
		freeaddrinfo(res);
	res = NULL;
	e = vsresolv_getaddrinfo(rig->ctx, node, service, hints, 0, &res, NULL);
	to_text(ours, e, res, sorted);
	if (!e)
		vsresolv_freeaddrinfo(res);
	rig->compared++;
	rig->with_result += !e;
	if (strcmp(ours, theirs) != 0)
		fail_msg("node %s service %s family %d socktype %d protocol %d flags 0x%x\n"
			 "ours: %sglibc: %s", node ? node : "NULL", service ? service : "NULL",
			hints ? hints->ai_family : 0, hints ? hints->ai_socktype : 0,
			hints ? hints->ai_protocol : 0, hints ? (unsigned)hints->ai_flags : 0,
			ours, theirs);
}

/* All families and flags with one kind of socket, and the other way about. */
static void compare_hints(struct rig *rig, const char *node, const char *service, int more)
{
	struct addrinfo hints = {.ai_flags = more};

	for (size_t k = 0; k < COUNT(kinds); k++) {
		hints.ai_socktype = kinds[k].socktype;
		hints.ai_protocol = kinds[k].protocol;
		compare(rig, node, service, &hints);
	}
	hints = (struct addrinfo){.ai_socktype = SOCK_STREAM};
	for (size_t f = 0; f < COUNT(families); f++)
		for (size_t i = 0; i < COUNT(flags); i++) {
			hints.ai_family = families[f];
			hints.ai_flags = flags[i] | more;
			compare(rig, node, service, &hints);
		}
}

static void nodes_in_digits(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(nodes); i++)
		for (size_t s = 0; s < COUNT(services); s++)
			compare_hints(rig, nodes[i], services[s], 0);
	assert_true(rig->with_result > rig->compared / 4);
	print_message("# %u compared, %u of them with addresses\n", rig->compared,
		rig->with_result);
}

static void nodes_that_are_names(void **state)
{
	for (size_t i = 0; i < COUNT(not_digits); i++)
		compare_hints(*state, not_digits[i], "80", AI_NUMERICHOST);
}

/* Words of what numbers are made of; most are none. */
static void nodes_at_random(void **state)
{
	static const char *const parts[] = {"0", "1", "7", "08", "010", "0x", "0xf", "255", "256",
		"65535", "65536", "16777215", "16777216", "4294967295", "4294967296", ".", ".", ".",
		".", ":", ":", "::", "fe80", "db8", "ffff", "%1", "%lo", "g"};
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct rig *rig = *state;
	unsigned random = 20261123;
	char node[128];

	for (unsigned i = 0; i < RANDOM_NODES; i++) {
		size_t len = 0;

		for (unsigned n = 1 + (unsigned)rand_r(&random) % 8; n > 0; n--) {
			const char *part = parts[(unsigned)rand_r(&random) % COUNT(parts)];

			len += (size_t)snprintf(node + len, sizeof(node) - len, "%s", part);
		}
		compare(rig, node, "1", &hints);
	}
	assert_true(rig->with_result > RANDOM_NODES / 50);
	print_message("# %u of them with addresses\n", rig->with_result);
}

/* ---- in a namespace of its own */

static int setup(void **state)
{
	const char *const servers[] = {"192.0.2.53", NULL};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	static struct rig rig;

	rig = (struct rig){.ctx = NULL};
	config.servers = servers;
	*state = &rig;
	return vsresolv_open(&rig.ctx, NULL, &config);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	vsresolv_close(rig->ctx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nodes_in_digits, setup, teardown),
		cmocka_unit_test_setup_teardown(nodes_that_are_names, setup, teardown),
		cmocka_unit_test_setup_teardown(nodes_at_random, setup, teardown),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
