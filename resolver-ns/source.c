/* SPDX-License-Identifier: BSD-3-Clause */
/* Files and parameters together, as snapshots. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "rconf_private.h"
#include "source_private.h"

/* With SOURCE_SETTLE this is the second after which a change is seen. */
#define LOOK_EVERY UINT64_C(950000000)

enum { RESOLV, HOSTS, SERVICES, FILES };

struct source {
	struct current current;
	_Atomic uint64_t next_look;
	atomic_uint generation;
	atomic_int fault; /* why there is no snapshot */

	pthread_mutex_t lock; /* of changes to what is above, and of all below */
	struct source_file files[FILES];
	bool has_part[FILES]; /* of which there was a text without a fault, or none at all */
	/* What will be in force next, or NULL: until all parts are there. */
	struct rconf *next;
	struct source_parameters parameters;
};

static int copy_path(char **copy, const char *path)
{
	*copy = path ? strdup(path) : NULL;
	return path && !*copy ? -ENOMEM : 0;
}

static int copy_config(struct source *s, const struct source_config *config)
{
	int rc = copy_path(&s->files[RESOLV].path, config->resolv_conf);

	if (rc == 0)
		rc = copy_path(&s->files[HOSTS].path, config->hosts_file);
	if (rc == 0)
		rc = copy_path(&s->files[SERVICES].path, config->services_file);
	return rc == 0 ? source_parameters_copy(&s->parameters, config) : rc;
}

/* The one time that they are told; afterwards they are known to be good. */
static int check_parameters(const struct source *s)
{
	struct rconf *conf = rconf_new();
	int rc = -ENOMEM;

	if (conf)
		rc = source_parameters_apply(&s->parameters, conf, s->parameters.log);
	rconf_unref(conf);
	return rc;
}

int source_new(struct source **source, const struct source_config *config)
{
	struct source *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	current_init(&s->current);
	pthread_mutex_init(&s->lock, NULL);
	s->files[RESOLV].max = RCONF_FILE_MAX;
	s->files[HOSTS].max = HOSTS_FILE_MAX;
	s->files[SERVICES].max = SERVICES_FILE_MAX;
	rc = copy_config(s, config);
	if (rc == 0)
		rc = check_parameters(s);
	if (rc < 0) {
		source_free(s);
		return rc;
	}
	*source = s;
	return 0;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	current_clear(&s->current);
	rconf_unref(s->next);
	for (int i = 0; i < FILES; i++)
		free(s->files[i].path);
	source_parameters_clear(&s->parameters);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- parts: from the text of a file, or NULL: it is not there */

/* A snapshot to be changed, like the one in force. */
static int begin_next(struct source *s)
{
	if (!s->next)
		s->next = rconf_copy(current_peek(&s->current));
	return s->next ? 0 : -ENOMEM;
}

static int read_resolv(struct source *s, const char *text, size_t len)
{
	const struct source_parameters *p = &s->parameters;
	struct rconf *fresh = rconf_new();
	int rc = fresh ? 0 : -ENOMEM;

	if (rc == 0 && text)
		rc = rconf_parse(fresh, text, len, s->files[RESOLV].path, p->log, p->log_arg);
	if (rc == 0)
		rc = source_parameters_apply(p, fresh, NULL);
	if (rc == 0)
		rc = begin_next(s);
	if (rc < 0) {
		rconf_unref(fresh);
		return rc;
	}
	fresh->hosts = hosts_ref(s->next->hosts);
	fresh->services = services_ref(s->next->services);
	rconf_unref(s->next);
	s->next = fresh;
	return 0;
}

struct line_log {
	const struct source *source;
	const char *file;
};

static void on_line(void *arg, unsigned line, const char *text)
{
	const struct line_log *l = arg;
	const struct source_parameters *p = &l->source->parameters;
	const struct rconf_report report = {l->file, line, p->log, p->log_arg};

	rconf_tell(&report, LOG_WARNING, "%s", text);
}

static int read_hosts(struct source *s, const char *text, size_t len)
{
	struct line_log l = {s, s->files[HOSTS].path};
	struct hosts *hosts = NULL;
	int rc = text ? hosts_parse(&hosts, text, len, on_line, &l) : 0;

	if (rc == 0)
		rc = begin_next(s);
	if (rc < 0) {
		hosts_free(hosts);
		return rc;
	}
	hosts_free(s->next->hosts);
	s->next->hosts = hosts;
	return 0;
}

static int read_services(struct source *s, const char *text, size_t len)
{
	struct line_log l = {s, s->files[SERVICES].path};
	struct services *services = NULL;
	int rc = text ? services_parse(&services, text, len, on_line, &l) : 0;

	if (rc == 0)
		rc = begin_next(s);
	if (rc < 0) {
		services_free(services);
		return rc;
	}
	services_free(s->next->services);
	s->next->services = services;
	return 0;
}

static int (*const read_part[FILES])(struct source *s, const char *text, size_t len) = {
	[RESOLV] = read_resolv,
	[HOSTS] = read_hosts,
	[SERVICES] = read_services,
};

/* ---- looking at the files; all with the lock held */

static void tell(const struct source *s, int priority, int file, const char *text)
{
	const struct source_parameters *p = &s->parameters;
	const struct rconf_report report = {s->files[file].path, 0, p->log, p->log_arg};

	if (s->files[file].path)
		rconf_tell(&report, priority, "%s", text);
}

static const char *reason_of(int error)
{
	const char *words = strerrordesc_np(-error);

	switch (error) {
	case -EINVAL:
		return "is not used: it has errors, or is not a regular file";
	case -EFBIG:
		return "is not used: it is too long";
	default:
		return words ? words : "cannot be read";
	}
}

/* Each fault is told once, until there is another one or none. */
static void set_fault(struct source *s, int file, int fault, bool is_told_anew)
{
	if (fault < 0 && (is_told_anew || fault != s->files[file].fault))
		tell(s, LOG_ERR, file, reason_of(fault));
	s->files[file].fault = fault;
}

static void look_at(struct source *s, int file, unsigned flags)
{
	struct source_file *f = &s->files[file];
	char *text = NULL;
	size_t len = 0;
	int rc = source_file_look(f, flags, &text, &len);

	if (rc < 0)
		set_fault(s, file, rc, false);
	if (rc != SOURCE_TEXT && rc != SOURCE_ABSENT)
		return;
	if (rc == SOURCE_ABSENT)
		tell(s, file == RESOLV ? LOG_NOTICE : LOG_INFO, file, "there is no such file");
	rc = read_part[file](s, text, len);
	free(text);
	if (rc == -ENOMEM)
		f->is_known = f->is_read = false; /* to be read again */
	set_fault(s, file, rc, true);
	if (rc == 0)
		s->has_part[file] = true;
}

static void put_in_force(struct source *s)
{
	uint32_t generation = atomic_load_explicit(&s->generation, memory_order_relaxed) + 1;

	if (!s->next || !s->has_part[RESOLV] || !s->has_part[HOSTS] || !s->has_part[SERVICES])
		return;
	if (generation == 0)
		generation = 1;
	s->next->generation = generation;
	/* Told before: who then still gets the former one knows it for that. */
	atomic_store_explicit(&s->generation, generation, memory_order_release);
	if (current_set(&s->current, s->next) == 0)
		s->next = NULL;
}

static bool is_soon(const struct source *s)
{
	for (int i = 0; i < FILES; i++) {
		const struct source_file *f = &s->files[i];

		if (f->waits > 0 || (f->is_read && !f->is_settled))
			return true;
	}
	return s->next && current_is_set(&s->current);
}

/* 0, or the first fault of a file. */
static int look(struct source *s, uint64_t now, unsigned flags)
{
	const struct rconf *in_force = current_peek(&s->current);
	int fault = 0;

	current_sweep(&s->current);
	if (!in_force)
		flags |= SOURCE_NOW;
	for (int i = 0; i < FILES; i++) {
		bool stays = i == RESOLV && in_force && in_force->no_reload;

		if (!stays || (flags & SOURCE_FORCE))
			look_at(s, i, flags);
		if (fault == 0)
			fault = s->files[i].fault;
	}
	put_in_force(s);
	atomic_store_explicit(&s->fault, fault, memory_order_relaxed);
	/* Last: who finds that no look is due finds the snapshot, or the fault. */
	atomic_store_explicit(&s->next_look, now + (is_soon(s) ? SOURCE_SETTLE : LOOK_EVERY),
		memory_order_release);
	return fault;
}

/* ---- for all threads */

static bool is_due(struct source *s, uint64_t now)
{
	return now >= atomic_load_explicit(&s->next_look, memory_order_acquire);
}

/* One looks, the others go on with what is in force; only for the first snapshot they wait. */
static void look_when_due(struct source *s, uint64_t now)
{
	const int state = cancel_off();
	int rc = 0;

	if (!current_is_set(&s->current))
		pthread_mutex_lock(&s->lock);
	else
		rc = pthread_mutex_trylock(&s->lock);
	if (rc == 0) {
		if (is_due(s, now))
			look(s, now, 0);
		pthread_mutex_unlock(&s->lock);
	}
	cancel_restore(state);
}

int source_get(struct source *source, uint64_t now, struct rconf **conf)
{
	struct rconf *got;

	if (is_due(source, now))
		look_when_due(source, now);
	got = current_get(&source->current);
	if (!got)
		return atomic_load_explicit(&source->fault, memory_order_relaxed);
	*conf = got;
	return got->server_count > 0 ? 0 : -EDESTADDRREQ;
}

bool source_is_same(struct source *source, uint64_t now, uint32_t generation)
{
	return !is_due(source, now) && source_generation(source) == generation;
}

int source_reload(struct source *source, uint64_t now)
{
	const int state = cancel_off();
	int rc;

	pthread_mutex_lock(&source->lock);
	rc = look(source, now, SOURCE_FORCE);
	pthread_mutex_unlock(&source->lock);
	cancel_restore(state);
	return rc;
}

uint32_t source_generation(struct source *source)
{
	return atomic_load_explicit(&source->generation, memory_order_acquire);
}
