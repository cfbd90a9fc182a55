/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of resolving a name that need no network, as tables. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "front.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- digits */

static const struct digits_row {
	const char *node;
	int family, flags;
	int status;
	const char *address; /* NULL: none; with a number as scope */
	const char *device;
} digits_rows[] = {
	{"127.0.0.1", AF_UNSPEC, 0, 0, "127.0.0.1", ""},
	{"127.1", AF_UNSPEC, 0, 0, "127.0.0.1", ""},
	{"127.0.257", AF_INET, 0, 0, "127.0.1.1", ""},
	{"0x7f.1", AF_INET, 0, 0, "127.0.0.1", ""},
	{"0X7F000001", AF_INET, 0, 0, "127.0.0.1", ""},
	{"017700000001", AF_INET, 0, 0, "127.0.0.1", ""},
	{"2130706433", AF_INET, 0, 0, "127.0.0.1", ""},
	{"0", AF_UNSPEC, 0, 0, "0.0.0.0", ""},
	{"4294967295", AF_UNSPEC, 0, 0, "255.255.255.255", ""},
	{"4294967296", AF_UNSPEC, 0, 1, NULL, ""},
	{"99999999999999999999999", AF_UNSPEC, 0, 1, NULL, ""},
	{"1.16777215", AF_UNSPEC, 0, 0, "1.255.255.255", ""},
	{"1.16777216", AF_UNSPEC, 0, 1, NULL, ""},
	{"1.2.65536", AF_UNSPEC, 0, 1, NULL, ""},
	{"1.2.3.256", AF_UNSPEC, 0, 1, NULL, ""},
	{"256.1.1.1", AF_UNSPEC, 0, 1, NULL, ""},
	{"1.2.3.4.5", AF_UNSPEC, 0, 1, NULL, ""},
	{"1.2.3.4.", AF_UNSPEC, 0, 1, NULL, ""},
	{"1..2", AF_UNSPEC, 0, 1, NULL, ""},
	{".1", AF_UNSPEC, 0, 1, NULL, ""},
	{"08", AF_UNSPEC, 0, 1, NULL, ""},
	{"0x", AF_UNSPEC, 0, 1, NULL, ""},
	{"0xg", AF_UNSPEC, 0, 1, NULL, ""},
	{"1.2.3.4 ", AF_UNSPEC, 0, 1, NULL, ""},
	{" 1.2.3.4", AF_UNSPEC, 0, 1, NULL, ""},
	{"-1", AF_UNSPEC, 0, 1, NULL, ""},
	{"+1", AF_UNSPEC, 0, 1, NULL, ""},
	{"1com", AF_UNSPEC, 0, 1, NULL, ""},
	{"", AF_UNSPEC, 0, 1, NULL, ""},
	{"192.0.2.1", AF_INET6, 0, EAI_ADDRFAMILY, NULL, ""},
	{"192.0.2.1", AF_INET6, AI_V4MAPPED, 0, "::ffff:192.0.2.1", ""},
	{"192.0.2.1", AF_UNSPEC, AI_V4MAPPED, 0, "192.0.2.1", ""},
	{"::1", AF_UNSPEC, 0, 0, "::1", ""},
	{"::1", AF_INET6, 0, 0, "::1", ""},
	{"::1", AF_INET, 0, EAI_ADDRFAMILY, NULL, ""},
	{"::ffff:192.0.2.1", AF_INET, 0, 0, "192.0.2.1", ""},
	{"::ffff:192.0.2.1", AF_INET6, 0, 0, "::ffff:192.0.2.1", ""},
	{"fe80::1%3", AF_UNSPEC, 0, 0, "fe80::1%3", ""},
	{"fe80::1%eth0", AF_UNSPEC, 0, 0, "fe80::1", "eth0"},
	{"ff02::1%eth0", AF_UNSPEC, 0, 0, "ff02::1", "eth0"},
	{"ff02::1%4294967295", AF_UNSPEC, 0, 0, "ff02::1%4294967295", ""},
	{"ff02::1%4294967296", AF_UNSPEC, 0, 0, "ff02::1", "4294967296"},
	{"2001:db8::1%eth0", AF_UNSPEC, 0, EAI_NONAME, NULL, ""},
	{"2001:db8::1%7", AF_UNSPEC, 0, 0, "2001:db8::1%7", ""},
	{"fe80::1%", AF_UNSPEC, 0, EAI_NONAME, NULL, ""},
	{"fe80::1%abcdefghijklmno", AF_UNSPEC, 0, 0, "fe80::1", "abcdefghijklmno"},
	{"fe80::1%abcdefghijklmnop", AF_UNSPEC, 0, EAI_NONAME, NULL, ""},
	{"fe80::1%eth0", AF_INET, 0, EAI_ADDRFAMILY, NULL, ""},
	{"1:2:3:4:5:6:7:8:9", AF_UNSPEC, 0, 1, NULL, ""},
	{"[::1]", AF_UNSPEC, 0, 1, NULL, ""},
	{"127.0.0.1%lo", AF_UNSPEC, 0, 1, NULL, ""},
	{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", AF_UNSPEC, 0, 1, NULL, ""},
};

static const char *address_text(const union netview_addr *addr, char *buf, size_t size)
{
	size_t len;

	if (addr->sa.sa_family == AF_INET)
		return inet_ntop(AF_INET, &addr->in4.sin_addr, buf, (socklen_t)size);
	inet_ntop(AF_INET6, &addr->in6.sin6_addr, buf, (socklen_t)size);
	len = strlen(buf);
	if (addr->in6.sin6_scope_id)
		snprintf(buf + len, size - len, "%%%u", addr->in6.sin6_scope_id);
	return buf;
}

static void digits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(digits_rows); i++) {
		const struct digits_row *row = &digits_rows[i];
		char device[IF_NAMESIZE], text[INET6_ADDRSTRLEN + 16];
		union netview_addr addr;
		int status = front_digits(row->node, row->family, row->flags, &addr, device);

		if (status != row->status)
			fail_msg("\"%s\": %d, not %d", row->node, status, row->status);
		if (row->address) {
			assert_string_equal(address_text(&addr, text, sizeof(text)), row->address);
			assert_string_equal(device, row->device);
		}
	}
}

/* ---- names that are never asked for */

static const struct special_row {
	const char *node;
	enum front_special special;
} special_rows[] = {
	{"localhost", FRONT_LOCALHOST},
	{"LocalHost", FRONT_LOCALHOST},
	{"localhost.", FRONT_LOCALHOST},
	{"foo.localhost", FRONT_LOCALHOST},
	{"a.b.LOCALHOST.", FRONT_LOCALHOST},
	{"localhost.example", FRONT_ORDINARY},
	{"mylocalhost", FRONT_ORDINARY},
	{"localhost6", FRONT_ORDINARY},
	{"x.onion", FRONT_NEVER},
	{"x.ONION.", FRONT_NEVER},
	{"onion", FRONT_NEVER},
	{"onion.example", FRONT_ORDINARY},
	{"union", FRONT_ORDINARY},
	{"dc1.corp.local", FRONT_ORDINARY},
	{".", FRONT_ORDINARY},
	{"", FRONT_ORDINARY},
};

static void specials(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(special_rows); i++)
		if (front_special(special_rows[i].node) != special_rows[i].special)
			fail_msg("\"%s\"", special_rows[i].node);
}

/* ---- the search list */

static const struct search_row {
	const char *node;
	unsigned ndots;
	bool no_tld_query;
	const char *search; /* in words */
	const char *asked;  /* in words; NULL: EAI_NONAME */
} search_rows[] = {
	{"host", 1, false, "a.example b.example", "host.a.example host.b.example host"},
	{"host", 1, true, "a.example b.example", "host.a.example host.b.example"},
	{"host", 1, true, "", "host"},
	{"host", 1, false, "", "host"},
	{"host", 0, false, "a.example", "host host.a.example"},
	{"host", 0, true, "a.example", "host host.a.example"},
	{"host.", 1, false, "a.example", "host"},
	{"host.", 3, true, "a.example", "host"},
	{"host.lab", 1, false, "a.example", "host.lab host.lab.a.example"},
	{"host.lab", 2, false, "a.example", "host.lab.a.example host.lab"},
	{"host.lab", 2, true, "a.example", "host.lab.a.example host.lab"},
	{"host.lab.", 2, false, "a.example", "host.lab"},
	{"a.b.c", 2, false, "x", "a.b.c a.b.c.x"},
	{"a.b.c", 15, false, "x", "a.b.c.x a.b.c"},
	{"HOST", 1, false, "A.Example", "host.a.example host"},
	/* The root in the list is the name as it is, once. */
	{"host", 1, false, ". a.example", "host host.a.example"},
	{"host", 1, true, "a.example .", "host.a.example host"},
	{"host.lab", 1, false, ". a.example", "host.lab host.lab.a.example"},
	{"dc1.corp.local", 1, false, "", "dc1.corp.local"},
	{"_ldap._tcp.x", 1, false, "", "_ldap._tcp.x"},
	{"1.2.3.4.5", 1, false, "", "1.2.3.4.5"},
	/* Names that no host has: nothing is asked. */
	{".", 1, false, "a.example", NULL},
	{"..", 1, false, "a.example", NULL},
	{".host", 1, false, "a.example", NULL},
	{"a..b", 1, false, "a.example", NULL},
	{"a b", 1, false, "a.example", NULL},
	{"a\\.b", 1, false, "a.example", NULL},
	{"a\\046b", 1, false, "a.example", NULL},
	{"-a", 1, false, "a.example", NULL},
	{"a/b", 1, false, "a.example", NULL},
	{"fe80::1%eth0.example", 1, false, "", NULL},
	{"a\tb", 1, false, "", NULL},
	{"0123456789012345678901234567890123456789012345678901234567890123", 1, false, "", NULL},
	/* With the list behind it it would be too long: that place is passed over. */
	{"012345678901234567890123456789012345678901234567890123456789012."
	 "012345678901234567890123456789012345678901234567890123456789012."
	 "012345678901234567890123456789012345678901234567890123456789012."
	 "0123456789012345678901234567890123456789012345678901234567",
		9, false, "a.example b",
		"012345678901234567890123456789012345678901234567890123456789012."
		"012345678901234567890123456789012345678901234567890123456789012."
		"012345678901234567890123456789012345678901234567890123456789012."
		"0123456789012345678901234567890123456789012345678901234567.b "
		"012345678901234567890123456789012345678901234567890123456789012."
		"012345678901234567890123456789012345678901234567890123456789012."
		"012345678901234567890123456789012345678901234567890123456789012."
		"0123456789012345678901234567890123456789012345678901234567"},
};

static void make_conf(struct rconf *conf, struct dns_name *search, const struct search_row *row)
{
	char words[256], *save, *word;

	*conf = (struct rconf){.search = search};
	conf->ndots = row->ndots;
	conf->no_tld_query = row->no_tld_query;
	snprintf(words, sizeof(words), "%s", row->search);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		assert_int_equal(dns_name_parse(&search[conf->search_count++], word), 0);
}

static void add_name(char *asked, size_t size, const struct dns_name *name)
{
	char text[DNS_TEXT_MAX];
	size_t len = strlen(asked);

	assert_int_equal(dns_name_text(name, text, sizeof(text)), 0);
	snprintf(asked + len, size - len, "%s%s", len ? " " : "", text);
}

static void search_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(search_rows); i++) {
		const struct search_row *row = &search_rows[i];
		struct dns_name search[4], name;
		struct front_search walk;
		struct rconf conf;
		char asked[2048] = "";
		int e;

		make_conf(&conf, search, row);
		e = front_search_begin(&walk, &conf, row->node);
		if (e != (row->asked ? 0 : EAI_NONAME))
			fail_msg("\"%s\": %d", row->node, e);
		while (!e && front_search_next(&walk, &conf, &name))
			add_name(asked, sizeof(asked), &name);
		if (row->asked)
			assert_string_equal(asked, row->asked);
	}
}

static void search_goes_on_with_the_name_alone(void **state)
{
	const struct search_row row = {"host", 1, false, "a b c", NULL};
	struct dns_name search[4], name;
	struct front_search walk;
	struct rconf conf;
	char asked[64] = "";

	(void)state;
	make_conf(&conf, search, &row);
	assert_int_equal(front_search_begin(&walk, &conf, row.node), 0);
	assert_true(front_search_next(&walk, &conf, &name));
	front_search_last(&walk);
	while (front_search_next(&walk, &conf, &name))
		add_name(asked, sizeof(asked), &name);
	assert_string_equal(asked, "host");
}

/* ---- hints and services */

static const struct hints_row {
	int socktype, protocol, flags;
	const char *service;
	int status;
	const char *kinds; /* socktype/protocol/port */
} hints_rows[] = {
	{0, 0, 0, NULL, 0, "1/6/0 2/17/0 3/0/0"},
	{0, 0, 0, "", 0, "1/6/0 2/17/0 3/0/0"},
	{0, 0, 0, "80", 0, "1/6/80 2/17/80 3/0/80"},
	{0, 0, 0, "65535", 0, "1/6/65535 2/17/65535 3/0/65535"},
	{0, 0, 0, "65536", EAI_SERVICE, NULL},
	{0, 0, 0, "99999999999999999999", EAI_SERVICE, NULL},
	{0, 0, 0, "00080", 0, "1/6/80 2/17/80 3/0/80"},
	{SOCK_STREAM, 0, 0, "80", 0, "1/6/80"},
	{SOCK_DGRAM, 0, 0, "80", 0, "2/17/80"},
	{SOCK_DGRAM, IPPROTO_UDPLITE, 0, "80", 0, "2/136/80"},
	{0, IPPROTO_TCP, 0, "80", 0, "1/6/80"},
	{0, IPPROTO_SCTP, 0, "80", 0, "1/132/80"},
	{SOCK_SEQPACKET, 0, 0, "80", 0, "5/132/80"},
	{SOCK_SEQPACKET, IPPROTO_SCTP, 0, NULL, 0, "5/132/0"},
	{SOCK_DCCP, 0, 0, "80", 0, "6/33/80"},
	{SOCK_RAW, IPPROTO_ICMP, 0, NULL, 0, "3/1/0"},
	{SOCK_RAW, IPPROTO_ICMP, 0, "80", EAI_SERVICE, NULL},
	{0, IPPROTO_ICMP, 0, NULL, 0, "3/1/0"},
	{SOCK_STREAM, IPPROTO_UDP, 0, NULL, EAI_SOCKTYPE, NULL},
	{SOCK_RDM, 0, 0, NULL, EAI_SOCKTYPE, NULL},
	{0, 0, 0, "http", 0, "1/6/80 1/132/80 5/132/80"},
	{SOCK_STREAM, 0, 0, "http", 0, "1/6/80"},
	{0, 0, 0, "domain", 0, "1/6/53 2/17/53"},
	{SOCK_DGRAM, 0, 0, "domain", 0, "2/17/53"},
	{SOCK_DGRAM, 0, 0, "http", EAI_SERVICE, NULL},
	{SOCK_DGRAM, IPPROTO_UDPLITE, 0, "domain", EAI_SERVICE, NULL},
	{0, 0, AI_NUMERICSERV, "http", EAI_NONAME, NULL},
	{0, 0, AI_NUMERICSERV, "80", 0, "1/6/80 2/17/80 3/0/80"},
	{0, 0, 0, "no-such-service", EAI_SERVICE, NULL},
	{0, 0, 0, " 80", EAI_SERVICE, NULL},
	{0, 0, 0, "-1", EAI_SERVICE, NULL},
	{0, 0, 0, "80x", EAI_SERVICE, NULL},
	{0, 0, 0x4000, NULL, EAI_BADFLAGS, NULL},
	{0, 0, AI_CANONNAME | AI_IDN | AI_CANONIDN | 0x300, NULL, 0, "1/6/0 2/17/0 3/0/0"},
};

static void services_and_hints(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hints_rows); i++) {
		const struct hints_row *row = &hints_rows[i];
		const struct addrinfo hints = {.ai_flags = row->flags,
			.ai_socktype = row->socktype, .ai_protocol = row->protocol};
		struct front_hints out;
		char kinds[256] = "";
		int e = front_hints(&out, &hints, "node", row->service, NULL);

		if (e != row->status)
			fail_msg("row %zu: %d", i, e);
		if (e)
			continue;
		for (unsigned k = 0; k < out.kind_count; k++)
			snprintf(kinds + strlen(kinds), sizeof(kinds) - strlen(kinds),
				"%s%d/%d/%u", k ? " " : "", out.kinds[k].socktype,
				out.kinds[k].protocol, out.kinds[k].port);
		assert_string_equal(kinds, row->kinds);
	}
}

static void hints_that_make_no_sense(void **state)
{
	const struct addrinfo unix_family = {.ai_family = AF_UNIX};
	const struct addrinfo canonical = {.ai_flags = AI_CANONNAME};
	struct front_hints out = {.family = 77};

	(void)state;
	assert_int_equal(front_hints(&out, NULL, NULL, NULL, NULL), EAI_NONAME);
	assert_int_equal(front_hints(&out, &unix_family, "a", NULL, NULL), EAI_FAMILY);
	assert_int_equal(front_hints(&out, &canonical, NULL, "80", NULL), EAI_BADFLAGS);
	assert_int_equal(out.family, 77);
	assert_int_equal(front_hints(&out, NULL, "a", NULL, NULL), 0);
	assert_int_equal(out.flags, AI_V4MAPPED | AI_ADDRCONFIG);
	assert_null(front_given("*"));
	assert_string_equal(front_given("**"), "**");
	assert_null(front_given(NULL));
}

/* ---- in ASCII */

static void ascii(void **state)
{
	char buf[FRONT_NODE_MAX], unicode[DNS_TEXT_MAX], longest[FRONT_NODE_MAX + 2];
	const char *out = NULL;

	(void)state;
	assert_int_equal(front_ascii("host", 0, buf, &out), 0);
	assert_string_equal(out, "host");
	assert_int_equal(front_ascii("", 0, buf, &out), EAI_NONAME);
	memset(longest, 'a', sizeof(longest));
	longest[FRONT_NODE_MAX] = '\0';
	assert_int_equal(front_ascii(longest, 0, buf, &out), EAI_NONAME);
	longest[FRONT_NODE_MAX - 1] = '\0';
	assert_int_equal(front_ascii(longest, 0, buf, &out), 0);
	assert_int_equal(front_ascii("b\303\274cher.example", 0, buf, &out), EAI_IDN_ENCODE);
	assert_int_equal(front_ascii("\377", AI_IDN, buf, &out), EAI_IDN_ENCODE);
#ifdef HAVE_LIBIDN2
	assert_int_equal(front_ascii("B\303\274cher.example", AI_IDN, buf, &out), 0);
	assert_string_equal(out, "xn--bcher-kva.example");
	assert_string_equal(front_unicode(out, unicode), "b\303\274cher.example");
	/* Digits in full width are digits, and a full stop is a dot. */
	assert_int_equal(front_ascii("\357\274\221\357\274\222\357\274\227\343\200\202\357\274\221",
				 AI_IDN, buf, &out), 0);
	assert_string_equal(out, "127.1");
#else
	assert_int_equal(front_ascii("b\303\274cher", AI_IDN, buf, &out), EAI_IDN_ENCODE);
#endif
	assert_string_equal(front_unicode("host", unicode), "host");
}

/* ---- without a node, and the list */

static void loopback(void **state)
{
	static const struct {
		int family, flags;
		const char *first, *second;
	} rows[] = {
		{AF_UNSPEC, 0, "::1", "127.0.0.1"},
		{AF_UNSPEC, AI_PASSIVE, "0.0.0.0", "::"},
		{AF_INET, 0, "127.0.0.1", NULL},
		{AF_INET, AI_PASSIVE, "0.0.0.0", NULL},
		{AF_INET6, AI_V4MAPPED | AI_ALL, "::1", NULL},
		{AF_INET6, AI_PASSIVE, "::", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct front_hints hints = {.family = rows[i].family, .flags = rows[i].flags};
		char device[IF_NAMESIZE], text[INET6_ADDRSTRLEN + 16];
		union netview_addr addrs[2];
		size_t count;

		assert_int_equal(front_local(&hints, NULL, addrs, &count, device), 0);
		assert_int_equal(count, rows[i].second ? 2 : 1);
		assert_string_equal(address_text(&addrs[0], text, sizeof(text)), rows[i].first);
		if (rows[i].second)
			assert_string_equal(address_text(&addrs[1], text, sizeof(text)),
				rows[i].second);
	}
}

static void local_names(void **state)
{
	struct front_hints hints = {.flags = AI_PASSIVE};
	char device[IF_NAMESIZE], text[INET6_ADDRSTRLEN + 16];
	union netview_addr addrs[2];
	size_t count;

	(void)state;
	assert_int_equal(front_local(&hints, "a.localhost", addrs, &count, device), 0);
	assert_int_equal(count, 2);
	assert_string_equal(address_text(&addrs[0], text, sizeof(text)), "::1");
	assert_int_equal(front_local(&hints, "a.onion", addrs, &count, device), EAI_NONAME);
	assert_int_equal(front_local(&hints, "a.example", addrs, &count, device), 1);
	hints.flags = AI_NUMERICHOST;
	assert_int_equal(front_local(&hints, "a.example", addrs, &count, device), EAI_NONAME);
	assert_int_equal(front_local(&hints, "localhost", addrs, &count, device), EAI_NONAME);
	assert_int_equal(front_local(&hints, "1", addrs, &count, device), 0);
}

static void list(void **state)
{
	struct front_hints hints = {.flags = AI_CANONNAME, .kind_count = 2,
		.kinds = {{SOCK_STREAM, IPPROTO_TCP, 80}, {SOCK_DGRAM, IPPROTO_UDP, 81}}};
	union netview_addr addrs[2];
	struct addrinfo *res, *a;
	unsigned n = 0;

	(void)state;
	front_loopback(&hints, false, addrs);
	assert_int_equal(front_list(&hints, addrs, 2, "c.example", &res), 0);
	for (a = res; a; a = a->ai_next, n++) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)(void *)a->ai_addr;

		assert_int_equal(a->ai_family, n < 2 ? AF_INET6 : AF_INET);
		assert_int_equal(a->ai_family, a->ai_addr->sa_family);
		assert_int_equal(a->ai_addrlen, n < 2 ? sizeof(struct sockaddr_in6)
						      : sizeof(struct sockaddr_in));
		assert_int_equal(a->ai_socktype, n % 2 ? SOCK_DGRAM : SOCK_STREAM);
		assert_int_equal(ntohs(in4->sin_port), n % 2 ? 81 : 80);
		assert_int_equal(a->ai_flags, AI_CANONNAME);
		if (n == 0)
			assert_string_equal(a->ai_canonname, "c.example");
		else
			assert_null(a->ai_canonname);
	}
	assert_int_equal(n, 4);
	vsresolv_freeaddrinfo(res);
	vsresolv_freeaddrinfo(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits),
		cmocka_unit_test(specials),
		cmocka_unit_test(search_list),
		cmocka_unit_test(search_goes_on_with_the_name_alone),
		cmocka_unit_test(services_and_hints),
		cmocka_unit_test(hints_that_make_no_sense),
		cmocka_unit_test(ascii),
		cmocka_unit_test(loopback),
		cmocka_unit_test(local_names),
		cmocka_unit_test(list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
