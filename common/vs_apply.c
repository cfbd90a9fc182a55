/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net_batch.h"
#include "net_namespace.h"
#include "netns.h"
#include "vs_apply_private.h"
#include "vs_lock.h"

#define LOCK_MS 10000
/* Duplicate address detection takes a second, and a random delay before it. */
#define LATE_MS 8000
#define LATE_STEP_MS 100
#define PATH_SIZE 4096
#define DARK_MAX 2048 /* other ends */

void vs_tell(struct vs_apply *a, int priority, const char *format, ...)
{
	char text[VS_ENTRY_NS_MAX + 512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	a->config->log(a->config->arg, priority, text);
}

void vs_tell_place(struct vs_apply *a, int priority, const struct vs_group *group,
	const struct network_place *place, const char *text)
{
	if (place->file)
		vs_tell(a, priority, "%s:%u: %s", place->file, place->line, text);
	else
		vs_tell(a, priority, "VS %s: %s", group->name, text);
}

int vs_fail(struct vs_apply *a, const struct vs_group *group, int rc, const char *what)
{
	vs_tell(a, LOG_ERR, "VS %s: %s: %s", group->name, what, strerror(-rc));
	if (a->status == 0)
		a->status = rc;
	return rc;
}

void vs_tell_namespace(struct vs_apply *a, const struct vs_group *group, const char *what)
{
	char text[VS_ENTRY_NS_MAX + 32];

	snprintf(text, sizeof(text), "%s namespace %s", what, group->path);
	a->config->step(a->config->arg, group, text);
}

static int fail(struct vs_apply *a, int rc, const char *what)
{
	vs_tell(a, LOG_ERR, "%s: %s", what, strerror(-rc));
	return rc;
}

static void take_log(void *arg, int priority, const char *vs, const char *file, unsigned line,
	const char *text)
{
	struct vs_apply *a = arg;

	if (file && line)
		vs_tell(a, priority, "%s:%u: %s", file, line, text);
	else if (file)
		vs_tell(a, priority, "%s: %s", file, text);
	else
		vs_tell(a, priority, "%s%s%s", vs ? "VS " : "", vs ? vs : "", text);
}

static void take_journal_log(void *arg, const char *file, const char *text)
{
	vs_tell(arg, LOG_WARNING, "journal: %s %s", file, text);
}

static int take_lock(struct vs_apply *a)
{
	const char *dir = a->config->runtime_dir;
	char path[PATH_SIZE];
	pid_t holder = 0;
	int n = snprintf(path, sizeof(path), "%s/vsctl.lock", dir);

	if (n < 0 || n >= (int)sizeof(path))
		return fail(a, -ENAMETOOLONG, dir);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return fail(a, -errno, dir);
	a->lock = vs_lock(path, LOCK_MS, &holder);
	if (a->lock == -EBUSY)
		vs_tell(a, LOG_ERR, "%s: another vsctl is at work, process %d; waited for %d seconds",
			path, (int)holder, LOCK_MS / 1000);
	else if (a->lock < 0)
		fail(a, a->lock, path);
	return a->lock < 0 ? a->lock : 0;
}

static int open_journal(struct vs_apply *a)
{
	char path[PATH_SIZE];
	int rc, n = snprintf(path, sizeof(path), "%s/vsctl", a->config->runtime_dir);

	if (n < 0 || n >= (int)sizeof(path))
		return fail(a, -ENAMETOOLONG, a->config->runtime_dir);
	rc = vs_journal_open(
		&a->journal, path, !a->config->is_dry_run, take_journal_log, a);
	if (rc == -ENOENT && a->config->is_dry_run)
		return 0;
	return rc < 0 ? fail(a, rc, path) : 0;
}

/* The names that were given: is there anything to make or take down under them? */
static int check_names(struct vs_apply *a)
{
	const struct vs_selection *s = &a->config->selection;
	int rc = 0;

	for (size_t i = 0; s->names[i]; i++) {
		const char *name = s->names[i];
		struct vs_conf *conf;

		HASH_FIND_STR(a->confs, name, conf);
		if (!conf && (s->action == VS_ACTION_UP || !vs_journal_find(a->journal, name))) {
			vs_tell(a, LOG_ERR, "no virtual server '%s': there is no %s/%s.conf", name,
				a->config->vs_dir, name);
			rc = -EINVAL;
		} else if (s->action == VS_ACTION_UP && !conf->values.enabled) {
			vs_tell(a, LOG_ERR, "%s: Enabled=no", conf->file);
			rc = -EINVAL;
		} else if (s->action == VS_ACTION_UP && !conf->network->is_wanted) {
			vs_tell(a, LOG_ERR, "%s: has no [Network] section to make", conf->file);
			rc = -EINVAL;
		}
	}
	return rc;
}

static int open_home(struct vs_apply *a)
{
	int rc;

	a->has_ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0;
	a->home = netns_open_home();
	rc = a->home < 0 ? a->home : net_namespace_cookie(a->home, &a->home_cookie);
	if (rc == 0) {
		a->home_sock = net_batch_socket(a->home, a->home_cookie);
		rc = a->home_sock < 0 ? a->home_sock : net_read_prepare(a->home_sock);
	}
	if (rc == 0)
		rc = vs_read_parent(a);
	if (rc == 0)
		rc = net_maker_new(&a->maker, a->home, a->home_sock);
	return rc < 0 ? fail(a, rc, "the network namespace of vsctl") : 0;
}

/* Whether its namespace is there, and ours. */
static int look_up(struct vs_apply *a, struct vs_group *g)
{
	struct vs_place place;
	int rc = vs_place_find(a, g, &place);

	if (rc < 0)
		return rc;
	g->is_there = place.ns >= 0;
	g->cookie = place.cookie;
	for (size_t i = 0; i < g->count; i++) {
		const struct vs_entry *e = vs_journal_find(a->journal, g->members[i].name);

		if (!e || !e->made_namespace || strcmp(e->ns, g->path) != 0)
			continue;
		if (!g->is_there)
			g->cookie = e->cookie;
		if (e->cookie == g->cookie)
			g->made_path = g->path;
	}
	vs_place_close(a, &place);
	if (g->is_there || !g->is_wanted || g->can_be_made)
		return 0;
	vs_tell(a, LOG_ERR, "VS %s: there is no network namespace %s", g->name, g->path);
	return -EINVAL;
}

static int by_cookie(const void *left, const void *right)
{
	const struct vs_group *const *a = left, *const *b = right;

	if ((*a)->cookie != (*b)->cookie)
		return (*a)->cookie < (*b)->cookie ? -1 : 1;
	/* The one that vsctl runs in, or that it made, stands for the others. */
	if ((*a)->is_home != (*b)->is_home)
		return (*a)->is_home ? -1 : 1;
	if (!(*a)->made_path != !(*b)->made_path)
		return (*a)->made_path ? -1 : 1;
	return strcmp((*a)->path, (*b)->path);
}

/* Two paths of one namespace are one group. */
static int merge(struct vs_apply *a)
{
	struct vs_group **sorted, *g, *next, *into = NULL;
	size_t count = 0;
	int rc = 0;

	sorted = calloc(HASH_COUNT(a->groups) + 1, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	HASH_ITER(hh, a->groups, g, next) {
		if (g->is_there)
			sorted[count++] = g;
	}
	qsort(sorted, count, sizeof(*sorted), by_cookie);
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (into && into->cookie == sorted[i]->cookie)
			rc = vs_group_merge(into, sorted[i]);
		else
			into = sorted[i];
	}
	free(sorted);
	return rc;
}

static int find_groups(struct vs_apply *a)
{
	struct vs_group *g, *next;
	int one, rc = vs_groups_make(&a->groups, &a->config->selection, a->confs, a->journal);

	if (rc < 0)
		return fail(a, rc, a->config->vs_dir);
	HASH_ITER(hh, a->groups, g, next) {
		one = g->is_touched ? look_up(a, g) : 0;
		rc = rc < 0 ? rc : one;
	}
	if (rc == 0)
		rc = merge(a);
	return rc;
}

static int read_all(struct vs_apply *a)
{
	int rc = a->config->is_dry_run ? 0 : take_lock(a);

	if (rc < 0)
		return rc;
	rc = vsdir_read(&a->confs, a->config->vs_dir, take_log, a);
	if (rc < 0)
		return rc == -EINVAL ? rc : fail(a, rc, a->config->vs_dir);
	rc = open_journal(a);
	if (rc == 0)
		rc = check_names(a);
	if (rc == 0)
		rc = open_home(a);
	if (rc == 0)
		rc = find_groups(a);
	return rc == 0 ? vs_check(a) : rc;
}

/* One round over the groups that are pending; those that wait for an address stay so. */
static void change_some(struct vs_apply *a, bool only_givers)
{
	struct vs_group *g, *next;

	HASH_ITER(hh, a->groups, g, next) {
		int rc;

		if (!g->is_pending || (only_givers && !g->gives))
			continue;
		rc = vs_change(a, g);
		g->is_pending = rc == 1;
		if (rc < 0 && a->status == 0)
			a->status = rc;
		if (net_maker_waiting(a->maker) >= DARK_MAX)
			vs_light(a);
	}
	vs_light(a);
}

static bool is_pending(const struct vs_apply *a)
{
	struct vs_group *g, *next;

	HASH_ITER(hh, a->groups, g, next) {
		if (g->is_pending)
			return true;
	}
	return false;
}

static void change_all(struct vs_apply *a)
{
	struct vs_group *g, *next;
	bool is_given = a->gifts.link_count > 0;
	int rc = 0;

	/* As it is now, and not as it will be; and then as it has become. */
	if (is_given)
		rc = vs_read_parent(a);
	if (rc == 0)
		change_some(a, true);
	if (rc == 0 && is_given)
		rc = vs_read_parent(a);
	if (rc == 0)
		change_some(a, false);
	for (int ms = 0; rc == 0 && ms < LATE_MS && is_pending(a); ms += LATE_STEP_MS) {
		poll(NULL, 0, LATE_STEP_MS);
		change_some(a, false);
	}
	HASH_ITER(hh, a->groups, g, next) {
		if (g->is_pending)
			vs_fail(a, g, rc < 0 ? rc : -EADDRNOTAVAIL,
				"an address cannot be used as a source yet");
	}
}

static void clean_up(struct vs_apply *a)
{
	net_maker_free(a->maker);
	net_look_free(&a->look);
	net_state_free(&a->parent);
	net_state_free(&a->gifts);
	vs_groups_free(a->groups);
	vs_journal_close(a->journal);
	vsdir_free(a->confs);
	if (a->home_sock >= 0)
		close(a->home_sock);
	if (a->home >= 0)
		close(a->home);
	if (a->lock >= 0)
		close(a->lock);
}

int vs_apply(const struct vs_apply_config *config)
{
	struct vs_apply a = {.config = config, .lock = -1, .home = -1, .home_sock = -1};
	int rc = read_all(&a);

	if (rc == 0 && !config->is_dry_run)
		change_all(&a);
	if (rc == 0)
		rc = a.status;
	if (rc == 0 && a.is_waiting)
		rc = -EAGAIN;
	clean_up(&a);
	return rc;
}
