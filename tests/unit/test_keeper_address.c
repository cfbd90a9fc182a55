/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses that come and go through the keeper. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "keeper_rig.h"

static void set_address(struct vs_address *address, const char *text, unsigned length)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
	*address = (struct vs_address){.prefix = length};
	memcpy(&address->addr, &in, sizeof(in));
}

static void addresses_come_and_go(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	struct vs_address address;
	struct vs *vs = nst_get(t, "a");

	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), 0);
	assert_true(has_address("10.0.8.1/24"));
	assert_int_equal(count_rules("10.0.8.1", 100), 1);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), 0); /* is there */
	set_address(&address, "10.0.8.2", 24);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), 0);
	assert_true(has_address("10.0.8.2/32"));
	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), 0);
	assert_true(has_address("10.0.8.2/32"));
	assert_false(has_address("10.0.8.1/24"));
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), -ENOENT);
	set_address(&address, "10.0.8.2", 32);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), 0);
	/* One of the file: as vsctl makes it. */
	set_address(&address, "10.0.0.5", 24);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), 0);
	assert_true(has_address("10.0.0.5/32"));
	vs_unref(vs);
	end(keeper);
}

/* Two of one network that somebody else made: Linux would remove the second with the first. */
static void others_are_not_lost(void **state)
{
	struct nst *t = *state;
	struct vs_keeper *keeper = begin(t);
	struct vs_address address;
	struct vs *vs = nst_get(t, "a");

	assert_int_equal(do_address(NET_ADDR_ADD, "10.0.8.1/24"), 0);
	assert_int_equal(do_address(NET_ADDR_ADD, "10.0.8.2/24"), 0);
	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), -EBUSY);
	set_address(&address, "10.0.8.2", 24);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), 0);
	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_del(keeper, vs, &address), 0);
	vs_unref(vs);
	end(keeper);
}

static void refuses_addresses(void **state)
{
	static const struct {
		const char *text;
		unsigned length, ifindex;
		int error;
	} cases[] = {
		{"127.0.0.9", 8, 0, -EINVAL},
		{"224.0.0.1", 24, 0, -EINVAL},
		{"0.0.0.0", 24, 0, -EINVAL},
		{"10.0.8.1", 0, 0, -EINVAL},
		{"10.0.8.1", 33, 0, -EINVAL},
		{"10.0.8.1", 24, 1, -EADDRNOTAVAIL},
		{"10.0.8.1", 24, 4711, -ENODEV},
		{"10.0.6.1", 24, 0, -EADDRNOTAVAIL},
	};
	struct nst *t = *state;
	struct vs_keeper *keeper;
	struct vs_address address;
	struct vs *vs, *host;

	nst_write(NST_CONF "/b.conf", "[VirtualServer]\nFlavour=mark\nMark=0xb\nTable=110\n"
				      "[Network]\nDevice=lo\nPool=10.0.6.0/24\n");
	keeper = begin(t);
	vs = nst_get(t, "a");
	host = nst_get(t, VS_HOST);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_address(&address, cases[i].text, cases[i].length);
		address.ifindex = cases[i].ifindex;
		assert_int_equal(vs_keeper_address_add(keeper, vs, &address), cases[i].error);
		assert_true(vs_keeper_address_del(keeper, vs, &address) < 0);
	}
	set_address(&address, "10.0.8.1", 24);
	assert_int_equal(vs_keeper_address_add(keeper, host, &address), -EOPNOTSUPP);
	assert_int_equal(unlink(NST_CONF "/a.conf"), 0);
	assert_int_equal(nst_reload(t), 0);
	assert_int_equal(vs_keeper_address_add(keeper, vs, &address), -ESTALE);
	vs_unref(host);
	vs_unref(vs);
	end(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(addresses_come_and_go),
		NST_ONCE(others_are_not_lost),
		NST_ONCE(refuses_addresses),
	};
	int status = 0;

	if (!nst_begin(&status))
		return status;
	rig_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
