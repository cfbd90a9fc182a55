/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "opener_socket.h"
#include "parse.h"

#define FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_nl nl;
};

static int set_on(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

static socklen_t wildcard(int family, uint16_t port, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(port);
		return sizeof(a->in);
	}
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons(port);
	return sizeof(a->in6);
}

static int family_of(enum opener_kind kind)
{
	return kind == OPENER_UDP4 || kind == OPENER_TCP4 || kind == OPENER_CALL4 ? AF_INET
										  : AF_INET6;
}

static int type_of(enum opener_kind kind)
{
	return kind == OPENER_TCP4 || kind == OPENER_TCP6 ? SOCK_STREAM : SOCK_DGRAM;
}

/* No SO_REUSEADDR on UDP: it would let another process take a share of the datagrams. On TCP
 * it only passes over connections in TIME_WAIT. */
static int set_up_inet(int fd, enum opener_kind kind, uint16_t port,
	const struct opener_vs_policy *vs_policy)
{
	int family = family_of(kind), type = type_of(kind);
	union address a;
	socklen_t len = wildcard(family, port, &a);
	int rc = 0;

	if (family == AF_INET6)
		rc = set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (!rc && type == SOCK_DGRAM)
		rc = family == AF_INET ? set_on(fd, IPPROTO_IP, IP_PKTINFO)
				       : set_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	if (!rc && type == SOCK_STREAM)
		rc = set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	/* Before anything can arrive. */
	if (!rc)
		rc = opener_filter_set(fd, kind, vs_policy);
	/* Accepted sockets inherit it: no reply waits for the acknowledgement of one before. */
	if (!rc && type == SOCK_STREAM)
		rc = set_on(fd, IPPROTO_TCP, TCP_NODELAY);
	if (!rc && bind(fd, &a.sa, len) < 0)
		rc = -errno;
	if (!rc && type == SOCK_STREAM && listen(fd, OPENER_BACKLOG) < 0)
		rc = -errno;
	return rc;
}

/* fd is taken over; it may be -errno. */
static int finish_inet(int fd, enum opener_kind kind, uint16_t port,
	const struct opener_vs_policy *vs_policy)
{
	int rc;

	if (fd < 0)
		return fd;
	rc = set_up_inet(fd, kind, port, vs_policy);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

static int open_inet(enum opener_kind kind, uint16_t port,
	const struct opener_vs_policy *vs_policy)
{
	int fd = socket(family_of(kind), type_of(kind) | FLAGS, 0);

	return finish_inet(fd < 0 ? -errno : fd, kind, port, vs_policy);
}

/* The kernel's clients and libtirpc address the name without a trailing NUL. */
static int open_abstract(const char *name)
{
	union address a = {.un = {.sun_family = AF_UNIX}};
	size_t len = strlen(name);
	int fd, rc = 0;

	if (len > sizeof(a.un.sun_path) - 1)
		return -ENAMETOOLONG;
	memcpy(a.un.sun_path + 1, name, len);
	fd = socket(AF_UNIX, SOCK_STREAM | FLAGS, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, &a.sa, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) < 0 ||
		listen(fd, OPENER_BACKLOG) < 0)
		rc = -errno;
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

/* Connected to the kernel, so that nothing else can send to it. */
static int open_diag(void)
{
	union address a = {.nl = {.nl_family = AF_NETLINK}};
	int fd = socket(AF_NETLINK, SOCK_RAW | FLAGS, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	if (connect(fd, &a.sa, sizeof(a.nl)) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int open_kind(enum opener_kind kind, const struct opener_policy *policy,
	const struct opener_vs_policy *vs_policy)
{
	if (policy->absent & OPENER_BIT(kind))
		return -EOPNOTSUPP;
	switch (kind) {
	case OPENER_UDP4:
	case OPENER_UDP6:
	case OPENER_TCP4:
	case OPENER_TCP6:
		return open_inet(kind, policy->port, vs_policy);
	case OPENER_ABSTRACT:
		return policy->abstract && *policy->abstract ? open_abstract(policy->abstract)
							     : -EOPNOTSUPP;
	case OPENER_DIAG:
		return open_diag();
	case OPENER_CALL4:
	case OPENER_CALL6:
		return open_inet(kind, 0, vs_policy);
	default:
		return -EINVAL;
	}
}

static void fill(struct opener_socket *result, uint32_t mask, int fd)
{
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if (mask & (1u << k))
			result[k] = (struct opener_socket){.fd = fd < 0 ? -1 : fd,
				.error = fd < 0 ? -fd : 0};
}

/* With the mark of the VS, where it has one: what leaves by them is the VS's from the first
 * packet. */
static void make_call_sockets(struct vs *vs, const struct opener_vs_policy *vs_policy,
	uint32_t mask, struct opener_socket *result)
{
	for (unsigned k = OPENER_CALL4; k <= OPENER_CALL6; k++) {
		enum opener_kind kind = (enum opener_kind)k;
		if (mask & OPENER_BIT(kind))
			fill(result, OPENER_BIT(kind),
				finish_inet(vs_socket(vs, family_of(kind), SOCK_DGRAM | FLAGS, 0),
					kind, 0, vs_policy));
	}
}

void opener_make_sockets(struct vs *vs, const struct opener_policy *policy,
	const struct opener_vs_policy *vs_policy, uint32_t mask, struct opener_socket *result)
{
	struct vs_saved saved;
	int rc;

	if (vs_flavour(vs) == VS_MARK) {
		make_call_sockets(vs, vs_policy, mask, result);
		mask &= ~(OPENER_BIT(OPENER_CALL4) | OPENER_BIT(OPENER_CALL6));
	}
	if (!mask)
		return;
	rc = vs_enter(vs, &saved);
	if (rc) {
		fill(result, mask, rc);
		return;
	}
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if (mask & (1u << k))
			fill(result, 1u << k,
				open_kind((enum opener_kind)k, policy, vs_policy));
	vs_leave(&saved);
}

void opener_widen(uint32_t mask, const struct opener_socket *sockets)
{
	static const int size = OPENER_SHARED_QUEUE;

	for (unsigned k = OPENER_UDP4; k <= OPENER_UDP6; k++) {
		if (!(mask & (1u << k)) || sockets[k].error)
			continue;
		/* Without the privilege up to net.core.rmem_max, which is better than nothing. */
		if (setsockopt(sockets[k].fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
			setsockopt(sockets[k].fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
}

/* Is somebody listening at path? */
static bool is_live(const union address *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | FLAGS, 0);
	bool live;

	if (fd < 0)
		return true;
	live = connect(fd, &a->sa, sizeof(a->un)) == 0 || errno == EAGAIN;
	close(fd);
	return live;
}

/* Bound under a name of our own, then renamed over the old one. */
static int bind_and_rename(int fd, const char *path, unsigned mode)
{
	union address a = {.un = {.sun_family = AF_UNIX}};
	int n = snprintf(a.un.sun_path, sizeof(a.un.sun_path), "%s.%u", path, (unsigned)getpid());
	int rc = 0;

	if (n < 0 || (size_t)n >= sizeof(a.un.sun_path))
		return -ENAMETOOLONG;
	if (unlink(a.un.sun_path) < 0 && errno != ENOENT)
		return -errno;
	if (bind(fd, &a.sa, sizeof(a.un)) < 0)
		return -errno;
	if (chmod(a.un.sun_path, mode) < 0 || listen(fd, OPENER_PATH_BACKLOG) < 0 ||
		rename(a.un.sun_path, path) < 0) {
		rc = -errno;
		unlink(a.un.sun_path);
	}
	return rc;
}

int opener_listen_path(const char *path, unsigned mode)
{
	union address a = {.un = {.sun_family = AF_UNIX}};
	struct stat st;
	int fd, rc = copy_str(a.un.sun_path, sizeof(a.un.sun_path), path);

	if (rc)
		return rc;
	if (lstat(path, &st) == 0 && (!S_ISSOCK(st.st_mode) || is_live(&a)))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_STREAM | FLAGS, 0);
	if (fd < 0)
		return -errno;
	rc = bind_and_rename(fd, path, mode);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}
