/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything is compared before anything is changed. A device may be in the namespace of one VS that
 * gives it back and be wanted by another one: what fails is looked at a second time, with the parent
 * namespace as it will be then.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vs_apply_private.h"

/* Messages of a group, until it is known whether they are true. */
struct note {
	struct note *next;
	int priority;
	struct network_place place;
	char text[];
};

struct check {
	struct vs_apply *apply;
	struct vs_group *group;
	struct note *first, **last;
	bool has_warning;
	int status;
};

/* Two wishes of one line may fail for one reason. */
static bool is_noted(const struct check *c, const struct network_place *place, const char *text)
{
	const struct note *n = c->first;

	while (n && (n->place.file != place->file || n->place.line != place->line ||
			    strcmp(n->text, text) != 0))
		n = n->next;
	return n;
}

static void take_note(void *arg, int priority, const struct network_place *place, const char *text)
{
	struct check *c = arg;
	struct note *n;

	c->has_warning = c->has_warning || priority == LOG_WARNING;
	if (is_noted(c, place, text))
		return;
	n = calloc(1, sizeof(*n) + strlen(text) + 1);
	if (!n) {
		c->status = -ENOMEM;
		return;
	}
	n->priority = priority;
	n->place = *place;
	memcpy(n->text, text, strlen(text) + 1);
	*c->last = n;
	c->last = &n->next;
}

static void end_notes(struct check *c, bool tell)
{
	while (c->first) {
		struct note *n = c->first;

		if (tell)
			vs_tell_place(c->apply, n->priority, c->group, &n->place, n->text);
		c->first = n->next;
		free(n);
	}
	c->last = &c->first;
}

/* Of a dry run. */
static void tell_plan(struct vs_apply *a, const struct vs_group *g, bool is_there)
{
	char text[NET_STEP_TEXT];

	if (!a->config->is_dry_run || !g->is_pending)
		return;
	if (!is_there && g->is_wanted)
		vs_tell_namespace(a, g, "make");
	for (size_t i = 0; i < a->look.plan.count; i++) {
		net_step_print(&a->look.plan.steps[i], text);
		a->config->step(a->config->arg, g, text);
	}
	if (is_there && g->is_going && g->made_path && !g->is_home)
		vs_tell_namespace(a, g, "remove");
}

/* Does the journal say what will be when the plan is done? */
static bool journal_is_right(const struct vs_apply *a, const struct vs_group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct vs_member *m = &g->members[i];
		const struct vs_entry *e = vs_journal_find(a->journal, m->name);

		if (m->wish == NET_ABSENT && m->is_journaled)
			return false;
		if (m->wish == NET_PRESENT && (!e || e->state != VS_ENTRY_MADE ||
					      e->cookie != g->cookie || strcmp(e->ns, m->path)))
			return false;
	}
	return true;
}

/* Devices that the steps of a plan give to the parent namespace, and other ends that go there. */
static int note_gift(struct vs_apply *a, struct vs_group *g, const struct net_step *step)
{
	bool is_return = step->kind == NET_LINK_RETURN;
	const char *name = is_return ? net_altname_parent_name(step->link->altname) : "";
	struct net_link *gift = net_state_link(&a->gifts);

	if (!gift)
		return -ENOMEM;
	g->gives = true;
	gift->index = is_return ? step->link->index : step->link->link;
	gift->link_nsid = -1;
	snprintf(gift->name, sizeof(gift->name), "%s", name ? name : step->link->name);
	return 0;
}

static int note_gifts(struct vs_apply *a, struct vs_group *g)
{
	const struct net_plan *plan = &a->look.plan;
	int rc = 0;

	for (size_t i = 0; i < plan->count && rc == 0; i++)
		if (plan->steps[i].kind == NET_LINK_RETURN || plan->steps[i].kind == NET_LINK_DEL)
			rc = note_gift(a, g, &plan->steps[i]);
	for (size_t i = 0; i < g->count; i++)
		g->gives = g->gives || g->members[i].wish == NET_ABSENT;
	return rc;
}

/* The parent namespace as it will be. */
static int take_gifts(struct vs_apply *a)
{
	for (size_t i = 0; i < a->gifts.link_count; i++) {
		const struct net_link *gift = &a->gifts.links[i];
		struct net_link *link;

		for (size_t k = 0; k < a->parent.link_count && !gift->name[0]; k++)
			if (a->parent.links[k].index == gift->index)
				a->parent.links[k].name[0] = '\0';
		link = gift->name[0] ? net_state_link(&a->parent) : NULL;
		if (gift->name[0] && !link)
			return -ENOMEM;
		if (link)
			*link = *gift;
	}
	return net_state_index(&a->parent);
}

static int compare(struct check *c, struct vs_place *place)
{
	struct vs_group *g = c->group;
	int rc;

	if (place->ns < 0 && !g->is_wanted)
		return 0;
	rc = place->ns >= 0 ? vs_place_use(c->apply, place) : 0;
	return rc < 0 ? rc : vs_compare(c->apply, g, place, take_note, c);
}

/* Conflicts are noted; any other error is told. */
static int check_group(struct vs_apply *a, struct vs_group *g, struct check *c)
{
	struct vs_place place;
	int rc = vs_place_open(a, g, &place);

	*c = (struct check){.apply = a, .group = g, .last = &c->first};
	if (rc < 0)
		return rc;
	net_look_clear(&a->look);
	rc = compare(c, &place);
	if (rc == 0)
		rc = c->status;
	if (rc < 0 && !c->first)
		vs_fail(a, g, rc, "cannot be looked at");
	g->is_pending = rc == 0 && (a->look.plan.count > 0 || (place.ns < 0 && g->is_wanted) ||
					   !journal_is_right(a, g));
	vs_place_close(a, &place);
	return rc;
}

/* It was up already. What is in the way there may be its tenant's doing, who must not be able to
 * keep all others from being made: it is the only one that is left as it is. */
static bool fails_alone(const struct vs_apply *a, const struct vs_group *g)
{
	bool was_up = false;

	for (size_t i = 0; i < g->count; i++) {
		const struct vs_entry *e = vs_journal_find(a->journal, g->members[i].name);

		was_up = was_up || (e && e->state == VS_ENTRY_MADE && e->cookie == g->cookie);
	}
	return was_up && g->is_there && !g->is_home;
}

static int check_first(struct vs_apply *a, struct vs_group *g)
{
	struct check c;
	int rc = check_group(a, g, &c);

	g->has_failed = rc < 0 && c.first;
	end_notes(&c, rc == 0);
	if (rc < 0)
		return g->has_failed || fails_alone(a, g) ? 0 : rc;
	a->is_waiting = a->is_waiting || c.has_warning;
	tell_plan(a, g, g->is_there);
	return note_gifts(a, g);
}

static int check_second(struct vs_apply *a, struct vs_group *g)
{
	struct check c;
	int rc = check_group(a, g, &c);
	bool is_conflict = rc < 0 && c.first;

	g->has_failed = rc < 0;
	end_notes(&c, true);
	a->is_waiting = a->is_waiting || c.has_warning;
	if (is_conflict && fails_alone(a, g)) {
		if (a->status == 0)
			a->status = rc;
		return 0;
	}
	if (rc == 0)
		tell_plan(a, g, g->is_there);
	return rc == 0 ? note_gifts(a, g) : rc;
}

/* All errors of all groups are told; the first is returned that is not of one namespace alone. */
int vs_check(struct vs_apply *a)
{
	struct vs_group *g, *next;
	int rc = 0, one;

	HASH_ITER(hh, a->groups, g, next) {
		one = g->is_touched && !g->same ? check_first(a, g) : 0;
		rc = rc < 0 ? rc : one;
	}
	one = a->gifts.link_count ? take_gifts(a) : 0;
	rc = rc < 0 ? rc : one;
	HASH_ITER(hh, a->groups, g, next) {
		one = g->has_failed && one != -ENOMEM ? check_second(a, g) : 0;
		rc = rc < 0 ? rc : one;
	}
	return rc;
}
