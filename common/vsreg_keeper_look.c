/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A look at a namespace: what there is, what should be, and the difference. How often that may be
 * depends on what it costs, and on how much there is to do again and again: somebody else who
 * wants it otherwise must not lead to an endless race.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net_private.h"
#include "vsreg_keeper.h"

/* A look takes at most a tenth of the time. */
#define SHARE 9
#define HEAT_TIME (50 * NSEC_PER_MSEC)
#define HEAT_MAX 100
#define BACKOFF_MIN (100 * NSEC_PER_MSEC)
#define BACKOFF_MAX (30 * NSEC_PER_SEC)

struct report {
	struct vs_keeper *keeper;
	struct keeper_ns *ns;
};

static void report(void *arg, int priority, const struct network_place *place, const char *text)
{
	const struct report *r = arg;
	char line[PLACE_MAX + 512];

	if (place && place->file)
		snprintf(line, sizeof(line), "%s:%u: %s", place->file, place->line, text);
	else
		snprintf(line, sizeof(line), "%s", text);
	keeper_ns_tell(r->keeper, r->ns, priority == LOG_ERR ? LOG_WARNING : priority, line);
}

static void take_away(struct net_state *have, const struct ip_prefix *address)
{
	size_t kept = 0;

	for (size_t i = 0; i < have->addr_count; i++) {
		if (!net_same_address(&have->addrs[i].prefix, address))
			have->addrs[kept++] = have->addrs[i];
	}
	have->addr_count = kept;
}

/* An address that comes is claimed as if it were there, but it is no source yet. */
static int claim(struct net_look *look, const struct net_group *group,
	const struct keeper_pretence *p)
{
	struct net_addr *addr;
	int rc;

	if (p && p->goes)
		take_away(&look->have, p->goes);
	if (p && p->comes) {
		addr = net_state_addr(&look->have);
		if (!addr)
			return -ENOMEM;
		*addr = *p->comes;
	}
	rc = net_claim(&look->wish, &look->have, group);
	if (p && p->comes)
		take_away(&look->have, &p->comes->prefix);
	return rc;
}

/* Routes of others are many, and are only read when there is something to do. What conflicts is
 * told only then, too. */
static int compare(struct vs_keeper *keeper, struct keeper_ns *ns, unsigned flags,
	const struct keeper_pretence *pretence)
{
	const struct net_group group = {
		.members = ns->wishes, .count = ns->count, .is_keeper = true};
	struct report r = {keeper, ns};
	struct net_look *look = &keeper->look;
	int rc;

	net_look_clear(look);
	rc = net_wish(&look->wish, &group);
	if (rc == 0)
		rc = net_read(&look->reader, ns->ask, flags, &look->wish, &look->have);
	if (rc == 0)
		rc = claim(look, &group, pretence);
	if (rc == 0)
		rc = net_diff(&look->plan, &look->wish, &look->have, &look->have, &group,
			flags & NET_READ_WHOLE ? report : NULL, &r);
	return rc;
}

static int look_and_make(struct vs_keeper *keeper, struct keeper_ns *ns,
	const struct keeper_pretence *pretence, uint64_t *due, bool *changed)
{
	int rc = keeper_ns_open(keeper, ns);

	if (rc < 0)
		return rc;
	/* What was heard up to here is what is read now. */
	keeper_ns_hear(ns, 0);
	ns->due = NEVER;
	keeper_ns_listen(keeper, ns, true);
	rc = compare(keeper, ns, 0, pretence);
	if (rc == 0 && keeper->look.plan.count > 0)
		rc = compare(keeper, ns, NET_READ_WHOLE, pretence);
	if (rc == 0)
		return keeper_make(keeper, ns, due, changed);
	if (rc != -ENOMEM) /* who knows what is still to be read there */
		keeper_ns_shut(ns);
	return rc;
}

static void cool_down(struct keeper_ns *ns, uint64_t now)
{
	uint64_t steps = (now - ns->heated) / HEAT_TIME;

	ns->heat = steps >= ns->heat ? 0 : ns->heat - (unsigned)steps;
	ns->heated = ns->heat ? ns->heated + steps * HEAT_TIME : now;
}

/* When the next look may be. */
static void set_pause(struct keeper_ns *ns, uint64_t start, bool changed)
{
	uint64_t now = reg_now(), pause = (now - start) * SHARE;

	cool_down(ns, now);
	if (changed && ns->heat < HEAT_MAX)
		ns->heat++;
	if (pause < KEEPER_PAUSE)
		pause = KEEPER_PAUSE;
	pause += (uint64_t)ns->heat * ns->heat * NSEC_PER_MSEC / 4;
	ns->not_before = now + pause;
}

static uint64_t next_try(struct keeper_ns *ns)
{
	ns->backoff = ns->backoff ? ns->backoff * 2 : BACKOFF_MIN;
	if (ns->backoff > BACKOFF_MAX)
		ns->backoff = BACKOFF_MAX;
	return reg_now() + ns->backoff;
}

int keeper_look(
	struct vs_keeper *keeper, struct keeper_ns *ns, const struct keeper_pretence *pretence)
{
	uint64_t start = reg_now(), due = NEVER;
	char text[128];
	bool changed = false, is_told;
	int rc = look_and_make(keeper, ns, pretence, &due, &changed);

	set_pause(ns, start, changed);
	if (rc == 0) {
		ns->backoff = 0;
	} else if (rc == -ESTALE) {
		due = NEVER; /* the registry will say so, too */
	} else {
		due = next_try(ns);
		is_told = ns->backoff > KEEPER_TELL;
		snprintf(text, sizeof(text), "its rules and routes are not all right: %s",
			strerror(-rc));
		if (is_told)
			keeper_ns_tell(keeper, ns, LOG_WARNING, text);
	}
	if (due < ns->due)
		ns->due = due < ns->not_before ? ns->not_before : due;
	return rc;
}
