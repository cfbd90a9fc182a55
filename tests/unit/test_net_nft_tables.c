/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <string.h>

#include "t.h"

#include "net_nft_tables.h"
#include "net_sysctl.h"

static void test_names(void **state)
{
	const uint32_t made = 0x5678abcd;
	char name[NET_NFT_NAME_MAX];

	(void)state;
	net_nft_name(name, 0x1234, NULL);
	assert_string_equal(name, "nsaux-00001234");
	net_nft_name(name, 0x1234abcd, &made);
	assert_string_equal(name, "nsaux-1234abcd-5678abcd");
}

static void test_ours(void **state)
{
	struct net_nft_tables t = {0};

	(void)state;
	assert_true(net_nft_tables_are_ours(&t));
	net_nft_tables_add(&t, NFPROTO_INET, "nsaux-1234abcd");
	assert_int_equal(t.ours, 1);
	assert_int_equal(t.others, 0);
	assert_int_equal(t.file, 0x1234abcd);
	assert_false(t.has_others);
	/* Between the two transactions: all that is there is of the first one. */
	net_nft_tables_add(&t, NFPROTO_IPV4, "filter");
	assert_true(net_nft_tables_are_ours(&t));
}

static void test_others(void **state)
{
	struct net_nft_tables t = {0}, u = {0};
	char name[NET_NFT_NAME_MAX];

	(void)state;
	net_nft_tables_add(&t, NFPROTO_IPV4, "filter");
	assert_false(net_nft_tables_are_ours(&t));
	net_nft_tables_add(&t, NFPROTO_IPV6, "nat");
	/* The order does not count, family and name do. */
	net_nft_tables_add(&u, NFPROTO_IPV6, "nat");
	net_nft_tables_add(&u, NFPROTO_IPV4, "filter");
	assert_int_equal(t.sum, u.sum);
	net_nft_name(name, 1, &t.sum);
	net_nft_tables_add(&t, NFPROTO_INET, name);
	assert_true(net_nft_tables_are_ours(&t));
	net_nft_tables_add(&t, NFPROTO_IPV4, "theirs");
	assert_false(net_nft_tables_are_ours(&t));
	memset(&u, 0, sizeof(u));
	net_nft_tables_add(&u, NFPROTO_IPV4, "nat");
	net_nft_tables_add(&u, NFPROTO_IPV6, "filter");
	net_nft_tables_add(&u, NFPROTO_INET, name);
	assert_false(net_nft_tables_are_ours(&u));
}

/* What only looks like one of ours is somebody else's. */
static void test_lookalikes(void **state)
{
	static const char *const names[] = {"nsaux", "nsaux-", "nsaux-1234abc", "nsaux-1234abcde",
		"nsaux-1234ABCD", "nsaux-1234abcd-", "nsaux-1234abcd-1234", "nsaux-1234abcd-1234abcde",
		"nsaux-1234abcd-1234abcd-", "nsaux-1234abcd_1234abcd", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct net_nft_tables t = {0};
		net_nft_tables_add(&t, NFPROTO_INET, names[i]);
		assert_int_equal(t.ours, 0);
		assert_int_equal(t.others, 1);
	}
	struct net_nft_tables t = {0};
	net_nft_tables_add(&t, NFPROTO_IPV4, "nsaux-1234abcd");
	assert_int_equal(t.ours, 0);
}

static void test_sysctl_words(void **state)
{
	(void)state;
	assert_true(net_sysctl_same("4096 87380 6291456", "4096\t87380\t6291456\n"));
	assert_true(net_sysctl_same(" 1", "1\n"));
	assert_true(net_sysctl_same("", "\n"));
	assert_false(net_sysctl_same("1", "10\n"));
	assert_false(net_sysctl_same("1 2", "1\n"));
	assert_false(net_sysctl_same("12", "1 2\n"));
	assert_false(net_sysctl_same("1", "\n"));
}

/* Refused before a namespace is looked at: there is none behind -1. */
static void test_sysctl_keys(void **state)
{
	char value[8];

	(void)state;
	assert_int_equal(net_sysctl_write(-1, 1, "kernel/hostname", "x"), -EPERM);
	assert_int_equal(net_sysctl_write(-1, 1, "net/../kernel/hostname", "x"), -EPERM);
	assert_int_equal(net_sysctl_write(-1, 1, "network/x", "x"), -EPERM);
	assert_int_equal(net_sysctl_read(-1, 1, "net/../vm/x", value, sizeof(value)), -EPERM);
	assert_int_equal(net_sysctl_read(-1, 1, "net/ipv4/ip_forward", value, sizeof(value)), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_lookalikes),
		cmocka_unit_test(test_sysctl_words),
		cmocka_unit_test(test_sysctl_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
