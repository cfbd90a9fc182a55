/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "loop.h"

struct record {
	struct rconf_server server;
	uint64_t used;     /* for who has to make room */
	uint64_t heard;    /* when something came from it; 0: never */
	uint64_t failed;   /* when it was last found not to answer */
	uint64_t probe_at; /* 0: it is not dead */
	uint64_t backoff;
	uint64_t no_edns_until;
	uint64_t ifindex_at;
	unsigned ifindex; /* 0: not known */
};

struct health {
	struct record *records;
	unsigned count;
	unsigned turn; /* of rotate */
};

int health_new(struct health **out)
{
	struct health *health = calloc(1, sizeof(*health));

	if (!health)
		return -ENOMEM;
	*out = health;
	return 0;
}

void health_free(struct health *health)
{
	if (!health)
		return;
	free(health->records);
	free(health);
}

void health_forget(struct health *health)
{
	free(health->records);
	health->records = NULL;
	health->count = 0;
}

static bool same_server(const struct rconf_server *a, const struct rconf_server *b)
{
	if (a->addr.sa.sa_family != b->addr.sa.sa_family)
		return false;
	if (a->addr.sa.sa_family == AF_INET)
		return a->addr.in4.sin_port == b->addr.in4.sin_port &&
		       a->addr.in4.sin_addr.s_addr == b->addr.in4.sin_addr.s_addr;
	return a->addr.in6.sin6_port == b->addr.in6.sin6_port &&
	       memcmp(&a->addr.in6.sin6_addr, &b->addr.in6.sin6_addr, 16) == 0 &&
	       strcmp(a->device, b->device) == 0;
}

static struct record *find(const struct health *health, const struct rconf_server *server)
{
	for (unsigned i = 0; i < health->count; i++) {
		if (same_server(&health->records[i].server, server))
			return &health->records[i];
	}
	return NULL;
}

static struct record *oldest(struct health *health)
{
	struct record *found = &health->records[0];

	for (unsigned i = 1; i < health->count; i++) {
		if (health->records[i].used < found->used)
			found = &health->records[i];
	}
	return found;
}

/* NULL: no memory, and nothing is remembered. */
static struct record *note(struct health *health, const struct rconf_server *server, uint64_t now)
{
	struct record *r = find(health, server);

	if (!r && health->count < HEALTH_SERVERS_MAX) {
		struct record *records =
			reallocarray(health->records, health->count + 1, sizeof(*records));

		if (!records)
			return NULL;
		health->records = records;
		r = &records[health->count++];
		*r = (struct record){.server = *server};
	} else if (!r) {
		r = oldest(health);
		*r = (struct record){.server = *server};
	}
	r->used = now;
	return r;
}

static bool is_dead(const struct record *r)
{
	return r && r->probe_at != 0;
}

/* Not again before this one has had its time. */
static void probe_later(struct record *r, const struct rconf *conf, uint64_t now)
{
	uint64_t timeout = conf->timeout_ms * LOOP_MSEC;

	r->probe_at = now + (timeout > r->backoff ? timeout : r->backoff);
}

void health_order(
	struct health *health, const struct rconf *conf, uint64_t now, struct health_order *order)
{
	unsigned n = conf->server_count, first = 0, dead_count = 0;
	uint8_t dead[RCONF_SERVERS_MAX];

	if (conf->rotate && n > 1)
		first = health->turn++ % n;
	*order = (struct health_order){.probe = -1};
	for (unsigned i = 0; i < n; i++) {
		uint8_t number = (uint8_t)((first + i) % n);
		struct record *r = find(health, &conf->servers[number]);

		if (!is_dead(r)) {
			order->servers[order->count++] = number;
			continue;
		}
		dead[dead_count++] = number;
		if (order->probe < 0 && r->probe_at <= now)
			order->probe = number;
	}
	order->all_dead = order->count == 0;
	if (order->all_dead)
		order->probe = -1;
	if (order->probe >= 0)
		probe_later(find(health, &conf->servers[order->probe]), conf, now);
	memcpy(order->servers + order->count, dead, dead_count);
	order->count = n;
}

bool health_answered(struct health *health, const struct rconf_server *server, uint64_t now)
{
	struct record *r = note(health, server, now);
	bool was_dead = is_dead(r);

	if (!r)
		return false;
	r->heard = now;
	r->probe_at = 0;
	r->backoff = 0;
	return was_dead;
}

bool health_failed(
	struct health *health, const struct rconf_server *server, uint64_t began, uint64_t now)
{
	struct record *r = note(health, server, now);
	bool was_dead = is_dead(r);

	/* Many that were under way together are one failure. */
	if (!r || r->heard > began || r->failed > began)
		return false;
	r->failed = now;
	r->backoff = r->backoff ? r->backoff * 2 : HEALTH_BACKOFF_MIN;
	if (r->backoff > HEALTH_BACKOFF_MAX)
		r->backoff = HEALTH_BACKOFF_MAX;
	r->probe_at = now + r->backoff;
	return !was_dead;
}

bool health_takes_edns(const struct health *health, const struct rconf_server *server, uint64_t now)
{
	const struct record *r = find(health, server);

	return !r || r->no_edns_until <= now;
}

void health_refused_edns(struct health *health, const struct rconf_server *server, uint64_t now)
{
	struct record *r = note(health, server, now);

	if (r)
		r->no_edns_until = now + HEALTH_NO_EDNS;
}

int health_address(struct health *health, struct place *place, const struct rconf_server *server,
	uint64_t now, union answer_server *address)
{
	struct record *r;
	unsigned ifindex;
	int rc;

	memset(address, 0, sizeof(*address));
	memcpy(address, &server->addr, sizeof(server->addr));
	if (!server->device[0])
		return 0;
	r = note(health, server, now);
	if (!r || !r->ifindex || now - r->ifindex_at > LOOP_SEC) {
		rc = place_ifindex(place, server->device, &ifindex);
		if (rc < 0)
			return rc;
		if (r) {
			r->ifindex = ifindex;
			r->ifindex_at = now;
		}
	} else {
		ifindex = r->ifindex;
	}
	address->in6.sin6_scope_id = ifindex;
	return 0;
}
