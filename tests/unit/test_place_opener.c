/* SPDX-License-Identifier: BSD-3-Clause */
/* An unprivileged program whose sockets somebody else makes: what it takes from him, and what
 * not. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "resolv_net_rig.h"
#include "resolv_opener.h"

#define RED NST_NETNS "/red"
#define BLUE NST_NETNS "/blue"

struct rig {
	struct nst *t;
	struct opener opener;
	struct rig_privilege privilege;
	uint64_t red;
	unsigned fds;
	struct place *place;
};

/* From here on without privilege. */
static void begin(struct rig *rig, struct nst *t, const char *vs, uint32_t mark)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct vs *found = NULL;

	memset(rig, 0, sizeof(*rig));
	rig->t = t;
	rig->red = nst_add(RED);
	nst_add(BLUE);
	opener_start(&rig->opener, RED);
	if (vs) {
		nst_open(t);
		found = nst_get(t, vs);
	}
	rig_drop(&rig->privilege);
	config.socket = opener_socket;
	config.socket_arg = &rig->opener;
	config.mark = mark;
	assert_int_equal(place_new(&rig->place, found, &config), 0);
	vs_unref(found);
	rig->fds = rig_count_fds();
}

static void end(struct rig *rig)
{
	assert_int_equal(rig_count_fds(), rig->fds);
	rig_restore(&rig->privilege);
	place_free(rig->place);
	opener_stop(&rig->opener);
}

static int ask(struct rig *rig, int family, int type)
{
	int protocol = family == AF_NETLINK ? NETLINK_ROUTE : 0;
	int sock = place_socket(rig->place, family, type, protocol);

	if (sock < 0)
		return sock;
	assert_int_equal(nst_cookie_of(sock), rig->red);
	assert_true(fcntl(sock, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(sock, F_GETFL) & O_NONBLOCK);
	close(sock);
	return 0;
}

static void expect_all(struct rig *rig, int rc)
{
	assert_int_equal(ask(rig, AF_INET, SOCK_DGRAM), rc);
	assert_int_equal(ask(rig, AF_INET6, SOCK_DGRAM), rc);
	assert_int_equal(ask(rig, AF_INET, SOCK_STREAM), rc);
	assert_int_equal(ask(rig, AF_NETLINK, SOCK_RAW), rc);
}

static void test_sockets(void **state)
{
	unsigned ifindex = 0;
	struct rig rig;

	begin(&rig, *state, NULL, 0);
	expect_all(&rig, 0);
	assert_int_equal(place_ifindex(rig.place, "lo", &ifindex), 0);
	assert_int_equal(ifindex, 1);
	rig.opener.error = -ENFILE;
	expect_all(&rig, -ENFILE);
	rig.opener.error = 0;
	expect_all(&rig, 0);
	end(&rig);
}

/* The first socket has told which namespace it is; another one is nothing that is used. */
static void test_wrong_namespace(void **state)
{
	struct rig rig;

	begin(&rig, *state, NULL, 0);
	expect_all(&rig, 0);
	opener_lead(&rig.opener, BLUE);
	expect_all(&rig, -ESTALE);
	opener_lead(&rig.opener, "/proc/self/ns/net");
	expect_all(&rig, -ESTALE);
	opener_lead(&rig.opener, RED);
	expect_all(&rig, 0);
	end(&rig);
}

/* With a VS of the registry it is known from the start. */
static void test_registry(void **state)
{
	struct rig rig;

	begin(&rig, *state, "red", 0);
	opener_lead(&rig.opener, BLUE);
	expect_all(&rig, -ESTALE);
	opener_lead(&rig.opener, RED);
	expect_all(&rig, 0);
	rig_restore(&rig.privilege);
	nst_del(RED);
	nst_add(RED);
	nst_expect(rig.t, "-red +red ");
	rig_drop(&rig.privilege);
	expect_all(&rig, -ESTALE);
	end(&rig);
}

static void test_wrong_socket(void **state)
{
	struct rig rig;

	begin(&rig, *state, NULL, 0);
	rig.opener.type = SOCK_STREAM;
	assert_int_equal(ask(&rig, AF_INET, SOCK_DGRAM), -EPROTO);
	rig.opener.type = SOCK_DGRAM;
	assert_int_equal(ask(&rig, AF_INET6, SOCK_STREAM), -EPROTO);
	rig.opener.type = 0;
	rig.opener.port = 5353;
	assert_int_equal(ask(&rig, AF_INET, SOCK_DGRAM), -EPROTO);
	rig.opener.port = 0;
	assert_int_equal(ask(&rig, AF_INET, SOCK_DGRAM), 0);
	end(&rig);
}

static void test_mark(void **state)
{
	struct rig rig;

	begin(&rig, *state, NULL, 9);
	assert_int_equal(ask(&rig, AF_INET, SOCK_DGRAM), -EPROTO);
	rig.opener.mark = 8;
	assert_int_equal(ask(&rig, AF_INET6, SOCK_DGRAM), -EPROTO);
	rig.opener.mark = 9;
	assert_int_equal(ask(&rig, AF_INET, SOCK_DGRAM), 0);
	assert_int_equal(ask(&rig, AF_INET6, SOCK_STREAM), 0);
	end(&rig);
}

/* No socket at all: what it returns may be any number. */
static int give_a_file(void *arg, int domain, int type, int protocol)
{
	(void)arg;
	(void)domain;
	(void)type;
	(void)protocol;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void test_no_socket(void **state)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	struct place *place;
	unsigned fds = rig_count_fds();

	(void)state;
	config.socket = give_a_file;
	assert_int_equal(place_new(&place, NULL, &config), 0);
	assert_int_equal(place_socket(place, AF_INET, SOCK_DGRAM, 0), -EPROTO);
	assert_int_equal(place_socket(place, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), -EPROTO);
	place_free(place);
	assert_int_equal(rig_count_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_ONCE(test_sockets),
		NST_ONCE(test_wrong_namespace),
		NST_KERNELS(test_registry),
		NST_ONCE(test_wrong_socket),
		NST_ONCE(test_mark),
		NST_ONCE(test_no_socket),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
