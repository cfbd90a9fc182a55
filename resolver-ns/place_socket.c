/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets inside a VS. Whoever makes one, the registry, this file or an opener: it is looked at
 * before it is used, and what is not the VS's beyond doubt is closed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parse.h"
#include "place_private.h"

/* Takes over nothing. What the opener's socket must be to be used as if it were made here. */
static int check_kind(int sock, int family, int type, int protocol)
{
	static const int options[] = {SO_DOMAIN, SO_TYPE, SO_PROTOCOL};
	int got, want[] = {family, type, protocol};
	socklen_t len;

	if (family != AF_NETLINK && protocol == 0)
		want[2] = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	for (size_t i = 0; i < 3; i++) {
		len = sizeof(got);
		if (getsockopt(sock, SOL_SOCKET, options[i], &got, &len) < 0 || got != want[i])
			return -EPROTO;
	}
	return 0;
}

/* A port that is chosen already would be the port of all queries. */
static int check_no_port(int sock, int family)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	} own = {.sa.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(own);

	if (getsockname(sock, &own.sa, &len) < 0 || own.sa.sa_family != family)
		return -EPROTO;
	return (family == AF_INET ? own.in4.sin_port : own.in6.sin6_port) == 0 ? 0 : -EPROTO;
}

static int check_mark(int sock, uint32_t mark)
{
	uint32_t got = 0;
	socklen_t len = sizeof(got);

	if (getsockopt(sock, SOL_SOCKET, SO_MARK, &got, &len) < 0)
		return -errno;
	return got == mark ? 0 : -EPROTO;
}

/* Its flags may be those of another process, too, but a socket has one use alone. */
static int set_flags(int sock)
{
	int flags = fcntl(sock, F_GETFL);

	if (flags < 0 || fcntl(sock, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(sock, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

static int open_by_opener(struct place *p, int family, int type, int protocol)
{
	int rc, sock = p->open(p->open_arg, family, type, protocol);

	if (sock < 0)
		return sock;
	rc = check_kind(sock, family, type, protocol);
	if (rc == 0 && family != AF_NETLINK)
		rc = check_no_port(sock, family);
	if (rc == 0 && p->mark != 0 && family != AF_NETLINK)
		rc = check_mark(sock, p->mark);
	if (rc == 0)
		rc = set_flags(sock);
	if (rc == 0)
		return sock;
	close(sock);
	return rc;
}

/* Home may be opened by its path by who lacks the privilege for its handle, of which the kernel
 * says -ESTALE, too. What is there now is checked by its cookie. */
static int open_namespace(const struct place *p)
{
	int fd = p->handle.size > 0 ? netns_handle_open(&p->handle) : -ESTALE;

	if (fd != -ESTALE || (!p->is_home && !p->has_path))
		return fd;
	fd = netns_open(p->path);
	return fd == -ENOENT || fd == -ENOTDIR || fd == -EINVAL ? -ESTALE : fd;
}

static int open_by_namespace(struct place *p, int family, int type, int protocol)
{
	uint64_t cookie = atomic_load(&p->cookie);
	int fd, rc, sock = -ESTALE;

	if (p->is_home)
		sock = netns_socket_here(cookie, family, type, protocol);
	if (sock == -ESTALE) {
		fd = open_namespace(p);
		if (fd < 0)
			return fd;
		sock = netns_socket(fd, cookie, family, type, protocol);
		close(fd);
	}
	if (sock < 0 || p->mark == 0 ||
		setsockopt(sock, SOL_SOCKET, SO_MARK, &p->mark, sizeof(p->mark)) == 0)
		return sock;
	rc = -errno;
	close(sock);
	return rc;
}

static int check_cookie(struct place *p, int sock)
{
	uint64_t found, known = 0;
	int rc = netns_socket_cookie(sock, &found);

	if (rc < 0)
		return rc;
	if (atomic_compare_exchange_strong(&p->cookie, &known, found) || known == found)
		return 0;
	return -ESTALE;
}

/* In the VS's namespace, with its mark, and nothing else done. */
static int open_bare(struct place *p, int family, int type, int protocol)
{
	int rc, sock;

	if (place_is_gone(p))
		return -ESTALE;
	if (p->open)
		sock = open_by_opener(p, family, type, protocol);
	else if (p->vs)
		sock = vs_socket(p->vs, family, type | SOCK_NONBLOCK, protocol);
	else
		sock = open_by_namespace(p, family, type | SOCK_NONBLOCK, protocol);
	if (sock < 0)
		return sock;
	rc = check_cookie(p, sock);
	if (rc == 0)
		return sock;
	close(sock);
	return rc;
}

static int get_ifindex(int sock, const char *device, unsigned *ifindex)
{
	struct ifreq ifr = {.ifr_ifindex = 0};

	if (copy_str(ifr.ifr_name, sizeof(ifr.ifr_name), device) < 0)
		return -ENODEV;
	if (ioctl(sock, SIOCGIFINDEX, &ifr) < 0)
		return -errno;
	*ifindex = (unsigned)ifr.ifr_ifindex;
	return 0;
}

/* Once bound to it, only a privileged process may say so again. */
static int set_device(int sock, const char *device)
{
	char now[IF_NAMESIZE] = "";
	socklen_t len = sizeof(now);

	if (getsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE, now, &len) == 0 &&
		strncmp(now, device, sizeof(now)) == 0)
		return 0;
	len = (socklen_t)strlen(device) + 1;
	return setsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE, device, len) < 0 ? -errno : 0;
}

static int set_source(struct place *p, int sock, const struct sockaddr *addr, socklen_t len)
{
	const int on = 1;

	if (setsockopt(sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
		return -errno;
	if (p->vs)
		return vs_bind(p->vs, sock, addr, len);
	return bind(sock, addr, len) < 0 ? -errno : 0;
}

static int dress4(struct place *p, int sock)
{
	if (p->bind4.sin_family == AF_UNSPEC)
		return 0;
	return set_source(p, sock, (const struct sockaddr *)&p->bind4, sizeof(p->bind4));
}

static int dress6(struct place *p, int sock)
{
	struct sockaddr_in6 source = p->bind6;
	const int on = 1;
	unsigned scope = 0;
	int rc = 0;

	if (setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (source.sin6_family == AF_UNSPEC)
		return 0;
	if (p->bind6_device[0])
		rc = get_ifindex(sock, p->bind6_device, &scope);
	source.sin6_scope_id = scope;
	return rc < 0 ? rc : set_source(p, sock, (const struct sockaddr *)&source, sizeof(source));
}

static int dress(struct place *p, int sock, int family)
{
	int rc = 0;

	if (family == AF_NETLINK)
		return 0;
	if (p->device[0])
		rc = set_device(sock, p->device);
	if (rc == 0)
		rc = family == AF_INET ? dress4(p, sock) : dress6(p, sock);
	return rc;
}

/* Cancellation is off so that no descriptor, and with it the namespace, is left behind. */
int place_socket(struct place *place, int family, int type, int protocol)
{
	int cancel_state, rc, sock;

	if (family != AF_INET && family != AF_INET6 && family != AF_NETLINK)
		return -EAFNOSUPPORT;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	sock = open_bare(place, family, type, protocol);
	rc = sock < 0 ? 0 : dress(place, sock, family);
	if (rc < 0) {
		close(sock);
		sock = rc;
	}
	pthread_setcancelstate(cancel_state, &cancel_state);
	return sock;
}

int place_ifindex(struct place *place, const char *device, unsigned *ifindex)
{
	int cancel_state, rc, sock;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	sock = open_bare(place, AF_INET, SOCK_DGRAM, 0);
	rc = sock < 0 ? sock : get_ifindex(sock, device, ifindex);
	if (sock >= 0)
		close(sock);
	pthread_setcancelstate(cancel_state, &cancel_state);
	return rc;
}
