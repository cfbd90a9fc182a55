/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "builtins.h"
#include "container.h"
#include "sandbox.h"
#include "server.h"
#include "state_file.h"
#include "status.h"
#include "warm.h"

#define PATH_RETRY (5 * LOOP_SEC)
#define PATH_HURRY (1 * LOOP_SEC)

struct vserver *server_by_cookie(const struct server *server, uint64_t cookie)
{
	struct vserver *vs;

	HASH_FIND(by_cookie, server->by_cookie, &cookie, sizeof(cookie), vs);
	if (vs && vs->share)
		return share_common(vs);
	return vs && vs->conf.serve && vs->answered ? vs : NULL;
}

static struct vserver *server_by_id(const struct server *server, uint64_t id)
{
	struct vserver *vs;

	HASH_FIND(by_id, server->by_id, &id, sizeof(id), vs);
	return vs;
}

static void tell_ready(struct server *server)
{
	struct vserver *vs, *next;
	unsigned count = 0;
	char status[128];

	if (server->ready || !server->synced || server->unanswered || server->warming)
		return;
	server->ready = true;
	HASH_ITER(by_id, server->by_id, vs, next)
		count += !vs->share;
	snprintf(status, sizeof(status), "serving %u virtual servers", count);
	link_ready(server->link, status);
}

void server_answered(struct server *server)
{
	server->unanswered--;
	if (server->warm_later) {
		server->warm_later = false;
		warm_request(server);
	}
	tell_ready(server);
}

void server_warmed(struct server *server)
{
	server->warming = false;
	tell_ready(server);
}

static void on_synced(void *arg)
{
	struct server *server = arg;

	server->synced = true;
	tell_ready(server);
}

static void fail(struct server *server, const char *what, int rc)
{
	log_err(NULL, "%s: %s", what, strerror(-rc));
	loop_stop(server->loop, 1);
}

static void on_conf_error(void *arg, const char *file, unsigned line, const char *text)
{
	(void)arg;
	log_err(NULL, "%s:%u: %s", file ? file : "", line, text);
}

/* The first configuration comes before anything else, and before anything else privileges go. */
static void on_config(const struct ini_doc *settings, void *arg)
{
	struct server *server = arg;
	struct rpcbind_conf conf = {0};
	int rc = conf_defaults(&rpcbind_schema, &conf);

	if (!rc)
		rc = conf_apply(&rpcbind_schema, &conf, settings, on_conf_error, NULL);
	if (!rc)
		log_set_level(conf.daemon.log_level);
	if (!rc && !server->sandboxed) {
		server->stream.port = (uint16_t)conf.port;
		rc = builtins_new(&server->builtins, (uint16_t)conf.port);
		if (!rc)
			rc = sandbox_server(conf.daemon.user, conf.daemon.sandbox);
		server->sandboxed = !rc;
		server->warm_start = conf.warm_start;
		if (!rc)
			rc = link_listen(server->link, 0,
				OPENER_BIT(OPENER_PATH) | OPENER_BIT(OPENER_CONTROL));
	}
	if (!rc)
		rc = ghosts_watch_start(&server->ghosts, conf.ghost_interval);
	conf_clear(&rpcbind_schema, &conf);
	if (rc)
		fail(server, "configuration", rc);
}

/* 0 or -ENOMEM. */
static int list_by_cookie(struct server *server, struct vserver *vs)
{
	bool wanted = !vs->shares;

	if (wanted == vs->is_listed)
		return 0;
	if (wanted)
		HASH_ADD(by_cookie, server->by_cookie, cookie, sizeof(vs->cookie), vs);
	else
		HASH_DELETE(by_cookie, server->by_cookie, vs);
	vs->is_listed = wanted && vs->by_cookie.tbl;
	return vs->is_listed == wanted ? 0 : -ENOMEM;
}

/* Which sockets it has, and those that share them with it. */
static void follow(struct vserver *vs)
{
	struct vserver *carrier = vs->share ? vs : share_carrier(vs);

	if (carrier)
		share_follow(carrier, NULL);
	vserver_request_sockets(vs);
}

static int add_vserver(struct server *server, const struct opener_vs *info,
	const struct ini_doc *settings)
{
	struct vserver *vs;
	int rc = vserver_new(&vs, server, info, settings);

	if (rc)
		return rc;
	HASH_ADD(by_id, server->by_id, id, sizeof(vs->id), vs);
	if (!vs->by_id.tbl) {
		vserver_free(vs);
		return -ENOMEM;
	}
	if (list_by_cookie(server, vs)) {
		HASH_DELETE(by_id, server->by_id, vs);
		vserver_free(vs);
		return -ENOMEM;
	}
	server->unanswered++;
	follow(vs);
	if (vs->is_host && server->warm_start)
		warm_request(server);
	return 0;
}

static void on_vs(const struct opener_vs *info, const struct ini_doc *settings, void *arg)
{
	struct server *server = arg;
	struct vserver *vs = server_by_id(server, info->id);
	int rc;

	/* Nothing is served with privileges. */
	if (!server->sandboxed) {
		fail(server, "a virtual server came before the configuration", -EPROTO);
		return;
	}
	if (vs) {
		rc = vserver_update(vs, info, settings);
		if (!rc)
			rc = list_by_cookie(server, vs);
		if (!rc)
			follow(vs);
	} else {
		rc = add_vserver(server, info, settings);
	}
	if (rc)
		log_err(info->name, "not served: %s", strerror(-rc));
}

static void remove_vserver(struct server *server, struct vserver *vs)
{
	ghosts_watch_forget(&server->ghosts, vs);
	HASH_DELETE(by_id, server->by_id, vs);
	if (vs->is_listed)
		HASH_DELETE(by_cookie, server->by_cookie, vs);
	if (!vs->answered)
		server->unanswered--;
	vserver_free(vs);
}

static void on_gone(uint64_t id, void *arg)
{
	struct server *server = arg;
	struct vserver *vs = server_by_id(server, id);
	struct vserver *carrier = vs ? share_carrier(vs) : NULL;

	if (carrier)
		share_follow(carrier, vs);
	if (vs)
		remove_vserver(server, vs);
	tell_ready(server);
}

static uint64_t path_retry(const struct server *server)
{
	return loop_now(server->loop) < server->path_hurry_until ? PATH_HURRY : PATH_RETRY;
}

void server_hurry(struct server *server, struct vserver *vs)
{
	vserver_hurry(vs);
	server->path_hurry_until = vs->hurry_until;
	if (loop_timer_set(&server->path_timer))
		loop_timer_in(server->loop, &server->path_timer, PATH_HURRY);
}

static void note_path_error(struct server *server, const struct link_socket *s)
{
	bool news = server->path_error != s->error;

	server->path_error = s->error == EOPNOTSUPP ? 0 : s->error;
	snprintf(server->path_holder, sizeof(server->path_holder), "%.127s", s->holder);
	if (!server->path_error)
		return;
	if (news)
		log_err(NULL, "the local socket cannot be had: %s%s%s", strerror(s->error),
			*s->holder ? ", held by " : "", s->holder);
	loop_timer_in(server->loop, &server->path_timer, path_retry(server));
}

/* rpcbind's own entries tell of the path socket, too. */
static void path_changed(struct server *server)
{
	struct vserver *vs, *next;

	HASH_ITER(by_id, server->by_id, vs, next)
		vserver_update_builtins(vs);
}

static void take_path(struct server *server, struct link_socket *s)
{
	int rc;

	stream_listener_close(&server->path);
	rc = s->fd < 0 ? -s->error : stream_listener_open(&server->path, s->fd);
	if (rc) {
		note_path_error(server, s);
		return;
	}
	s->fd = -1;
	if (server->path_error)
		log_notice(NULL, "the local socket is served now");
	server->path_error = 0;
}

static void take_control(struct server *server, struct link_socket *s)
{
	int rc = s->fd < 0 ? -s->error
			   : control_new(&server->control, server->loop, s->fd, status_methods,
				     server->status);

	if (rc)
		log_err(NULL, "no control socket: %s", strerror(-rc));
	else
		s->fd = -1;
}

static void on_listening(uint64_t id, uint32_t mask, struct link_socket *sockets, void *arg)
{
	struct server *server = arg;
	struct vserver *vs;

	if (id) {
		/* It may have gone in the meantime; then the sockets are closed by the link. */
		vs = server_by_id(server, id);
		if (vs)
			vserver_listening(vs, mask, sockets);
		return;
	}
	/* The opener sends another one when somebody has removed the socket from its path. */
	if (mask & OPENER_BIT(OPENER_PATH)) {
		take_path(server, &sockets[OPENER_PATH]);
		path_changed(server);
	}
	if ((mask & OPENER_BIT(OPENER_CONTROL)) && !server->control)
		take_control(server, &sockets[OPENER_CONTROL]);
	if (mask & OPENER_WARM_FILES)
		warm_take(server, mask, sockets);
}

static void on_reloaded(uint32_t call, int error, const char *text, void *arg)
{
	status_reloaded(((struct server *)arg)->status, call, error, text);
}

static void on_addresses(uint32_t call, uint64_t vs, const char *const *text, size_t count,
	void *arg)
{
	status_addresses(((struct server *)arg)->status, call, vs, text, count);
}

static void on_committed(uint64_t id, int error, void *arg)
{
	struct vserver *vs = server_by_id(arg, id);

	if (vs)
		vserver_journal_committed(vs, error);
}

static void on_sources(uint64_t id, const struct link_source *sources, size_t count, void *arg)
{
	struct vserver *vs = server_by_id(arg, id);

	if (vs && multicast_set(&vs->multicast, sources, count))
		log_err(vs->name, "out of memory, multicasts are not answered");
}

static void on_claims(uint64_t id, const struct link_claims *claims, void *arg)
{
	struct vserver *carrier = server_by_id(arg, id);

	if (carrier && carrier->share)
		share_set(carrier, claims);
}

/* Without the opener there is nothing that we may do. */
static void on_closed(int error, void *arg)
{
	struct server *server = arg;

	if (error != -ECONNRESET)
		log_err(NULL, "opener: %s", strerror(-error));
	loop_stop(server->loop, error == -ECONNRESET ? 0 : 1);
}

static void on_path_retry(struct loop_timer *timer)
{
	struct server *server = container_of(timer, struct server, path_timer);

	if (link_listen(server->link, 0, OPENER_BIT(OPENER_PATH)))
		loop_timer_in(server->loop, &server->path_timer, PATH_RETRY);
}

static void on_path_lost(struct stream_listener *l)
{
	struct server *server = l->server;

	stream_listener_close(l);
	path_changed(server);
	link_release(server->link, 0, OPENER_BIT(OPENER_PATH));
	loop_timer_in(server->loop, &server->path_timer, PATH_RETRY);
}

static void on_signal(void *arg, int signo)
{
	struct server *server = arg;

	/* SIGHUP and SIGINT reach the whole group of a terminal, SIGUSR2 what has the name; the
	 * opener acts on them. */
	if (signo == SIGTERM)
		loop_stop(server->loop, 0);
}

static int set_up(struct server *server, int fd)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};
	const struct link_handler handler = {on_config, on_vs, on_gone, on_synced, on_listening,
		on_reloaded, on_addresses, on_committed, on_sources, on_claims, on_closed, server};
	int rc = state_boot_id(server->boot);

	/* A file that may grow no more is an error of write(2), not the end. */
	signal(SIGXFSZ, SIG_IGN);
	if (!rc && getrandom(&server->hash_key, sizeof(server->hash_key), 0) < 0)
		rc = -errno;
	if (!rc)
		rc = loop_new(&server->loop, NULL);
	if (!rc)
		rc = loop_signals(server->loop, signals, 4, on_signal, server);
	if (!rc)
		rc = udp_batch_new(&server->batch);
	if (!rc)
		rc = stream_server_init(server);
	if (!rc)
		rc = status_new(&server->status, server);
	if (rc)
		return rc;
	stream_listener_init(&server->path, server, NULL, NETID_LOCAL, on_path_lost);
	server->path_timer.fn = on_path_retry;
	ghosts_watch_init(&server->ghosts, server);
	return link_new(&server->link, server->loop, fd, &handler);
}

static void tear_down(struct server *server)
{
	struct vserver *vs, *next;

	stream_listener_close(&server->path);
	ghosts_watch_stop(&server->ghosts);
	HASH_ITER(by_id, server->by_id, vs, next)
		remove_vserver(server, vs);
	stream_server_clear(server);
	status_free(server->status);
	control_free(server->control);
	link_free(server->link);
	udp_batch_free(server->batch);
	regs_free(server->builtins);
	loop_timer_del(server->loop, &server->path_timer);
	loop_free(server->loop);
}

int server_main(int fd)
{
	struct server server = {.path.fd = -1, .stream.reserve_fd = -1};
	int rc = set_up(&server, fd);

	if (rc) {
		log_err(NULL, "cannot start: %s", strerror(-rc));
		return 1;
	}
	rc = loop_run(server.loop);
	tear_down(&server);
	return rc ? 1 : 0;
}
