/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the looks at labels mean for VSs. A VS lives as long as one label stands for its
 * namespace; its name is that of its primary label, which stays primary while it lives.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vsreg_private.h"

static struct vs *find_cookie(const struct vs_reg *reg, uint64_t cookie)
{
	struct vs *vs;

	HASH_FIND(hh, reg->index->cookies, &cookie, sizeof(cookie), vs);
	return vs;
}

void reg_touch(struct vs_reg *reg, struct vs *vs)
{
	if (vs->is_touched)
		return;
	vs->is_touched = true;
	vs_ref(vs);
	TAILQ_INSERT_TAIL(&reg->touched, vs, touched);
}

/* Room for one more VS, so that nothing can fail once it is to be listed. */
int reg_reserve(struct vs_reg *reg)
{
	size_t size = reg->order_size ? reg->order_size * 2 : 16;
	struct vs **order;

	if (reg->vs_count < reg->order_size)
		return 0;
	index_write(reg->index);
	order = reallocarray(reg->order, size, sizeof(struct vs *));
	if (order) {
		reg->order = order;
		reg->order_size = size;
	}
	index_write_end(reg->index);
	return order ? 0 : -ENOMEM;
}

/* A VS in the table of cookies, which holds the reference; not listed yet. */
static int add_vs(struct vs_reg *reg, const struct look *look, struct vs **vs)
{
	int rc = reg_reserve(reg);
	struct vs *v = NULL;

	if (rc == 0)
		v = vs_new(reg->index, look, look->cookie == reg->host_cookie, 0);
	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	index_write(reg->index);
	HASH_ADD(hh, reg->index->cookies, cookie, sizeof(v->cookie), v);
	index_write_end(reg->index);
	if (!v->hh.tbl) {
		vs_unref(v);
		return -ENOMEM;
	}
	reg->vs_count++;
	*vs = v;
	return 0;
}

/* The same namespace at another place. */
static void change_node(struct label *label, struct vs_node *node)
{
	struct vs *vs = label->vs;

	if (label->node == node)
		return;
	atomic_store(&node->live, true);
	if (atomic_load(&vs->primary) == label->node)
		atomic_store(&vs->primary, node);
	atomic_store(&label->node->live, false);
	label->node = node;
}

int label_attach(struct vs_reg *reg, struct label *label, const struct look *look)
{
	uint32_t mark = mark_of(setup_conf(reg->setup, label->name));
	struct vs *vs = find_cookie(reg, look->cookie);
	struct vs_node *node;
	int rc;

	if (mark)
		return mark_attach(reg, label, look, mark);
	rc = vs ? 0 : add_vs(reg, look, &vs);
	if (rc < 0)
		return rc;
	reg_touch(reg, vs);
	node = vs_node_get(vs, label->name, look->place);
	if (!node)
		return -ENOMEM;
	label_join(reg, label, vs, node);
	return 0;
}

void label_join(struct vs_reg *reg, struct label *label, struct vs *vs, struct vs_node *node)
{
	if (label->vs == vs) {
		change_node(label, node);
		return;
	}
	label_detach(reg, label);
	atomic_store(&node->live, true);
	label->node = node;
	TAILQ_INSERT_TAIL(&vs->labels, label, of_vs);
	vs->relabelled = true;
	index_write(reg->index);
	label->vs = vs_ref(vs);
	index_write_end(reg->index);
}

void label_detach(struct vs_reg *reg, struct label *label)
{
	struct vs *vs = label->vs;

	if (!vs)
		return;
	TAILQ_REMOVE(&vs->labels, label, of_vs);
	atomic_store(&label->node->live, false);
	label->node = NULL;
	label->ids.mount = 0;
	vs->relabelled = true;
	reg_touch(reg, vs);
	index_write(reg->index);
	label->vs = NULL;
	index_write_end(reg->index);
	vs_unref(vs);
}

size_t order_position(const struct vs_reg *reg, const char *name)
{
	size_t low = 0, high = reg->order_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(vs_name(reg->order[middle]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void order_insert(struct vs_reg *reg, struct vs *vs)
{
	size_t at = order_position(reg, vs_name(vs));

	memmove(&reg->order[at + 1], &reg->order[at], (reg->order_len - at) * sizeof(struct vs *));
	reg->order[at] = vs;
	reg->order_len++;
}

/* By itself and not by name alone: its name may already be another's. */
static void order_remove(struct vs_reg *reg, const struct vs *vs)
{
	size_t at = order_position(reg, vs_name(vs));

	while (at < reg->order_len && reg->order[at] != vs)
		at++;
	if (at == reg->order_len)
		return;
	reg->order_len--;
	memmove(&reg->order[at], &reg->order[at + 1], (reg->order_len - at) * sizeof(struct vs *));
}

static void remove_vs(struct vs_reg *reg, struct vs *vs)
{
	atomic_store(&vs->gone, true);
	index_write(reg->index);
	if (vs->is_listed) {
		order_remove(reg, vs);
		vs->event = VS_REMOVED;
	}
	vs->is_listed = false;
	if (vs->mark)
		mark_unlist(vs);
	else
		HASH_DELETE(hh, reg->index->cookies, vs);
	index_write_end(reg->index);
	reg->vs_count--;
	mark_note_change(reg, vs->cookie);
	held_wait(reg, vs);
	if (vs->mark)
		mark_remove(reg, vs);
	vs_unref(vs);
}

/* The host's own name, then names with a configuration file, then in order of name. */
static bool is_better(const struct vs_reg *reg, const struct label *a, const struct label *b)
{
	bool a_has = setup_conf(reg->setup, a->name), b_has = setup_conf(reg->setup, b->name);

	if (a == reg->host || b == reg->host)
		return a == reg->host;
	if (a_has != b_has)
		return a_has;
	return strcmp(a->name, b->name) < 0;
}

static const struct label *choose_primary(const struct vs_reg *reg, const struct vs *vs)
{
	const struct vs_node *primary = atomic_load(&vs->primary);
	const struct label *best = NULL, *label;

	TAILQ_FOREACH(label, &vs->labels, of_vs) {
		if (vs->is_listed && label->node == primary)
			return label;
		if (!best || is_better(reg, label, best))
			best = label;
	}
	return best;
}

/* The primary's file, or else the first other's; a second file is an error that is told. The host
 * has its settings from its own file only: what is meant for a tenant must not reach it because
 * a name leads astray. */
static struct vs_conf *choose_conf(struct vs_reg *reg, struct vs *vs, const struct label *primary)
{
	struct vs_conf *conf = setup_conf(reg->setup, primary->name), *other;
	struct label *label;

	TAILQ_FOREACH(label, &vs->labels, of_vs) {
		other = setup_conf(reg->setup, label->name);
		if (other && primary != reg->host && (!conf || (strcmp(conf->name, primary->name) != 0 &&
					       strcmp(other->name, conf->name) < 0)))
			conf = other;
	}
	TAILQ_FOREACH(label, &vs->labels, of_vs) {
		other = setup_conf(reg->setup, label->name);
		if (!other || other == conf || (label->told & CAUSE_CONF))
			continue;
		label->told |= CAUSE_CONF;
		reg_log(reg, LOG_ERR, label->name,
			"%s: the namespace is the one of %s; these settings are not used",
			other->file, conf ? conf->file : VS_HOST);
	}
	return conf;
}

static void list_vs(struct vs_reg *reg, struct vs *vs, struct vs_node *primary)
{
	index_write(reg->index);
	if (vs->is_listed)
		order_remove(reg, vs);
	atomic_store(&vs->primary, primary);
	order_insert(reg, vs);
	vs->is_listed = true;
	if (vs->mark)
		mark_list(reg, vs);
	index_write_end(reg->index);
}

static void settle_vs(struct vs_reg *reg, struct vs *vs)
{
	const struct label *primary = choose_primary(reg, vs);
	bool is_new = !vs->is_listed, changed = vs->relabelled;
	struct vs_conf *conf;

	if (atomic_load(&vs->gone))
		return;
	if (!primary) {
		remove_vs(reg, vs);
		return;
	}
	conf = choose_conf(reg, vs, primary);
	if (!conf_same(vs->conf, conf))
		changed = true;
	if (is_new || vs->conf != conf)
		mark_note_change(reg, vs->cookie);
	if (vs->conf != conf)
		vs_set_conf(vs, conf);
	if (vs->is_refused)
		return;
	if (is_new || primary->node != atomic_load(&vs->primary))
		list_vs(reg, vs, primary->node);
	if (is_new)
		nsid_add(reg, vs); /* before it is announced: no change of addresses is missed */
	vs->relabelled = false;
	if (is_new)
		vs->event = VS_ADDED;
	else if (changed)
		vs->event = VS_CHANGED;
}

/* The rest of the events, which come of no label. The list's references are given back. */
static void announce_nsid(struct vs_reg *reg, vs_event_fn *fn, void *arg)
{
	struct vs *vs;

	while ((vs = TAILQ_FIRST(&reg->nsid.readdressed))) {
		TAILQ_REMOVE(&reg->nsid.readdressed, vs, of_addresses);
		vs->readdressed = false;
		if (fn && vs->is_listed)
			fn(vs, VS_ADDRESSES, arg);
		vs_unref(vs);
	}
	while ((vs = TAILQ_FIRST(&reg->nsid.released))) {
		TAILQ_REMOVE(&reg->nsid.released, vs, of_gone);
		if (fn)
			fn(vs, VS_RELEASED, arg);
		vs_unref(vs);
	}
}

void reg_settle(struct vs_reg *reg, vs_event_fn *fn, void *arg)
{
	static const enum vs_event order[] = {VS_REMOVED, VS_CHANGED, VS_ADDED};
	bool is_news = !TAILQ_EMPTY(&reg->touched);
	struct vs *vs, *next;

	/* Namespace VSs first, by which mark VSs are judged, and what is gone. */
	TAILQ_FOREACH(vs, &reg->touched, touched) {
		if (!vs->mark || TAILQ_EMPTY(&vs->labels))
			settle_vs(reg, vs);
	}
	mark_judge(reg);
	TAILQ_FOREACH(vs, &reg->touched, touched) {
		if (vs->mark)
			settle_vs(reg, vs);
	}
	mark_publish(reg);
	for (size_t i = 0; fn && i < sizeof(order) / sizeof(order[0]); i++) {
		TAILQ_FOREACH(vs, &reg->touched, touched) {
			if (vs->event == order[i])
				fn(vs, order[i], arg);
		}
	}
	TAILQ_FOREACH_MUT(vs, &reg->touched, touched, next) {
		TAILQ_REMOVE(&reg->touched, vs, touched);
		vs->is_touched = false;
		vs->event = 0;
		vs_unref(vs);
	}
	announce_nsid(reg, fn, arg);
	if (is_news)
		keepers_poke(&reg->keepers);
}
