/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keeper: made, dispatched, closed. It follows the VSs of its registry by looking through all
 * of them whenever something has come, gone or changed there.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vsreg_keeper.h"

#define EVENTS_AT_ONCE 64

/* ---- which namespaces there are */

struct survey {
	struct keeper_entry {
		struct keeper_member member;
		uint64_t cookie;
		bool is_kept; /* a mark VS with a [Network] */
	} *entries;
	size_t count, size;
};

static int survey_add(struct survey *s, struct vs *vs)
{
	size_t size = s->size ? s->size * 2 : 16;
	struct keeper_entry *entries;
	const struct network *network;
	struct vs_conf *conf;

	if (s->count == s->size) {
		entries = reallocarray(s->entries, size, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		s->entries = entries;
		s->size = size;
	}
	network = vs_network(vs, &conf);
	if (!network || vs_is_gone(vs)) {
		vs_conf_unref(conf);
		return 0;
	}
	s->entries[s->count++] = (struct keeper_entry){
		.member = {.vs = vs_ref(vs), .conf = conf},
		.cookie = vs_cookie(vs),
		.is_kept = vs_flavour(vs) == VS_MARK && network->is_wanted,
	};
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct keeper_entry *l = a, *r = b;

	if (l->cookie != r->cookie)
		return l->cookie < r->cookie ? -1 : 1;
	return strcmp(l->member.conf->name, r->member.conf->name);
}

static int survey_make(struct survey *s, struct vs_reg *reg)
{
	int rc = 0;

	for (struct vs *vs = NULL; (vs = vs_reg_next(reg, vs));) {
		if (rc == 0)
			rc = survey_add(s, vs);
	}
	if (s->count > 1)
		qsort(s->entries, s->count, sizeof(s->entries[0]), compare_entries);
	return rc;
}

static void survey_free(struct survey *s)
{
	for (size_t i = 0; i < s->count; i++) {
		vs_unref(s->entries[i].member.vs);
		vs_conf_unref(s->entries[i].member.conf);
	}
	free(s->entries);
}

struct keeper_ns *keeper_find(struct vs_keeper *keeper, uint64_t cookie)
{
	struct keeper_ns *ns;

	TAILQ_FOREACH(ns, &keeper->namespaces, list) {
		if (ns->cookie == cookie)
			return ns;
	}
	return NULL;
}

static struct keeper_member *copy_members(const struct keeper_entry *entries, size_t count)
{
	struct keeper_member *members = calloc(count, sizeof(*members));

	for (size_t i = 0; members && i < count; i++) {
		members[i].vs = vs_ref(entries[i].member.vs);
		members[i].conf = vs_conf_ref(entries[i].member.conf);
	}
	return members;
}

static int take_group(struct vs_keeper *keeper, const struct keeper_entry *entries, size_t count)
{
	struct keeper_ns *ns = keeper_find(keeper, entries[0].cookie);
	struct keeper_member *members = copy_members(entries, count);

	if (!members)
		return -ENOMEM;
	if (!ns) {
		ns = keeper_ns_new(entries[0].cookie);
		if (ns)
			TAILQ_INSERT_TAIL(&keeper->namespaces, ns, list);
	}
	if (ns)
		return keeper_ns_set(ns, members, count);
	for (size_t i = 0; i < count; i++) {
		vs_unref(members[i].vs);
		vs_conf_unref(members[i].conf);
	}
	free(members);
	return -ENOMEM;
}

/* The first entry behind those of a namespace. */
static size_t group_end(const struct survey *s, size_t from, bool *is_kept)
{
	size_t end = from;

	*is_kept = false;
	for (; end < s->count && s->entries[end].cookie == s->entries[from].cookie; end++)
		*is_kept = *is_kept || s->entries[end].is_kept;
	return end;
}

/* What the keeper made for those that are not kept any more stays as it is: without its rules an
 * address that is still there would be routed as the host's. */
static void drop_others(struct vs_keeper *keeper, const struct survey *s)
{
	struct keeper_ns *ns, *next;

	TAILQ_FOREACH_MUT(ns, &keeper->namespaces, list, next) {
		bool is_kept = false;

		for (size_t i = 0; i < s->count && !is_kept; i++)
			is_kept = s->entries[i].is_kept && s->entries[i].cookie == ns->cookie;
		if (is_kept)
			continue;
		TAILQ_REMOVE(&keeper->namespaces, ns, list);
		keeper_ns_free(ns);
	}
}

int keeper_refresh(struct vs_keeper *keeper)
{
	struct survey s = {.count = 0};
	int rc = survey_make(&s, keeper->reg);
	bool is_kept;

	for (size_t i = 0, end; rc == 0 && i < s.count; i = end) {
		end = group_end(&s, i, &is_kept);
		if (is_kept)
			rc = take_group(keeper, &s.entries[i], end - i);
	}
	if (rc == 0)
		drop_others(keeper, &s);
	survey_free(&s);
	keeper->is_short = rc < 0;
	keeper->short_until = reg_now() + NSEC_PER_SEC;
	return rc;
}

/* ---- made and closed */

static int add_fd(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_fds(struct vs_keeper *keeper)
{
	keeper->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (keeper->epoll < 0)
		return -errno;
	keeper->poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (keeper->poke < 0)
		return -errno;
	keeper->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (keeper->timer < 0)
		return -errno;
	if (add_fd(keeper->epoll, keeper->poke) < 0)
		return -errno;
	return add_fd(keeper->epoll, keeper->timer);
}

static void free_keeper(struct vs_keeper *keeper)
{
	const int fds[] = {keeper->epoll, keeper->poke, keeper->timer};
	struct keeper_ns *ns;

	while ((ns = TAILQ_FIRST(&keeper->namespaces))) {
		TAILQ_REMOVE(&keeper->namespaces, ns, list);
		keeper_ns_free(ns);
	}
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	net_look_free(&keeper->look);
	free(keeper);
}

void vs_keeper_close(struct vs_keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->reg->keepers.lock);
	TAILQ_REMOVE(&keeper->reg->keepers.list, keeper, of_reg);
	pthread_mutex_unlock(&keeper->reg->keepers.lock);
	free_keeper(keeper);
}

int vs_keeper_open(struct vs_keeper **keeper, struct vs_reg *reg)
{
	struct vs_keeper *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return -ENOMEM;
	k->reg = reg;
	k->epoll = k->poke = k->timer = -1;
	k->armed = NEVER;
	k->linger = KEEPER_LINGER;
	TAILQ_INIT(&k->namespaces);
	rc = open_fds(k);
	if (rc < 0) {
		free_keeper(k);
		return rc;
	}
	/* From now on it is told of every change. */
	pthread_mutex_lock(&reg->keepers.lock);
	TAILQ_INSERT_TAIL(&reg->keepers.list, k, of_reg);
	pthread_mutex_unlock(&reg->keepers.lock);
	rc = keeper_refresh(k);
	if (rc == 0)
		rc = vs_keeper_dispatch(k);
	if (rc < 0) {
		vs_keeper_close(k);
		return rc;
	}
	*keeper = k;
	return 0;
}

int vs_keeper_fd(const struct vs_keeper *keeper)
{
	return keeper->epoll;
}

int keepers_init(struct reg_keepers *keepers)
{
	TAILQ_INIT(&keepers->list);
	return -pthread_mutex_init(&keepers->lock, NULL);
}

void keepers_end(struct reg_keepers *keepers)
{
	pthread_mutex_destroy(&keepers->lock);
}

void keepers_poke(struct reg_keepers *keepers)
{
	const uint64_t one = 1;
	struct vs_keeper *keeper;

	pthread_mutex_lock(&keepers->lock);
	TAILQ_FOREACH(keeper, &keepers->list, of_reg) {
		/* It fails only when it has been poked often enough. */
		(void)!write(keeper->poke, &one, sizeof(one));
	}
	pthread_mutex_unlock(&keepers->lock);
}

/* ---- dispatched */

/* True: there was something, which is taken away. */
static bool take_count(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static void hear_all(struct vs_keeper *keeper, uint64_t now)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(keeper->epoll, events, EVENTS_AT_ONCE, 0);

	for (int i = 0; i < count; i++) {
		struct keeper_ns *ns = events[i].data.ptr;

		if (!ns)
			continue;
		keeper_ns_hear(ns, now);
		/* Until the look all that comes means the same. */
		if (ns->due != NEVER)
			keeper_ns_listen(keeper, ns, false);
	}
}

static uint64_t next_due(const struct vs_keeper *keeper)
{
	uint64_t due = keeper->is_short ? keeper->short_until : NEVER;
	const struct keeper_ns *ns;

	TAILQ_FOREACH(ns, &keeper->namespaces, list) {
		if (ns->due < due)
			due = ns->due;
	}
	return due;
}

static int arm(struct vs_keeper *keeper, uint64_t due)
{
	struct itimerspec when = {.it_value = {.tv_nsec = 0}};

	if (due == keeper->armed)
		return 0;
	if (due != NEVER) {
		when.it_value.tv_sec = (time_t)(due / NSEC_PER_SEC);
		when.it_value.tv_nsec = (long)(due % NSEC_PER_SEC);
	}
	if (timerfd_settime(keeper->timer, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return -errno;
	keeper->armed = due;
	return 0;
}

int vs_keeper_dispatch(struct vs_keeper *keeper)
{
	struct keeper_ns *ns;
	uint64_t now = reg_now();

	if (take_count(keeper->timer))
		keeper->armed = NEVER;
	/* In this order: events of a namespace that is dropped now are not looked up any more. */
	hear_all(keeper, now);
	if (take_count(keeper->poke) || (keeper->is_short && now >= keeper->short_until))
		keeper_refresh(keeper);
	TAILQ_FOREACH(ns, &keeper->namespaces, list) {
		if (ns->due <= now)
			keeper_look(keeper, ns, NULL);
	}
	return arm(keeper, next_due(keeper));
}
