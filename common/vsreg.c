/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registry: made, asked, dispatched, closed.
 *
 * Names that inotify gives are looked at when they are heard of, files that wait for their
 * mount at each change of the mount table; each of these looks costs microseconds. A change
 * of the mount table may also mean any other name, so that all are looked at, but a full look at
 * 1,000 names costs milliseconds: the first after a quiet time is done at once, the next ones no
 * more often than takes a small share of the time.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vsreg_private.h"

_Static_assert(
	NETNS_NO_HANDLE == VS_NO_HANDLE && NETNS_NO_GET_ID == VS_NO_GET_ID, "one set of bits");

uint64_t reg_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

void reg_log(struct vs_reg *reg, int priority, const char *vs, const char *format, ...)
{
	char text[PLACE_MAX + 512];
	va_list ap;

	if (!reg->log)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	for (char *p = text; *p; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
	reg->log(reg->log_arg, priority, vs, text);
}

/* A caller built with an older header knows fewer fields; one built with a newer may only use
 * those that we know. */
static int get_config(const struct vs_reg_config *given, struct vs_reg_config *config)
{
	const unsigned char *bytes = (const unsigned char *)given;

	if (!given || given->size < offsetof(struct vs_reg_config, netns_dirs))
		return -EINVAL;
	for (size_t i = sizeof(*config); i < given->size; i++) {
		if (bytes[i] != 0)
			return -EINVAL;
	}
	memset(config, 0, sizeof(*config));
	memcpy(config, given, given->size < sizeof(*config) ? given->size : sizeof(*config));
	if (config->flags & ~(VS_NO_HANDLE | VS_NO_GET_ID | VS_NO_NSID))
		return -EINVAL;
	return 0;
}

static struct vs_reg *reg_new(const struct vs_reg_config *config)
{
	struct vs_reg *reg = calloc(1, sizeof(*reg));

	if (!reg)
		return NULL;
	reg->index = index_new();
	if (!reg->index) {
		free(reg);
		return NULL;
	}
	if (keepers_init(&reg->keepers) < 0) {
		index_unref(reg->index);
		free(reg);
		return NULL;
	}
	reg->watch = (struct reg_watch){-1, -1, -1, -1, -1, NEVER, -1};
	reg->home = -1;
	reg->without = config->flags & (VS_NO_HANDLE | VS_NO_GET_ID);
	reg->log = config->log;
	reg->log_arg = config->log_arg;
	TAILQ_INIT(&reg->asked);
	TAILQ_INIT(&reg->pending);
	TAILQ_INIT(&reg->touched);
	nsid_init(&reg->nsid);
	return reg;
}

/* What the kernel and this process can do. */
static int reg_probe(struct vs_reg *reg)
{
	int rc;

	reg->home = netns_open_home();
	if (reg->home < 0)
		return reg->home;
	reg->index->home = reg->home;
	rc = netns_probe(reg->home, &reg->without, &reg->host_cookie);
	reg->index->observer = reg->host_cookie;
	reg->index->without = reg->without;
	if (rc == 0 && (reg->without & NETNS_NO_GET_ID))
		rc = netns_try(reg->home);
	return rc;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_due(const struct vs_reg *reg)
{
	const struct label *label;
	uint64_t due = NEVER;

	if (!TAILQ_EMPTY(&reg->asked))
		return 1; /* at once; 0 would be never */
	TAILQ_FOREACH(label, &reg->pending, pending)
		due = earlier(due, label->retry);
	if (reg->full_wanted)
		due = earlier(due, reg->full_after);
	if (reg->trusted)
		due = earlier(due, reg->verified + NSEC_PER_SEC);
	if (reg->unsure < 0)
		due = earlier(due, reg->unsure_at);
	if (reg->polled > 0)
		due = earlier(due, reg->poll_at);
	if (reg->nsid.lost || reg->nsid.missing)
		due = earlier(due, reg->nsid.lost_after);
	due = earlier(due, mark_due(reg));
	return earlier(due, held_due(reg));
}

static int reg_start(struct vs_reg *reg, const struct vs_reg_config *config)
{
	int rc = reg_probe(reg);

	if (rc == 0)
		rc = watch_open(&reg->watch);
	if (rc == 0 && !(config->flags & VS_NO_NSID))
		rc = nsid_open(reg);
	if (rc == 0)
		rc = setup_new(reg, config, &reg->setup);
	if (rc == 0)
		rc = watch_dirs(reg, reg->setup);
	if (rc < 0)
		return rc;
	reg->host = label_get(reg, VS_HOST);
	if (!reg->host)
		return -ENOMEM;
	scan_all(reg, true);
	reg_settle(reg, NULL, NULL);
	/* Later a shortage is waited out, but nobody wants to begin with half of the VSs. */
	if (reg->unsure < 0)
		return reg->unsure;
	return watch_wake_at(&reg->watch, next_due(reg));
}

int vs_reg_open(struct vs_reg **reg, const struct vs_reg_config *config)
{
	struct vs_reg_config c;
	struct vs_reg *r;
	int rc = get_config(config, &c);

	if (rc < 0)
		return rc;
	r = reg_new(&c);
	if (!r)
		return -ENOMEM;
	rc = reg_start(r, &c);
	if (rc < 0) {
		vs_reg_close(r);
		return rc;
	}
	*reg = r;
	return 0;
}

void vs_reg_close(struct vs_reg *reg)
{
	struct label *label, *next;

	if (!reg)
		return;
	HASH_ITER(hh, reg->labels, label, next)
		label_free(reg, label);
	reg_settle(reg, NULL, NULL);
	mark_close(reg);
	nsid_close(reg);
	watch_close(&reg->watch);
	setup_free(reg->setup);
	free(reg->order);
	keepers_end(&reg->keepers);
	index_unref(reg->index); /* and with it, once no VS has it, the home */
	free(reg);
}

int vs_reg_fd(const struct vs_reg *reg)
{
	return reg->watch.epoll;
}

int vs_reg_rescan(struct vs_reg *reg)
{
	const uint64_t one = 1;

	/* EAGAIN: it has been asked for often enough. */
	if (write(reg->watch.event, &one, sizeof(one)) < 0 && errno != EAGAIN)
		return -errno;
	return 0;
}

/* Labels that wait for their mount, and those whose end nothing announces. */
static void ask_due(struct vs_reg *reg, uint64_t now, bool changed)
{
	struct label *label, *next;

	TAILQ_FOREACH(label, &reg->pending, pending) {
		if (changed || label->retry <= now)
			label_ask(reg, label);
	}
	if (reg->polled == 0 || reg->poll_at > now)
		return;
	reg->poll_at = now + NSEC_PER_SEC;
	HASH_ITER(hh, reg->labels, label, next) {
		if (!label->is_polled)
			continue;
		label->named = true;
		label_ask(reg, label);
	}
}

static bool full_is_due(const struct vs_reg *reg, const struct reg_news *news, uint64_t now)
{
	return news->all || (reg->full_wanted && now >= reg->full_after) ||
	       (reg->trusted && now >= reg->verified + NSEC_PER_SEC) ||
	       (reg->unsure < 0 && now >= reg->unsure_at);
}

int vs_reg_dispatch(struct vs_reg *reg, vs_event_fn *fn, void *arg)
{
	struct reg_news news = {.all = false};
	uint64_t now;

	watch_hear(reg, &news);
	nsid_hear(reg);
	held_tell(reg);
	now = reg_now();
	ask_due(reg, now, news.changed);
	scan_asked(reg);
	reg_settle(reg, fn, arg);
	if (news.changed)
		reg->full_wanted = true;
	now = reg_now();
	if (full_is_due(reg, &news, now)) {
		scan_all(reg, news.lost || now >= reg->verified + NSEC_PER_SEC);
		reg_settle(reg, fn, arg);
	}
	return watch_wake_at(&reg->watch, next_due(reg));
}

int vs_reg_reload(
	struct vs_reg *reg, const struct vs_reg_config *config, vs_event_fn *fn, void *arg)
{
	struct reg_setup *setup, *old = reg->setup;
	struct label *label, *next;
	struct vs_reg_config c;
	int rc = get_config(config, &c);

	if (rc == 0)
		rc = setup_new(reg, &c, &setup);
	if (rc < 0)
		return rc;
	rc = watch_dirs(reg, setup);
	if (rc < 0) {
		watch_drop(reg, setup);
		setup_free(setup);
		return rc;
	}
	reg->setup = setup;
	mark_note_files(reg);
	HASH_ITER(hh, reg->labels, label, next) {
		label->judged = false;
		label->of_process = 0;
		label->told = 0;
		label->named = true;
		if (label->vs)
			reg_touch(reg, label->vs);
	}
	scan_all(reg, true);
	reg_settle(reg, fn, arg);
	watch_drop(reg, old);
	setup_free(old);
	return watch_wake_at(&reg->watch, next_due(reg));
}

struct vs *vs_by_name(struct vs_reg *reg, const char *name)
{
	struct stripe *stripe = index_read(reg->index);
	struct label *label;
	struct vs *vs = NULL;

	HASH_FIND(hh, reg->labels, name, strlen(name), label);
	if (label && label->vs && label->vs->is_listed)
		vs = vs_ref(label->vs);
	index_read_end(stripe);
	return vs;
}

struct vs *vs_by_cookie(struct vs_reg *reg, uint64_t cookie)
{
	struct stripe *stripe = index_read(reg->index);
	struct vs *vs;

	HASH_FIND(hh, reg->index->cookies, &cookie, sizeof(cookie), vs);
	vs = vs && vs->is_listed ? vs_ref(vs) : NULL;
	index_read_end(stripe);
	return vs;
}

struct vs *vs_by_nsid(struct vs_reg *reg, int nsid)
{
	struct stripe *stripe = index_read(reg->index);
	struct nsid_entry *entry;
	struct vs *vs = NULL;

	HASH_FIND(hh, reg->nsid.table, &nsid, sizeof(nsid), entry);
	if (entry) {
		TAILQ_FOREACH(vs, &entry->members, same_nsid) {
			if (vs->mark == 0 && vs->is_listed)
				break;
		}
	}
	if (vs)
		vs_ref(vs);
	index_read_end(stripe);
	return vs;
}

struct vs *vs_reg_next(struct vs_reg *reg, struct vs *prev)
{
	struct stripe *stripe = index_read(reg->index);
	struct vs *vs = NULL;
	size_t at = 0;

	if (prev) {
		at = order_position(reg, vs_name(prev));
		while (at < reg->order_len && strcmp(vs_name(reg->order[at]), vs_name(prev)) == 0)
			at++;
	}
	if (at < reg->order_len)
		vs = vs_ref(reg->order[at]);
	index_read_end(stripe);
	vs_unref(prev);
	return vs;
}
