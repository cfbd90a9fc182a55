/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry in motion: namespaces that come, go, and come again. */
#include "config.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nstest.h"

#ifdef NSAUX_SANITIZED
#define GONE_MS 500
#else
#define GONE_MS 50
#endif

static void test_comes_and_goes(void **state)
{
	struct nst *t = *state;
	uint64_t cookie;
	struct vs *vs;

	nst_open(t);
	cookie = nst_add(NST_NETNS "/a");
	nst_expect(t, "+a ");
	vs = vs_by_name(t->reg, "a");
	assert_int_equal(vs_cookie(vs), cookie);
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a ");
	assert_true(vs_is_gone(vs));
	assert_null(vs_by_name(t->reg, "a"));
	assert_null(vs_by_cookie(t->reg, cookie));
	assert_int_equal(vs_socket(vs, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	assert_string_equal(vs_name(vs), "a");
	vs_unref(vs);
}

/* As iproute2 makes it, only slower: the registry has looked, and found a plain file. */
static void test_name_before_its_mount(void **state)
{
	struct nst *t = *state;
	int ns = nst_new_ns(NULL);

	nst_open(t);
	nst_touch(NST_NETNS "/a");
	nst_turn(t, NST_PATIENCE); /* inotify */
	nst_turn(t, NST_PATIENCE); /* the first try again */
	nst_expect(t, "");
	nst_expect_list(t, "host");
	nst_bind(ns, NST_NETNS "/a");
	nst_expect(t, "+a ");
	assert_int_equal(nst_count_log(t, "not a network namespace"), 0);
	close(ns);
}

static void test_there_at_open_without_its_mount(void **state)
{
	struct nst *t = *state;
	int ns = nst_new_ns(NULL);

	nst_touch(NST_NETNS "/a");
	nst_open(t);
	nst_bind(ns, NST_NETNS "/a");
	nst_expect(t, "+a ");
	close(ns);
}

/* The mount is taken away first and the file stays, as at the first half of a deletion. */
static void test_unmounted_only(void **state)
{
	struct nst *t = *state;
	uint64_t cookie;
	int ns = nst_new_ns(&cookie);

	nst_touch(NST_NETNS "/a");
	nst_bind(ns, NST_NETNS "/a");
	nst_open(t);
	assert_int_equal(umount2(NST_NETNS "/a", MNT_DETACH), 0);
	nst_expect(t, "-a ");
	/* The same namespace again is a new VS all the same: its sockets are closed by now. */
	nst_bind(ns, NST_NETNS "/a");
	nst_expect(t, "+a ");
	struct vs *vs = vs_by_cookie(t->reg, cookie);
	assert_non_null(vs);
	vs_unref(vs);
	close(ns);
}

static void test_made_again_under_its_name(void **state)
{
	struct nst *t = *state;
	uint64_t first, second;
	struct vs *old, *new;
	struct vs_saved saved;
	uid_t owner, root;
	int sock, pin;

	first = nst_add(NST_NETNS "/a");
	nst_open(t);
	old = vs_by_name(t->reg, "a");
	/* Alive by this socket, so that the old one is not merely gone. */
	pin = vs_socket(old, AF_INET, SOCK_DGRAM, 0);
	nst_del(NST_NETNS "/a");
	second = nst_add(NST_NETNS "/a");
	if (!(t->config.flags & VS_NO_HANDLE)) {
		/* Not dispatched yet. The handle still leads to the first one; by its name the
		 * second one would be found, and is refused. */
		sock = vs_socket(old, AF_INET, SOCK_DGRAM, 0);
		assert_true(sock == -ESTALE || nst_cookie_of(sock) == first);
		if (sock >= 0)
			close(sock);
	} else {
		assert_int_equal(vs_socket(old, AF_INET, SOCK_DGRAM, 0), -ESTALE);
		assert_int_equal(vs_enter(old, &saved), -ESTALE);
		assert_int_equal(vs_root_uids(old, &owner, &root), -ESTALE);
	}
	nst_expect(t, "-a +a ");
	assert_int_equal(vs_socket(old, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	assert_int_equal(vs_enter(old, &saved), -ESTALE);
	new = vs_by_name(t->reg, "a");
	assert_ptr_not_equal(old, new);
	assert_int_equal(vs_cookie(old), first);
	assert_int_equal(vs_cookie(new), second);
	sock = vs_socket(new, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(nst_cookie_of(sock), second);
	close(sock);
	close(pin);
	vs_unref(old);
	vs_unref(new);
}

/* Another namespace over the same file, which is neither made nor deleted. */
static void test_mounted_over(void **state)
{
	struct nst *t = *state;
	uint64_t second;
	int ns = nst_new_ns(&second);

	nst_add(NST_NETNS "/a");
	nst_open(t);
	nst_bind(ns, NST_NETNS "/a");
	nst_expect(t, "-a +a ");
	assert_int_equal(umount2(NST_NETNS "/a", MNT_DETACH), 0);
	nst_expect(t, "-a +a ");
	close(ns);
}

static void test_renamed(void **state)
{
	struct nst *t = *state;

	nst_add(NST_NETNS "/a");
	nst_open(t);
	/* A mount point cannot be renamed; its mount can be moved. */
	nst_touch(NST_NETNS "/b");
	/* Not out of a shared mount. */
	assert_int_equal(mount("none", "/run/t", NULL, MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", NST_NETNS "/a", NULL, MS_PRIVATE, NULL), 0);
	assert_int_equal(mount(NST_NETNS "/a", NST_NETNS "/b", NULL, MS_MOVE, NULL), 0);
	/* The file that waited is looked at before the others: for a moment there are two names. */
	nst_expect(t, "~a ~b ");
	nst_expect_list(t, "b host");
}

/* Who polls a mountinfo descriptor takes its event away, and an outer epoll does that before the
 * registry can look. Here nothing else tells of the mount: the file is no news to inotify. */
static void test_mount_seen_through_an_outer_epoll(void **state)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct nst *t = *state;
	int outer = epoll_create1(EPOLL_CLOEXEC), ns = nst_new_ns(NULL);
	struct pollfd p = {.events = POLLIN};

	nst_open(t);
	p.fd = vs_reg_fd(t->reg);
	nst_add(NST_NETNS "/a");
	nst_expect(t, "+a ");
	while (poll(&p, 1, 0) == 1)
		nst_turn(t, 0);
	assert_int_equal(epoll_ctl(outer, EPOLL_CTL_ADD, vs_reg_fd(t->reg), &e), 0);
	nst_bind(ns, NST_NETNS "/a");
	assert_int_equal(epoll_wait(outer, &e, 1, NST_PATIENCE), 1);
	assert_int_equal(poll(&p, 1, 0), 0); /* gone, as it would be for the registry */
	nst_dispatch(t);
	nst_expect(t, "-a +a ");
	/* And nothing is left to do. */
	nst_dispatch(t);
	while (poll(&p, 1, 0) == 1)
		nst_turn(t, 0);
	nst_expect(t, "");
	close(outer);
	close(ns);
}

static void test_directory_comes_later(void **state)
{
	static const char *const dirs[] = {"/run/t/later/on//netns/", NST_NETNS, NULL};
	struct nst *t = *state;

	t->config.netns_dirs = dirs;
	nst_open(t);
	nst_expect_list(t, "host");
	assert_int_equal(mkdir("/run/t/later", 0755), 0);
	assert_int_equal(mkdir("/run/t/later/on", 0755), 0);
	nst_turn(t, NST_PATIENCE);
	assert_int_equal(mkdir("/run/t/later/on/netns", 0755), 0);
	nst_add("/run/t/later/on/netns/a");
	nst_expect(t, "+a ");
	nst_add(NST_NETNS "/b");
	nst_expect(t, "+b ");
	nst_del("/run/t/later/on/netns/a");
	assert_int_equal(rmdir("/run/t/later/on/netns"), 0);
	assert_int_equal(rmdir("/run/t/later/on"), 0);
	nst_expect(t, "-a ");
	assert_int_equal(mkdir("/run/t/later/on", 0755), 0);
	assert_int_equal(mkdir("/run/t/later/on/netns", 0755), 0);
	nst_add("/run/t/later/on/netns/c");
	nst_expect(t, "+c ");
	nst_expect_list(t, "b c host");
}

/* As the first `ip netns add` of all does: the directory bound on itself and shared; and as
 * systems do that mount a file system there. */
static void test_directory_is_mounted_over(void **state)
{
	struct nst *t = *state;

	nst_open(t);
	assert_int_equal(mount(NST_NETNS, NST_NETNS, "none", MS_BIND | MS_REC, NULL), 0);
	assert_int_equal(mount("none", NST_NETNS, NULL, MS_SHARED | MS_REC, NULL), 0);
	nst_add(NST_NETNS "/a");
	nst_expect(t, "+a ");
	assert_int_equal(mount("nstest", NST_NETNS, "tmpfs", 0, NULL), 0);
	nst_expect(t, "-a ");
	nst_add(NST_NETNS "/b");
	nst_expect(t, "+b ");
	assert_int_equal(umount2(NST_NETNS, MNT_DETACH), 0);
	nst_expect(t, "-b +a ");
	nst_add(NST_NETNS "/c");
	nst_expect(t, "+c ");
}

/* More events than inotify keeps. */
static void test_overflow(void **state)
{
	struct nst *t = *state;
	char path[64];
	unsigned queue = 0;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &queue), 1);
	fclose(f);
	nst_add(NST_NETNS "/z");
	nst_open(t);
	for (unsigned i = 0; i <= queue; i++) {
		snprintf(path, sizeof(path), NST_NETNS "/%u", i % 2);
		nst_touch(path);
		assert_int_equal(unlink(path), 0);
	}
	nst_add(NST_NETNS "/a");
	nst_expect(t, "+a ");
	nst_expect_list(t, "a host z");
}

struct outside {
	pthread_barrier_t copied, changed;
	int ns;
};

/* Somebody with a mount namespace of his own, whose mounts do not come to ours. */
static void *mount_outside(void *arg)
{
	struct outside *o = arg;
	bool ok = unshare(CLONE_NEWNS) == 0 &&
		  mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	char from[64];

	pthread_barrier_wait(&o->copied);
	snprintf(from, sizeof(from), "/proc/thread-self/fd/%d", o->ns);
	if (!ok || mknod(NST_NETNS "/a", S_IFREG, 0) < 0 ||
		mount(from, NST_NETNS "/a", "none", MS_BIND, NULL) < 0)
		o->ns = -1;
	pthread_barrier_wait(&o->changed);
	return NULL;
}

/* The file is seen and the mount is not, ever: no VS, and a word about it. Once with and
 * once without the kernel's features, at the same time, since it takes 10 s. */
static void test_private_propagation(void **state)
{
	struct nst *t = *state;
	struct outside o = {.ns = nst_new_ns(NULL)};
	struct vs_reg *other;
	struct vs_reg_config c = t->config;
	uint64_t end = nst_now() + UINT64_C(20000000000);
	pthread_t thread;
	int ns = o.ns;

	assert_int_equal(mount("none", "/run/t", NULL, MS_PRIVATE, NULL), 0);
	nst_open(t);
	c.flags = NST_OLD_KERNEL;
	assert_int_equal(vs_reg_open(&other, &c), 0);
	pthread_barrier_init(&o.copied, NULL, 2);
	pthread_barrier_init(&o.changed, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, mount_outside, &o), 0);
	pthread_barrier_wait(&o.copied);
	pthread_barrier_wait(&o.changed);
	assert_int_not_equal(o.ns, -1);
	while (nst_count_log(t, "propagation is private") < 2 && nst_now() < end) {
		struct pollfd p[] = {{vs_reg_fd(t->reg), POLLIN, 0}, {vs_reg_fd(other), POLLIN, 0}};
		assert_true(poll(p, 2, NST_PATIENCE) > 0);
		if (p[0].revents)
			assert_int_equal(vs_reg_dispatch(t->reg, NULL, NULL), 0);
		if (p[1].revents)
			assert_int_equal(vs_reg_dispatch(other, NULL, NULL), 0);
	}
	assert_int_equal(nst_count_log(t, "a: " NST_NETNS "/a is not a network namespace"), 2);
	assert_int_equal(nst_count_log(t, "propagation is private"), 2);
	nst_expect_list(t, "host");
	/* Once: no more of it, and no timer that goes on. */
	nst_rescan(t);
	assert_int_equal(nst_count_log(t, "not a network namespace"), 2);
	struct pollfd p = {.fd = vs_reg_fd(t->reg), .events = POLLIN};
	assert_int_equal(poll(&p, 1, 0), 0);
	/* A mount that is made here is seen at once, long after the retries. */
	nst_bind(ns, NST_NETNS "/a");
	nst_expect(t, "+a ");
	vs_reg_close(other);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&o.copied);
	pthread_barrier_destroy(&o.changed);
	close(ns);
}

struct closer {
	int *sock;
	uint64_t when;
};

static void close_socket(struct vs *vs, enum vs_event event, void *arg)
{
	struct closer *c = arg;

	(void)vs;
	if (event != VS_REMOVED)
		return;
	close(*c->sock);
	c->when = nst_now();
}

/* Gives the namespace an nsid, so that the kernel announces its end. */
static int set_nsid(int netlink, int ns)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg body;
		_Alignas(4) struct nlattr fd;
		int32_t fd_value;
		struct nlattr id;
		int32_t id_value;
	} m = {
		.head = {sizeof(m), RTM_NEWNSID, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		.fd = {sizeof(struct nlattr) + 4, NETNSA_FD},
		.fd_value = ns,
		.id = {sizeof(struct nlattr) + 4, NETNSA_NSID},
		.id_value = -1,
	};

	return send(netlink, &m, sizeof(m), 0) == (ssize_t)sizeof(m) ? 0 : -errno;
}

static bool wait_for(struct nst *t, int netlink, uint16_t type)
{
	uint64_t end = nst_now() + NST_PATIENCE * UINT64_C(1000000);
	_Alignas(struct nlmsghdr) char bytes[4096];

	while (nst_now() < end) {
		struct pollfd p[] = {{netlink, POLLIN, 0}, {vs_reg_fd(t->reg), POLLIN, 0}};

		poll(p, 2, 100);
		nst_turn(t, 0);
		if (!p[0].revents)
			continue;
		ssize_t n = recv(netlink, bytes, sizeof(bytes), 0);
		for (struct nlmsghdr *h = (struct nlmsghdr *)bytes; n > 0 && NLMSG_OK(h, (size_t)n);
			h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == type)
				return true;
		}
	}
	return false;
}

/* Sockets are open when the name goes: the application closes its own in the event, the registry
 * holds nothing, and so the namespace ends while the process lives. */
static void test_deleted_with_open_sockets(void **state)
{
	struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = 0};
	struct nst *t = *state;
	int nsid_group = RTNLGRP_NSID, sock = -1;
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int ns = nst_new_ns(NULL);
	struct closer c = {.sock = &sock};
	uint64_t start;
	struct vs *vs;

	assert_int_equal(bind(netlink, (struct sockaddr *)&group, sizeof(group)), 0);
	assert_int_equal(setsockopt(netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nsid_group,
				 sizeof(nsid_group)),
		0);
	nst_touch(NST_NETNS "/a");
	nst_bind(ns, NST_NETNS "/a");
	nst_open(t);
	t->hook = close_socket;
	t->hook_arg = &c;
	assert_int_equal(set_nsid(netlink, ns), 0);
	close(ns);
	assert_true(wait_for(t, netlink, RTM_NEWNSID));
	vs = vs_by_name(t->reg, "a"); /* a reference pins nothing */
	sock = vs_socket(vs, AF_INET, SOCK_STREAM, 0);
	assert_true(sock >= 0);
	start = nst_now();
	nst_del(NST_NETNS "/a");
	nst_expect(t, "-a ");
	print_message("# the last descriptor was closed %.2f ms after the deletion\n",
		(double)(c.when - start) / 1e6);
	assert_in_range(c.when - start, 0, UINT64_C(1000000) * GONE_MS);
	assert_true(wait_for(t, netlink, RTM_DELNSID));
	print_message("# RTM_DELNSID after %.2f ms\n", (double)(nst_now() - start) / 1e6);
	assert_int_equal(vs_socket(vs, AF_INET, SOCK_DGRAM, 0), -ESTALE);
	vs_unref(vs);
	close(netlink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NST_BOTH(test_comes_and_goes),
		NST_BOTH(test_name_before_its_mount),
		NST_BOTH(test_there_at_open_without_its_mount),
		NST_BOTH(test_unmounted_only),
		NST_BOTH(test_made_again_under_its_name),
		NST_BOTH(test_mounted_over),
		NST_BOTH(test_renamed),
		NST_BOTH(test_mount_seen_through_an_outer_epoll),
		NST_BOTH(test_directory_comes_later),
		NST_BOTH(test_directory_is_mounted_over),
		NST_BOTH(test_overflow),
		NST_BOTH(test_deleted_with_open_sockets),
		NST_ONCE(test_private_propagation),
	};
	int status;

	if (!nst_begin(&status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
