/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket for each address of a VS, and the same again when the addresses have changed. Who has
 * such sockets needs no control messages: each answers from its own address, with its own mark.
 */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse.h"
#include "vsreg_private.h"

/* The addresses that are wanted: each with the socket that it has, or -1. */
struct wanted {
	const struct vs *vs;
	struct vs_bound *entries;
	size_t count, size;
	in_port_t port; /* network order */
};

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct sockaddr_in in_a, in_b;
	struct sockaddr_in6 in6_a, in6_b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET) {
		memcpy(&in_a, a, sizeof(in_a));
		memcpy(&in_b, b, sizeof(in_b));
		return in_a.sin_port == in_b.sin_port &&
		       in_a.sin_addr.s_addr == in_b.sin_addr.s_addr;
	}
	memcpy(&in6_a, a, sizeof(in6_a));
	memcpy(&in6_b, b, sizeof(in6_b));
	return in6_a.sin6_port == in6_b.sin6_port &&
	       in6_a.sin6_scope_id == in6_b.sin6_scope_id &&
	       memcmp(&in6_a.sin6_addr, &in6_b.sin6_addr, sizeof(in6_a.sin6_addr)) == 0;
}

static struct vs_bound *find_bound(
	struct vs_bound *bound, size_t count, const struct sockaddr_storage *addr)
{
	for (size_t i = 0; i < count; i++) {
		if (same_address(&bound[i].addr, addr))
			return &bound[i];
	}
	return NULL;
}

static int set_port(struct sockaddr_storage *addr, in_port_t port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (addr->ss_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		in.sin_port = port;
		memcpy(addr, &in, sizeof(in));
		return 0;
	}
	if (addr->ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(&in6, addr, sizeof(in6));
	in6.sin6_port = port;
	memcpy(addr, &in6, sizeof(in6));
	return 0;
}

/* One address may stand on several devices, and be another VS's in the same namespace. */
static int want(const struct vs_address *address, void *arg)
{
	struct wanted *w = arg;
	size_t size = w->size ? w->size * 2 : 16;
	struct sockaddr_storage addr = address->addr;
	struct vs_bound *entries;

	if (set_port(&addr, w->port) < 0 || find_bound(w->entries, w->count, &addr) ||
		!vs_may_bind(w->vs, (const struct sockaddr *)&addr))
		return 0;
	if (w->count == w->size) {
		entries = reallocarray(w->entries, size, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		w->entries = entries;
		w->size = size;
	}
	w->entries[w->count++] = (struct vs_bound){.fd = -1, .addr = addr};
	return 0;
}

/* A link-local address of a device that is not there yet has to wait for that. */
static bool fill_link_local(struct vs *vs, const char *dev, struct sockaddr_in6 *in6)
{
	struct ifreq r = {.ifr_name = ""};
	int fd, rc = -1;

	if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		return true;
	if (copy_str(r.ifr_name, sizeof(r.ifr_name), dev) < 0)
		return false;
	fd = vs_socket(vs, AF_UNIX, SOCK_DGRAM, 0);
	if (fd >= 0) {
		rc = ioctl(fd, SIOCGIFINDEX, &r);
		close(fd);
	}
	in6->sin6_scope_id = rc == 0 ? (uint32_t)r.ifr_ifindex : 0;
	return rc == 0;
}

static int want_configured(struct vs *vs, const struct network_address *a, struct wanted *w)
{
	struct vs_address address = {.prefix = a->prefix.length};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (a->prefix.family == AF_INET) {
		memcpy(&in.sin_addr, a->prefix.bytes, sizeof(in.sin_addr));
		memcpy(&address.addr, &in, sizeof(in));
		return want(&address, w);
	}
	memcpy(&in6.sin6_addr, a->prefix.bytes, sizeof(in6.sin6_addr));
	if (!fill_link_local(vs, a->dev, &in6))
		return 0;
	memcpy(&address.addr, &in6, sizeof(in6));
	return want(&address, w);
}

/* Those that are there, and those that its file says are to be. */
static int want_all(struct vs *vs, struct wanted *w)
{
	struct vs_conf *conf;
	const struct network *network = vs_network(vs, &conf);
	int rc = vs_addresses(vs, want, w);

	for (size_t i = 0; network && i < network->address_count && rc == 0; i++)
		rc = want_configured(vs, &network->addresses[i], w);
	vs_conf_unref(conf);
	return rc;
}

static int set_up(int fd, int family, bool is_stream)
{
	const int on = 1;
	int rc;

	if (family == AF_INET6)
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
		     setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	else
		rc = setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	/* Or the connections of a server that has just ended keep its successor out. */
	if (rc == 0 && is_stream)
		rc = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return rc ? -errno : 0;
}

static int open_one(struct vs *vs, int type, struct vs_bound *bound)
{
	bool is_stream = (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM;
	int family = bound->addr.ss_family, rc;
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int fd = vs_socket(vs, family, type, 0);

	if (fd < 0)
		return fd;
	rc = set_up(fd, family, is_stream);
	if (rc == 0)
		rc = vs_bind(vs, fd, (const struct sockaddr *)&bound->addr, len);
	if (rc == 0 && is_stream && listen(fd, SOMAXCONN) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	bound->fd = fd;
	return 0;
}

/* Closed at once, whatever comes: the address may be another VS's by now. */
static void close_unwanted(struct wanted *w, struct vs_bound *bound, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct vs_bound *entry = find_bound(w->entries, w->count, &bound[i].addr);

		if (bound[i].fd < 0)
			continue;
		if (entry) {
			entry->fd = bound[i].fd;
			continue;
		}
		close(bound[i].fd);
		bound[i].fd = -1;
	}
}

/* An address that has gone meanwhile, or to another VS, is passed over: there is an event for
 * it. */
static int open_missing(struct wanted *w, struct vs *vs, int type)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < w->count && rc == 0; i++) {
		struct vs_bound *entry = &w->entries[i];

		if (entry->fd < 0)
			rc = open_one(vs, type, entry);
		if (rc == 0)
			w->entries[kept++] = *entry;
		else if (rc == -EADDRNOTAVAIL || rc == -ENODEV)
			rc = 0;
	}
	w->count = kept;
	return rc;
}

/* Those that the caller did not have before. */
static void close_new(struct wanted *w, struct vs_bound *bound, unsigned count)
{
	for (size_t i = 0; i < w->count; i++) {
		struct vs_bound *old = find_bound(bound, count, &w->entries[i].addr);

		if (w->entries[i].fd >= 0 && (!old || old->fd < 0))
			close(w->entries[i].fd);
	}
}

int vs_listen_each(struct vs *vs, int type, uint16_t port, struct vs_bound *bound, unsigned count,
	unsigned max)
{
	struct wanted w = {.vs = vs, .port = htons(port)};
	int rc = port == 0 || count > max ? -EINVAL : want_all(vs, &w);

	if (rc == 0) {
		close_unwanted(&w, bound, count);
		rc = w.count > max ? -ENOSPC : open_missing(&w, vs, type);
		if (rc < 0)
			close_new(&w, bound, count);
		else if (w.count > 0)
			memcpy(bound, w.entries, w.count * sizeof(*bound));
	}
	free(w.entries);
	return rc < 0 ? rc : (int)w.count;
}
