/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of the VS's network, and for how long. Netlink is listened to until it reports
 * the first change; from then on nothing counts, so that nothing more need be heard until
 * somebody asks: a tenant whose routes change all the time costs nothing while nobody sorts.
 */
#include "config.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container.h"
#include "netlink.h"
#include "netview_private.h"
#include "vsreg.h"

#define READS_MAX 1024 /* of the listener, at once */
#define GROUP(n) (1u << ((n) - 1))

static void note_change(struct netview *view)
{
	view->generation++;
	if (view->epoch)
		atomic_fetch_add(view->epoch, 1);
	view->table_until = 0;
	view->families_until = 0;
}

static void stop_listening(struct netview *view)
{
	if (view->listener < 0)
		return;
	loop_io_del(view->loop, &view->news);
	close(view->listener);
	view->listener = -1;
}

static void on_news(struct loop_io *io, uint32_t events)
{
	struct netview *view = container_of(io, struct netview, news);

	(void)events;
	note_change(view);
	loop_io_del(view->loop, io);
}

int netview_new(struct netview **view, struct place *place, struct loop *loop)
{
	struct netview *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->place = place;
	v->loop = loop;
	v->news = (struct loop_io)LOOP_IO_INIT(on_news);
	v->listener = v->probe4 = v->probe6 = -1;
	*view = v;
	return 0;
}

static void close_probe(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void netview_rest(struct netview *view)
{
	stop_listening(view);
	close_probe(&view->probe4);
	close_probe(&view->probe6);
}

void netview_free(struct netview *view)
{
	if (!view)
		return;
	netview_rest(view);
	netview_table_free(&view->table);
	free(view);
}

uint32_t netview_generation(const struct netview *view)
{
	return view->generation;
}

void netview_tell(struct netview *view, atomic_uint *epoch)
{
	view->epoch = epoch;
}

/* ---- changes */

/* Links, too: when one goes down its IPv4 routes go without a word. */
static int listen_to_kernel(int sock)
{
	const struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = GROUP(RTNLGRP_LINK) | GROUP(RTNLGRP_IPV4_IFADDR) |
			     GROUP(RTNLGRP_IPV6_IFADDR) | GROUP(RTNLGRP_IPV4_ROUTE) |
			     GROUP(RTNLGRP_IPV6_ROUTE) | GROUP(RTNLGRP_IPV4_RULE) |
			     GROUP(RTNLGRP_IPV6_RULE),
	};

	if (bind(sock, (const struct sockaddr *)&groups, sizeof(groups)) < 0)
		return -errno;
	return netlink_connect(sock);
}

static int start_listening(struct netview *view)
{
	int rc, sock = place_socket(view->place, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (sock < 0)
		return sock;
	rc = listen_to_kernel(sock);
	if (rc < 0) {
		close(sock);
		return rc;
	}
	view->listener = sock;
	note_change(view); /* nobody has listened before */
	return 0;
}

/* True: there was something, if only that some was lost. What it was does not matter. */
static bool drain(int sock)
{
	bool any = false;
	char byte;

	for (int i = 0; i < READS_MAX; i++) {
		if (recv(sock, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) < 0 &&
			errno != ENOBUFS && errno != EINTR)
			break;
		any = true;
	}
	return any;
}

int netview_hear(struct netview *view)
{
	int rc = 0;

	if (!view->loop)
		return 0;
	if (view->listener < 0)
		rc = start_listening(view);
	else if (drain(view->listener))
		note_change(view);
	if (rc == 0 && view->news.fd < 0)
		rc = loop_io_add(view->loop, &view->news, view->listener, EPOLLIN);
	return rc;
}

/* ---- addresses */

/* By a socket of its own: in that of the listener the answer would stand behind reports. */
int netview_refresh(struct netview *view, uint64_t now)
{
	struct netview_table table = {0};
	int rc, sock;

	if (now < view->table_until)
		return 0;
	sock = place_socket(view->place, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (sock < 0)
		return sock;
	rc = netview_table_add(&table, sock);
	close(sock);
	if (rc < 0) {
		netview_table_free(&table);
		return rc;
	}
	netview_table_end(&table);
	netview_table_free(&view->table);
	view->table = table;
	view->table_until = now + NETVIEW_KEEP;
	return 0;
}

struct families {
	bool has4, has6;
};

static int take_own(const struct vs_address *address, void *arg)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->addr;
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)&address->addr;
	struct families *families = arg;

	if (address->addr.ss_family == AF_INET)
		families->has4 |= ntohl(in4->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET;
	else
		families->has6 |= !IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) &&
				  !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
	return families->has4 && families->has6;
}

static int read_families(struct netview *view, uint64_t now)
{
	struct vs *vs = place_vs(view->place);
	struct families found = {false, false};
	int rc = -EPERM;

	if (vs && place_is_mark(view->place))
		rc = vs_addresses(vs, take_own, &found);
	/* What it takes for that, an opener may have and this process not. The neighbours' families
	 * are then taken for the VS's: what it cannot reach comes last when it is sorted. */
	if (rc == -EPERM) {
		rc = netview_refresh(view, now);
		found = (struct families){view->table.has4, view->table.has6};
	}
	if (rc < 0)
		return rc;
	view->has4 = found.has4;
	view->has6 = found.has6;
	view->families_until = now + NETVIEW_KEEP;
	return 0;
}

int netview_families(struct netview *view, uint64_t now, bool *has4, bool *has6)
{
	int rc = netview_hear(view);

	if (rc == 0 && now >= view->families_until)
		rc = read_families(view, now);
	if (rc < 0)
		return rc;
	*has4 = view->has4;
	*has6 = view->has6;
	return 0;
}
