/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel names the inode and the owner of a socket that is bound to a port (sock_diag) or to
 * a name (unix_diag); the process is then looked for among the descriptors in /proc. This is
 * done only when a port is taken, which is rare.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"
#include "opener_holder.h"

/* What a tenant can make long: the list of his sockets, and of descriptors in his processes. */
#define MESSAGES_MAX 65536
#define TIME_MAX (200 * 1000000LL) /* ns */

struct wanted {
	int64_t deadline; /* CLOCK_MONOTONIC, ns */
	unsigned messages;
	uint8_t family, protocol; /* AF_UNIX: protocol unused */
	uint16_t port;
	const char *name; /* AF_UNIX: the name without a leading NUL */
	bool abstract;
	uint32_t inode; /* found; 0: not */
	uint32_t uid;
	bool has_uid;
};

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static bool same_name(const struct wanted *w, const struct netlink_message *m)
{
	size_t n, len = strlen(w->name);
	const unsigned char *p = netlink_attr(m, sizeof(struct unix_diag_msg), UNIX_DIAG_NAME, &n);

	if (!p)
		return false;
	if (w->abstract)
		return n == len + 1 && !p[0] && !memcmp(p + 1, w->name, len);
	return n >= len && !memcmp(p, w->name, len) && (n == len || !p[len]);
}

static void look_at(struct wanted *w, const struct netlink_message *m)
{
	struct unix_diag_msg un;
	struct inet_diag_msg inet;

	if (w->family == AF_UNIX) {
		if (m->len < sizeof(un) || !same_name(w, m))
			return;
		memcpy(&un, m->body, sizeof(un));
		w->inode = un.udiag_ino;
		return;
	}
	if (m->len < sizeof(inet))
		return;
	memcpy(&inet, m->body, sizeof(inet));
	if (ntohs(inet.id.idiag_sport) == w->port) {
		w->inode = inet.idiag_inode;
		w->uid = inet.idiag_uid;
		w->has_uid = true;
	}
}

static int send_request(int fd, const struct wanted *w)
{
	struct {
		struct nlmsghdr nh;
		union {
			struct inet_diag_req_v2 inet;
			struct unix_diag_req un;
		} u;
	} req = {.nh = {.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};

	if (w->family == AF_UNIX) {
		req.nh.nlmsg_len = NLMSG_LENGTH(sizeof(req.u.un));
		req.u.un.sdiag_family = AF_UNIX;
		req.u.un.udiag_states = UINT32_MAX;
		req.u.un.udiag_show = UDIAG_SHOW_NAME;
	} else {
		req.nh.nlmsg_len = NLMSG_LENGTH(sizeof(req.u.inet));
		req.u.inet.sdiag_family = w->family;
		req.u.inet.sdiag_protocol = w->protocol;
		/* Listening TCP sockets; UDP ones are in the state that TCP calls closed. */
		req.u.inet.idiag_states = w->protocol == IPPROTO_TCP ? 1u << 10 : UINT32_MAX;
		req.u.inet.id.idiag_sport = htons(w->port);
	}
	return send(fd, &req, req.nh.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* False: there is no more, or it is not to be read. */
static bool look_at_all(struct wanted *w, const void *bytes, size_t len)
{
	struct netlink_message m;
	size_t pos = 0;
	int rc = 1;

	while (!w->inode && (rc = netlink_next(bytes, len, &pos, &m)) > 0) {
		if (m.head.nlmsg_type == NLMSG_DONE || m.head.nlmsg_type == NLMSG_ERROR ||
			++w->messages > MESSAGES_MAX)
			return false;
		look_at(w, &m);
	}
	return rc == 0;
}

static void ask_kernel(int fd, struct wanted *w)
{
	unsigned char bytes[16384];
	ssize_t n;

	if (send_request(fd, w))
		return;
	do {
		n = netlink_receive(fd, bytes, sizeof(bytes));
	} while (n >= 0 && look_at_all(w, bytes, (size_t)n) && now() < w->deadline);
}

/* Each time a new one: a dump that was not read to its end would bar the next. */
static void ask_by_socket(struct vs *vs, struct wanted *w)
{
	int fd = vs_socket(vs, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return;
	if (netlink_connect(fd) == 0)
		ask_kernel(fd, w);
	close(fd);
}

static bool process_has(int pid_dir, uint32_t inode, int64_t deadline)
{
	char want[32], link[64];
	int fd = openat(pid_dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	bool found = false;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	snprintf(want, sizeof(want), "socket:[%u]", inode);
	while (!found && now() < deadline && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		if (n > 0) {
			link[n] = '\0';
			found = !strcmp(link, want);
		}
	}
	closedir(dir);
	return found;
}

/* The process chose the name itself, and it goes to logs and terminals. */
static void read_comm(int pid_dir, char *comm, size_t size)
{
	int fd = openat(pid_dir, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, comm, size - 1);

	if (fd >= 0)
		close(fd);
	if (n > 0 && comm[n - 1] == '\n')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (comm[i] < ' ' || comm[i] > '~')
			comm[i] = '?';
	comm[n > 0 ? n : 0] = '\0';
}

void opener_describe_process(pid_t pid, char *text, size_t size)
{
	char path[32], comm[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		read_comm(fd, comm, sizeof(comm));
		close(fd);
	}
	if (*comm)
		snprintf(text, size, "%s[%d]", comm, (int)pid);
	else
		snprintf(text, size, "process %d", (int)pid);
}

static bool find_process(const struct wanted *w, char *text, size_t size)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	bool found = false;
	char comm[32];

	if (!proc)
		return false;
	while (!found && now() < w->deadline && (e = readdir(proc))) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		int fd = openat(dirfd(proc), e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		found = process_has(fd, w->inode, w->deadline);
		if (found) {
			read_comm(fd, comm, sizeof(comm));
			snprintf(text, size, "%s[%s]", comm, e->d_name);
		}
		close(fd);
	}
	closedir(proc);
	return found;
}

static bool describe(struct wanted *w, const struct opener_policy *policy, enum opener_kind kind)
{
	switch (kind) {
	case OPENER_UDP4:
	case OPENER_UDP6:
	case OPENER_TCP4:
	case OPENER_TCP6:
		w->family = kind == OPENER_UDP4 || kind == OPENER_TCP4 ? AF_INET : AF_INET6;
		w->protocol =
			kind == OPENER_UDP4 || kind == OPENER_UDP6 ? IPPROTO_UDP : IPPROTO_TCP;
		w->port = policy->port;
		return true;
	case OPENER_ABSTRACT:
	case OPENER_PATH:
		w->family = AF_UNIX;
		w->abstract = kind == OPENER_ABSTRACT;
		w->name = w->abstract ? policy->abstract : policy->path;
		return w->name != NULL;
	default:
		return false;
	}
}

void opener_find_holder(struct vs *vs, const struct opener_policy *policy, enum opener_kind kind,
	char *text, size_t size)
{
	struct wanted w = {0};

	snprintf(text, size, "another process");
	if (!describe(&w, policy, kind))
		return;
	w.deadline = now() + TIME_MAX;
	ask_by_socket(vs, &w);
	/* A dual-stack socket holds the IPv4 port as well. */
	if (!w.inode && w.family == AF_INET) {
		w.family = AF_INET6;
		ask_by_socket(vs, &w);
	}
	if (w.inode && find_process(&w, text, size))
		return;
	if (w.has_uid)
		snprintf(text, size, "a process of uid %u", w.uid);
}
