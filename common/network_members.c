/* SPDX-License-Identifier: BSD-3-Clause */
/* Do the networks of all virtual servers fit together? */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "network_private.h"

/* The namespace of the registry itself, as a mark VS and as a namespace VS say it. */
#define HOST "host"

/* Something that one VS alone may have. Those that can meet stand next to each other when sorted;
 * of two that are the same the one that was collected later is told. */
struct stake {
	const struct network_member *member;
	const struct network_place *place;
	const char *scope;     /* where it counts */
	const char *name;      /* a device */
	struct ip_prefix net;  /* an address, or a pool */
	uint64_t first, last;  /* a mark, or tables */
	size_t order;
};

struct stakes {
	struct stake *entries;
	size_t count, size;
	struct network_errors errors;
};

static int add(struct stakes *c, struct stake stake)
{
	size_t size = c->size ? c->size * 2 : 64;
	struct stake *entries;

	if (c->count == c->size) {
		entries = reallocarray(c->entries, size, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		c->entries = entries;
		c->size = size;
	}
	stake.order = c->count;
	c->entries[c->count++] = stake;
	return 0;
}

static const char *scope_of(const struct network_member *m)
{
	return *m->ns ? m->ns : HOST;
}

static const struct network_place *table_place(const struct network *n)
{
	return n->table_place.file ? &n->table_place : &n->mark_place;
}

/* Larger networks before those in them. */
static int by_stake(const void *left, const void *right)
{
	const struct stake *a = left, *b = right;
	int order = strcmp(a->scope, b->scope);

	if (order == 0 && a->name && b->name)
		order = strcmp(a->name, b->name);
	if (order == 0)
		order = (int)a->net.family - (int)b->net.family;
	if (order == 0)
		order = memcmp(a->net.bytes, b->net.bytes, sizeof(a->net.bytes));
	if (order == 0)
		order = (int)a->net.length - (int)b->net.length;
	if (order == 0 && a->first != b->first)
		order = a->first < b->first ? -1 : 1;
	if (order == 0)
		order = a->order < b->order ? -1 : 1;
	return order;
}

/* a stands before b. */
static bool meets(const struct stake *a, const struct stake *b)
{
	if (strcmp(a->scope, b->scope) != 0)
		return false;
	if (a->name)
		return strcmp(a->name, b->name) == 0;
	if (a->net.family != 0 || b->net.family != 0)
		return ip_prefix_contains(&a->net, &b->net);
	return b->first <= a->last;
}

static void tell(struct stakes *c, const struct stake *a, const struct stake *b, const char *what)
{
	const struct stake *late = a->order < b->order ? b : a, *early = late == a ? b : a;

	network_tell(&c->errors, late->place, "%s of '%s' is taken by '%s' in %s:%u", what,
		late->member->name, early->member->name, early->place->file, early->place->line);
}

/* Networks are in each other or apart, and so a look at the largest and latest that reaches as
 * far is enough to find something for each that has something to find. */
static void find_meetings(struct stakes *c, const char *what)
{
	const struct stake *far = NULL;

	if (c->count > 1)
		qsort(c->entries, c->count, sizeof(*c->entries), by_stake);
	for (size_t i = 0; i < c->count; i++) {
		const struct stake *stake = &c->entries[i];
		bool met = far && meets(far, stake);

		if (met && far->member != stake->member)
			tell(c, far, stake, what);
		if (!met || stake->last > far->last)
			far = stake;
	}
	c->count = 0;
}

/* ---- what is collected; each for all members before it is looked at */

typedef int collect_fn(struct stakes *c, const struct network_member *m);

static int collect_mark(struct stakes *c, const struct network_member *m)
{
	const struct network *n = m->network;
	const struct stake stake = {.member = m,
		.place = &n->mark_place,
		.scope = "",
		.first = n->mark,
		.last = n->mark};

	return n->is_mark ? add(c, stake) : 0;
}

static int collect_tables(struct stakes *c, const struct network_member *m)
{
	const struct network *n = m->network;
	const struct stake stake = {.member = m,
		.place = table_place(n),
		.scope = "",
		.first = n->table,
		.last = (uint64_t)n->table + n->table_count - 1};

	return n->is_mark ? add(c, stake) : 0;
}

static int collect_default(struct stakes *c, const struct network_member *m)
{
	const struct network *n = m->network;
	const struct stake stake = {
		.member = m, .place = &n->default_place, .scope = scope_of(m)};

	return n->is_default ? add(c, stake) : 0;
}

static int collect_addresses(struct stakes *c, const struct network_member *m)
{
	const struct network *n = m->network;
	int rc = 0;

	for (size_t i = 0; i < n->address_count && rc == 0; i++) {
		struct stake stake = {m, &n->addresses[i].place, scope_of(m), NULL,
			n->addresses[i].prefix, 0, 0, 0};

		/* The address alone: many can be in one network. */
		stake.net.length = stake.net.family == AF_INET ? 32 : 128;
		rc = add(c, stake);
	}
	for (size_t i = 0; i < n->pool_count && rc == 0; i++)
		rc = add(c, (struct stake){m, &n->pools[i].place, scope_of(m), NULL,
				      n->pools[i].prefix, 0, 0, 0});
	return rc;
}

/* In the parent namespace, which is one for all. */
static int collect_outside(struct stakes *c, const struct network_member *m)
{
	const struct network *n = m->network;
	int rc = 0;

	for (size_t i = 0; i < n->device_count && rc == 0; i++) {
		const struct network_device *d = &n->devices[i];
		const char *name = d->kind == NETWORK_VETH ? d->peer : d->link;

		if (d->kind == NETWORK_MOVE || d->kind == NETWORK_VETH)
			rc = add(c, (struct stake){m, &d->place, "", name, {0}, 0, 0, 0});
	}
	return rc;
}

/* The addresses of a device are one mark VS's. (A namespace VS may make it.) */
static int collect_inside(struct stakes *c, const struct network_member *m)
{
	const struct network *n = m->network;
	int rc = 0;

	for (size_t i = 0; i < n->device_count && rc == 0; i++) {
		const struct network_device *d = &n->devices[i];

		if (n->is_mark && strcmp(d->name, "lo") != 0)
			rc = add(c, (struct stake){m, &d->place, scope_of(m), d->name, {0}, 0, 0,
					      0});
	}
	return rc;
}

int network_check_all(const struct network_member *members, size_t count, ini_error_fn *error,
	void *arg)
{
	static const struct {
		collect_fn *collect;
		const char *what;
	} kinds[] = {
		{collect_mark, "the mark"},
		{collect_tables, "a table"},
		{collect_default, "Default=yes"},
		{collect_addresses, "an address or pool"},
		{collect_outside, "the device outside"},
		{collect_inside, "the device"},
	};
	struct stakes c = {.errors = {error, arg, 0}};
	int rc = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && rc == 0; k++) {
		for (size_t i = 0; i < count && rc == 0; i++)
			rc = kinds[k].collect(&c, &members[i]);
		find_meetings(&c, kinds[k].what);
	}
	free(c.entries);
	if (rc == 0 && c.errors.count > 0)
		rc = -EINVAL;
	return rc;
}
