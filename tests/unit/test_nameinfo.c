/* SPDX-License-Identifier: BSD-3-Clause */
/* getnameinfo: what is written, beside glibc where no name is asked for. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dns_rig.h"
#include "names_rig.h"

#define PTR4 "7.2.0.192.in-addr.arpa"
#define END                                                                                        \
	{                                                                                          \
		.owner = NULL                                                                      \
	}

static const struct names_row zone[] = {
	{PTR4, DNS_PTR, "host.sub.corp.example", false},
	{"8.2.0.192.in-addr.arpa", DNS_PTR, "bad name.example", false},
	{"9.2.0.192.in-addr.arpa", 0, NULL, false},
	{"10.2.0.192.in-addr.arpa", DNS_PTR, "other.example.net", false},
	END,
};

static union netview_addr address(const char *text, uint16_t port)
{
	union netview_addr addr = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};

	if (inet_pton(AF_INET6, text, &addr.in6.sin6_addr) == 1)
		return addr;
	addr = (union netview_addr){.in4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
	assert_int_equal(inet_pton(AF_INET, text, &addr.in4.sin_addr), 1);
	return addr;
}

/* ---- beside glibc */

struct pair {
	const union netview_addr *addr;
	socklen_t len, host_len, service_len;
	int flags;
};

static void compare(struct vsresolv *ctx, const struct pair *p)
{
	char ours[2][80], theirs[2][80];
	bool host = p->host_len > 0, service = p->service_len > 0;
	int a, b;

	memset(ours, 'x', sizeof(ours));
	memset(theirs, 'x', sizeof(theirs));
	ours[0][79] = theirs[0][79] = ours[1][79] = theirs[1][79] = '\0';
	a = vsresolv_getnameinfo(ctx, &p->addr->sa, p->len, host ? ours[0] : NULL, p->host_len,
		service ? ours[1] : NULL, p->service_len, p->flags, 0, NULL);
	b = getnameinfo(&p->addr->sa, p->len, host ? theirs[0] : NULL, p->host_len,
		service ? theirs[1] : NULL, p->service_len, p->flags);
	if (a != b)
		fail_msg("%d, glibc %d: family %d, lengths %u %u %u, flags %#x", a, b,
			p->addr->sa.sa_family, p->len, p->host_len, p->service_len, p->flags);
	if (a == 0 && host)
		assert_string_equal(ours[0], theirs[0]);
	if (a == 0 && service)
		assert_string_equal(ours[1], theirs[1]);
}

static void random_address(union netview_addr *addr, uint64_t *seed)
{
	static const uint8_t heads[][12] = {{0}, {[10] = 0xff, [11] = 0xff}, {0xfe, 0x80},
		{0xff, 0x02}, {0x20, 0x01, 0x0d, 0xb8}};
	uint8_t bytes[16];

	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (uint8_t)(msg_pick(seed, 3) ? msg_random(seed) : 0);
	memset(addr, 0, sizeof(*addr));
	if (msg_pick(seed, 3) == 0) {
		addr->in4.sin_family = AF_INET;
		addr->in4.sin_port = (uint16_t)msg_random(seed);
		memcpy(&addr->in4.sin_addr, bytes, 4);
		return;
	}
	if (msg_pick(seed, 2))
		memcpy(bytes, heads[msg_pick(seed, 5)], 12);
	addr->in6.sin6_family = AF_INET6;
	addr->in6.sin6_port = (uint16_t)msg_random(seed);
	memcpy(&addr->in6.sin6_addr, bytes, 16);
	/* No device here has that number: glibc says the number, too. */
	if (msg_pick(seed, 3) == 0)
		addr->in6.sin6_scope_id = 1000 + (uint32_t)(msg_random(seed) % 4000000000u);
}

static void digits_as_in_glibc(void **state)
{
	static const int others[] = {0, NI_DGRAM, NI_NOFQDN, NI_NAMEREQD, NI_IDN};
	struct names *n = *state;
	uint64_t seed = 1123;

	names_open(n, zone, NULL);
	for (unsigned i = 0; i < 20000; i++) {
		union netview_addr addr;
		struct pair p = {.addr = &addr, .host_len = 80, .service_len = 80};

		random_address(&addr, &seed);
		p.len = addr.sa.sa_family == AF_INET ? sizeof(addr.in4) : sizeof(addr.in6);
		p.flags = NI_NUMERICHOST | NI_NUMERICSERV | others[msg_pick(&seed, 5)];
		if (msg_pick(&seed, 8) == 0)
			p.len = msg_pick(&seed, sizeof(addr) + 1);
		if (msg_pick(&seed, 4) == 0)
			p.host_len = msg_pick(&seed, 50);
		if (msg_pick(&seed, 4) == 0)
			p.service_len = msg_pick(&seed, 8);
		if (p.host_len == 0 && p.service_len == 0)
			continue;
		compare(n->ctx, &p);
	}
	assert_string_equal(n->asked, "");
}

/* ---- flags */

struct row {
	const char *address;
	uint16_t port;
	int flags;
	int status;
	const char *host, *service;
};

struct call {
	const struct row *row;
	int timeout_ms;
	int status;
	char host[300], service[100];
	struct vsresolv_info info;
};

static void call(struct names *n, void *arg)
{
	struct call *c = arg;
	union netview_addr addr = address(c->row->address, c->row->port);

	c->status = vsresolv_getnameinfo(n->ctx, &addr.sa, sizeof(addr), c->host, sizeof(c->host),
		c->service, sizeof(c->service), c->row->flags, c->timeout_ms, &c->info);
}

struct told {
	unsigned told;
	struct call call;
};

static void note(void *arg, int status, const char *host, const char *service,
	const struct vsresolv_info *info)
{
	struct told *t = arg;

	t->told++;
	t->call.status = status;
	t->call.info = *info;
	assert_int_equal(host == NULL, status != 0);
	assert_int_equal(service == NULL, status != 0);
	snprintf(t->call.host, sizeof(t->call.host), "%s", host ? host : "");
	snprintf(t->call.service, sizeof(t->call.service), "%s", service ? service : "");
}

static void check(const struct call *c)
{
	assert_int_equal(c->status, c->row->status);
	if (c->status != 0)
		return;
	assert_string_equal(c->host, c->row->host);
	assert_string_equal(c->service, c->row->service);
}

static void check_both(struct names *n, const struct row *row)
{
	union netview_addr addr = address(row->address, row->port);
	struct call c = {.row = row, .timeout_ms = 300};
	struct told t = {.call.row = row};

	names_run(n, call, &c);
	check(&c);
	assert_int_equal(vsresolv_getnameinfo_start(
				 n->ctx, &addr.sa, sizeof(addr), row->flags, 300, note, &t, NULL),
		0);
	assert_int_equal(t.told, 0);
	names_wait(n, &t.told);
	check(&t.call);
}

static void flags(void **state)
{
	static const struct row rows[] = {
		{"192.0.2.7", 389, 0, 0, "host.sub.corp.example", "ldap"},
		{"192.0.2.7", 389, NI_NUMERICSERV, 0, "host.sub.corp.example", "389"},
		{"192.0.2.7", 514, NI_NUMERICHOST, 0, "192.0.2.7", "shell"},
		{"192.0.2.7", 514, NI_NUMERICHOST | NI_DGRAM, 0, "192.0.2.7", "syslog"},
		{"192.0.2.7", 54321, NI_IDN | 0x40 | 0x80, 0, "host.sub.corp.example", "54321"},
		{"192.0.2.7", 1, 0x20000, EAI_BADFLAGS, NULL, NULL},
		/* The longest domain of the search list. */
		{"192.0.2.7", 1, NI_NOFQDN | NI_NUMERICSERV, 0, "host.sub", "1"},
		{"192.0.2.10", 1, NI_NOFQDN | NI_NUMERICSERV, 0, "other.example.net", "1"},
		{"192.0.2.11", 1, NI_NOFQDN | NI_NUMERICSERV, 0, "corp", "1"},
		/* No name that could be told. */
		{"192.0.2.8", 1, NI_NUMERICSERV, 0, "192.0.2.8", "1"},
		{"192.0.2.8", 1, NI_NAMEREQD, EAI_NONAME, NULL, NULL},
		{"192.0.2.99", 0, NI_NUMERICSERV, 0, "192.0.2.99", "0"},
		{"192.0.2.99", 1, NI_NAMEREQD, EAI_NONAME, NULL, NULL},
		{"192.0.2.7", 1, NI_NAMEREQD | NI_NUMERICHOST, EAI_NONAME, NULL, NULL},
		/* The name leads nowhere. */
		{"192.0.2.7", 1, VSRESOLV_NI_CONFIRM | NI_NUMERICSERV, 0, "192.0.2.7", "1"},
		{"192.0.2.7", 1, VSRESOLV_NI_CONFIRM | NI_NAMEREQD, EAI_NONAME, NULL, NULL},
		/* Nobody answers. */
		{"192.0.2.9", 1, 0, EAI_AGAIN, NULL, NULL},
		{"127.3.2.1", 80, NI_NUMERICSERV, 0, "localhost", "80"},
		{"::ffff:192.0.2.7", 1, NI_NUMERICSERV, 0, "host.sub.corp.example", "1"},
		{"::ffff:192.0.2.99", 1, NI_NUMERICSERV, 0, "::ffff:192.0.2.99", "1"},
	};
	static const char *const search[] = {"example", "corp.example", ".", NULL};
	struct names *n = *state;

	n->config.search = search;
	names_open(n, zone, "192.0.2.11 corp.example\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_both(n, &rows[i]);
}

static void scope_is_a_number(void **state)
{
	union netview_addr addr = address("fe80::1", 1);
	struct names *n = *state;
	char host[80];

	names_open(n, zone, NULL);
	addr.in6.sin6_scope_id = 1; /* lo, here */
	assert_int_equal(vsresolv_getnameinfo(n->ctx, &addr.sa, sizeof(addr), host, sizeof(host),
				 NULL, 0, NI_NUMERICHOST, 0, NULL),
		0);
	assert_string_equal(host, "fe80::1%1");
}

static void services_of_the_vs(void **state)
{
	static const struct row rows[] = {
		{"192.0.2.99", 389, NI_NUMERICHOST, 0, "192.0.2.99", "folders"},
		{"192.0.2.99", 80, NI_NUMERICHOST, 0, "192.0.2.99", "80"},
	};
	struct names *n = *state;

	nst_write(NAMES_SERVICES, "folders 389/tcp\n");
	n->config.services_file = NAMES_SERVICES;
	names_open(n, zone, NULL);
	for (size_t i = 0; i < 2; i++)
		check_both(n, &rows[i]);
}

static void what_it_tells(void **state)
{
	static const struct row name = {"192.0.2.7", 389, 0, 0, "host.sub.corp.example", "ldap"};
	static const struct row none = {"192.0.2.99", 389, 0, 0, "192.0.2.99", "ldap"};
	static const struct row digits = {"192.0.2.7", 389, NI_NUMERICHOST, 0, "192.0.2.7", "ldap"};
	struct names *n = *state;
	struct call c = {.row = &name, .timeout_ms = 5000};

	names_open(n, zone, NULL);
	names_run(n, call, &c);
	check(&c);
	assert_int_equal(c.info.source, VSRESOLV_NETWORK);
	assert_in_range(c.info.ttl, 59, 60);
	c.timeout_ms = 0;
	call(n, &c);
	check(&c);
	assert_int_equal(c.info.source, VSRESOLV_CACHE);
	assert_int_equal(c.info.error, 0);
	c = (struct call){.row = &none, .timeout_ms = 5000};
	names_run(n, call, &c);
	check(&c);
	assert_int_equal(c.info.rcode, DNS_NXDOMAIN);
	c.row = &digits;
	call(n, &c);
	check(&c);
	assert_int_equal(c.info.source, VSRESOLV_LOCAL);
	assert_int_equal(c.info.rcode, -1);
}

static void small_buffers(void **state)
{
	union netview_addr addr = address("192.0.2.7", 389);
	char host[22] = "before", service[5] = "was";
	struct names *n = *state;

	names_open(n, zone, "192.0.2.7 host.sub.corp.example\n");
	assert_int_equal(vsresolv_getnameinfo(
				 n->ctx, &addr.sa, sizeof(addr), host, 21, service, 5, 0, 0, NULL),
		EAI_OVERFLOW);
	assert_string_equal(host, "before");
	assert_int_equal(vsresolv_getnameinfo(
				 n->ctx, &addr.sa, sizeof(addr), host, 22, service, 4, 0, 0, NULL),
		EAI_OVERFLOW);
	assert_string_equal(service, "was");
	assert_int_equal(vsresolv_getnameinfo(
				 n->ctx, &addr.sa, sizeof(addr), host, 22, service, 5, 0, 0, NULL),
		0);
	assert_string_equal(host, "host.sub.corp.example");
	assert_string_equal(service, "ldap");
	/* For the service alone nobody is asked. */
	addr = address("192.0.2.99", 389);
	assert_int_equal(vsresolv_getnameinfo(
				 n->ctx, &addr.sa, sizeof(addr), NULL, 0, service, 5, 0, 0, NULL),
		0);
	assert_int_equal(
		vsresolv_getnameinfo(n->ctx, &addr.sa, sizeof(addr), NULL, 0, NULL, 0, 0, 0, NULL),
		EAI_NONAME);
	assert_int_equal(
		vsresolv_getnameinfo(n->ctx, NULL, sizeof(addr), host, 22, NULL, 0, 0, 0, NULL),
		EAI_FAMILY);
	assert_int_equal(
		vsresolv_getnameinfo_start(n->ctx, &addr.sa, sizeof(addr), 0, 0, NULL, NULL, NULL),
		-EINVAL);
	assert_string_equal(n->asked, "");
}

#define test(name) cmocka_unit_test_setup_teardown(name, names_setup, names_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(digits_as_in_glibc),
		test(flags),
		test(scope_is_a_number),
		test(services_of_the_vs),
		test(what_it_tells),
		test(small_buffers),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("nameinfo", tests, NULL, NULL);
}
