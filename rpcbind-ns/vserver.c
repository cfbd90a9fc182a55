/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access_log.h"
#include "bind.h"
#include "caller.h"
#include "container.h"
#include "parse.h"
#include "server.h"
#include "turn.h"
#include "vserver.h"

/*
 * Who sent a datagram is searched for among all UDP sockets of the machine, and nothing else is
 * served meanwhile. Where there are so many that it takes longer than LOOK_FREE, a VS may have it
 * done for one LOOK_REST-th of the time, LOOK_BURST of which may be saved up.
 */
#define LOOK_FREE LOOP_MSEC
#define LOOK_REST 200
#define LOOK_BURST (10 * LOOP_SEC)

static void free_aliases(struct vserver *vs)
{
	for (unsigned i = 0; i < vs->alias_count; i++)
		free(vs->aliases[i]);
	vs->alias_count = 0;
}

static int take_names(struct vserver *vs, const struct opener_vs *info)
{
	int rc = copy_str(vs->name, sizeof(vs->name), info->name);

	free_aliases(vs);
	for (uint32_t i = 0; !rc && i < info->alias_count; i++) {
		vs->aliases[i] = strdup(info->alias[i]);
		if (!vs->aliases[i])
			return -ENOMEM;
		vs->alias_count++;
	}
	return rc;
}

static void on_conf_error(void *arg, const char *file, unsigned line, const char *text)
{
	const struct vserver *vs = arg;

	log_err(vs->name, "%s:%u: %s", file ? file : "", line, text);
}

static int take_superusers(struct vserver *vs, char **names)
{
	size_t count = 0, n = 0;
	uid_t *uids;

	while (names && names[count])
		count++;
	uids = calloc(count + 1, sizeof(*uids));
	if (!uids)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint64_t uid;
		if (parse_u64(names[i], 0, UINT32_MAX - 1, &uid) == 0)
			uids[n++] = (uid_t)uid;
		else
			log_warn(vs->name, "SuperUser=%s is unknown and ignored", names[i]);
	}
	free(vs->superusers);
	vs->superusers = uids;
	vs->proc.superusers = uids;
	vs->proc.superuser_count = n;
	return 0;
}

static int take_access(struct vserver *vs, const struct rpcbind_vs_conf *conf)
{
	const struct proc_watch *watch;
	struct access_log *log;
	int rc = access_log_new(&log, &watch, vs, conf);

	if (rc)
		return rc;
	access_log_free(vs->access);
	vs->access = log;
	vs->proc.watch = watch;
	return 0;
}

static int take_settings(struct vserver *vs, const struct ini_doc *settings)
{
	struct rpcbind_vs_conf conf = {0};
	int rc = conf_defaults(&rpcbind_vs_schema, &conf);

	if (!rc)
		rc = conf_apply(&rpcbind_vs_schema, &conf, settings, on_conf_error, vs);
	if (!rc)
		rc = take_access(vs, &conf);
	if (!rc)
		rc = take_superusers(vs, conf.superusers);
	if (rc) {
		conf_clear(&rpcbind_vs_schema, &conf);
		return rc;
	}
	if (vs->conf.local && strcmp(vs->conf.local, conf.local))
		stream_listener_close(&vs->local);
	/* A carrier has no settings: whether it is wanted follows from its VSs. */
	if (vs->share)
		conf.serve = vs->conf.serve;
	conf_clear(&rpcbind_vs_schema, &vs->conf);
	vs->conf = conf;
	vs->proc.insecure = conf.insecure;
	vs->proc.remote_calls = conf.remote_calls;
	vs->proc.udp_dump = conf.udp_dump;
	return 0;
}

static void close_carried(struct vserver *vs)
{
	udp_close(&vs->udp4);
	udp_close(&vs->udp6);
	stream_listener_close(&vs->tcp4);
	stream_listener_close(&vs->tcp6);
	stream_listener_close(&vs->abstract);
}

static void close_sockets(struct vserver *vs)
{
	close_carried(vs);
	udp_forget_kept(&vs->udp4);
	udp_forget_kept(&vs->udp6);
	stream_listener_close(&vs->local);
	stream_close_all(vs);
	turn_forget(vs);
	remote_close(&vs->remote);
	if (vs->diag_fd >= 0)
		close(vs->diag_fd);
	vs->diag_fd = -1;
	loop_timer_del(vs->server->loop, &vs->retry);
}

/* The opener keeps our sockets open for the next server, unless it is told. */
void vserver_release_unwanted(struct vserver *vs)
{
	uint32_t calls = OPENER_BIT(OPENER_CALL4) | OPENER_BIT(OPENER_CALL6);

	if (!vs->conf.serve) {
		close_sockets(vs);
		link_release(vs->server->link, vs->id, ~OPENER_GLOBAL);
		return;
	}
	if (!*vs->conf.local && vs->local.fd >= 0) {
		stream_listener_close(&vs->local);
		link_release(vs->server->link, vs->id, OPENER_BIT(OPENER_LOCAL));
	}
	if (!vs->conf.remote_calls) {
		remote_close(&vs->remote);
		link_release(vs->server->link, vs->id, calls);
	}
}

/* Whether the VS has its sockets for itself. Where it does not any more the carrier has them now;
 * connections go on, as far as they are still its own. */
static void take_sharing(struct vserver *vs, const struct opener_vs *info)
{
	vs->shares = info->shares;
	vs->proc.place = vs->shares || vs->share ? share_place : NULL;
	vs->proc.place_arg = vs;
	vs->proc.nobody = vs->share != NULL;
	if (!vs->shares)
		return;
	close_carried(vs);
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		if (OPENER_CARRIED & (1u << k))
			vs->error[k] = 0;
}

/* Connections to addresses that are not served any more. */
static void close_unbound(struct vserver *vs)
{
	struct stream_conn *c, *next;

	TAILQ_FOREACH_MUT(c, &vs->conns, in_vs, next) {
		if (!bind_serves(vs->conf.bind, &c->caller.contacted))
			stream_conn_close(c);
	}
}

int vserver_update(struct vserver *vs, const struct opener_vs *info,
	const struct ini_doc *settings)
{
	int rc = take_names(vs, info);

	if (!rc)
		rc = take_settings(vs, settings);
	if (rc)
		return rc;
	vs->proc.owner_uid = info->owner;
	vs->proc.root_uid = info->root;
	take_sharing(vs, info);
	/* The sockets of a carrier are not ours to give up before its VSs are known. */
	if (!vs->share)
		vserver_release_unwanted(vs);
	close_unbound(vs);
	return 0;
}

static void on_retry(struct loop_timer *timer)
{
	vserver_request_sockets(
		container_of(timer, struct vserver, retry));
}

static void on_listener_lost(struct stream_listener *l)
{
	enum opener_kind kind = l->netid == NETID_TCP    ? OPENER_TCP4
				: l->netid == NETID_TCP6 ? OPENER_TCP6
				: l->is_own              ? OPENER_LOCAL
							 : OPENER_ABSTRACT;

	stream_listener_close(l);
	vserver_socket_lost(l->vs, kind, ECONNABORTED);
}

static void init_sockets(struct vserver *vs)
{
	udp_init(&vs->udp4, vs, NETID_UDP);
	udp_init(&vs->udp6, vs, NETID_UDP6);
	stream_listener_init(&vs->tcp4, vs->server, vs, NETID_TCP, on_listener_lost);
	stream_listener_init(&vs->tcp6, vs->server, vs, NETID_TCP6, on_listener_lost);
	stream_listener_init(&vs->abstract, vs->server, vs, NETID_LOCAL, on_listener_lost);
	stream_listener_init(&vs->local, vs->server, vs, NETID_LOCAL, on_listener_lost);
	vs->local.is_own = true;
	remote_init(&vs->remote, vs);
	vs->diag_fd = -1;
	vs->retry.fn = on_retry;
	TAILQ_INIT(&vs->conns);
	TAILQ_INIT(&vs->queue);
}

int vserver_new(struct vserver **vs, struct server *server, const struct opener_vs *info,
	const struct ini_doc *settings)
{
	static const struct regs_limits limits = {VSERVER_REGISTRATIONS_MAX,
		VSERVER_REGISTRATIONS_PER_OWNER, VSERVER_REGISTRATIONS_ORDINARY};
	struct vserver *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	v->server = server;
	v->id = info->id;
	v->cookie = info->cookie;
	v->is_host = info->is_host;
	v->flavour = info->flavour;
	v->mark = info->mark;
	v->excess_limit = (struct log_limit){.burst = 1, .interval = 60 * LOOP_SEC};
	v->look_limit = (struct log_limit){.burst = 1, .interval = 60 * LOOP_SEC};
	init_sockets(v);
	v->journal.now.fd = v->journal.next.fd = -1;
	rc = info->flavour == OPENER_CARRIER ? share_new(&v->share) : 0;
	if (!rc)
		rc = regs_new(&v->proc.regs, &limits, &server->hash_key);
	if (!rc)
		vserver_journal_init(v);
	if (!rc)
		rc = stats_new(&v->proc.stats);
	if (!rc)
		rc = vserver_update(v, info, settings);
	if (rc) {
		vserver_free(v);
		return rc;
	}
	*vs = v;
	return 0;
}

void vserver_free(struct vserver *vs)
{
	if (!vs)
		return;
	close_sockets(vs);
	journal_close(&vs->journal);
	regs_free(vs->proc.regs);
	stats_free(vs->proc.stats);
	excess_free(vs->excess);
	share_free(vs->share);
	conf_clear(&rpcbind_vs_schema, &vs->conf);
	free(vs->superusers);
	access_log_free(vs->access);
	free_aliases(vs);
	for (unsigned k = 0; k < OPENER_KIND_COUNT; k++)
		free(vs->holder[k]);
	vserver_set_addresses(vs, NULL, 0);
	multicast_set(&vs->multicast, NULL, 0);
	free(vs);
}

int vserver_set_addresses(struct vserver *vs, const char *const *text, size_t count)
{
	char **copy = count ? calloc(count, sizeof(*copy)) : NULL;
	int rc = count && !copy ? -ENOMEM : 0;

	for (size_t i = 0; !rc && i < count; i++) {
		copy[i] = strdup(text[i]);
		if (!copy[i])
			count = i;
	}
	for (size_t i = 0; i < vs->address_count; i++)
		free(vs->addresses[i]);
	free(vs->addresses);
	vs->addresses = copy;
	vs->address_count = rc ? 0 : count;
	return rc;
}

/* May the time of all others be taken once more? */
static bool may_look(struct vserver *vs)
{
	uint64_t dropped;

	if (vs->look_until <= loop_now(vs->server->loop) + LOOK_BURST)
		return true;
	if (log_limit_ok(&vs->look_limit, loop_now(vs->server->loop), &dropped))
		log_notice(vs->name, "the machine has so many UDP sockets that not all who call "
				     "SET and UNSET over UDP can be told apart now; they have to "
				     "ask again");
	return false;
}

static int look_up_uid(struct vserver *vs, int protocol, const struct proc_caller *caller,
	uid_t *uid, bool *sure)
{
	uint64_t begin = turn_clock(), now = loop_now(vs->server->loop), took;
	int rc = caller_loopback_uid(vs->diag_fd, protocol, &caller->peer, &caller->contacted, uid,
		sure);

	took = turn_clock() - begin;
	if (protocol == IPPROTO_UDP && took > LOOK_FREE)
		vs->look_until = (vs->look_until > now ? vs->look_until : now) + took * LOOK_REST;
	return rc;
}

int vserver_loopback_uid(struct vserver *vs, int protocol, const struct proc_caller *caller,
	uid_t *uid, bool *sure)
{
	if (protocol == IPPROTO_UDP && !may_look(vs))
		return -EDQUOT;
	return look_up_uid(vs, protocol, caller, uid, sure);
}
