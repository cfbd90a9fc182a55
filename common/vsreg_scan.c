/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Labels: which are there, which are taken, and what a look at one makes of it.
 *
 * iproute2 makes an empty file first and mounts the namespace over it some milliseconds later.
 * A file that is no namespace is therefore looked at again at each change of the mount table, and
 * by a timer for ten seconds, before it is told of as what it is.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "vsreg_private.h"

#define PENDING_FIRST NSEC_PER_MSEC
#define PENDING_LIMIT (10 * NSEC_PER_SEC)
#define UNSURE_RETRY (200 * NSEC_PER_MSEC)
/* After a full look there is a pause of this many times as long as it took. One that trusts
 * nothing may take much longer than others, but comes once a second at most. */
#define FULL_PAUSE 8

static struct label *label_find(const struct vs_reg *reg, const char *name)
{
	struct label *label;

	HASH_FIND(hh, reg->labels, name, strlen(name), label);
	return label;
}

static void reg_unsure(struct vs_reg *reg, const char *name, int error)
{
	if (!reg->unsure_told)
		reg_log(reg, LOG_WARNING, name, "cannot look for namespaces now, trying again: %s",
			strerror(-error));
	reg->unsure_told = true;
	reg->unsure = error;
	reg->unsure_at = reg_now() + UNSURE_RETRY;
}

struct label *label_get(struct vs_reg *reg, const char *name)
{
	struct label *label = label_find(reg, name);
	size_t len = strlen(name);

	if (label)
		return label;
	label = calloc(1, sizeof(*label) + len + 1);
	if (label) {
		memcpy(label->name, name, len + 1);
		index_write(reg->index);
		HASH_ADD_KEYPTR(hh, reg->labels, label->name, len, label);
		index_write_end(reg->index);
		if (label->hh.tbl)
			return label;
		free(label);
	}
	reg_unsure(reg, name, -ENOMEM);
	return NULL;
}

static void label_set_state(struct vs_reg *reg, struct label *label, enum label_state state)
{
	if (label->state == LABEL_PENDING && state != LABEL_PENDING)
		TAILQ_REMOVE(&reg->pending, label, pending);
	if (label->state != LABEL_PENDING && state == LABEL_PENDING)
		TAILQ_INSERT_TAIL(&reg->pending, label, pending);
	label->state = state;
}

static void label_set_polled(struct vs_reg *reg, struct label *label, bool polled)
{
	if (polled && reg->polled == 0)
		reg->poll_at = reg_now() + NSEC_PER_SEC;
	if (polled && !label->is_polled)
		reg->polled++;
	if (!polled && label->is_polled)
		reg->polled--;
	label->is_polled = polled;
}

void label_ask(struct vs_reg *reg, struct label *label)
{
	if (label->is_asked)
		return;
	label->is_asked = true;
	TAILQ_INSERT_TAIL(&reg->asked, label, asked);
}

void label_free(struct vs_reg *reg, struct label *label)
{
	label_detach(reg, label);
	label_set_state(reg, label, LABEL_ABSENT);
	label_set_polled(reg, label, false);
	if (label->is_asked)
		TAILQ_REMOVE(&reg->asked, label, asked);
	index_write(reg->index);
	HASH_DELETE(hh, reg->labels, label);
	index_write_end(reg->index);
	free(label);
}

/* Each cause once for a label. */
static bool tell_once(struct label *label, enum label_cause cause)
{
	bool told = label->told & cause;

	label->told |= cause;
	return !told;
}

static bool matches(char *const *patterns, const char *name)
{
	for (; *patterns; patterns++) {
		if (fnmatch(*patterns, name, 0) == 0)
			return true;
	}
	return false;
}

/* Whether to take the name, whatever it stands for. */
static bool judge(struct vs_reg *reg, struct label *label)
{
	const struct vs_conf *conf = setup_conf(reg->setup, label->name);

	if (!vs_name_is_good(label->name)) {
		if (tell_once(label, CAUSE_NAME))
			reg_log(reg, LOG_WARNING, NULL,
				"'%s' is not a name for a virtual server and is passed over",
				label->name);
		return false;
	}
	if (conf && !conf->values.enabled) {
		if (tell_once(label, CAUSE_DISABLED))
			reg_log(reg, LOG_INFO, label->name, "%s has Enabled=no", conf->file);
		return false;
	}
	if (conf || label == reg->host)
		return true;
	if (matches(reg->setup->include, label->name) && !matches(reg->setup->exclude, label->name))
		return true;
	if (tell_once(label, CAUSE_EXCLUDED))
		reg_log(reg, LOG_INFO, label->name, "passed over: not included, or excluded");
	return false;
}

static void give_up(struct vs_reg *reg, struct label *label, const struct look *look)
{
	const char *end = strrchr(look->place, '/');
	char dir[PLACE_MAX];

	label_set_state(reg, label, LABEL_PLAIN);
	if (tell_once(label, CAUSE_PLAIN))
		reg_log(reg, LOG_WARNING, label->name, "%s is not a network namespace%s%s",
			look->place, look->error == -EINVAL ? "" : ": ",
			look->error == -EINVAL ? "" : strerror(-look->error));
	if (reg->private_told || !end)
		return;
	memcpy(dir, look->place, (size_t)(end - look->place));
	dir[end - look->place] = '\0';
	if (!watch_is_private(dir))
		return;
	reg->private_told = true;
	reg_log(reg, LOG_WARNING, NULL,
		"mounts made in %s outside are not seen here: its mount propagation is private",
		dir);
}

static void found_plain(struct vs_reg *reg, struct label *label, const struct look *look)
{
	uint64_t now = reg_now();

	label_detach(reg, label);
	label->told &= ~(unsigned)CAUSE_ABSENT;
	if (label->state == LABEL_PLAIN)
		return;
	if (label->state != LABEL_PENDING) {
		label_set_state(reg, label, LABEL_PENDING);
		label->since = now;
		label->backoff = PENDING_FIRST;
		label->retry = now + PENDING_FIRST;
	} else if (now - label->since >= PENDING_LIMIT) {
		give_up(reg, label, look);
	} else if (now >= label->retry) {
		uint64_t left = label->since + PENDING_LIMIT - now;

		label->backoff *= 2;
		label->retry = now + (label->backoff < left ? label->backoff : left);
	}
}

/* True when the label is to be kept. */
static bool found_nothing(struct vs_reg *reg, struct label *label, const struct vs_conf *conf)
{
	label_detach(reg, label);
	label_set_state(reg, label, LABEL_ABSENT);
	label->told &= ~(unsigned)(CAUSE_PLAIN | CAUSE_ERROR);
	if (!conf)
		return false;
	if (tell_once(label, CAUSE_ABSENT))
		reg_log(reg, LOG_INFO, label->name, "%s: the namespace does not exist yet",
			conf->file);
	return true;
}

static void found_error(struct vs_reg *reg, struct label *label, const struct look *look)
{
	if (tell_once(label, CAUSE_ERROR))
		reg_log(reg, LOG_WARNING, label->name, "%s: %s", look->place,
			strerror(-look->error));
	/* What was known is not known to be wrong. */
	if (!label->vs)
		label_set_state(reg, label, LABEL_REFUSED);
}

static void found_namespace(struct vs_reg *reg, struct label *label, const struct look *look)
{
	int rc = 0;

	if (look->cookie == reg->host_cookie && !reg->host->taken &&
		!mark_of(setup_conf(reg->setup, label->name))) {
		if (tell_once(label, CAUSE_HOST))
			reg_log(reg, LOG_INFO, label->name,
				"passed over: it is the host's namespace, which is not enabled");
		label_detach(reg, label);
		label_set_state(reg, label, LABEL_REFUSED);
		return;
	}
	if (!look->is_known)
		rc = label_attach(reg, label, look);
	if (rc < 0) {
		reg_unsure(reg, label->name, rc);
		return;
	}
	label->ids = look->ids;
	label->told &= ~(unsigned)(CAUSE_PLAIN | CAUSE_ERROR | CAUSE_ABSENT | CAUSE_HOST);
	label_set_state(reg, label, LABEL_SERVED);
}

/* A place in /proc is a process. Another namespace there is most likely another process under the
 * old number, and nobody has said that the settings are meant for that one. */
static bool is_stranger(struct vs_reg *reg, struct label *label, const struct look *look)
{
	if (strncmp(look->place, "/proc/", 6) != 0)
		return false;
	if (label->of_process == 0)
		label->of_process = look->cookie;
	if (label->of_process == look->cookie)
		return false;
	if (tell_once(label, CAUSE_PROCESS))
		reg_log(reg, LOG_WARNING, label->name,
			"%s is another namespace than before, maybe of another process: not taken "
			"before a reload", look->place);
	return true;
}

static void look_at_host(struct vs_reg *reg)
{
	struct look look = {.cookie = reg->host_cookie};

	if (!reg->host->taken)
		label_detach(reg, reg->host);
	else if (!reg->host->vs)
		found_namespace(reg, reg->host, &look);
}

/* A mark VS without Namespace= shares ours, which is there. */
static void look_at_home(struct vs_reg *reg, struct label *label)
{
	struct look look = {.cookie = reg->host_cookie};

	look.is_known = label->vs && label->vs->cookie == look.cookie;
	found_namespace(reg, label, &look);
}

/* By another mark, or as another flavour, it is another VS, whatever the namespace is. */
static void check_mark(struct vs_reg *reg, struct label *label, const struct vs_conf *conf)
{
	if (label->vs && label->vs->mark != mark_of(conf))
		label_detach(reg, label);
}

/* Frees the label when nothing is left of it. */
static void look_at(struct vs_reg *reg, struct label *label, bool distrust)
{
	const struct vs_conf *conf = setup_conf(reg->setup, label->name);
	bool keep = true;
	struct look look;

	if (!label->judged)
		label->taken = judge(reg, label);
	label->judged = true;
	if (label == reg->host) {
		look_at_host(reg);
		return;
	}
	if (!label->taken) {
		label_detach(reg, label);
		label_set_state(reg, label, LABEL_REFUSED);
		if (!conf && !look_exists(reg, label))
			label_free(reg, label);
		return;
	}
	check_mark(reg, label, conf);
	if (mark_of(conf) && conf->values.ns[0] == '\0') {
		look_at_home(reg, label);
		label_set_polled(reg, label, false);
		return;
	}
	switch (look_label(reg, label, distrust, &look)) {
	case OUTCOME_ABSENT:
		keep = found_nothing(reg, label, conf);
		break;
	case OUTCOME_ERROR:
		found_error(reg, label, &look);
		break;
	case OUTCOME_PLAIN:
		found_plain(reg, label, &look);
		break;
	case OUTCOME_UNSURE:
		label->retry = reg_now() + UNSURE_RETRY;
		reg_unsure(reg, label->name, look.error);
		break;
	case OUTCOME_FOUND:
		if (is_stranger(reg, label, &look))
			keep = found_nothing(reg, label, conf);
		else
			found_namespace(reg, label, &look);
		break;
	}
	/* Outside of the directories nobody says when a file comes; the end of what is not a
	 * mount, such as /proc/PID/ns/net, is never announced. */
	label_set_polled(reg, label,
		(conf && conf->values.ns[0] == '/') ||
			(label->state == LABEL_SERVED && !label->ids.is_mount));
	if (!keep)
		label_free(reg, label);
}

static bool is_host_file(struct vs_reg *reg, const char *file)
{
	if (strcmp(file, VS_HOST) != 0)
		return false;
	if (!reg->host_file_told)
		reg_log(reg, LOG_WARNING, NULL,
			"a namespace cannot be named '" VS_HOST "', and the file is passed over");
	reg->host_file_told = true;
	return true;
}

static void ask_named(struct vs_reg *reg, const char *name)
{
	struct label *label = label_get(reg, name);

	if (!label)
		return;
	label->named = true;
	label_ask(reg, label);
}

void scan_ask_file(struct vs_reg *reg, const char *file)
{
	const struct vs_conf *conf, *next;

	if (!is_host_file(reg, file))
		ask_named(reg, file);
	HASH_ITER(hh, reg->setup->confs, conf, next) {
		if (strcmp(conf->values.ns, file) == 0)
			ask_named(reg, conf->name);
	}
}

void scan_asked(struct vs_reg *reg)
{
	struct label *label;

	while ((label = TAILQ_FIRST(&reg->asked))) {
		TAILQ_REMOVE(&reg->asked, label, asked);
		label->is_asked = false;
		look_at(reg, label, false);
	}
}

/* Finds new labels; the old ones need no directory to be looked at. */
static void read_dir(struct vs_reg *reg, struct reg_dir *dir)
{
	DIR *stream = opendir(dir->path);
	struct dirent *e;
	int error;

	while (stream && (errno = 0, e = readdir(stream))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			!is_host_file(reg, e->d_name))
			label_get(reg, e->d_name);
	}
	error = errno;
	if (stream)
		closedir(stream);
	if (error == EMFILE || error == ENFILE || error == ENOMEM)
		reg_unsure(reg, NULL, -error);
	else if (error != 0 && error != ENOENT && !dir->told) {
		reg_log(reg, LOG_WARNING, NULL, "%s: %s", dir->path, strerror(error));
		dir->told = true;
	}
}

void scan_all(struct vs_reg *reg, bool distrust)
{
	uint64_t begin = reg_now(), end;
	struct vs_conf *conf, *next_conf;
	struct label *label, *next;

	reg->full_wanted = false;
	reg->unsure = 0;
	reg->trusted = false;
	watch_dirs(reg, reg->setup);
	look_at(reg, reg->host, distrust); /* first: it decides about its aliases */
	for (size_t i = 0; i < reg->setup->dir_count; i++)
		read_dir(reg, &reg->setup->dirs[i]);
	HASH_ITER(hh, reg->setup->confs, conf, next_conf)
		label_get(reg, conf->name);
	HASH_ITER(hh, reg->labels, label, next)
		look_at(reg, label, distrust);
	end = reg_now();
	reg->full_after = end + (distrust ? 1 : FULL_PAUSE) * (end - begin);
	if (distrust)
		reg->verified = begin;
	if (reg->unsure == 0)
		reg->unsure_told = false;
}
