/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"
#include "share.h"
#include "vserver.h"

#define NOBODYS_LOG (60 * LOOP_SEC)

int share_new(struct share **share)
{
	struct share *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->nobodys_limit = (struct log_limit){.burst = 1, .interval = NOBODYS_LOG};
	s->refused_limit = (struct log_limit){.burst = 10, .interval = 10 * LOOP_SEC};
	*share = s;
	return 0;
}

void share_free(struct share *share)
{
	if (!share)
		return;
	claims_free(share->claims);
	free(share);
}

struct vserver *share_carrier(const struct vserver *vs)
{
	struct vserver *carrier;

	if (!vs->shares)
		return NULL;
	HASH_FIND(by_cookie, vs->server->by_cookie, &vs->cookie, sizeof(vs->cookie), carrier);
	return carrier && carrier->share ? carrier : NULL;
}

static struct vserver *by_id(const struct vserver *carrier, uint64_t id)
{
	struct vserver *vs = NULL;

	if (id)
		HASH_FIND(by_id, carrier->server->by_id, &id, sizeof(id), vs);
	return vs;
}

static struct vserver *served(struct vserver *vs)
{
	return vs && vs->conf.serve && vs->answered ? vs : NULL;
}

struct vserver *share_common(struct vserver *carrier)
{
	const struct share *s = carrier->share;

	if (!s->told)
		return NULL;
	return s->default_id ? served(by_id(carrier, s->default_id)) : carrier;
}

static uint64_t claimed_by(
	const struct vserver *carrier, const struct uaddr *addr, unsigned ifindex)
{
	return claims_owner(carrier->share->claims, addr->family, addr->addr, ifindex);
}

struct vserver *share_owner(struct vserver *carrier, const struct uaddr *addr, unsigned ifindex)
{
	if (addr->family != AF_INET && addr->family != AF_INET6)
		return NULL;
	if (claims_is_common(addr->family, addr->addr))
		return share_common(carrier);
	return served(by_id(carrier, claimed_by(carrier, addr, ifindex)));
}

void share_count_nobodys(struct vserver *carrier, const struct uaddr *addr)
{
	struct share *s = carrier->share;
	char text[UADDR_MAX];
	uint64_t dropped;

	s->nobodys++;
	if (!log_limit_ok(&s->nobodys_limit, loop_now(carrier->server->loop), &dropped))
		return;
	uaddr_format(addr, text, sizeof(text));
	log_notice(carrier->name,
		"asked at %s, an address of no virtual server that is served: not answered (%llu "
		"so far)", text, (unsigned long long)s->nobodys);
}

bool share_has(const struct vserver *vs, const struct uaddr *addr, unsigned ifindex, bool common)
{
	struct vserver *carrier = vs->share ? (struct vserver *)(uintptr_t)vs : share_carrier(vs);

	if (!vs->shares && !vs->share)
		return true;
	/* One that is to come has not told yet, or this VS is about to have its own. */
	if (!carrier)
		return common;
	return (common ? share_common(carrier) : share_owner(carrier, addr, ifindex)) == vs;
}

struct vserver *share_host(struct vserver *carrier, const struct uaddr *host)
{
	uint64_t id = claimed_by(carrier, host, 0);

	if (claims_is_common(host->family, host->addr))
		id = carrier->share->default_id;
	else if (!id)
		id = carrier->share->rest_id;
	return served(by_id(carrier, id));
}

bool share_may_have(const struct vserver *vs, const struct uaddr *addr)
{
	const struct vserver *carrier = share_carrier(vs);
	uint64_t id;

	if (!carrier)
		return !vs->shares;
	id = claims_is_common(addr->family, addr->addr) ? carrier->share->default_id
							 : claimed_by(carrier, addr, 0);
	return !id || id == vs->id;
}

bool share_has_socket(const struct vserver *vs, const struct ghosts_socket *socket)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct uaddr addr = {.family = socket->family};
	bool is_mapped = socket->family == AF_INET6 && !memcmp(socket->addr, mapped, 12);

	if (is_mapped)
		addr.family = AF_INET;
	memcpy(addr.addr, socket->addr + (is_mapped ? 12 : 0), addr.family == AF_INET ? 4 : 16);
	return uaddr_is_wildcard(&addr) || share_may_have(vs, &addr);
}

bool share_may_import(const struct vserver *vs, const struct warmstart_entry *entry)
{
	enum netid netid = netid_parse(entry->netid);
	struct uaddr host;

	/* What makes no sense is refused for that. */
	return entry->port_only || netid == NETID_NONE ||
	       uaddr_parse(netid_info(netid)->family, entry->addr, &host) ||
	       host.family == AF_UNIX || uaddr_is_wildcard(&host) || share_may_have(vs, &host);
}

static void tell_refused(struct vserver *vs, struct vserver *carrier, const struct uaddr *host,
	const char *why)
{
	char text[UADDR_MAX] = "a registration without an address";
	uint64_t dropped;

	if (!log_limit_ok(&carrier->share->refused_limit, loop_now(vs->server->loop), &dropped))
		return;
	if (host)
		uaddr_format(host, text, sizeof(text));
	log_notice(vs->name, "refused: %s: %s (%llu more not logged)", text, why,
		(unsigned long long)dropped);
}

struct proc_vs *share_place(void *arg, const struct proc_caller *caller, const struct uaddr *host)
{
	struct vserver *vs = arg, *owner = NULL;
	struct vserver *carrier = vs->share ? vs : share_carrier(vs);

	if (!carrier || !carrier->share->told)
		return NULL;
	if (!host && !vs->share)
		return &vs->proc;
	if (host)
		owner = share_host(carrier, host);
	if (owner && (owner == vs || caller->common))
		return &owner->proc;
	if (owner)
		tell_refused(vs, carrier, host, "the address is another virtual server's");
	else if (host)
		tell_refused(vs, carrier, host, "the address is no virtual server's");
	else
		tell_refused(vs, carrier, host, "no virtual server here has Default=yes, so that a "
						"local client has to name an address of one");
	return NULL;
}

/* Connections by which nobody may ask this VS any more. */
static void close_others(struct vserver *vs)
{
	struct stream_conn *c, *next;

	TAILQ_FOREACH_MUT (c, &vs->conns, in_vs, next)
		if (c->caller.common || c->caller.netid != NETID_LOCAL)
			if (!share_has(vs, &c->caller.contacted, c->ifindex, c->caller.common))
				stream_conn_close(c);
}

static void settle(struct vserver *vs)
{
	close_others(vs);
	/* Whose they are was found out by what held before. */
	udp_forget_kept(&vs->udp4);
	udp_forget_kept(&vs->udp6);
	vserver_update_builtins(vs);
}

void share_set(struct vserver *carrier, const struct link_claims *claims)
{
	struct share *s = carrier->share;
	struct vserver *vs, *next;
	struct claims *list;
	int rc = claims_new(&list, claims->list, claims->count);

	if (rc) {
		/* Nobody is served rather than the wrong one. */
		log_err(carrier->name, "addresses of virtual servers: %s", strerror(-rc));
		list = NULL;
	}
	claims_free(s->claims);
	s->claims = list;
	s->default_id = claims->default_vs;
	s->rest_id = claims->rest_vs;
	s->told = !rc;
	carrier->turn.more = 0;
	HASH_ITER(by_id, carrier->server->by_id, vs, next) {
		if (vs->cookie != carrier->cookie || (!vs->shares && vs != carrier))
			continue;
		settle(vs);
		carrier->turn.more += vs->shares && carrier->turn.more + 1 < TURN_SLICES_MAX;
	}
	vs = share_common(carrier);
	if (vs)
		stream_adopt(carrier->server, vs);
}

bool share_is_wanted(const struct vserver *carrier, const struct vserver *leaving)
{
	struct vserver *vs, *next;

	HASH_ITER(by_id, carrier->server->by_id, vs, next)
		if (vs != leaving && vs->shares && vs->cookie == carrier->cookie && vs->conf.serve)
			return true;
	return false;
}

void share_follow(struct vserver *carrier, const struct vserver *leaving)
{
	bool wanted = share_is_wanted(carrier, leaving);

	if (wanted == carrier->conf.serve)
		return;
	carrier->conf.serve = wanted;
	vserver_release_unwanted(carrier);
	vserver_request_sockets(carrier);
}

void share_update_builtins(struct vserver *carrier)
{
	struct vserver *vs, *next;

	HASH_ITER(by_id, carrier->server->by_id, vs, next)
		if (vs->shares && vs->cookie == carrier->cookie)
			vserver_update_builtins(vs);
}
