/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual server: what is known of it, and the way into its namespace.
 *
 * Between uses no descriptor of the namespace is held (the host's own excepted), because that
 * would keep it alive after its last name is gone. Where the kernel has file handles of
 * namespaces their bytes are kept, elsewhere the places where the namespace was found; what is
 * opened by them is checked against the cookie each time.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vsreg_private.h"

_Static_assert(sizeof(((struct vs_saved *)0)->sigmask) >= sizeof(sigset_t), "room for a sigset_t");

struct vs *vs_new(struct reg_index *index, const struct look *look, bool at_home, uint32_t mark)
{
	struct vs *vs = calloc(1, sizeof(*vs));

	if (!vs)
		return NULL;
	if (pthread_mutex_init(&vs->lock, NULL) != 0) {
		free(vs);
		return NULL;
	}
	atomic_init(&vs->refs, 1);
	vs->index = index_ref(index);
	vs->cookie = look->cookie;
	if (!at_home)
		vs->handle = look->handle;
	vs->at_home = at_home;
	vs->mark = mark;
	atomic_init(&vs->nsid, NSID_NONE);
	TAILQ_INIT(&vs->labels);
	return vs;
}

struct vs *vs_ref(struct vs *vs)
{
	atomic_fetch_add_explicit(&vs->refs, 1, memory_order_relaxed);
	return vs;
}

void vs_unref(struct vs *vs)
{
	struct vs_node *node;

	if (!vs || atomic_fetch_sub_explicit(&vs->refs, 1, memory_order_acq_rel) != 1)
		return;
	while ((node = atomic_load(&vs->nodes))) {
		atomic_store(&vs->nodes, atomic_load(&node->next));
		free(node);
	}
	vs_conf_unref(vs->conf);
	index_unref(vs->index);
	pthread_mutex_destroy(&vs->lock);
	free(vs);
}

struct vs_node *vs_node_get(struct vs *vs, const char *name, const char *place)
{
	size_t name_size = strlen(name) + 1, place_size = strlen(place) + 1;
	_Atomic(struct vs_node *) *at = &vs->nodes;
	struct vs_node *node, *next;
	int order;

	for (; (next = atomic_load(at)); at = &next->next) {
		order = strcmp(next->name, name);
		if (order == 0 && strcmp(next->place, place) == 0)
			return next;
		if (order > 0)
			break;
	}
	node = calloc(1, sizeof(*node) + name_size + place_size);
	if (!node)
		return NULL;
	memcpy(node->name, name, name_size);
	memcpy(node->name + name_size, place, place_size);
	node->place = node->name + name_size;
	/* Others may be walking the list: it is whole before and after this. */
	atomic_store(&node->next, next);
	atomic_store(at, node);
	return node;
}

const char *vs_name(const struct vs *vs)
{
	return atomic_load(&vs->primary)->name;
}

const char *vs_alias(const struct vs *vs, unsigned i)
{
	const struct vs_node *primary = atomic_load(&vs->primary);

	for (const struct vs_node *n = atomic_load(&vs->nodes); n; n = atomic_load(&n->next)) {
		if (n == primary || !atomic_load(&n->live))
			continue;
		if (i-- == 0)
			return n->name;
	}
	return NULL;
}

enum vs_flavour vs_flavour(const struct vs *vs)
{
	return vs->mark ? VS_MARK : VS_NAMESPACE;
}

uint64_t vs_cookie(const struct vs *vs)
{
	return vs->cookie;
}

uint32_t vs_mark(const struct vs *vs)
{
	return vs->mark;
}

int vs_nsid(const struct vs *vs)
{
	int nsid = atomic_load(&vs->nsid);

	return nsid >= 0 ? nsid : -ENOENT;
}

int vs_is_host(const struct vs *vs)
{
	return vs->at_home && vs->mark == 0;
}

int vs_is_gone(const struct vs *vs)
{
	return atomic_load(&vs->gone);
}

void vs_set_conf(struct vs *vs, struct vs_conf *conf)
{
	struct vs_conf *old;

	if (conf)
		vs_conf_ref(conf);
	pthread_mutex_lock(&vs->lock);
	old = vs->conf;
	vs->conf = conf;
	pthread_mutex_unlock(&vs->lock);
	vs_conf_unref(old);
}

static struct vs_conf *get_conf(struct vs *vs)
{
	struct vs_conf *conf;

	pthread_mutex_lock(&vs->lock);
	conf = vs->conf;
	if (conf)
		vs_conf_ref(conf);
	pthread_mutex_unlock(&vs->lock);
	return conf;
}

const struct network *vs_network(struct vs *vs, struct vs_conf **conf)
{
	*conf = get_conf(vs);
	return *conf ? (*conf)->network : NULL;
}

int vs_settings(struct vs *vs, const char *section, vs_setting_fn *fn, void *arg)
{
	struct vs_conf *conf = get_conf(vs);
	int rc = 0;

	for (size_t i = 0; conf && rc == 0 && i < ini_doc_count(conf->doc); i++) {
		const struct ini_setting *s = ini_doc_get(conf->doc, i);

		if (strcmp(s->section, section) == 0)
			rc = fn(s->key, s->value, s->file, s->line, arg);
	}
	vs_conf_unref(conf);
	return rc;
}

/* Nothing there, or something else: what the name stood for is gone. */
static int open_place(const char *place)
{
	int fd = netns_open(place);

	return fd == -ENOENT || fd == -ENOTDIR || fd == -EINVAL ? -ESTALE : fd;
}

int vs_open_namespace(const struct vs *vs, bool *certain)
{
	int fd = -ESTALE;

	*certain = true;
	if (atomic_load(&vs->gone))
		return -ESTALE;
	if (vs->at_home) {
		fd = fcntl(vs->index->home, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	if (vs->handle.size > 0) {
		fd = netns_handle_open(&vs->handle);
		/* The kernel says this also to who lacks the privilege. By its place the
		 * namespace may be opened even then. */
		if (fd != -ESTALE)
			return fd;
	}
	*certain = false;
	for (const struct vs_node *n = atomic_load(&vs->nodes); n; n = atomic_load(&n->next)) {
		if (!atomic_load(&n->live))
			continue;
		fd = open_place(n->place);
		if (fd != -ESTALE)
			break;
	}
	return fd;
}

int vs_open_checked(const struct vs *vs, bool *certain)
{
	uint64_t cookie = vs->cookie;
	int rc, fd = vs_open_namespace(vs, certain);

	if (fd < 0 || *certain)
		return fd;
	rc = netns_cookie(fd, vs->index->without, &cookie);
	if (rc == 0 && cookie == vs->cookie)
		return fd;
	close(fd);
	return rc < 0 ? rc : -ESTALE;
}

/* The socket, or an error and no socket: without its mark it would be the host's. */
static int set_mark(int sock, uint32_t mark)
{
	int rc;

	if (setsockopt(sock, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0)
		return sock;
	rc = -errno;
	close(sock);
	return rc;
}

/* Cancellation is off so that no descriptor, and with it the namespace, is left behind. */
static int open_socket(struct vs *vs, int domain, int type, int protocol, uint32_t mark)
{
	int fd, cancel_state, sock = -ESTALE;
	bool certain;

	if (atomic_load(&vs->gone))
		return -ESTALE;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	/* Most threads are in the host's namespace already, and may have no right to enter. */
	if (vs->at_home)
		sock = netns_socket_here(vs->cookie, domain, type, protocol);
	if (sock == -ESTALE) {
		fd = vs_open_namespace(vs, &certain);
		sock = fd < 0 ? fd : netns_socket(fd, vs->cookie, domain, type, protocol);
		if (fd >= 0)
			close(fd);
	}
	if (sock >= 0 && mark != 0)
		sock = set_mark(sock, mark);
	pthread_setcancelstate(cancel_state, &cancel_state);
	return sock;
}

int vs_socket(struct vs *vs, int domain, int type, int protocol)
{
	return open_socket(vs, domain, type, protocol, vs->mark);
}

int vs_socket_unmarked(struct vs *vs, int domain, int type, int protocol)
{
	return open_socket(vs, domain, type, protocol, 0);
}

int vs_enter(struct vs *vs, struct vs_saved *saved)
{
	struct netns_window window;
	int fd, rc, cancel_state, ignored;
	bool certain;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	fd = vs_open_namespace(vs, &certain);
	rc = fd < 0 ? fd : netns_enter(fd, vs->cookie, &window);
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		pthread_setcancelstate(cancel_state, &ignored);
		return rc;
	}
	saved->home_fd = window.home;
	saved->cancel_state = cancel_state;
	memcpy(saved->sigmask, &window.mask, sizeof(window.mask));
	return 0;
}

void vs_leave(struct vs_saved *saved)
{
	struct netns_window window = {.home = saved->home_fd, .cancel_state = saved->cancel_state};

	memcpy(&window.mask, saved->sigmask, sizeof(window.mask));
	netns_leave(&window);
}

/* There is no socket here whose cookie would be checked, so one is made for it. */
static int check_namespace(const struct vs *vs, int fd)
{
	int sock = netns_socket(fd, vs->cookie, AF_UNIX, SOCK_DGRAM, 0);

	if (sock < 0)
		return sock;
	close(sock);
	return 0;
}

int vs_root_uids(const struct vs *vs, uid_t *owner, uid_t *root)
{
	int fd, rc, cancel_state;
	bool certain;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	fd = vs_open_namespace(vs, &certain);
	rc = fd < 0 ? fd : 0;
	if (rc == 0 && !certain)
		rc = check_namespace(vs, fd);
	if (rc == 0)
		rc = netns_root_uids(fd, owner, root);
	if (fd >= 0)
		close(fd);
	pthread_setcancelstate(cancel_state, &cancel_state);
	return rc;
}

const char *vs_flavour_name(enum vs_flavour flavour)
{
	switch (flavour) {
	case VS_NAMESPACE:
		return "namespace";
	case VS_MARK:
		return "mark";
	}
	return "unknown";
}

const char *vs_event_name(enum vs_event event)
{
	switch (event) {
	case VS_ADDED:
		return "added";
	case VS_REMOVED:
		return "removed";
	case VS_CHANGED:
		return "changed";
	case VS_ADDRESSES:
		return "addresses";
	case VS_RELEASED:
		return "released";
	}
	return "unknown";
}
