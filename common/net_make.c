/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "net_make_private.h"
#include "net_nft.h"
#include "net_sysctl.h"

/* What one step takes at most: it is not to be divided. */
#define STEP_REQUESTS 8
#define STEP_BYTES (STEP_REQUESTS * NET_REQUEST_MAX)

int net_maker_new(struct net_maker **maker, int parent_fd, int parent_sock)
{
	struct net_maker *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->parent_fd = parent_fd;
	net_batch_init(&m->outside.batch, parent_sock);
	*maker = m;
	return 0;
}

static void saved_clear(struct net_maker *m)
{
	while (m->saved) {
		struct net_saved *next = m->saved->next;

		if (m->saved->ruleset >= 0)
			close(m->saved->ruleset);
		free(m->saved);
		m->saved = next;
	}
}

void net_maker_free(struct net_maker *maker)
{
	if (!maker)
		return;
	saved_clear(maker);
	net_maker_forget(maker, 0);
	free(maker->waiting);
	free(maker->roles);
	free(maker->site.made);
	free(maker);
}

static struct net_side *side_of(struct net_maker *m, bool is_parent)
{
	return is_parent && !m->ground->is_home ? &m->outside : &m->inside;
}

int net_maker_take(void *arg, enum net_role role, bool is_parent, struct nl_msg *msg)
{
	struct net_maker *m = arg;
	struct net_side *side = side_of(m, is_parent);
	int i;

	if (m->is_dark && role == NET_ROLE_PEER)
		return net_maker_wait(m, msg);
	i = net_batch_add(&side->batch, msg);
	nlmsg_free(msg);
	if (i < 0)
		return i;
	side->requests[i] = (struct net_request){.step = m->current, .role = role};
	return 0;
}

static bool has_room(const struct net_side *side)
{
	return side->batch.count + STEP_REQUESTS <= NET_BATCH_MAX &&
	       side->batch.len + STEP_BYTES <= sizeof(side->batch.bytes);
}

int net_maker_step(struct net_maker *m, const struct net_step *step)
{
	size_t first = m->inside.batch.count;
	int rc = net_step_requests(step, &m->site, net_maker_take, m);

	for (size_t i = first; i < m->inside.batch.count; i++)
		if (m->inside.requests[i].role == NET_ROLE_LOOK)
			m->inside.requests[i].link = step->link;
	return rc;
}

static void note_failure(struct net_maker *m, size_t step, int error, const char *text)
{
	if (m->failure.error)
		return;
	m->failure = (struct net_failure){.step = step, .error = error};
	snprintf(m->failure.text, sizeof(m->failure.text), "%s", text);
}

static int note_made(struct net_maker *m, const struct net_link *link, unsigned index)
{
	struct net_made *made = m->site.made;

	if (m->site.made_count == m->made_size) {
		size_t size = m->made_size ? m->made_size * 2 : 8;

		made = reallocarray(made, size, sizeof(*made));
		if (!made)
			return -ENOMEM;
		m->site.made = made;
		m->made_size = size;
	}
	made += m->site.made_count++;
	*made = (struct net_made){.index = index, .old_index = link->index};
	memcpy(made->name, link->name, sizeof(made->name));
	return 0;
}

static bool is_awaited(const struct net_maker *m, size_t step, int error)
{
	return step != NO_STEP && m->plan->steps[step].is_late && error == -EINVAL;
}

/* The kernel may have taken it along with something else: routes with the last address of a device, or
 * with the address that they name, secondary addresses with the primary one. */
static bool is_gone(const struct net_maker *m, size_t step, int error)
{
	switch (step == NO_STEP ? NET_SYSCTL : m->plan->steps[step].kind) {
	case NET_ADDR_DEL:
		return error == -EADDRNOTAVAIL || error == -ENODEV;
	case NET_RULE_DEL:
		return error == -ENOENT;
	case NET_ROUTE_DEL:
		return error == -ESRCH || error == -ENODEV;
	case NET_LINK_DEL:
		return error == -ENODEV;
	default:
		return false;
	}
}

static void take_result(struct net_maker *m, const struct net_request *request,
	const struct net_result *result, const char *text)
{
	int error = is_gone(m, request->step, result->error) ? 0 : result->error;

	if (error == 0 && request->step != NO_STEP)
		m->roles[request->step] |= (unsigned char)request->role;
	if (error == 0 && request->role == NET_ROLE_LOOK)
		error = result->ifindex ? note_made(m, request->link, result->ifindex) : -EPROTO;
	if (is_awaited(m, request->step, error))
		m->has_late = true;
	else if (error < 0)
		note_failure(m, request->step, error, text);
}

static int flush_side(struct net_maker *m, struct net_side *side)
{
	size_t count = side->batch.count;
	int rc = net_batch_send(&side->batch);

	for (size_t i = 0; i < count && rc == 0; i++)
		take_result(m, &side->requests[i], &side->batch.results[i],
				net_batch_text(&side->batch, i));
	/* Then any of them may have been done. */
	for (size_t i = 0; i < count && rc < 0; i++) {
		if (side->requests[i].step != NO_STEP)
			m->roles[side->requests[i].step] |= (unsigned char)side->requests[i].role;
		note_failure(m, side->requests[i].step, rc, "");
	}
	return m->failure.error;
}

int net_maker_flush(struct net_maker *m, bool is_parent_first)
{
	struct net_side *first = is_parent_first ? &m->outside : &m->inside;
	struct net_side *second = is_parent_first ? &m->inside : &m->outside;
	int rc = flush_side(m, first);

	if (rc == 0)
		return flush_side(m, second);
	second->batch.count = second->batch.len = 0;
	return rc;
}

static bool is_parent_first(const struct net_step *step)
{
	return step->kind == NET_LINK_MOVE;
}

static int add_requests(struct net_maker *m, const struct net_step *step)
{
	int rc = 0;

	if (!has_room(&m->inside) || !has_room(&m->outside))
		rc = net_maker_flush(m, is_parent_first(step));
	if (rc < 0)
		return rc;
	rc = net_maker_step(m, step);
	if (rc != -ENODEV)
		return rc;
	/* By a device that is in the batch. */
	rc = net_maker_flush(m, is_parent_first(step));
	return rc < 0 ? rc : net_maker_step(m, step);
}

static struct net_saved *saved_new(struct net_maker *m)
{
	struct net_saved *saved = calloc(1, sizeof(*saved));

	if (!saved)
		return NULL;
	saved->step = m->current;
	saved->ruleset = -1;
	saved->next = m->saved;
	m->saved = saved;
	return saved;
}

static int write_sysctl(struct net_maker *m, const struct network_sysctl *sysctl)
{
	const struct net_ground *g = m->ground;
	struct net_saved *saved = saved_new(m);
	int rc = saved ? 0 : -ENOMEM;

	if (rc == 0)
		rc = net_sysctl_read(g->ns_fd, g->cookie, sysctl->key, saved->value,
			sizeof(saved->value));
	/* Some can only be written. */
	if (rc == -EACCES || rc == -EPERM)
		rc = 0;
	return rc < 0 ? rc : net_sysctl_write(g->ns_fd, g->cookie, sysctl->key, sysctl->value);
}

static int load_nft(struct net_maker *m, const struct net_nft *nft)
{
	const struct net_ground *g = m->ground;
	struct net_saved *saved = saved_new(m);

	if (!saved)
		return -ENOMEM;
	return net_nft_load(g->ns_fd, g->cookie, nft->file, g->is_ours, &saved->ruleset,
		m->failure.text, sizeof(m->failure.text));
}

/* A step that is no request. */
static int write_step(struct net_maker *m, const struct net_step *step)
{
	char text[sizeof(m->failure.text)];
	int rc;

	if (step->kind == NET_SYSCTL)
		rc = write_sysctl(m, step->sysctl->sysctl);
	else
		rc = load_nft(m, step->nft);
	if (rc == 0) {
		m->roles[m->current] |= NET_ROLE_ONLY;
		return 0;
	}
	memcpy(text, m->failure.text, sizeof(text));
	note_failure(m, m->current, rc, text);
	return rc;
}

/* Behind a late step that waits nothing may be done but others like it. */
static bool is_held(const struct net_maker *m)
{
	return m->has_late && m->current < m->plan->count && !m->plan->steps[m->current].is_late;
}

/* A batch has steps of one kind: none of the next kind is done when one of these failed. */
static int do_step(struct net_maker *m, const struct net_step *step)
{
	bool is_file = step->kind == NET_SYSCTL || step->kind == NET_NFT;
	bool is_other = m->current > 0 && step[-1].kind != step->kind;
	int rc = 0;

	if (is_other && (is_file || !m->is_dark))
		rc = net_maker_flush(m, is_parent_first(&step[-1]));
	if (rc < 0 || is_held(m))
		return rc;
	if (is_file)
		return write_step(m, step);
	rc = add_requests(m, step);
	if (rc < 0)
		note_failure(m, m->current, rc, "");
	return rc;
}

static int do_steps(struct net_maker *m)
{
	const struct net_plan *plan = m->plan;
	int rc = 0;

	for (m->current = 0; m->current < plan->count && rc == 0 && !is_held(m); m->current++)
		rc = do_step(m, &plan->steps[m->current]);
	if (rc == 0)
		rc = net_maker_flush(m, is_parent_first(&plan->steps[plan->count - 1]));
	m->inside.batch.count = m->inside.batch.len = 0;
	m->outside.batch.count = m->outside.batch.len = 0;
	return rc;
}

/* The number by which the kernel is told of a lower device in the parent namespace. */
static int learn_nsid(struct net_maker *m)
{
	static const int types[] = {RTM_NEWNSID, RTM_GETNSID};
	struct net_batch *batch = &m->inside.batch;
	int rc = 0;

	for (size_t i = 0; i < 2 && rc >= 0; i++) {
		struct nl_msg *msg = net_request_nsid(types[i], m->parent_fd);

		rc = msg ? net_batch_add(batch, msg) : -ENOMEM;
		nlmsg_free(msg);
	}
	rc = rc < 0 ? rc : net_batch_send(batch);
	/* The first one fails where it has a number already. */
	if (rc == 0 && batch->results[1].error == 0)
		m->site.parent_nsid = batch->results[1].nsid;
	if (rc == 0)
		rc = batch->results[1].error;
	return rc == 0 && m->site.parent_nsid < 0 ? -EPROTO : rc;
}

static bool is_dark(const struct net_ground *ground, const struct net_plan *plan)
{
	bool dark = ground->is_new && !ground->is_home;

	for (size_t i = 0; i < plan->count && dark; i++) {
		const struct net_step *s = &plan->steps[i];

		dark = !s->is_late && s->kind != NET_LINK_MOVE &&
		       (s->kind != NET_LINK_ADD || s->link->device->kind == NETWORK_VETH);
	}
	return dark;
}

static bool needs_nsid(const struct net_ground *ground, const struct net_step *step)
{
	return !ground->is_home && step->kind == NET_LINK_ADD &&
	       step->link->device->kind != NETWORK_VETH && !step->link->device->link_is_own;
}

static int prepare(struct net_maker *m, const struct net_ground *ground, const struct net_plan *plan)
{
	unsigned char *roles = m->roles;
	int rc = 0;

	if (plan->count > m->roles_size) {
		roles = reallocarray(roles, plan->count, sizeof(*roles));
		if (!roles)
			return -ENOMEM;
		m->roles = roles;
		m->roles_size = plan->count;
	}
	memset(roles, 0, plan->count);
	m->ground = ground;
	m->plan = plan;
	m->site = (struct net_site){.ns_fd = ground->ns_fd,
		.parent_fd = m->parent_fd,
		.is_home = ground->is_home,
		.parent_nsid = -1,
		.parent = ground->parent,
		.have = ground->have,
		.made = m->site.made};
	m->is_dark = is_dark(ground, plan);
	m->has_late = false;
	m->failure.error = 0;
	m->failure.text[0] = '\0';
	net_batch_init(&m->inside.batch, ground->sock);
	for (size_t i = 0; i < plan->count && m->site.parent_nsid < 0 && rc == 0; i++)
		if (needs_nsid(ground, &plan->steps[i]))
			rc = learn_nsid(m);
	return rc;
}

static void tell_failure(const struct net_maker *m, int rc)
{
	static const struct network_place nowhere;
	const struct net_failure *f = &m->failure;
	bool has_step = f->error && f->step != NO_STEP;
	char what[NET_STEP_TEXT] = "cannot be worked in";
	char text[NET_STEP_TEXT + NET_BATCH_TEXT + 64];

	if (has_step)
		net_step_print(&m->plan->steps[f->step], what);
	snprintf(text, sizeof(text), "%s: %s%s%s%s", what, strerror(-rc), *f->text ? " (" : "",
		f->text, *f->text ? ")" : "");
	m->ground->report(m->ground->arg, LOG_ERR,
		has_step ? &m->plan->steps[f->step].place : &nowhere, text);
}

bool net_maker_did(const struct net_maker *maker, size_t step)
{
	return maker->roles[step] != 0;
}

bool net_maker_is_clean(const struct net_maker *maker)
{
	return maker->is_clean;
}

int net_make(struct net_maker *m, const struct net_ground *ground, const struct net_plan *plan)
{
	size_t waiting = m->waiting_count;
	int rc;

	if (plan->count == 0)
		return 0;
	rc = prepare(m, ground, plan);
	if (rc == 0)
		rc = do_steps(m);
	if (rc < 0) {
		net_maker_forget(m, waiting);
		tell_failure(m, rc);
		m->is_clean = net_maker_undo(m, plan->count) == 0;
	}
	saved_clear(m);
	if (rc < 0)
		return rc;
	return m->waiting_count > waiting ? NET_DARK : m->has_late;
}
