/* SPDX-License-Identifier: BSD-3-Clause */
/* Where questions go from: a VS that comes to its end meanwhile, and what sockets must not lose. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "queries_rig.h"

struct fixture {
	struct nst *t;
	struct rig *rig;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *t = NULL, *rig;

	assert_non_null(f);
	if (nst_setup(&t) < 0)
		return -1;
	rig_setup(&rig);
	*f = (struct fixture){.t = t, .rig = rig};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *t = f->t, *rig = f->rig;

	rig_teardown(&rig);
	free(f);
	return nst_teardown(&t);
}

static void move_to(struct rig *rig, struct vs *vs, const struct vsresolv_config *config)
{
	queries_free(rig->queries);
	rig->queries = NULL;
	place_free(rig->place);
	rig->place = NULL;
	assert_int_equal(place_new(&rig->place, vs, config), 0);
	rig->config.place = rig->place;
	rig_restart(rig);
}

/* ---- a VS that goes away */

/* A VS "a", with a name server that never answers. */
static int begin_vs(struct fixture *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(5353)};
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct vs *vs;
	int fd;

	nst_add(NST_NETNS "/a");
	f->t->all_events = true;
	nst_open(f->t);
	nst_quiet(f->t);
	vs = nst_get(f->t, "a");
	fd = vs_socket(vs, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	move_to(f->rig, vs, NULL);
	vs_unref(vs);
	f->rig->conf->server_count = 1;
	f->rig->conf->timeout_ms = 5000;
	return fd;
}

static void gone_with_questions_under_way(void **state)
{
	struct fixture *f = *state;
	struct rig *rig = f->rig;
	struct rig_ask asks[3] = {0};
	int server = begin_vs(f);
	uint64_t before;
	char byte;

	rig->config.in_flight = 2;
	rig_restart(rig);
	rig_ask(rig, &asks[0], "a.example", DNS_A);
	rig_ask(rig, &asks[1], "b.example", DNS_A);
	rig_ask(rig, &asks[2], "c.example", DNS_A);
	assert_int_equal(rig->counters.waiting, 1);
	rig_quiet(rig);
	assert_int_equal(recv(server, &byte, 1, 0), 1);
	close(server);
	nst_del(NST_NETNS "/a");
	nst_turn(f->t, NST_PATIENCE);
	before = rig_now(rig);
	for (unsigned i = 0; i < 3; i++) {
		rig_wait(&asks[i]);
		assert_int_equal(asks[i].status, -ESTALE);
		assert_null(asks[i].answer);
	}
	assert_true(rig_now(rig) - before < LOOP_SEC);
	assert_true(queries_are_idle(rig->queries));
	assert_int_equal(rig->counters.in_flight + rig->counters.waiting, 0);
	/* Nothing keeps the namespace. */
	nst_expect(f->t, "-a !a ");
	assert_int_equal(rig_ask_status(rig, &asks[0], "a.example", DNS_A), -ESTALE);
	assert_int_equal(rig->servers[0].asked, 0);
}

/* An idle socket is closed soon, and does not keep it either. */
static void gone_while_idle(void **state)
{
	struct fixture *f = *state;
	struct rig *rig = f->rig;
	struct rig_ask ask = {0};
	int server = begin_vs(f);

	rig_ask(rig, &ask, "a.example", DNS_A);
	queries_leave(&ask.waiter);
	assert_false(queries_are_idle(rig->queries));
	close(server);
	nst_del(NST_NETNS "/a");
	rig_wait_idle(rig);
	nst_expect(f->t, "-a !a ");
}

/* ---- what a socket must keep from one question to the next */

static int opened;

static int open_here(__attribute__((unused)) void *arg, int domain, int type, int protocol)
{
	int mark = 77;

	opened = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (opened < 0)
		return -errno;
	assert_int_equal(setsockopt(opened, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	return opened;
}

static int option_of(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, name, &value, &len), 0);
	return value;
}

static struct sockaddr_in name_of(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	return in;
}

/* The kernel takes the device away when the socket is disconnected. */
static void keeps_device_mark_and_address(void **state)
{
	struct fixture *f = *state;
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct rig_ask ask = {0};
	int lo = (int)if_nametoindex("lo"), first;

	config.socket = open_here;
	config.mark = 77;
	config.device = "lo";
	config.bind4 = "127.0.0.5";
	move_to(f->rig, NULL, &config);
	rig_expect_address(f->rig, "a.example", "192.0.2.1");
	first = opened;
	for (unsigned i = 0; i < 5; i++) {
		struct sockaddr_in in;

		assert_int_equal(option_of(first, SO_BINDTOIFINDEX), lo);
		assert_int_equal(name_of(first).sin_port, 0);
		rig_ask(f->rig, &ask, "b.example", DNS_A);
		assert_int_equal(opened, first);
		in = name_of(first);
		assert_int_equal(ntohl(in.sin_addr.s_addr), 0x7f000005);
		assert_int_not_equal(in.sin_port, 0);
		assert_int_equal(option_of(first, SO_BINDTOIFINDEX), lo);
		assert_int_equal(option_of(first, SO_MARK), 77);
		rig_wait(&ask);
		assert_int_equal(ask.status, 0);
		rig_forget(&ask);
	}
}

/* Without its device a socket is not used again. */
static void not_without_device(void **state)
{
	struct fixture *f = *state;
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct rig_ask ask = {0};
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(netlink >= 0);
	nst_add_device(netlink, "gone0");
	config.device = "gone0";
	move_to(f->rig, NULL, &config);
	/* There is no way to the server by that device. */
	rig_ask(f->rig, &ask, "a.example", DNS_A);
	nst_del_device(netlink, "gone0");
	rig_wait(&ask);
	assert_true(ask.status < 0);
	rig_ask(f->rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ENODEV);
	assert_int_equal(f->rig->servers[0].asked, 0);
	close(netlink);
}

/* ---- a server at a link-local address */

static void link_local_server(void **state)
{
	struct fixture *f = *state;
	struct rig *rig = f->rig;
	struct rig_ask ask = {0};
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint64_t sent;

	assert_true(netlink >= 0);
	nst_add_address(netlink, "lo", "fe80::53");
	rig_add_server(rig, "fe80::53%lo");
	assert_int_equal(rconf_parse_server(&rig->conf->servers[0], "[fe80::53%lo]:5353"), 0);
	rig->conf->server_count = 1;
	for (unsigned i = 0; i < 3; i++)
		rig_expect_address(rig, "a.example", "192.0.2.3");
	sent = rig->counters.datagrams;
	assert_int_equal(rconf_parse_server(&rig->conf->servers[0], "[fe80::53%nodev0]:53"), 0);
	rig_ask(rig, &ask, "a.example", DNS_A);
	rig_wait(&ask);
	assert_int_equal(ask.status, -ENODEV);
	assert_int_equal(rig->counters.datagrams, sent);
	nst_del_address(netlink, "lo", "fe80::53");
	close(netlink);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(gone_with_questions_under_way),
		test(gone_while_idle),
		test(keeps_device_mark_and_address),
		test(not_without_device),
		test(link_local_server),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("queries_place", tests, NULL, NULL);
}
