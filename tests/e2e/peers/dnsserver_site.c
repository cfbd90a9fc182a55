/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets at the same addresses in every namespace. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dnsserver.h"
#include "netns.h"
#include "parse.h"

#define BUFFER (4 << 20)
#define BACKLOG 1024

int address_parse(struct listen_address *a, const char *text, uint16_t port)
{
	size_t n = strcspn(text, "%");

	*a = (struct listen_address){ .len = sizeof(a->addr.in4) };
	if (n >= sizeof(a->text) ||
	    (text[n] && copy_str(a->device, sizeof(a->device), text + n + 1)))
		return -EINVAL;
	memcpy(a->text, text, n);
	if (inet_pton(AF_INET, a->text, &a->addr.in4.sin_addr) == 1) {
		a->addr.in4.sin_family = AF_INET;
		a->addr.in4.sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, a->text, &a->addr.in6.sin6_addr) != 1)
		return -EINVAL;
	a->addr.in6.sin6_family = AF_INET6;
	a->addr.in6.sin6_port = htons(port);
	a->len = sizeof(a->addr.in6);
	return 0;
}

int port_watch(struct server *s, struct port *port)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = port };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, port->fd, &event) ? -errno : 0;
}

/* A bound socket where the thread is just now. is_forged: at any port but that one. */
static int open_socket(const struct listen_address *a, int type, bool is_forged)
{
	union address addr = a->addr;
	int fd = socket(addr.sa.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, size = BUFFER, rc;

	if (fd < 0)
		return -errno;
	if (a->device[0])
		addr.in6.sin6_scope_id = if_nametoindex(a->device);
	if (is_forged)
		addr.in4.sin_port = 0; /* at the same place for both families */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr.sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (!is_forged && type == SOCK_DGRAM &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, &addr.sa, a->len) || (type == SOCK_STREAM && listen(fd, BACKLOG))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static void port_close(struct server *s, struct port *port)
{
	later_forget(s, port);
	LIST_REMOVE(port, link);
	close(port->fd);
	if (port->forge_fd >= 0)
		close(port->forge_fd);
	free(port);
}

static int port_open(struct server *s, struct site *site, unsigned index, enum kind kind)
{
	const struct listen_address *a = &s->addresses[index];
	struct port *port = malloc(sizeof(*port));
	int rc;

	if (!port)
		return -ENOMEM;
	*port = (struct port){ .kind = kind, .forge_fd = -1, .site = site, .index = index };
	port->fd = open_socket(a, kind == KIND_UDP ? SOCK_DGRAM : SOCK_STREAM, false);
	if (port->fd < 0) {
		rc = port->fd;
		free(port);
		return rc;
	}
	LIST_INSERT_HEAD(&site->ports, port, link);
	if (kind != KIND_UDP)
		return port_watch(s, port);
	port->forge_fd = open_socket(a, SOCK_DGRAM, true);
	return port->forge_fd < 0 ? port->forge_fd : port_watch(s, port);
}

static int open_ports(struct server *s, struct site *site)
{
	int rc = 0;

	for (unsigned i = 0; i < s->address_count && rc == 0; i++) {
		rc = port_open(s, site, i, KIND_UDP);
		if (rc == 0)
			rc = port_open(s, site, i, KIND_LISTEN);
	}
	return rc;
}

static int open_ports_in(struct server *s, struct site *site, const char *ns)
{
	struct netns_window window;
	char path[PATH_MAX];
	uint64_t cookie;
	int fd, rc;

	if (!ns[0])
		return open_ports(s, site);
	if (snprintf(path, sizeof(path), "%s%s", ns[0] == '/' ? "" : "/run/netns/", ns) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = netns_open(path);
	if (fd < 0)
		return fd;
	rc = netns_cookie(fd, 0, &cookie);
	if (rc == 0)
		rc = netns_enter(fd, cookie, &window);
	close(fd);
	if (rc)
		return rc;
	rc = open_ports(s, site);
	netns_leave(&window);
	return rc;
}

int site_add(struct server *s, unsigned number, const char *ns)
{
	struct site *site;
	int rc;

	if (number >= ZONE_NUMBERS || s->sites[number])
		return -EEXIST;
	site = calloc(1, sizeof(*site));
	if (!site)
		return -ENOMEM;
	site->number = site->as = number;
	s->sites[number] = site;
	rc = open_ports_in(s, site, ns);
	if (rc)
		site_remove(s, number);
	return rc;
}

void site_remove(struct server *s, unsigned number)
{
	struct site *site = s->sites[number];

	if (!site)
		return;
	while (!LIST_EMPTY(&site->conns))
		tcp_close(s, LIST_FIRST(&site->conns));
	while (!LIST_EMPTY(&site->ports))
		port_close(s, LIST_FIRST(&site->ports));
	free(site->words);
	free(site);
	s->sites[number] = NULL;
}
