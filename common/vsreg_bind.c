/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Binding inside a VS. In a namespace that several VSs share the kernel would let each of them have
 * any address, and with it the clients of another VS.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "vsreg_pktinfo.h"
#include "vsreg_private.h"

int vs_check_socket(const struct vs *vs, int fd)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	uint64_t cookie;
	int rc = netns_socket_cookie(fd, &cookie);

	if (rc < 0)
		return rc;
	if (cookie != vs_cookie(vs))
		return -EXDEV;
	if (!vs_is_shared(vs))
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len) < 0)
		return -errno;
	return mark == vs_mark(vs) ? 0 : -EXDEV;
}

/* What no address tells apart is the default VS's: wildcards, groups, and what has no address. */
bool vs_may_bind(const struct vs *vs, const struct sockaddr *addr)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	struct sockaddr_in in;

	if (!vs_is_shared(vs))
		return true;
	if ((addr->sa_family != AF_INET && addr->sa_family != AF_INET6) ||
		pktinfo_is_wildcard(addr) || pktinfo_is_group(addr))
		return vs_owns(vs, (const struct sockaddr *)&any);
	return vs_owns(vs, pktinfo_unmap(addr, &in) ? (struct sockaddr *)&in : addr);
}

/* By a copy, which no other thread changes between the look and the call. */
int vs_bind(struct vs *vs, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_storage copy = {.ss_family = AF_UNSPEC};
	int rc;

	if (vs_is_gone(vs))
		return -ESTALE;
	if (len < sizeof(addr->sa_family) || len > sizeof(copy))
		return -EINVAL;
	memcpy(&copy, addr, len);
	rc = vs_check_socket(vs, fd);
	if (rc < 0)
		return rc;
	if (!vs_may_bind(vs, (struct sockaddr *)&copy))
		return -EADDRNOTAVAIL;
	return bind(fd, (struct sockaddr *)&copy, len) < 0 ? -errno : 0;
}
