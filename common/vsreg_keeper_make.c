/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps of a keeper's plan, done as far as possible: none of them waits for another, since a
 * rule without its routes is better than none.
 */
#include "config.h"

#include <errno.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "net_step.h"
#include "vsreg_keeper.h"

struct making {
	struct vs_keeper *keeper;
	struct keeper_ns *ns;
	const struct net_step *steps[NET_BATCH_MAX]; /* of the requests in the batch */
	const struct net_step *step;
	bool changed;
	int failure; /* the first */
};

/* ---- what may wait */

static uint32_t name_step(const struct net_step *step)
{
	char text[NET_STEP_TEXT];

	net_step_print(step, text);
	return crc32_add(0, text, strlen(text));
}

/* Since when it has been to go; now, if that is new. */
static int since_when(struct keeper_doomed_list *list, uint32_t what, uint64_t now, uint64_t *since)
{
	size_t size = list->size ? list->size * 2 : 16;
	struct keeper_doomed *entries;

	for (size_t i = 0; i < list->count; i++) {
		if (list->entries[i].what != what)
			continue;
		list->entries[i].is_seen = true;
		*since = list->entries[i].since;
		return 0;
	}
	if (list->count == KEEPER_LINGER_MAX)
		return -ENOSPC;
	if (list->count == list->size) {
		entries = reallocarray(list->entries, size, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->size = size;
	}
	list->entries[list->count++] = (struct keeper_doomed){what, now, true};
	*since = now;
	return 0;
}

/* Forgets what is not to go any more. */
static void forget_others(struct keeper_doomed_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (!list->entries[i].is_seen)
			continue;
		list->entries[kept] = list->entries[i];
		list->entries[kept++].is_seen = false;
	}
	list->count = kept;
}

static bool has_rule_for(const struct net_state *wish, const struct ip_prefix *from)
{
	for (size_t i = 0; i < wish->rule_count; i++) {
		if (wish->rules[i].from.family && ip_prefix_overlap(&wish->rules[i].from, from))
			return true;
	}
	return false;
}

static bool has_route_to(const struct net_state *wish, const struct net_route *route)
{
	for (size_t i = 0; i < wish->route_count; i++) {
		if (wish->routes[i].table == route->table && wish->routes[i].dst.length > 0 &&
			ip_prefix_overlap(&wish->routes[i].dst, &route->dst))
			return true;
	}
	return false;
}

/* vsctl closes a mark while its VS has no source yet, and then opens it itself. */
static bool is_closed_mark(const struct vs_keeper *keeper, const struct net_step *step)
{
	const struct net_state *have = &keeper->look.have;

	if ((step->kind != NET_RULE_ADD && step->kind != NET_RULE_DEL) || step->rule->mark == 0)
		return false;
	for (size_t i = 0; i < have->rule_count; i++) {
		const struct net_rule *r = &have->rules[i];

		if (r->is_ours && r->is_unreachable && r->mark == step->rule->mark &&
			r->family == step->rule->family)
			return true;
	}
	return false;
}

/* How long it does no harm: a rule or a network's route for an address that is not there, and that
 * nobody else wants in another way. */
static uint64_t patience(const struct vs_keeper *keeper, const struct net_step *step)
{
	const struct net_state *wish = &keeper->look.wish;

	if (step->kind == NET_RULE_DEL && step->rule->from.family &&
		!has_rule_for(wish, &step->rule->from))
		return keeper->linger;
	if (is_closed_mark(keeper, step))
		return KEEPER_GRACE;
	if (step->kind == NET_ROUTE_DEL && step->route->kind == NETWORK_UNICAST &&
		step->route->via.family == 0 && step->route->dst.length > 0 &&
		!has_route_to(wish, step->route))
		return KEEPER_GRACE;
	return 0;
}

/* True: not now. */
static bool must_wait(struct making *m, uint64_t *due)
{
	uint64_t since, now = reg_now(), time = patience(m->keeper, m->step);

	if (time == 0 || since_when(&m->ns->doomed, name_step(m->step), now, &since) < 0)
		return false;
	if (now >= since + time)
		return false;
	if (since + time < *due)
		*due = since + time;
	return true;
}

/* ---- doing it */

/* Another keeper was faster, or the kernel. */
static bool is_done_already(enum net_step_kind kind, int error)
{
	if (kind == NET_RULE_DEL || kind == NET_ROUTE_DEL)
		return error == -ENOENT || error == -ESRCH || error == -ENODEV;
	return kind == NET_RULE_ADD && error == -EEXIST;
}

/* more: what the kernel says besides, or "". */
static void judge(struct making *m, const struct net_step *step, const struct net_result *result,
	const char *more)
{
	char what[NET_STEP_TEXT], text[NET_STEP_TEXT + NET_BATCH_TEXT + 64];

	if (result->error == 0)
		m->changed = true;
	if (result->error == 0 || is_done_already(step->kind, result->error))
		return;
	if (m->failure == 0)
		m->failure = result->error;
	if (m->ns->backoff < KEEPER_TELL)
		return;
	net_step_print(step, what);
	snprintf(text, sizeof(text), "cannot %s: %s%s%s", what, strerror(-result->error),
		more[0] ? ": " : "", more);
	keeper_ns_tell(m->keeper, m->ns, LOG_WARNING, text);
}

static int flush(struct making *m)
{
	struct net_batch *batch = &m->keeper->batch;
	size_t count = batch->count;
	int rc = net_batch_send(batch);

	for (size_t i = 0; rc == 0 && i < count; i++)
		judge(m, m->steps[i], &batch->results[i], net_batch_text(batch, i));
	return rc;
}

static int put(void *arg, enum net_role role, bool is_parent, struct nl_msg *msg)
{
	struct making *m = arg;
	int rc = net_batch_add(&m->keeper->batch, msg);

	(void)role;
	(void)is_parent;
	if (rc == -ENOBUFS) {
		rc = flush(m);
		if (rc == 0)
			rc = net_batch_add(&m->keeper->batch, msg);
	}
	nlmsg_free(msg);
	if (rc < 0)
		return rc;
	m->steps[rc] = m->step;
	return 0;
}

/* Nothing else than rules and routes, whatever the plan says. */
static bool is_ours_to_do(const struct net_step *step)
{
	return step->kind == NET_RULE_ADD || step->kind == NET_RULE_DEL ||
	       step->kind == NET_ROUTE_ADD || step->kind == NET_ROUTE_SET ||
	       step->kind == NET_ROUTE_DEL;
}

int keeper_make(struct vs_keeper *keeper, struct keeper_ns *ns, uint64_t *due, bool *changed)
{
	const struct net_plan *plan = &keeper->look.plan;
	const struct net_site site = {.ns_fd = -1, .parent_fd = -1, .have = &keeper->look.have};
	struct making m = {.keeper = keeper, .ns = ns};
	int rc = 0;

	net_batch_init(&keeper->batch, ns->ask);
	for (size_t i = 0; i < plan->count && rc == 0; i++) {
		m.step = &plan->steps[i];
		if (is_ours_to_do(m.step) && !must_wait(&m, due))
			rc = net_step_requests(m.step, &site, put, &m);
		if (rc == -ENODEV) { /* went away since it was read, and that will be heard */
			m.failure = m.failure ? m.failure : rc;
			rc = 0;
		}
	}
	if (rc == 0)
		rc = flush(&m);
	forget_others(&ns->doomed);
	*changed = m.changed;
	if (rc < 0)
		keeper_ns_shut(ns);
	return rc < 0 ? rc : m.failure;
}
