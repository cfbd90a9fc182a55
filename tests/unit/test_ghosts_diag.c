/* SPDX-License-Identifier: BSD-3-Clause */
/* Is somebody there? Asked of the kernel, with real sockets in a namespace of the test's own. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nstest.h"
#include "t.h"
#include "caller.h"
#include "ghosts_diag.h"

#define CROWD 3000

struct rig {
	int diag;
	struct regs *regs;
	struct ghosts_query query[GHOSTS_QUERIES_MAX];
	size_t count;
};

static int setup(void **state)
{
	static const struct regs_limits limits = {.entries = 1000, .entries_per_owner = 1000};
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	static struct rig rig;

	memset(&rig, 0, sizeof(rig));
	rig.diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	assert_true(rig.diag >= 0);
	assert_int_equal(connect(rig.diag, (const struct sockaddr *)&kernel, sizeof(kernel)), 0);
	assert_int_equal(regs_new(&rig.regs, &limits, NULL), 0);
	*state = &rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	close(rig->diag);
	regs_free(rig->regs);
	return 0;
}

static size_t ask_for(struct rig *rig, enum netid netid, const char *host, uint16_t port)
{
	static const struct regs_owner root = {.superuser = true};
	struct uaddr u = {.family = netid_info(netid)->family, .port = port};
	const struct regs_entry *e = NULL, *next;
	char text[UADDR_MAX];

	assert_int_equal(inet_pton(u.family, host, u.addr), 1);
	uaddr_format(&u, text, sizeof(text));
	assert_int_equal(regs_set(rig->regs, 300, (uint32_t)rig->count, netid, text, &root), 0);
	while ((next = regs_next(rig->regs, e)))
		e = next;
	assert_true(rig->count < GHOSTS_QUERIES_MAX);
	rig->query[rig->count].entry = e;
	return rig->count++;
}

/* port 0: any, which is returned by *port. */
static int open_at(int type, const char *host, uint16_t *port, bool v6_only, const char *device)
{
	struct uaddr u = {.port = *port};
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, on = 1, only = v6_only;

	u.family = strchr(host, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(u.family, host, u.addr), 1);
	fd = socket(u.family, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (u.family == AF_INET6)
		assert_int_equal(setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &only, sizeof(only)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	if (device)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
					 (socklen_t)strlen(device)), 0);
	len = uaddr_to_sockaddr(&u, &ss);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	len = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	/* Of either family at the same place. */
	*port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	return fd;
}

static void nothing_is_left(const struct rig *rig)
{
	char byte;

	assert_int_equal(recv(rig->diag, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static bool look(struct rig *rig, size_t i)
{
	assert_int_equal(ghosts_look(rig->diag, NULL, rig->query, rig->count), 0);
	nothing_is_left(rig);
	return rig->query[i].present;
}

/* How it listens, and how it is registered. */
static void ways_to_listen(void **state)
{
	static const struct {
		int type;
		const char *at;
		bool v6_only;
		const char *device;
		enum netid netid;
		const char *host;
		bool present;
	} cases[] = {
		{SOCK_STREAM, "0.0.0.0", false, NULL, NETID_TCP, "0.0.0.0", true},
		{SOCK_STREAM, "0.0.0.0", false, NULL, NETID_TCP, "10.1.1.1", true},
		{SOCK_STREAM, "127.0.0.1", false, NULL, NETID_TCP, "0.0.0.0", true},
		{SOCK_STREAM, "127.0.0.1", false, NULL, NETID_TCP, "127.0.0.1", true},
		{SOCK_STREAM, "127.0.0.1", false, NULL, NETID_TCP, "127.0.0.2", false},
		{SOCK_STREAM, "127.0.0.1", false, NULL, NETID_UDP, "127.0.0.1", false},
		{SOCK_STREAM, "0.0.0.0", false, "lo", NETID_TCP, "0.0.0.0", true},
		{SOCK_STREAM, "::", false, NULL, NETID_TCP, "0.0.0.0", true},
		{SOCK_STREAM, "::", false, "lo", NETID_TCP, "10.1.1.1", true},
		{SOCK_STREAM, "::", true, NULL, NETID_TCP, "0.0.0.0", false},
		{SOCK_STREAM, "::", true, NULL, NETID_TCP6, "::", true},
		{SOCK_STREAM, "::1", true, NULL, NETID_TCP6, "::", true},
		{SOCK_STREAM, "::ffff:127.0.0.1", false, NULL, NETID_TCP, "127.0.0.1", true},
		{SOCK_STREAM, "::ffff:127.0.0.1", false, NULL, NETID_TCP6, "::", false},
		{SOCK_STREAM, "0.0.0.0", false, NULL, NETID_TCP6, "::", false},
		{SOCK_DGRAM, "0.0.0.0", false, NULL, NETID_UDP, "0.0.0.0", true},
		{SOCK_DGRAM, "0.0.0.0", false, NULL, NETID_UDP, "10.1.1.1", true},
		{SOCK_DGRAM, "127.0.0.1", false, NULL, NETID_UDP, "0.0.0.0", true},
		{SOCK_DGRAM, "127.0.0.1", false, NULL, NETID_UDP, "127.0.0.2", false},
		{SOCK_DGRAM, "127.0.0.1", false, NULL, NETID_TCP, "127.0.0.1", false},
		{SOCK_DGRAM, "0.0.0.0", false, "lo", NETID_UDP, "0.0.0.0", true},
		{SOCK_DGRAM, "::", false, NULL, NETID_UDP, "0.0.0.0", true},
		{SOCK_DGRAM, "::", false, "lo", NETID_UDP, "0.0.0.0", true},
		{SOCK_DGRAM, "::", true, NULL, NETID_UDP, "0.0.0.0", false},
		{SOCK_DGRAM, "::", true, NULL, NETID_UDP6, "fd00::1", true},
		{SOCK_DGRAM, "::1", true, NULL, NETID_UDP6, "::", true},
		{SOCK_DGRAM, "0.0.0.0", false, NULL, NETID_UDP6, "::", false},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t port = 0;
		int fd = open_at(cases[i].type, cases[i].at, &port, cases[i].v6_only,
			cases[i].device);
		size_t q = ask_for(rig, cases[i].netid, cases[i].host, port);

		assert_int_equal(look(rig, q), cases[i].present);
		close(fd);
		assert_false(look(rig, q));
	}
}

/* A connection is no listener, and one that has been closed nothing at all. */
static void only_listeners(void **state)
{
	struct rig *rig = *state;
	uint16_t port = 0;
	int listener = open_at(SOCK_STREAM, "127.0.0.1", &port, false, NULL), client, accepted;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	size_t q = ask_for(rig, NETID_TCP, "127.0.0.1", port);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&in, sizeof(in)), 0);
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(look(rig, q));
	close(listener);
	assert_false(look(rig, q));
	close(accepted);
	assert_false(look(rig, q));
	close(client);
	assert_false(look(rig, q));
}

/* Every place in the program by which the kernel selects, up to the longest there is: all of them
 * are on one address and registered on the wildcard, which only a search finds. The ports are
 * chosen here, since the kernel may choose one twice for sockets with SO_REUSEPORT. */
static void many_at_once(void **state)
{
	struct rig *rig = *state;
	int fd[GHOSTS_QUERIES_MAX];

	for (unsigned i = 0; i < GHOSTS_QUERIES_MAX; i++) {
		uint16_t port = (uint16_t)(20000 + i);

		fd[i] = open_at(i % 2 ? SOCK_STREAM : SOCK_DGRAM, "127.0.0.1", &port, false, NULL);
		ask_for(rig, i % 2 ? NETID_TCP : NETID_UDP, "0.0.0.0", port);
	}
	assert_true(look(rig, 0));
	for (unsigned closed = 0; closed < GHOSTS_QUERIES_MAX; closed++) {
		close(fd[closed]);
		look(rig, 0);
		for (unsigned i = 0; i < GHOSTS_QUERIES_MAX; i++)
			assert_int_equal(rig->query[i].present, i > closed);
	}
}

static void dump_all(int fd)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 req;
	} m = {.head = {.nlmsg_len = sizeof(m),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = 12345}};

	m.req.sdiag_family = AF_INET;
	m.req.sdiag_protocol = IPPROTO_UDP;
	m.req.idiag_states = UINT32_MAX;
	assert_int_equal(send(fd, &m, sizeof(m), 0), (ssize_t)sizeof(m));
}

/* What another search has left behind is not taken for an answer, and the look-up of an owner
 * works after ours. */
static void shares_the_socket(void **state)
{
	struct rig *rig = *state;
	uint16_t port = 0;
	int fd = open_at(SOCK_DGRAM, "127.0.0.1", &port, false, NULL);
	size_t q = ask_for(rig, NETID_UDP, "0.0.0.0", port);
	size_t none = ask_for(rig, NETID_UDP, "10.1.1.1", port);
	struct uaddr peer = {.family = AF_INET, .port = port, .addr = {127, 0, 0, 1}};
	struct uaddr local = {.family = AF_INET, .port = 111, .addr = {127, 0, 0, 1}};
	uid_t uid = 77;
	bool sure;

	dump_all(rig->diag);
	assert_true(look(rig, q));
	assert_false(rig->query[none].present);
	assert_int_equal(
		caller_loopback_uid(rig->diag, IPPROTO_UDP, &peer, &local, &uid, &sure), 0);
	assert_int_equal(uid, geteuid());
	assert_true(look(rig, q));
	close(fd);
}

/* More than is read: nobody is judged then. Afterwards all is as before, for others too. */
static void crowd(void **state)
{
	static int fd[CROWD];
	struct rlimit limit;
	struct rig *rig = *state;
	uint16_t port = 0, other = 0;
	int rc = -1, alone = open_at(SOCK_STREAM, "127.0.0.1", &other, false, NULL);
	size_t q = ask_for(rig, NETID_TCP, "0.0.0.0", other);
	unsigned tries = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < CROWD + 100 || setrlimit(RLIMIT_NOFILE, &limit) < 0) {
		print_message("crowd: not enough descriptors\n");
		close(alone);
		return;
	}
	for (unsigned i = 0; i < CROWD; i++)
		fd[i] = open_at(SOCK_DGRAM, "127.0.0.1", &port, false, NULL);
	ask_for(rig, NETID_UDP, "127.0.0.2", port);
	assert_int_equal(ghosts_look(rig->diag, NULL, rig->query, rig->count), -EBUSY);
	rig->count--;
	while (tries++ < 10 && rc != 0)
		rc = ghosts_look(rig->diag, NULL, rig->query, rig->count);
	assert_int_equal(rc, 0);
	assert_true(rig->query[q].present);
	nothing_is_left(rig);
	for (unsigned i = 0; i < CROWD; i++)
		close(fd[i]);
	close(alone);
}

static void no_kernel_no_answer(void **state)
{
	struct rig *rig = *state;
	int pair[2];

	ask_for(rig, NETID_UDP, "0.0.0.0", 1234);
	assert_true(ghosts_look(-1, NULL, rig->query, 1) < 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_true(ghosts_look(pair[0], NULL, rig->query, 1) < 0);
	assert_int_equal(ghosts_look(rig->diag, NULL, rig->query, 0), 0);
	close(pair[0]);
	close(pair[1]);
}

static int lo_up(void **state)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ways_to_listen, setup, teardown),
		cmocka_unit_test_setup_teardown(only_listeners, setup, teardown),
		cmocka_unit_test_setup_teardown(many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(shares_the_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(crowd, setup, teardown),
		cmocka_unit_test_setup_teardown(no_kernel_no_answer, setup, teardown),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests_name("ghosts_diag", tests, lo_up, NULL);
}
