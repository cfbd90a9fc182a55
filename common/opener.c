/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "container.h"
#include "fdstore.h"
#include "list.h"
#include "log.h"
#include "opener.h"
#include "opener_private.h"
#include "opener_state.h"

#define PATH_CHECK_EVERY (5 * LOOP_SEC)

struct opener_entry *opener_entry_of(const struct opener *opener, const struct vs *vs)
{
	struct opener_entry *e;

	HASH_FIND(by_vs, opener->by_vs, &vs, sizeof(vs), e);
	return e;
}

bool opener_is_announced(const struct opener *opener, const struct opener_entry *e)
{
	return e->share || !vs_is_host(e->vs) || opener->hooks->serves_host(opener->hooks->arg);
}

/* A namespace has a cookie, and few of them: the uppermost bit is never set. VSs that share one
 * have numbers that follow from it and their names (FNV-1a). */
static uint64_t key_of(const struct vs *vs)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325) ^ vs_cookie(vs);

	if (vs_flavour(vs) != VS_MARK)
		return vs_cookie(vs);
	for (const char *p = vs_name(vs); *p; p++)
		key = (key ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return key | UINT64_C(1) << 63;
}

static struct opener_entry *new_entry(struct opener *opener, struct vs *vs, bool carrier)
{
	struct opener_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		e->kept[k] = -1;
	e->id = ++opener->last_id;
	e->vs = vs;
	e->cookie = vs_cookie(vs);
	e->key = carrier ? e->cookie : key_of(vs);
	if (!carrier)
		return e;
	e->share = calloc(1, sizeof(*e->share));
	if (!e->share) {
		free(e);
		return NULL;
	}
	return e;
}

static bool enter_tables(struct opener *opener, struct opener_entry *e)
{
	HASH_ADD(by_id, opener->by_id, id, sizeof(e->id), e);
	if (!e->by_id.tbl)
		return false;
	if (e->share)
		HASH_ADD(by_cookie, opener->carriers, cookie, sizeof(e->cookie), e);
	else
		HASH_ADD(by_vs, opener->by_vs, vs, sizeof(e->vs), e);
	if (e->share ? e->by_cookie.tbl : e->by_vs.tbl)
		return true;
	HASH_DELETE(by_id, opener->by_id, e);
	return false;
}

struct opener_entry *opener_add_entry(struct opener *opener, struct vs *vs, bool carrier)
{
	struct opener_entry *e = new_entry(opener, vs, carrier);

	if (e && !enter_tables(opener, e)) {
		free(e->share);
		free(e);
		return NULL;
	}
	if (e)
		vs_ref(vs);
	return e;
}

static void drop_kept(struct opener *opener, struct opener_entry *e)
{
	/* What of the same key is kept elsewhere stays stored. */
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++) {
		if (e->kept[k] < 0)
			continue;
		fdstore_drop(opener->store, e->key, (enum opener_kind)k);
		close(e->kept[k]);
		e->kept[k] = -1;
	}
}

void opener_remove_entry(struct opener *opener, struct opener_entry *e)
{
	drop_kept(opener, e);
	HASH_DELETE(by_id, opener->by_id, e);
	if (e->share) {
		HASH_DELETE(by_cookie, opener->carriers, e);
		free(e->share->claims);
		free(e->share);
	} else {
		HASH_DELETE(by_vs, opener->by_vs, e);
	}
	opener_multicast_clear(e);
	opener_vs_policy_clear(&e->policy);
	free(e->local.path);
	vs_unref(e->vs);
	free(e);
}

static int take_policy(struct opener *opener, struct opener_entry *e, const struct ini_doc *doc)
{
	struct opener_vs_policy policy = {0};
	int rc = opener->hooks->vs_policy(opener->hooks->arg, doc, &policy);

	if (rc)
		return rc;
	opener_vs_policy_clear(&e->policy);
	e->policy = policy;
	return 0;
}

/* A carrier goes by the name of its namespace, where that has one. */
static struct vs *name_giver(const struct opener *opener, const struct opener_entry *e)
{
	struct vs *vs = e->share ? vs_by_cookie(opener->reg, e->cookie) : NULL;

	return vs ? vs : vs_ref(e->vs);
}

static int put_entry(struct opener *opener, struct opener_entry *e, struct buf_writer *w)
{
	struct vs *named = name_giver(opener, e);
	struct ini_doc *doc = ini_doc_new();
	struct opener_vs v = {.id = e->id,
		.cookie = e->cookie,
		.flavour = e->share ? OPENER_CARRIER : (uint32_t)vs_flavour(e->vs),
		.mark = e->share ? 0 : vs_mark(e->vs),
		.is_host = !e->share && vs_is_host(e->vs),
		.shares = opener_shares(opener, e),
		.name = vs_name(named)};
	const char *alias;
	int rc;

	if (!doc) {
		vs_unref(named);
		return -ENOMEM;
	}
	while (!e->share && v.alias_count < OPENER_ALIASES_MAX &&
		(alias = vs_alias(e->vs, v.alias_count)))
		v.alias[v.alias_count++] = alias;
	/* Without an answer nobody but uid 0 is root there. */
	if (vs_root_uids(e->vs, &v.owner, &v.root))
		v.owner = v.root = 0;
	/* A carrier is no VS, and restricts nothing. */
	rc = e->share ? 0 : opener->hooks->vs_settings(opener->hooks->arg, e->vs, doc);
	if (!rc && !e->share)
		rc = take_policy(opener, e, doc);
	if (!rc) {
		opener_put_vs(w, &v);
		opener_put_settings(w, doc);
	}
	ini_doc_free(doc);
	vs_unref(named);
	return rc;
}

void opener_tell_vs(struct opener *opener, struct opener_entry *e)
{
	struct buf_writer w;
	int rc;

	opener_begin(opener, &w, OPENER_VS);
	rc = put_entry(opener, e, &w);
	if (!rc)
		rc = opener_send(opener, &w, NULL, 0);
	if (rc)
		log_err(vs_name(e->vs), "cannot be announced to the server: %s", strerror(-rc));
	/* What the server was told before it still knows. */
	e->told = e->told || !rc;
}

void opener_tell_gone(struct opener *opener, struct opener_entry *e)
{
	struct buf_writer w;

	if (!e->told)
		return;
	e->told = false;
	opener_begin(opener, &w, OPENER_GONE);
	buf_put_u64(&w, e->id);
	opener_send(opener, &w, NULL, 0);
}

static void refresh_entry(struct opener *opener, struct opener_entry *e)
{
	if (opener_is_announced(opener, e)) {
		opener_tell_vs(opener, e);
		opener_apply_policy(opener, e);
		return;
	}
	opener_tell_gone(opener, e);
	opener_drop_local(opener, e);
	drop_kept(opener, e);
}

static bool is_known(uint64_t cookie, const char *name, void *arg)
{
	struct vs_reg *reg = ((struct opener *)arg)->reg;
	struct vs *vs = *name ? vs_by_name(reg, name) : vs_by_cookie(reg, cookie);
	bool known = vs && vs_cookie(vs) == cookie && (!*name || vs_flavour(vs) == VS_MARK);

	vs_unref(vs);
	return known;
}

/* The state of a VS lives as long as its namespace, which may come back under another name. Where
 * nothing tells of the end of namespaces, the end of the VS counts; as of a mark VS it always
 * does. */
static void end_state(struct opener *opener, struct vs *vs, enum vs_event event)
{
	bool is_mark = vs_flavour(vs) == VS_MARK;
	bool over = event == VS_RELEASED ? !is_mark
					 : event == VS_REMOVED && (is_mark || vs_nsid(vs) < 0);
	const char *name = is_mark ? vs_name(vs) : "";

	if (over && !is_known(vs_cookie(vs), name, opener))
		opener_state_remove(opener->policy->state, vs_cookie(vs), name);
}

static void on_removed(struct opener *opener, struct opener_entry *e)
{
	log_info(vs_name(e->vs), "gone");
	opener_tell_gone(opener, e);
	opener_drop_local(opener, e);
	opener_share_follow(opener, e->cookie, e);
	opener_remove_entry(opener, e);
}

void opener_vs_event(struct vs *vs, enum vs_event event, void *arg)
{
	struct opener *opener = arg;
	struct opener_entry *e = opener_entry_of(opener, vs);

	end_state(opener, vs, event);
	if (event != VS_RELEASED)
		opener_claims_soon(opener, vs_cookie(vs));
	if (event == VS_ADDRESSES && e)
		opener_multicast_soon(opener, e);
	/* The server listens on the wildcard address, and a VS let go was dropped before. */
	if (event == VS_ADDRESSES || event == VS_RELEASED)
		return;
	if (event == VS_REMOVED) {
		if (e)
			on_removed(opener, e);
		return;
	}
	if (!e) {
		e = opener_add_entry(opener, vs, false);
		if (!e) {
			log_err(vs_name(vs), "out of memory, not served");
			return;
		}
		log_info(vs_name(vs), "found, cookie %llu", (unsigned long long)vs_cookie(vs));
	}
	opener_share_follow(opener, e->cookie, NULL);
	refresh_entry(opener, e);
}

static int tell_settings(struct opener *opener)
{
	struct buf_writer w;
	int rc;

	opener_begin(opener, &w, OPENER_CONFIG);
	opener_put_settings(&w, opener->hooks->settings(opener->hooks->arg));
	rc = opener_send(opener, &w, NULL, 0);
	if (rc)
		log_err(NULL, "the configuration cannot be told to the server: %s", strerror(-rc));
	return rc;
}

/* The settings come first: by them the server gives up its privileges. */
int opener_refresh(struct opener *opener)
{
	struct opener_entry *e, *next;
	int rc = tell_settings(opener);

	if (rc)
		return rc;
	HASH_ITER(by_id, opener->by_id, e, next)
		refresh_entry(opener, e);
	opener_claims_now(opener);
	opener_check_path(opener);
	opener_check_lock(opener);
	return 0;
}

static void on_message(struct channel_message *message, void *arg)
{
	struct opener *opener = arg;
	int rc = opener_request(opener, message);

	if (rc) {
		channel_free(opener->channel);
		opener->channel = NULL;
		opener->hooks->lost(opener->hooks->arg, rc);
	}
}

static void on_closed(int error, void *arg)
{
	struct opener *opener = arg;

	channel_free(opener->channel);
	opener->channel = NULL;
	opener->hooks->lost(opener->hooks->arg, error);
}

int opener_attach(struct opener *opener, int fd)
{
	const struct channel_handler handler = {on_message, on_closed, opener};
	struct opener_entry *e, *next;
	struct buf_writer w;
	int rc;

	channel_free(opener->channel);
	opener->channel = NULL;
	rc = channel_new(&opener->channel, opener->loop, fd, true, &handler);
	if (rc) {
		close(fd);
		return rc;
	}
	HASH_ITER(by_id, opener->by_id, e, next) {
		e->told = false;
		e->state_inode = 0;
		if (e->share)
			opener_share_forget(e->share);
	}
	rc = opener_refresh(opener);
	if (!rc) {
		opener_begin(opener, &w, OPENER_SYNCED);
		rc = opener_send(opener, &w, NULL, 0);
	}
	if (rc) {
		channel_free(opener->channel);
		opener->channel = NULL;
	}
	return rc;
}

static void on_path_check(struct loop_timer *timer)
{
	struct opener *opener = container_of(timer, struct opener, path_check);

	opener_check_path(opener);
	opener_check_locals(opener);
	opener_check_lock(opener);
	opener_check_states(opener);
	opener_multicast_check(opener);
	loop_timer_in(opener->loop, &opener->path_check, PATH_CHECK_EVERY);
}

static void on_registry(struct loop_io *io, uint32_t events)
{
	struct opener *opener = container_of(io, struct opener, reg_io);
	int rc = vs_reg_dispatch(opener->reg, opener_vs_event, opener);

	(void)events;
	if (rc)
		log_err(NULL, "registry of virtual servers: %s", strerror(-rc));
}

int opener_new(struct opener **opener, struct loop *loop, struct vs_reg *reg,
	const struct opener_policy *policy, const struct opener_hooks *hooks)
{
	struct opener *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return -ENOMEM;
	o->loop = loop;
	o->reg = reg;
	o->policy = policy;
	o->hooks = hooks;
	o->global[0] = o->global[1] = -1;
	o->reg_io = (struct loop_io)LOOP_IO_INIT(on_registry);
	o->path_check.fn = on_path_check;
	o->multicast_timer.fn = opener_on_multicast_timer;
	o->share_timer.fn = opener_on_share_timer;
	o->lock = -1;
	rc = opener_warm_init(&o->warm, policy->warm_dir);
	if (!rc)
		rc = loop_io_add(loop, &o->reg_io, vs_reg_fd(reg), EPOLLIN);
	if (!rc) {
		rc = loop_timer_in(loop, &o->path_check, PATH_CHECK_EVERY);
		if (rc)
			loop_io_del(loop, &o->reg_io);
	}
	if (rc) {
		opener_warm_clear(&o->warm);
		free(o);
		return rc;
	}
	for (struct vs *v = NULL; (v = vs_reg_next(reg, v));)
		opener_vs_event(v, VS_ADDED, o);
	opener_state_sweep(policy->state, is_known, o);
	*opener = o;
	return 0;
}

void opener_free(struct opener *opener)
{
	struct opener_entry *e, *next;

	if (!opener)
		return;
	loop_io_del(opener->loop, &opener->reg_io);
	loop_timer_del(opener->loop, &opener->path_check);
	loop_timer_del(opener->loop, &opener->multicast_timer);
	loop_timer_del(opener->loop, &opener->share_timer);
	channel_free(opener->channel);
	/* What is stored is for the next start. */
	fdstore_free(opener->store);
	opener->store = NULL;
	HASH_ITER(by_id, opener->by_id, e, next)
		opener_remove_entry(opener, e);
	if (opener->lock >= 0)
		close(opener->lock);
	for (unsigned i = 0; i < 2; i++)
		if (opener->global[i] >= 0)
			close(opener->global[i]);
	opener_warm_clear(&opener->warm);
	free(opener);
}
