/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "t.h"
#include "multicast.h"

static struct link_source source(unsigned ifindex, const char *text)
{
	struct link_source s = {.ifindex = ifindex};

	assert_int_equal(inet_pton(AF_INET6, text, &s.addr), 1);
	return s;
}

/* The address that a caller is answered from, "" for none. */
static const char *answer(const struct multicast *m, unsigned ifindex, const char *peer)
{
	static char text[INET6_ADDRSTRLEN];
	struct proc_caller caller = {.peer.family = AF_INET6, .contacted.family = AF_INET6};
	struct udp_path path = {.info.v6.ipi6_ifindex = ifindex};

	assert_int_equal(inet_pton(AF_INET6, peer, caller.peer.addr), 1);
	if (!multicast_answer(m, ifindex, &path, &caller))
		return "";
	/* What is told is where it comes from, and it goes out where the call came in. */
	assert_memory_equal(caller.contacted.addr, &path.info.v6.ipi6_addr, 16);
	assert_int_equal(path.info.v6.ipi6_ifindex, ifindex);
	return inet_ntop(AF_INET6, caller.contacted.addr, text, sizeof(text));
}

static void of_the_interface(void **state)
{
	struct multicast m = {0};
	struct link_source s[] = {source(2, "fe80::2"), source(2, "fd00::2"), source(3, "fe80::3"),
		source(3, "fd00::3"), source(4, "fe80::4"), source(5, "fd00::5")};

	(void)state;
	assert_int_equal(multicast_set(&m, s, sizeof(s) / sizeof(s[0])), 0);
	assert_string_equal(answer(&m, 2, "fe80::99"), "fe80::2");
	assert_string_equal(answer(&m, 2, "fd00::99"), "fd00::2");
	assert_string_equal(answer(&m, 3, "fe80::99"), "fe80::3");
	assert_string_equal(answer(&m, 3, "2001:db8::1"), "fd00::3");
	assert_string_equal(answer(&m, 4, "fe80::99"), "fe80::4");
	/* An address of the link is of no use to who is not on it. */
	assert_string_equal(answer(&m, 4, "fd00::99"), "");
	assert_string_equal(answer(&m, 5, "fe80::99"), "fd00::5");
	assert_string_equal(answer(&m, 6, "fe80::99"), "");
	multicast_set(&m, NULL, 0);
}

static void replaced(void **state)
{
	struct multicast m = {0};
	struct link_source s = source(2, "fe80::2"), t = source(2, "fe80::3");

	(void)state;
	assert_string_equal(answer(&m, 2, "fe80::99"), "");
	assert_int_equal(multicast_set(&m, &s, 1), 0);
	assert_int_equal(multicast_set(&m, &t, 1), 0);
	assert_string_equal(answer(&m, 2, "fe80::99"), "fe80::3");
	assert_int_equal(multicast_set(&m, NULL, 0), 0);
	assert_string_equal(answer(&m, 2, "fe80::99"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_interface),
		cmocka_unit_test(replaced),
	};

	return cmocka_run_group_tests_name("multicast", tests, NULL, NULL);
}
