/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SRV, PTR and getnameinfo without memory from the n-th allocation on, for all n: they say so or do
 * without, and leave nothing behind. The allocator's entry points are taken over for that, which
 * the sanitizers do themselves.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "heap_rig.h"
#include "names_rig.h"

#if defined(NSAUX_SANITIZED) || defined(__SANITIZE_THREAD__)

int main(void)
{
	puts("1..0 # SKIP the sanitizer owns the allocator");
	return 0;
}

#else

#define MANY 1000

/* ---- the calls, of which all is at hand */

#define SRV "_ldap._tcp.example"
#define PTR "7.2.0.192.in-addr.arpa"

static const struct names_row zone[] = {
	{SRV, DNS_SRV, "10 0 389 dc1.example", false},
	{SRV, DNS_SRV, "10 0 389 dc2.example", false},
	{SRV, DNS_SRV, "10 0 389 dc3.example", false},
	{"dc1.example", DNS_A, "192.0.2.1", true},
	{"dc1.example", DNS_A, "192.0.2.2", true},
	{"dc2.example", DNS_A, "192.0.2.7", false},
	{PTR, DNS_PTR, "dc1.example", false},
	{PTR, DNS_PTR, "dc2.example", false},
	{.owner = NULL},
};

static const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = 0};

typedef int call_fn(struct vsresolv *ctx, struct vsresolv_info *info);

static int call_srv(struct vsresolv *ctx, struct vsresolv_info *info)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_flags = AI_CANONNAME};
	struct vsresolv_srv *res = NULL;
	int status = vsresolv_srv(ctx, SRV, &hints, 0, 0, 0, &res, info);

	assert_int_equal(status == 0, res != NULL);
	vsresolv_free(res);
	return status;
}

static int call_ptr(struct vsresolv *ctx, struct vsresolv_info *info)
{
	struct sockaddr_in in4 = address;
	struct vsresolv_names *res = NULL;
	int status;

	in4.sin_addr.s_addr = htonl(0xc0000207);
	status = vsresolv_ptr(ctx, (struct sockaddr *)&in4, VSRESOLV_NI_CONFIRM, 0, &res, info);
	assert_int_equal(status == 0, res != NULL);
	vsresolv_free(res);
	return status;
}

static int call_nameinfo(struct vsresolv *ctx, struct vsresolv_info *info)
{
	struct sockaddr_in in4 = address;
	char host[100], service[100];

	in4.sin_addr.s_addr = htonl(0xc0000207);
	return vsresolv_getnameinfo(ctx, (struct sockaddr *)&in4, sizeof(in4), host, sizeof(host),
		service, sizeof(service), 0, 0, info);
}

static bool is_lack(int status, const struct vsresolv_info *info)
{
	if (status == EAI_SYSTEM)
		return info->error == -ENOMEM || info->error == -EMFILE;
	return status == EAI_MEMORY || status == EAI_AGAIN;
}

static void try(struct vsresolv *ctx, call_fn *fn)
{
	struct vsresolv_info info;
	int status = fn(ctx, &info);
	unsigned failed = 0;

	assert_int_equal(status, 0);
	for (size_t n = 1; n < MANY; n++) {
		heap.calls = 0;
		heap.fail_from = n;
		status = fn(ctx, &info);
		heap.fail_from = 0;
		if (heap.calls < n)
			break;
		failed += status != 0;
		if (status != 0 && !is_lack(status, &info))
			fail_msg("%zu: %d, %d", n, status, info.error);
	}
	assert_int_equal(status, 0);
	assert_true(failed > 0);
}

static void lacking(void **state)
{
	static const char *const servers[] = {"127.0.0.1:9", NULL};
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct names *n = *state;
	long live;

	n->zone = zone;
	live = heap.live;
	config.servers = servers;
	config.options = "no-aaaa";
	assert_int_equal(vsresolv_open(&n->ctx, NULL, &config), 0);
	names_keep(n, SRV, DNS_SRV, 0);
	names_keep(n, PTR, DNS_PTR, 0);
	names_keep(n, "dc1.example", DNS_A, 0);
	names_keep(n, "dc2.example", DNS_A, 0);
	names_keep(n, "dc3.example", DNS_A, 0);
	try(n->ctx, call_srv);
	try(n->ctx, call_ptr);
	try(n->ctx, call_nameinfo);
	vsresolv_close(n->ctx);
	n->ctx = NULL;
	assert_int_equal(heap.live, live);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lacking, names_setup, names_teardown),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("names_alloc", tests, NULL, NULL);
}

#endif
