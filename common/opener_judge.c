/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "netns.h"
#include "opener_judge.h"

/* linux/un.h has it, and a sockaddr_un that does not go with that of sys/un.h. */
#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)
#endif

struct facts {
	int domain, type, protocol;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} name;
	socklen_t name_len;
};

static int get_int(int fd, int level, int option, int *value)
{
	socklen_t len = sizeof(*value);

	return getsockopt(fd, level, option, value, &len) < 0 ? -errno : 0;
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int get_facts(int fd, struct facts *f)
{
	int rc;

	memset(f, 0, sizeof(*f));
	rc = get_int(fd, SOL_SOCKET, SO_DOMAIN, &f->domain);
	if (!rc)
		rc = get_int(fd, SOL_SOCKET, SO_TYPE, &f->type);
	if (!rc)
		rc = get_int(fd, SOL_SOCKET, SO_PROTOCOL, &f->protocol);
	f->name_len = sizeof(f->name);
	if (!rc && getsockname(fd, &f->name.sa, &f->name_len) < 0)
		rc = -errno;
	return rc;
}

static bool is_inet(const struct facts *f)
{
	return (f->domain == AF_INET || f->domain == AF_INET6) &&
	       ((f->type == SOCK_DGRAM && f->protocol == IPPROTO_UDP) ||
		       (f->type == SOCK_STREAM && f->protocol == IPPROTO_TCP));
}

static bool is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* All addresses: a socket on one of them would leave clients of the others without. */
static bool is_wildcard(const struct facts *f)
{
	if (f->domain == AF_INET)
		return f->name.in.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&f->name.in6.sin6_addr);
}

static const char *judge_inet(int fd, const struct facts *f, const struct opener_policy *policy,
	enum opener_kind *kind)
{
	uint16_t port = f->domain == AF_INET ? f->name.in.sin_port : f->name.in6.sin6_port;
	int only = 1;

	if (ntohs(port) != policy->port)
		return "not the port that is served";
	if (!is_wildcard(f))
		return "bound to a single address";
	if (is_connected(fd))
		return "a connection";
	if (f->domain == AF_INET6 &&
		(get_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only) || !only))
		return "it takes IPv4 as well: set BindIPv6Only=ipv6-only in the socket unit";
	if (f->domain == AF_INET)
		*kind = f->type == SOCK_DGRAM ? OPENER_UDP4 : OPENER_TCP4;
	else
		*kind = f->type == SOCK_DGRAM ? OPENER_UDP6 : OPENER_TCP6;
	return NULL;
}

int opener_socket_file(int fd, struct stat *st)
{
	struct stat s;
	int rc = 0, file = ioctl(fd, SIOCUNIXFILE);

	if (file < 0)
		return -errno;
	if (fstat(file, &s) < 0)
		rc = -errno;
	close(file);
	if (!rc)
		*st = s;
	return rc;
}

/* Is it the socket that stands at path now? What it was bound as does not tell: ours are renamed,
 * and another one may have been put in the place of any. */
static bool stands_at(int fd, const char *path)
{
	struct stat at, own;

	return path && *path && lstat(path, &at) == 0 && opener_socket_file(fd, &own) == 0 &&
	       at.st_dev == own.st_dev && at.st_ino == own.st_ino;
}

static bool has_abstract_name(const struct facts *f, const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len && f->name_len == offsetof(struct sockaddr_un, sun_path) + 1 + len &&
	       !f->name.un.sun_path[0] && !memcmp(f->name.un.sun_path + 1, name, len);
}

static const char *judge_unix(int fd, const struct facts *f, const struct opener_policy *policy,
	enum opener_kind *kind)
{
	if (f->type != SOCK_STREAM)
		return "not a stream socket";
	if (is_connected(fd))
		return "a connection";
	if (has_abstract_name(f, policy->abstract))
		*kind = OPENER_ABSTRACT;
	else if (stands_at(fd, policy->path))
		*kind = OPENER_PATH;
	else if (stands_at(fd, policy->control))
		*kind = OPENER_CONTROL;
	else
		return "not a name that is served, or no longer the socket at its path";
	return NULL;
}

/* A socket unit sets SO_REUSEADDR on every socket; with it, on UDP, another process could take a
 * share of the datagrams. */
int opener_make_ready(int fd, enum opener_kind kind)
{
	int rc = 0;

	if (OPENER_BIT(kind) & (OPENER_GLOBAL | OPENER_BIT(OPENER_LOCAL)))
		return listen(fd, OPENER_PATH_BACKLOG) < 0 ? -errno : 0;
	if (kind == OPENER_TCP4 || kind == OPENER_TCP6)
		rc = set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (kind != OPENER_UDP4 && kind != OPENER_UDP6)
		return !rc && listen(fd, OPENER_BACKLOG) < 0 ? -errno : rc;
	rc = kind == OPENER_UDP4 ? set_int(fd, IPPROTO_IP, IP_PKTINFO, 1)
				 : set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (!rc)
		rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	if (!rc)
		rc = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 0);
	return rc;
}

const char *opener_judge(int fd, const struct opener_policy *policy, struct opener_judged *judged)
{
	enum opener_kind kind;
	struct facts f;
	const char *why;
	uint64_t cookie;

	if (get_facts(fd, &f))
		return "not a socket";
	if (is_inet(&f))
		why = judge_inet(fd, &f, policy, &kind);
	else if (f.domain == AF_UNIX)
		why = judge_unix(fd, &f, policy, &kind);
	else
		why = "of a kind that is not served";
	if (why)
		return why;
	if (policy->absent & OPENER_BIT(kind))
		return "of a transport that is not served";
	if (netns_socket_cookie(fd, &cookie))
		return "of an unknown namespace";
	*judged = (struct opener_judged){kind, cookie};
	return NULL;
}

const char *opener_judge_local(int fd, const char *path, struct opener_judged *judged)
{
	struct facts f;
	uint64_t cookie;

	if (get_facts(fd, &f))
		return "not a socket";
	if (f.domain != AF_UNIX || f.type != SOCK_STREAM)
		return "not a local stream socket";
	if (is_connected(fd))
		return "a connection";
	if (!stands_at(fd, path))
		return "no longer the socket at its path";
	if (netns_socket_cookie(fd, &cookie))
		return "of an unknown namespace";
	*judged = (struct opener_judged){OPENER_LOCAL, cookie};
	return NULL;
}

static void describe_inet(const struct facts *f, char *text, size_t size)
{
	const void *addr = f->domain == AF_INET ? (const void *)&f->name.in.sin_addr
						: (const void *)&f->name.in6.sin6_addr;
	uint16_t port = f->domain == AF_INET ? f->name.in.sin_port : f->name.in6.sin6_port;
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(f->domain, addr, host, sizeof(host));
	snprintf(text, size, "%s%s %s port %u", f->type == SOCK_DGRAM ? "udp" : "tcp",
		f->domain == AF_INET6 ? "6" : "", host, ntohs(port));
}

static void describe_unix(const struct facts *f, char *text, size_t size)
{
	size_t skip = offsetof(struct sockaddr_un, sun_path);
	size_t len = f->name_len > skip ? f->name_len - skip : 0;
	const char *path = f->name.un.sun_path;

	if (!len)
		snprintf(text, size, "unix socket without a name");
	else if (!path[0])
		snprintf(text, size, "unix @%.*s", (int)len - 1, path + 1);
	else
		snprintf(text, size, "unix %.*s", (int)strnlen(path, len), path);
}

void opener_describe(int fd, char *text, size_t size)
{
	struct facts f;

	if (get_facts(fd, &f))
		snprintf(text, size, "no socket");
	else if (is_inet(&f))
		describe_inet(&f, text, size);
	else if (f.domain == AF_UNIX)
		describe_unix(&f, text, size);
	else
		snprintf(text, size, "socket of family %d", f.domain);
}
