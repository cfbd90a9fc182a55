/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One registry and one context for each VS that was asked for, for the process. What is static here
 * is one pointer: modules are called out of nowhere. After fork the child makes
 * all anew and leaves its parent's as it is: a lock in it may be held for ever.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cancel.h"
#include "netns.h"
#include "process_mark.h"
#include "thread_context.h"
#include "vsreg.h"

#define BUDGET (16u << 20) /* bytes, of all VSs in the process */
#define CONF_DIR SYSCONFDIR "/nsaux/vs.d"
#define INIT_NETNS "/proc/1/ns/net"
#define GONE_MAX 1024

struct held {
	LIST_ENTRY(held) link;
	struct vs *vs; /* a reference */
	struct vsresolv *ctx;
	unsigned users;
	bool is_dropped; /* out of the list; goes with the last user */
};

/* Namespaces that were VSs, by their cookies, which are never given again: a thread that is
 * still in one is not to be taken for one of the host's. The oldest are forgotten. */
struct gone {
	_Atomic uint64_t cookies[GONE_MAX];
	atomic_uint count; /* of all that there ever were */
};

struct module {
	uint64_t process;
	pthread_mutex_t lock;
	struct vs_reg *registry;
	bool knows_host; /* the VS "host" is the namespace of init beyond doubt */
	struct gone gone;
	struct vsresolv_budget *budget;
	LIST_HEAD(, held) held;
};

static _Atomic(struct module *) current;

/* ---- the registry */

/*
 * The VS "host" is the namespace of init, wherever this process was started: else a process started
 * inside a VS would take that for the host. Who may not look there is in one namespace for good.
 */
static int open_registry(struct vs_reg **registry, bool *knows_host)
{
	static const struct vs_reg_config config = {
		.size = sizeof(config), .flags = VS_NO_NSID, .conf_dir = CONF_DIR};
	struct netns_window window;
	uint64_t cookie;
	int rc, fd = netns_open(INIT_NETNS);

	if (fd < 0 || netns_cookie(fd, 0, &cookie) < 0 || netns_enter(fd, cookie, &window) < 0) {
		if (fd >= 0)
			close(fd);
		return vs_reg_open(registry, &config);
	}
	close(fd);
	rc = vs_reg_open(registry, &config);
	netns_leave(&window);
	*knows_host = true;
	return rc;
}

static int module_new(struct module **out)
{
	struct module *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->process = process_mark();
	pthread_mutex_init(&m->lock, NULL);
	LIST_INIT(&m->held);
	rc = vsresolv_budget_new(&m->budget, BUDGET);
	if (rc == 0)
		rc = open_registry(&m->registry, &m->knows_host);
	if (rc < 0) {
		vsresolv_budget_unref(m->budget);
		pthread_mutex_destroy(&m->lock);
		free(m);
		return rc;
	}
	*out = m;
	return 0;
}

static void module_free(struct module *m)
{
	vs_reg_close(m->registry);
	vsresolv_budget_unref(m->budget);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* From the parent's, which may have been in the midst of it. */
static void copy_gone(struct gone *to, const struct gone *from)
{
	for (unsigned i = 0; i < GONE_MAX; i++)
		atomic_store(&to->cookies[i], atomic_load(&from->cookies[i]));
	atomic_store(&to->count, atomic_load(&from->count));
}

static int module_get(struct module **out)
{
	struct module *m = atomic_load(&current), *made;
	int rc;

	if (m && m->process == process_mark()) {
		*out = m;
		return 0;
	}
	rc = module_new(&made);
	if (rc < 0)
		return rc;
	if (m)
		copy_gone(&made->gone, &m->gone);
	if (atomic_compare_exchange_strong(&current, &m, made)) {
		*out = made;
		return 0;
	}
	module_free(made); /* another thread was faster */
	*out = m;
	return 0;
}

/* ---- its contexts; with the lock held */

static void held_free(struct held *h)
{
	vsresolv_close(h->ctx);
	vs_unref(h->vs);
	free(h);
}

static void drop(struct held *h)
{
	LIST_REMOVE(h, link);
	h->is_dropped = true;
	if (h->users == 0)
		held_free(h);
}

static void note_gone(struct gone *gone, uint64_t cookie)
{
	unsigned at = atomic_fetch_add(&gone->count, 1) % GONE_MAX;

	atomic_store(&gone->cookies[at], cookie);
}

static bool was_vs(const struct gone *gone, uint64_t cookie)
{
	for (unsigned i = 0; i < GONE_MAX && cookie != 0; i++)
		if (atomic_load(&gone->cookies[i]) == cookie)
			return true;
	return false;
}

/* Whose VS is gone or has other settings by now: made anew when asked for. */
static void changed(struct vs *vs, enum vs_event event, void *arg)
{
	struct module *m = arg;
	struct held *h, *next;

	if (event != VS_REMOVED && event != VS_CHANGED)
		return;
	if (event == VS_REMOVED && vs_flavour(vs) == VS_NAMESPACE && !vs_is_host(vs))
		note_gone(&m->gone, vs_cookie(vs));
	for (h = LIST_FIRST(&m->held); h; h = next) {
		next = LIST_NEXT(h, link);
		if (h->vs == vs)
			drop(h);
	}
}

static int any_setting(const char *key, const char *value, const char *file, unsigned line,
	void *arg)
{
	(void)key;
	(void)value;
	(void)file;
	(void)line;
	(void)arg;
	return 1;
}

/* Of an unprivileged process inside a VS, for which init's namespace is out of sight: the name that
 * the namespace has in the directory. */
static int open_here(struct module *m, const char *name, struct vsresolv **ctx)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;
	char resolv_conf[VS_NAME_MAX + 32], hosts[VS_NAME_MAX + 32];

	snprintf(resolv_conf, sizeof(resolv_conf), "/etc/netns/%s/resolv.conf", name);
	snprintf(hosts, sizeof(hosts), "/etc/netns/%s/hosts", name);
	config.name = name;
	config.resolv_conf = resolv_conf;
	config.hosts_file = hosts;
	config.budget = m->budget;
	return vsresolv_open(ctx, NULL, &config);
}

/* 1: this is the host itself, and nothing says that it has a resolver of its own. */
static int open_context(struct module *m, struct vs *vs, struct vsresolv **ctx)
{
	struct vsresolv_config config = VSRESOLV_CONFIG_INIT;

	if (vs_is_host(vs) && !m->knows_host && vs_alias(vs, 0))
		return open_here(m, vs_alias(vs, 0), ctx);
	if (vs_is_host(vs) && vs_settings(vs, "Resolver", any_setting, NULL) == 0)
		return 1;
	config.budget = m->budget;
	config.registry = m->registry;
	return vsresolv_open_vs(ctx, NULL, vs, &config);
}

static int held_get(struct module *m, struct vs *vs, struct held **out)
{
	struct held *h;
	int rc;

	LIST_FOREACH(h, &m->held, link) {
		if (h->vs == vs) {
			h->users++;
			*out = h;
			return 0;
		}
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	rc = open_context(m, vs, &h->ctx);
	if (rc != 0) {
		free(h);
		return rc;
	}
	h->vs = vs_ref(vs);
	h->users = 1;
	LIST_INSERT_HEAD(&m->held, h, link);
	*out = h;
	return 0;
}

/* ---- the thread's VS */

/* Any socket tells in which namespace it was made. */
static int thread_cookie(uint64_t *cookie)
{
	int rc, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	rc = netns_socket_cookie(fd, cookie);
	close(fd);
	return rc;
}

/* A namespace that is not known may be a new one. */
static struct vs *find_vs(struct module *m, const char *name, uint64_t cookie)
{
	for (int look = 0; look < 2; look++) {
		struct vs *vs;

		vs_reg_dispatch(m->registry, changed, m);
		vs = name ? vs_by_name(m->registry, name) : vs_by_cookie(m->registry, cookie);
		if (vs)
			return vs;
		vs_reg_rescan(m->registry);
	}
	return NULL;
}

/* name NULL: by the namespace of the thread, which may be no VS. */
static int find_held(const char *name, struct held **held)
{
	uint64_t cookie = 0;
	struct module *m;
	struct vs *vs;
	int rc = name ? 0 : thread_cookie(&cookie);

	if (rc == 0)
		rc = module_get(&m);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&m->lock);
	vs = find_vs(m, name, cookie);
	if (vs)
		rc = held_get(m, vs, held);
	else
		rc = name || was_vs(&m->gone, cookie) ? -ESTALE : 1;
	vs_unref(vs);
	pthread_mutex_unlock(&m->lock);
	return rc;
}

static bool is_parents(struct vsresolv *ctx)
{
	struct vsresolv_stats stats = {.size = sizeof(stats)};

	return vsresolv_stats(ctx, &stats) == -EPROTOTYPE;
}

int thread_context_get(struct thread_context *found)
{
	struct vsresolv *bound = vsresolv_thread_bound();
	struct held *held;
	int rc, state;

	if (bound && !is_parents(bound)) {
		*found = (struct thread_context){.ctx = bound};
		return 0;
	}
	state = cancel_off();
	rc = find_held(bound ? vsresolv_name(bound) : NULL, &held);
	cancel_restore(state);
	if (rc == 0)
		*found = (struct thread_context){.ctx = held->ctx, .held = held};
	/* Bound to what is the host by name: still no reason to ask the host's servers. */
	return bound && rc == 1 ? -ESTALE : rc;
}

void thread_context_put(struct thread_context *found)
{
	struct held *h = found->held;
	struct module *m = atomic_load(&current);
	int state;

	if (!h)
		return;
	state = cancel_off();
	pthread_mutex_lock(&m->lock);
	if (--h->users == 0 && h->is_dropped)
		held_free(h);
	pthread_mutex_unlock(&m->lock);
	cancel_restore(state);
}
