/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An answer that leads the application to itself, or to another VS: in a shared namespace such an
 * address is reached without leaving the machine, whatever the rules of the VS's own table say.
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "netview_table.h"
#include "vsreg.h"

#define KEEP UINT64_C(1000000000)  /* nanoseconds */
#define RETRY UINT64_C(100000000)  /* after a failure */
#define PAUSE 20                   /* no more than a twentieth of the time is spent reading */

struct guard {
	struct vs_reg *registry; /* NULL: loopback alone is guarded */
	struct vs *vs;           /* a reference, or NULL */
	struct place *place;     /* of vs, or NULL */
	pthread_mutex_t lock;    /* all below */
	struct netview_table own, others; /* in the VS's namespace; in all others */
	uint64_t until;          /* when they are to be read again */
	bool is_known;
};

int guard_new(struct guard **guard, struct vs_reg *registry, struct vs *vs)
{
	struct guard *g = calloc(1, sizeof(*g));
	int rc;

	if (!g)
		return -ENOMEM;
	rc = pthread_mutex_init(&g->lock, NULL);
	if (rc != 0) {
		free(g);
		return -rc;
	}
	g->registry = registry;
	if (vs)
		g->vs = vs_ref(vs);
	*guard = g;
	return 0;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	netview_table_free(&guard->own);
	netview_table_free(&guard->others);
	vs_unref(guard->vs);
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

void guard_ask_by(struct guard *guard, struct place *place)
{
	guard->place = place;
}

/* ---- addresses of the machine */

/* All that are there, of whomever. Takes over the socket, or an error in its place. */
static int add_namespace(struct netview_table *table, int sock)
{
	int rc;

	if (sock < 0)
		return sock;
	rc = netview_table_add(table, sock);
	close(sock);
	return rc;
}

struct cookies {
	uint64_t *list;
	size_t count, size;
};

/* 1: it is a new one. Mark VSs of one namespace mostly follow each other. */
static int add_cookie(struct cookies *cookies, uint64_t cookie)
{
	size_t size = cookies->size ? cookies->size * 2 : 64;
	uint64_t *longer;

	for (size_t i = cookies->count; i-- > 0;) {
		if (cookies->list[i] == cookie)
			return 0;
	}
	if (cookies->count == cookies->size) {
		longer = reallocarray(cookies->list, size, sizeof(*longer));
		if (!longer)
			return -ENOMEM;
		cookies->list = longer;
		cookies->size = size;
	}
	cookies->list[cookies->count++] = cookie;
	return 1;
}

/* Of each namespace but the VS's own. One that goes meanwhile has no addresses. */
static int add_others(struct guard *g, struct netview_table *table)
{
	struct cookies cookies = {NULL, 0, 0};
	struct vs *vs = NULL;
	int rc = g->vs ? add_cookie(&cookies, vs_cookie(g->vs)) : 0;

	while (rc >= 0 && (vs = vs_reg_next(g->registry, vs))) {
		rc = add_cookie(&cookies, vs_cookie(vs));
		if (rc == 1)
			rc = add_namespace(table,
				vs_socket(vs, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
		if (rc == -ESTALE)
			rc = 0;
	}
	vs_unref(vs);
	free(cookies.list);
	return rc < 0 ? rc : 0;
}

/* What a mark VS's own tables lead to in other namespaces is not this machine's to judge. */
static int read_tables(struct guard *g, struct netview_table *own, struct netview_table *others)
{
	int rc = 0;

	if (g->vs && g->place)
		rc = add_namespace(
			own, place_socket(g->place, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	else if (g->vs)
		rc = add_namespace(own, vs_socket(g->vs, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	if (rc == 0 && (!g->vs || vs_flavour(g->vs) != VS_MARK))
		rc = add_others(g, others);
	if (rc < 0) {
		netview_table_free(own);
		netview_table_free(others);
		return rc;
	}
	netview_table_end(own);
	netview_table_end(others);
	return 0;
}

static uint64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * KEEP + (uint64_t)t.tv_nsec;
}

static void refresh(struct guard *g, uint64_t now)
{
	struct netview_table own = {0}, others = {0};
	uint64_t began = monotonic(), pause;

	if (now < g->until)
		return;
	g->is_known = read_tables(g, &own, &others) == 0;
	pause = (monotonic() - began) * PAUSE;
	if (pause < (g->is_known ? KEEP : RETRY))
		pause = g->is_known ? KEEP : RETRY;
	g->until = now + pause;
	netview_table_free(&g->own);
	netview_table_free(&g->others);
	g->own = own;
	g->others = others;
}

enum where { UNKNOWN, ELSEWHERE, IN_OWN, IN_OTHER };

static enum where find(struct guard *g, const struct in6_addr *addr, uint64_t now)
{
	enum where where = ELSEWHERE;

	pthread_mutex_lock(&g->lock);
	refresh(g, now);
	if (!g->is_known)
		where = UNKNOWN;
	else if (netview_table_find(&g->own, addr))
		where = IN_OWN;
	else if (netview_table_find(&g->others, addr))
		where = IN_OTHER;
	pthread_mutex_unlock(&g->lock);
	return where;
}

/* ---- whose they are */

/* 127.0.0.0/8 and ::1; 0.0.0.0/8, where Linux takes 0.0.0.0 for itself and nobody may be, and ::.
 * */
static bool is_special(const struct in6_addr *addr)
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		return addr->s6_addr[12] == 127 || addr->s6_addr[12] == 0;
	return IN6_IS_ADDR_LOOPBACK(addr) || IN6_IS_ADDR_UNSPECIFIED(addr);
}

static struct vs *get_owner(struct guard *g, const struct in6_addr *addr)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = *addr};

	return vs_by_address(g->registry, vs_cookie(g->vs), (const struct sockaddr *)&in6);
}

/* What no mark VS claims may be the namespace VS's, or anywhere in the world: what is local
 * tells. */
static bool check_owner(struct guard *g, const struct in6_addr *addr, uint64_t now)
{
	struct vs *owner = g->vs ? get_owner(g, addr) : NULL;
	bool is_own = owner && owner == g->vs;
	bool is_marked = owner && vs_flavour(owner) == VS_MARK;

	vs_unref(owner);
	if (is_marked)
		return is_own;
	switch (find(g, addr, now)) {
	case ELSEWHERE:
		return true;
	case IN_OWN:
		return is_own;
	case IN_OTHER:
	case UNKNOWN:
		break;
	}
	return false;
}

bool guard_allows(struct guard *guard, int family, const void *addr, uint64_t now)
{
	struct in6_addr mapped;
	struct in_addr in4;

	if (!guard)
		return true;
	if (family == AF_INET) {
		memcpy(&in4, addr, sizeof(in4));
		mapped = netview_mapped(&in4);
	} else {
		memcpy(&mapped, addr, sizeof(mapped));
	}
	if (is_special(&mapped))
		return false;
	/* Without a device it is nobody's, and cannot be reached. */
	if (!guard->registry || IN6_IS_ADDR_LINKLOCAL(&mapped))
		return true;
	return check_owner(guard, &mapped, now);
}
