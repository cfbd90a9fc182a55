/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"
#include "nstest.h"

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text);
}

static bool become_root(void)
{
	char uid_map[64], gid_map[64];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", (unsigned)geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", uid_map) &&
	       write_text("/proc/self/gid_map", gid_map);
}

static bool make_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 &&
		(errno != EPERM || !become_root() || unshare(CLONE_NEWNS | CLONE_NEWNET) < 0))
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("nstest", "/run", "tmpfs", 0, "mode=755") == 0;
}

bool nst_begin(int *status)
{
	const char *required = getenv("NS_TESTS_REQUIRED");
	bool must = required && strcmp(required, "1") == 0;

	if (make_namespaces())
		return true;
	printf("%s no namespaces of our own: %s\n", must ? "Bail out!" : "1..0 # SKIP",
		strerror(errno));
	*status = must ? 99 : 0;
	return false;
}

uint64_t nst_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void note_log(void *arg, int priority, const char *vs, const char *text)
{
	struct nst *t = arg;
	size_t len = strlen(t->log);

	snprintf(
		t->log + len, sizeof(t->log) - len, "<%d> %s: %s\n", priority, vs ? vs : "-", text);
}

int nst_setup(void **state)
{
	unsigned flags = (unsigned)(uintptr_t)*state;
	struct nst *t = calloc(1, sizeof(*t));

	if (!t || (mkdir("/run/t", 0755) < 0 && errno != EEXIST) ||
		mount("nstest", "/run/t", "tmpfs", 0, "mode=755") < 0 ||
		mount("none", "/run/t", NULL, MS_SHARED, NULL) < 0 || mkdir(NST_NETNS, 0755) < 0 ||
		mkdir(NST_CONF, 0755) < 0) {
		free(t);
		return -1;
	}
	static const char *const dirs[] = {NST_NETNS, NULL};
	t->config = (struct vs_reg_config){
		.size = sizeof(t->config),
		.flags = flags,
		.netns_dirs = dirs,
		.conf_dir = NST_CONF,
		.log = note_log,
		.log_arg = t,
	};
	*state = t;
	return 0;
}

int nst_teardown(void **state)
{
	struct nst *t = *state;

	vs_reg_close(t->reg);
	free(t);
	return umount2("/run/t", MNT_DETACH);
}

void nst_open(struct nst *t)
{
	int rc = vs_reg_open(&t->reg, &t->config);

	if (rc < 0)
		fail_msg("vs_reg_open: %s\n%s", strerror(-rc), t->log);
}

static void note_event(struct vs *vs, enum vs_event event, void *arg)
{
	static const char signs[] = "?+-~@!";
	struct nst *t = arg;
	size_t len = strlen(t->events);

	assert_in_range(event, VS_ADDED, VS_RELEASED);
	assert_int_equal(vs_is_gone(vs), event == VS_REMOVED || event == VS_RELEASED);
	if (event <= VS_CHANGED || t->all_events)
		snprintf(t->events + len, sizeof(t->events) - len, "%c%s ", signs[event],
			vs_name(vs));
	if (t->hook)
		t->hook(vs, event, t->hook_arg);
}

void nst_dispatch(struct nst *t)
{
	assert_int_equal(vs_reg_dispatch(t->reg, note_event, t), 0);
}

void nst_turn(struct nst *t, int ms)
{
	struct pollfd p = {.fd = vs_reg_fd(t->reg), .events = POLLIN};

	if (poll(&p, 1, ms) == 1)
		nst_dispatch(t);
}

static int left(uint64_t end)
{
	uint64_t now = nst_now();

	return now >= end ? 0 : (int)((end - now) / 1000000) + 1;
}

void nst_expect(struct nst *t, const char *events)
{
	uint64_t end = nst_now() + NST_PATIENCE * UINT64_C(1000000);

	while (strcmp(t->events, events) != 0 && left(end) > 0)
		nst_turn(t, left(end));
	if (strcmp(t->events, events) != 0)
		fail_msg("events: '%s', not '%s'\n%s", t->events, events, t->log);
	t->events[0] = '\0';
}

void nst_expect_log(struct nst *t, const char *text)
{
	uint64_t end = nst_now() + 2 * NST_PATIENCE * UINT64_C(1000000);

	while (!strstr(t->log, text) && left(end) > 0)
		nst_turn(t, left(end));
	if (!strstr(t->log, text))
		fail_msg("no '%s' in the log:\n%s", text, t->log);
}

void nst_rescan(struct nst *t)
{
	assert_int_equal(vs_reg_rescan(t->reg), 0);
	nst_turn(t, 0);
}

int nst_reload(struct nst *t)
{
	return vs_reg_reload(t->reg, &t->config, note_event, t);
}

unsigned nst_count_log(const struct nst *t, const char *text)
{
	const char *p = t->log;
	unsigned count = 0;

	for (; (p = strstr(p, text)); p += strlen(text))
		count++;
	return count;
}

const char *nst_list(struct nst *t, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (struct vs *v = NULL; (v = vs_reg_next(t->reg, v));) {
		const char *alias;

		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? " " : "", vs_name(v));
		for (unsigned i = 0; len < size && (alias = vs_alias(v, i)); i++)
			len += (size_t)snprintf(
				buf + len, size - len, "%c%s", i ? ',' : '(', alias);
		if (len < size && vs_alias(v, 0))
			len += (size_t)snprintf(buf + len, size - len, ")");
		assert_true(len < size);
	}
	return buf;
}

void nst_expect_list(struct nst *t, const char *list)
{
	char buf[4096];

	assert_string_equal(nst_list(t, buf, sizeof(buf)), list);
}

uint64_t nst_cookie_of(int sock)
{
	uint64_t cookie = 0;

	assert_int_equal(netns_socket_cookie(sock, &cookie), 0);
	return cookie;
}

uint64_t nst_own_cookie(void)
{
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie;

	assert_true(sock >= 0);
	cookie = nst_cookie_of(sock);
	close(sock);
	return cookie;
}

struct maker {
	uint64_t cookie;
	int fd;
};

static void *make_ns(void *arg)
{
	struct maker *m = arg;

	if (unshare(CLONE_NEWNET) < 0)
		return NULL;
	m->fd = netns_open_home();
	if (m->fd >= 0 && netns_cookie(m->fd, NETNS_NO_GET_ID, &m->cookie) < 0) {
		close(m->fd);
		m->fd = -1;
	}
	return NULL;
}

int nst_new_ns(uint64_t *cookie)
{
	struct maker m = {.fd = -1};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, make_ns, &m), 0);
	pthread_join(thread, NULL);
	assert_true(m.fd >= 0);
	if (cookie)
		*cookie = m.cookie;
	return m.fd;
}

void nst_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void nst_touch(const char *path)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

void nst_bind(int ns, const char *path)
{
	char from[64];

	snprintf(from, sizeof(from), "/proc/thread-self/fd/%d", ns);
	if (mount(from, path, "none", MS_BIND, NULL) < 0)
		fail_msg("%s on %s: %s", from, path, strerror(errno));
}

uint64_t nst_add(const char *path)
{
	uint64_t cookie;
	int ns = nst_new_ns(&cookie);

	nst_touch(path);
	nst_bind(ns, path);
	close(ns);
	return cookie;
}

void nst_del(const char *path)
{
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(unlink(path), 0);
}

unsigned nst_count_ns_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	char link[64];
	struct dirent *e;
	unsigned count = 0;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link));

		if (n > 4 && strncmp(link, "net:", 4) == 0)
			count++;
	}
	closedir(dir);
	return count;
}

void nst_quiet(struct nst *t)
{
	struct pollfd p = {.fd = vs_reg_fd(t->reg), .events = POLLIN};

	while (poll(&p, 1, 0) == 1)
		nst_dispatch(t);
	t->events[0] = '\0';
}

void nst_set_address(int sock, const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct ifreq r = {.ifr_flags = IFF_UP};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "lo:1");
	assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
	memcpy(&r.ifr_addr, &in, sizeof(in));
	assert_int_equal(ioctl(sock, SIOCSIFADDR, &r), 0);
}

struct vs *nst_get(struct nst *t, const char *name)
{
	struct vs *vs = vs_by_name(t->reg, name);

	assert_non_null(vs);
	return vs;
}

void nst_set_address_in(struct vs *vs, const char *address)
{
	int sock = vs_socket(vs, AF_INET, SOCK_DGRAM, 0);

	assert_true(sock >= 0);
	nst_set_address(sock, address);
	close(sock);
}

void nst_set_nsid(int netlink, int ns, int nsid)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg body;
		_Alignas(4) struct nlattr fd;
		int32_t fd_value;
		struct nlattr id;
		int32_t id_value;
	} m = {
		.head = {sizeof(m), RTM_NEWNSID, NLM_F_REQUEST, 1, 0},
		.fd = {sizeof(struct nlattr) + 4, NETNSA_FD},
		.fd_value = ns,
		.id = {sizeof(struct nlattr) + 4, NETNSA_NSID},
		.id_value = nsid,
	};

	assert_int_equal(send(netlink, &m, sizeof(m), 0), sizeof(m));
}
