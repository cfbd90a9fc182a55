/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Namespaces that mark VSs share. A mark VS has one label, that of its file; it comes with the
 * namespace and goes with it.
 *
 * Its files may name one namespace by several paths, so that only here it shows which VSs share
 * one. Of two that want the same, the second by name is refused: it is not listed, and what it
 * alone wants is nobody's until its file says something else.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "parse.h"
#include "vsreg_private.h"

/* Addresses are looked at again no sooner than this many times as long as it took. */
#define PAUSE 4
#define RETRY NSEC_PER_SEC

uint32_t mark_of(const struct vs_conf *conf)
{
	return conf && conf->network->is_mark ? conf->network->mark : 0;
}

static struct space *find_space(const struct vs_reg *reg, uint64_t cookie)
{
	struct space *space;

	HASH_FIND(hh, reg->index->spaces, &cookie, sizeof(cookie), space);
	return space;
}

static struct space *get_space(struct vs_reg *reg, uint64_t cookie)
{
	struct space *space = find_space(reg, cookie);

	if (space)
		return space;
	space = calloc(1, sizeof(*space));
	if (!space)
		return NULL;
	space->cookie = cookie;
	space->is_changed = true;
	space->poll_at = NEVER;
	TAILQ_INIT(&space->marks);
	index_write(reg->index);
	HASH_ADD(hh, reg->index->spaces, cookie, sizeof(space->cookie), space);
	index_write_end(reg->index);
	if (space->hh.tbl)
		return space;
	free(space);
	return NULL;
}

/* ---- VSs */

static void insert_in_order(struct space *space, struct vs *vs)
{
	struct vs *other;

	/* Most come in order. */
	TAILQ_FOREACH_REVERSE(other, &space->marks, vs_list, of_space) {
		if (strcmp(vs_name(other), vs_name(vs)) <= 0) {
			TAILQ_INSERT_AFTER(&space->marks, other, vs, of_space);
			return;
		}
	}
	TAILQ_INSERT_HEAD(&space->marks, vs, of_space);
}

static int new_mark(struct vs_reg *reg, struct label *label, const struct look *look, uint32_t mark)
{
	struct space *space = get_space(reg, look->cookie);
	struct vs_node *node;
	struct vs *vs = NULL;

	if (space && reg_reserve(reg) == 0)
		vs = vs_new(reg->index, look, look->cookie == reg->host_cookie, mark);
	node = vs ? vs_node_get(vs, label->name, look->place) : NULL;
	if (!node) {
		vs_unref(vs);
		return -ENOMEM;
	}
	atomic_store(&vs->primary, node);
	insert_in_order(space, vs);
	space->is_changed = true;
	reg->vs_count++;
	reg_touch(reg, vs);
	label_join(reg, label, vs, node);
	return 0;
}

int mark_attach(struct vs_reg *reg, struct label *label, const struct look *look, uint32_t mark)
{
	struct vs *vs = label->vs;
	struct vs_node *node;

	if (!vs || vs->cookie != look->cookie || vs->mark != mark)
		return new_mark(reg, label, look, mark);
	node = vs_node_get(vs, label->name, look->place);
	if (!node)
		return -ENOMEM;
	if (node == label->node)
		return 0;
	reg_touch(reg, vs);
	label_join(reg, label, vs, node);
	return 0;
}

void mark_remove(struct vs_reg *reg, struct vs *vs)
{
	struct space *space = find_space(reg, vs->cookie);

	TAILQ_REMOVE(&space->marks, vs, of_space);
	space->is_changed = true;
}

/* The table is consistent: who leaves it has done so before anybody comes. */
void mark_list(struct vs_reg *reg, struct vs *vs)
{
	if (vs->hh.tbl)
		return;
	HASH_ADD(hh, reg->index->marks, mark, sizeof(vs->mark), vs);
	if (!vs->hh.tbl)
		reg_log(reg, LOG_WARNING, vs_name(vs), "out of memory: not found by its mark");
}

void mark_unlist(struct vs *vs)
{
	if (!vs->hh.tbl)
		return;
	HASH_DELETE(hh, vs->index->marks, vs);
	vs->hh.tbl = NULL;
}

/* ---- what has changed */

void mark_note_change(struct vs_reg *reg, uint64_t cookie)
{
	struct space *space = find_space(reg, cookie);

	if (space)
		space->is_changed = true;
}

void mark_note_files(struct vs_reg *reg)
{
	struct space *space, *next;

	HASH_ITER(hh, reg->index->spaces, space, next)
		space->is_changed = true;
}

void mark_note_address(struct vs_reg *reg, uint64_t cookie)
{
	struct space *space = find_space(reg, cookie);

	if (space)
		space->is_readdressed = space->has_devices;
}

void mark_note_all_addresses(struct vs_reg *reg)
{
	struct space *space, *next;

	HASH_ITER(hh, reg->index->spaces, space, next)
		space->is_readdressed = space->has_devices;
}

uint64_t mark_due(const struct vs_reg *reg)
{
	const struct space *space, *next;
	uint64_t due = NEVER, at;

	HASH_ITER(hh, reg->index->spaces, space, next) {
		at = space->is_changed || space->is_readdressed ? space->after : space->poll_at;
		/* 0 would be never. */
		if (at < due)
			due = at > 0 ? at : 1;
	}
	return due;
}

/* ---- who is refused */

struct objection {
	char text[PLACE_MAX + 512];
};

static void note_objection(void *arg, const char *file, unsigned line, const char *text)
{
	struct objection *o = arg;

	if (!o->text[0])
		snprintf(o->text, sizeof(o->text), "%s:%u: %s", file ? file : "", line, text);
}

static bool is_plain_known(const struct vs *plain)
{
	return plain && plain->is_listed && plain->conf;
}

static struct vs *find_plain(const struct vs_reg *reg, uint64_t cookie)
{
	struct vs *vs;

	HASH_FIND(hh, reg->index->cookies, &cookie, sizeof(cookie), vs);
	return vs;
}

static struct label *label_of(const struct vs *vs)
{
	return TAILQ_FIRST(&vs->labels);
}

/* One that is served stops being so, as if it were gone; another one, not listed, is in its
 * place. */
static void replace(struct vs_reg *reg, struct vs *vs)
{
	struct label *label = label_of(vs);
	struct look look = {.cookie = vs->cookie, .handle = vs->handle};

	(void)!copy_str(look.place, sizeof(look.place), label->node->place);
	if (new_mark(reg, label, &look, vs->mark) < 0)
		label_detach(reg, label);
	else
		label->vs->is_refused = true;
}

static void refuse(struct vs_reg *reg, struct vs *vs, const struct objection *objection)
{
	struct label *label = label_of(vs);

	if (!(label->told & CAUSE_CLAIM))
		reg_log(reg, LOG_ERR, vs_name(vs), "%s; it is not served", objection->text);
	label->told |= CAUSE_CLAIM;
	if (vs->is_listed)
		replace(reg, vs);
	else
		vs->is_refused = true;
}

static void admit(struct vs_reg *reg, struct vs *vs)
{
	label_of(vs)->told &= ~(unsigned)CAUSE_CLAIM;
	if (vs->is_refused)
		reg_touch(reg, vs);
	vs->is_refused = false;
}

/* Those without a label are going. */
static bool is_candidate(const struct vs_reg *reg, const struct vs *vs)
{
	return label_of(vs) && mark_of(setup_conf(reg->setup, vs_name(vs))) == vs->mark;
}

static struct network_member member_of(const struct vs *vs, const struct vs_conf *conf)
{
	return (struct network_member){vs_name(vs), "", conf->network};
}

/* One by one, in order of name. members has room for all. */
static int judge_each(struct vs_reg *reg, struct space *space, struct network_member *members,
	size_t count)
{
	struct vs *vs, *next;
	int rc;

	TAILQ_FOREACH_MUT(vs, &space->marks, of_space, next) {
		struct objection objection = {""};

		if (!is_candidate(reg, vs))
			continue;
		members[count] = member_of(vs, setup_conf(reg->setup, vs_name(vs)));
		rc = network_check_all(members, count + 1, note_objection, &objection);
		if (rc == -ENOMEM)
			return rc;
		if (rc < 0) {
			refuse(reg, vs, &objection);
			continue;
		}
		admit(reg, vs);
		count++;
	}
	return 0;
}

static int judge_all(struct vs_reg *reg, struct space *space, struct network_member *members,
	size_t plain_count)
{
	size_t count = plain_count;
	struct vs *vs;
	int rc;

	TAILQ_FOREACH(vs, &space->marks, of_space) {
		if (is_candidate(reg, vs))
			members[count++] = member_of(vs, setup_conf(reg->setup, vs_name(vs)));
	}
	rc = network_check_all(members, count, NULL, NULL);
	if (rc == -EINVAL)
		return judge_each(reg, space, members, plain_count);
	TAILQ_FOREACH(vs, &space->marks, of_space) {
		if (rc == 0 && is_candidate(reg, vs))
			admit(reg, vs);
	}
	return rc;
}

static void judge(struct vs_reg *reg, struct space *space)
{
	struct vs *vs, *plain = find_plain(reg, space->cookie);
	struct network_member *members;
	size_t count = 0;
	int rc = -ENOMEM;

	TAILQ_FOREACH(vs, &space->marks, of_space)
		count++;
	members = calloc(count + 1, sizeof(*members));
	if (members) {
		if (is_plain_known(plain))
			members[0] = member_of(plain, plain->conf);
		rc = judge_all(reg, space, members, is_plain_known(plain) ? 1 : 0);
		free(members);
	}
	space->is_unjudged = rc < 0;
	if (rc == 0)
		return;
	/* Nobody new without a judgement. */
	TAILQ_FOREACH(vs, &space->marks, of_space)
		vs->is_refused = vs->is_refused || !vs->is_listed;
}

void mark_judge(struct vs_reg *reg)
{
	struct space *space, *next;

	HASH_ITER(hh, reg->index->spaces, space, next) {
		if (space->is_changed)
			judge(reg, space);
	}
}

/* ---- what look-ups see */

static void drop_space(struct vs_reg *reg, struct space *space)
{
	index_write(reg->index);
	HASH_DELETE(hh, reg->index->spaces, space);
	index_write_end(reg->index);
	owners_free(space->owners);
	free(space);
}

static bool has_devices(const struct space *space)
{
	const struct vs *vs;

	TAILQ_FOREACH(vs, &space->marks, of_space) {
		if (vs->conf && vs->conf->network->device_count > 0)
			return true;
	}
	return false;
}

/* Does anything tell when an address or a device comes or goes? */
static bool is_heard(const struct vs_reg *reg, const struct space *space)
{
	const struct vs *vs;

	TAILQ_FOREACH(vs, &space->marks, of_space) {
		if (nsid_hears(reg, vs))
			return true;
	}
	return false;
}

static void tell_error(struct vs_reg *reg, struct space *space, int error)
{
	if (error < 0 && !space->told)
		reg_log(reg, LOG_WARNING, vs_name(TAILQ_FIRST(&space->marks)),
			"whose the addresses on its devices are cannot be found out, and nobody "
			"has them: %s", strerror(-error));
	space->told = error < 0;
}

/* Of devices nobody is told, and what was heard of an address may have been looked at late. */
static void readdress_all(struct vs_reg *reg, struct space *space, struct vs *plain)
{
	struct vs *vs;

	if (plain)
		nsid_readdress(reg, plain);
	TAILQ_FOREACH(vs, &space->marks, of_space) {
		if (vs->is_listed)
			nsid_readdress(reg, vs);
	}
}

static void publish(struct vs_reg *reg, struct space *space)
{
	struct vs *plain = find_plain(reg, space->cookie);
	struct owners *owners, *old = space->owners;
	uint64_t end, begin = reg_now();
	bool same = space->is_changed;
	int rc, error = 0;

	if (plain && !plain->is_listed)
		plain = NULL;

	space->has_devices = has_devices(space);
	if (space->has_devices)
		nsid_hear_links(reg, true);
	rc = owners_new(&owners, space, plain, &error);
	if (rc < 0)
		owners = NULL;
	index_write(reg->index);
	space->owners = owners;
	space->is_unknown = rc < 0;
	index_write_end(reg->index);
	/* Other VSs, or other settings, are announced by themselves. */
	if (!same && owners && old)
		same = claims_same(owners->claims, old->claims);
	owners_free(old);
	if (!same)
		readdress_all(reg, space, plain);
	tell_error(reg, space, error);
	end = reg_now();
	space->is_changed = rc < 0 || space->is_unjudged;
	space->is_readdressed = error < 0;
	space->after = end + PAUSE * (end - begin);
	if (space->is_changed || space->is_readdressed)
		space->after = end + RETRY;
	space->poll_at = space->has_devices && !is_heard(reg, space) ? end + RETRY : NEVER;
}

void mark_publish(struct vs_reg *reg)
{
	struct space *space, *next;
	bool devices = false;

	HASH_ITER(hh, reg->index->spaces, space, next) {
		uint64_t now = reg_now();

		if (space->poll_at <= now)
			space->is_readdressed = true;
		if (TAILQ_EMPTY(&space->marks)) {
			drop_space(reg, space);
			continue;
		}
		if (space->is_changed || (space->is_readdressed && space->after <= now))
			publish(reg, space);
		devices = devices || space->has_devices;
	}
	nsid_hear_links(reg, devices);
}

/* All VSs are gone by now. */
void mark_close(struct vs_reg *reg)
{
	struct space *space, *next;

	HASH_ITER(hh, reg->index->spaces, space, next)
		drop_space(reg, space);
}
